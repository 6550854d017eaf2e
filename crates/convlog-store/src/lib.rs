//! Engines that keep and find records: the embedded one on local disk.

pub mod embedded;
