//! Filters as text, in the filter language of the own API.
//!
//! Parsing the text gives the same filter in normal form ([`Filter::normal`]). Beyond what Watson
//! documents the language has, for that purpose:
//!
//! * `!(…)` negates a group, inside of a nested group too. `()` is every record, `!()` none.
//! * A canonical name stands as it is, a raw path behind `raw.`. A segment that is not a letter or
//!   `_` and then letters, digits, `_` and `-` (all ASCII) stands in quotes.
//! * `group:(…)` is [`Filter::Element`]; names in it lie below the group.
//! * In a phrase a backslash escapes a quote and a backslash; in a term operator characters and
//!   white space.
//! * `**` is a pattern that every value passes, where `*` alone asks for existence.
//!
//! Filters that no text means print as the nearest one that has a text: patterns without a star,
//! names with an empty segment, inner fields that do not lie below their group. Tests that the
//! type of their field excludes, such as a pattern on a time, are printed and refused when parsed.

#[cfg(test)]
mod tests;

use super::{Bound, Filter, Literal, Scope, Test};
use crate::fields::FieldRef;

/// The text of a filter.
#[must_use]
pub fn print(filter: &Filter) -> String {
    let mut out = String::new();
    match filter {
        Filter::All => {}
        Filter::And(parts) if parts.is_empty() => {}
        other => write(other, None, &mut out),
    }
    out
}

/// Appends a condition that binds as tightly as a leaf or a `,` around it allows.
fn write(filter: &Filter, group: Option<&FieldRef>, out: &mut String) {
    match filter {
        Filter::All => out.push_str("()"),
        Filter::And(parts) => write_parts(parts, ',', "()", group, out),
        Filter::Or(parts) => write_parts(parts, '|', "!()", group, out),
        Filter::Not(inner) => write_not(inner, group, out),
        Filter::Test { field, test } => {
            write_name(field, group, out);
            write_test(test, false, out);
        }
        Filter::Element { field, inner } => {
            write_name(field, group, out);
            out.push(':');
            write_bracketed(inner, Some(field), out);
        }
    }
}

fn write_parts(
    parts: &[Filter],
    between: char,
    none: &str,
    group: Option<&FieldRef>,
    out: &mut String,
) {
    if parts.is_empty() {
        out.push_str(none);
    }
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push(between);
        }
        match part {
            Filter::And(inner) | Filter::Or(inner) if inner.len() > 1 => {
                write_bracketed(part, group, out);
            }
            _ => write(part, group, out),
        }
    }
}

fn write_bracketed(filter: &Filter, group: Option<&FieldRef>, out: &mut String) {
    out.push('(');
    match filter {
        Filter::All => {}
        Filter::And(parts) if parts.is_empty() => {}
        other => write(other, group, out),
    }
    out.push(')');
}

fn write_not(inner: &Filter, group: Option<&FieldRef>, out: &mut String) {
    match inner {
        Filter::Test { field, test } if !matches!(test, Test::Compare { .. }) => {
            write_name(field, group, out);
            write_test(test, true, out);
        }
        _ => {
            out.push('!');
            write_bracketed(inner, group, out);
        }
    }
}

/// Appends operator and term.
fn write_test(test: &Test, is_negated: bool, out: &mut String) {
    let (word, whole) = if is_negated {
        (":!", "::!")
    } else {
        (":", "::")
    };
    let operator = |scope: &Scope| match scope {
        Scope::Word => word,
        Scope::Whole => whole,
    };
    match test {
        Test::Equals(literal) => {
            out.push_str(whole);
            write_literal(literal, out);
        }
        Test::Matches(literal) => {
            out.push_str(word);
            write_literal(literal, out);
        }
        Test::Glob { parts, scope } => {
            out.push_str(operator(scope));
            write_pattern(parts, out);
        }
        Test::Fuzzy { text, edits, scope } => {
            out.push_str(operator(scope));
            write_literal(&Literal::bare(text.as_str()), out);
            out.push('~');
            out.push_str(&edits.to_string());
        }
        Test::Compare { op, bound } => {
            out.push_str(op.as_str());
            out.push_str(match bound {
                Bound::Number(text) => text,
                Bound::Time(bound) => &bound.text,
            });
        }
        Test::Exists => {
            out.push_str(word);
            out.push('*');
        }
    }
}

fn write_literal(literal: &Literal, out: &mut String) {
    let text = literal.text.as_str();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+.@/".contains(c);
    if !literal.quoted && !text.is_empty() && text.chars().all(is_plain) {
        out.push_str(text);
    } else {
        write_phrase(text, out);
    }
}

fn write_phrase(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Characters that could have a meaning outside of quotes.
const MEANING: &str = "\"\\()[],|^~:<>=!*";

/// Appends a text outside of quotes.
fn write_term(text: &str, out: &mut String) {
    for c in text.chars() {
        if MEANING.contains(c) || c.is_whitespace() {
            out.push('\\');
        }
        out.push(c);
    }
}

fn write_pattern(parts: &[String], out: &mut String) {
    // A star alone would ask for existence.
    if parts.iter().all(String::is_empty) {
        out.push_str("**");
        return;
    }
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push('*');
        }
        write_term(part, out);
    }
}

fn write_name(field: &FieldRef, group: Option<&FieldRef>, out: &mut String) {
    let below = group.and_then(|group| match (group, field) {
        (FieldRef::Canonical(_), FieldRef::Canonical(_)) | (FieldRef::Raw(_), FieldRef::Raw(_)) => {
            field.path().strip_prefix(group.path())?.strip_prefix('.')
        }
        _ => None,
    });
    let path = match (below, field) {
        (Some(below), _) => below,
        (None, FieldRef::Raw(path)) => {
            out.push_str("raw.");
            path
        }
        (None, FieldRef::Canonical(path)) => path,
    };
    for (i, segment) in path.split('.').enumerate() {
        if i > 0 {
            out.push('.');
        }
        if is_name(segment) {
            out.push_str(segment);
        } else {
            write_phrase(segment, out);
        }
    }
}

fn is_name(segment: &str) -> bool {
    let mut chars = segment.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
