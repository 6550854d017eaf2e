//! Makes the index of the rows of one append: leaves become terms, terms are sorted once.

mod finish;
mod paths;
mod stems;
mod values;

use convlog_model::flatten::{Leaves, Space};
use convlog_model::record::Draft;
use convlog_model::text::stem_class;
use convlog_model::time::Timestamp;
use hashbrown::HashMap;

pub(super) use self::finish::parts;
use self::paths::PathFacts;
use self::stems::Stemmed;
use self::values::View;
use super::KEY_HEAD;
use super::class::Class;
use super::intern::Interner;
use super::path::{ENGINE, code};
use super::postings::{Extent, posting};
use super::term::Kind;
use crate::embedded::bytes::{to_u32, to_usize};

/// Most leaves, and most elements, of a record that are indexed; a record with more counts as a
/// possible match for everything.
pub(crate) const LEAVES_MAX: usize = 20_000;

/// What a record brings beside its leaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowFacts {
    pub(crate) request: Option<Timestamp>,
    pub(crate) response: Option<Timestamp>,
    /// Whether one of these times has several values, of which these are the first.
    pub(crate) has_odd_times: bool,
    /// Keyed hashes of the customers that it names.
    pub(crate) customers: Vec<[u8; 32]>,
}

/// A canonical field that refers to a raw path.
#[derive(Clone, Copy, Debug)]
struct Reference {
    term: u32,
    target: u32,
    is_text: bool,
    is_time: bool,
}

/// Makes an index, row after row.
#[derive(Default)]
pub(crate) struct Builder {
    paths: Interner,
    path_facts: Vec<PathFacts>,
    terms: Interner,
    occurrences: Vec<(u32, u32)>,
    /// By the term of a text: how it was looked at last, and from where to where the terms stand in
    /// `viewed` that it was beside its exact form.
    views: Vec<Option<(View, u32, u32)>>,
    viewed: Vec<u32>,
    extents: Vec<(u32, Extent)>,
    request: Vec<Option<i64>>,
    response: Vec<Option<i64>>,
    /// Term of the stem of a word in a class, where it differs from the word.
    stems: HashMap<(u32, u8), Option<u32>>,
    stemmed: Stemmed,
    rows: u32,
    /// References of the last record, and what they were made of.
    references: Vec<Reference>,
    shape: Vec<u8>,
    next_shape: Vec<u8>,
    last_path: Option<u32>,
    /// The last path of which the next one could be guessed, behind some of which it could not.
    anchor: Option<u32>,
    /// The paths of the times that have columns.
    time_paths: Option<[u32; 2]>,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Builder({} rows)", self.rows)
    }
}

impl Builder {
    fn intern(&mut self, path: u32, kind: Kind, value: &[u8]) -> u32 {
        self.intern_with(path, |key| {
            key.extend_from_slice(value);
            kind
        })
    }

    /// The number of the term of which `put` appends the value and says the kind.
    fn intern_with(&mut self, path: u32, put: impl FnOnce(&mut Vec<u8>) -> Kind) -> u32 {
        let mut key = std::mem::take(&mut self.scratch);
        key.clear();
        key.extend_from_slice(&path.to_be_bytes());
        key.push(0);
        let kind = put(&mut key);
        key[KEY_HEAD - 1] = kind.code();
        let (number, _) = self.terms.intern(&key);
        self.scratch = key;
        number
    }

    fn term(&mut self, path: u32, kind: Kind, value: &[u8], posting: u32) {
        let term = self.intern(path, kind, value);
        self.occurrences.push((term, posting));
    }

    /// Adds a row that no read shows.
    pub(crate) fn skip(&mut self) {
        self.request.push(None);
        self.response.push(None);
        self.rows += 1;
    }

    /// Adds the row of a dialogue state.
    pub(crate) fn state(&mut self, slot: u32, number: u64) {
        let path = self.path(ENGINE, &[]);
        let value = state_value(slot, number);
        self.term(path, Kind::State, &value, posting(self.rows, 0));
        self.skip();
    }

    /// Adds the row of a record.
    pub(crate) fn record(&mut self, draft: &Draft, leaves: &Leaves<'_>, facts: &RowFacts) {
        let row = self.rows;
        let whole = posting(row, 0);
        let engine = self.path(ENGINE, &[]);
        let class = Class::of(draft, leaves).encode();
        self.term(engine, Kind::Class, &class, whole);
        for customer in &facts.customers {
            self.term(engine, Kind::Customer, customer, whole);
        }
        let language = leaves.text("language").map_or(0, stem_class);
        if language != 0 {
            self.term(engine, Kind::Language, &[language], whole);
        }
        if facts.has_odd_times {
            self.term(engine, Kind::OddTimes, &[], whole);
        }
        self.references(leaves, facts, whole);
        if leaves.len() > LEAVES_MAX || leaves.n_elements() > LEAVES_MAX {
            self.term(engine, Kind::Overflow, &[], whole);
        } else {
            self.elements(leaves, row);
            self.last_path = None;
            self.anchor = None;
            for (space, path, element, value) in leaves.iter() {
                self.leaf(space, path, posting(row, short(element)), value, language);
            }
        }
        self.request.push(facts.request.map(Timestamp::micros));
        self.response.push(facts.response.map(Timestamp::micros));
        self.rows += 1;
    }

    /// Most records refer to the same places as the one before.
    fn references(&mut self, leaves: &Leaves<'_>, facts: &RowFacts, whole: u32) {
        let mut shape = std::mem::take(&mut self.next_shape);
        shape.clear();
        for (canonical, raw) in leaves.references() {
            shape.extend_from_slice(canonical.as_bytes());
            shape.push(0xFE);
            shape.extend_from_slice(raw.as_bytes());
            shape.push(0xFE);
        }
        if self.references.is_empty() || shape != self.shape {
            self.references.clear();
            for (canonical, raw) in leaves.references() {
                let at = self.path(code(Space::Canonical), &path_bytes(canonical));
                let term = self.intern(at, Kind::Reference, raw.as_bytes());
                let is_text = self.facts(at).is_text;
                let target = self.path(code(Space::Raw), raw.as_bytes());
                self.references.push(Reference {
                    term,
                    target,
                    is_text,
                    is_time: is_column(canonical),
                });
            }
            std::mem::swap(&mut self.shape, &mut shape);
        }
        self.next_shape = shape;
        let row = self.rows + 1;
        for reference in &self.references {
            self.occurrences.push((reference.term, whole));
            let known = &mut self.path_facts[to_usize(reference.target.into())];
            match reference.is_text {
                true => known.text_row = row,
                false => known.other_row = row,
            }
            if reference.is_time && !facts.has_odd_times {
                known.time_row = row;
            }
        }
        if !facts.has_odd_times {
            let paths = match self.time_paths {
                Some(paths) => paths,
                None => COLUMNS.map(|name| self.path(code(Space::Canonical), &path_bytes(name))),
            };
            self.time_paths = Some(paths);
            for path in paths {
                self.facts(path).time_row = row;
            }
        }
    }

    fn elements(&mut self, leaves: &Leaves<'_>, row: u32) {
        // Elements are numbered from the outside in and in order, so what lies inside follows.
        let mut last: Vec<u32> = (0..to_u32(leaves.n_elements())).collect();
        let numbered = || (1..).zip(leaves.elements());
        let inside: Vec<(usize, u32)> = numbered().map(|(i, (.., parent))| (i, parent)).collect();
        for (i, parent) in inside.into_iter().rev() {
            let inner = last.get(i).copied().unwrap_or(0);
            if let Some(outer) = last.get_mut(to_usize(parent.into())) {
                *outer = (*outer).max(inner);
            }
        }
        self.last_path = None;
        for (i, (space, path, _)) in numbered() {
            // An array has several of them, as a rule.
            let path = match self
                .last_path
                .filter(|last| self.is_path(*last, space, path))
            {
                Some(last) => last,
                None => self.path(code(space), path),
            };
            self.last_path = Some(path);
            let term = self.only_term(path, Kind::Elements, |facts| &mut facts.elements);
            let extent = Extent {
                first: posting(row, short(to_u32(i))),
                last: posting(row, short(last.get(i).copied().unwrap_or(0))),
            };
            self.extents.push((term, extent));
        }
    }
}

fn short(element: u32) -> u16 {
    u16::try_from(element).unwrap_or(u16::MAX)
}

/// The bytes of the path that a canonical name stands for.
pub(crate) fn path_bytes(canonical: &str) -> Vec<u8> {
    let bytes = canonical.bytes();
    bytes
        .map(|byte| if byte == b'.' { 0xFF } else { byte })
        .collect()
}

/// Canonical times that have a column.
const COLUMNS: [&str; 2] = ["time.request", "time.response"];

fn is_column(canonical: &str) -> bool {
    COLUMNS.contains(&canonical)
}

/// The term of a dialogue session's state.
pub(crate) fn state_value(slot: u32, number: u64) -> [u8; 12] {
    let mut out = [0; 12];
    out[..4].copy_from_slice(&slot.to_be_bytes());
    out[4..].copy_from_slice(&number.to_be_bytes());
    out
}
