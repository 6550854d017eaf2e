//! One group commit: outcomes are decided, frames are made, nothing is written yet.

use std::collections::HashMap;
use std::sync::Arc;

use convlog_model::ids::{Position, RecordId};
use convlog_model::store::{Outcome, Receipt, Retention, StateWrite, StoreError, Stored};
use convlog_model::time::Timestamp;

use super::{Reply, Writer};
use crate::embedded::bytes::{put_bytes, to_u32, to_usize};
use crate::embedded::error::failed;
use crate::embedded::facts::Facts;
use crate::embedded::frame::{APPEND_END, Header};
use crate::embedded::index::build::Builder;
use crate::embedded::index::merge::{Input, Rows, merge};
use crate::embedded::index::{Index, Parts};
use crate::embedded::own::Own;
use crate::embedded::prepare::{Block, Prepared, PreparedRow, compress};
use crate::embedded::row::{Hash16, SealedState, encode_state};
use crate::embedded::rowset::RowSet;
use crate::embedded::sessions::{Session, Taken};
use crate::embedded::view::position;

/// A frame that is yet to be given its place, group number and salt.
#[derive(Debug)]
pub(crate) struct PendingFrame {
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
}

/// Rows of one append with their index.
#[derive(Debug)]
pub(crate) struct NewPart {
    /// Number of the first row in the chunk.
    pub(crate) base: u32,
    pub(crate) index: Arc<Index>,
}

/// What is written and synced together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) frames: Vec<PendingFrame>,
    pub(crate) parts: Vec<NewPart>,
    pub(crate) replies: Vec<(Reply<Receipt>, Receipt)>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) new_slots: Vec<u32>,
    pub(crate) last_id: Option<RecordId>,
    /// Bytes of raw bodies.
    pub(crate) raw: usize,
    /// Of the last turn or event.
    pub(crate) newest: Option<Position>,
    rows: usize,
    pub(crate) own: HashMap<Hash16, Own>,
}

impl Group {
    /// Number of rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
}

/// The rows of one append that are to be written.
#[derive(Debug)]
struct Kept {
    blocks: Vec<Block>,
    indexes: Vec<Arc<Index>>,
    raw: usize,
    first_id: RecordId,
}

impl Writer {
    /// Decides what becomes of each record of an append and adds its frames.
    pub(crate) fn add(
        &mut self,
        group: &mut Group,
        prepared: Prepared,
        now: Timestamp,
    ) -> Result<Receipt, StoreError> {
        let sealed = self.seal_states(&prepared.states, now)?;
        let first_id = self.next_id(group.last_id.or(self.last_id), now);
        let (chunk, first_row) = self.log.next_row().unwrap_or_default();
        let rules = self.shared.rules();
        let mut next_id = first_id;
        let mut next_row = first_row + to_u32(group.rows);
        let mut outcomes = Vec::with_capacity(prepared.rows.len());
        for row in &prepared.rows {
            let stored = Stored {
                id: next_id,
                position: position(chunk, next_row),
                received: now,
            };
            let outcome = self.decide(group, &rules, &row.facts, stored)?;
            if matches!(outcome, Outcome::Stored(_)) {
                group.newest = Some(stored.position);
                next_id = next_id.next();
                next_row += 1;
            }
            outcomes.push(outcome);
        }
        let records = self.keep(prepared, &outcomes, first_id)?;
        let states = self.state_blocks(&sealed, next_id)?;
        let sessions = self.session_entries(&sealed, chunk, next_row);
        group.sessions.extend(sessions);
        let new = sealed.iter().filter(|state| state.taken.is_new);
        group.new_slots.extend(new.map(|state| state.taken.slot));
        let before = group.frames.len();
        for kept in [records, states] {
            push_frames(group, kept, first_row, now);
        }
        if group.frames.len() > before
            && let Some(last) = group.frames.last_mut()
        {
            last.header.flags |= APPEND_END;
        }
        Ok(Receipt { outcomes })
    }

    /// The blocks of the rows that are stored: those that came, if nothing changed meanwhile.
    fn keep(
        &self,
        prepared: Prepared,
        outcomes: &[Outcome],
        first_id: RecordId,
    ) -> Result<Kept, StoreError> {
        let codec = self.log.codec(&self.shared);
        let is_stored = |outcome: &Outcome| matches!(outcome, Outcome::Stored(_));
        let is_whole = outcomes.iter().all(is_stored);
        let mut indexes = prepared.indexes;
        if !is_whole {
            indexes = vec![Arc::new(without_refused(&indexes, outcomes)?)];
        }
        let stored = prepared.rows.into_iter().zip(outcomes);
        let rows: Vec<PreparedRow> = stored
            .filter(|(_, outcome)| is_stored(outcome))
            .map(|(row, _)| row)
            .collect();
        let blocks = if is_whole && Arc::ptr_eq(&codec, &prepared.codec) {
            prepared.blocks
        } else {
            compress(rows.iter().map(|row| row.plain.as_slice()), &codec)?
        };
        Ok(Kept {
            blocks,
            indexes,
            raw: rows.iter().map(|row| row.facts.raw_len).sum(),
            first_id,
        })
    }

    fn seal_states(
        &self,
        states: &[StateWrite],
        now: Timestamp,
    ) -> Result<Vec<Sealed>, StoreError> {
        let sessions = &self.shared.sessions;
        let mut out: Vec<Sealed> = Vec::with_capacity(states.len());
        for state in states {
            let hash = self.shared.hasher.session(&state.instance, &state.session);
            let taken = match sessions.take(&hash, now) {
                Ok(taken) => taken,
                Err(error) => {
                    let new = out.iter().filter(|sealed| sealed.taken.is_new);
                    let slots: Vec<u32> = new.map(|sealed| sealed.taken.slot).collect();
                    drop(sessions.give_back(&slots));
                    return Err(error);
                }
            };
            let content = SealedState {
                instance: state.instance.clone(),
                session: state.session.clone(),
                customers: state.customers.clone(),
                expires_at: state.expires_at,
                state: state.state.clone(),
            };
            let mut row = Vec::new();
            encode_state(&mut row, &sessions.seal(&taken, &content));
            let mut plain = Vec::new();
            put_bytes(&mut plain, &row);
            out.push(Sealed {
                taken,
                plain,
                customers: self
                    .shared
                    .hasher
                    .customers(&state.instance, &state.customers),
                expires_at: state.expires_at,
            });
        }
        Ok(out)
    }

    fn state_blocks(&self, sealed: &[Sealed], first_id: RecordId) -> Result<Kept, StoreError> {
        let codec = self.log.codec(&self.shared);
        let mut builder = Builder::default();
        for state in sealed {
            builder.state(state.taken.slot, state.taken.key.number);
        }
        let index = builder.finish().in_memory();
        Ok(Kept {
            blocks: compress(sealed.iter().map(|state| state.plain.as_slice()), &codec)?,
            indexes: vec![Arc::new(index.map_err(|error| failed("index", &error))?)],
            raw: 0,
            first_id,
        })
    }

    fn session_entries(&self, sealed: &[Sealed], chunk: u64, first_row: u32) -> Vec<Session> {
        let numbered = sealed.iter().zip(first_row..);
        let entries = numbered.map(|(state, row)| Session {
            slot: state.taken.slot,
            key: state.taken.key,
            at: position(chunk, row),
            customers: state.customers.clone(),
            expires_at: state.expires_at,
        });
        entries.collect()
    }
}

/// A state whose row is ready.
#[derive(Debug)]
struct Sealed {
    taken: Taken,
    plain: Vec<u8>,
    customers: Vec<[u8; 32]>,
    expires_at: Timestamp,
}

impl Writer {
    fn decide(
        &self,
        group: &mut Group,
        rules: &Retention,
        facts: &Facts,
        stored: Stored,
    ) -> Result<Outcome, StoreError> {
        if self.shared.erased().refuses(facts) {
            return Ok(Outcome::Erased);
        }
        if let Some(own_key) = &facts.own_key {
            let known = match group.own.get(own_key) {
                Some(own) => Some(*own),
                None => self.shared.stored_own(facts, rules)?,
            };
            if let Some(first) = known {
                return Ok(match first.body_hash == facts.body_hash {
                    true => Outcome::Duplicate(first.stored),
                    false => Outcome::Conflict,
                });
            }
            let own = Own {
                stored,
                body_hash: facts.body_hash,
            };
            group.own.insert(*own_key, own);
        }
        Ok(Outcome::Stored(stored))
    }
}

/// The index of an append without the rows that are not stored.
fn without_refused(indexes: &[Arc<Index>], outcomes: &[Outcome]) -> Result<Index, StoreError> {
    let mut rest = outcomes;
    let mut kept = Vec::with_capacity(indexes.len());
    for index in indexes {
        let (mine, others) = rest.split_at(to_usize(index.rows().into()).min(rest.len()));
        rest = others;
        let mut rows = RowSet::empty(index.rows());
        for (row, outcome) in (0..).zip(mine) {
            if matches!(outcome, Outcome::Stored(_)) {
                rows.insert(row);
            }
        }
        kept.push(rows);
    }
    let mut n_rows = 0;
    let mut inputs = Vec::with_capacity(indexes.len());
    for (index, kept) in indexes.iter().zip(&kept) {
        let rows = Rows::Packed(n_rows, kept);
        inputs.push(Input { index, rows });
        n_rows += kept.count();
    }
    let merged = merge(&inputs, n_rows, false).and_then(Parts::in_memory);
    merged.map_err(|error| failed("index", &error))
}

fn push_frames(group: &mut Group, kept: Kept, chunk_rows: u32, now: Timestamp) {
    let mut id = kept.first_id;
    group.raw += kept.raw;
    let mut base = chunk_rows + to_u32(group.rows);
    for index in kept.indexes.into_iter().filter(|index| index.rows() > 0) {
        let end = base + index.rows();
        group.parts.push(NewPart { base, index });
        base = end;
    }
    for block in kept.blocks {
        let header = Header {
            frame_len: 0,
            payload_len: to_u32(block.payload.len()),
            salt: 0,
            group: 0,
            first_row: chunk_rows + to_u32(group.rows),
            row_count: u16::try_from(block.row_count).unwrap_or(u16::MAX),
            flags: 0,
            plain_len: to_u32(block.plain_len),
            received: now,
            first_id: id,
        };
        for _ in 0..block.row_count {
            group.last_id = Some(id);
            id = id.next();
        }
        group.rows += block.row_count;
        group.frames.push(PendingFrame {
            header,
            payload: block.payload,
        });
    }
}
