//! The own ids of rows, out of the index of their chunk.

use convlog_model::ids::Position;
use convlog_model::store::StoreError;

use super::index::Index;
use super::index::build::path_bytes;
use super::index::class::Class;
use super::index::source::Damaged;
use super::index::term::{self, Kind};
use super::read::Stop;
use super::row::Hash16;
use super::shared::Shared;
use super::view::{Part, Segment, by_chunk};

/// An own id that stands in a row.
struct Owned {
    row: u32,
    /// `None` where the index holds it by hash.
    own_id: Option<String>,
}

impl Shared {
    /// Keys of the own ids of rows of any chunks, rising, each once.
    pub(crate) fn own_keys_of(&self, rows: &[Position]) -> Result<Vec<Hash16>, StoreError> {
        let mut keys = Vec::new();
        for (chunk, rows) in by_chunk(rows) {
            let found = self.reading(|| match self.view().segment(chunk) {
                Some(segment) => self.own_keys(segment, &|row| rows.contains(row)),
                None => Ok(Vec::new()),
            })?;
            keys.extend(found);
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Keys of the own ids of the rows of a chunk that `wanted` selects.
    pub(crate) fn own_keys(
        &self,
        segment: &Segment,
        wanted: &dyn Fn(u32) -> bool,
    ) -> Result<Vec<Hash16>, Stop> {
        let mut keys = Vec::new();
        for part in &segment.parts {
            let damaged = |bad: Damaged| Stop::Index(segment.chunk.number, bad);
            let classes = Classes::of(&part.index).map_err(damaged)?;
            for Owned { row, own_id } in owned(part, wanted).map_err(damaged)? {
                let own_id = match own_id {
                    Some(own_id) => Some(own_id),
                    None => self
                        .record(segment, part.base + row)?
                        .and_then(|record| record.draft.own_id.clone()),
                };
                if let (Some(class), Some(own_id)) = (classes.get(row), own_id) {
                    keys.push(self.hasher.own(&class.instance, class.dialect, &own_id));
                }
            }
        }
        Ok(keys)
    }
}

/// Own ids of the rows of a part that `wanted` selects.
fn owned(part: &Part, wanted: &dyn Fn(u32) -> bool) -> Result<Vec<Owned>, Damaged> {
    let index = &part.index;
    let Some(path) = index.path(1, &path_bytes("own_id"))? else {
        return Ok(Vec::new());
    };
    let mut terms = Vec::new();
    for kind in [Kind::Text, Kind::Uuid, Kind::Hashed] {
        index.each(path, kind, &[], |value, found| {
            let value = term::value(kind, value);
            terms.push((value.and_then(|v| v.as_text().map(str::to_owned)), found));
            true
        })?;
    }
    let mut out = Vec::new();
    for (own_id, found) in terms {
        index.postings(found, |posting| {
            let row = posting >> 16;
            if wanted(part.base + row) {
                out.push(Owned {
                    row,
                    own_id: own_id.clone(),
                });
            }
        })?;
    }
    Ok(out)
}

/// The class of each row of an index.
struct Classes {
    all: Vec<Class>,
    /// By row; one that is no record has a number behind the last class.
    of_row: Vec<usize>,
}

impl Classes {
    fn of(index: &Index) -> Result<Self, Damaged> {
        let mut of_row = vec![usize::MAX; index.rows() as usize];
        let mut all = Vec::new();
        for (class, found) in index.classes(&[])? {
            let Ok(class) = Class::decode(&class) else {
                continue;
            };
            index.postings(found, |posting| {
                if let Some(number) = of_row.get_mut((posting >> 16) as usize) {
                    *number = all.len();
                }
            })?;
            all.push(class);
        }
        Ok(Classes { all, of_row })
    }

    fn get(&self, row: u32) -> Option<&Class> {
        self.all.get(*self.of_row.get(row as usize)?)
    }
}
