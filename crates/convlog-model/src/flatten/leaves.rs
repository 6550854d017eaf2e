//! The leaves of a draft while it is at hand: nothing is copied but the paths, into one buffer.

use std::ops::Range;

use super::{LeafPath, Scalar, Sink, Space, walk};
use crate::json::Value;
use crate::record::{Draft, Source};
use crate::time::Timestamp;

/// A value that holds no others, borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScalarRef<'a> {
    /// `null`; counts as missing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as its text.
    Number(&'a str),
    /// A string.
    Text(&'a str),
}

impl<'a> ScalarRef<'a> {
    /// The value as text; `None` for `null`.
    #[must_use]
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            ScalarRef::Null => None,
            ScalarRef::Bool(true) => Some("true"),
            ScalarRef::Bool(false) => Some("false"),
            ScalarRef::Number(text) | ScalarRef::Text(text) => Some(text),
        }
    }

    pub(super) fn to_scalar(self) -> Scalar {
        match self {
            ScalarRef::Null => Scalar::Null,
            ScalarRef::Bool(truth) => Scalar::Bool(truth),
            ScalarRef::Number(text) => Scalar::Number(text.to_owned()),
            ScalarRef::Text(text) => Scalar::Text(text.to_owned()),
        }
    }
}

/// One value, as [`super::Leaf`] says.
#[derive(Clone, Debug)]
struct LeafRef<'a> {
    space: Space,
    path: Range<u32>,
    element: u32,
    value: ScalarRef<'a>,
}

/// One object in an array, as [`super::Element`] says.
#[derive(Clone, Debug)]
struct ElementRef {
    space: Space,
    path: Range<u32>,
    parent: u32,
}

/// A draft as leaves; [`super::Flat`] is the same for keeps.
#[derive(Clone, Debug)]
pub struct Leaves<'a> {
    draft: &'a Draft,
    paths: Vec<u8>,
    leaves: Vec<LeafRef<'a>>,
    /// Number of the leaves of the raw body, which come first.
    n_raw: usize,
    /// Index 0 stands for the record itself.
    elements: Vec<ElementRef>,
}

impl<'a> Leaves<'a> {
    /// The leaves of a draft whose raw body has been parsed; `None` for one that is no JSON.
    #[must_use]
    pub fn of(draft: &'a Draft, body: Option<Value<'a>>) -> Self {
        let record = ElementRef {
            space: Space::Raw,
            path: 0..0,
            parent: 0,
        };
        let mut leaves = Leaves {
            draft,
            paths: Vec::with_capacity(4096),
            leaves: Vec::with_capacity(96),
            n_raw: 0,
            elements: vec![record],
        };
        let path = &mut LeafPath::default();
        if let Some(body) = body {
            walk(&mut leaves, Space::Raw, path, 0, body);
        }
        leaves.n_raw = leaves.leaves.len();
        for (name, source) in &draft.canonical {
            if let Source::Value(value) = source {
                let path = &mut LeafPath::spelled(name);
                walk(&mut leaves, Space::Canonical, path, 0, value.into());
            }
        }
        leaves.push_envelope();
        leaves
    }

    /// Adds what stands beside the canonical fields.
    fn push_envelope(&mut self) {
        let draft = self.draft;
        self.push_text("kind", draft.kind.as_str());
        self.push_text("dialect", draft.dialect.as_str());
        if let Some(own_id) = &draft.own_id {
            self.push_text("own_id", own_id);
        }
        for (label, value) in &draft.labels {
            self.push_text(&format!("labels.{label}"), value);
        }
    }

    fn push_text(&mut self, name: &str, text: &'a str) {
        let path = LeafPath::spelled(name);
        self.leaf(Space::Canonical, &path, 0, ScalarRef::Text(text));
    }

    fn keep(&mut self, path: &LeafPath) -> Range<u32> {
        let start = place(self.paths.len());
        self.paths.extend_from_slice(path.as_bytes());
        start..place(self.paths.len())
    }

    fn path(&self, range: &Range<u32>) -> &[u8] {
        let end = usize::try_from(range.end).unwrap_or(usize::MAX);
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        self.paths.get(start..end).unwrap_or_default()
    }

    /// Number of leaves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are none: every draft has its kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Number of elements, the record itself included.
    #[must_use]
    pub fn n_elements(&self) -> usize {
        self.elements.len()
    }

    /// Space, bytes of the path, element and value of each leaf, in the order of [`super::Flat`].
    pub fn iter(&self) -> impl Iterator<Item = (Space, &[u8], u32, ScalarRef<'a>)> {
        let leaves = self.leaves.iter();
        leaves.map(|leaf| (leaf.space, self.path(&leaf.path), leaf.element, leaf.value))
    }

    /// Space, bytes of the path and parent of each element but the record itself, from number 1 on.
    pub fn elements(
        &self,
    ) -> impl DoubleEndedIterator<Item = (Space, &[u8], u32)> + ExactSizeIterator {
        let elements = self.elements.get(1..).unwrap_or_default().iter();
        elements.map(|element| (element.space, self.path(&element.path), element.parent))
    }

    /// Canonical fields that are references, with their raw paths.
    pub fn references(&self) -> impl Iterator<Item = (&'a str, &'a LeafPath)> {
        let fields = self.draft.canonical.iter();
        fields.filter_map(|(name, source)| match source {
            Source::Raw(raw) => Some((name.as_str(), raw)),
            Source::Value(_) => None,
        })
    }

    /// The values of a canonical field that are not `null`, as text.
    pub fn texts(&self, canonical: &str) -> impl Iterator<Item = &'a str> {
        let (raw, own) = self.leaves.split_at(self.n_raw);
        let (leaves, reference) = match self.draft.canonical.get(canonical) {
            Some(Source::Raw(path)) => (raw, Some(path)),
            _ => (own, None),
        };
        let len = reference.map_or(canonical.len(), |path| path.as_bytes().len());
        let len = place(len);
        let mine = leaves.iter().filter(move |leaf| {
            // Most paths differ in their length.
            leaf.path.end - leaf.path.start == len
                && match reference {
                    Some(reference) => self.path(&leaf.path) == reference.as_bytes(),
                    None => super::path::spells(self.path(&leaf.path), canonical),
                }
        });
        mine.filter_map(|leaf| leaf.value.as_text())
    }

    /// First value of a canonical field that is not `null`, as text.
    #[must_use]
    pub fn text(&self, canonical: &str) -> Option<&'a str> {
        self.texts(canonical).next()
    }

    /// First value of a canonical time field.
    #[must_use]
    pub fn time(&self, canonical: &str) -> Option<Timestamp> {
        self.text(canonical).and_then(Timestamp::parse_rfc3339)
    }
}

fn place(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl<'a> Sink<'a> for Leaves<'a> {
    fn element(&mut self, space: Space, path: &LeafPath, parent: u32) -> u32 {
        let path = self.keep(path);
        self.elements.push(ElementRef {
            space,
            path,
            parent,
        });
        place(self.elements.len() - 1)
    }

    fn leaf(&mut self, space: Space, path: &LeafPath, element: u32, value: ScalarRef<'a>) {
        let path = self.keep(path);
        self.leaves.push(LeafRef {
            space,
            path,
            element,
            value,
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flatten::Flat;
    use crate::record::Holding;
    use crate::testkit::generate::{self, Choices};

    proptest! {
        #[test]
        fn they_are_those_for_keeps(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let draft = generate::draft(&mut Choices::new(&bytes));
            let flat = Flat::of(&draft);
            let body = draft.raw.read();
            let leaves = Leaves::of(&draft, body.as_ref().map(Holding::value));
            prop_assert_eq!(leaves.len(), flat.leaves().len());
            for ((space, path, element, value), leaf) in leaves.iter().zip(flat.leaves()) {
                prop_assert_eq!((space, path), (leaf.space, leaf.path.as_bytes()));
                prop_assert_eq!((element, value.to_scalar()), (leaf.element, leaf.value.clone()));
            }
            prop_assert_eq!(leaves.n_elements(), flat.elements().len());
            for ((space, path, parent), element) in leaves.elements().zip(&flat.elements()[1..]) {
                prop_assert_eq!((space, path), (element.space, element.path.as_bytes()));
                prop_assert_eq!(parent, element.parent);
            }
            for name in ["customer", "language", "time.request", "bot", "input.text", "own_id"] {
                let texts: Vec<&str> = leaves.texts(name).collect();
                prop_assert_eq!(texts, flat.texts(name).collect::<Vec<_>>());
                prop_assert_eq!(leaves.time(name), flat.time(name));
            }
        }
    }
}
