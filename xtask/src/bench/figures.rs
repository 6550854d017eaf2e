//! What is measured of an engine, in the same form for all of them, and whether their answers agree.

use std::time::Duration;

use super::report::Latencies;

/// One engine's figures; what it cannot do or was not asked stays empty.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) n_records: usize,
    pub(super) ingest: Option<Duration>,
    pub(super) acknowledged: Latencies,
    pub(super) questions: Vec<Asked>,
    pub(super) histogram: Vec<Day>,
    pub(super) histogram_times: Latencies,
    pub(super) n_disk: u64,
    pub(super) export: Option<Duration>,
    pub(super) erase: Option<Duration>,
    pub(super) n_erased: u64,
    /// Bytes at peak while it took records.
    pub(super) memory: u64,
}

/// One list question and its count.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) name: String,
    /// How many match.
    pub(super) total: u64,
    /// Log ids of the first page, in its order.
    pub(super) ids: Vec<String>,
    pub(super) list: Latencies,
    pub(super) count: Latencies,
}

/// Day, records, distinct users.
pub(super) type Day = (String, u64, u64);

impl Figures {
    pub(super) fn rate(&self) -> Option<f64> {
        let seconds = self.ingest?.as_secs_f64();
        Some(self.n_records as f64 / seconds)
    }

    pub(super) fn question(&self, name: &str) -> Option<&Asked> {
        self.questions.iter().find(|asked| asked.name == name)
    }
}

/// Where a peer answers otherwise than the first engine, and questions that found nothing. A
/// question that a peer was not asked is no difference.
pub(super) fn differences(first: &Figures, peers: &[Figures]) -> Vec<String> {
    let mut found = Vec::new();
    for asked in &first.questions {
        if asked.total == 0 || asked.ids.is_empty() {
            found.push(format!("{}: `{}` finds nothing", first.name, asked.name));
        }
        for peer in peers {
            let Some(other) = peer.question(&asked.name) else {
                continue;
            };
            found.extend(difference(&first.name, asked, &peer.name, other));
        }
    }
    for peer in peers {
        if peer.histogram != first.histogram {
            let days = first.histogram.iter().zip(&peer.histogram);
            let at = days.into_iter().find(|(a, b)| a != b);
            found.push(format!(
                "histogram: {} has {} days, {} has {}, first difference {at:?}",
                first.name,
                first.histogram.len(),
                peer.name,
                peer.histogram.len()
            ));
        }
    }
    found
}

fn difference(name: &str, asked: &Asked, peer: &str, other: &Asked) -> Option<String> {
    let question = &asked.name;
    if asked.total != other.total {
        return Some(format!(
            "`{question}`: {name} counts {}, {peer} counts {}",
            asked.total, other.total
        ));
    }
    if asked.ids.len() != other.ids.len() {
        return Some(format!(
            "`{question}`: {name} lists {}, {peer} lists {}",
            asked.ids.len(),
            other.ids.len()
        ));
    }
    let mut pairs = asked.ids.iter().zip(&other.ids);
    let at = pairs.position(|(a, b)| a != b)?;
    Some(format!(
        "`{question}`: {name} and {peer} list other logs from number {} on",
        at + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(name: &str, total: u64, ids: &[&str]) -> Figures {
        Figures {
            name: name.to_owned(),
            questions: vec![Asked {
                name: "customer".to_owned(),
                total,
                ids: ids.iter().map(|id| (*id).to_owned()).collect(),
                ..Asked::default()
            }],
            ..Figures::default()
        }
    }

    fn check(ours: (u64, &[&str]), theirs: (u64, &[&str]), expected: &[&str]) {
        let (first, peer) = (
            figures("convlog", ours.0, ours.1),
            figures("sqlite", theirs.0, theirs.1),
        );
        assert_eq!(differences(&first, &[peer]), expected);
    }

    #[test]
    fn equal_answers_are_no_difference() {
        check((2, &["a", "b"]), (2, &["a", "b"]), &[]);
        let first = figures("convlog", 2, &["a", "b"]);
        assert!(differences(&first, &[Figures::default()]).is_empty());
    }

    #[test]
    fn totals_lengths_order_and_emptiness_are_told() {
        let wrong_total = "`customer`: convlog counts 2, sqlite counts 3";
        check((2, &["a", "b"]), (3, &["a", "b"]), &[wrong_total]);
        let wrong_length = "`customer`: convlog lists 2, sqlite lists 1";
        check((2, &["a", "b"]), (2, &["a"]), &[wrong_length]);
        let wrong_order = "`customer`: convlog and sqlite list other logs from number 1 on";
        check((2, &["a", "b"]), (2, &["b", "a"]), &[wrong_order]);
        check((0, &[]), (0, &[]), &["convlog: `customer` finds nothing"]);
    }

    #[test]
    fn another_histogram_is_told() {
        let mut first = figures("convlog", 1, &["a"]);
        first.histogram = vec![("2026-01-01".to_owned(), 5, 2)];
        let mut peer = figures("sqlite", 1, &["a"]);
        peer.histogram = vec![("2026-01-01".to_owned(), 5, 3)];
        assert_eq!(
            differences(&first, &[peer]),
            [
                "histogram: convlog has 1 days, sqlite has 1, first difference \
                 Some(((\"2026-01-01\", 5, 2), (\"2026-01-01\", 5, 3)))"
            ]
        );
    }
}
