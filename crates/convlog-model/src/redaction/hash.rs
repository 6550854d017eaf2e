//! The keyed hash that stands in place of a value.

use std::fmt::{self, Write as _};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Hexadecimal digits that are kept of a hash.
pub(super) const HEX_LEN: usize = 32;

/// A key of hashes. Its debug form shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        HashKey(key)
    }

    /// The first half of the HMAC-SHA256 of a value, in hexadecimal.
    pub(super) fn hash(&self, value: &str) -> String {
        let mut hex = String::with_capacity(HEX_LEN);
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return hex;
        };
        mac.update(value.as_bytes());
        for byte in mac.finalize().into_bytes().iter().take(HEX_LEN / 2) {
            // Writing to a String does not fail.
            let _written = write!(hex, "{byte:02x}");
        }
        hex
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_key_and_value() {
        let key = HashKey::new([1; 32]);
        let hash = key.hash("alice@example.com");
        assert_eq!(hash.len(), HEX_LEN);
        assert_eq!(hash, key.hash("alice@example.com"));
        assert_ne!(hash, key.hash("bob@example.com"));
        assert_ne!(hash, HashKey::new([2; 32]).hash("alice@example.com"));
        assert_eq!(format!("{key:?}"), "HashKey(..)");
    }

    /// Case 2 of RFC 4231 has a shorter key; padded with zeros to 32 bytes it is the same key.
    #[test]
    fn it_is_hmac_sha256() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = HashKey::new(key).hash("what do ya want for nothing?");
        assert_eq!(hash, "5bdcc146bf60754e6a042426089575c7");
    }
}
