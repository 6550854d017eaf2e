//! Reads of other kinds: the state of a dialogue session, and what is held.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use convlog_model::filter::Filter;
use convlog_model::ids::InstanceId;
use convlog_model::store::{StateWrite, Stats, StoreError};
use convlog_model::time::Timestamp;

use super::error::corrupt;
use super::row::{self, Row};
use super::sessions::Sessions;
use super::shared::Shared;
use super::tail::position;

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
        let found = {
            let tail = self.tail();
            let found = tail.at(session.at);
            found.map(|(segment, meta)| (Arc::clone(&segment.chunk), meta.place, meta.in_frame))
        };
        let Some((chunk, place, in_frame)) = found else {
            return Ok(None);
        };
        let (header, plain) = chunk.read_frame(place)?;
        let damaged = |why: &dyn std::fmt::Display| corrupt(&chunk.name, place.offset, why);
        let rows = row::split(&plain, header.row_count).map_err(|bad| damaged(&bad))?;
        let bytes = rows.get(usize::from(in_frame)).copied().unwrap_or_default();
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
        let tail = self.tail();
        let wanted = self.wanted(&tail, instance, &Filter::All, None)?;
        let mut stats = Stats::default();
        let note = |seen: Option<Timestamp>, value, pick: fn(Timestamp, Timestamp) -> Timestamp| {
            Some(seen.map_or(value, |seen| pick(seen, value)))
        };
        for segment in &tail.segments {
            for (meta, row) in segment.rows.iter().zip(0..) {
                let at = position(segment.chunk.number, row);
                if meta.instance == wanted.instance && wanted.is_shown(&tail, at) {
                    stats.records += 1;
                    stats.oldest = note(stats.oldest, meta.received, Ord::min);
                    stats.newest = note(stats.newest, meta.received, Ord::max);
                }
            }
        }
        let open = tail.segments.last();
        let open_rows = open.map_or(0, |segment| segment.rows.len());
        stats.tail = u64::try_from(open_rows).unwrap_or(u64::MAX);
        let sealed = tail.segments.len().saturating_sub(1);
        stats.segments = u64::try_from(sealed).unwrap_or(u64::MAX);
        stats.bytes = self.log_bytes.load(Ordering::Relaxed)
            + open
                .and_then(|segment| segment.chunk.file.len().ok())
                .unwrap_or(0);
        Ok(stats)
    }
}
