//! The index of some consecutive rows: a sorted list of terms with the rows in which each stands,
//! and what is known of each row. Written once, never changed; docs/format.md has the bytes.
//!
//! An append makes a small one of its own rows (`build`), small ones are merged into larger ones
//! and the last merge of a chunk is its file (`merge`, `file`). So what is searched in memory and
//! what is searched on disk have one form, and a reader never waits for a writer.

pub(crate) mod bloom;
pub(crate) mod build;
pub(crate) mod class;
pub(crate) mod column;
pub(crate) mod dict;
pub(crate) mod file;
mod intern;
pub(crate) mod merge;
mod path;
pub(crate) mod postings;
pub(crate) mod source;
pub(crate) mod term;
#[cfg(test)]
mod tests;

use std::ops::Range;

use convlog_model::flatten::Space;

use self::bloom::Bloom;
use self::column::Column;
use self::dict::{Dict, Found};
pub(crate) use self::path::ENGINE;
use self::postings::Extent;
use self::source::{Damaged, Part, Source};
use self::term::Kind;
use super::bytes::{Malformed, to_u64, to_usize};
use super::rowset::RowSet;

/// Sections of an index, by their place in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Paths,
    PathBlocks,
    Terms,
    TermBlocks,
    Postings,
    Request,
    Response,
    Bloom,
    /// First row, offset, length and time of receipt of each frame; files only.
    Frames,
    /// One bit for each key of an own id; files only.
    OwnKeys,
}

/// Number of sections.
pub(crate) const SECTIONS: usize = 10;
/// First bytes of an index.
const MAGIC: [u8; 8] = *b"convlogI";
/// Version of its format.
pub(crate) const FORMAT: u32 = 1;
/// Bytes before the first section.
const HEADER_LEN: usize = 256;
/// Where the table of sections begins.
const TABLE_AT: usize = 64;

/// An index, open for reading.
#[derive(Debug)]
pub(crate) struct Index {
    source: Source,
    sections: [Range<usize>; SECTIONS],
    rows: u32,
}

/// What an index is assembled from.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) rows: u32,
    pub(crate) sections: [Vec<u8>; SECTIONS],
}

impl Parts {
    pub(crate) fn put(&mut self, section: Section, bytes: Vec<u8>) {
        if let Some(place) = self.sections.get_mut(section as usize) {
            *place = bytes;
        }
    }

    /// The bytes of the index: header and sections.
    pub(crate) fn assemble(self, chunk: u64) -> Vec<u8> {
        let total: usize = self.sections.iter().map(Vec::len).sum();
        let mut out = Vec::with_capacity(HEADER_LEN + total);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&chunk.to_le_bytes());
        out.extend_from_slice(&to_u64(HEADER_LEN + total).to_le_bytes());
        out.resize(TABLE_AT, 0);
        let mut at = HEADER_LEN;
        for section in &self.sections {
            out.extend_from_slice(&to_u64(at).to_le_bytes());
            out.extend_from_slice(&to_u64(section.len()).to_le_bytes());
            at += section.len();
        }
        out.resize(HEADER_LEN, 0);
        for section in self.sections {
            out.extend_from_slice(&section);
        }
        out
    }

    /// The index in memory.
    pub(crate) fn in_memory(self) -> Result<Index, Damaged> {
        Index::open(Source::Memory(self.assemble(0)))
    }
}

impl Index {
    /// Reads the header of an index whose bytes are of this version.
    pub(crate) fn open(source: Source) -> Result<Self, Damaged> {
        let len = source.all().len();
        let header = source.part(&(0..len.min(HEADER_LEN)));
        let bytes = header.bytes()?;
        let number = |at: usize| -> Result<usize, Damaged> {
            let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
            let found = found.map(|bytes| to_usize(u64::from_le_bytes(*bytes)));
            found.ok_or_else(|| header.fault(at))
        };
        if bytes.get(..8) != Some(&MAGIC) {
            return Err(header.fault(0));
        }
        let rows = u32::try_from(number(8)? >> 32).map_err(|_| header.fault(12))?;
        let mut sections = [const { 0..0 }; SECTIONS];
        for (i, section) in sections.iter_mut().enumerate() {
            let at = TABLE_AT + i * 16;
            let (start, section_len) = (number(at)?, number(at + 8)?);
            let end = start.checked_add(section_len).filter(|end| *end <= len);
            *section = start..end.ok_or_else(|| header.fault(at))?;
        }
        Ok(Index {
            source,
            sections,
            rows,
        })
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        self.source.memory() + size_of::<Self>()
    }

    /// Bytes of it, wherever they are.
    pub(crate) fn len(&self) -> usize {
        self.source.all().len()
    }

    /// Checks every checksum, and reads every entry and every list.
    pub(crate) fn check_all(&self) -> Result<(), Damaged> {
        self.source.check_all()?;
        let mut key = Vec::new();
        let mut paths = self.paths().cursor();
        while paths.next(&mut key)?.is_some() {}
        key.clear();
        let mut terms = self.terms().cursor();
        while let Some(found) = terms.next(&mut key)? {
            match key.get(4) == Some(&Kind::Elements.code()) {
                true => drop(self.extents(found)?),
                false => self.postings(found, |_| ())?,
            }
        }
        Ok(())
    }

    pub(crate) fn section(&self, section: Section) -> Part<'_> {
        let range = self.sections.get(section as usize).unwrap_or(&(0..0));
        self.source.part(range)
    }

    pub(crate) fn paths(&self) -> Dict<'_> {
        Dict {
            entries: self.section(Section::Paths),
            blocks: self.section(Section::PathBlocks),
            has_postings: false,
        }
    }

    pub(crate) fn terms(&self) -> Dict<'_> {
        Dict {
            entries: self.section(Section::Terms),
            blocks: self.section(Section::TermBlocks),
            has_postings: true,
        }
    }

    /// A column of times; `None` when it has none.
    pub(crate) fn column(&self, section: Section) -> Result<Column<'_>, Damaged> {
        let part = self.section(section);
        Column::new(part.bytes()?).map_err(|bad| part.fault(bad.at))
    }

    /// The numbers of the paths that spell a name.
    pub(crate) fn spelled(&self, space: Space, name: &str) -> Result<Vec<u32>, Damaged> {
        self.paths_from(&path::prefix(space, name, path::END))
    }

    /// The numbers of the paths below those that spell a name.
    pub(crate) fn below(&self, space: Space, name: &str) -> Result<Vec<u32>, Damaged> {
        self.paths_from(&path::prefix(space, name, b'.'))
    }

    fn paths_from(&self, prefix: &[u8]) -> Result<Vec<u32>, Damaged> {
        let mut numbers = Vec::new();
        self.paths().from(prefix, |number, key, _| {
            let fits = key.starts_with(prefix);
            numbers.extend(fits.then_some(number));
            fits
        })?;
        Ok(numbers)
    }

    /// The number of one path.
    pub(crate) fn path(&self, space: u8, bytes: &[u8]) -> Result<Option<u32>, Damaged> {
        let found = self.paths().find(&path::key(space, bytes))?;
        Ok(found.map(|(number, _)| number))
    }

    /// The postings of one term.
    pub(crate) fn find(
        &self,
        path: u32,
        kind: Kind,
        value: &[u8],
    ) -> Result<Option<Found<'_>>, Damaged> {
        if kind.is_filtered() && self.section(Section::Bloom).len() > 0 {
            let seed = bloom::seed(&self.paths().key_of(path)?);
            if !self.may_hold(bloom::hash(seed, kind, value))? {
                return Ok(None);
            }
        }
        let found = self.terms().find(&key(path, kind, value))?;
        Ok(found.map(|(_, found)| found))
    }

    /// Visits the terms of a path and kind that begin with `prefix`, in their order, until `visit`
    /// says no.
    pub(crate) fn each<'a>(
        &'a self,
        path: u32,
        kind: Kind,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], Found<'a>) -> bool,
    ) -> Result<(), Damaged> {
        let prefix = key(path, kind, prefix);
        self.terms().from(&prefix, |_, key, found| {
            key.starts_with(&prefix) && visit(key.get(KEY_HEAD..).unwrap_or_default(), found)
        })
    }

    /// Visits the terms of a path and kind from `from` on, in their order, until `visit` says no.
    pub(crate) fn each_from<'a>(
        &'a self,
        path: u32,
        kind: Kind,
        from: &[u8],
        mut visit: impl FnMut(&[u8], Found<'a>) -> bool,
    ) -> Result<(), Damaged> {
        let head = key(path, kind, &[]);
        self.terms().from(&key(path, kind, from), |_, key, found| {
            key.starts_with(&head) && visit(key.get(KEY_HEAD..).unwrap_or_default(), found)
        })
    }

    /// Reads the list of a term; one that stands in a row alone has none.
    fn list<T>(
        &self,
        found: Found<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T, Damaged> {
        let section = self.section(Section::Postings);
        let (bytes, at) = match found {
            Found::One(_) => return Err(section.fault(0)),
            Found::Inline(bytes) => (bytes, 0),
            Found::Apart(offset, len) => (section.get(offset, len)?, offset),
        };
        read(bytes).map_err(|bad| section.fault(at + bad.at))
    }

    /// Adds the rows of a term to a set.
    pub(crate) fn rows_of(&self, found: Found<'_>, into: &mut RowSet) -> Result<(), Damaged> {
        match found {
            Found::One(row) => {
                into.insert(row);
                Ok(())
            }
            other => self.list(other, |bytes| postings::rows(bytes, into)),
        }
    }

    /// The rows of one term; none when there is no such term.
    pub(crate) fn rows_with(&self, path: u32, kind: Kind, value: &[u8]) -> Result<RowSet, Damaged> {
        let mut rows = RowSet::empty(self.rows);
        if let Some(found) = self.find(path, kind, value)? {
            self.rows_of(found, &mut rows)?;
        }
        Ok(rows)
    }

    /// The rows of one term of the engine's own.
    pub(crate) fn engine_rows(&self, kind: Kind, value: &[u8]) -> Result<RowSet, Damaged> {
        match self.path(ENGINE, &[])? {
            Some(path) => self.rows_with(path, kind, value),
            None => Ok(RowSet::empty(self.rows)),
        }
    }

    /// Hands each posting of a term to `visit`, rising.
    pub(crate) fn postings(
        &self,
        found: Found<'_>,
        mut visit: impl FnMut(u32),
    ) -> Result<(), Damaged> {
        match found {
            Found::One(row) => {
                visit(row << 16);
                Ok(())
            }
            other => self.list(other, |bytes| postings::decode(bytes, visit)),
        }
    }

    /// The terms of the engine's own that begin with `prefix`, each with where its rows are.
    pub(crate) fn engine_terms(
        &self,
        kind: Kind,
        prefix: &[u8],
    ) -> Result<Vec<(Vec<u8>, Found<'_>)>, Damaged> {
        let mut terms = Vec::new();
        if let Some(engine) = self.path(ENGINE, &[])? {
            self.each(engine, kind, prefix, |value, found| {
                terms.push((value.to_vec(), found));
                true
            })?;
        }
        Ok(terms)
    }

    /// The classes of rows that begin with `prefix`, each with where its rows are.
    pub(crate) fn classes(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Found<'_>)>, Damaged> {
        self.engine_terms(Kind::Class, prefix)
    }

    /// The elements of the arrays at a path.
    pub(crate) fn elements(&self, path: u32) -> Result<Vec<Extent>, Damaged> {
        match self.find(path, Kind::Elements, &[])? {
            Some(found) => self.extents(found),
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn extents(&self, found: Found<'_>) -> Result<Vec<Extent>, Damaged> {
        self.list(found, postings::decode_extents)
    }

    fn may_hold(&self, hash: u64) -> Result<bool, Damaged> {
        Bloom::new(self.section(Section::Bloom)).may_hold(hash)
    }
}

/// Bytes of a term's key before its value.
pub(crate) const KEY_HEAD: usize = 5;

/// The key of a term: number of the path, kind, value.
pub(crate) fn key(path: u32, kind: Kind, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(KEY_HEAD + value.len());
    out.extend_from_slice(&path.to_be_bytes());
    out.push(kind.code());
    out.extend_from_slice(value);
    out
}

#[cfg(test)]
impl Index {
    /// Whether the bytes at an offset were looked at.
    pub(crate) fn was_checked(&self, at: usize) -> bool {
        self.source.was_checked(at)
    }

    /// Codes of the kinds of terms that it has.
    pub(crate) fn codes(&self) -> std::collections::BTreeSet<u8> {
        let mut codes = std::collections::BTreeSet::new();
        let dict = self.terms();
        let mut cursor = dict.cursor();
        let mut key = Vec::new();
        while cursor.next(&mut key).unwrap().is_some() {
            codes.insert(key[KEY_HEAD - 1]);
        }
        codes
    }

    /// Whether a key of its dictionaries contains these bytes.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let mut found = false;
        for dict in [self.paths(), self.terms()] {
            let mut cursor = dict.cursor();
            let mut key = Vec::new();
            while cursor.next(&mut key).unwrap().is_some() {
                found |= key.windows(bytes.len()).any(|window| window == bytes);
            }
        }
        found
    }
}
