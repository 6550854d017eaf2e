//! Reads of other kinds: the state of a dialogue session, and what is held.

use std::sync::Arc;

use convlog_model::filter::Filter;
use convlog_model::ids::InstanceId;
use convlog_model::store::{StateWrite, Stats, StoreError};
use convlog_model::time::Timestamp;

use super::bytes::{to_u64, to_usize};
use super::error::corrupt;
use super::index::source::Damaged;
use super::lower::Trouble;
use super::row::{self, Row};
use super::select::Wanted;
use super::sessions::Sessions;
use super::shared::Shared;
use super::view::{Part, Segment, split};

impl Shared {
    pub(crate) fn load_state(
        &self,
        instance: &InstanceId,
        session: &str,
    ) -> Result<Option<StateWrite>, StoreError> {
        let hash = self.hasher.session(instance, session);
        let Some(session) = self.sessions.get(&hash, self.clock.now()) else {
            return Ok(None);
        };
        let (number, row) = split(session.at);
        let found = self.reading(|| {
            let view = self.view();
            let Some(segment) = view.segment(number) else {
                return Ok(None);
            };
            let frame = segment.frame_of(row);
            let frame = frame.map_err(|bad| (number, bad.into()))?;
            Ok(frame.map(|frame| (Arc::clone(&segment.chunk), frame)))
        })?;
        let Some((chunk, frame)) = found else {
            return Ok(None);
        };
        let place = frame.place;
        let in_frame = to_usize(u64::from(row - frame.first_row));
        let (header, plain) = chunk.read_frame(place)?;
        let damaged = |why: &dyn std::fmt::Display| corrupt(&chunk.name, place.offset, why);
        let rows = row::split(&plain, header.row_count).map_err(|bad| damaged(&bad))?;
        let bytes = rows.get(in_frame).copied().unwrap_or_default();
        let Row::State(row) = row::decode(bytes).map_err(|bad| damaged(&bad))? else {
            return Ok(None);
        };
        Ok(Sessions::open(&session.key, &row).map(|state| StateWrite {
            instance: state.instance,
            session: state.session,
            state: state.state,
            customers: state.customers,
            expires_at: state.expires_at,
        }))
    }

    pub(crate) fn stats(&self, instance: &InstanceId) -> Result<Stats, StoreError> {
        let filter = Filter::All;
        let view = self.view();
        let mut stats = Stats::default();
        self.reading(|| {
            let wanted = self.wanted(instance, &filter, None, u64::MAX)?;
            stats = Stats::default();
            for segment in &wanted.view.segments {
                for part in &segment.parts {
                    let noted = note(&mut stats, &wanted, segment, part);
                    noted.map_err(|bad| (segment.chunk.number, bad.into()))?;
                }
            }
            Ok(())
        })?;
        let is_sealed = |segment: &&Arc<Segment>| segment.is_sealed;
        stats.segments = to_u64(view.segments.iter().filter(is_sealed).count());
        let unsealed = view.segments.iter().filter(|segment| !segment.is_sealed);
        stats.tail = unsealed.map(|segment| u64::from(segment.rows())).sum();
        let logs = view
            .segments
            .iter()
            .map(|s| s.chunk.file.len().unwrap_or(0));
        let sealed = view
            .segments
            .iter()
            .filter(is_sealed)
            .flat_map(|s| &s.parts);
        let indexes = sealed.map(|part| to_u64(part.index.len()));
        stats.bytes = logs.chain(indexes).sum();
        Ok(stats)
    }
}

impl Shared {
    /// The greatest time of receipt of any row.
    pub(crate) fn newest_received(&self) -> Result<Option<Timestamp>, StoreError> {
        self.reading(|| {
            let mut newest = None;
            for segment in &self.view().segments {
                for part in &segment.parts {
                    let frames = part.frames();
                    let frames =
                        frames.map_err(|bad| (segment.chunk.number, Trouble::from(bad)))?;
                    newest = newest.max(frames.received_bounds().map(|(_, last)| last));
                }
            }
            Ok(newest.map(Timestamp::from_micros))
        })
    }
}

fn note(
    stats: &mut Stats,
    wanted: &Wanted<'_>,
    segment: &Segment,
    part: &Part,
) -> Result<(), Damaged> {
    let live = wanted.live(segment, part)?;
    stats.records += u64::from(live.count());
    let mut walk = part.frames()?.walk();
    for row in live.iter() {
        let received = walk.get(part.base + row).map(Timestamp::from_micros);
        stats.oldest = match stats.oldest {
            Some(oldest) => received.map(|received| received.min(oldest)),
            None => received,
        };
        stats.newest = stats.newest.max(received);
    }
    Ok(())
}
