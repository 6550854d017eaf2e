//! Counts, and the rows that aggregates are about: sets where these are sure, row by row elsewhere.

use std::sync::Arc;

use convlog_model::filter::Filter;
use convlog_model::filter::eval::matches;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::record::Record;
use convlog_model::store::StoreError;

use super::{Asked, Budget, Stop};
use crate::embedded::rowset::RowSet;
use crate::embedded::select::Wanted;
use crate::embedded::shared::Shared;
use crate::embedded::view::{Part, Segment, position};

/// Most rows that a count or an aggregate reads.
const COUNT_ROWS_MAX: u64 = 2_000_000;
/// Longest time of a count or an aggregate.
pub(super) const COUNT_US_MAX: u64 = 30_000_000;

/// Matching rows of a part.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) segment: Arc<Segment>,
    pub(super) part: Arc<Part>,
    pub(super) rows: RowSet,
}

impl Shared {
    pub(crate) fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        self.reading(|| self.count_once(instance, filter))
    }

    fn count_once(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, Stop> {
        let wanted = self.wanted(instance, filter, None, COUNT_US_MAX)?;
        let mut budget = self.count_budget();
        let mut count = 0;
        self.each_matching(&wanted, &mut budget, &mut |place| {
            count += u64::from(place.rows.count());
        })?;
        Ok(count)
    }

    /// What a count or an aggregate may cost.
    pub(super) fn count_budget(&self) -> Budget<'_> {
        Budget::new(self, COUNT_ROWS_MAX, COUNT_US_MAX)
    }

    /// Hands over the rows of each part that match; reads those of which this is not sure.
    pub(super) fn each_matching(
        &self,
        wanted: &Wanted<'_>,
        budget: &mut Budget<'_>,
        visit: &mut dyn FnMut(Place),
    ) -> Result<(), Stop> {
        let asked = Asked::new(wanted.filter);
        for segment in &wanted.view.segments {
            for part in &segment.parts {
                let found = wanted.of(segment, part);
                let found = found.map_err(|trouble| (segment.chunk.number, trouble))?;
                let Some(mut sets) = found else { continue };
                sets.possible.subtract(&sets.sure);
                for row in sets.possible.iter() {
                    budget.spend()?;
                    let record = self.record(segment, part.base + row)?;
                    let passes =
                        |record: &Record| matches(wanted.filter, &record.flat_of(&asked.fields));
                    if record.is_some_and(|record| passes(&record)) {
                        sets.sure.insert(row);
                    }
                }
                budget.check_time()?;
                visit(Place {
                    segment: Arc::clone(segment),
                    part: Arc::clone(part),
                    rows: sets.sure,
                });
            }
        }
        Ok(())
    }

    /// Positions of everything that matches now, whatever it costs.
    pub(crate) fn positions(
        &self,
        instance: &InstanceId,
        filter: &Filter,
    ) -> Result<Vec<Position>, StoreError> {
        self.reading(|| {
            let wanted = self.wanted(instance, filter, None, COUNT_US_MAX)?;
            let mut out = Vec::new();
            let mut budget = Budget::unlimited(self);
            self.each_matching(&wanted, &mut budget, &mut |place| {
                let at = |row| position(place.segment.chunk.number, place.part.base + row);
                out.extend(place.rows.iter().map(at));
            })?;
            Ok(out)
        })
    }
}
