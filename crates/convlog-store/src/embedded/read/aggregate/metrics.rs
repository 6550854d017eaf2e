//! What is computed of each group, in the making.

use convlog_model::aggregate::{Mean, Metric, percentiles};
use convlog_model::fields::FieldRef;
use convlog_model::json::Json;
use convlog_model::number::Decimal;
use hashbrown::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

use super::keys::{Keys, number_key, number_text};
use super::pairs::{Pair, Pairs};
use super::sketch;
use crate::embedded::bytes::{to_u32, to_usize};
use crate::embedded::index::term::{self, Kind};
use crate::embedded::lower::each::Reading;

/// Bytes of memory that distinct values and numbers may take before sketches stand in for them.
pub(super) const MEMORY_MAX: usize = 64 << 20;

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
    DistinctSketch {
        /// Hashes of the values of the part that is being read.
        hashes: Vec<u64>,
        sketch: sketch::Distinct,
    },
    PercentilesSketch {
        /// As of an average.
        numbers: Vec<f64>,
        sketch: sketch::Numbers,
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
            SoFar::Distinct { .. } | SoFar::DistinctSketch { .. } => Reading::Values,
            _ => Reading::Numbers,
        }
    }

    /// Forgets the part before.
    pub(super) fn begin_part(&mut self) {
        match &mut self.so_far {
            SoFar::Distinct { .. } | SoFar::Percentiles { .. } => {}
            SoFar::DistinctSketch { hashes, .. } => hashes.clear(),
            SoFar::Average { numbers, .. } | SoFar::PercentilesSketch { numbers, .. } => {
                numbers.clear();
            }
        }
    }

    /// Notes that some rows of the part hold a value.
    pub(super) fn note(&mut self, kind: Kind, value: &[u8], rows: &[u32], pairs: &mut Pairs) {
        let number = match &mut self.so_far {
            SoFar::Distinct { keys, .. } if kind == Kind::Number => {
                keys.add(kind, number_key(value))
            }
            SoFar::Distinct { keys, .. } | SoFar::Percentiles { keys, .. } => keys.add(kind, value),
            SoFar::Average { numbers, .. } | SoFar::PercentilesSketch { numbers, .. } => {
                let scalar = term::value(kind, value);
                numbers.push(float(scalar.as_ref().and_then(|scalar| scalar.as_text())));
                to_u32(numbers.len() - 1)
            }
            SoFar::DistinctSketch { hashes, .. } => {
                let value = match kind {
                    Kind::Number => number_key(value),
                    _ => value,
                };
                hashes.push(hash(&[&[kind.code()], value].concat()));
                to_u32(hashes.len() - 1)
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
                    SoFar::DistinctSketch { hashes, sketch } => {
                        if let Some(hash) = hashes.get(to_usize((*value).into())) {
                            sketch.add(*group, *hash);
                        }
                    }
                    SoFar::PercentilesSketch { numbers, sketch } => {
                        if let Some(number) = numbers.get(to_usize((*value).into())) {
                            sketch.add(*group, *number, 1);
                        }
                    }
                }
            }
        }
    }

    /// Bytes of memory that exact values take.
    fn memory(&self) -> usize {
        match &self.so_far {
            SoFar::Distinct { keys, seen, .. } => {
                keys.memory() + seen.capacity() * (size_of::<(u32, u32)>() + 1)
            }
            SoFar::Percentiles { keys, counts } => {
                keys.memory() + counts.capacity() * (size_of::<((u32, u32), u64)>() + 1)
            }
            _ => 0,
        }
    }

    /// Goes on with a sketch, or with a smaller one.
    fn sketch(&mut self, n_groups: usize) {
        match &mut self.so_far {
            SoFar::Distinct { keys, seen, .. } => {
                let mut sketch = sketch::Distinct::new(n_groups);
                for (group, key) in seen.drain() {
                    sketch.add(group, hash(keys.get(key)));
                }
                let hashes = Vec::new();
                self.so_far = SoFar::DistinctSketch { hashes, sketch };
            }
            SoFar::Percentiles { keys, counts } => {
                let mut sketch = sketch::Numbers::new();
                for ((group, key), count) in counts.drain() {
                    let number = float(number_text(keys.get(key)).as_deref());
                    sketch.add(group, number, count);
                }
                let numbers = Vec::new();
                self.so_far = SoFar::PercentilesSketch { numbers, sketch };
            }
            SoFar::PercentilesSketch { sketch, .. } => sketch.shrink(),
            SoFar::Average { .. } | SoFar::DistinctSketch { .. } => {}
        }
    }

    pub(super) fn is_approximate(&self) -> bool {
        matches!(
            self.so_far,
            SoFar::DistinctSketch { .. } | SoFar::PercentilesSketch { .. }
        )
    }

    /// The metric of each group.
    pub(super) fn finish(self, n_groups: usize) -> Vec<Json> {
        match self.so_far {
            SoFar::Distinct { counts, .. } => counts
                .into_iter()
                .map(|count| Json::Number(count.to_string().into()))
                .collect(),
            SoFar::Average { means, .. } => means.iter().map(Mean::to_json).collect(),
            SoFar::DistinctSketch { sketch, .. } => (0..to_u32(n_groups))
                .map(|group| Json::Number(sketch.estimate(group).to_string().into()))
                .collect(),
            SoFar::PercentilesSketch { sketch, .. } => sketch.finish(n_groups),
            SoFar::Percentiles { keys, counts } => exact_percentiles(&keys, counts, n_groups),
        }
    }
}

fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

fn float(text: Option<&str>) -> f64 {
    let number = text.and_then(|text| text.parse().ok());
    number.unwrap_or(f64::NAN)
}

fn exact_percentiles(keys: &Keys, counts: HashMap<(u32, u32), u64>, n_groups: usize) -> Vec<Json> {
    let mut entries: Vec<_> = counts.into_iter().collect();
    entries.sort_unstable();
    let mut by_group = vec![Json::Null; n_groups];
    for entries in entries.chunk_by(|a, b| a.0.0 == b.0.0) {
        let numbers = entries.iter().map(|((_, key), count)| (*key, *count));
        let group = entries.first().map_or(0, |((group, _), _)| *group);
        if let Some(place) = by_group.get_mut(to_usize(group.into())) {
            *place = percentiles_of(keys, numbers);
        }
    }
    by_group
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

/// Lets sketches stand in for exact values, the largest first, until these take no more than
/// `memory_max` bytes together.
pub(super) fn bound_memory(measures: &mut [Measure<'_>], n_groups: usize, memory_max: usize) {
    for measure in measures
        .iter_mut()
        .filter(|measure| measure.is_approximate())
    {
        measure.sketch(n_groups);
    }
    while measures.iter().map(Measure::memory).sum::<usize>() > memory_max {
        match measures.iter_mut().max_by_key(|measure| measure.memory()) {
            Some(largest) => largest.sketch(n_groups),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use convlog_model::fields::FieldRef;

    use super::*;

    /// Values 0 to 29,999 by parts of 1,000 rows in two groups, the second with a tenth of them.
    fn measured(metric: &Metric, memory_max: usize) -> (bool, Vec<Json>) {
        let mut measures = vec![Measure::new(metric, 2).unwrap()];
        for part in 0..30 {
            let measure = &mut measures[0];
            measure.begin_part();
            let mut pairs = Pairs::default();
            for row in 0..1_000 {
                let (kind, value) = term::of_number(&(part * 1_000 + row).to_string());
                measure.note(kind, &value, &[row], &mut pairs);
            }
            pairs.sort(true);
            for row in 0..1_000 {
                let groups: &[u32] = if row % 10 == 0 { &[0, 1] } else { &[0] };
                measure.add(groups, pairs.of(row));
            }
            bound_memory(&mut measures, 2, memory_max);
        }
        let measure = measures.pop().unwrap();
        (measure.is_approximate(), measure.finish(2))
    }

    fn near(told: &Json, exact: &Json) {
        let number = |json: &Json| json.to_string().parse::<f64>().unwrap();
        let off = number(told) / number(exact) - 1.0;
        assert!(off.abs() < 0.03, "{told} {exact}");
    }

    #[test]
    fn sketches_stand_in_for_what_takes_too_much_memory() {
        let field = FieldRef::canonical("latency_ms");
        let distinct = Metric::Distinct(field.clone());
        let (is_approximate, exact) = measured(&distinct, MEMORY_MAX);
        assert_eq!((is_approximate, exact.len()), (false, 2));
        assert_eq!(
            format!("{exact:?}"),
            format!("{:?}", [Json::integer(30_000), Json::integer(3_000)])
        );
        let (is_approximate, told) = measured(&distinct, 100_000);
        assert!(is_approximate);
        told.iter()
            .zip(&exact)
            .for_each(|(told, exact)| near(told, exact));
        let percentiles = Metric::Percentiles(field);
        let (is_approximate, exact) = measured(&percentiles, MEMORY_MAX);
        assert!(!is_approximate);
        let (is_approximate, told) = measured(&percentiles, 100_000);
        assert!(is_approximate);
        for (told, exact) in told.iter().zip(&exact) {
            for name in ["p50", "p90", "p95", "p99"] {
                near(told.get(name).unwrap(), exact.get(name).unwrap());
            }
        }
    }
}
