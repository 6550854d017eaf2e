//! What the start asks the indexes: which rows are hidden still, which is the newest, and where the
//! states of sessions are.

use std::collections::BTreeMap;

use convlog_model::ids::{Position, RecordId};
use convlog_model::store::{ErasureState, StoreError};

use crate::embedded::catalog::{Hidden, LedgerEntry};
use crate::embedded::error::failed;
use crate::embedded::frames::FrameRow;
use crate::embedded::index::build::state_value;
use crate::embedded::index::term::Kind;
use crate::embedded::indexer::last_id;
use crate::embedded::log::Chunk;
use crate::embedded::lower::Trouble;
use crate::embedded::row::{self, Hash16, Row, StateRow};
use crate::embedded::rows::records;
use crate::embedded::sessions::{Session, Sessions, Slot};
use crate::embedded::shared::Shared;
use crate::embedded::view::{Segment, position, split};

/// States of sessions: the newest row of each.
pub(super) type States = BTreeMap<Hash16, (Position, StateRow)>;

impl Shared {
    /// Hides what is to be hidden, and finds the newest record and the living sessions. `states` are
    /// those of chunks that are not sealed; `newest` is at least the newest position.
    pub(super) fn recall(
        &self,
        ledger: &[LedgerEntry],
        expiring: &[(u64, Vec<u32>)],
        newest: Position,
        states: &States,
    ) -> Result<(), StoreError> {
        self.hide_again(ledger)?;
        for (chunk, rows) in expiring {
            let rows: Vec<Position> = rows.iter().map(|row| position(*chunk, *row)).collect();
            self.hide(&rows);
        }
        self.recall_newest(newest)?;
        self.recall_sessions(states)?;
        self.recall_clock()?;
        self.expire(&self.rules()).map(drop)
    }

    /// Hides again what erasures have hidden that are not done.
    fn hide_again(&self, ledger: &[LedgerEntry]) -> Result<(), StoreError> {
        let is_open = |entry: &&LedgerEntry| entry.erasure.state != ErasureState::Done;
        for entry in ledger.iter().filter(is_open) {
            match &entry.hidden {
                Hidden::Rows { at, .. } => self.hide(at),
                Hidden::Customer(customer) => {
                    self.hide(&self.rows_of_customer(customer, entry.before)?);
                }
            }
        }
        Ok(())
    }

    /// Finds the position of the last turn or event, which may have expired.
    fn recall_newest(&self, known: Position) -> Result<(), StoreError> {
        let newest = self.reading(|| {
            for segment in self.view().segments.iter().rev() {
                for part in segment.parts.iter().rev() {
                    let number = segment.chunk.number;
                    let rows = records(&part.index);
                    let rows = rows.map_err(|bad| (number, Trouble::from(bad)))?;
                    if let Some(row) = rows.iter().last() {
                        return Ok(position(number, part.base + row));
                    }
                }
            }
            Ok(Position::START)
        })?;
        let newest = newest.max(known);
        self.change_view(|view| view.newest = newest);
        self.newest.send_replace(newest);
        Ok(())
    }

    /// Finds the last moment that a former run knew.
    fn recall_clock(&self) -> Result<(), StoreError> {
        let run = self.catalog.retention_run();
        let run = run.map_err(|error| failed("catalog", &error))?;
        let held = self.catalog.retention_held();
        let held = held.map_err(|error| failed("catalog", &error))?;
        let received = self.newest_received()?;
        let former = received.max(run.and_then(|run| run.received));
        self.job.recall(former, run.map(|run| run.at), held);
        Ok(())
    }

    /// The id of the last row.
    pub(super) fn recall_last_id(&self) -> Result<Option<RecordId>, StoreError> {
        self.reading(|| {
            for segment in self.view().segments.iter().rev() {
                let Some(last) = segment.rows().checked_sub(1) else {
                    continue;
                };
                let frame = segment.frame_of(last);
                let frame = frame.map_err(|bad| (segment.chunk.number, Trouble::from(bad)))?;
                if let Some(frame) = frame {
                    let (header, _) = segment.chunk.read_frame(frame.place)?;
                    return Ok(Some(last_id(&header)));
                }
            }
            Ok(None)
        })
    }

    /// Puts back the sessions whose key still stands, and ends those that an erasure or the time
    /// has ended meanwhile.
    fn recall_sessions(&self, states: &States) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (slot, key) in self.sessions.keys() {
            let known = states.get(&key.session_hash);
            // A chunk whose index is made again may be older than others that have theirs.
            let newer = self.sealed_state(slot, &key, known.map(|(at, _)| split(*at).0))?;
            let Some((at, row)) = newer.or_else(|| known.cloned()) else {
                continue;
            };
            let Some(state) = Sessions::open(&key, &row) else {
                continue;
            };
            let customers = self.hasher.customers(&state.instance, &state.customers);
            let is_erased = {
                let erased = self.erased();
                let mut ended = customers.iter().filter_map(|customer| erased.get(customer));
                ended.any(|erased| at < erased.before)
            };
            if state.expires_at < now || is_erased {
                continue;
            }
            self.sessions.put(Session {
                slot: row.slot,
                key,
                at,
                customers,
                expires_at: state.expires_at,
            });
        }
        let wiped = self.sessions.wipe_orphans();
        wiped.map_err(|error| failed("sessions", &error))
    }

    /// The newest state of a session in the chunks behind `after`.
    fn sealed_state(
        &self,
        slot: u32,
        key: &Slot,
        after: Option<u64>,
    ) -> Result<Option<(Position, StateRow)>, StoreError> {
        let value = state_value(slot, key.number);
        self.reading(|| {
            let view = self.view();
            let newest_first = view.segments.iter().rev();
            for segment in newest_first.take_while(|it| Some(it.chunk.number) > after) {
                let found = last_state(segment, &value);
                let found = found.map_err(|bad| (segment.chunk.number, Trouble::from(bad)))?;
                let Some((frame, row)) = found else { continue };
                let at = position(segment.chunk.number, row);
                return Ok(read_state(&segment.chunk, &frame, row).map(|state| (at, state)));
            }
            Ok(None)
        })
    }
}

fn last_state(
    segment: &Segment,
    value: &[u8],
) -> Result<Option<(FrameRow, u32)>, crate::embedded::index::source::Damaged> {
    for part in segment.parts.iter().rev() {
        let rows = part.index.engine_rows(Kind::State, value)?;
        if let Some(row) = rows.iter().last() {
            let row = part.base + row;
            return Ok(segment.frame_of(row)?.map(|frame| (frame, row)));
        }
    }
    Ok(None)
}

/// The state in a row. One that cannot be read is told of, and its session has ended.
fn read_state(chunk: &Chunk, frame: &FrameRow, wanted: u32) -> Option<StateRow> {
    let read = || -> Result<Option<StateRow>, String> {
        let plain = chunk.read_frame(frame.place);
        let (header, plain) = plain.map_err(|error| error.log_text().to_owned())?;
        let rows = row::split(&plain, header.row_count).map_err(|bad| bad.to_string())?;
        let mut numbered = rows.into_iter().zip(header.first_row..);
        let Some((bytes, _)) = numbered.find(|(_, row)| *row == wanted) else {
            return Ok(None);
        };
        match row::decode(bytes).map_err(|bad| bad.to_string())? {
            Row::State(state) => Ok(Some(state)),
            _ => Ok(None),
        }
    };
    read().unwrap_or_else(|error| {
        let (file, offset) = (&chunk.name, frame.place.offset);
        tracing::error!(%file, offset, %error, "a session ends, its state cannot be read");
        None
    })
}
