//! Indexes against the naive evaluator: what lowering calls sure matches, what it calls impossible
//! does not, whatever way the index came to be.

use convlog_model::clock::IdSource;
use convlog_model::filter::Filter;
use convlog_model::filter::eval::matches;
use convlog_model::flatten::{Flat, Leaves};
use convlog_model::ids::Timeline;
use convlog_model::record::{Draft, Holding};
use convlog_model::seal::Sealer;
use convlog_model::testkit::SeededIds;
use convlog_model::testkit::generate::{self, Choices};
use convlog_model::time::Timestamp;
use proptest::prelude::*;

use super::Index;
use super::build::Builder;
use super::merge::{Input, Rows, merge};
use crate::embedded::codec::Codec;
use crate::embedded::disk::sim::SimDisk;
use crate::embedded::facts::Hasher;
use crate::embedded::log::{Chunk, ChunkHeader};
use crate::embedded::lower::lower;
use crate::embedded::rowset::RowSet;
use crate::embedded::view::Part;
use std::path::Path;
use std::sync::Arc;

fn hasher() -> Hasher {
    let mut key = [0; 32];
    SeededIds::new(3).fill(&mut key);
    Hasher::new(&Sealer::new(key))
}

fn chunk() -> Chunk {
    let header = ChunkHeader {
        number: 1,
        timeline: Timeline(1),
        created_at: Timestamp::from_micros(0),
        salt: 1,
        fields_version: 1,
        dictionary: Vec::new(),
    };
    let codec = Arc::new(Codec::new(Vec::new()));
    Chunk::create(&SimDisk::default(), Path::new("/data"), header, codec).unwrap()
}

fn index_of(drafts: &[Draft]) -> Index {
    index_with_gaps(&drafts.iter().map(Some).collect::<Vec<_>>())
}

/// The index of rows of which some hold nothing.
fn index_with_gaps(drafts: &[Option<&Draft>]) -> Index {
    let hasher = hasher();
    let mut builder = Builder::default();
    for draft in drafts {
        let Some(draft) = *draft else {
            builder.skip();
            continue;
        };
        let held = draft.raw.read();
        let body = held.as_ref().map(Holding::value);
        let leaves = Leaves::of(draft, body);
        let facts = hasher.facts(draft, &leaves, body);
        builder.record(draft, &leaves, &facts.row);
    }
    builder.finish().in_memory().unwrap()
}

/// Checks a filter on rows, of which those that are `None` were forgotten.
fn check(filter: &Filter, index: Index, rows: &[Option<&Draft>], chunk: &Chunk) {
    let part = Part {
        base: 0,
        index: Arc::new(index),
        held: Some(Vec::new()),
    };
    let sets = lower(filter, &part, chunk).unwrap();
    for (row, draft) in (0..).zip(rows) {
        let Some(draft) = draft else { continue };
        let expected = matches(filter, &Flat::of(draft));
        let (sure, possible) = (sets.sure.contains(row), sets.possible.contains(row));
        let is_right = match (sure, possible) {
            (true, true) => expected,
            (false, true) => true,
            (false, false) => !expected,
            (true, false) => false,
        };
        assert!(
            is_right,
            "{filter:?} on {draft:?}: sure {sure}, possible {possible}, matches {expected}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn sure_and_possible_rows_are_those_of_the_evaluator(
        bytes in proptest::collection::vec(any::<u8>(), 0..900),
        questions in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 0_usize..12,
    ) {
        let mut choices = Choices::new(&bytes);
        let mut drafts = Vec::new();
        while !choices.is_empty() && drafts.len() < 24 {
            drafts.push(generate::draft(&mut choices));
        }
        let chunk = chunk();
        let (first, second) = drafts.split_at(cut.min(drafts.len()));
        let all: Vec<Option<&Draft>> = drafts.iter().map(Some).collect();
        let mut kept = RowSet::full(drafts.len() as u32);
        (0..drafts.len() as u32).filter(|row| row % 3 == 1).for_each(|row| kept.remove(row));
        let some: Vec<Option<&Draft>> =
            (0..).zip(&drafts).map(|(row, d)| kept.contains(row).then_some(d)).collect();
        let packed: Vec<Option<&Draft>> = some.iter().copied().filter(Option::is_some).collect();
        let rows = drafts.len() as u32;
        let whole = || index_of(&drafts);
        let of_two = || {
            let (a, b) = (index_of(first), index_of(second));
            let inputs = [
                Input { index: &a, rows: Rows::From(0) },
                Input { index: &b, rows: Rows::From(first.len() as u32) },
            ];
            merge(&inputs, rows, true).unwrap().in_memory().unwrap()
        };
        let of_one = |rows: Rows<'_>, len: u32| {
            let index = whole();
            merge(&[Input { index: &index, rows }], len, true).unwrap().in_memory().unwrap()
        };
        let mut choices = Choices::new(&questions);
        while !choices.is_empty() {
            let filter = generate::filter(&mut choices, 3);
            check(&filter, whole(), &all, &chunk);
            check(&filter, of_two(), &all, &chunk);
            check(&filter, of_one(Rows::Only(0, &kept), rows), &some, &chunk);
            check(&filter, of_one(Rows::Packed(0, &kept), kept.count()), &packed, &chunk);
        }
    }

    #[test]
    fn a_merge_is_as_if_all_rows_had_come_at_once(
        bytes in proptest::collection::vec(any::<u8>(), 0..900),
        cut in 0_usize..12,
        gap in 1_usize..5,
    ) {
        let mut choices = Choices::new(&bytes);
        let mut drafts = Vec::new();
        while !choices.is_empty() && drafts.len() < 24 {
            drafts.push(generate::draft(&mut choices));
        }
        let (first, second) = drafts.split_at(cut.min(drafts.len()));
        let (a, b) = (index_of(first), index_of(second));
        let inputs = [
            Input { index: &a, rows: Rows::From(0) },
            Input { index: &b, rows: Rows::From(first.len() as u32) },
        ];
        let merged = merge(&inputs, drafts.len() as u32, false).unwrap().in_memory().unwrap();
        let at_once = index_of(&drafts);
        prop_assert_eq!(merged.source.all(), at_once.source.all());
        // Forgetting rows of both leaves what a record less would have left.
        let some: Vec<Option<&Draft>> =
            (0..).zip(&drafts).map(|(row, d)| (row % gap != 0).then_some(d)).collect();
        let (left, right) = some.split_at(first.len());
        let kept = |rows: &[Option<&Draft>]| {
            let mut kept = RowSet::full(rows.len() as u32);
            let gone = (0..).zip(rows).filter(|(_, draft)| draft.is_none());
            gone.for_each(|(row, _)| kept.remove(row));
            kept
        };
        let (of_left, of_right) = (kept(left), kept(right));
        let inputs = [
            Input { index: &a, rows: Rows::Only(0, &of_left) },
            Input { index: &b, rows: Rows::Only(first.len() as u32, &of_right) },
        ];
        let forgotten = merge(&inputs, drafts.len() as u32, false).unwrap().in_memory().unwrap();
        let without = index_with_gaps(&some);
        prop_assert_eq!(forgotten.source.all(), without.source.all());
        // Forgetting the rows of the second leaves nothing of them.
        let mut kept = RowSet::empty(drafts.len() as u32);
        kept.insert_range(0, first.len() as u32);
        let packed = Input { index: &merged, rows: Rows::Packed(0, &kept) };
        let left = merge(&[packed], first.len() as u32, false).unwrap().in_memory().unwrap();
        prop_assert_eq!(left.source.all(), a.source.all());
    }
}
