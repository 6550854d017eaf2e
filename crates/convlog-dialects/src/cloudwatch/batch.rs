//! The batch of `PutLogEvents`: what refuses it whole, and which of its events are refused alone.

/// Most bytes of a batch: UTF-8 of the messages and [`EVENT_BYTES`] for each event.
pub const BATCH_BYTES_MAX: usize = 1_048_576;
/// What an event counts beside its message.
pub const EVENT_BYTES: usize = 26;
/// Most events of a batch.
pub const BATCH_EVENTS_MAX: usize = 10_000;

const DAY_MS: i64 = 86_400_000;
/// Longest time between the first and the last event.
pub const SPAN_MS: i64 = DAY_MS;
/// Age from which events are refused.
const OLD_MS: i64 = 14 * DAY_MS;
/// How far ahead of the clock events may be.
const AHEAD_MS: i64 = 2 * 3_600_000;

/// Why a batch is refused whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It has too many bytes.
    #[error("Upload too large: {0} bytes exceeds limit of {BATCH_BYTES_MAX}")]
    Bytes(usize),
    /// It has too many events.
    #[error("The batch of log events has more than {BATCH_EVENTS_MAX} events.")]
    Events,
    /// Its events are not in the order of their times.
    #[error("Log events in a single PutLogEvents request must be in chronological order.")]
    Order,
    /// Its events lie too far apart.
    #[error(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    )]
    Span,
}

/// Which events of a batch are kept, by index, and which are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sorted {
    /// The first that is kept.
    pub start: usize,
    /// Behind the last that is kept.
    pub end: usize,
    /// Behind the last that is too old.
    pub too_old_end: Option<usize>,
    /// The first that is too new.
    pub too_new_start: Option<usize>,
    /// Behind the last that retention would take away at once.
    pub expired_end: Option<usize>,
}

/// Looks at the events of a batch, each its time in milliseconds and the bytes of its message.
///
/// # Errors
/// [`Refused`]
pub fn sort_out(
    events: &[(i64, usize)],
    now_ms: i64,
    retention_days: Option<u32>,
) -> Result<Sorted, Refused> {
    let bytes = events.iter().map(|(_, bytes)| bytes + EVENT_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(Refused::Bytes(bytes));
    }
    if events.len() > BATCH_EVENTS_MAX {
        return Err(Refused::Events);
    }
    let times: Vec<i64> = events.iter().map(|(time, _)| *time).collect();
    if !times.is_sorted() {
        return Err(Refused::Order);
    }
    if let (Some(first), Some(last)) = (times.first(), times.last())
        && last.saturating_sub(*first) > SPAN_MS
    {
        return Err(Refused::Span);
    }
    let n_before = |limit_ms: i64| times.partition_point(|time| *time < limit_ms);
    let n_old = n_before(now_ms.saturating_sub(OLD_MS));
    let n_expired = retention_days.map_or(0, |days| {
        n_before(now_ms.saturating_sub(i64::from(days) * DAY_MS))
    });
    let end = n_before(now_ms.saturating_add(AHEAD_MS).saturating_add(1));
    let some = |n: usize| (n > 0).then_some(n);
    Ok(Sorted {
        start: n_old.max(n_expired).min(end),
        end,
        too_old_end: some(n_old),
        too_new_start: (end < times.len()).then_some(end),
        expired_end: some(n_expired),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn at(times: &[i64]) -> Result<Sorted, Refused> {
        let events: Vec<(i64, usize)> = times.iter().map(|time| (NOW + time, 1)).collect();
        sort_out(&events, NOW, None)
    }

    #[test]
    fn what_is_too_old_and_too_new_is_refused_alone() {
        let all = at(&[-OLD_MS - 1, -OLD_MS]).unwrap();
        assert_eq!((all.start, all.end, all.too_old_end), (1, 2, Some(1)));
        let all = at(&[0, AHEAD_MS, AHEAD_MS + 1]).unwrap();
        assert_eq!((all.start, all.end, all.too_new_start), (0, 2, Some(2)));
        let none = at(&[AHEAD_MS + 1]).unwrap();
        assert_eq!((none.start, none.end, none.too_new_start), (0, 0, Some(0)));
        assert_eq!(at(&[0]).unwrap().too_old_end, None);
    }

    #[test]
    fn retention_counts_as_well() {
        let all = sort_out(&[(NOW - DAY_MS - 1, 1), (NOW - DAY_MS, 1)], NOW, Some(1)).unwrap();
        assert_eq!((all.start, all.end, all.expired_end), (1, 2, Some(1)));
        assert_eq!(all.too_old_end, None);
    }

    #[test]
    fn batches_are_bounded_in_order_and_of_one_day() {
        assert_eq!(at(&[1, 0]), Err(Refused::Order));
        assert_eq!(at(&[-SPAN_MS - 1, 0]), Err(Refused::Span));
        assert!(at(&[-SPAN_MS, 0]).is_ok());
        let fitting = BATCH_BYTES_MAX - EVENT_BYTES;
        assert!(sort_out(&[(NOW, fitting)], NOW, None).is_ok());
        let refused = sort_out(&[(NOW, fitting + 1)], NOW, None);
        assert_eq!(refused, Err(Refused::Bytes(BATCH_BYTES_MAX + 1)));
        let many = vec![(NOW, 1); BATCH_EVENTS_MAX + 1];
        assert_eq!(sort_out(&many, NOW, None), Err(Refused::Events));
    }
}
