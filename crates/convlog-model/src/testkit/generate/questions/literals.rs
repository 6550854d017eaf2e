//! What a condition compares with: made of a value, and changed a little.

use super::{Value, is_text};
use crate::fields::{FieldRef, FieldType};
use crate::filter::{Bound, CompareOp, Literal, Scope, Test, TimeBound};
use crate::flatten::Scalar;
use crate::number::Decimal;
use crate::testkit::generate::Choices;
use crate::testkit::generate::conditions::Condition;
use crate::testkit::generate::rich::FAMILIES;
use crate::text::{fold, words};
use crate::time::Timestamp;

/// Longer values are not edited: the reference would compare them letter by letter.
const EDITED_MAX: usize = 60;

/// Whether a condition of this kind can be made of a value.
pub(super) fn fits(kind: Condition, value: &Value) -> bool {
    let of_field = value.field.kind();
    let is_text_field = is_text(&value.field);
    let text = value.scalar.as_text().unwrap_or_default();
    let takes_patterns = matches!(of_field, FieldType::Keyword | FieldType::Text);
    // Ids differ between engines, so only whole ones are asked for.
    let is_id = value.field == FieldRef::canonical("id");
    let is_string = matches!(value.scalar, Scalar::Text(_));
    let is_word_field = is_text_field && is_string;
    match kind {
        Condition::EqualsBare | Condition::EqualsQuoted | Condition::MatchesValue => !is_text_field,
        Condition::EqualsText => is_text_field,
        Condition::Word => is_word_field && words(text).any(|word| family(&word).is_none()),
        Condition::GlobWord | Condition::FuzzyOne | Condition::FuzzyTwo => {
            is_word_field && words(text).next().is_some()
        }
        Condition::Stem => is_word_field && words(text).any(|word| family(&word).is_some()),
        Condition::Phrase | Condition::FuzzyPhrase => is_word_field && words(text).nth(1).is_some(),
        Condition::Symbol => is_word_field && text.contains(is_symbol),
        Condition::GlobValue => takes_patterns && !is_text_field && !is_id,
        Condition::GlobWhole => takes_patterns && !is_id,
        Condition::FuzzyValue => {
            of_field == FieldType::Keyword && !is_id && text.len() <= EDITED_MAX
        }
        Condition::FuzzyWhole => takes_patterns && !is_id && text.len() <= EDITED_MAX,
        Condition::NumberLt | Condition::NumberLe | Condition::NumberGt | Condition::NumberGe => {
            matches!(value.scalar, Scalar::Number(_))
        }
        Condition::TimeLt | Condition::TimeLe | Condition::TimeGt | Condition::TimeGe => {
            matches!(of_field, FieldType::Keyword | FieldType::Time)
                && Timestamp::parse_rfc3339(text).is_some()
        }
        Condition::Exists | Condition::Empty => true,
        _ => false,
    }
}

/// The condition.
pub(super) fn test(choices: &mut Choices<'_>, kind: Condition, value: &Value) -> Test {
    let text = value.scalar.as_text().unwrap_or_default();
    let scope = match kind {
        Condition::GlobWhole | Condition::FuzzyWhole => Scope::Whole,
        _ => Scope::Word,
    };
    match kind {
        Condition::EqualsBare => Test::Equals(Literal::bare(near(choices, value))),
        Condition::EqualsQuoted => Test::Equals(Literal::quoted(near(choices, value))),
        Condition::EqualsText => Test::Equals(Literal {
            text: text.to_owned(),
            quoted: choices.once_in(2),
        }),
        Condition::MatchesValue => {
            let text = near(choices, value);
            Test::Matches(Literal {
                text: recased(choices, &text),
                quoted: choices.once_in(2),
            })
        }
        Condition::Word | Condition::Stem | Condition::Phrase | Condition::Symbol => {
            let text = said(choices, kind, text);
            Test::Matches(Literal {
                text: recased(choices, &text),
                quoted: choices.once_in(2),
            })
        }
        Condition::GlobWord | Condition::GlobValue | Condition::GlobWhole => {
            let base = match kind {
                Condition::GlobWord => word(choices, text),
                _ => text.to_owned(),
            };
            let base = match scope {
                Scope::Word => recased(choices, &base),
                Scope::Whole => base,
            };
            let parts = pattern(choices, &base);
            Test::Glob { parts, scope }
        }
        Condition::FuzzyOne | Condition::FuzzyTwo | Condition::FuzzyPhrase => {
            let n_words = if kind == Condition::FuzzyPhrase { 2 } else { 1 };
            let edits = match kind {
                Condition::FuzzyOne => 1,
                Condition::FuzzyTwo => 2,
                _ => choices.pick(&[1, 2]),
            };
            let row = row_of_words(choices.below(8), n_words, text);
            let row = row.iter().map(|word| edited(choices, word, edits));
            let text = row.collect::<Vec<String>>().join(" ");
            Test::Fuzzy { text, edits, scope }
        }
        Condition::FuzzyValue | Condition::FuzzyWhole => {
            let edits = choices.pick(&[1, 2]);
            let text = edited(choices, text, edits);
            Test::Fuzzy { text, edits, scope }
        }
        Condition::Empty => match choices.below(3) {
            0 => Test::Matches(Literal::quoted("")),
            1 => Test::Equals(Literal::bare("")),
            _ => Test::Equals(Literal::quoted("")),
        },
        Condition::Exists => Test::Exists,
        _ => compare(choices, kind, text),
    }
}

fn compare(choices: &mut Choices<'_>, kind: Condition, text: &str) -> Test {
    let op = match kind {
        Condition::NumberLt | Condition::TimeLt => CompareOp::Lt,
        Condition::NumberLe | Condition::TimeLe => CompareOp::Le,
        Condition::NumberGt | Condition::TimeGt => CompareOp::Gt,
        _ => CompareOp::Ge,
    };
    let is_time = matches!(
        kind,
        Condition::TimeLt | Condition::TimeLe | Condition::TimeGt | Condition::TimeGe
    );
    let bound = if is_time {
        let text = another_form(choices, text);
        match Timestamp::parse_loose(&text) {
            Some(span) => Bound::Time(TimeBound::new(&text, span)),
            None => Bound::Number("0".to_owned()),
        }
    } else {
        let bounds = ["0", "1", "2", "10", "0.5", "-1e2", "1e30"];
        Bound::Number(match choices.once_in(3) {
            true => choices.pick(&bounds).to_owned(),
            false => text.to_owned(),
        })
    };
    Test::Compare { op, bound }
}

/// The text of a value, or one that is near it in its type.
fn near(choices: &mut Choices<'_>, value: &Value) -> String {
    let text = value.scalar.as_text().unwrap_or_default();
    if choices.once_in(3) {
        match &value.scalar {
            Scalar::Number(_) => {
                let forms = [format!("{text}.0"), format!("{text}e0"), format!("{text}0")];
                let form = forms.get(choices.below(3)).cloned().unwrap_or_default();
                if Decimal::parse(&form).is_some() {
                    return form;
                }
            }
            Scalar::Text(_) if Timestamp::parse_rfc3339(text).is_some() => {
                return another_form(choices, text);
            }
            Scalar::Text(_) => return recased(choices, text),
            Scalar::Null | Scalar::Bool(_) => {}
        }
    }
    text.to_owned()
}

/// A moment, written in another way, or its day.
fn another_form(choices: &mut Choices<'_>, text: &str) -> String {
    let Some(moment) = Timestamp::parse_rfc3339(text) else {
        return text.to_owned();
    };
    let utc = moment.to_micros_text();
    match choices.below(5) {
        0 => moment.to_millis_text(),
        1 => utc,
        2 => utc.trim_end_matches('Z').to_owned(),
        3 => utc.chars().take(10).collect(),
        _ => text.to_owned(),
    }
}

fn recased(choices: &mut Choices<'_>, text: &str) -> String {
    match choices.below(6) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

/// Words that are in the text, or have the stem of one, or a piece with a symbol.
fn said(choices: &mut Choices<'_>, kind: Condition, text: &str) -> String {
    match kind {
        Condition::Stem => {
            let families: Vec<&[&str]> = words(text).filter_map(|word| family(&word)).collect();
            let family = choices.pick(&families);
            choices.pick(family).to_owned()
        }
        Condition::Phrase => {
            let n_words = 2 + choices.below(2);
            let mut row = row_of_words(choices.below(8), n_words, text);
            if choices.once_in(6) {
                row.reverse();
            }
            row.join(" ")
        }
        Condition::Symbol => {
            let pieces = text.split_whitespace();
            let pieces: Vec<&str> = pieces.filter(|piece| piece.contains(is_symbol)).collect();
            match pieces.is_empty() {
                true => text.to_owned(),
                false => choices.pick(&pieces).to_owned(),
            }
        }
        _ => word(choices, text),
    }
}

/// One word of the text, rather not one that others have the stem of.
fn word(choices: &mut Choices<'_>, text: &str) -> String {
    let row = row_of_words(choices.below(16), 16, text);
    let plain = row.iter().find(|word| family(word).is_none());
    plain.or(row.first()).cloned().unwrap_or_default()
}

/// Adjacent words of a text, from its `start`-th on as far as that can be.
fn row_of_words(start: usize, n_words: usize, text: &str) -> Vec<String> {
    let all: Vec<String> = words(text).take(64).collect();
    let n_starts = (all.len() + 1).saturating_sub(n_words).max(1);
    all.into_iter()
        .skip(start % n_starts)
        .take(n_words)
        .collect()
}

/// The text with stars in the place of parts of it.
fn pattern(choices: &mut Choices<'_>, text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let cut = |from: usize, to: usize| -> String {
        let part = chars.iter().skip(from).take(to.saturating_sub(from));
        part.collect()
    };
    let len = chars.len();
    let a = choices.below_wide(len + 1);
    let b = a + choices.below_wide(len - a + 1);
    let none = String::new;
    match choices.below(6) {
        0 => vec![cut(0, a.max(1)), none()],
        1 => vec![none(), cut(a.min(len.saturating_sub(1)), len)],
        2 => vec![none(), cut(a, b.max(a + 1)), none()],
        3 => vec![cut(0, a), cut(b, len)],
        4 => {
            let middle = (a + b) / 2;
            vec![cut(0, a.min(1)), cut(a, middle), cut(b, len)]
        }
        _ => vec![none(), cut(a, b), none(), none()],
    }
}

/// The text after at most `edits` edits.
fn edited(choices: &mut Choices<'_>, text: &str, edits: u8) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..choices.below(usize::from(edits) + 1) {
        let at = choices.below(chars.len() + 1);
        let new = choices.pick(&['e', 'x', '1', 'ß', ' ']);
        match choices.below(3) {
            0 if at < chars.len() && chars.len() > 1 => {
                chars.remove(at);
            }
            1 => {
                if let Some(old) = chars.get_mut(at) {
                    *old = new;
                }
            }
            _ => chars.insert(at, new),
        }
    }
    chars.into_iter().collect()
}

fn is_symbol(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}

/// The words that have the stem of a folded one.
fn family(word: &str) -> Option<&'static [&'static str]> {
    let mut all = FAMILIES.iter();
    let found = all.find(|(_, forms)| forms.iter().any(|form| fold(form) == *word));
    found.map(|(_, forms)| *forms)
}
