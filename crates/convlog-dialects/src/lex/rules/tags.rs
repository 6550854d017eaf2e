//! Rules of tags.

use std::collections::BTreeSet;

use super::{Refused, at_most, item, refuse};

/// Tags that a resource may have.
pub const TAGS_MAX: usize = 50;
/// How keys of AWS's own tags begin, in any case.
const OWN_PREFIX: &str = "aws:";

/// Checks the keys of tags that come to a resource with the keys `had`: none is AWS's own, none
/// comes twice, and all together are not too many.
///
/// # Errors
/// [`Refused`] for the first rule that is broken.
pub fn check(keys: &[&str], had: &[&str]) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    for (i, key) in keys.iter().enumerate() {
        let path = || format!("{}.key", item("tags", i));
        let head = key.get(..OWN_PREFIX.len()).unwrap_or_default();
        if head.eq_ignore_ascii_case(OWN_PREFIX) {
            return refuse(path(), "must not begin with aws:");
        }
        if !seen.insert(*key) {
            return refuse(path(), "must be the key of one tag only");
        }
    }
    seen.extend(had);
    at_most(TAGS_MAX, seen.len(), "tags on a resource", "tags")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::rules::RefusedKind;

    fn refused(keys: &[&str], had: &[&str]) -> String {
        check(keys, had).unwrap_err().to_string()
    }

    #[test]
    fn keys_that_a_resource_may_have() {
        assert_eq!(check(&[], &[]), Ok(()));
        assert_eq!(
            check(&["team", "aws", "laws:x", "\u{e9}\u{e9}"], &["team"]),
            Ok(())
        );
    }

    #[test]
    fn keys_that_are_refused() {
        let own = "tags.2.member.key: must not begin with aws:";
        assert_eq!(refused(&["a", "aws:x"], &[]), own);
        assert_eq!(refused(&["a", "AwS:"], &[]), own);
        let twice = "tags.3.member.key: must be the key of one tag only";
        assert_eq!(refused(&["a", "b", "a"], &[]), twice);
    }

    #[test]
    fn old_and_new_ones_together_are_bounded() {
        let keys: Vec<String> = (0..51).map(|i| format!("k{i}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(check(&keys[..50], &keys[..50]), Ok(()));
        let error = check(&keys[50..], &keys[..50]).unwrap_err();
        assert_eq!(error.kind, RefusedKind::LimitExceeded);
        assert_eq!(error.to_string(), "tags: at most 50 tags on a resource");
    }
}
