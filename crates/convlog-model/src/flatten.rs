//! The only flattener: a record as leaves (path, array element, typed value).
//!
//! The naive evaluator and the index both work on these leaves, so that they cannot disagree about
//! what a record holds.

mod group;
mod leaves;
mod path;
mod some;

use std::collections::BTreeMap;

pub use self::leaves::{Leaves, ScalarRef};
pub use self::path::LeafPath;
use crate::fields::FieldRef;
use crate::json::{Json, Value};
use crate::record::{Draft, Source};

/// Which of the two trees of a record a path belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Space {
    /// The raw body.
    Raw,
    /// The canonical fields given as values.
    Canonical,
}

/// A value that holds no others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scalar {
    /// `null`; counts as missing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as its text.
    Number(String),
    /// A string.
    Text(String),
}

impl Scalar {
    /// The value back as JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Scalar::Null => Json::Null,
            Scalar::Bool(value) => Json::Bool(*value),
            Scalar::Number(text) => Json::Number(text.as_str().into()),
            Scalar::Text(text) => Json::string(text.as_str()),
        }
    }

    /// The value as text; `None` for `null`.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Scalar::Null => None,
            Scalar::Bool(true) => Some("true"),
            Scalar::Bool(false) => Some("false"),
            Scalar::Number(text) | Scalar::Text(text) => Some(text),
        }
    }
}

/// One value of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Tree that `path` belongs to.
    pub space: Space,
    /// Where it stands.
    pub path: LeafPath,
    /// Innermost array element that is an object and holds it; 0 is the record itself.
    pub element: u32,
    /// The value.
    pub value: Scalar,
}

/// One object that is an element of an array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// Tree that `path` belongs to.
    pub space: Space,
    /// Path of the array.
    pub path: LeafPath,
    /// The element around it; 0 is the record itself.
    pub parent: u32,
}

/// Who is told what a value holds.
trait Sink<'a> {
    /// An object in an array; its number.
    fn element(&mut self, space: Space, path: &LeafPath, parent: u32) -> u32;

    /// A value that holds no others.
    fn leaf(&mut self, space: Space, path: &LeafPath, element: u32, value: ScalarRef<'a>);
}

/// Tells what a value holds, in the order of its bytes.
fn walk<'a>(
    sink: &mut impl Sink<'a>,
    space: Space,
    path: &mut LeafPath,
    element: u32,
    value: Value<'a>,
) {
    let scalar = match value {
        Value::Object(members) => {
            for (key, member) in members {
                path.within(key, |path| walk(sink, space, path, element, member));
            }
            return;
        }
        Value::Array(items) => {
            for item in items {
                let inner = match item {
                    Value::Object(_) => sink.element(space, path, element),
                    _ => element,
                };
                walk(sink, space, path, inner, item);
            }
            return;
        }
        Value::Null => ScalarRef::Null,
        Value::Bool(value) => ScalarRef::Bool(value),
        Value::Number(text) => ScalarRef::Number(text),
        Value::String(text) => ScalarRef::Text(text),
    };
    sink.leaf(space, path, element, scalar);
}

impl<'a> Sink<'a> for Flat {
    fn element(&mut self, space: Space, path: &LeafPath, parent: u32) -> u32 {
        self.push_element(space, path, parent)
    }

    fn leaf(&mut self, space: Space, path: &LeafPath, element: u32, value: ScalarRef<'a>) {
        self.leaves.push(Leaf {
            space,
            path: path.clone(),
            element,
            value: value.to_scalar(),
        });
    }
}

/// A record as leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flat {
    leaves: Vec<Leaf>,
    /// Index 0 stands for the record itself.
    elements: Vec<Element>,
    /// Canonical path to raw path, for the fields that are references.
    references: BTreeMap<String, LeafPath>,
}

impl Flat {
    /// Flattens a draft. A raw body that is no JSON (none was ever accepted) has no leaves.
    #[must_use]
    pub fn of(draft: &Draft) -> Self {
        let mut flat = Flat::empty();
        if let Some(body) = draft.raw.read() {
            flat.walk(Space::Raw, &mut LeafPath::default(), 0, body.value());
        }
        for (path, source) in &draft.canonical {
            match source {
                Source::Raw(raw) => {
                    flat.references.insert(path.to_string(), raw.clone());
                }
                Source::Value(value) => flat.push_canonical(path, value),
            }
        }
        flat.push_envelope(draft, |_| true);
        flat
    }

    fn empty() -> Self {
        let record = Element {
            space: Space::Raw,
            path: LeafPath::default(),
            parent: 0,
        };
        Flat {
            leaves: Vec::new(),
            elements: vec![record],
            references: BTreeMap::new(),
        }
    }

    /// Adds what stands beside the canonical fields, where `wants` says so of its path.
    fn push_envelope(&mut self, draft: &Draft, wants: impl Fn(&str) -> bool) {
        let own_id = draft.own_id.as_deref();
        let texts = [
            ("kind", Some(draft.kind.as_str())),
            ("dialect", Some(draft.dialect.as_str())),
            ("own_id", own_id),
        ];
        for (path, text) in texts {
            if let Some(text) = text.filter(|_| wants(path)) {
                self.push_canonical(path, &Json::string(text));
            }
        }
        for (label, value) in &draft.labels {
            let path = format!("labels.{label}");
            if wants(&path) {
                self.push_canonical(&path, &Json::string(value.as_str()));
            }
        }
    }

    /// Adds the leaves of one canonical field.
    pub fn push_canonical(&mut self, path: &str, value: &Json) {
        let path = &mut LeafPath::spelled(path);
        self.walk(Space::Canonical, path, 0, value.into());
    }

    fn walk(&mut self, space: Space, path: &mut LeafPath, element: u32, value: Value<'_>) {
        walk(self, space, path, element, value);
    }

    fn push_element(&mut self, space: Space, path: &LeafPath, parent: u32) -> u32 {
        self.elements.push(Element {
            space,
            path: path.clone(),
            parent,
        });
        u32::try_from(self.elements.len() - 1).unwrap_or(u32::MAX)
    }

    /// All leaves, raw ones first, in the order of the bytes.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// All elements; index 0 is the record itself.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The raw path that a canonical field refers to.
    #[must_use]
    pub fn reference(&self, canonical: &str) -> Option<&LeafPath> {
        self.references.get(canonical)
    }

    /// Canonical fields that are references, with their raw paths.
    #[must_use]
    pub fn references(&self) -> &BTreeMap<String, LeafPath> {
        &self.references
    }

    /// The leaves that a field means, nulls included.
    pub fn values<'a>(&'a self, field: &'a FieldRef) -> impl Iterator<Item = &'a Leaf> {
        let (space, reference) = match field {
            FieldRef::Raw(_) => (Space::Raw, None),
            FieldRef::Canonical(path) => match self.references.get(path) {
                Some(raw) => (Space::Raw, Some(raw)),
                None => (Space::Canonical, None),
            },
        };
        self.leaves.iter().filter(move |leaf| {
            leaf.space == space
                && match reference {
                    Some(raw) => leaf.path == *raw,
                    None => leaf.path.spells(field.path()),
                }
        })
    }

    /// Whether the field, or anything below it, holds a value that is not `null`.
    #[must_use]
    pub fn exists(&self, field: &FieldRef, within: Option<u32>) -> bool {
        let inside = |leaf: &Leaf| {
            leaf.value != Scalar::Null
                && within.is_none_or(|outer| self.is_inside(leaf.element, outer))
        };
        if self.values(field).any(inside) {
            return true;
        }
        let name = field.path();
        let below = |path: &str| {
            path.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let space = match field {
            FieldRef::Raw(_) => Space::Raw,
            FieldRef::Canonical(_) => {
                let mut referred = self.references.range(format!("{name}.")..);
                let by_reference = referred.any(|(canonical, raw)| {
                    below(canonical)
                        && self.leaves.iter().any(|leaf| {
                            leaf.space == Space::Raw && leaf.path == *raw && inside(leaf)
                        })
                });
                if by_reference {
                    return true;
                }
                Space::Canonical
            }
        };
        self.leaves
            .iter()
            .any(|leaf| leaf.space == space && below(&leaf.path.dotted()) && inside(leaf))
    }

    /// Whether `element` is `outer` or lies inside of it.
    #[must_use]
    pub fn is_inside(&self, element: u32, outer: u32) -> bool {
        let mut current = element;
        loop {
            if current == outer {
                return true;
            }
            if current == 0 {
                return false;
            }
            current = usize::try_from(current)
                .ok()
                .and_then(|index| self.elements.get(index))
                .map_or(0, |element| element.parent);
        }
    }

    /// First value of a canonical field that is not `null`, as text.
    #[must_use]
    pub fn text(&self, canonical: &str) -> Option<&str> {
        self.texts(canonical).next()
    }

    /// The values of a canonical field that are not `null`, as text.
    pub fn texts<'a, 'b>(
        &'a self,
        canonical: &'b str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'b> {
        let reference = self.references.get(canonical);
        let mine = move |leaf: &&Leaf| match reference {
            Some(raw) => leaf.space == Space::Raw && leaf.path == *raw,
            None => leaf.space == Space::Canonical && leaf.path.spells(canonical),
        };
        let leaves = self.leaves.iter().filter(mine);
        leaves.filter_map(|leaf| leaf.value.as_text())
    }

    /// First value of a canonical time field.
    #[must_use]
    pub fn time(&self, canonical: &str) -> Option<crate::time::Timestamp> {
        self.text(canonical)
            .and_then(crate::time::Timestamp::parse_rfc3339)
    }

    /// Whether a canonical boolean is true.
    #[must_use]
    pub fn is_true(&self, canonical: &str) -> bool {
        self.text(canonical) == Some("true")
    }
}
