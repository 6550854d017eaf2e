//! The tree as written becomes the neutral filter: names are looked up, operands checked.

use convlog_model::fields::{self as model, FieldRef, FieldType};
use convlog_model::filter::{Bound, CompareOp, Filter, Literal, Scope, Test, TimeBound};
use convlog_model::number::Decimal;
use convlog_model::time::Timestamp;

use super::names::{Array, Resolver};
use super::syntax::{Leaf, Node, Op, Term, Value};
use super::{FilterError, Names};

/// Canonical fields on which Watson refuses wildcards; times are the others.
const NO_WILDCARD: [&str; 6] = [
    "id",
    "own_id",
    "language",
    "assistant",
    "bot",
    "environment",
];

pub(super) fn lower(node: &Node, names: Resolver) -> Result<Filter, FilterError> {
    lower_in(node, names, None)
}

/// `array` is the array whose elements are looked at, with its path as written.
fn lower_in(
    node: &Node,
    names: Resolver,
    array: Option<(&str, &Array)>,
) -> Result<Filter, FilterError> {
    let all = |parts: &[Node]| -> Result<Vec<Filter>, FilterError> {
        parts
            .iter()
            .map(|part| lower_in(part, names, array))
            .collect()
    };
    match node {
        Node::And(parts) => Ok(Filter::And(all(parts)?)),
        Node::Or(parts) => Ok(Filter::Or(all(parts)?)),
        Node::Not(inner) => Ok(lower_in(inner, names, array)?.negate()),
        Node::Leaf(leaf) => lower_leaf(leaf, names, array),
        Node::Nested {
            path,
            column,
            inner,
        } => {
            let arrays = match array {
                Some((outer, around)) if !around.known => {
                    let field = raw_below(path, outer, around);
                    vec![Array {
                        field,
                        known: false,
                    }]
                }
                _ => {
                    names.fields(path, *column)?;
                    let mut members = Vec::new();
                    collect_members(inner, &mut members);
                    names.arrays(path, &members)
                }
            };
            let element = |array: &Array| {
                let inner = Box::new(lower_in(inner, names, Some((path, array)))?);
                let field = array.field.clone();
                Ok(Filter::Element { field, inner })
            };
            let parts: Result<Vec<Filter>, FilterError> = arrays.iter().map(element).collect();
            Ok(any(parts?))
        }
    }
}

/// The paths of all conditions in a group, nested groups included.
fn collect_members(node: &Node, members: &mut Vec<String>) {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            for part in parts {
                collect_members(part, members);
            }
        }
        Node::Not(inner) => collect_members(inner, members),
        Node::Leaf(leaf) => members.push(leaf.path.clone()),
        Node::Nested { path, .. } => members.push(path.clone()),
    }
}

/// The raw path of a member of an array whose names are not looked up.
fn raw_below(path: &str, outer: &str, array: &Array) -> FieldRef {
    let member = path.strip_prefix(outer).unwrap_or_default();
    FieldRef::Raw(format!("{}{member}", array.field.path()))
}

fn lower_leaf(
    leaf: &Leaf,
    names: Resolver,
    array: Option<(&str, &Array)>,
) -> Result<Filter, FilterError> {
    let fields = match array {
        Some((outer, array)) if !array.known => vec![raw_below(&leaf.path, outer, array)],
        _ => names.fields(&leaf.path, leaf.column)?,
    };
    let filter = lower_value(&leaf.value, leaf, &fields, names)?;
    Ok(if leaf.negated {
        filter.negate()
    } else {
        filter
    })
}

fn lower_value(
    value: &Value,
    leaf: &Leaf,
    fields: &[FieldRef],
    names: Resolver,
) -> Result<Filter, FilterError> {
    let all = |parts: &[Value]| -> Result<Vec<Filter>, FilterError> {
        parts
            .iter()
            .map(|part| lower_value(part, leaf, fields, names))
            .collect()
    };
    match value {
        Value::And(parts) => Ok(Filter::And(all(parts)?)),
        Value::Or(parts) => Ok(Filter::Or(all(parts)?)),
        Value::Term(term) => {
            let test = |field: &FieldRef| {
                let test = test_of(leaf.op, term, field, names.names())?;
                let field = field.clone();
                Ok(Filter::Test { field, test })
            };
            let parts: Result<Vec<Filter>, FilterError> = fields.iter().map(test).collect();
            Ok(any(parts?))
        }
    }
}

/// One of these; of one, that one.
fn any(mut parts: Vec<Filter>) -> Filter {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            Filter::Or(parts)
        }
    }
}

fn test_of(op: Op, term: &Term, field: &FieldRef, names: Names) -> Result<Test, FilterError> {
    let (scope, exact) = match op {
        Op::Compare(op) => return compare(op, term, field),
        Op::Equals => (Scope::Whole, true),
        Op::Matches => (Scope::Word, false),
    };
    let fail = |message: &str| Err(FilterError::new(message, term.column));
    let kind = field.kind();
    if term.is_star() && term.edits.is_none() && !(exact && bans_wildcards(field, names)) {
        return Ok(Test::Exists);
    }
    if term.parts.len() > 1 {
        return match () {
            () if term.edits.is_some() => fail("`*` and `~` do not go together"),
            () if kind == FieldType::Time || bans_wildcards(field, names) => {
                fail("wildcards are not valid on this field")
            }
            () => Ok(Test::Glob {
                parts: term.parts.clone(),
                scope,
            }),
        };
    }
    let text = term.parts.first().cloned().unwrap_or_default();
    if let Some(edits) = term.edits {
        if kind == FieldType::Time || matches!(field.path(), "id" | "own_id") {
            return fail("`~` is not valid on this field");
        }
        return Ok(Test::Fuzzy { text, edits, scope });
    }
    let literal = Literal {
        text,
        quoted: term.quoted,
    };
    if let Err(message) = check_type(&literal, kind) {
        return fail(message);
    }
    Ok(if exact {
        Test::Equals(literal)
    } else {
        Test::Matches(literal)
    })
}

fn bans_wildcards(field: &FieldRef, names: Names) -> bool {
    let FieldRef::Canonical(path) = field else {
        return false;
    };
    names != Names::Own && NO_WILDCARD.contains(&path.as_str()) || field.kind() == FieldType::Time
}

/// Whether a field of this type can hold the literal at all; the empty one asks for its absence.
fn check_type(literal: &Literal, kind: FieldType) -> Result<(), &'static str> {
    if literal.text.is_empty() {
        return Ok(());
    }
    let text = literal.text.as_str();
    match kind {
        FieldType::Number if literal.quoted || Decimal::parse(text).is_none() => {
            Err("this field is compared with a number, without quotes")
        }
        FieldType::Time if Timestamp::parse_loose(text).is_none() => {
            Err("this field is compared with a time such as 2020-07-01T09:00:00Z")
        }
        FieldType::Bool if literal.quoted || !matches!(text, "true" | "false") => {
            Err("this field is compared with true or false, without quotes")
        }
        _ => Ok(()),
    }
}

fn compare(op: CompareOp, term: &Term, field: &FieldRef) -> Result<Test, FilterError> {
    let fail = |message: &str| Err(FilterError::new(message, term.column));
    if term.quoted {
        return fail("a comparison takes a number or a time, without quotes");
    }
    let [text] = term.parts.as_slice() else {
        return fail("a comparison takes no wildcard");
    };
    if term.edits.is_some() {
        return fail("a comparison takes no `~`");
    }
    let number = || Decimal::parse(text).map(|_| Bound::Number(text.clone()));
    let time = || {
        let span = Timestamp::parse_loose(text)?;
        Some(Bound::Time(TimeBound::new(text, span)))
    };
    let (bound, wanted) = match field.kind() {
        FieldType::Number => (number(), "this field is compared with a number"),
        FieldType::Time => (
            time(),
            "this field is compared with a time such as 2020-07-01T09:00:00Z",
        ),
        FieldType::Keyword if is_free(field) => (
            number().or_else(time),
            "a comparison takes a number or a time such as 2020-07-01T09:00:00Z",
        ),
        FieldType::Keyword | FieldType::Text | FieldType::Bool => {
            return fail("only numbers and times can be compared so");
        }
    };
    match bound {
        Some(bound) => Ok(Test::Compare { op, bound }),
        None => fail(wanted),
    }
}

/// Whether a keyword field may hold anything.
fn is_free(field: &FieldRef) -> bool {
    match field {
        FieldRef::Raw(_) => true,
        FieldRef::Canonical(path) => {
            model::lookup(path).is_none_or(|field| field.path.ends_with('*'))
        }
    }
}
