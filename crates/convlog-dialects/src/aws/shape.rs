//! Shapes: what a request of an AWS API may hold, as static tables, and the check of a body
//! against them. The constraints are those of the service models that AWS publishes.

mod check;
mod error;
mod pattern;
#[cfg(test)]
pub(crate) mod tests;

pub use self::check::check;
pub use self::error::{Constraint, Invalid, VIOLATIONS_LISTED_MAX, Violation};
pub use self::pattern::Pattern;

/// An operation of an API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name in the API, such as `PutBotAlias`.
    pub name: &'static str,
    /// What its requests may hold: a structure.
    pub input: &'static Shape,
}

impl Operation {
    /// The operation `name` whose requests have the shape `input`.
    #[must_use]
    pub const fn new(name: &'static str, input: &'static Shape) -> Self {
        Operation { name, input }
    }
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// A text.
    String(Text),
    /// A whole number of 32 bits.
    Integer(Limits),
    /// A whole number of 64 bits.
    Long(Limits),
    /// A number.
    Double(Limits),
    /// A truth.
    Boolean,
    /// A moment: seconds since 1970 as a number, fractions allowed.
    Timestamp,
    /// Bytes, in base64.
    Blob,
    /// Values of one shape.
    List {
        /// How many.
        length: Limits,
        /// Of which shape.
        item: &'static Shape,
    },
    /// Values by name.
    Map {
        /// How many.
        length: Limits,
        /// Names: a text.
        key: &'static Shape,
        /// Values: no list, map or structure.
        value: &'static Shape,
        /// Whether a value may be null.
        sparse: bool,
    },
    /// Members that each have a shape of their own. Others are ignored, as AWS does.
    Structure(&'static [Member]),
}

impl Shape {
    /// A list of `length` values.
    #[must_use]
    pub const fn list(length: Limits, item: &'static Shape) -> Self {
        Shape::List { length, item }
    }

    /// A map of `length` values, none of which is null.
    #[must_use]
    pub const fn map(length: Limits, key: &'static Shape, value: &'static Shape) -> Self {
        Shape::Map {
            length,
            key,
            value,
            sparse: false,
        }
    }

    /// Whether it is no list, map or structure.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        !matches!(
            self,
            Shape::List { .. } | Shape::Map { .. } | Shape::Structure(_)
        )
    }
}

/// What a text may be.
#[derive(Debug)]
pub struct Text {
    /// How many characters (Unicode scalar values) it may have.
    pub length: Limits,
    /// What the whole of it must match.
    pub pattern: Option<&'static Pattern>,
    /// What it may be; empty for anything.
    pub values: &'static [&'static str],
}

/// A text of `length` characters.
#[must_use]
pub const fn text(length: Limits) -> Shape {
    Shape::String(Text {
        length,
        pattern: None,
        values: &[],
    })
}

/// A text of `length` characters that matches `pattern` as a whole.
#[must_use]
pub const fn matching(length: Limits, pattern: &'static Pattern) -> Shape {
    Shape::String(Text {
        length,
        pattern: Some(pattern),
        values: &[],
    })
}

/// One of the texts `values`.
#[must_use]
pub const fn one_of(values: &'static [&'static str]) -> Shape {
    Shape::String(Text {
        length: ANY,
        pattern: None,
        values,
    })
}

/// The least and the most, both included. No model has negative ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The least.
    pub min: Option<u32>,
    /// The most.
    pub max: Option<u32>,
}

/// No limits.
pub const ANY: Limits = Limits {
    min: None,
    max: None,
};

/// From `min` to `max`.
#[must_use]
pub const fn between(min: u32, max: u32) -> Limits {
    Limits {
        min: Some(min),
        max: Some(max),
    }
}

/// At least `min`.
#[must_use]
pub const fn at_least(min: u32) -> Limits {
    Limits {
        min: Some(min),
        max: None,
    }
}

/// At most `max`.
#[must_use]
pub const fn at_most(max: u32) -> Limits {
    Limits {
        min: None,
        max: Some(max),
    }
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name in the API.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub shape: &'static Shape,
    /// The name of the parameter of the path, of the query or of the header (in lower case) that
    /// holds it; `None` for a member of the body.
    pub param: Option<&'static str>,
}

impl Member {
    /// The same member, held by the parameter `name`.
    #[must_use]
    pub const fn param(self, name: &'static str) -> Self {
        Member {
            param: Some(name),
            ..self
        }
    }
}

/// A member that must be there.
#[must_use]
pub const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        required: true,
        shape,
        param: None,
    }
}

/// A member that may be left out or be null.
#[must_use]
pub const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        required: false,
        shape,
        param: None,
    }
}
