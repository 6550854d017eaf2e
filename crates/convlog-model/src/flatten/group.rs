//! Groups: arrays of objects, as filters and the canonical form see them.

use super::{Element, Flat, LeafPath, Scalar, Space};
use crate::fields::{self, FieldRef};
use crate::json::Json;

impl Flat {
    /// The elements of the array of objects that a field means, in order.
    #[must_use]
    pub fn group_elements(&self, field: &FieldRef) -> Vec<u32> {
        let name = field.path();
        let raw_arrays: Vec<LeafPath> = match field {
            FieldRef::Raw(_) => Vec::new(),
            FieldRef::Canonical(_) => self
                .references
                .iter()
                .filter(|(path, _)| path.strip_prefix(name).is_some_and(|r| r.starts_with('.')))
                .map(|(_, raw)| raw.parent())
                .collect(),
        };
        let belongs = |element: &Element| match (field, element.space) {
            (FieldRef::Raw(_), Space::Raw) | (FieldRef::Canonical(_), Space::Canonical) => {
                element.path.spells(name)
            }
            (FieldRef::Canonical(_), Space::Raw) => raw_arrays.contains(&element.path),
            (FieldRef::Raw(_), Space::Canonical) => false,
        };
        let numbered = self.elements.iter().enumerate().skip(1);
        let mine = numbered.filter(|(_, element)| belongs(element));
        mine.filter_map(|(i, _)| u32::try_from(i).ok()).collect()
    }

    /// The objects of a canonical group (`intents`, `entities`, `output`, `steps`), members named
    /// as the group names them.
    #[must_use]
    pub fn group(&self, name: &str) -> Vec<Json> {
        let members: Vec<&fields::Field> = fields::FIELDS
            .iter()
            .filter(|f| {
                f.path
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('.'))
            })
            .collect();
        let elements = self.group_elements(&FieldRef::canonical(name));
        let build = |element: Option<u32>| {
            let mut object = Json::Object(Vec::new());
            for member in &members {
                let field = FieldRef::canonical(member.path);
                let mine = self
                    .values(&field)
                    .filter(|l| element.is_none_or(|e| l.element == e));
                let mut values: Vec<Json> = mine.map(|leaf| leaf.value.to_json()).collect();
                let key = member.path.rsplit('.').next().unwrap_or_default();
                match (member.list, values.len()) {
                    (_, 0) => {}
                    (false, 1) => object.set(key, values.remove(0)),
                    _ => object.set(key, Json::Array(values)),
                }
            }
            object
        };
        if elements.is_empty() {
            self.plain_group(name)
        } else {
            elements
                .into_iter()
                .map(|element| build(Some(element)))
                .collect()
        }
    }

    /// A group of which each value stands alone, such as Watson v1's `output.text` array: one
    /// object a value.
    fn plain_group(&self, name: &str) -> Vec<Json> {
        let mut objects = Vec::new();
        for member in fields::FIELDS {
            let key = member
                .path
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('.'));
            let Some(key) = key else { continue };
            let field = FieldRef::canonical(member.path);
            let values = self
                .values(&field)
                .filter(|leaf| leaf.value != Scalar::Null);
            objects.extend(values.map(|leaf| Json::object([(key, leaf.value.to_json())])));
        }
        objects
    }
}
