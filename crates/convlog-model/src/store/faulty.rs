//! A wrapper that fails on demand.
