//! What of the rows in memory has to do with erasing: which are hidden, which are still in the log,
//! and what is forgotten of those that are not.

use std::collections::BTreeSet;
use std::sync::Arc;

use convlog_model::ids::Position;
use convlog_model::time::Timestamp;

use super::{BLANK, CELL_NONE, CELL_OTHER, ERASED, INTERNAL, Meta, Tail, position};
use crate::embedded::bytes::{to_u32, to_usize};
use crate::embedded::log::{Chunk, Place};

/// Since when a customer is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErasedCustomer {
    pub(crate) before: Position,
    pub(crate) requested_at: Timestamp,
}

/// A frame of which rows are to be overwritten.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) place: Place,
    /// Numbers of these rows in the chunk and in the frame.
    pub(crate) rows: Vec<(u32, u8)>,
}

impl Meta {
    /// Whether it is erased, but its bytes are still there.
    fn is_doomed(&self) -> bool {
        self.flags & ERASED != 0 && self.flags & BLANK == 0
    }
}

impl Tail {
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(cell) = self.texts.get(text).copied() {
            if let Some(uses) = use_of(&mut self.uses, cell) {
                *uses = uses.saturating_add(1);
            }
            return cell;
        }
        let name: Arc<str> = text.into();
        let cell = to_u32(self.names.len() + 1);
        self.names.push(Arc::clone(&name));
        self.uses.push(1);
        self.texts.insert(name, cell);
        cell
    }

    /// Forgets the text of a cell when nothing else holds it. The number is not given again: a
    /// search under way may have looked it up.
    fn release(&mut self, cell: u32) {
        if cell == CELL_NONE || cell == CELL_OTHER {
            return;
        }
        let Some(uses) = use_of(&mut self.uses, cell) else {
            return;
        };
        *uses = uses.saturating_sub(1);
        if *uses == 0
            && let Some(name) = self.names.get_mut(to_usize(u64::from(cell) - 1))
        {
            self.texts.remove(name);
            *name = "".into();
        }
    }

    /// When a customer was last erased.
    pub(crate) fn erased(&self, customer: &[u8; 32]) -> Option<ErasedCustomer> {
        self.erased.get(customer).copied()
    }

    /// Notes an erased customer, for rows yet to be published and for resends.
    pub(crate) fn note_erased(&mut self, customer: [u8; 32], erased: ErasedCustomer) {
        let known = self.erased.entry(customer).or_insert(erased);
        known.before = known.before.max(erased.before);
        known.requested_at = known.requested_at.max(erased.requested_at);
    }

    /// Positions of the rows of a customer, those that have expired included.
    pub(crate) fn rows_of(&self, customer: &[u8; 32]) -> Vec<Position> {
        let rows = self
            .customers
            .get(customer)
            .map_or(&[] as &[_], Vec::as_slice);
        let there = rows.iter().filter_map(|(segment, row)| {
            let segment = self.segments.get(usize::try_from(*segment).ok()?)?;
            let meta = segment.rows.get(usize::try_from(*row).ok()?)?;
            let at = position(segment.chunk.number, *row);
            (meta.flags & ERASED == 0).then_some(at)
        });
        there.collect()
    }

    /// How many of these rows reads can show.
    pub(crate) fn count_visible(&self, rows: &[Position]) -> usize {
        let visible = |at: &&Position| self.at(**at).is_some_and(|(_, meta)| meta.is_visible());
        rows.iter().filter(visible).count()
    }

    fn change(&mut self, at: Position, change: impl FnOnce(&mut Meta)) {
        if let Some((segment, row)) = self.find(at)
            && let Some(segment) = self.segments.get_mut(segment)
            && let Some(meta) = segment.rows.get_mut(row)
        {
            change(meta);
        }
    }

    /// Hides rows for good. Rows that were overwritten before hold nothing to hide.
    pub(crate) fn hide(&mut self, rows: &[Position]) {
        for at in rows {
            self.change(*at, |meta| {
                if meta.flags & INTERNAL == 0 {
                    meta.flags |= ERASED;
                }
            });
        }
    }

    /// Frames of a chunk of which rows are to be overwritten: the first, and further ones as long
    /// as all of them have at most `bytes_max` bytes. `None` when there is none but `passed`.
    pub(crate) fn doomed(
        &self,
        segment: usize,
        bytes_max: usize,
        passed: &BTreeSet<(u64, u64)>,
    ) -> Option<(Arc<Chunk>, Vec<Doomed>)> {
        let segment = self.segments.get(segment)?;
        let mut frames: Vec<Doomed> = Vec::new();
        let mut bytes = 0;
        let number = segment.chunk.number;
        let is_passed = |meta: &Meta| passed.contains(&(number, meta.place.offset));
        let doomed = segment.rows.iter().zip(0..);
        let doomed = doomed.filter(|(meta, _)| meta.is_doomed() && !is_passed(meta));
        for (meta, row) in doomed {
            match frames.last_mut() {
                Some(last) if last.place == meta.place => last.rows.push((row, meta.in_frame)),
                _ => {
                    bytes += to_usize(meta.place.len.into());
                    if bytes > bytes_max && !frames.is_empty() {
                        break;
                    }
                    frames.push(Doomed {
                        place: meta.place,
                        rows: vec![(row, meta.in_frame)],
                    });
                }
            }
        }
        (!frames.is_empty()).then(|| (Arc::clone(&segment.chunk), frames))
    }

    /// Forgets what is known of rows whose bytes are gone.
    pub(crate) fn blank(&mut self, rows: &[Position]) {
        let mut released = Vec::new();
        for at in rows {
            self.change(*at, |meta| {
                for cell in &mut meta.cells {
                    released.push(std::mem::replace(cell, CELL_NONE));
                }
                meta.request = None;
                meta.response = None;
                meta.flags = INTERNAL | BLANK;
            });
        }
        for cell in released {
            self.release(cell);
        }
        let gone: BTreeSet<Position> = rows.iter().copied().collect();
        let segments = &self.segments;
        for customer in self.erased.keys() {
            if let Some(held) = self.customers.get_mut(customer) {
                held.retain(|(segment, row)| {
                    let segment = segments.get(to_usize(u64::from(*segment)));
                    segment.is_none_or(|s| !gone.contains(&position(s.chunk.number, *row)))
                });
            }
        }
    }
}

fn use_of(uses: &mut [u32], cell: u32) -> Option<&mut u32> {
    let index = to_usize(u64::from(cell.checked_sub(1)?));
    uses.get_mut(index)
}

#[cfg(test)]
impl Tail {
    /// Whether no text that is held begins with this.
    pub(crate) fn holds_no_text(&self, prefix: &str) -> bool {
        let mut held = self.texts.keys().chain(&self.names);
        held.all(|text| !text.starts_with(prefix))
    }
}
