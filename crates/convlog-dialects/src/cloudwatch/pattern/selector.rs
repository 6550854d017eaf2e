//! Selectors of JSON patterns: the way from the root of an event to one value.

use convlog_model::flatten::LeafPath;
use convlog_model::json::Value;

use super::PatternError;
use super::cursor::{Cursor, plain};

/// The way to a value.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// As written.
    pub(super) written: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Selector {
    /// The value that it leads to; `None` where there is none.
    pub(super) fn find<'a>(&self, root: Value<'a>) -> Option<Value<'a>> {
        let mut steps = self.steps.iter();
        steps.try_fold(root, |value, step| match (step, value) {
            (Step::Key(key), value) => value.get(key),
            (Step::Index(index), Value::Array(mut items)) => items.nth(*index),
            (Step::Index(_), _) => None,
        })
    }

    /// The raw path of what it leads to; paths have no indexes.
    pub(super) fn path(&self) -> String {
        let keys = self.steps.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        LeafPath::of(&keys.collect::<Vec<_>>()).dotted()
    }
}

/// Reads a selector.
pub(super) fn parse(cursor: &mut Cursor) -> Result<Selector, PatternError> {
    let start = cursor.column();
    if !cursor.take("$") {
        return cursor.error("expected a selector, which begins with `$`");
    }
    let mut steps = Vec::new();
    loop {
        if cursor.take(".") {
            let name = cursor.take_while(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if name.is_empty() {
                return cursor.error("expected the name of a field");
            }
            steps.push(Step::Key(name));
        } else if cursor.take("[") {
            let step = bracketed(cursor, !steps.is_empty())?;
            steps.push(step);
        } else if steps.is_empty() {
            return cursor.error("expected `.` or `[` and the name of a field");
        } else {
            let written = cursor.since(start);
            return Ok(Selector { written, steps });
        }
    }
}

/// What stands between brackets, of which the first was taken.
fn bracketed(cursor: &mut Cursor, may_index: bool) -> Result<Step, PatternError> {
    let step = match cursor.peek() {
        Some(quote @ ('\'' | '"')) => Step::Key(plain(&cursor.quoted(quote, "")?)),
        Some(c) if c.is_ascii_digit() && may_index => {
            let column = cursor.column();
            let digits = cursor.take_while(|c| c.is_ascii_digit());
            match digits.parse::<u32>().ok().map(usize::try_from) {
                Some(Ok(index)) => Step::Index(index),
                _ => return Err(PatternError::new("expected a smaller number", column)),
            }
        }
        _ if may_index => return cursor.error("expected a number from 0 or a name in quotes"),
        _ => return cursor.error("expected a name in quotes"),
    };
    match cursor.take("]") {
        true => Ok(step),
        false => cursor.error("expected `]`"),
    }
}
