//! Periods such as `5m`, and the bins that they cut time into.

use convlog_model::time::Timestamp;

/// A number of units of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Period {
    n_units: i64,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    /// Of so many milliseconds, counted from a moment of so many milliseconds.
    Fixed(i64, i64),
    /// Of so many months, counted from January 1970.
    Months(i64),
}

/// Most units of a period.
pub(super) const UNITS_MAX: i64 = 100_000;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Weeks begin on Mondays; 1970 began on a Thursday.
const FIRST_MONDAY: i64 = 4 * DAY;

impl Period {
    /// `n` of a unit by its name in any case; `None` for an unknown unit or a number out of range.
    pub(super) fn new(n: f64, unit: &str) -> Option<Self> {
        let n_units = super::value::whole(n);
        let is_whole = n.fract() == 0.0 && (1..=UNITS_MAX).contains(&n_units);
        let unit = unit_of(&unit.to_ascii_lowercase())?;
        is_whole.then_some(Period { n_units, unit })
    }

    /// The start of the bin that holds a moment; all in milliseconds since the epoch.
    pub(super) fn floor(self, millis: i64) -> i64 {
        match self.unit {
            Unit::Fixed(length, origin) => {
                let length = length.saturating_mul(self.n_units);
                let bin = millis.saturating_sub(origin).div_euclid(length);
                bin.saturating_mul(length).saturating_add(origin)
            }
            Unit::Months(length) => {
                let length = length.saturating_mul(self.n_units);
                month_start(month_of(millis).div_euclid(length) * length).unwrap_or(millis)
            }
        }
    }

    /// The start of the first bin that begins at a moment or after it.
    pub(super) fn ceil(self, millis: i64) -> i64 {
        let floor = self.floor(millis);
        if floor == millis {
            return floor;
        }
        match self.unit {
            Unit::Fixed(length, _) => floor.saturating_add(length.saturating_mul(self.n_units)),
            Unit::Months(length) => {
                let length = length.saturating_mul(self.n_units);
                month_start(month_of(floor).saturating_add(length)).unwrap_or(millis)
            }
        }
    }
}

fn unit_of(name: &str) -> Option<Unit> {
    Some(match name {
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Unit::Fixed(1, 0),
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Fixed(SECOND, 0),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Fixed(MINUTE, 0),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Fixed(HOUR, 0),
        "d" | "day" | "days" => Unit::Fixed(DAY, 0),
        "w" | "week" | "weeks" => Unit::Fixed(7 * DAY, FIRST_MONDAY),
        "mo" | "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "q" | "qtr" | "qtrs" | "quarter" | "quarters" => Unit::Months(3),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Months(12),
        _ => return None,
    })
}

/// Months from January 1970 to the month of a moment.
fn month_of(millis: i64) -> i64 {
    let date = Timestamp::from_millis(millis).to_offset();
    let month: u8 = date.month().into();
    (i64::from(date.year()) - 1970) * 12 + i64::from(month) - 1
}

/// First millisecond of a month; `None` outside of the years that are known.
fn month_start(month: i64) -> Option<i64> {
    let year = month.div_euclid(12).saturating_add(1970);
    let text = format!("{year:04}-{:02}-01", month.rem_euclid(12) + 1);
    Some(Timestamp::parse_loose(&text)?.start.millis())
}
