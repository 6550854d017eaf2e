//! JSON patterns: conditions on the members of an event that is a JSON object.

use std::collections::BTreeMap;

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Bound, Filter, Literal, Scope, Test as ModelTest};
use convlog_model::json::Value;

use super::PatternError;
use super::boolean::{self, Expr};
use super::cursor::Cursor;
use super::selector::{self, Selector};
use super::value::{Operand, Seen, Test, Wild, parse_test};

/// A condition on one value.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    selector: Selector,
    check: Check,
}

#[derive(Clone, Debug)]
enum Check {
    Test(Test),
    IsNull,
    Is(bool),
    NotExists,
}

impl Condition {
    fn holds(&self, root: Value<'_>) -> bool {
        let found = self.selector.find(root);
        match &self.check {
            Check::Test(test) => found.and_then(seen).is_some_and(|value| test.passes(value)),
            Check::IsNull => matches!(found, Some(Value::Null)),
            Check::Is(truth) => matches!(found, Some(Value::Bool(value)) if value == *truth),
            Check::NotExists => found.is_none(),
        }
    }
}

/// A value that can be tested.
fn seen(value: Value<'_>) -> Option<Seen<'_>> {
    match value {
        Value::String(text) => Some(Seen::Text(text)),
        Value::Number(text) => Some(Seen::Number(text)),
        Value::Bool(true) => Some(Seen::Text("true")),
        Value::Bool(false) => Some(Seen::Text("false")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a value passes.
pub(super) fn matches(expr: &Expr<Condition>, root: Value<'_>) -> bool {
    let is_object = matches!(root, Value::Object(_));
    is_object && expr.holds(&|condition| condition.holds(root))
}

/// The values of all selectors, where the event passes.
pub(super) fn extracted(expr: &Expr<Condition>, root: Value<'_>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    if !matches(expr, root) {
        return values;
    }
    expr.each(&mut |condition| {
        let selector = &condition.selector;
        if let Some(Seen::Text(text) | Seen::Number(text)) = selector.find(root).and_then(seen) {
            values.insert(selector.written.clone(), text.to_owned());
        }
    });
    values
}

/// What every event that passes has in its leaves.
pub(super) fn narrow(expr: &Expr<Condition>) -> Filter {
    match expr {
        Expr::And(parts) => Filter::And(parts.iter().map(narrow).collect()),
        Expr::Or(parts) => Filter::Or(parts.iter().map(narrow).collect()),
        Expr::Leaf(condition) => {
            let path = condition.selector.path();
            match narrow_check(&condition.check) {
                Some(test) if !path.is_empty() => Filter::Test {
                    field: FieldRef::Raw(path),
                    test,
                },
                _ => Filter::All,
            }
        }
    }
}

/// A test that some value of the path passes; `None` where nothing can be said, as of what is
/// not there: of members with the same name only the last counts here, while all have leaves.
fn narrow_check(check: &Check) -> Option<ModelTest> {
    let test = match check {
        Check::IsNull | Check::NotExists => return None,
        // Never quoted: this passes texts as well as numbers and booleans that are so written.
        Check::Is(truth) => ModelTest::Equals(Literal::bare(truth.to_string())),
        Check::Test(Test::Equal(Operand::Text(wild))) => narrow_wild(wild),
        Check::Test(Test::Equal(Operand::Number(number))) if !number.has_plus() => {
            ModelTest::Equals(Literal::bare(&number.written))
        }
        Check::Test(Test::Equal(_) | Test::Differs(_)) => ModelTest::Exists,
        Check::Test(Test::Compare(op, bound)) => ModelTest::Compare {
            op: *op,
            bound: Bound::Number(bound.without_plus().to_owned()),
        },
    };
    Some(test)
}

fn narrow_wild(wild: &Wild) -> ModelTest {
    if wild.text.is_empty() && wild.open_start {
        return ModelTest::Exists;
    }
    if !wild.open_start && !wild.open_end {
        return ModelTest::Equals(Literal::bare(&wild.text));
    }
    let mut parts = vec![wild.text.clone()];
    if wild.open_start {
        parts.insert(0, String::new());
    }
    if wild.open_end {
        parts.push(String::new());
    }
    ModelTest::Glob {
        parts,
        scope: Scope::Whole,
    }
}

/// Reads a JSON pattern, whose `{` stands here, up to the end.
pub(super) fn parse(cursor: &mut Cursor) -> Result<Expr<Condition>, PatternError> {
    let start = cursor.column();
    cursor.bump();
    let expr = boolean::parse(cursor, &mut condition)?;
    if !cursor.take("}") {
        return match cursor.peek() {
            None => Err(PatternError::new("this brace is not closed", start)),
            Some(_) => cursor.error("expected `&&`, `||` or `}`"),
        };
    }
    cursor.skip_spaces();
    match cursor.peek() {
        None => Ok(expr),
        Some(_) => cursor.error("expected the end"),
    }
}

fn condition(cursor: &mut Cursor) -> Result<Condition, PatternError> {
    let selector = selector::parse(cursor)?;
    cursor.skip_spaces();
    let column = cursor.column();
    let check = if cursor.peek().is_some_and(char::is_alphabetic) {
        match keyword(cursor).as_str() {
            "IS" => match spaced_keyword(cursor).as_str() {
                "NULL" => Check::IsNull,
                "TRUE" => Check::Is(true),
                "FALSE" => Check::Is(false),
                _ => {
                    let message = "expected `IS NULL`, `IS TRUE` or `IS FALSE`";
                    return Err(PatternError::new(message, column));
                }
            },
            "NOT" if spaced_keyword(cursor) == "EXISTS" => Check::NotExists,
            _ => {
                let message = "expected an operator, `IS` or `NOT EXISTS`";
                return Err(PatternError::new(message, column));
            }
        }
    } else {
        Check::Test(parse_test(cursor)?)
    };
    Ok(Condition { selector, check })
}

/// A word in upper case.
fn keyword(cursor: &mut Cursor) -> String {
    let word = cursor.take_while(char::is_alphanumeric);
    word.to_ascii_uppercase()
}

fn spaced_keyword(cursor: &mut Cursor) -> String {
    cursor.skip_spaces();
    keyword(cursor)
}
