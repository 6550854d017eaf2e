//! Which own ids are stored: exact for chunks that are not sealed, a filter for all others.
//!
//! The filter has a fixed number of bits for each chunk. The bits of 64 chunks stand side by side,
//! so that a look-up in all of them reads a word for each probe.

use std::collections::{BTreeMap, HashMap};

use convlog_model::store::Stored;

use super::bytes::to_usize;
use super::row::Hash16;

/// Bits of a chunk: 16 for each row that it can hold.
const BITS: usize = 1 << 20;
/// Bits that a key sets.
const PROBES: usize = 6;

fn probes(key: &Hash16) -> impl Iterator<Item = usize> + use<> {
    let number = u128::from_le_bytes(*key);
    (0..PROBES).map(move |probe| {
        let bits = (number >> (probe * 20)) & 0xF_FFFF;
        to_usize(u64::try_from(bits).unwrap_or(0))
    })
}

/// The bits of one chunk.
#[derive(Clone, Debug)]
pub(crate) struct OwnBits(Vec<u8>);

impl OwnBits {
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a Hash16>) -> Self {
        let mut bits = vec![0u8; BITS / 8];
        let mut n_keys = 0;
        for key in keys {
            n_keys += 1;
            probes(key).for_each(|bit| bits[bit / 8] |= 1 << (bit % 8));
        }
        // A chunk without own ids needs none of it.
        OwnBits(if n_keys == 0 { Vec::new() } else { bits })
    }

    /// As the index file holds them: compressed, since small chunks set few of them.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self.0.as_slice() {
            [] => Vec::new(),
            bits => zstd::bulk::compress(bits, 1).unwrap_or_default(),
        }
    }

    /// The bits that an index file holds; `None` when its bytes make no sense.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(OwnBits(Vec::new()));
        }
        let bits = zstd::bulk::decompress(bytes, BITS / 8).ok()?;
        (bits.len() == BITS / 8).then_some(OwnBits(bits))
    }
}

/// The bits of up to 64 chunks.
#[derive(Debug)]
struct Group {
    chunks: Vec<Option<u64>>,
    words: Vec<u64>,
}

/// The first record of an own id that is not sealed yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) stored: Stored,
    pub(crate) body_hash: Hash16,
}

/// Own ids of all chunks.
#[derive(Debug, Default)]
pub(crate) struct OwnKeys {
    /// By chunk that is not sealed.
    open: BTreeMap<u64, HashMap<Hash16, Own>>,
    groups: Vec<Group>,
}

impl OwnKeys {
    /// Notes a record of a chunk that is not sealed, behind all that were noted. One that had the
    /// same key is gone.
    pub(crate) fn put(&mut self, chunk: u64, key: Hash16, own: Own) {
        self.open.entry(chunk).or_default().insert(key, own);
    }

    /// The last record of a key in the chunks that are not sealed; those before are gone.
    pub(crate) fn get(&self, key: &Hash16) -> Option<Own> {
        let chunks = self.open.values().rev();
        chunks.filter_map(|keys| keys.get(key)).next().copied()
    }

    /// Forgets rows of a chunk that is not sealed.
    pub(crate) fn forget(&mut self, chunk: u64, is_gone: impl Fn(&Own) -> bool) {
        if let Some(keys) = self.open.get_mut(&chunk) {
            keys.retain(|_, own| !is_gone(own));
        }
    }

    /// The keys of a chunk that is about to be sealed.
    pub(crate) fn keys(&self, chunk: u64) -> Vec<Hash16> {
        let keys = self.open.get(&chunk);
        keys.into_iter().flat_map(HashMap::keys).copied().collect()
    }

    /// A chunk is sealed, or was found sealed, with these bits.
    pub(crate) fn seal(&mut self, chunk: u64, bits: &OwnBits) {
        self.drop_chunk(chunk);
        if bits.0.is_empty() {
            return;
        }
        let is_free = |group: &Group| group.chunks.iter().any(Option::is_none);
        let number = self.groups.iter().position(is_free).unwrap_or_else(|| {
            self.groups.push(Group {
                chunks: vec![None; 64],
                words: vec![0; BITS],
            });
            self.groups.len() - 1
        });
        let group = &mut self.groups[number];
        let Some(place) = group.chunks.iter().position(Option::is_none) else {
            return;
        };
        group.chunks[place] = Some(chunk);
        let mark = 1 << place;
        for (words, byte) in group.words.chunks_mut(8).zip(&bits.0) {
            if *byte != 0 {
                for (bit, word) in words.iter_mut().enumerate() {
                    if byte & 1 << bit != 0 {
                        *word |= mark;
                    }
                }
            }
        }
    }

    /// A chunk is gone, or gets other bits.
    pub(crate) fn drop_chunk(&mut self, chunk: u64) {
        self.open.remove(&chunk);
        for group in &mut self.groups {
            if let Some(place) = group.chunks.iter().position(|held| *held == Some(chunk)) {
                group.chunks[place] = None;
                let mark = !(1u64 << place);
                group.words.iter_mut().for_each(|word| *word &= mark);
            }
        }
    }

    /// Sealed chunks that may hold a key.
    pub(crate) fn candidates(&self, key: &Hash16) -> Vec<u64> {
        let mut out = Vec::new();
        for group in &self.groups {
            let words = probes(key).map(|bit| group.words[bit]);
            let mut hits = words.fold(u64::MAX, |all, word| all & word);
            while hits != 0 {
                let place = to_usize(hits.trailing_zeros().into());
                out.extend(group.chunks[place]);
                hits &= hits - 1;
            }
        }
        out.sort_unstable();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> Hash16 {
        let mixed = u128::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        mixed.to_le_bytes()
    }

    fn read(bits: &OwnBits) -> OwnBits {
        OwnBits::from_bytes(&bits.to_bytes()).unwrap()
    }

    #[test]
    fn each_chunk_is_found_by_its_keys_and_hardly_by_others() {
        let mut own = OwnKeys::default();
        for chunk in 1..=70 {
            let keys: Vec<Hash16> = (0..100).map(|n| key(chunk * 1_000 + n)).collect();
            own.seal(chunk, &read(&OwnBits::of(keys.iter())));
        }
        for chunk in 1..=70 {
            assert!((0..100).all(|n| own.candidates(&key(chunk * 1_000 + n)).contains(&chunk)));
        }
        let wrong = (0..1_000).map(|n| own.candidates(&key(1_000_000 + n)).len());
        assert!(wrong.sum::<usize>() < 10);
        own.drop_chunk(5);
        assert!(!own.candidates(&key(5_000)).contains(&5));
        own.seal(71, &read(&OwnBits::of([key(1)].iter())));
        assert!(own.candidates(&key(1)).contains(&71));
        assert!(OwnBits::of([].into_iter()).to_bytes().is_empty());
    }
}
