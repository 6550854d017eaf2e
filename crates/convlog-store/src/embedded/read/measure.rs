//! Counts and aggregates: over sets of rows where these are sure, row by row elsewhere.

use convlog_model::aggregate::{Aggregate, GroupBy, Metric, Table, fold};
use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::filter::eval::matches;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::record::Record;
use convlog_model::store::StoreError;

use super::{Asked, Budget, Stop};
use crate::embedded::shared::Shared;

/// Most rows that a count or an aggregate reads.
const COUNT_ROWS_MAX: u64 = 2_000_000;
/// Longest time of a count or an aggregate.
const COUNT_US_MAX: u64 = 30_000_000;
impl Shared {
    pub(crate) fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        self.reading(|| self.count_once(instance, filter))
    }

    fn count_once(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, Stop> {
        let wanted = self.wanted(instance, filter, None, COUNT_US_MAX)?;
        let mut budget = Budget::new(self, COUNT_ROWS_MAX, COUNT_US_MAX);
        let asked = Asked::new(filter);
        let mut count = 0;
        for segment in &wanted.view.segments {
            for part in &segment.parts {
                let found = wanted.of(segment, part);
                let found = found.map_err(|trouble| (segment.chunk.number, trouble))?;
                let Some(mut sets) = found else { continue };
                count += u64::from(sets.sure.count());
                sets.possible.subtract(&sets.sure);
                for row in sets.possible.iter() {
                    budget.spend()?;
                    let record = self.record(segment, part.base + row)?;
                    let passes = |record: &Record| matches(filter, &record.flat_of(&asked.fields));
                    count += u64::from(record.is_some_and(|record| passes(&record)));
                }
            }
        }
        Ok(count)
    }

    pub(crate) fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        let by = request.by.iter().map(|group| match group {
            GroupBy::Terms { field, .. } | GroupBy::Interval { field, .. } => field.clone(),
        });
        let metrics = request.metrics.iter().filter_map(|metric| match metric {
            Metric::Count => None,
            Metric::Distinct(field) | Metric::Average(field) | Metric::Percentiles(field) => {
                Some(field.clone())
            }
        });
        let fields: Vec<FieldRef> = by.chain(metrics).collect();
        let mut asked = Asked::new(&request.filter);
        asked.fields.extend(fields.iter().cloned());
        let flats = self.reading(|| {
            let budget = Budget::new(self, COUNT_ROWS_MAX, COUNT_US_MAX);
            let mut flats = Vec::new();
            self.each_match(&request.instance, &asked, budget, true, &mut |_, found| {
                if let Some(found) = found {
                    let read = || found.record.flat_of(&fields);
                    let mut flat = found.flat.unwrap_or_else(read);
                    flat.keep_only(&fields);
                    flats.push(flat);
                }
            })?;
            Ok(flats)
        })?;
        fold::fold(request, &flats)
    }

    /// Positions of everything that matches now, whatever it costs.
    pub(crate) fn positions(
        &self,
        instance: &InstanceId,
        filter: &Filter,
    ) -> Result<Vec<Position>, StoreError> {
        let asked = Asked::new(filter);
        self.reading(|| {
            let mut out = Vec::new();
            let budget = Budget::unlimited(self);
            self.each_match(instance, &asked, budget, false, &mut |at, _| out.push(at))?;
            Ok(out)
        })
    }
}
