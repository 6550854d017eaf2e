//! Time and randomness as arguments: the product hands real ones down from `convlog/src/clock.rs`.

use std::fmt::Debug;

use crate::time::Timestamp;

/// Source of time.
pub trait Clock: Debug + Send + Sync {
    /// Wall clock, UTC. May step back.
    fn now(&self) -> Timestamp;

    /// Microseconds since some fixed moment of this process. Never steps back.
    fn monotonic_us(&self) -> u64;
}

/// Source of randomness that is good enough for secrets.
pub trait IdSource: Debug + Send + Sync {
    /// Fills `bytes` with random bits.
    fn fill(&self, bytes: &mut [u8]);

    /// 128 random bits.
    fn random_u128(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}
