//! The engine as a whole: the contract, restarts, failures of the disk, damage.

mod aggregates;
mod backup;
mod contract;
mod copying;
mod damage;
mod differential;
mod erasing;
mod failure;
mod fixture;
mod fixture_v2;
mod fixture_v3;
mod index_damage;
pub(super) mod kit;
mod model;
mod queries;
mod restart;
mod retiring;
