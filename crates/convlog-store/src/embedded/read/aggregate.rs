//! Aggregates, out of the terms in each part's index instead of its records. The meaning is that of
//! [`convlog_model::aggregate::fold`].
//!
//! Every level of groups takes one pass over all parts, since a limit cuts only what was counted
//! everywhere, and since the next level is grouped inside of what is left. Metrics take one more.

mod groups;
mod keys;
mod metrics;
mod pairs;
mod sketch;

use convlog_model::aggregate::{Aggregate, GroupBy, Metric, Row, Table, Value};
use convlog_model::json::Json;
use convlog_model::store::StoreError;
use convlog_model::time::Timestamp;

use self::groups::{Level, UNKNOWN};
use self::keys::number_key;
use self::metrics::{MEMORY_MAX, Measure, bound_memory};
use self::pairs::Pairs;
use super::measure::{COUNT_US_MAX, Place};
use super::{Budget, Stop};
use crate::embedded::bytes::to_usize;
use crate::embedded::index::term::{self, Kind};
use crate::embedded::lower::each::Reading;
use crate::embedded::rowset::RowSet;
use crate::embedded::shared::Shared;

/// Steps of work after which time is looked at.
const STEPS: usize = 1 << 14;

impl Shared {
    pub(crate) fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        request.check()?;
        self.reading(|| self.aggregate_once(request))
    }

    fn aggregate_once(&self, request: &Aggregate) -> Result<Table, Stop> {
        let wanted = self.wanted(&request.instance, &request.filter, None, COUNT_US_MAX)?;
        let mut budget = self.count_budget();
        let mut places = Vec::new();
        self.each_matching(&wanted, &mut budget, &mut |place| places.push(place))?;
        let mut levels: Vec<Level<'_>> = Vec::new();
        for by in &request.by {
            let mut level = Level::new(by);
            for place in &places {
                self.count_groups(place, &mut levels, &mut level, &mut budget)?;
            }
            level.finish();
            levels.push(level);
        }
        let n_groups = levels.last().map_or(1, Level::len);
        let measured = request.metrics.iter();
        let mut measures: Vec<Measure<'_>> = measured
            .filter_map(|metric| Measure::new(metric, n_groups))
            .collect();
        if !measures.is_empty() {
            for place in &places {
                self.measure(place, &mut levels, &mut measures, &mut budget)?;
                bound_memory(&mut measures, n_groups, MEMORY_MAX);
            }
        }
        let is_approximate = measures.iter().any(Measure::is_approximate);
        let finished = measures.into_iter().map(|measure| measure.finish(n_groups));
        let table = Told {
            levels: &levels,
            metrics: &request.metrics,
            measured: finished.collect(),
            n_records: places
                .iter()
                .map(|place| u64::from(place.rows.count()))
                .sum(),
            is_approximate,
            rows: Vec::new(),
        };
        Ok(table.finish())
    }

    /// Counts the groups of a new level inside of those of `levels`.
    fn count_groups(
        &self,
        place: &Place,
        levels: &mut [Level<'_>],
        level: &mut Level<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<(), Stop> {
        let mut around = self.known(place, levels, budget)?;
        let rows = around.rows_left(place, levels, budget)?;
        let mut values = Pairs::default();
        self.take_values(
            place,
            level.by.field(),
            reading(level.by),
            &rows,
            budget,
            &mut |kind, value, rows| {
                let (value, written) = keyed(level.by, kind, value, |kind, value| {
                    level.keys.add(kind, value)
                });
                values.add(rows, value, written);
            },
        )?;
        values.sort(false);
        let mut steps = Steps::default();
        for row in rows.iter() {
            let groups = around.groups(levels, row);
            let values = values.of(row);
            steps.take(groups.len() * values.len().max(1), budget)?;
            level.count(groups, values)?;
        }
        Ok(())
    }

    fn measure(
        &self,
        place: &Place,
        levels: &mut [Level<'_>],
        measures: &mut [Measure<'_>],
        budget: &mut Budget<'_>,
    ) -> Result<(), Stop> {
        let mut around = self.known(place, levels, budget)?;
        let rows = around.rows_left(place, levels, budget)?;
        let mut columns = Vec::new();
        for measure in measures.iter_mut() {
            let mut values = Pairs::default();
            measure.begin_part();
            let (field, reading) = (measure.field, measure.reading());
            self.take_values(
                place,
                field,
                reading,
                &rows,
                budget,
                &mut |kind, value, rows| {
                    measure.note(kind, value, rows, &mut values);
                },
            )?;
            values.sort(reading == Reading::Numbers);
            columns.push(values);
        }
        let mut steps = Steps::default();
        for row in rows.iter() {
            let groups = around.groups(levels, row);
            for (measure, values) in measures.iter_mut().zip(&mut columns) {
                let values = values.of(row);
                steps.take(groups.len() * values.len(), budget)?;
                measure.add(groups, values);
            }
        }
        Ok(())
    }

    /// The values by which the rows of a part are in groups that are known.
    fn known(
        &self,
        place: &Place,
        levels: &mut [Level<'_>],
        budget: &mut Budget<'_>,
    ) -> Result<Around, Stop> {
        let mut around = Around::default();
        for level in levels {
            let mut values = Pairs::default();
            let (field, reading) = (level.by.field(), reading(level.by));
            let take = &mut |kind: Kind, value: &[u8], rows: &[u32]| {
                let (value, _) = keyed(level.by, kind, value, |kind, value| {
                    level.keys.find(kind, value).unwrap_or(UNKNOWN)
                });
                values.add(rows, value, value);
            };
            self.take_values(place, field, reading, &place.rows, budget, take)?;
            values.sort(false);
            around.values.push(values);
        }
        Ok(around)
    }
}

fn reading(by: &GroupBy) -> Reading {
    match by {
        GroupBy::Terms { .. } => Reading::Values,
        GroupBy::Interval { .. } => Reading::Moments,
    }
}

/// The numbers of a value, and of the value as it is written.
fn keyed(
    by: &GroupBy,
    kind: Kind,
    value: &[u8],
    mut number: impl FnMut(Kind, &[u8]) -> u32,
) -> (u32, u32) {
    if let GroupBy::Interval { every_us, .. } = by {
        let moment = value.first_chunk::<8>().map_or(0, |at| term::time_of(*at));
        let start = match Value::start(Timestamp::from_micros(moment), *every_us) {
            Value::Start(start) => start.micros(),
            _ => moment,
        };
        let start = number(kind, &term::of_time(start));
        return (start, start);
    }
    let written = number(kind, value);
    match kind {
        Kind::Number => (number(kind, number_key(value)), written),
        _ => (written, written),
    }
}

/// Values of rows on each level.
#[derive(Debug, Default)]
struct Around {
    values: Vec<Pairs>,
    outer: Vec<u32>,
    inner: Vec<u32>,
}

impl Around {
    /// The groups of the last level in which a row is; rows are asked for in rising order.
    fn groups(&mut self, levels: &[Level<'_>], row: u32) -> &[u32] {
        self.inner.clear();
        self.inner.push(0);
        for (level, values) in levels.iter().zip(&mut self.values) {
            std::mem::swap(&mut self.outer, &mut self.inner);
            self.inner.clear();
            level.find(&self.outer, values.of(row), &mut self.inner);
        }
        &self.inner
    }

    /// The rows that are in a group which no limit has cut.
    fn rows_left(
        &mut self,
        place: &Place,
        levels: &[Level<'_>],
        budget: &Budget<'_>,
    ) -> Result<RowSet, StoreError> {
        let mut left = place.rows.clone();
        if levels.iter().any(|level| level.is_cut) {
            let mut steps = Steps::default();
            for row in place.rows.iter() {
                let groups = self.groups(levels, row);
                steps.take(groups.len(), budget)?;
                if groups.is_empty() {
                    left.remove(row);
                }
            }
            self.values.iter_mut().for_each(Pairs::rewind);
        }
        Ok(left)
    }
}

/// Looks at the time once in a while.
#[derive(Debug, Default)]
struct Steps {
    n_steps: usize,
}

impl Steps {
    fn take(&mut self, n_steps: usize, budget: &Budget<'_>) -> Result<(), StoreError> {
        self.n_steps += 1 + n_steps;
        if self.n_steps < STEPS {
            return Ok(());
        }
        self.n_steps = 0;
        budget.check_time()
    }
}

/// Rows of the answer in the making.
struct Told<'a> {
    levels: &'a [Level<'a>],
    metrics: &'a [Metric],
    /// Of each metric but counts, by group of the last level.
    measured: Vec<Vec<Json>>,
    n_records: u64,
    is_approximate: bool,
    rows: Vec<Row>,
}

impl Told<'_> {
    fn finish(mut self) -> Table {
        self.tell(self.levels, 0, self.n_records, &[]);
        Table { rows: self.rows }
    }

    fn tell(&mut self, levels: &[Level<'_>], group: u32, count: u64, keys: &[Json]) {
        let Some((level, inner)) = levels.split_first() else {
            let mut measured = self.measured.iter();
            let value = |metric: &Metric| match metric {
                Metric::Count => Json::Number(count.to_string().into()),
                _ => {
                    let values = measured.next();
                    let at = to_usize(group.into());
                    values
                        .and_then(|values| values.get(at))
                        .cloned()
                        .unwrap_or(Json::Null)
                }
            };
            self.rows.push(Row {
                keys: keys.to_vec(),
                count,
                metrics: self.metrics.iter().map(value).collect(),
                approximate: self.is_approximate,
            });
            return;
        };
        for group in level.inside(group) {
            let (key, count) = level.told(group);
            self.tell(inner, group, count, &[keys, &[key]].concat());
        }
    }
}
