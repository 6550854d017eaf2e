//! Tests of one value: operators, wildcards, numbers and regular expressions.

use convlog_model::filter::CompareOp;
use convlog_model::number::Decimal;
use regex::{Regex, RegexBuilder};

use super::PatternError;
use super::cursor::{Cursor, Quoted};

/// A test of one value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Equal(Operand),
    Differs(Operand),
    Compare(CompareOp, Number),
}

/// What values are compared with for equality.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Text(Wild),
    Number(Number),
    Regex(Regex),
}

/// A bare number.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) written: String,
    value: Decimal,
}

impl Number {
    /// The number as JSON writes it.
    pub(super) fn without_plus(&self) -> &str {
        without_plus(&self.written)
    }

    pub(super) fn has_plus(&self) -> bool {
        self.without_plus() != self.written
    }
}

/// A text that may be open at its ends.
#[derive(Clone, Debug)]
pub(super) struct Wild {
    pub(super) text: String,
    pub(super) open_start: bool,
    pub(super) open_end: bool,
}

/// A value that is tested, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'a> {
    Text(&'a str),
    Number(&'a str),
}

impl<'a> Seen<'a> {
    /// A field of a text without types: a number where it reads as one.
    pub(super) fn untyped(text: &'a str) -> Self {
        match decimal(text) {
            Some(_) => Seen::Number(text),
            None => Seen::Text(text),
        }
    }

    fn written(self) -> &'a str {
        match self {
            Seen::Text(text) | Seen::Number(text) => text,
        }
    }

    fn number(self) -> Option<Decimal> {
        match self {
            Seen::Text(_) => None,
            Seen::Number(text) => decimal(text),
        }
    }
}

impl Test {
    pub(super) fn passes(&self, seen: Seen<'_>) -> bool {
        match self {
            Test::Equal(operand) => operand.equals(seen),
            Test::Differs(operand) => !operand.equals(seen),
            Test::Compare(op, bound) => seen
                .number()
                .is_some_and(|number| op.holds(number.cmp(&bound.value))),
        }
    }
}

impl Operand {
    fn equals(&self, seen: Seen<'_>) -> bool {
        match self {
            Operand::Text(wild) => wild.matches(seen.written()),
            Operand::Number(number) => match seen.number() {
                Some(value) => value == number.value,
                None => seen.written() == number.written,
            },
            Operand::Regex(regex) => regex.is_match(seen.written()),
        }
    }
}

impl Wild {
    fn matches(&self, text: &str) -> bool {
        let wanted = self.text.as_str();
        match (self.open_start, self.open_end) {
            (false, false) => text == wanted,
            (false, true) => text.starts_with(wanted),
            (true, false) => text.ends_with(wanted),
            (true, true) => text.contains(wanted),
        }
    }

    fn new(mut chars: &[Quoted]) -> Self {
        let (mut open_start, mut open_end) = (false, false);
        while let [('*', false), rest @ ..] = chars {
            (open_start, chars) = (true, rest);
        }
        while let [rest @ .., ('*', false)] = chars {
            (open_end, chars) = (true, rest);
        }
        let text = super::cursor::plain(chars);
        // A lone `*` is open at both ends.
        open_end |= open_start && text.is_empty();
        Wild {
            text,
            open_start,
            open_end,
        }
    }
}

/// A number as JSON writes it, or with a `+` before it.
fn decimal(text: &str) -> Option<Decimal> {
    match without_plus(text) {
        // Not both signs.
        rest if rest != text && rest.starts_with('-') => None,
        rest => Decimal::parse(rest),
    }
}

fn without_plus(text: &str) -> &str {
    text.strip_prefix('+').unwrap_or(text)
}

/// An operator and what stands behind it.
pub(super) fn parse_test(cursor: &mut Cursor) -> Result<Test, PatternError> {
    cursor.skip_spaces();
    let is_negated = if cursor.take("!=") || cursor.take("=!") {
        true
    } else if cursor.take("=") {
        false
    } else {
        let Some(op) = comparison(cursor) else {
            return cursor.error("expected an operator such as `=` or `!=`");
        };
        return Ok(Test::Compare(op, parse_number(cursor)?));
    };
    let operand = parse_operand(cursor)?;
    Ok(match is_negated {
        true => Test::Differs(operand),
        false => Test::Equal(operand),
    })
}

fn comparison(cursor: &mut Cursor) -> Option<CompareOp> {
    // Longest first.
    let all = [CompareOp::Le, CompareOp::Lt, CompareOp::Ge, CompareOp::Gt];
    all.into_iter().find(|op| cursor.take(op.as_str()))
}

fn parse_number(cursor: &mut Cursor) -> Result<Number, PatternError> {
    cursor.skip_spaces();
    let column = cursor.column();
    let written = cursor.take_while(is_bare);
    match decimal(&written) {
        Some(value) => Ok(Number { written, value }),
        None => Err(PatternError::new("expected a number", column)),
    }
}

fn parse_operand(cursor: &mut Cursor) -> Result<Operand, PatternError> {
    cursor.skip_spaces();
    match cursor.peek() {
        Some('"') => {
            let text = cursor.quoted('"', "*")?;
            Ok(Operand::Text(Wild::new(&text)))
        }
        Some('%') => Ok(Operand::Regex(parse_regex(cursor)?)),
        _ => {
            let written = cursor.take_while(is_bare);
            if written.is_empty() {
                return cursor.error("expected a value; other signs need quotes");
            }
            if let Some(value) = decimal(&written) {
                return Ok(Operand::Number(Number { written, value }));
            }
            let chars: Vec<Quoted> = written.chars().map(|c| (c, false)).collect();
            Ok(Operand::Text(Wild::new(&chars)))
        }
    }
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || "_-+.*:/@#".contains(c)
}

/// What a regular expression may hold besides ASCII letters and digits.
const REGEX_SIGNS: &str = "_#=@/;,:-^$?[]{}|*+.";
/// Most bytes of a compiled regular expression. Time is linear to text times this in the worst
/// case, and a pattern comes with every request.
const REGEX_BYTES_MAX: usize = 64 * 1_024;
/// Most bytes that states made while searching take; fewer are slower, not wrong.
const REGEX_CACHE_BYTES_MAX: usize = 1_024 * 1_024;

/// A regular expression, whose `%` stands here. It is found anywhere in a text.
pub(super) fn parse_regex(cursor: &mut Cursor) -> Result<Regex, PatternError> {
    let start = cursor.column();
    let source = cursor.regex_source()?;
    if source.is_empty() {
        let message = "expected a regular expression between `%`";
        return Err(PatternError::new(message, start));
    }
    let built = RegexBuilder::new(&translated(&source, start + 1)?)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_CACHE_BYTES_MAX)
        .nest_limit(20)
        .build();
    built.map_err(|error| {
        // The library's own text quotes the expression.
        let message = match error {
            regex::Error::CompiledTooBig(_) => "this regular expression is too big",
            _ => "this is no regular expression",
        };
        PatternError::new(message, start)
    })
}

/// The expression in the library's terms, which knows more than the service does. `column` is that
/// of the first sign.
fn translated(source: &[char], column: usize) -> Result<String, PatternError> {
    let mut text = String::new();
    let mut signs = (column..).zip(source.iter().copied());
    while let Some((column, sign)) = signs.next() {
        let escaped = match sign {
            '\\' => signs.next().map(|(_, sign)| sign),
            _ => None,
        };
        if let Some(class) = escaped.and_then(class_of) {
            text.push_str(class);
            continue;
        }
        text.push(sign);
        text.extend(escaped);
        let is_legal = match escaped {
            Some(escaped) => escaped.is_ascii_punctuation() || escaped == 'x',
            None => sign.is_ascii_alphanumeric() || REGEX_SIGNS.contains(sign),
        };
        if !is_legal {
            let message = "this sign is not supported in regular expressions";
            return Err(PatternError::new(message, column));
        }
    }
    Ok(text)
}

/// The class of a letter behind a backslash, ASCII alone: Unicode's are a hundred times as big.
fn class_of(letter: char) -> Option<&'static str> {
    match letter {
        'd' => Some("[0-9]"),
        'D' => Some("[^0-9]"),
        's' => Some(r"[\t-\r ]"),
        'S' => Some(r"[^\t-\r ]"),
        'w' => Some("[0-9A-Za-z_]"),
        'W' => Some("[^0-9A-Za-z_]"),
        _ => None,
    }
}
