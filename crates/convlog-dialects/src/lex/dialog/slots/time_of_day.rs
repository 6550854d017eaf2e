//! Times of day: hours and minutes of 24 hours, or `MO`, `AF`, `EV`, `NI` for parts of a day.

use super::super::words::Said;
use super::{Find, number};

/// A time that begins at a word.
pub(super) fn find(said: &Said, at: usize) -> Option<Find> {
    let named = match said.word(at)? {
        "noon" | "midday" => Some("12:00"),
        "midnight" => Some("00:00"),
        "morning" => Some("MO"),
        "afternoon" => Some("AF"),
        "evening" => Some("EV"),
        "night" | "tonight" => Some("NI"),
        _ => None,
    };
    if let Some(value) = named {
        return Some(super::find(said, at, at + 1, value.to_owned()));
    }
    let (hour, minute, to) = clock(said, at).or_else(|| relative(said, at))?;
    Some(super::find(said, at, to, format!("{hour:02}:{minute:02}")))
}

/// `10:30`, `17.45`, `5 pm`, `5:30pm`, `five o'clock`, `ten thirty pm`.
fn clock(said: &Said, at: usize) -> Option<(u32, u32, usize)> {
    let word = said.word(at)?;
    let (word, glued_half) = split_half(word);
    let (hour, minute) = match word.split_once(['.', ':']) {
        Some((hour, minute)) => (two_digits(hour)?, Some(minutes(minute)?)),
        None => (hour_word(word)?, None),
    };
    if glued_half.is_some() || minute.is_some() {
        let (half, to) = match glued_half {
            Some(half) => (Some(half), at + 1),
            None => half(said, at + 1),
        };
        return day_time(hour, minute.unwrap_or(0), half, to);
    }
    let here = said.tokens.get(at)?.span.end;
    let behind = said.text.get(here..).unwrap_or_default();
    let next = said.word(at + 1).unwrap_or_default();
    let (next, glued_half) = split_half(next);
    let is_joined = behind.starts_with(':');
    let spoken = number::value(Some(next)).filter(|minute| (10..60).contains(minute));
    let minute = if is_joined {
        Some(minutes(next)?)
    } else {
        spoken
    };
    if let Some(minute) = minute {
        let seconds = seconds(said, at + 1).filter(|_| is_joined && glued_half.is_none());
        let last = at + 1 + usize::from(seconds.is_some());
        let (half, to) = match seconds.flatten().or(glued_half) {
            Some(half) => (Some(half), last + 1),
            None => half(said, last + 1),
        };
        return match is_joined || half.is_some() {
            true => day_time(hour, minute, half, to),
            false => None,
        };
    }
    if next == "o'clock" {
        let (half, to) = half(said, at + 2);
        return day_time(hour, 0, half, to);
    }
    let (half, to) = half(said, at + 1);
    half.and_then(|half| day_time(hour, 0, Some(half), to))
}

/// `half past five`, `quarter to six pm`, `ten past two`.
fn relative(said: &Said, at: usize) -> Option<(u32, u32, usize)> {
    let at = if said.word(at) == Some("a") {
        at + 1
    } else {
        at
    };
    let minute = match said.word(at)? {
        "half" => 30,
        "quarter" => 15,
        word => hour_word(word).filter(|minute| (1..60).contains(minute))?,
    };
    let is_past = match said.word(at + 1)? {
        "past" | "after" => true,
        "to" | "before" => false,
        _ => return None,
    };
    let hour = hour_word(said.word(at + 2)?)?;
    let (half, to) = half(said, at + 3);
    let (hour, minute, to) = day_time(hour, minute, half, to)?;
    match is_past {
        true => Some((hour, minute, to)),
        false => Some(((hour + 23) % 24, 60 - minute, to)),
    }
}

/// The hour of a day that has 24 of them.
fn day_time(hour: u32, minute: u32, half: Option<Half>, to: usize) -> Option<(u32, u32, usize)> {
    let hour = match half {
        None if hour < 24 => hour,
        Some(Half::Morning) if (1..=12).contains(&hour) => hour % 12,
        Some(Half::Evening) if (1..=12).contains(&hour) => hour % 12 + 12,
        _ => return None,
    };
    Some((hour, minute, to))
}

#[derive(Clone, Copy)]
enum Half {
    Morning,
    Evening,
}

fn half_of(word: &str) -> Option<Half> {
    match word {
        "am" | "a.m" => Some(Half::Morning),
        "pm" | "p.m" => Some(Half::Evening),
        _ => None,
    }
}

/// The half of the day that a word is, and the word after it.
fn half(said: &Said, at: usize) -> (Option<Half>, usize) {
    let half = said.word(at).and_then(half_of);
    let spoken = match (said.word(at), said.word(at + 1), said.word(at + 2)) {
        (Some("in"), Some("the"), Some("morning")) => Some(Half::Morning),
        (Some("in"), Some("the"), Some("afternoon" | "evening")) => Some(Half::Evening),
        _ => None,
    };
    match (half, spoken) {
        (Some(half), _) => (Some(half), at + 1),
        (None, Some(half)) => (Some(half), at + 3),
        (None, None) => (None, at),
    }
}

/// `5pm` as `5` and its half.
fn split_half(word: &str) -> (&str, Option<Half>) {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '.');
    let rest = word.get(digits.len()..).unwrap_or_default();
    match half_of(rest) {
        Some(half) if !digits.is_empty() => (digits, Some(half)),
        _ => (word, None),
    }
}

/// Whether the seconds of `10:30:00`, which do not count, stand behind a minute, and the half of
/// the day that sticks to them.
fn seconds(said: &Said, minute_at: usize) -> Option<Option<Half>> {
    let end = said.tokens.get(minute_at)?.span.end;
    let behind = said.text.get(end..)?;
    let (word, half) = split_half(said.word(minute_at + 1)?);
    minutes(word).filter(|_| behind.starts_with(':'))?;
    Some(half)
}

fn hour_word(word: &str) -> Option<u32> {
    two_digits(word).or_else(|| number::value(Some(word)))
}

fn minutes(word: &str) -> Option<u32> {
    two_digits(word).filter(|minute| word.len() == 2 && *minute < 60)
}

fn two_digits(word: &str) -> Option<u32> {
    let fits = matches!(word.len(), 1 | 2) && word.bytes().all(|b| b.is_ascii_digit());
    word.parse().ok().filter(|_| fits)
}
