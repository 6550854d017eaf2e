//! Names in braces, which stand for slots in utterances and wordings.

/// Why [`names`] gave none.
pub(super) const UNBALANCED: &str = "braces must be closed, not nested and not empty";

/// The names in the braces of `text`, in order; `None` where a brace has no partner, holds another
/// one, or holds nothing.
pub(super) fn names(text: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, left) = after.split_once('}')?;
        if before.contains('}') || name.contains('{') || name.trim().is_empty() {
            return None;
        }
        names.push(name);
        rest = left;
    }
    (!rest.contains('}')).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_order() {
        assert_eq!(names("no slot"), Some(vec![]));
        assert_eq!(names("{a} and {b_c}{d}."), Some(vec!["a", "b_c", "d"]));
    }

    #[test]
    fn braces_without_partner() {
        for text in [
            "{", "}", "{a", "a}", "}{", "{a}}", "{{a}}", "{}", "{ }", "{a} {b",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
