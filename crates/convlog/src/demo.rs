//! The sample of `convlog demo`: bots that answer by rules, and two weeks of conversations with
//! them, the same in every run but for the day that they end on.

mod bots;
mod generate;
mod scripts;

pub(crate) use self::bots::{BOTS, SampleBot};
pub(crate) use self::generate::sample;
