//! What is computed of each group, in the making.

use convlog_model::aggregate::{Mean, Metric, percentiles};
use convlog_model::fields::FieldRef;
use convlog_model::json::Json;
use convlog_model::number::Decimal;
use convlog_model::store::{ErrorKind, StoreError};
use hashbrown::{HashMap, HashSet};

use super::keys::{Keys, number_key, number_text};
use super::pairs::{Pair, Pairs};
use crate::embedded::bytes::{to_u32, to_usize};
use crate::embedded::index::term::{self, Kind};
use crate::embedded::lower::each::Reading;

/// Bytes of memory that distinct values and numbers may take.
const MEMORY_MAX: usize = 64 << 20;
/// Bytes of a value or number of a group, with its place in a table.
const ENTRY_MEMORY: usize = 32;

/// A metric over all groups of the last level, by their number.
#[derive(Debug)]
pub(super) struct Measure<'a> {
    pub(super) field: &'a FieldRef,
    so_far: SoFar,
}

#[derive(Debug)]
enum SoFar {
    Distinct {
        keys: Keys,
        seen: HashSet<(u32, u32)>,
        counts: Vec<u64>,
    },
    Average {
        /// The numbers of the part that is being read.
        numbers: Vec<f64>,
        means: Vec<Mean>,
    },
    Percentiles {
        keys: Keys,
        counts: HashMap<(u32, u32), u64>,
    },
}

impl<'a> Measure<'a> {
    /// `None` for what needs no field.
    pub(super) fn new(metric: &'a Metric, n_groups: usize) -> Option<Self> {
        let so_far = match metric {
            Metric::Count => return None,
            Metric::Distinct(_) => SoFar::Distinct {
                keys: Keys::default(),
                seen: HashSet::new(),
                counts: vec![0; n_groups],
            },
            Metric::Average(_) => SoFar::Average {
                numbers: Vec::new(),
                means: vec![Mean::default(); n_groups],
            },
            Metric::Percentiles(_) => SoFar::Percentiles {
                keys: Keys::default(),
                counts: HashMap::new(),
            },
        };
        let field = metric.field()?;
        Some(Measure { field, so_far })
    }

    pub(super) fn reading(&self) -> Reading {
        match self.so_far {
            SoFar::Distinct { .. } => Reading::Values,
            SoFar::Average { .. } | SoFar::Percentiles { .. } => Reading::Numbers,
        }
    }

    /// Forgets the part before.
    pub(super) fn begin_part(&mut self) {
        if let SoFar::Average { numbers, .. } = &mut self.so_far {
            numbers.clear();
        }
    }

    /// Notes that some rows of the part hold a value.
    pub(super) fn note(&mut self, kind: Kind, value: &[u8], rows: &[u32], pairs: &mut Pairs) {
        let number = match &mut self.so_far {
            SoFar::Distinct { keys, .. } if kind == Kind::Number => {
                keys.add(kind, number_key(value))
            }
            SoFar::Distinct { keys, .. } | SoFar::Percentiles { keys, .. } => keys.add(kind, value),
            SoFar::Average { numbers, .. } => {
                let scalar = term::value(kind, value);
                let text = scalar.as_ref().and_then(|scalar| scalar.as_text());
                let number = text.and_then(|text| text.parse().ok());
                numbers.push(number.unwrap_or(f64::NAN));
                to_u32(numbers.len() - 1)
            }
        };
        pairs.add(rows, number, number);
    }

    /// Adds the values of a record to its groups.
    pub(super) fn add(&mut self, groups: &[u32], values: &[Pair]) {
        for group in groups {
            let at = to_usize((*group).into());
            for Pair { value, .. } in values {
                match &mut self.so_far {
                    SoFar::Distinct { seen, counts, .. } => {
                        let is_new = seen.insert((*group, *value));
                        if let Some(count) = counts.get_mut(at) {
                            *count += u64::from(is_new);
                        }
                    }
                    SoFar::Average { numbers, means } => {
                        let number = numbers.get(to_usize((*value).into()));
                        if let (Some(mean), Some(number)) = (means.get_mut(at), number) {
                            mean.add(*number);
                        }
                    }
                    SoFar::Percentiles { counts, .. } => {
                        *counts.entry((*group, *value)).or_insert(0) += 1;
                    }
                }
            }
        }
    }

    fn memory(&self) -> usize {
        match &self.so_far {
            SoFar::Distinct { keys, seen, .. } => keys.memory() + seen.len() * ENTRY_MEMORY,
            SoFar::Percentiles { keys, counts } => keys.memory() + counts.len() * ENTRY_MEMORY,
            SoFar::Average { .. } => 0,
        }
    }

    /// The metric of each group.
    pub(super) fn finish(self, n_groups: usize) -> Vec<Json> {
        match self.so_far {
            SoFar::Distinct { counts, .. } => counts
                .into_iter()
                .map(|count| Json::Number(count.to_string()))
                .collect(),
            SoFar::Average { means, .. } => means.iter().map(Mean::to_json).collect(),
            SoFar::Percentiles { keys, counts } => {
                let mut entries: Vec<_> = counts.into_iter().collect();
                entries.sort_unstable();
                let mut by_group = vec![Json::Null; n_groups];
                for entries in entries.chunk_by(|a, b| a.0.0 == b.0.0) {
                    let numbers = entries.iter().map(|((_, key), count)| (*key, *count));
                    let group = entries.first().map_or(0, |((group, _), _)| *group);
                    if let Some(place) = by_group.get_mut(to_usize(group.into())) {
                        *place = percentiles_of(&keys, numbers);
                    }
                }
                by_group
            }
        }
    }
}

fn percentiles_of(keys: &Keys, numbers: impl Iterator<Item = (u32, u64)>) -> Json {
    let mut sorted: Vec<(Decimal, String, u64)> = numbers
        .filter_map(|(key, count)| {
            let text = number_text(keys.get(key))?;
            Some((Decimal::parse(&text)?, text, count))
        })
        .collect();
    sorted.sort_unstable();
    let mut ends = Vec::with_capacity(sorted.len());
    let mut n_numbers = 0;
    for (_, _, count) in &sorted {
        n_numbers += count;
        ends.push(n_numbers);
    }
    percentiles(n_numbers, |rank| {
        let chosen = ends.partition_point(|end| *end <= rank);
        sorted.get(chosen).map(|(_, text, _)| text.clone())
    })
}

/// Checks what all metrics take.
pub(super) fn check_memory(measures: &[Measure<'_>]) -> Result<(), StoreError> {
    let total: usize = measures.iter().map(Measure::memory).sum();
    let largest = measures.iter().max_by_key(|measure| measure.memory());
    match largest {
        Some(largest) if total > MEMORY_MAX => {
            let path = largest.field.path();
            let text = format!("too many values of {path} to be measured: narrow the filter");
            Err(StoreError::new(ErrorKind::Invalid, text))
        }
        _ => Ok(()),
    }
}
