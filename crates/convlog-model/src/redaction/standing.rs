//! What rules may do to each canonical field, and to the places of a body that fields refer to.

use crate::fields::{self, FieldType};
use crate::flatten::LeafPath;
use crate::record::{Draft, Source};

/// What rules may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Nothing: the system works with it.
    Fixed,
    /// Only rules that name it may change it.
    Id,
    /// As [`Standing::Id`], and it never becomes a text.
    Typed,
    /// Anything.
    Free,
}

const FIXED: &[&str] = &[
    "id",
    "kind",
    "dialect",
    "own_id",
    "event.type",
    "time",
    "learning_opt_out",
    "redactions",
];

const IDS: &[&str] = &[
    "bot",
    "assistant",
    "environment",
    "version",
    "channel",
    "conversation",
    "user",
    "customer",
    "language",
    "locale",
    "event.actor",
    "event.refs",
];

/// What rules may do to the canonical field of that path.
pub(super) fn standing(path: &str) -> Standing {
    let is_of = |list: &[&str]| list.iter().any(|name| is_at_or_below(path, name));
    if is_of(FIXED) {
        Standing::Fixed
    } else if is_of(IDS) {
        Standing::Id
    } else {
        match fields::lookup(path).map(|field| field.kind) {
            Some(FieldType::Number | FieldType::Bool | FieldType::Time) => Standing::Typed,
            Some(FieldType::Keyword | FieldType::Text) | None => Standing::Free,
        }
    }
}

fn is_at_or_below(path: &str, name: &str) -> bool {
    path.strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Places of a body that fields refer to and that not every rule may change.
#[derive(Debug, Default)]
pub(super) struct Guard {
    places: Vec<(LeafPath, Standing)>,
}

impl Guard {
    /// Those of a draft.
    pub(super) fn of(draft: &Draft) -> Self {
        let mut places = Vec::new();
        for (path, source) in &draft.canonical {
            if let Source::Raw(raw) = source {
                let standing = standing(path);
                if standing != Standing::Free {
                    places.push((raw.clone(), standing));
                }
            }
        }
        Guard { places }
    }

    /// What rules may do at a place of the body: the least that any field allows.
    pub(super) fn at(&self, path: &LeafPath) -> Standing {
        let here = self.places.iter().filter(|(place, _)| place == path);
        here.fold(Standing::Free, |least, (_, standing)| {
            match (least, standing) {
                (Standing::Fixed, _) | (_, Standing::Fixed) => Standing::Fixed,
                (Standing::Typed, _) | (_, Standing::Typed) => Standing::Typed,
                (Standing::Id, _) | (_, Standing::Id) => Standing::Id,
                (Standing::Free, Standing::Free) => Standing::Free,
            }
        })
    }

    /// Places inside of what stands at a path.
    pub(super) fn below<'a>(&'a self, path: &'a LeafPath) -> impl Iterator<Item = &'a LeafPath> {
        let outer = path.as_bytes();
        let is_inside = |place: &LeafPath| {
            let rest = place.as_bytes().strip_prefix(outer);
            rest.is_some_and(|rest| rest.first() == Some(&0xFF))
        };
        let places = self.places.iter().map(|(place, _)| place);
        places.filter(move |place| is_inside(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_standing() {
        for (path, expected) in [
            ("time.request", Standing::Fixed),
            ("time", Standing::Fixed),
            ("learning_opt_out", Standing::Fixed),
            ("event.type", Standing::Fixed),
            ("redactions.path", Standing::Fixed),
            ("customer", Standing::Id),
            ("event.refs.contact", Standing::Id),
            ("latency_ms", Standing::Typed),
            ("outcome.missed", Standing::Typed),
            ("input.text", Standing::Free),
            ("event.meta.ip", Standing::Free),
            ("userland", Standing::Free),
            ("timeout", Standing::Free),
        ] {
            assert_eq!(standing(path), expected, "{path}");
        }
        // Names of secrets are none of our own fields'.
        for field in fields::FIELDS {
            for segment in field.path.split('.') {
                let names = super::super::keys::KeyNames::Secrets;
                assert!(!names.matches(segment, false), "{}", field.path);
            }
        }
    }

    #[test]
    fn places_are_guarded_by_the_fields_that_refer_to_them() {
        let mut draft = crate::testkit::draft(r#"{"a":{"b":"x"},"ab":1}"#);
        draft.set_ref("user", &["a", "b"]);
        draft.set_ref("input.text", &["t"]);
        draft.set_ref("latency_ms", &["ab"]);
        let guard = Guard::of(&draft);
        assert_eq!(guard.at(&LeafPath::of(&["a", "b"])), Standing::Id);
        assert_eq!(guard.at(&LeafPath::of(&["ab"])), Standing::Typed);
        assert_eq!(guard.at(&LeafPath::of(&["t"])), Standing::Free);
        let outer = LeafPath::of(&["a"]);
        let inside: Vec<_> = guard.below(&outer).collect();
        assert_eq!(inside, [&LeafPath::of(&["a", "b"])]);
    }
}
