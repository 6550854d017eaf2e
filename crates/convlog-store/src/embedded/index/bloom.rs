//! A blocked Bloom filter over terms: one cache line a look-up.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::source::{Damaged, Part};
use super::term::Kind;
use crate::embedded::bytes::{to_u64, to_usize};

/// Bytes of a block.
const BLOCK_LEN: usize = 64;
/// Bits a term takes on average.
const BITS_PER_TERM: usize = 10;
/// Bits of a block that a term sets.
const PROBES: u32 = 6;

/// The seed of the terms of a path: a hash of its sort key.
pub(crate) fn seed(path_key: &[u8]) -> u64 {
    xxh3_64(path_key)
}

/// The hash of a term.
pub(crate) fn hash(seed: u64, kind: Kind, value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, seed ^ u64::from(kind.code()))
}

fn place(hash: u64, n_blocks: usize) -> usize {
    let wide = u128::from(hash) * u128::from(to_u64(n_blocks));
    to_usize(u64::try_from(wide >> 64).unwrap_or(0)) * BLOCK_LEN
}

/// Bits of the block: nine bits of the hash each, the lower ones, which decide least of the block.
fn bits(hash: u64) -> impl Iterator<Item = usize> {
    (0..PROBES).map(move |probe| to_usize(hash >> (probe * 9) & 511))
}

/// The filter of these terms.
pub(crate) fn encode(hashes: &[u64]) -> Vec<u8> {
    let n_blocks = (hashes.len() * BITS_PER_TERM)
        .div_ceil(BLOCK_LEN * 8)
        .max(1);
    let mut out = vec![0; n_blocks * BLOCK_LEN];
    for hash in hashes {
        let start = place(*hash, n_blocks);
        if let Some(block) = out.get_mut(start..start + BLOCK_LEN) {
            bits(*hash).for_each(|bit| block[bit / 8] |= 1 << (bit % 8));
        }
    }
    out
}

/// A filter as it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bloom<'a>(Part<'a>);

impl<'a> Bloom<'a> {
    pub(crate) fn new(part: Part<'a>) -> Self {
        Bloom(part)
    }

    /// False only for a term that is not there.
    pub(crate) fn may_hold(&self, hash: u64) -> Result<bool, Damaged> {
        let n_blocks = self.0.len() / BLOCK_LEN;
        let block = self.0.get(place(hash, n_blocks), BLOCK_LEN)?;
        let is_set = |bit: usize| block.get(bit / 8).is_some_and(|b| b & 1 << (bit % 8) != 0);
        Ok(bits(hash).all(is_set))
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    #[test]
    fn what_is_there_passes_and_little_else_does() {
        let of = |n: u32| hash(seed(b"path"), Kind::Text, &n.to_le_bytes());
        let hashes: Vec<u64> = (0..10_000).map(of).collect();
        let source = Source::Memory(encode(&hashes));
        let bloom = Bloom::new(source.part(&(0..source.all().len())));
        assert!(hashes.iter().all(|hash| bloom.may_hold(*hash).unwrap()));
        let wrong = (10_000..20_000).filter(|n| bloom.may_hold(of(*n)).unwrap());
        assert!(wrong.count() < 300);
    }
}
