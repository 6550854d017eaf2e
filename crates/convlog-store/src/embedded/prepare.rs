//! What an append does in the caller's thread: checks, facts, rows, compression, index.
//!
//! The writer only gives places to what is ready; it compresses again what changed meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use convlog_model::flatten::Leaves;
use convlog_model::record::{Draft, Holding};
use convlog_model::store::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, ErrorKind, StateWrite, StoreError,
};

use super::bytes::put_bytes;
use super::codec::Codec;
use super::error::failed;
use super::facts::{Facts, Hasher};
use super::frame::{PLAIN_LEN_MAX, ROWS_MAX};
use super::index::Index;
use super::index::build::Builder;
use super::pool::give_way;
use super::row;

/// Rows are put together into one block up to so many bytes: beyond that zstd copies the tables of
/// its dictionary for each block, which takes as long as to compress it.
const BLOCK_BYTES: usize = 8 << 10;

/// An append, ready to be given a place.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) rows: Vec<PreparedRow>,
    /// Indexes of the rows: each of those that follow the rows of the one before.
    pub(crate) indexes: Vec<Arc<Index>>,
    pub(crate) blocks: Vec<Block>,
    /// What the blocks were compressed with.
    pub(crate) codec: Arc<Codec>,
    pub(crate) states: Vec<StateWrite>,
}

/// One record, ready to be given a place.
#[derive(Debug)]
pub(crate) struct PreparedRow {
    /// Its length and bytes as a payload holds them.
    pub(crate) plain: Vec<u8>,
    pub(crate) facts: Facts,
}

/// Consecutive rows, compressed.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) row_count: usize,
    pub(crate) plain_len: usize,
    pub(crate) payload: Vec<u8>,
}

impl Prepared {
    /// Bytes that it takes while it waits.
    pub(crate) fn weight(&self) -> usize {
        let rows = self.rows.iter().map(|row| row.plain.len() + 512);
        let states = self.states.iter().map(|state| state.state.len() + 512);
        let indexes = self.indexes.iter().map(|index| index.memory());
        rows.chain(states).chain(indexes).sum()
    }
}

fn invalid(text: String) -> StoreError {
    StoreError::new(ErrorKind::Invalid, text)
}

/// Refuses what no append may bring.
pub(crate) fn check(batch: &Batch) -> Result<(), StoreError> {
    for (what, count) in [
        ("records", batch.records.len()),
        ("states", batch.states.len()),
    ] {
        if count > BATCH_RECORDS_MAX {
            let text = format!("a batch of {count} {what}, at most {BATCH_RECORDS_MAX}");
            return Err(invalid(text));
        }
    }
    let bodies = batch.records.iter().map(|draft| draft.raw.len());
    let states = batch.states.iter().map(|state| state.state.len());
    let count: usize = bodies.chain(states).sum();
    if count > BATCH_BYTES_MAX {
        let text = format!("a batch of {count} bytes, at most {BATCH_BYTES_MAX}");
        return Err(invalid(text));
    }
    Ok(())
}

/// What rows are prepared with.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    pub(crate) hasher: &'a Hasher,
    pub(crate) codec: &'a Arc<Codec>,
    pub(crate) builders: &'a Builders,
}

/// Builders that wait for work, so that each has its room already.
#[derive(Debug, Default)]
pub(crate) struct Builders(Mutex<Vec<Builder>>);

/// Builders that are kept, and bytes of room that one of these may have.
const BUILDERS_MAX: usize = 4;
const BUILDER_ROOM_MAX: usize = 16 << 20;

impl Builders {
    fn take(&self) -> Builder {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_default()
    }

    fn put_back(&self, builder: Builder) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < BUILDERS_MAX && builder.room() <= BUILDER_ROOM_MAX {
            kept.push(builder);
        }
    }
}

/// Rows and blocks that are made before others may have the core.
const ROWS_AT_ONCE: usize = 20;
const BLOCKS_AT_ONCE: usize = 64;

/// Makes rows, blocks and index of a batch that was checked.
pub(crate) fn prepare(batch: Batch, tools: &Tools<'_>) -> Result<Prepared, StoreError> {
    let mut rows = Vec::with_capacity(batch.records.len());
    let mut builder = tools.builders.take();
    let mut scratch = Vec::new();
    for draft in batch.records {
        if rows.len() % ROWS_AT_ONCE == ROWS_AT_ONCE - 1 {
            give_way();
        }
        rows.push(prepare_row(
            &draft,
            tools.hasher,
            &mut builder,
            &mut scratch,
        )?);
    }
    let mut indexes = Vec::new();
    if !rows.is_empty() {
        let index = builder.finish().in_memory();
        indexes.push(Arc::new(index.map_err(|error| failed("index", &error))?));
    }
    tools.builders.put_back(builder);
    let blocks = compress(rows.iter().map(|row| row.plain.as_slice()), tools.codec)?;
    Ok(Prepared {
        rows,
        indexes,
        blocks,
        codec: Arc::clone(tools.codec),
        states: batch.states,
    })
}

impl Prepared {
    /// Adds what follows, prepared at the same time.
    pub(crate) fn extend(&mut self, next: Prepared) {
        self.rows.extend(next.rows);
        self.indexes.extend(next.indexes);
        self.blocks.extend(next.blocks);
        self.states.extend(next.states);
    }
}

fn prepare_row(
    draft: &Draft,
    hasher: &Hasher,
    builder: &mut Builder,
    scratch: &mut Vec<u8>,
) -> Result<PreparedRow, StoreError> {
    if !row::fits(draft) {
        return Err(invalid("a canonical field is nested too deeply".to_owned()));
    }
    let held = draft.raw.read();
    let body = held.as_ref().map(Holding::value);
    let leaves = Leaves::of(draft, body);
    let facts = hasher.facts(draft, &leaves, body);
    builder.record(draft, &leaves, &facts.row);
    scratch.clear();
    row::encode_record(scratch, draft, &facts.body_hash);
    if scratch.len() + 8 > PLAIN_LEN_MAX {
        return Err(invalid(format!("a record of {} bytes", scratch.len())));
    }
    let mut plain = Vec::with_capacity(scratch.len() + 4);
    put_bytes(&mut plain, scratch);
    Ok(PreparedRow { plain, facts })
}

/// Bytes at the end of a row that are like no other's: the hash of its body.
const HASH_LEN: usize = 16;

/// Puts consecutive rows together into blocks.
///
/// Never two with the same body: then each row that an erasure takes out of a block leaves room for
/// what the others lose by it.
pub(crate) fn compress<'a>(
    rows: impl Iterator<Item = &'a [u8]>,
    codec: &Codec,
) -> Result<Vec<Block>, StoreError> {
    let mut blocks = Vec::new();
    let mut plain: Vec<u8> = Vec::new();
    let mut row_count = 0;
    let mut hashes: Vec<Option<&[u8]>> = Vec::with_capacity(ROWS_MAX);
    for row in rows {
        let hash = row.last_chunk::<HASH_LEN>().map(<[u8; HASH_LEN]>::as_slice);
        let is_full = row_count == ROWS_MAX || plain.len() + row.len() > BLOCK_BYTES;
        if row_count > 0 && (is_full || hashes.contains(&hash)) {
            hashes.clear();
            blocks.push(block(&plain, row_count, codec)?);
            if blocks.len().is_multiple_of(BLOCKS_AT_ONCE) {
                give_way();
            }
            plain.clear();
            row_count = 0;
        }
        plain.extend_from_slice(row);
        hashes.push(hash);
        row_count += 1;
    }
    if row_count > 0 {
        blocks.push(block(&plain, row_count, codec)?);
    }
    Ok(blocks)
}

fn block(plain: &[u8], row_count: usize, codec: &Codec) -> Result<Block, StoreError> {
    let payload = codec
        .compress(plain)
        .map_err(|e| failed("compression", &e))?;
    Ok(Block {
        row_count,
        plain_len: plain.len(),
        payload,
    })
}
