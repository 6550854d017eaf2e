//! Which rows of a part a question is about: live rows of the instance, as of a position, that pass
//! the filter or may pass it.

use std::sync::Arc;

use convlog_model::clock::Clock;
use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::store::retention::Properties;
use convlog_model::store::{ErrorKind, Retention, StoreError};
use convlog_model::time::{DAY_US, Timestamp};

use super::index::Section;
use super::index::class::Class;
use super::index::source::Damaged;
use super::lower::{Sets, Trouble, lower};
use super::rowset::RowSet;
use super::view::{Part, Segment, View, split};

/// A question, at the moment when it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) view: Arc<View>,
    pub(crate) instance: &'a InstanceId,
    pub(crate) filter: &'a Filter,
    /// Last position of the match set.
    pub(crate) upto: Position,
    pub(crate) rules: Arc<Retention>,
    pub(crate) now: Timestamp,
    /// Moment of the monotonic clock at which it is too late to answer.
    pub(crate) deadline_us: u64,
    pub(crate) clock: &'a dyn Clock,
}

/// The error of a question that takes too long.
pub(crate) fn too_dear() -> StoreError {
    let text = "too many records must be read to answer this, narrow the filter";
    StoreError::new(ErrorKind::Timeout, text)
}

impl Wanted<'_> {
    /// The rows of a part that match, counted from its first; `None` when there are none.
    pub(crate) fn of(&self, segment: &Segment, part: &Part) -> Result<Option<Sets>, Trouble> {
        let (chunk, row) = split(self.upto);
        let number = segment.chunk.number;
        if number > chunk || (number == chunk && part.base > row) {
            return Ok(None);
        }
        if self.clock.monotonic_us() > self.deadline_us {
            return Err(too_dear().into());
        }
        let mut sets = lower(self.filter, part, &segment.chunk)?;
        if sets.possible.is_empty() {
            return Ok(None);
        }
        let mut live = self.live(segment, part)?;
        if number == chunk {
            live.truncate(row.saturating_add(1).saturating_sub(part.base));
        }
        sets.sure.intersect(&live);
        sets.possible.intersect(&live);
        Ok((!sets.possible.is_empty()).then_some(sets))
    }

    /// The rows of a part that the instance can see.
    pub(crate) fn live(&self, segment: &Segment, part: &Part) -> Result<RowSet, Damaged> {
        let index = &part.index;
        let mut live = RowSet::empty(index.rows());
        for (class, found) in index.classes(&Class::prefix(self.instance))? {
            let mut rows = RowSet::empty(index.rows());
            index.rows_of(found, &mut rows)?;
            let cut = self.cut(&class, index.section(Section::Terms).fault(0))?;
            if let Some(cut) = cut {
                keep_born_from(part, cut, &mut rows)?;
            }
            live.unite(&rows);
        }
        segment.hidden.cut(part.base, &mut live);
        Ok(live)
    }

    /// The moment before which rows of a class were born that have expired; `None` for never.
    fn cut(&self, class: &[u8], damaged: Damaged) -> Result<Option<i64>, Damaged> {
        if self.rules.keeps_everything() {
            return Ok(None);
        }
        cut(&self.rules, class, self.now).map_err(|_| damaged)
    }
}

/// The moment before which rows of a class were born that have expired at `now`.
pub(crate) fn cut(
    rules: &Retention,
    class: &[u8],
    now: Timestamp,
) -> Result<Option<i64>, super::bytes::Malformed> {
    let class = Class::decode(class)?;
    let of = Properties {
        bot: class.bot.as_deref(),
        log_group: class.log_group.as_deref(),
        event_type: class.event_type.as_deref(),
    };
    let days = rules.days_of(&class.instance, class.kind, of);
    let age = i64::from(days) * DAY_US;
    Ok((days > 0).then(|| now.micros().saturating_sub(age)))
}

/// Removes the rows that were born before a moment: at the time of the request, where it is known
/// and not after the time of receipt, else at the time of receipt.
pub(crate) fn keep_born_from(part: &Part, cut: i64, rows: &mut RowSet) -> Result<(), Damaged> {
    let frames = part.frames()?;
    let request = part.index.column(Section::Request)?;
    let earliest = request.bounds().map_or(i64::MAX, |(least, _)| least);
    let received = frames
        .received_bounds()
        .map_or(i64::MIN, |(least, _)| least);
    if earliest.min(received) >= cut {
        return Ok(());
    }
    let mut walk = frames.walk();
    let born_before = |row: &u32| {
        let received = walk.get(part.base + row).unwrap_or(i64::MAX);
        let requested = request.get(*row).filter(|request| *request <= received);
        requested.unwrap_or(received) < cut
    };
    let expired: Vec<u32> = rows.iter().filter(born_before).collect();
    expired.into_iter().for_each(|row| rows.remove(row));
    Ok(())
}
