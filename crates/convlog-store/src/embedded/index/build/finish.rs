//! Sorts what was gathered, and writes the sections.

use super::super::dict::DictWriter;
use super::super::intern::Lists;
use super::super::term::{self, Head};
use super::super::{KEY_HEAD, Parts, Section, column, path};
use super::Builder;
use crate::embedded::bytes::{to_u32, to_usize};

impl Builder {
    /// The sections of the index. The builder begins anew, and keeps its room.
    pub(crate) fn finish(&mut self) -> Parts {
        let mut order: Vec<(Vec<u8>, u32)> = (0..to_u32(self.paths.len()))
            .map(|n| {
                let (space, bytes) = split(self.paths.get(n));
                (path::key(space, bytes), n)
            })
            .collect();
        order.sort_unstable();
        let lists = Lists::of(&self.occurrences, self.terms.len());
        let elements = Lists::of(&self.extents, self.terms.len());
        let mut used = vec![false; order.len()];
        for n in 0..to_u32(self.terms.len()) {
            if let Some(path) = path_of(self.terms.get(n)) {
                used[path] = true;
            }
        }
        let mut paths = DictWriter::default();
        let mut ranks = vec![0u32; order.len()];
        for (key, number) in &order {
            let number = to_usize((*number).into());
            if used[number] {
                ranks[number] = paths.count;
                paths.key(key);
            }
        }
        let mut terms = DictWriter::default();
        let mut whole = Vec::new();
        for ((head, _), n) in self.sorted_terms(&ranks) {
            whole.clear();
            whole.extend_from_slice(&to_u32(to_usize(head >> 32)).to_be_bytes());
            whole.extend_from_slice(value(self.terms.get(n)));
            match elements.get(n) {
                [] => terms.term(&whole, lists.get(n)),
                extents => terms.elements(&whole, extents),
            }
        }
        let made = parts(self.rows, paths, terms, &self.request, &self.response);
        self.clear();
        made
    }

    /// The numbers of all terms in the order of the index, each behind its head.
    fn sorted_terms(&self, ranks: &[u32]) -> Vec<(Head, u32)> {
        let with_head = |n: u32| {
            let key = self.terms.get(n);
            let rank = path_of(key).map_or(0, |path| ranks[path]);
            (term::head(rank, key), n)
        };
        let mut sorted: Vec<_> = (0..to_u32(self.terms.len())).map(with_head).collect();
        let behind = |n: u32| value(self.terms.get(n));
        sorted.sort_unstable_by(|a, b| {
            let heads = a.0.cmp(&b.0);
            heads.then_with(|| behind(a.1).cmp(behind(b.1)))
        });
        sorted
    }

    fn clear(&mut self) {
        self.paths.clear();
        self.path_facts.clear();
        self.terms.clear();
        self.occurrences.clear();
        self.extents.clear();
        self.views.clear();
        self.viewed.clear();
        self.request.clear();
        self.response.clear();
        self.stems.clear();
        self.rows = 0;
        self.references.clear();
        self.shape.clear();
        self.last_path = None;
        self.anchor = None;
        self.time_paths = None;
    }

    /// Bytes of room that it keeps.
    pub(crate) fn room(&self) -> usize {
        let interned = self.paths.room() + self.terms.room();
        let postings = self.occurrences.capacity() * 8 + self.extents.capacity() * 12;
        interned + postings + self.views.capacity() * 16 + self.viewed.capacity() * 4
    }
}

/// Puts the sections together that every index has.
pub(in super::super) fn parts(
    rows: u32,
    paths: DictWriter,
    terms: DictWriter,
    request: &[Option<i64>],
    response: &[Option<i64>],
) -> Parts {
    let mut out = Parts {
        rows,
        ..Parts::default()
    };
    for (section, values) in [(Section::Request, request), (Section::Response, response)] {
        let mut bytes = Vec::new();
        column::encode(&mut bytes, values);
        out.put(section, bytes);
    }
    out.put(Section::Paths, paths.entries);
    out.put(Section::PathBlocks, paths.blocks);
    out.put(Section::Terms, terms.entries);
    out.put(Section::TermBlocks, terms.blocks);
    out.put(Section::Postings, terms.postings);
    out
}

/// What stands behind the path of a term.
fn value(key: &[u8]) -> &[u8] {
    key.get(4..).unwrap_or_default()
}

fn path_of(key: &[u8]) -> Option<usize> {
    let path = key.get(..KEY_HEAD)?.first_chunk::<4>()?;
    Some(to_usize(u32::from_be_bytes(*path).into()))
}

fn split(name: &[u8]) -> (u8, &[u8]) {
    name.split_first()
        .map_or((0, &[]), |(space, rest)| (*space, rest))
}
