//! Merges indexes of rows that follow each other into one; with a single one, and rows left out,
//! this is also how an index forgets what was erased.

use super::bloom;
use super::build::parts;
use super::dict::{DictCursor, DictWriter, Found};
use super::postings::{Extent, posting, row_of};
use super::source::Damaged;
use super::term::{self, Kind};
use super::{Index, KEY_HEAD, Parts, Section};
use crate::embedded::bytes::{to_u32, to_usize};
use crate::embedded::rowset::RowSet;

/// What becomes of the rows of one index.
#[derive(Debug)]
pub(crate) enum Rows<'a> {
    /// All of them begin at this row.
    From(u32),
    /// The same, but what is not in the set is forgotten; its row stays, empty.
    Only(u32, &'a RowSet),
    /// What is in the set is put together from this row on; what is not is no row any more.
    Packed(u32, &'a RowSet),
}

/// One index to merge.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) index: &'a Index,
    pub(crate) rows: Rows<'a>,
}

/// Where the rows of an input go.
struct Map {
    base: u32,
    /// By row of the input; empty when all are kept.
    to: Vec<Option<u32>>,
}

impl Map {
    fn of(input: &Input<'_>) -> Self {
        let n_rows = input.index.rows();
        match &input.rows {
            Rows::From(base) => Map {
                base: *base,
                to: Vec::new(),
            },
            Rows::Only(base, kept) => Map {
                base: *base,
                to: (0..n_rows)
                    .map(|row| kept.contains(row).then_some(base + row))
                    .collect(),
            },
            Rows::Packed(base, kept) => {
                let mut next = *base..;
                let mut place = |row| kept.contains(row).then(|| next.next()).flatten();
                Map {
                    base: *base,
                    to: (0..n_rows).map(&mut place).collect(),
                }
            }
        }
    }

    fn forgets(&self) -> bool {
        self.to.iter().any(Option::is_none)
    }

    fn posting(&self, old: u32) -> Option<u32> {
        if self.to.is_empty() {
            return Some(old + (self.base << 16));
        }
        let row = self
            .to
            .get(to_usize(row_of(old).into()))
            .copied()
            .flatten()?;
        Some(posting(row, u16::try_from(old & 0xFFFF).unwrap_or(0)))
    }
}

/// The sections of the merged index, `rows` long, without those of files; with a filter of terms
/// if `with_bloom`.
pub(crate) fn merge(inputs: &[Input<'_>], rows: u32, with_bloom: bool) -> Result<Parts, Damaged> {
    let maps: Vec<Map> = inputs.iter().map(Map::of).collect();
    let mut union = union_of_paths(inputs)?;
    if maps.iter().any(Map::forgets) {
        union.keep_used(inputs, &maps)?;
    }
    let (paths, ranks) = union.write();
    let mut merging = Merging {
        heads: Heads::new(inputs, &union)?,
        ranks,
        seeds: if with_bloom {
            union.seeds()
        } else {
            Vec::new()
        },
        hashes: Vec::new(),
        terms: DictWriter::default(),
    };
    merging.run(inputs, &maps)?;
    let (request, response) = (
        column(inputs, &maps, rows, Section::Request)?,
        column(inputs, &maps, rows, Section::Response)?,
    );
    let mut out = parts(rows, paths, merging.terms, &request, &response);
    if with_bloom {
        out.put(Section::Bloom, bloom::encode(&merging.hashes));
    }
    Ok(out)
}

/// The paths of all inputs.
struct Union {
    /// Their sort keys, in order.
    keys: Vec<Vec<u8>>,
    used: Vec<bool>,
    /// For each input, what its paths are here.
    places: Vec<Vec<u32>>,
}

fn union_of_paths(inputs: &[Input<'_>]) -> Result<Union, Damaged> {
    let mut all: Vec<(Vec<u8>, usize)> = Vec::new();
    let mut key = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        let mut cursor = input.index.paths().cursor();
        key.clear();
        while cursor.next(&mut key)?.is_some() {
            all.push((key.clone(), i));
        }
    }
    all.sort();
    let mut union = Union {
        keys: Vec::new(),
        used: Vec::new(),
        places: vec![Vec::new(); inputs.len()],
    };
    for (key, input) in all {
        if union.keys.last() != Some(&key) {
            union.keys.push(key);
        }
        union.places[input].push(to_u32(union.keys.len() - 1));
    }
    union.used = vec![true; union.keys.len()];
    Ok(union)
}

impl Union {
    /// Forgets the paths of which no row is left.
    fn keep_used(&mut self, inputs: &[Input<'_>], maps: &[Map]) -> Result<(), Damaged> {
        self.used = vec![false; self.keys.len()];
        let mut key = Vec::new();
        for ((input, map), places) in inputs.iter().zip(maps).zip(&self.places) {
            let mut cursor = input.index.terms().cursor();
            key.clear();
            while let Some(found) = cursor.next(&mut key)? {
                let Some(used) = self.used.get_mut(place_of(&key, places)) else {
                    continue;
                };
                if !*used {
                    *used = is_kept(input.index, &key, found, map)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the used paths, and the number that each path has among them.
    fn write(&self) -> (DictWriter, Vec<u32>) {
        let mut out = DictWriter::default();
        let mut ranks = Vec::with_capacity(self.keys.len());
        for (key, used) in self.keys.iter().zip(&self.used) {
            ranks.push(out.count);
            if *used {
                out.key(key);
            }
        }
        (out, ranks)
    }

    /// Seeds of the filter, by final number.
    fn seeds(&self) -> Vec<u64> {
        let used = self.keys.iter().zip(&self.used).filter(|(_, used)| **used);
        used.map(|(key, _)| bloom::seed(key)).collect()
    }
}

fn place_of(key: &[u8], places: &[u32]) -> usize {
    let path = key
        .first_chunk::<4>()
        .map_or(u32::MAX, |b| u32::from_be_bytes(*b));
    let place = places.get(to_usize(path.into())).copied();
    to_usize(place.unwrap_or(u32::MAX).into())
}

fn is_elements(key: &[u8]) -> bool {
    key.get(4) == Some(&Kind::Elements.code())
}

fn is_kept(index: &Index, key: &[u8], found: Found<'_>, map: &Map) -> Result<bool, Damaged> {
    let mut is_kept = false;
    if is_elements(key) {
        let extents = index.extents(found)?;
        return Ok(extents
            .iter()
            .any(|extent| map.posting(extent.first).is_some()));
    }
    index.postings(found, |posting| is_kept |= map.posting(posting).is_some())?;
    Ok(is_kept)
}

/// The next term of one input.
struct Head<'a> {
    cursor: DictCursor<'a>,
    /// As the input writes it.
    key: Vec<u8>,
    /// Its path among those of all inputs, used or not: terms must not change places.
    path: u32,
    order: term::Head,
    found: Option<Found<'a>>,
}

/// The inputs by their next terms: a heap of their numbers.
struct Heads<'a> {
    heads: Vec<Head<'a>>,
    places: Vec<Vec<u32>>,
    heap: Vec<usize>,
}

impl<'a> Heads<'a> {
    fn new(inputs: &[Input<'a>], union: &Union) -> Result<Self, Damaged> {
        let mut heads = Heads {
            heads: Vec::with_capacity(inputs.len()),
            places: union.places.clone(),
            heap: Vec::new(),
        };
        for (i, input) in inputs.iter().enumerate() {
            heads.heads.push(Head {
                cursor: input.index.terms().cursor(),
                key: Vec::new(),
                path: 0,
                order: (0, 0),
                found: None,
            });
            if heads.advance(i)? {
                heads.heap.push(i);
            }
        }
        for place in (0..heads.heap.len() / 2).rev() {
            heads.sink(place);
        }
        Ok(heads)
    }

    /// Reads the next term of an input; false behind its last.
    fn advance(&mut self, input: usize) -> Result<bool, Damaged> {
        let head = &mut self.heads[input];
        head.found = head.cursor.next(&mut head.key)?;
        head.path = to_u32(place_of(&head.key, &self.places[input]));
        head.order = term::head(head.path, &head.key);
        Ok(head.found.is_some())
    }

    fn is_less(&self, a: usize, b: usize) -> bool {
        let (x, y) = (&self.heads[a], &self.heads[b]);
        let order = x.order.cmp(&y.order);
        let order = order.then_with(|| x.key.get(4..).cmp(&y.key.get(4..)));
        order.then(a.cmp(&b)).is_lt()
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let mut least = place;
            for child in [place * 2 + 1, place * 2 + 2] {
                if child < self.heap.len() && self.is_less(self.heap[child], self.heap[least]) {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.heap.swap(place, least);
            place = least;
        }
    }

    /// The input with the smallest term.
    fn least(&self) -> Option<usize> {
        self.heap.first().copied()
    }

    /// Takes the smallest term away.
    fn pop(&mut self) -> Result<(), Damaged> {
        if let Some(input) = self.least() {
            if !self.advance(input)? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        Ok(())
    }
}

struct Merging<'a> {
    heads: Heads<'a>,
    /// Numbers of paths in the merged index.
    ranks: Vec<u32>,
    seeds: Vec<u64>,
    hashes: Vec<u64>,
    terms: DictWriter,
}

impl Merging<'_> {
    fn run(&mut self, inputs: &[Input<'_>], maps: &[Map]) -> Result<(), Damaged> {
        let mut key = Vec::new();
        let (mut list, mut extents) = (Vec::new(), Vec::new());
        while let Some(least) = self.heads.least() {
            let head = &self.heads.heads[least];
            key.clear();
            key.extend_from_slice(&head.path.to_be_bytes());
            key.extend_from_slice(head.key.get(4..).unwrap_or_default());
            let order = head.order;
            list.clear();
            extents.clear();
            while let Some(input) = self.heads.least() {
                let head = &self.heads.heads[input];
                let is_same = order == head.order && key.get(4..) == head.key.get(4..);
                let Some(found) = head.found.filter(|_| is_same) else {
                    break;
                };
                let (index, map) = (inputs[input].index, &maps[input]);
                if is_elements(&key) {
                    let moved = index.extents(found)?.into_iter().filter_map(|extent| {
                        Some(Extent {
                            first: map.posting(extent.first)?,
                            last: map.posting(extent.last)?,
                        })
                    });
                    extents.extend(moved);
                } else {
                    index.postings(found, |posting| list.extend(map.posting(posting)))?;
                }
                self.heads.pop()?;
            }
            self.write(&mut key, &list, &extents);
        }
        Ok(())
    }

    fn write(&mut self, key: &mut [u8], list: &[u32], extents: &[Extent]) {
        let path = place_of(key, &self.ranks);
        if let Some(place) = key.first_chunk_mut::<4>() {
            *place = to_u32(path).to_be_bytes();
        }
        let key = &*key;
        if !extents.is_empty() {
            self.terms.elements(key, extents);
        } else if !list.is_empty() {
            self.terms.term(key, list);
            let kind = key.get(4).and_then(|code| Kind::filtered(*code));
            if let Some(kind) = kind
                && let Some(seed) = self.seeds.get(path)
            {
                let value = key.get(KEY_HEAD..).unwrap_or_default();
                self.hashes.push(bloom::hash(*seed, kind, value));
            }
        }
    }
}

fn column(
    inputs: &[Input<'_>],
    maps: &[Map],
    rows: u32,
    section: Section,
) -> Result<Vec<Option<i64>>, Damaged> {
    let mut out = vec![None; to_usize(rows.into())];
    for (input, map) in inputs.iter().zip(maps) {
        let column = input.index.column(section)?;
        for row in 0..input.index.rows() {
            if let Some(to) = map.posting(row << 16)
                && let Some(place) = out.get_mut(to_usize(row_of(to).into()))
            {
                *place = column.get(row);
            }
        }
    }
    Ok(out)
}
