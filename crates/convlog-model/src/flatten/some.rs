//! Flattening no more of a record than some fields need: what is passed over is neither kept nor
//! looked at, which makes the naive evaluator several times faster on large bodies.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Flat, LeafPath, Space};
use crate::fields::FieldRef;
use crate::json::{BODY_DEPTH_MAX, Json, NUMBER_TOKEN, Value};
use crate::number::is_number;
use crate::record::{Draft, Source};

/// What of a raw body is wanted.
struct Wanted<'a> {
    /// Names whose dots may stand in keys or between them.
    names: Vec<&'a str>,
    /// Exact paths, of references.
    paths: Vec<&'a LeafPath>,
}

/// What to do with the value at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing wanted is there.
    Pass,
    /// Something wanted may lie below.
    Enter,
    /// All of it is wanted.
    Take,
}

impl Wanted<'_> {
    /// Whether nothing wanted can be at this key of the object at a path, as far as a glance tells.
    fn passes(&self, path: &LeafPath, key: &str) -> bool {
        let here = path.as_bytes();
        let at = here.len() + usize::from(!here.is_empty());
        let goes_on = |wanted: &&LeafPath| {
            let rest = wanted.as_bytes().get(at..);
            rest.is_some_and(|rest| rest.starts_with(key.as_bytes()))
        };
        self.names.is_empty() && !self.paths.iter().any(goes_on)
    }

    fn step(&self, path: &LeafPath) -> Step {
        let by_name = self.names.iter().map(|name| path.against(name));
        let by_path = self.paths.iter().map(|wanted| {
            let (here, there) = (path.as_bytes(), wanted.as_bytes());
            let len = here.len().min(there.len());
            if here.get(..len) != there.get(..len) {
                return Step::Pass;
            }
            match (here.get(len), there.get(len)) {
                (None | Some(0xFF), None) => Step::Take,
                (None, Some(0xFF)) => Step::Enter,
                _ => Step::Pass,
            }
        });
        by_name
            .chain(by_path)
            .fold(Step::Pass, |all, one| match (all, one) {
                (Step::Take, _) | (_, Step::Take) => Step::Take,
                (Step::Enter, _) | (_, Step::Enter) => Step::Enter,
                (Step::Pass, Step::Pass) => Step::Pass,
            })
    }
}

impl LeafPath {
    /// How this path lies to the paths that spell `name`.
    fn against(&self, name: &str) -> Step {
        let (here, there) = (self.as_bytes(), name.as_bytes());
        let is_same = |(a, b): (&u8, &u8)| a == b || (*a == 0xFF && *b == b'.');
        if !here.iter().zip(there).all(is_same) {
            return Step::Pass;
        }
        match here.len().cmp(&there.len()) {
            std::cmp::Ordering::Equal => Step::Take,
            std::cmp::Ordering::Greater => match here.get(there.len()) {
                // A key that goes on with a dot counts too: `exists` takes it for what lies below.
                Some(0xFF | b'.') => Step::Take,
                _ => Step::Pass,
            },
            std::cmp::Ordering::Less => match there.get(here.len()) {
                Some(b'.') => Step::Enter,
                _ => Step::Pass,
            },
        }
    }
}

impl Flat {
    /// The leaves that these fields can mean, and the elements of the arrays on the way to them:
    /// a filter over no other fields, and the language of the record, gets the same answer as on
    /// all leaves.
    #[must_use]
    pub fn of_fields(draft: &Draft, fields: &[FieldRef]) -> Self {
        let mut flat = Flat::empty();
        let mut wanted = Wanted {
            names: Vec::new(),
            paths: Vec::new(),
        };
        for field in fields {
            match field {
                FieldRef::Raw(name) => wanted.names.push(name),
                FieldRef::Canonical(_) => {}
            }
        }
        for (path, source) in &draft.canonical {
            if !fields.iter().any(|field| concerns(field, path)) {
                continue;
            }
            match source {
                Source::Raw(raw) => {
                    flat.references.insert(path.to_string(), raw.clone());
                    wanted.paths.push(raw);
                }
                Source::Value(value) => flat.push_canonical(path, value),
            }
        }
        flat.push_envelope(draft, |path| {
            fields.iter().any(|field| concerns(field, path))
        });
        if !(wanted.names.is_empty() && wanted.paths.is_empty()) {
            if let Some(body) = draft.raw.known() {
                let mut path = LeafPath::default();
                flat.pick(&wanted, &mut path, 0, body, false);
                return flat;
            }
            let mut source = serde_json::Deserializer::from_str(&draft.raw);
            source.disable_recursion_limit();
            let walk = Walk {
                flat: &mut flat,
                wanted: &wanted,
                path: LeafPath::default(),
                element: 0,
                is_item: false,
            };
            // Nothing that is no JSON was ever accepted.
            drop(walk.deserialize(&mut source));
        }
        flat
    }

    /// As [`Walk`], over a value that is known.
    fn pick(
        &mut self,
        wanted: &Wanted<'_>,
        path: &mut LeafPath,
        element: u32,
        value: Value<'_>,
        is_item: bool,
    ) {
        match value {
            Value::Object(members) => {
                let element = match is_item {
                    true => self.push_element(Space::Raw, path, element),
                    false => element,
                };
                for (key, member) in members {
                    if wanted.passes(path, key) {
                        continue;
                    }
                    path.within(key, |path| match wanted.step(path) {
                        Step::Pass => {}
                        Step::Take => self.walk(Space::Raw, path, element, member),
                        Step::Enter => self.pick(wanted, path, element, member, false),
                    });
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.pick(wanted, path, element, item, true);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Whether a canonical path is what the field means, or lies above or below it.
fn concerns(field: &FieldRef, path: &str) -> bool {
    let FieldRef::Canonical(name) = field else {
        return false;
    };
    let (name, path) = (name.as_bytes(), path.as_bytes());
    // Most names differ in their first byte.
    if name.first() != path.first() {
        return false;
    }
    let len = name.len().min(path.len());
    let is_end = |bytes: &[u8]| matches!(bytes.get(len), None | Some(b'.'));
    name.get(..len) == path.get(..len) && is_end(name) && is_end(path)
}

/// The way down to what is wanted. Every value on it is an object, an array or passed over.
struct Walk<'a> {
    flat: &'a mut Flat,
    wanted: &'a Wanted<'a>,
    path: LeafPath,
    element: u32,
    is_item: bool,
}

impl Walk<'_> {
    fn take(&mut self, mut path: LeafPath, element: u32, value: &Json) {
        self.flat.walk(Space::Raw, &mut path, element, value.into());
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        element: u32,
        source: &mut A,
    ) -> Result<(), A::Error> {
        let path = self.path.child(key);
        match self.wanted.step(&path) {
            Step::Pass => {
                source.next_value::<IgnoredAny>()?;
            }
            Step::Take => {
                let value: Json = source.next_value_seed(Json::seed(BODY_DEPTH_MAX))?;
                self.take(path, element, &value);
            }
            Step::Enter => source.next_value_seed(Walk {
                flat: self.flat,
                wanted: self.wanted,
                path,
                element,
                is_item: false,
            })?,
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<(), A::Error> {
        loop {
            let item = Walk {
                flat: self.flat,
                wanted: self.wanted,
                path: self.path.clone(),
                element: self.element,
                is_item: true,
            };
            if source.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut source: A) -> Result<(), A::Error> {
        let mut key = source.next_key::<String>()?;
        let mut first = None;
        if key.as_deref() == Some(NUMBER_TOKEN) {
            // A number, unless a body really has this key.
            let value: Json = source.next_value()?;
            if value.as_str().is_some_and(is_number) {
                return Ok(());
            }
            first = Some(value);
        }
        let element = match self.is_item {
            true => self.flat.push_element(Space::Raw, &self.path, self.element),
            false => self.element,
        };
        if let Some(value) = first {
            let path = self.path.child(NUMBER_TOKEN);
            if self.wanted.step(&path) == Step::Take {
                self.take(path, element, &value);
            }
            key = source.next_key()?;
        }
        while let Some(name) = key {
            self.member(&name, element, &mut source)?;
            key = source.next_key()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
