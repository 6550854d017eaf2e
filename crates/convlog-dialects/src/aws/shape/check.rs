//! The check of a request against its shape. It goes no deeper than the tables do and takes time
//! and memory linear to the request, which is bounded before.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::json::Json;

use super::error::{Constraint, Invalid, VIOLATIONS_LISTED_MAX, Violation};
use super::{Limits, Member, Shape, Text};

/// Checks a request against the structure `shape`: its body (`{}` or null where there is none),
/// and its parameters as decoded `(name, value)`, those of the path first. Of a parameter that is
/// no list the first counts.
///
/// # Errors
/// [`Invalid`], with every violation counted.
pub fn check(shape: &'static Shape, body: &Json, params: &[(&str, &str)]) -> Result<(), Invalid> {
    let nothing = Json::object([]);
    let body = match body {
        Json::Null => &nothing,
        body => body,
    };
    let mut check = Check {
        params,
        n_all: 0,
        listed: Vec::new(),
    };
    check.value(shape, body, At::BODY)?;
    match check.n_all {
        0 => Ok(()),
        n_all => Err(Invalid::Violations {
            n_all,
            listed: check.listed,
        }),
    }
}

/// The place of a value; spelled only where something is wrong with it.
#[derive(Clone, Copy)]
struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Body,
    Member(&'static str),
    Item(usize),
}

impl At<'_> {
    const BODY: At<'static> = At {
        parent: None,
        step: Step::Body,
    };

    fn member<'b>(&'b self, name: &'static str) -> At<'b> {
        At {
            parent: Some(self),
            step: Step::Member(name),
        }
    }

    fn item<'b>(&'b self, index: usize) -> At<'b> {
        At {
            parent: Some(self),
            step: Step::Item(index),
        }
    }

    fn is_body(&self) -> bool {
        matches!(self.step, Step::Body)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent.filter(|parent| !parent.is_body()) {
            write!(f, "{parent}.")?;
        }
        match self.step {
            Step::Body => Ok(()),
            Step::Member(name) => f.write_str(name),
            Step::Item(index) => write!(f, "{}.member", index + 1),
        }
    }
}

struct Check<'a> {
    params: &'a [(&'a str, &'a str)],
    n_all: usize,
    listed: Vec<Violation>,
}

impl Check<'_> {
    fn violated(&mut self, constraint: Constraint, at: At<'_>) {
        self.n_all += 1;
        if self.listed.len() < VIOLATIONS_LISTED_MAX {
            self.listed.push(Violation {
                path: at.to_string(),
                constraint,
            });
        }
    }

    fn value(&mut self, shape: &'static Shape, value: &Json, at: At<'_>) -> Result<(), Invalid> {
        match shape {
            Shape::Structure(members) => {
                if value.as_object().is_none() {
                    return Err(wrong("Expected structure or null", at));
                }
                members
                    .iter()
                    .try_for_each(|member| self.member(member, value, at))
            }
            Shape::List { length, item } => {
                let Json::Array(items) = value else {
                    return Err(wrong("Expected list or null", at));
                };
                self.length(*length, items.len(), at);
                self.items(item, items, at)
            }
            Shape::Map { .. } => self.map(shape, value, at),
            scalar => {
                for constraint in broken(scalar, value, at)? {
                    self.violated(constraint, at);
                }
                Ok(())
            }
        }
    }

    fn map(&mut self, shape: &'static Shape, map: &Json, at: At<'_>) -> Result<(), Invalid> {
        let Shape::Map {
            length,
            key,
            value,
            sparse,
        } = shape
        else {
            return Ok(());
        };
        let Json::Object(entries) = map else {
            return Err(wrong("Expected map or null", at));
        };
        let names: BTreeSet<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        self.length(*length, names.len(), at);
        let mut is_bad_key = false;
        for name in names {
            is_bad_key |= is_bad(key, &Json::string(name), false, at)?;
        }
        if is_bad_key {
            self.violated(Constraint::Keys(key), at);
        }
        let mut is_bad_value = false;
        for (_, entry) in entries {
            is_bad_value |= is_bad(value, entry, *sparse, at)?;
        }
        if is_bad_value {
            self.violated(Constraint::Values(value), at);
        }
        Ok(())
    }

    fn member(&mut self, member: &'static Member, of: &Json, at: At<'_>) -> Result<(), Invalid> {
        let at = at.member(member.name);
        let given = member.param.map(|name| self.param(member.shape, name));
        let value = match &given {
            Some(value) => value.as_ref(),
            None => of.get(member.name),
        };
        match value.filter(|value| **value != Json::Null) {
            Some(value) => self.value(member.shape, value, at),
            None if member.required => {
                self.violated(Constraint::NotNull, at);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn items(&mut self, item: &'static Shape, all: &[Json], at: At<'_>) -> Result<(), Invalid> {
        if item.is_scalar() {
            let mut is_bad_item = false;
            for (i, value) in all.iter().enumerate() {
                is_bad_item |= is_bad(item, value, false, at.item(i))?;
            }
            if is_bad_item {
                self.violated(Constraint::Items(item), at);
            }
            return Ok(());
        }
        for (i, value) in all.iter().enumerate() {
            match value {
                Json::Null => self.violated(Constraint::NotNull, at.item(i)),
                value => self.value(item, value, at.item(i))?,
            }
        }
        Ok(())
    }

    fn length(&mut self, limits: Limits, length: usize, at: At<'_>) {
        for constraint in too_long_or_short(limits, length) {
            self.violated(constraint, at);
        }
    }

    /// The value of a parameter, as the body would hold it.
    fn param(&self, shape: &Shape, name: &str) -> Option<Json> {
        let given = self.params.iter().filter(|(given, _)| *given == name);
        let mut values = given.map(|(_, value)| *value);
        match shape {
            Shape::List { item, .. } => {
                let items: Vec<Json> = values.map(|value| of_param(item, value)).collect();
                (!items.is_empty()).then_some(Json::Array(items))
            }
            shape => values.next().map(|value| of_param(shape, value)),
        }
    }
}

fn of_param(shape: &Shape, value: &str) -> Json {
    match (shape, value) {
        (Shape::Boolean, "true") => Json::Bool(true),
        (Shape::Boolean, "false") => Json::Bool(false),
        (Shape::Integer(_) | Shape::Long(_) | Shape::Double(_) | Shape::Timestamp, text)
            if text.parse::<f64>().is_ok_and(f64::is_finite) =>
        {
            Json::Number(text.into())
        }
        // What is no number stays a text, which is a wrong type then.
        (_, text) => Json::string(text),
    }
}

fn wrong(message: impl Into<String>, at: At<'_>) -> Invalid {
    Invalid::Type {
        path: at.to_string(),
        message: message.into(),
    }
}

/// Whether one of many scalars breaks anything.
fn is_bad(shape: &'static Shape, value: &Json, sparse: bool, at: At<'_>) -> Result<bool, Invalid> {
    match value {
        Json::Null => Ok(!sparse),
        value => Ok(!broken(shape, value, at)?.is_empty()),
    }
}

/// What a scalar breaks.
fn broken(shape: &'static Shape, value: &Json, at: At<'_>) -> Result<Vec<Constraint>, Invalid> {
    let wrong_type = |wanted: &str| Err(wrong(not_converted(value, wanted), at));
    match shape {
        Shape::String(text) => match value {
            Json::String(value) => Ok(broken_text(text, value)),
            _ => wrong_type("a String"),
        },
        Shape::Integer(limits) => match value.as_i64().map(i32::try_from) {
            Some(Ok(number)) => Ok(broken_number(*limits, f64::from(number))),
            _ => wrong_type("an Integer"),
        },
        Shape::Long(limits) => match value.as_i64() {
            // Rounding moves no number over a limit: those have 32 bits.
            Some(number) => Ok(broken_number(*limits, number as f64)),
            None => wrong_type("a Long"),
        },
        Shape::Double(limits) => match value.as_f64().filter(|number| number.is_finite()) {
            Some(number) => Ok(broken_number(*limits, number)),
            None => wrong_type("a Double"),
        },
        Shape::Boolean => match value {
            Json::Bool(_) => Ok(Vec::new()),
            _ => wrong_type("a Boolean"),
        },
        Shape::Timestamp => match value.as_f64().filter(|number| number.is_finite()) {
            Some(_) => Ok(Vec::new()),
            None => wrong_type("a Timestamp"),
        },
        Shape::Blob => match value.as_str().map(|text| STANDARD.decode(text)) {
            Some(Ok(_)) => Ok(Vec::new()),
            _ => wrong_type("a Blob"),
        },
        Shape::List { .. } | Shape::Map { .. } | Shape::Structure(_) => wrong_type("a scalar"),
    }
}

fn not_converted(value: &Json, wanted: &str) -> String {
    let found = match value {
        Json::Array(_) => return "Start of list found where not expected".to_owned(),
        Json::Object(_) => return "Start of structure or map found where not expected".to_owned(),
        Json::Null => "NULL_VALUE",
        Json::Bool(true) => "TRUE_VALUE",
        Json::Bool(false) => "FALSE_VALUE",
        Json::Number(_) => "NUMBER_VALUE",
        Json::String(_) => "STRING_VALUE",
    };
    format!("{found} can not be converted to {wanted}")
}

fn broken_text(text: &Text, value: &str) -> Vec<Constraint> {
    let mut broken = match text.length {
        Limits {
            min: None,
            max: None,
        } => Vec::new(),
        limits => too_long_or_short(limits, value.chars().count()),
    };
    if let Some(pattern) = text.pattern.filter(|pattern| !pattern.matches(value)) {
        broken.push(Constraint::Pattern(pattern.as_str()));
    }
    if !text.values.is_empty() && !text.values.contains(&value) {
        broken.push(Constraint::OneOf(text.values));
    }
    broken
}

fn too_long_or_short(Limits { min, max }: Limits, length: usize) -> Vec<Constraint> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let max = max.filter(|max| length > *max).map(Constraint::LengthMax);
    let min = min.filter(|min| length < *min).map(Constraint::LengthMin);
    max.into_iter().chain(min).collect()
}

fn broken_number(Limits { min, max }: Limits, number: f64) -> Vec<Constraint> {
    let max = max.filter(|max| number > f64::from(*max));
    let min = min.filter(|min| number < f64::from(*min));
    let max = max.map(Constraint::ValueMax);
    max.into_iter()
        .chain(min.map(Constraint::ValueMin))
        .collect()
}
