//! Dates in digits and English words, as ISO 8601 writes them: days, weeks, months and years.

use ::time::{Date, Duration, Month, Weekday};

use super::super::words::Said;
use super::{Find, number};

/// A date that begins at a word; what has no year is the next such day from `today` on.
pub(super) fn find(said: &Said, at: usize, today: Date, month_first: bool) -> Option<Find> {
    let (value, to) = written(said, at, today, month_first)
        .or_else(|| near(said, at, today))
        .or_else(|| weekday(said, at, today))
        .or_else(|| month_and_day(said, at, today))
        .or_else(|| day_and_month(said, at, today))
        .or_else(|| distance(said, at, today))?;
    Some(super::find(said, at, to, value))
}

fn day_text(day: Date) -> String {
    let month = u8::from(day.month());
    format!("{:04}-{month:02}-{:02}", day.year(), day.day())
}

fn week_text(day: Date) -> String {
    let (year, week, _) = day.to_iso_week_date();
    format!("{year:04}-W{week:02}")
}

/// `2026-03-04`, `3/4/2026`, `4.3.2026`, `3/4`.
fn written(said: &Said, at: usize, today: Date, month_first: bool) -> Option<(String, usize)> {
    let start = said.tokens.get(at)?.span.start;
    let before = said.text.get(..start).unwrap_or_default();
    if before.ends_with(['-', '/', '.']) {
        return None;
    }
    let rest = said.rest(at);
    let run = rest.split(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '/' | '.')));
    let run = run
        .map(|run| run.trim_end_matches(['-', '/', '.']))
        .next()?;
    let end = start + run.len();
    let behind = said.text.get(end..).unwrap_or_default();
    let sign = run.chars().find(|c| !c.is_ascii_digit())?;
    if behind.starts_with(char::is_alphanumeric) || run.len() > 10 {
        return None;
    }
    let parts: Vec<&str> = run.split(sign).collect();
    let number = |at: usize| parts.get(at)?.parse::<u16>().ok();
    let day = match (sign, parts.len()) {
        ('-', 3) if parts.first()?.len() == 4 => day(number(0)?, number(1)?, number(2)?)?,
        ('/', 2 | 3) if month_first => year_or_next(today, number(0)?, number(1)?, number(2))?,
        ('/' | '.', 3) | ('/', 2) => year_or_next(today, number(1)?, number(0)?, number(2))?,
        _ => return None,
    };
    Some((day_text(day), said.after(end)))
}

fn day(year: u16, month: u16, day: u16) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let year = i32::from(year);
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

/// A day with its year, of which two digits are enough, or the next such day.
fn year_or_next(today: Date, month: u16, of_month: u16, year: Option<u16>) -> Option<Date> {
    if let Some(year) = year {
        let year = if year < 100 { 2000 + year } else { year };
        return day(year, month, of_month);
    }
    let this_year = u16::try_from(today.year()).ok()?;
    // The 29th of February is at most eight years away.
    let mut years =
        (this_year..=this_year.saturating_add(8)).filter_map(|y| day(y, month, of_month));
    years.find(|day| *day >= today)
}

/// Days, weeks, months and years that lie next to today.
fn near(said: &Said, at: usize, today: Date) -> Option<(String, usize)> {
    let word = |i: usize| said.word(at + i).unwrap_or_default();
    let days =
        |count: i64, to: usize| Some((day_text(today.checked_add(Duration::days(count))?), to));
    match (word(0), word(1), word(2)) {
        ("today" | "tonight", ..) => return days(0, at + 1),
        ("tomorrow", ..) => return days(1, at + 1),
        ("yesterday", ..) => return days(-1, at + 1),
        ("day", "after", "tomorrow") => return days(2, at + 3),
        ("day", "before", "yesterday") => return days(-2, at + 3),
        _ => {}
    }
    let step = match word(0) {
        "this" => 0,
        "next" => 1,
        "last" => -1,
        _ => return None,
    };
    let to = at + 2;
    match word(1) {
        "week" => Some((week_text(today.checked_add(Duration::weeks(step))?), to)),
        "weekend" => {
            let week = week_text(today.checked_add(Duration::weeks(step))?);
            Some((format!("{week}-WE"), to))
        }
        "month" => {
            let months =
                i64::from(today.year()) * 12 + i64::from(u8::from(today.month())) - 1 + step;
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
            Some((format!("{year:04}-{month:02}"), to))
        }
        "year" => Some((format!("{:04}", i64::from(today.year()) + step), to)),
        _ => None,
    }
}

/// `friday`, `this friday`, `next friday`, `last friday`. Only `this` may be today.
fn weekday(said: &Said, at: usize, today: Date) -> Option<(String, usize)> {
    let first = said.word(at)?;
    let (which, day_at) = match first {
        "this" | "next" | "last" => (first, at + 1),
        _ => ("", at),
    };
    let wanted = weekday_of(said.word(day_at)?)?;
    let from_today = i64::from(wanted.number_days_from_monday())
        - i64::from(today.weekday().number_days_from_monday());
    let ahead = from_today.rem_euclid(7);
    let days = match which {
        "this" => ahead,
        "last" if ahead == 0 => -7,
        "last" => ahead - 7,
        _ if ahead == 0 => 7,
        _ => ahead,
    };
    let day = today.checked_add(Duration::days(days))?;
    Some((day_text(day), day_at + 1))
}

fn weekday_of(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

fn month_of(word: &str) -> Option<u16> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let is_name = |name: &str| *name == *word || (word.len() == 3 && name.starts_with(word));
    (1..)
        .zip(MONTHS)
        .find(|(_, name)| is_name(name))
        .map(|(month, _)| month)
}

/// `march 3`, `march 3rd 2027`, `march the third`.
fn month_and_day(said: &Said, at: usize, today: Date) -> Option<(String, usize)> {
    let month = month_of(said.word(at)?)?;
    let day_at = if said.word(at + 1) == Some("the") {
        at + 2
    } else {
        at + 1
    };
    let (of_month, to) = day_of_month(said, day_at)?;
    with_year(said, today, month, of_month, to)
}

/// `3 march`, `the 3rd of march 2027`.
fn day_and_month(said: &Said, at: usize, today: Date) -> Option<(String, usize)> {
    let day_at = if said.word(at) == Some("the") {
        at + 1
    } else {
        at
    };
    let (of_month, to) = day_of_month(said, day_at)?;
    let month_at = if said.word(to) == Some("of") {
        to + 1
    } else {
        to
    };
    let month = month_of(said.word(month_at)?)?;
    with_year(said, today, month, of_month, month_at + 1)
}

fn with_year(
    said: &Said,
    today: Date,
    month: u16,
    of_month: u16,
    to: usize,
) -> Option<(String, usize)> {
    let is_year = |word: &&str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    let year = said
        .word(to)
        .filter(is_year)
        .and_then(|word| word.parse().ok());
    let day = year_or_next(today, month, of_month, year)?;
    Some((day_text(day), to + usize::from(year.is_some())))
}

/// `3`, `3rd`, `third`, `twenty third`, and the word after it.
fn day_of_month(said: &Said, at: usize) -> Option<(u16, usize)> {
    const ORDINALS: [&str; 20] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    let ordinal = |word: Option<&str>| {
        let word = word?;
        (1..)
            .zip(ORDINALS)
            .find(|(_, name)| *name == word)
            .map(|(day, _)| day)
    };
    let word = said.word(at)?;
    if let Some(day) = ordinal(Some(word)) {
        return Some((day, at + 1));
    }
    let tens = number::value(Some(word)).filter(|tens| matches!(tens, 20 | 30));
    let ones = ordinal(said.word(at + 1)).filter(|ones| *ones < 10);
    if let (Some(tens), Some(ones)) = (tens, ones) {
        return Some((u16::try_from(tens).ok()? + ones, at + 2));
    }
    if word == "thirtieth" {
        return Some((30, at + 1));
    }
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| word.strip_suffix(end));
    let digits = digits.unwrap_or(word);
    let is_short = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_short {
        return Some((digits.parse().ok()?, at + 1));
    }
    let (digits, to) = number::read(said, at)?;
    let day = digits
        .parse()
        .ok()
        .filter(|day| (1..=31).contains(day) && digits.len() < 3)?;
    Some((day, to))
}

/// `in 3 days`, `in two weeks`.
fn distance(said: &Said, at: usize, today: Date) -> Option<(String, usize)> {
    if said.word(at) != Some("in") {
        return None;
    }
    let (count, to) = match said.word(at + 1)? {
        "a" => (1, at + 2),
        _ => {
            let (digits, to) = number::read(said, at + 1)?;
            (digits.parse::<u16>().ok()?, to)
        }
    };
    let days = match said.word(to)? {
        "day" | "days" => i64::from(count),
        "week" | "weeks" => i64::from(count) * 7,
        _ => return None,
    };
    let day = today.checked_add(Duration::days(days))?;
    Some((day_text(day), to + 1))
}
