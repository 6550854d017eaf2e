//! The functions of the query language, by name and by value.

use std::cmp::Ordering;

use super::value::{Value, whole};

/// Longest text that a function makes, in bytes: as long as an event can be.
const TEXT_MAX: usize = 1_048_576;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    IsPresent,
    IsEmpty,
    IsBlank,
    Coalesce,
    Concat,
    StrLen,
    ToLower,
    ToUpper,
    Trim,
    LTrim,
    RTrim,
    Substr,
    Replace,
    StrContains,
    Abs,
    Ceil,
    Floor,
    Sqrt,
    Log,
    Greatest,
    Least,
    ToMillis,
    FromMillis,
}

/// As many arguments as there are.
const ANY: usize = usize::MAX;

use Function::*;

/// Name, function, and the fewest and most arguments.
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("ispresent", IsPresent, 1, 1),
    ("isempty", IsEmpty, 1, 1),
    ("isblank", IsBlank, 1, 1),
    ("coalesce", Coalesce, 1, ANY),
    ("concat", Concat, 1, ANY),
    ("strlen", StrLen, 1, 1),
    ("tolower", ToLower, 1, 1),
    ("lower", ToLower, 1, 1),
    ("toupper", ToUpper, 1, 1),
    ("upper", ToUpper, 1, 1),
    ("trim", Trim, 1, 2),
    ("ltrim", LTrim, 1, 2),
    ("rtrim", RTrim, 1, 2),
    ("substr", Substr, 2, 3),
    ("replace", Replace, 3, 3),
    ("strcontains", StrContains, 2, 2),
    ("abs", Abs, 1, 1),
    ("ceil", Ceil, 1, 1),
    ("floor", Floor, 1, 1),
    ("sqrt", Sqrt, 1, 1),
    ("log", Log, 1, 1),
    ("greatest", Greatest, 1, ANY),
    ("least", Least, 1, ANY),
    ("tomillis", ToMillis, 1, 1),
    ("frommillis", FromMillis, 1, 1),
];

/// The function of a name in any case, with the fewest and most arguments.
pub(super) fn lookup(name: &str) -> Option<(Function, usize, usize)> {
    let named = |row: &&(&str, Function, usize, usize)| row.0.eq_ignore_ascii_case(name);
    let found = FUNCTIONS.iter().find(named);
    found.map(|(_, function, fewest, most)| (*function, *fewest, *most))
}

/// The value of a call. An absent argument makes it absent, but for the functions that ask for
/// absence or skip what is absent.
pub(super) fn call(function: Function, args: &[Value]) -> Value {
    let first = args.first().unwrap_or(&Value::Absent);
    match function {
        IsPresent => Value::truth(!first.is_absent()),
        IsEmpty => Value::truth(first.as_text().is_none_or(|text| text.is_empty())),
        IsBlank => Value::truth(first.as_text().is_none_or(|text| text.trim().is_empty())),
        Coalesce => {
            let present = args.iter().find(|arg| !arg.is_absent());
            present.cloned().unwrap_or(Value::Absent)
        }
        Concat => joined(args),
        Abs => numeric(first, f64::abs),
        Ceil => numeric(first, f64::ceil),
        Floor => numeric(first, f64::floor),
        Sqrt => numeric(first, f64::sqrt),
        Log => numeric(first, f64::ln),
        ToMillis => numeric(first, |millis| millis),
        FromMillis => first.as_number().map_or(Value::Absent, Value::time),
        Greatest => extreme(args, Ordering::Greater),
        Least => extreme(args, Ordering::Less),
        StrLen | ToLower | ToUpper | Trim | LTrim | RTrim | Substr | Replace | StrContains => {
            of_text(function, args).unwrap_or(Value::Absent)
        }
    }
}

/// The functions on text; `None` where an argument is absent or no number.
fn of_text(function: Function, args: &[Value]) -> Option<Value> {
    let text = args.first()?.as_text()?;
    let second = args.get(1).and_then(Value::as_text);
    let trimmed = |c: char| match &second {
        Some(chars) => chars.contains(c),
        None => c.is_whitespace(),
    };
    Some(match function {
        StrLen => count(text.chars().count()),
        ToLower => bounded(&text.to_lowercase()),
        ToUpper => bounded(&text.to_uppercase()),
        Trim => Value::text(text.trim_matches(trimmed)),
        LTrim => Value::text(text.trim_start_matches(trimmed)),
        RTrim => Value::text(text.trim_end_matches(trimmed)),
        StrContains => Value::truth(text.contains(&*second?)),
        Substr => {
            let skipped = length(args.get(1)?)?;
            let taken = args.get(2).map_or(Some(usize::MAX), length)?;
            let part: String = text.chars().skip(skipped).take(taken).collect();
            bounded(&part)
        }
        Replace => replaced(&text, &second?, &args.get(2)?.as_text()?),
        _ => return None,
    })
}

fn numeric(value: &Value, of: impl Fn(f64) -> f64) -> Value {
    let number = value.as_number();
    number.map_or(Value::Absent, |number| Value::number(of(number)))
}

/// The present argument that stands so to all others.
fn extreme(args: &[Value], wanted: Ordering) -> Value {
    let present = args.iter().filter(|arg| !arg.is_absent());
    let best = present.reduce(|best, arg| match arg.ordering(best) {
        Some(ordering) if ordering == wanted => arg,
        _ => best,
    });
    best.cloned().unwrap_or(Value::Absent)
}

pub(super) fn count(n: usize) -> Value {
    Value::number(u32::try_from(n).map_or(f64::INFINITY, f64::from))
}

/// A number of characters; a negative one is none of them.
fn length(value: &Value) -> Option<usize> {
    let number = whole(value.as_number()?).max(0);
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

fn bounded(text: &str) -> Value {
    let mut out = String::new();
    push_within(&mut out, text);
    Value::text(&out)
}

fn joined(args: &[Value]) -> Value {
    let mut out = String::new();
    for text in args.iter().filter_map(Value::as_text) {
        push_within(&mut out, &text);
    }
    Value::text(&out)
}

fn replaced(text: &str, wanted: &str, by: &str) -> Value {
    if wanted.is_empty() {
        return Value::text(text);
    }
    let mut out = String::new();
    for (i, part) in text.split(wanted).enumerate() {
        if i > 0 {
            push_within(&mut out, by);
        }
        push_within(&mut out, part);
        if out.len() >= TEXT_MAX {
            break;
        }
    }
    Value::text(&out)
}

/// Appends what there is room for, in whole characters.
fn push_within(out: &mut String, text: &str) {
    let room = TEXT_MAX.saturating_sub(out.len());
    let end = text.floor_char_boundary(room);
    out.push_str(text.get(..end).unwrap_or_default());
}
