//! The engine as a whole: the contract, restarts, failures of the disk, damage.

mod aggregates;
mod backup;
mod contract;
mod damage;
mod differential;
mod erasing;
mod failure;
mod fixture;
pub(super) mod kit;
mod queries;
mod restart;
