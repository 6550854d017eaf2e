//! How entries are put into calls of PutLogEvents: within AWS's limits, in order.

use std::collections::BTreeMap;

use convlog_dialects::cloudwatch::batch::{
    BATCH_BYTES_MAX as BYTES_MAX, BATCH_EVENTS_MAX as EVENTS_MAX, EVENT_BYTES, SPAN_MS,
};

/// What of an entry decides where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) stream: &'a str,
    pub(super) at_ms: i64,
    pub(super) n_bytes: usize,
}

/// Whether an entry is larger than any call may be.
pub(super) fn is_too_large(n_bytes: usize) -> bool {
    n_bytes + EVENT_BYTES > BYTES_MAX
}

#[derive(Debug)]
struct Open {
    items: Vec<usize>,
    n_bytes: usize,
    from_ms: i64,
    to_ms: i64,
}

impl Open {
    fn takes(&self, item: &Item<'_>) -> bool {
        let from_ms = self.from_ms.min(item.at_ms);
        let to_ms = self.to_ms.max(item.at_ms);
        self.items.len() < EVENTS_MAX
            && self.n_bytes + item.n_bytes + EVENT_BYTES <= BYTES_MAX
            && to_ms.saturating_sub(from_ms) < SPAN_MS
    }
}

/// The calls for these entries: indexes of each one's entries, by time as AWS wants them. Calls of
/// one stream follow each other as its entries do.
pub(super) fn cut(items: &[Item<'_>]) -> Vec<Vec<usize>> {
    let mut open: BTreeMap<&str, Open> = BTreeMap::new();
    let mut closed = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(batch) = open.get_mut(item.stream) {
            if batch.takes(item) {
                batch.items.push(index);
                batch.n_bytes += item.n_bytes + EVENT_BYTES;
                batch.from_ms = batch.from_ms.min(item.at_ms);
                batch.to_ms = batch.to_ms.max(item.at_ms);
                continue;
            }
            closed.push(std::mem::take(&mut batch.items));
        }
        let batch = Open {
            items: vec![index],
            n_bytes: item.n_bytes + EVENT_BYTES,
            from_ms: item.at_ms,
            to_ms: item.at_ms,
        };
        open.insert(item.stream, batch);
    }
    closed.extend(open.into_values().map(|batch| batch.items));
    for batch in &mut closed {
        // Entries of the same millisecond stay as they are.
        batch.sort_by_key(|index| items.get(*index).map(|item| item.at_ms));
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(stream: &str, at_ms: i64, n_bytes: usize) -> Item<'_> {
        Item {
            stream,
            at_ms,
            n_bytes,
        }
    }

    #[test]
    fn streams_are_apart_and_keep_their_order() {
        let items = [
            item("a", 1, 10),
            item("b", 1, 10),
            item("a", 2, 10),
            item("a", 2, 10),
        ];
        assert_eq!(cut(&items), [vec![0, 2, 3], vec![1]]);
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn a_call_is_in_order_of_time() {
        let items = [
            item("a", 5, 1),
            item("a", 3, 1),
            item("a", 4, 1),
            item("a", 3, 1),
        ];
        assert_eq!(cut(&items), [[1, 3, 2, 0]]);
    }

    #[test]
    fn bytes_count_with_26_for_each_event() {
        let half = BYTES_MAX / 2 - EVENT_BYTES;
        assert_eq!(cut(&[item("a", 1, half), item("a", 1, half)]).len(), 1);
        assert_eq!(cut(&[item("a", 1, half), item("a", 1, half + 1)]).len(), 2);
        assert!(!is_too_large(BYTES_MAX - EVENT_BYTES));
        assert!(is_too_large(BYTES_MAX - EVENT_BYTES + 1));
    }

    #[test]
    fn a_call_has_ten_thousand_events_at_most() {
        let items = vec![item("a", 1, 1); 20_001];
        let n_each: Vec<usize> = cut(&items).iter().map(Vec::len).collect();
        assert_eq!(n_each, [10_000, 10_000, 1]);
    }

    #[test]
    fn a_call_spans_less_than_a_day() {
        let items = [
            item("a", 0, 1),
            item("a", SPAN_MS - 1, 1),
            item("a", SPAN_MS, 1),
        ];
        assert_eq!(cut(&items), [vec![0, 1], vec![2]]);
        let back = [item("a", SPAN_MS, 1), item("a", 0, 1)];
        assert_eq!(cut(&back), [[0], [1]]);
    }
}
