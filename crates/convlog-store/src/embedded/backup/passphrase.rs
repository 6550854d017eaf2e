//! The key of the data, sealed with a passphrase: as text in a file of the backup.

use argon2::{Algorithm, Argon2, Params, Version};
use convlog_model::clock::IdSource;
use convlog_model::seal::Sealer;

use super::bundle::SEALED_KEY;
use super::{hex, unhex};
use crate::embedded::error::OpenError;

const MAGIC: &str = "convlog-sealed-key-1";
const PURPOSE: &str = "backup key";
const SALT_LEN: usize = 16;
/// KiB, passes, lanes: what RFC 9106 recommends where memory is scarce.
const COST: [u32; 3] = [64 << 10, 3, 1];
/// A damaged file must not make us take all memory.
const COST_MAX: [u32; 3] = [1 << 20, 64, 16];

fn sealer(passphrase: &str, salt: &[u8], cost: [u32; 3]) -> Option<Sealer> {
    let [memory, passes, lanes] = cost;
    let params = Params::new(memory, passes, lanes, Some(32)).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = [0; 32];
    let made = argon2.hash_password_into(passphrase.as_bytes(), salt, &mut key);
    made.ok().map(|()| Sealer::new(key))
}

/// The file that holds `key`, which opens with the same passphrase.
pub(super) fn seal(ids: &dyn IdSource, passphrase: &str, key: &[u8]) -> Option<Vec<u8>> {
    let mut salt = [0; SALT_LEN];
    ids.fill(&mut salt);
    let sealed = sealer(passphrase, &salt, COST)?.seal(ids, PURPOSE, key);
    let [memory, passes, lanes] = COST;
    let (salt, sealed) = (hex(&salt), hex(&sealed));
    let text = format!("{MAGIC} argon2id {memory} {passes} {lanes} {salt} {sealed}\n");
    Some(text.into_bytes())
}

/// What [`seal`] was given.
pub(crate) fn open(file: &[u8], passphrase: &str) -> Result<Vec<u8>, OpenError> {
    let text = String::from_utf8_lossy(file);
    let parts: Vec<&str> = text.trim_end().split(' ').collect();
    let foreign = || OpenError::unusable(SEALED_KEY, "holds no sealed key of convlog");
    let &[MAGIC, "argon2id", memory, passes, lanes, salt, sealed] = parts.as_slice() else {
        return Err(foreign());
    };
    let mut cost = [0; 3];
    for ((to, text), max) in cost.iter_mut().zip([memory, passes, lanes]).zip(COST_MAX) {
        *to = text
            .parse()
            .ok()
            .filter(|n| *n <= max)
            .ok_or_else(foreign)?;
    }
    let salt = unhex(salt).ok_or_else(foreign)?;
    let sealed = unhex(sealed).ok_or_else(foreign)?;
    let sealer = sealer(passphrase, &salt, cost).ok_or_else(foreign)?;
    let wrong = |_| OpenError::unusable(SEALED_KEY, "does not open with this passphrase");
    sealer.open(PURPOSE, &sealed).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use convlog_model::testkit::SeededIds;

    use super::*;

    #[test]
    fn a_sealed_key_opens_with_its_passphrase() {
        let file = seal(&SeededIds::new(1), "open sesame", b"the key").unwrap();
        assert_eq!(open(&file, "open sesame").unwrap(), b"the key");
        assert!(!String::from_utf8(file).unwrap().contains("the key"));
    }

    #[test]
    fn another_passphrase_is_refused() {
        let file = seal(&SeededIds::new(1), "open sesame", b"the key").unwrap();
        let error = open(&file, "open sesam").unwrap_err().to_string();
        assert_eq!(error, "key.sealed: does not open with this passphrase");
    }

    #[test]
    fn other_bytes_are_refused() {
        for file in [
            "",
            "key",
            "convlog-sealed-key-1 argon2id 4294967295 1 1 00 00",
        ] {
            let error = open(file.as_bytes(), "p").unwrap_err().to_string();
            assert_eq!(
                error, "key.sealed: holds no sealed key of convlog",
                "{file}"
            );
        }
    }
}
