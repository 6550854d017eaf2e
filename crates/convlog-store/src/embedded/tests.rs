//! The engine as a whole: the contract, restarts, failures of the disk, damage.

mod contract;
mod damage;
mod failure;
mod kit;
mod restart;
