//! Ids that follow from what they name, so that the same thing has the same id in every run.

use convlog_model::seal::Sealer;

/// A UUID of version 8 that is a hash of these texts.
pub(crate) fn derived(purpose: &str, parts: &[&str]) -> String {
    let sealer = Sealer::new([0; 32]).derive(purpose);
    let mut bytes = Vec::new();
    for part in parts {
        // With its length, so that no two lists of parts read the same.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    let mut hash = sealer.hash(&bytes);
    hash[6] = (hash[6] & 0x0F) | 0x80;
    hash[8] = (hash[8] & 0x3F) | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in hash.iter().take(16).enumerate() {
        if [4, 6, 8, 10].contains(&i) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_uuid() {
        let id = derived("test", &["a", "b"]);
        assert_eq!(id, derived("test", &["a", "b"]));
        assert_ne!(id, derived("test", &["ab", ""]));
        assert_ne!(id, derived("other", &["a", "b"]));
        let marks: Vec<usize> = id.match_indices('-').map(|(at, _)| at).collect();
        assert_eq!((id.len(), marks), (36, vec![8, 13, 18, 23]));
        assert_eq!(id.chars().nth(14), Some('8'));
    }
}
