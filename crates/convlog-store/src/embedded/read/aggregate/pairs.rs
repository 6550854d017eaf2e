//! The values that a field has in the matching rows of a part, by row.

use convlog_model::aggregate::numbers_of;
use convlog_model::fields::FieldRef;
use convlog_model::flatten::{Flat, Scalar};
use convlog_model::number::Decimal;
use convlog_model::time::Timestamp;

use super::super::measure::Place;
use super::super::{Budget, Stop};
use crate::embedded::index::term::{self, Kind};
use crate::embedded::lower::each::{Reading, Take, each_value};
use crate::embedded::rowset::RowSet;
use crate::embedded::shared::Shared;

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) row: u32,
    /// Number of the value.
    pub(super) value: u32,
    /// Number of the value as it is written.
    pub(super) written: u32,
}

/// Values by rising row; those of a row are sorted.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pairs: Vec<Pair>,
    reached: usize,
}

impl Pairs {
    pub(super) fn add(&mut self, rows: &[u32], value: u32, written: u32) {
        let pairs = rows.iter().map(|row| Pair {
            row: *row,
            value,
            written,
        });
        self.pairs.extend(pairs);
    }

    /// Sorts them; every value of a row stays, or those that differ.
    pub(super) fn sort(&mut self, keeps_equal: bool) {
        self.pairs.sort_unstable();
        if !keeps_equal {
            self.pairs.dedup();
        }
    }

    /// The values of a row, which is behind those that were asked for.
    pub(super) fn of(&mut self, row: u32) -> &[Pair] {
        let rest = self.pairs.get(self.reached..).unwrap_or_default();
        let before = rest.iter().take_while(|pair| pair.row < row).count();
        let rest = rest.get(before..).unwrap_or_default();
        let mine = rest.iter().take_while(|pair| pair.row == row).count();
        self.reached += before + mine;
        rest.get(..mine).unwrap_or_default()
    }

    /// Begins again with the first row.
    pub(super) fn rewind(&mut self) {
        self.reached = 0;
    }
}

impl Shared {
    /// Takes the values that a field has in some matching rows of a part.
    pub(super) fn take_values(
        &self,
        place: &Place,
        field: &FieldRef,
        reading: Reading,
        rows: &RowSet,
        budget: &mut Budget<'_>,
        take: &mut Take<'_>,
    ) -> Result<(), Stop> {
        let Place { segment, part, .. } = place;
        let unread = each_value(part, &segment.chunk, field, reading, rows, take);
        let unread = unread.map_err(|trouble| (segment.chunk.number, trouble))?;
        let fields = [field.clone()];
        for row in unread.iter() {
            budget.spend()?;
            if let Some(record) = self.record(segment, part.base + row)? {
                let flat = record.flat_of(&fields);
                take_leaves(&flat, field, reading, row, take);
            }
        }
        budget.check_time()?;
        Ok(())
    }
}

/// Takes the values of a record that was read.
fn take_leaves(flat: &Flat, field: &FieldRef, reading: Reading, row: u32, take: &mut Take<'_>) {
    if reading == Reading::Numbers {
        for (_, text) in numbers_of(field, flat) {
            let (kind, value) = term::of_number(text);
            take(kind, &value, &[row]);
        }
        return;
    }
    for leaf in flat.values(field) {
        let (kind, value) = match (reading, &leaf.value) {
            (Reading::Moments, Scalar::Text(text)) => match Timestamp::parse_rfc3339(text) {
                Some(moment) => (Kind::Time, term::of_time(moment.micros()).to_vec()),
                None => continue,
            },
            (Reading::Moments, _) | (_, Scalar::Null) => continue,
            (_, Scalar::Bool(truth)) => (Kind::Bool, vec![u8::from(*truth)]),
            (_, Scalar::Number(text)) if Decimal::parse(text).is_some() => term::of_number(text),
            (_, Scalar::Number(text) | Scalar::Text(text)) => match term::of_text(text) {
                (Kind::Hashed, _) => (Kind::Text, text.as_bytes().to_vec()),
                term => term,
            },
        };
        take(kind, &value, &[row]);
    }
}
