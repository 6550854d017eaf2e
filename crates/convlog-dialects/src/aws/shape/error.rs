//! Why a request does not fit its shape, in AWS's words. Nothing of what it holds is repeated:
//! paths are made of the names of the tables and of positions.

use std::fmt;

use super::{Limits, Shape};

/// Violations that an error lists; it counts all of them.
pub const VIOLATIONS_LISTED_MAX: usize = 10;

/// Why a request does not fit its shape.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// A value has a type of JSON that cannot be read as what is wanted; AWS calls it
    /// `SerializationException`. It comes before all violations, since nothing has been read.
    #[error("{}{message}", prefix(.path))]
    Type {
        /// The member, such as `tags.1.member.key`; empty for the body itself.
        path: String,
        /// What was found and what was wanted.
        message: String,
    },
    /// Values break constraints.
    #[error("{}", detected(*.n_all, .listed))]
    Violations {
        /// How many do.
        n_all: usize,
        /// The first [`VIOLATIONS_LISTED_MAX`] of them.
        listed: Vec<Violation>,
    },
}

fn prefix(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!("{path}: "),
    }
}

fn detected(n_all: usize, listed: &[Violation]) -> String {
    let errors = if n_all == 1 { "error" } else { "errors" };
    let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
    let listed = listed.join("; ");
    format!("{n_all} validation {errors} detected: {listed}")
}

/// A value that breaks a constraint.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("Value at '{path}' failed to satisfy constraint: {constraint}")]
pub struct Violation {
    /// The member, such as `tags.1.member.key`; positions count from 1.
    pub path: String,
    /// What it breaks.
    pub constraint: Constraint,
}

/// What a value can break.
#[derive(Clone, Debug)]
pub enum Constraint {
    /// It must be there.
    NotNull,
    /// Most characters, items or entries.
    LengthMax(u32),
    /// Least characters, items or entries.
    LengthMin(u32),
    /// Pattern of the whole text.
    Pattern(&'static str),
    /// The texts that it may be.
    OneOf(&'static [&'static str]),
    /// The greatest number.
    ValueMax(u32),
    /// The least number.
    ValueMin(u32),
    /// What each item of a list of scalars must be.
    Items(&'static Shape),
    /// What each name of a map must be.
    Keys(&'static Shape),
    /// What each value of a map must be.
    Values(&'static Shape),
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = "Member must have length";
        let value = "Member must have value";
        match self {
            Constraint::NotNull => f.write_str("Member must not be null"),
            Constraint::LengthMax(max) => write!(f, "{length} less than or equal to {max}"),
            Constraint::LengthMin(min) => write!(f, "{length} greater than or equal to {min}"),
            Constraint::ValueMax(max) => write!(f, "{value} less than or equal to {max}"),
            Constraint::ValueMin(min) => write!(f, "{value} greater than or equal to {min}"),
            Constraint::Pattern(pattern) => {
                write!(
                    f,
                    "Member must satisfy regular expression pattern: {pattern}"
                )
            }
            Constraint::OneOf(values) => {
                let values = values.join(", ");
                write!(f, "Member must satisfy enum value set: [{values}]")
            }
            Constraint::Items(shape) => write_all(f, "Member", shape),
            Constraint::Keys(shape) => write_all(f, "Map keys", shape),
            Constraint::Values(shape) => write_all(f, "Map value", shape),
        }
    }
}

/// AWS does not say which of many scalars breaks what; it names all that each must keep.
fn write_all(f: &mut fmt::Formatter<'_>, which: &str, shape: &Shape) -> fmt::Result {
    let all: Vec<String> = constraints(shape).iter().map(ToString::to_string).collect();
    let all = all.join(", ");
    write!(f, "{which} must satisfy constraint: [{all}]")
}

/// All constraints of a scalar, in the order in which AWS names them.
fn constraints(shape: &Shape) -> Vec<Constraint> {
    let mut all = Vec::new();
    match shape {
        Shape::String(text) => {
            let Limits { min, max } = text.length;
            all.extend(max.map(Constraint::LengthMax));
            all.extend(min.map(Constraint::LengthMin));
            all.extend(text.pattern.map(|p| Constraint::Pattern(p.as_str())));
            if !text.values.is_empty() {
                all.push(Constraint::OneOf(text.values));
            }
        }
        Shape::Integer(Limits { min, max })
        | Shape::Long(Limits { min, max })
        | Shape::Double(Limits { min, max }) => {
            all.extend(max.map(Constraint::ValueMax));
            all.extend(min.map(Constraint::ValueMin));
        }
        _ => {}
    }
    if all.is_empty() {
        // What has no other can still be null.
        all.push(Constraint::NotNull);
    }
    all
}
