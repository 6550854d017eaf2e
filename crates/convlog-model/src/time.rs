//! Moments: UTC, microseconds; RFC 3339 in and out.

use std::fmt;

use ::time::format_description::well_known::Rfc3339;
use ::time::macros::format_description;
use ::time::{Date, Month, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A moment in UTC, in microseconds since 1970-01-01. Years 0001 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis.saturating_mul(1000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment and `micros` more, at the ends of time when it would overflow.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Timestamp(self.0.saturating_add(micros))
    }

    /// Parses RFC 3339, all of the text; the only form that makes a string a date.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let plausible = (20..=40).contains(&text.len()) && text.as_bytes().get(4) == Some(&b'-');
        if !plausible {
            return None;
        }
        if let Some(moment) = parse_millis(text) {
            return Some(moment);
        }
        from_offset(OffsetDateTime::parse(text, &Rfc3339).ok()?)
    }

    /// Parses what filters and query parameters hold: RFC 3339, the same without a zone (UTC),
    /// or a date alone, which stands for the whole day.
    #[must_use]
    pub fn parse_loose(text: &str) -> Option<Span> {
        if let Some(moment) = Self::parse_rfc3339(text) {
            return Some(Span {
                start: moment,
                end: moment,
            });
        }
        let second = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let fraction =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond]");
        let local = PrimitiveDateTime::parse(text, second)
            .or_else(|_| PrimitiveDateTime::parse(text, fraction));
        if let Ok(local) = local {
            let moment = from_offset(local.assume_utc())?;
            return Some(Span {
                start: moment,
                end: moment,
            });
        }
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
        let start = from_offset(day.midnight().assume_utc())?;
        Some(Span {
            start,
            end: start.plus_micros(DAY_US - 1),
        })
    }

    /// `2026-03-02T09:00:41.318Z`: milliseconds, as Watson writes times.
    #[must_use]
    pub fn to_millis_text(self) -> String {
        let parts = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        self.to_offset().format(parts).unwrap_or_default()
    }

    /// `2026-03-02T09:00:41.318000Z`: microseconds, as convlog's own API writes times.
    #[must_use]
    pub fn to_micros_text(self) -> String {
        let parts = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
        );
        self.to_offset().format(parts).unwrap_or_default()
    }

    /// The same moment in the type of the calendar library, clamped to the years it knows.
    #[must_use]
    pub fn to_offset(self) -> OffsetDateTime {
        let nanos = i128::from(self.0) * 1000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// The form that most clients write, `2026-03-02T09:00:41.318Z`, several times faster than by the
/// grammar; `None` for any other, and for what needs a closer look.
fn parse_millis(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let marks = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (23, b'Z'),
    ];
    if marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
        return None;
    }
    let number = |digits: &[u8]| {
        let step = |all: u16, byte: &u8| {
            byte.is_ascii_digit()
                .then(|| all * 10 + u16::from(byte - b'0'))
        };
        digits.iter().try_fold(0, step)
    };
    let small = |digits: &[u8]| u8::try_from(number(digits)?).ok();
    let year = i32::from(number(&bytes[..4])?);
    let month = Month::try_from(small(&bytes[5..7])?).ok()?;
    let date = Date::from_calendar_date(year, month, small(&bytes[8..10])?).ok()?;
    let (hour, minute) = (small(&bytes[11..13])?, small(&bytes[14..16])?);
    let (second, millis) = (small(&bytes[17..19])?, number(&bytes[20..23])?);
    let moment = date.with_hms_milli(hour, minute, second, millis).ok()?;
    from_offset(moment.assume_utc())
}

fn from_offset(moment: OffsetDateTime) -> Option<Timestamp> {
    let nanos = moment.to_offset(UtcOffset::UTC).unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1000)).ok().map(Timestamp)
}

/// First and last microsecond that a written date stands for; the same for a full time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First microsecond.
    pub start: Timestamp,
    /// Last microsecond.
    pub end: Timestamp,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_micros_text())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_usual_form_is_read_as_the_grammar_says(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9][.,][0-9]{2}[0-9a]Z"
        ) {
            let by_grammar = OffsetDateTime::parse(&text, &Rfc3339).ok().and_then(from_offset);
            prop_assert_eq!(Timestamp::parse_rfc3339(&text), by_grammar);
        }
    }

    #[test]
    fn times_are_read_with_and_without_zone_and_as_days() {
        let noon = Timestamp::parse_rfc3339("2020-07-01T14:00:00.5+02:00").unwrap();
        assert_eq!(noon.to_millis_text(), "2020-07-01T12:00:00.500Z");
        assert_eq!(noon.to_micros_text(), "2020-07-01T12:00:00.500000Z");
        let same = Timestamp::parse_loose("2020-07-01T12:00:00.5").unwrap();
        assert_eq!(
            same,
            Span {
                start: noon,
                end: noon
            }
        );
        let day = Timestamp::parse_loose("2020-07-01").unwrap();
        assert_eq!(day.start.to_micros_text(), "2020-07-01T00:00:00.000000Z");
        assert_eq!(day.end.to_micros_text(), "2020-07-01T23:59:59.999999Z");
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in ["yesterday", "2020-07-01 ", "2020-13-01", "20200701", ""] {
            assert_eq!(Timestamp::parse_loose(text), None, "{text}");
        }
        assert_eq!(Timestamp::parse_rfc3339("2020-07-01"), None);
    }
}
