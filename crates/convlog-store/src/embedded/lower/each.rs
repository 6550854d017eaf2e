//! The values that a field has in some rows, term by term, instead of row by row.

use std::collections::BTreeMap;

use convlog_model::fields::FieldRef;
use convlog_model::number::Decimal;

use super::{Lower, Target, Trouble};
use crate::embedded::index::Section;
use crate::embedded::index::postings::row_of;
use crate::embedded::index::source::Damaged;
use crate::embedded::index::term::{self, Kind};
use crate::embedded::log::Chunk;
use crate::embedded::rowset::RowSet;
use crate::embedded::view::Part;

/// What of a field's values is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of them, each once a row.
    Values,
    /// Moments, each once a row.
    Moments,
    /// Numbers, each once an object that holds it.
    Numbers,
}

/// Takes a term and the rows, rising, in which it stands: of the kinds `Text`, `Uuid`, `Number` and
/// `Bool` for values, `Time` for moments. The same value may come as several terms, and several
/// times.
pub(crate) type Take<'a> = dyn FnMut(Kind, &[u8], &[u32]) + 'a;

/// The values of a field in those rows of a part that are in `rows`. Gives back the rows that must
/// be read to know their values, or all of their values.
pub(crate) fn each_value(
    part: &Part,
    chunk: &Chunk,
    field: &FieldRef,
    reading: Reading,
    rows: &RowSet,
    take: &mut Take<'_>,
) -> Result<RowSet, Trouble> {
    let index = &part.index;
    let lower = Lower { part, chunk, index };
    let mut unread = index.engine_rows(Kind::Overflow, &[])?;
    for target in lower.targets(field)? {
        if target.path == u32::MAX {
            continue;
        }
        let mut scope = rows.clone();
        if let Some(only) = &target.only {
            scope.intersect(only);
        }
        if scope.is_empty() {
            continue;
        }
        match reading {
            Reading::Values => {
                for kind in [Kind::Text, Kind::Uuid, Kind::Number, Kind::Bool] {
                    lower.each_term(&target, kind, &scope, take)?;
                }
                for kind in [Kind::Hashed, Kind::LongWord] {
                    let mut add = |_, _: &[u8], rows: &[u32]| {
                        rows.iter().for_each(|row| unread.insert(*row));
                    };
                    lower.each_term(&target, kind, &scope, &mut add)?;
                }
            }
            Reading::Moments => {
                lower.each_term(&target, Kind::Time, &scope, take)?;
                lower.each_in_columns(&target, &scope, take)?;
            }
            Reading::Numbers => lower.each_number(&target, &scope, take)?,
        }
    }
    if let FieldRef::Canonical(name) = field {
        lower.each_given(name, reading, rows, take)?;
    }
    unread.intersect(rows);
    Ok(unread)
}

impl Lower<'_> {
    fn each_posting(
        &self,
        target: &Target,
        kind: Kind,
        scope: &RowSet,
        visit: &mut dyn FnMut(&[u8], &[u32]),
    ) -> Result<(), Damaged> {
        let mut postings = Vec::new();
        let mut ended = Ok(());
        self.index.each(target.path, kind, &[], |value, found| {
            postings.clear();
            ended = self.index.postings(found, |posting| {
                postings.extend(scope.contains(row_of(posting)).then_some(posting));
            });
            if !postings.is_empty() {
                visit(value, &postings);
            }
            ended.is_ok()
        })?;
        ended
    }

    fn each_term(
        &self,
        target: &Target,
        kind: Kind,
        scope: &RowSet,
        take: &mut Take<'_>,
    ) -> Result<(), Damaged> {
        let mut rows = Vec::new();
        self.each_posting(target, kind, scope, &mut |value, postings| {
            rows.clear();
            rows.extend(postings.iter().map(|posting| row_of(*posting)));
            rows.dedup();
            take(kind, value, &rows);
        })
    }

    /// Of equal numbers in one object only the one with the smallest text.
    fn each_number(
        &self,
        target: &Target,
        scope: &RowSet,
        take: &mut Take<'_>,
    ) -> Result<(), Damaged> {
        // Equal numbers stand side by side.
        let mut key = Vec::new();
        let mut equal: Vec<(Vec<u8>, Vec<u32>)> = Vec::new();
        self.each_posting(target, Kind::Number, scope, &mut |value, postings| {
            if key.is_empty() || !value.starts_with(&key) {
                take_equal(&mut equal, take);
                let len = Decimal::from_sort_key(value).map_or(value.len(), |(_, len)| len);
                key.clear();
                key.extend_from_slice(value.get(..len).unwrap_or_default());
            }
            equal.push((value.to_vec(), postings.to_vec()));
        })?;
        take_equal(&mut equal, take);
        Ok(())
    }

    fn each_in_columns(
        &self,
        target: &Target,
        scope: &RowSet,
        take: &mut Take<'_>,
    ) -> Result<(), Damaged> {
        for (name, section) in [
            ("time.request", Section::Request),
            ("time.response", Section::Response),
        ] {
            let Some(rows) = self.rows_in_column(name, target)? else {
                continue;
            };
            let column = self.index.column(section)?;
            for row in rows.iter().filter(|row| scope.contains(*row)) {
                if let Some(micros) = column.get(row) {
                    take(Kind::Time, &term::of_time(micros), &[row]);
                }
            }
        }
        Ok(())
    }
}

/// Takes what terms of one value hold.
fn take_equal(equal: &mut Vec<(Vec<u8>, Vec<u32>)>, take: &mut Take<'_>) {
    if let [(value, postings)] = equal.as_slice() {
        let rows: Vec<u32> = postings.iter().map(|posting| row_of(*posting)).collect();
        take(Kind::Number, value, &rows);
        equal.clear();
        return;
    }
    let text = |value: &[u8]| {
        term::value(Kind::Number, value)?
            .as_text()
            .map(str::to_owned)
    };
    let mut written: Vec<_> = equal
        .drain(..)
        .map(|(value, postings)| (text(&value), value, postings))
        .collect();
    written.sort();
    let mut first: BTreeMap<u32, usize> = BTreeMap::new();
    for (number, (_, _, postings)) in written.iter().enumerate() {
        for posting in postings {
            first.entry(*posting).or_insert(number);
        }
    }
    for (number, (_, value, postings)) in written.iter().enumerate() {
        let mine = postings.iter().filter(|at| first.get(at) == Some(&number));
        let rows: Vec<u32> = mine.map(|posting| row_of(*posting)).collect();
        take(Kind::Number, value, &rows);
    }
}
