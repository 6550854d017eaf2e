//! What the names of a filter mean.

use convlog_model::fields::{self as model, FieldRef};

use super::{FilterError, Names};
use crate::watson::fields;

/// What a location can be followed by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A value.
    Leaf,
    /// A field of its elements, or a group of conditions on one of them.
    Group,
    /// Either: what is written decides.
    Open,
}

/// Looks names up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver {
    names: Names,
    fallback: bool,
}

/// How the elements of an array are addressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Array {
    /// The array.
    pub(super) field: FieldRef,
    /// Whether the names of its members are looked up; else they are raw.
    pub(super) known: bool,
}

impl Resolver {
    pub(super) fn new(names: Names, fallback: bool) -> Self {
        Resolver { names, fallback }
    }

    pub(super) fn names(self) -> Names {
        self.names
    }

    /// What `path` can be followed by; an error when the path means nothing.
    pub(super) fn shape(self, path: &str, column: usize) -> Result<Shape, FilterError> {
        if self.names == Names::Own {
            return Ok(own_shape(path));
        }
        if fields::canonical(path).is_some() {
            Ok(Shape::Leaf)
        } else if fields::is_group(path) {
            Ok(Shape::Group)
        } else if fields::is_branch(path) || self.is_raw(path) {
            Ok(Shape::Open)
        } else {
            Err(unknown(path, column))
        }
    }

    /// Whether a path that no table knows addresses the raw body. Below a known array it always
    /// does: the array is known, its elements may hold anything.
    fn is_raw(self, path: &str) -> bool {
        let below_group = path
            .rmatch_indices('.')
            .filter_map(|(dot, _)| path.get(..dot))
            .any(fields::is_group);
        below_group || self.fallback && fields::is_open(path)
    }

    /// The fields of a path; a record may have it in any of them.
    pub(super) fn fields(self, path: &str, column: usize) -> Result<Vec<FieldRef>, FilterError> {
        if self.names == Names::Own {
            return Ok(vec![own_field(path)]);
        }
        if let Some(known) = fields::canonical(path) {
            return Ok(known);
        }
        if let Some(group) = fields::group(path) {
            return Ok(vec![FieldRef::canonical(group)]);
        }
        if fields::is_group(path) || fields::is_branch(path) || self.is_raw(path) {
            return Ok(fields::raw(path));
        }
        Err(unknown(path, column))
    }

    /// The arrays that a group of conditions looks into, given the paths of its members.
    pub(super) fn arrays(self, path: &str, members: &[String]) -> Vec<Array> {
        if self.names == Names::Own {
            let field = own_field(path);
            return vec![Array { field, known: true }];
        }
        let known = |member: &String| fields::canonical(member).is_some();
        if let (Some(group), true) = (fields::group(path), members.iter().all(known)) {
            let field = FieldRef::canonical(group);
            return vec![Array { field, known: true }];
        }
        let raw = fields::raw(path).into_iter();
        raw.map(|field| Array {
            field,
            known: false,
        })
        .collect()
    }
}

fn own_shape(path: &str) -> Shape {
    if model::GROUPS.contains(&path) {
        return Shape::Group;
    }
    match model::lookup(path) {
        // `event.meta.a` may hold more below it.
        Some(field) if field.path.ends_with('*') => Shape::Open,
        Some(_) => Shape::Leaf,
        None => Shape::Open,
    }
}

fn own_field(path: &str) -> FieldRef {
    match path.strip_prefix("raw.") {
        Some(raw) => FieldRef::Raw(raw.to_owned()),
        None if model::is_canonical(path) => FieldRef::canonical(path),
        None => FieldRef::Raw(path.to_owned()),
    }
}

/// The name is the client's own word, but bounded: it goes into an error text.
fn unknown(path: &str, column: usize) -> FilterError {
    let shown: String = path.chars().take(100).collect();
    FilterError::new(format!("unknown field `{shown}`"), column)
}
