//! Space-delimited patterns: conditions on the fields of a message, by their place.

use std::collections::BTreeMap;

use super::PatternError;
use super::boolean::{self, Expr};
use super::cursor::Cursor;
use super::value::{Seen, Test, parse_test};

/// The fields that a message must have.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    /// From the first on; without an ellipsis all.
    head: Vec<Column>,
    /// Up to the last, behind an ellipsis.
    tail: Option<Vec<Column>>,
}

/// One field; one without a name takes any value.
#[derive(Clone, Debug, Default)]
struct Column {
    name: Option<String>,
    condition: Option<Expr<Test>>,
}

impl Column {
    fn passes(&self, field: &str) -> bool {
        let seen = Seen::untyped(field);
        let condition = self.condition.as_ref();
        condition.is_none_or(|expr| expr.holds(&|test| test.passes(seen)))
    }
}

impl Columns {
    pub(super) fn matches(&self, message: &str) -> bool {
        self.laid_over(&split(message)).is_some()
    }

    /// Every field of the message by `$` and its name or number, where the message passes.
    pub(super) fn extracted(&self, message: &str) -> BTreeMap<String, String> {
        let fields = split(message);
        let Some(columns) = self.laid_over(&fields) else {
            return BTreeMap::new();
        };
        let numbered = (1_usize..).zip(columns.into_iter().zip(fields));
        let named = numbered.map(|(number, (column, field))| {
            let key = match column.and_then(|column| column.name.as_ref()) {
                Some(name) => format!("${name}"),
                None => format!("${number}"),
            };
            (key, field.to_owned())
        });
        named.collect()
    }

    /// For each field its column, `None` where the ellipsis has it; `None` for the whole where
    /// the fields do not pass.
    fn laid_over(&self, fields: &[&str]) -> Option<Vec<Option<&Column>>> {
        let tail = self.tail.as_deref().unwrap_or_default();
        let n_between = fields.len().checked_sub(self.head.len() + tail.len())?;
        if n_between > 0 && self.tail.is_none() {
            return None;
        }
        let between = std::iter::repeat_n(None, n_between);
        let head = self.head.iter().map(Some).chain(between);
        let columns: Vec<Option<&Column>> = head.chain(tail.iter().map(Some)).collect();
        let mut pairs = columns.iter().zip(fields);
        let pass = pairs.all(|(column, field)| column.is_none_or(|one| one.passes(field)));
        pass.then_some(columns)
    }
}

/// The fields of a message: what white space parts, or stands between quotes or brackets, of
/// which a field then has none.
fn split(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim_start();
    // Once one is not closed, no later one is: the message is not searched again.
    let (mut quotes_close, mut brackets_close) = (true, true);
    while !rest.is_empty() {
        let enclosed = match (rest.strip_prefix('"'), rest.strip_prefix('[')) {
            (Some(inside), _) if quotes_close => {
                let found = inside.split_once('"');
                quotes_close = found.is_some();
                found
            }
            (_, Some(inside)) if brackets_close => {
                let found = inside.split_once(']');
                brackets_close = found.is_some();
                found
            }
            _ => None,
        };
        let (field, behind) = enclosed
            .or_else(|| rest.split_once(char::is_whitespace))
            .unwrap_or((rest, ""));
        fields.push(field);
        rest = behind.trim_start();
    }
    fields
}

/// Reads a space-delimited pattern, whose `[` stands here, up to the end.
pub(super) fn parse(cursor: &mut Cursor) -> Result<Columns, PatternError> {
    let start = cursor.column();
    cursor.bump();
    cursor.skip_spaces();
    if cursor.peek() == Some(']') {
        return cursor.error("expected the name of a field or `...`");
    }
    let mut columns = Columns::default();
    loop {
        cursor.skip_spaces();
        if cursor.take("...") {
            if columns.tail.is_some() {
                return cursor.error("expected one `...` at most");
            }
            columns.tail = Some(Vec::new());
        } else {
            let column = column(cursor)?;
            let Columns { head, tail } = &mut columns;
            tail.as_mut().unwrap_or(head).push(column);
        }
        cursor.skip_spaces();
        if cursor.take("]") {
            break;
        }
        if !cursor.take(",") {
            return match cursor.peek() {
                None => Err(PatternError::new("this bracket is not closed", start)),
                Some(_) => cursor.error("expected `,`, `]`, `&&` or `||`"),
            };
        }
    }
    cursor.skip_spaces();
    match cursor.peek() {
        None => Ok(columns),
        Some(_) => cursor.error("expected the end"),
    }
}

fn column(cursor: &mut Cursor) -> Result<Column, PatternError> {
    if matches!(cursor.peek(), Some(',' | ']')) {
        cursor.count_term()?;
        return Ok(Column::default());
    }
    let is_alone = cursor.ahead(|cursor| {
        let has_name = !name(cursor).is_empty();
        cursor.skip_spaces();
        has_name && matches!(cursor.peek(), None | Some(',' | ']'))
    });
    if is_alone {
        cursor.count_term()?;
        return Ok(Column {
            name: Some(name(cursor)),
            condition: None,
        });
    }
    let mut known = None;
    let condition = boolean::parse(cursor, &mut |cursor| {
        let column = cursor.column();
        let name = name(cursor);
        if name.is_empty() {
            return cursor.error("expected the name of a field");
        }
        if *known.get_or_insert_with(|| name.clone()) != name {
            let message = "expected the same name: conditions in one place are on one field";
            return Err(PatternError::new(message, column));
        }
        parse_test(cursor)
    })?;
    Ok(Column {
        name: known,
        condition: Some(condition),
    })
}

fn name(cursor: &mut Cursor) -> String {
    cursor.take_while(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
