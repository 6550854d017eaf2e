//! Metric filters ready for use: patterns that are read once a change of a group.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use convlog_dialects::cloudwatch::pattern::Pattern;

use super::documents::LogGroup;
use super::metric_filters::checked;

/// Groups whose filters are kept ready.
const GROUPS_MAX: usize = 1000;

/// How much an event counts.
#[derive(Clone, Debug)]
pub(super) enum Amount {
    /// Always so much.
    Fixed(f64),
    /// What a selector of its JSON finds.
    Selected(Box<Pattern>),
    /// A field of the filter's own pattern.
    Field(String),
}

impl Amount {
    /// Reads a `metricValue`; `None` for what is none. Counters never fall, so that no number is
    /// below 0.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$.") || text.starts_with("$[") {
            let pattern = Pattern::parse(&format!("{{ {text} = * }}")).ok()?;
            return Some(Amount::Selected(Box::new(pattern)));
        }
        if let Some(name) = text.strip_prefix('$') {
            return (!name.is_empty()).then(|| Amount::Field(text.to_owned()));
        }
        number(text).map(Amount::Fixed)
    }
}

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// A metric filter.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    pub(super) namespace: String,
    pub(super) name: String,
    pattern: Pattern,
    amount: Amount,
}

impl Counter {
    /// How much a message counts; `None` where the filter does not take it.
    pub(super) fn amount(&self, message: &str) -> Option<f64> {
        if !self.pattern.matches(message) {
            return None;
        }
        match &self.amount {
            Amount::Fixed(number) => Some(*number),
            Amount::Selected(pattern) => {
                let values = pattern.extracted(message);
                number(values.into_values().next()?.as_str())
            }
            Amount::Field(name) => number(self.pattern.extracted(message).get(name)?),
        }
    }
}

/// The filters of the groups that were used last, by the groups' ids and revisions.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<BTreeMap<String, OfGroup>>);

/// The revision of a group, and its filters.
type OfGroup = (u64, Arc<Vec<Counter>>);

impl Counters {
    /// Those of a group.
    pub(super) fn of(&self, group: &LogGroup) -> Arc<Vec<Counter>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((revision, counters)) = known.get(&group.id)
            && *revision == group.revision
        {
            return Arc::clone(counters);
        }
        if known.len() >= GROUPS_MAX {
            known.clear();
        }
        let counters = group.metric_filters.values().filter_map(|filter| {
            Some(Counter {
                namespace: filter.text("metricNamespace").to_owned(),
                name: filter.text("metricName").to_owned(),
                pattern: checked(&filter.pattern)?,
                amount: Amount::parse(filter.text("metricValue"))?,
            })
        });
        let counters = Arc::new(counters.collect());
        known.insert(group.id.clone(), (group.revision, Arc::clone(&counters)));
        counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(pattern: &str, value: &str, message: &str) -> Option<f64> {
        let counter = Counter {
            namespace: String::new(),
            name: String::new(),
            pattern: checked(pattern).unwrap(),
            amount: Amount::parse(value).unwrap(),
        };
        counter.amount(message)
    }

    #[test]
    fn an_event_counts_a_number_or_what_a_field_holds() {
        assert_eq!(amount("a", "2.5", "a b"), Some(2.5));
        assert_eq!(amount("a", "1", "b"), None);
        let message = r#"{"m":true,"n":{"size":7}}"#;
        assert_eq!(amount("{ $.m IS TRUE }", "$.n.size", message), Some(7.0));
        assert_eq!(amount("{ $.m IS TRUE }", "$.n.none", message), None);
        assert_eq!(amount("[a, size]", "$size", "x 4"), Some(4.0));
        assert_eq!(amount("[a, size]", "$size", "x y"), None);
        assert_eq!(amount("[a, size]", "$size", "x -4"), None);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "x", "-1", "NaN", "inf", "$", "$.a.", "$.a = 1 }"] {
            assert!(Amount::parse(text).is_none(), "{text}");
        }
    }
}
