//! Authenticated encryption of secrets and dialogue state, and keyed hashes.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::clock::IdSource;

/// A key of 32 bytes with what is computed with it. Its debug form shows nothing of it.
#[derive(Clone)]
pub struct Sealer {
    key: [u8; 32],
}

/// A sealed text that this key does not open: another key, another purpose or damaged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed bytes do not open with this key")]
pub struct Unsealable;

const NONCE_LEN: usize = 24;

impl Sealer {
    /// A sealer with this key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Sealer { key }
    }

    /// A sealer with a key of its own for one purpose, derived from this one.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Sealer {
            key: *blake3::keyed_hash(&self.key, purpose.as_bytes()).as_bytes(),
        }
    }

    /// Encrypts `plain`; `purpose` must be the same when it is opened.
    #[must_use]
    pub fn seal(&self, ids: &dyn IdSource, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        ids.fill(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        // Encryption fails only beyond 256 GiB.
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), payload)
            .unwrap_or_default();
        [nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// Decrypts what [`Sealer::seal`] made.
    ///
    /// # Errors
    /// [`Unsealable`]
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let payload = Payload {
            msg: rest,
            aad: purpose.as_bytes(),
        };
        self.cipher()
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| Unsealable)
    }

    /// A keyed hash of `bytes`: the same for the same key, telling nothing without it.
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.key, bytes).as_bytes()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.key).into())
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting;

    impl IdSource for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_and_purpose_only() {
        let sealer = Sealer::new([1; 32]);
        let sealed = sealer.seal(&Counting, "key", b"secret");
        assert_eq!(sealer.open("key", &sealed).unwrap(), b"secret");
        assert_eq!(sealer.open("hook", &sealed), Err(Unsealable));
        assert_eq!(sealer.derive("x").open("key", &sealed), Err(Unsealable));
        assert_eq!(sealer.open("key", b"short"), Err(Unsealable));
    }
}
