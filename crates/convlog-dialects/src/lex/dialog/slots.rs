//! Slot types: which words of an utterance are a value.

mod date;
mod digits;
mod duration;
mod listed;
mod number;
mod time_of_day;
mod unit;

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use ::time::Date;
use convlog_model::time::Timestamp;
use regex::{Regex, RegexBuilder};

use self::listed::Listed;
use super::words::Said;
use crate::lex::model::{Selection, SlotType};

/// Most words that a slot of free words takes in the midst of others.
const FREE_WORDS_MAX: usize = 4;
/// The same, in characters of texts without spaces.
const FREE_CHARACTERS_MAX: usize = 24;
/// Most memory of a compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Most values that the samples of a bot try in one utterance.
const TRIES_MAX: u32 = 200_000;
/// Longest alphanumeric value, in characters.
const ALPHANUMERIC_MAX: usize = 30;

/// Whether a word is a number, or a part of one.
#[must_use]
pub fn is_number_word(word: &str) -> bool {
    let word = word.to_lowercase();
    matches!(word.as_str(), "oh" | "hundred" | "thousand" | "million")
        || number::value(Some(&word)).is_some()
}

/// A value in an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Find {
    /// The word after it.
    pub(super) to: usize,
    /// How many words it has.
    pub(super) words: usize,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// What the slot gets.
    pub(super) value: String,
    /// Values of the list that it stands for, the best first.
    pub(super) resolutions: Vec<String>,
    /// Whether it is one only because the slot takes any words.
    pub(super) open: bool,
}

/// What finds values of one slot type.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// A list of the account's own.
    Listed(Listed),
    /// Letters and digits, of a pattern if one is set.
    AlphaNumeric(Option<Box<Regex>>),
    Number,
    FourDigits,
    Percentage,
    Date {
        /// Whether `3/4` is the fourth of March.
        month_first: bool,
    },
    Time,
    Duration,
    Phone,
    Email,
    Unit(&'static [(&'static str, &'static str)]),
    /// Whatever is said.
    Words,
}

impl Matcher {
    /// The matcher of a slot type: one of the account's own `own`, else the built-in one, else
    /// free words.
    pub(super) fn new(name: &str, own: &[SlotType], locale: &str) -> Self {
        let found = own.iter().find(|slot_type| slot_type.name == name);
        let Some(found) = found else {
            return Matcher::built_in(name, None, locale);
        };
        match &found.parent_slot_type_signature {
            Some(parent) if found.enumeration_values.is_empty() => {
                let patterns = found.slot_type_configurations.iter();
                let mut patterns = patterns.filter_map(|one| one.regex_configuration.as_ref());
                let pattern = patterns.next().map(|one| one.pattern.as_str());
                Matcher::built_in(parent, pattern, locale)
            }
            _ => Matcher::Listed(Listed::new(found, locale)),
        }
    }

    fn built_in(signature: &str, pattern: Option<&str>, locale: &str) -> Self {
        match signature {
            "AMAZON.AlphaNumeric" => Matcher::AlphaNumeric(pattern.and_then(whole)),
            "AMAZON.NUMBER" | "AMAZON.Number" => Matcher::Number,
            "AMAZON.FOUR_DIGIT_NUMBER" => Matcher::FourDigits,
            "AMAZON.Percentage" => Matcher::Percentage,
            "AMAZON.DATE" | "AMAZON.Date" => Matcher::Date {
                month_first: locale == "en-US",
            },
            "AMAZON.TIME" | "AMAZON.Time" => Matcher::Time,
            "AMAZON.DURATION" | "AMAZON.Duration" => Matcher::Duration,
            "AMAZON.PhoneNumber" => Matcher::Phone,
            "AMAZON.EmailAddress" => Matcher::Email,
            "AMAZON.SpeedUnit" => Matcher::Unit(unit::SPEED),
            "AMAZON.WeightUnit" => Matcher::Unit(unit::WEIGHT),
            _ => Matcher::Words,
        }
    }

    /// Whether any words are a value when they are the answer to the question for it.
    fn takes_any(&self) -> bool {
        match self {
            Matcher::Words => true,
            Matcher::Listed(listed) => listed.selection == Selection::OriginalValue,
            _ => false,
        }
    }

    /// The values that begin at a word and that the type knows, the longest first.
    fn known(&self, said: &Said, at: usize, today: Date) -> Vec<Find> {
        let found = match self {
            Matcher::Listed(listed) => return listed.find(said, at),
            Matcher::Words => None,
            Matcher::AlphaNumeric(pattern) => alphanumeric(said, at, pattern.as_deref()),
            Matcher::Number => number::find(said, at),
            Matcher::FourDigits => digits::four(said, at),
            Matcher::Percentage => number::percentage(said, at),
            Matcher::Date { month_first } => date::find(said, at, today, *month_first),
            Matcher::Time => time_of_day::find(said, at),
            Matcher::Duration => duration::find(said, at),
            Matcher::Phone => digits::phone(said, at),
            Matcher::Email => digits::email(said, at),
            Matcher::Unit(units) => unit::find(said, at, units),
        };
        found.into_iter().collect()
    }

    /// The whole answer to the question for the slot as its value, where its words alone are none.
    pub(super) fn whole_answer(&self, said: &Said) -> Option<Find> {
        if said.tokens.is_empty() {
            return None;
        }
        let span = said.span(0, said.len());
        let text = said.slice(&span);
        match self {
            Matcher::AlphaNumeric(pattern) => {
                // Spelled out: `a b 1 2`.
                let value: String = text.split_whitespace().collect();
                let fits = is_alphanumeric(&value, pattern.as_deref());
                fits.then(|| find(said, 0, said.len(), value))
            }
            _ if self.takes_any() => {
                let mut found = find(said, 0, said.len(), text.to_owned());
                found.open = true;
                found.resolutions = Vec::new();
                Some(found)
            }
            _ => None,
        }
    }
}

/// The values of all slot types in one utterance; each is looked for once, when it is asked for.
pub(super) struct Finder<'a> {
    pub(super) said: &'a Said,
    matchers: &'a [Matcher],
    known: Vec<OnceCell<Vec<Vec<Find>>>>,
    today: Date,
    /// Values that samples may still try: what keeps the time of a turn bounded.
    tries_left: Cell<u32>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(said: &'a Said, matchers: &'a [Matcher], now_ms: i64) -> Self {
        Finder {
            said,
            matchers,
            known: matchers.iter().map(|_| OnceCell::new()).collect(),
            today: Timestamp::from_millis(now_ms).to_offset().date(),
            tries_left: Cell::new(TRIES_MAX),
        }
    }

    /// Values that begin at a word: known ones, then free words where the type takes any; of both
    /// the longest first.
    pub(super) fn from(&self, matcher: usize, at: usize) -> Vec<Find> {
        let mut finds = self.known(matcher, at).to_vec();
        let takes_any = self.matchers.get(matcher).is_some_and(Matcher::takes_any);
        if takes_any {
            finds.extend(free(self.said, at));
        }
        finds
    }

    /// Takes one of the tries; `false` when none is left.
    pub(super) fn may_try(&self) -> bool {
        let left = self.tries_left.get();
        self.tries_left.set(left.saturating_sub(1));
        left > 0
    }

    /// Values that begin at a word and that the type knows.
    pub(super) fn known(&self, matcher: usize, at: usize) -> &[Find] {
        let (Some(cell), Some(how)) = (self.known.get(matcher), self.matchers.get(matcher)) else {
            return &[];
        };
        let look = |at| how.known(self.said, at, self.today);
        let all = cell.get_or_init(|| (0..self.said.len()).map(look).collect());
        all.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first value that the type knows, the longest of those that begin there, outside of
    /// the words that `used` marks.
    pub(super) fn first(&self, matcher: usize, used: &[bool]) -> Option<Find> {
        let is_free = |at: usize, find: &&Find| {
            let words = used.get(at..find.to).unwrap_or_default();
            !words.iter().any(|used| *used)
        };
        let finds = (0..self.said.len()).filter_map(|at| {
            let mut here = self.known(matcher, at).iter();
            here.find(|find| is_free(at, find))
        });
        finds.map(Clone::clone).next()
    }

    /// The matcher at an index.
    pub(super) fn matcher(&self, matcher: usize) -> Option<&'a Matcher> {
        self.matchers.get(matcher)
    }
}

/// A value that the words `from` to before `to` are.
fn find(said: &Said, from: usize, to: usize, value: String) -> Find {
    Find {
        to,
        words: to.saturating_sub(from),
        span: said.span(from, to),
        resolutions: vec![value.clone()],
        value,
        open: false,
    }
}

/// Some words, as they were said.
fn free(said: &Said, at: usize) -> Vec<Find> {
    let mut finds = Vec::new();
    let mut words = 0;
    for (length, token) in (1..=FREE_CHARACTERS_MAX).zip(said.tokens.iter().skip(at)) {
        words += usize::from(!token.glued || length == 1);
        if words > FREE_WORDS_MAX {
            break;
        }
        let span = said.span(at, at + length);
        let mut found = find(said, at, at + length, said.slice(&span).to_owned());
        found.open = true;
        found.resolutions = Vec::new();
        finds.push(found);
    }
    finds.reverse();
    finds
}

/// A pattern that all of a value must match; `None` for one that is none, which nothing limits.
fn whole(pattern: &str) -> Option<Box<Regex>> {
    let built = RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    built.ok().map(Box::new)
}

fn is_alphanumeric(value: &str, pattern: Option<&Regex>) -> bool {
    let length = value.chars().count();
    let fits = (1..=ALPHANUMERIC_MAX).contains(&length);
    fits && match pattern {
        Some(pattern) => pattern.is_match(value),
        None => value.chars().all(char::is_alphanumeric),
    }
}

/// One run of characters without spaces. Without a pattern it needs a digit, since any word would
/// do otherwise.
fn alphanumeric(said: &Said, at: usize, pattern: Option<&Regex>) -> Option<Find> {
    let rest = said.rest(at);
    let is_end = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'));
    let run = rest.split(is_end).next()?;
    let run = run.trim_end_matches(|c: char| !c.is_alphanumeric());
    let telling = pattern.is_some() || run.chars().any(|c| c.is_ascii_digit());
    if !telling || !is_alphanumeric(run, pattern) {
        return None;
    }
    let span = said.span(at, at + 1);
    let to = said.after(span.start + run.len());
    Some(find(said, at, to, run.to_owned()))
}

#[cfg(test)]
mod tests;
