//! What of a query's filters holds for raw bodies.
//!
//! Only what is surely necessary: a text may read as a number in many ways that the neutral filter
//! does not know, so that of most comparisons no more is left than that the field exists.

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Filter, Literal, Scope, Test};
use convlog_model::number::Decimal;

use super::functions::Function;
use super::syntax::{Column, Command, Comparison, Expr, Names, Slot};
use super::value::Value;

/// A condition that every event passes which the filters let through that stand before rows are
/// counted or put together.
pub(super) fn narrow(commands: &[Command], names: &Names) -> Filter {
    let mut scope = Scoped {
        names,
        bound: Vec::new(),
    };
    let mut found = Vec::new();
    for command in commands {
        match command {
            Command::Bind(columns) => scope.bind(columns),
            Command::Filter(expr) => found.push(scope.narrow(expr)),
            Command::Parse(extraction) => {
                let slots = extraction.groups.iter();
                scope.bound.extend(slots.map(|(_, slot)| (*slot, None)));
            }
            Command::Sort(_) => {}
            Command::Stats(_) | Command::Dedup(_) | Command::Limit(_) => break,
        }
    }
    Filter::And(found).normal()
}

/// What names mean so far.
struct Scoped<'a> {
    names: &'a Names,
    /// Later ones count; with the path in the JSON that a name is another name of.
    bound: Vec<(Slot, Option<&'a str>)>,
}

impl<'a> Scoped<'a> {
    fn bind(&mut self, columns: &[Column]) {
        for column in columns {
            let path = match &column.expr {
                Expr::Field(slot) => self.path(*slot),
                _ => None,
            };
            self.bound.push((column.slot, path));
        }
    }

    /// The path in the message's JSON that a name stands for.
    fn path(&self, slot: Slot) -> Option<&'a str> {
        let bound = self.bound.iter().rev().find(|(known, _)| *known == slot);
        match bound {
            Some((_, path)) => *path,
            None => self.names.json_path(slot),
        }
    }

    fn narrow(&self, expr: &Expr) -> Filter {
        match expr {
            Expr::And(parts) => Filter::And(parts.iter().map(|p| self.narrow(p)).collect()),
            Expr::Or(parts) => Filter::Or(parts.iter().map(|p| self.narrow(p)).collect()),
            Expr::Field(_) | Expr::Matches { .. } => self.exists(value_of(expr)),
            Expr::Compare(comparison, left, right) => {
                let pair = match (&**left, &**right) {
                    (field @ Expr::Field(_), Expr::Literal(value))
                    | (Expr::Literal(value), field @ Expr::Field(_)) => Some((field, value)),
                    _ => None,
                };
                match pair {
                    Some((field, value)) if *comparison == Comparison::Eq => {
                        self.equals(field, value)
                    }
                    _ => Filter::And(vec![self.exists(left), self.exists(right)]),
                }
            }
            Expr::In {
                value,
                list,
                is_negated,
            } => {
                let literal = |item: &Expr| match item {
                    Expr::Literal(item) => Some(self.equals(value, item)),
                    _ => None,
                };
                let any: Option<Vec<Filter>> = list.iter().map(literal).collect();
                match any {
                    Some(any) if !is_negated => Filter::Or(any),
                    _ => self.exists(value),
                }
            }
            Expr::Contains {
                value,
                text,
                is_negated: false,
            } => self.contains(value, text),
            Expr::Contains { value, .. } => self.exists(value),
            Expr::Call(Function::IsPresent, args) => self.first_exists(args),
            Expr::Call(Function::StrContains, args) => match args.as_slice() {
                [value, text] => self.contains(value, text),
                _ => Filter::All,
            },
            _ => Filter::All,
        }
    }

    fn first_exists(&self, args: &[Expr]) -> Filter {
        args.first().map_or(Filter::All, |arg| self.exists(arg))
    }

    fn exists(&self, expr: &Expr) -> Filter {
        self.test(expr, &[Test::Exists])
    }

    fn equals(&self, expr: &Expr, value: &Value) -> Filter {
        let Some(text) = value.as_text() else {
            return Filter::All;
        };
        let tests = match value.as_number() {
            None if Decimal::parse(&text).is_none() => {
                vec![Test::Equals(Literal::quoted(&*text))]
            }
            // Texts that read as 1 begin so: `1.0`, `10e-1`, `0.1e1`.
            Some(1.0) => vec![
                Test::Equals(Literal::bare("true")),
                Test::Equals(Literal::bare("1")),
                starts_with("1"),
                starts_with("0."),
            ],
            _ => vec![Test::Exists],
        };
        self.test(expr, &tests)
    }

    fn contains(&self, expr: &Expr, text: &Expr) -> Filter {
        match text {
            Expr::Literal(Value::Text(text)) if is_in_no_number(text) => {
                let parts = vec![String::new(), text.to_string(), String::new()];
                let scope = Scope::Whole;
                self.test(expr, &[Test::Glob { parts, scope }])
            }
            _ => self.exists(expr),
        }
    }

    /// One of the tests, where the expression is a field of the message.
    fn test(&self, expr: &Expr, tests: &[Test]) -> Filter {
        let path = match expr {
            Expr::Field(slot) => self.path(*slot),
            _ => None,
        };
        let Some(fields) = path.and_then(raw_fields) else {
            return Filter::All;
        };
        let all = fields.iter().flat_map(|field| {
            tests.iter().map(|test| Filter::Test {
                field: field.clone(),
                test: test.clone(),
            })
        });
        Filter::Or(all.collect())
    }
}

/// What an expression looks at.
fn value_of(expr: &Expr) -> &Expr {
    match expr {
        Expr::Matches { value, .. } => value,
        other => other,
    }
}

fn starts_with(text: &str) -> Test {
    Test::Glob {
        parts: vec![text.to_owned(), String::new()],
        scope: Scope::Whole,
    }
}

/// Whether a text can be part of a string only: numbers and booleans print otherwise than the
/// neutral filter sees them.
fn is_in_no_number(text: &str) -> bool {
    text.contains(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')))
}

/// The raw fields of a path. A number in it is a place in an array, which raw paths leave out, or
/// a key, which they have; `None` where there is more than one.
fn raw_fields(path: &str) -> Option<Vec<FieldRef>> {
    let is_place = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let n_places = path.split('.').filter(is_place).count();
    let whole = FieldRef::Raw(path.to_owned());
    match n_places {
        0 => Some(vec![whole]),
        1 => {
            let kept: Vec<&str> = path.split('.').filter(|part| !is_place(part)).collect();
            Some(vec![FieldRef::Raw(kept.join(".")), whole])
        }
        _ => None,
    }
}
