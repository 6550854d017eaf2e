//! Moments: UTC, microseconds; RFC 3339 in and out.

use std::fmt;

use ::time::format_description::well_known::Rfc3339;
use ::time::macros::format_description;
use ::time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

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
    use super::*;

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
