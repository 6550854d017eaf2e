//! What retention notes before it touches a byte: rows about to be overwritten, chunks about to go,
//! and how far the clock was trusted.

use convlog_model::ids::Position;
use convlog_model::time::Timestamp;

use redb::{ReadableDatabase, ReadableTable};

use super::purged::{Tally, note_purged, note_purging};
use super::{CHUNKS, Catalog, CatalogError, ChunkRow, ChunkState, META};
use crate::embedded::bytes::{Malformed, Reader, put_len, put_varint};

/// Prefix of the names of the notes of rows; ten digits follow.
const EXPIRING: &str = "expiring ";
/// First name behind all of them.
const EXPIRING_END: &str = "expiring!";
const NEWEST: &str = "newest";
const RUN: &str = "retention_run";
const HELD: &str = "retention_held";
const NEXT_CHUNK: &str = "next_chunk";

/// A pass of retention that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetentionRun {
    pub(crate) at: Timestamp,
    /// The greatest time of receipt that was known.
    pub(crate) received: Option<Timestamp>,
}

fn name(chunk: u64) -> String {
    format!("{EXPIRING}{chunk:010}")
}

fn encode(rows: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len(&mut out, rows.len());
    let mut last = 0;
    for row in rows {
        // Rising numbers: the steps are small.
        put_varint(&mut out, row.saturating_sub(last).into());
        last = *row;
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Vec<u32>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut rows = Vec::new();
    let mut last = 0u32;
    for _ in 0..reader.count()? {
        let step = u32::try_from(reader.varint()?).unwrap_or(u32::MAX);
        last = last.saturating_add(step);
        rows.push(last);
    }
    reader.finish()?;
    Ok(rows)
}

impl Catalog {
    /// Rows that retention is overwriting, by chunk.
    pub(crate) fn expiring(&self) -> Result<Vec<(u64, Vec<u32>)>, CatalogError> {
        let tx = self.db.begin_read()?;
        let meta = tx.open_table(META)?;
        let mut out = Vec::new();
        for entry in meta.range(EXPIRING..EXPIRING_END)? {
            let (name, rows) = entry?;
            let digits = name.value().strip_prefix(EXPIRING);
            if let Some(Ok(chunk)) = digits.map(str::parse) {
                out.push((chunk, decode(rows.value())?));
            }
        }
        Ok(out)
    }

    /// Notes rows, rising, that are going to be overwritten, their count, and the newest position,
    /// which their index tells no longer; durable on return.
    pub(crate) fn note_expiring(
        &self,
        chunk: u64,
        (rows, tally): (&[u32], &Tally),
        newest: Position,
    ) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            note_purging(&mut meta, chunk, tally)?;
            meta.insert(name(chunk).as_str(), encode(rows).as_slice())?;
            meta.insert(NEWEST, newest.0.to_le_bytes().as_slice())?;
            Ok(())
        })
    }

    /// The rows are gone from every file.
    pub(crate) fn forget_expiring(&self, chunk: u64) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            meta.remove(name(chunk).as_str())?;
            note_purged(&mut meta, chunk)
        })
    }

    /// The newest position when rows last began to go.
    pub(crate) fn newest(&self) -> Result<Position, CatalogError> {
        match self.meta(NEWEST)? {
            Some(bytes) => Ok(Position(u128::from_le_bytes(Reader::new(&bytes).array()?))),
            None => Ok(Position::START),
        }
    }

    /// The last pass of retention.
    pub(crate) fn retention_run(&self) -> Result<Option<RetentionRun>, CatalogError> {
        let Some(bytes) = self.meta(RUN)? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&bytes);
        let (at, received) = (reader.i64()?, reader.i64()?);
        Ok(Some(RetentionRun {
            at: Timestamp::from_micros(at),
            received: (received != i64::MIN).then(|| Timestamp::from_micros(received)),
        }))
    }

    /// Notes a pass of retention.
    pub(crate) fn note_retention_run(&self, run: RetentionRun) -> Result<(), CatalogError> {
        let received = run.received.map_or(i64::MIN, Timestamp::micros);
        let value = [run.at.micros().to_le_bytes(), received.to_le_bytes()].concat();
        self.put_meta(RUN, &value)
    }

    /// Why retention waits for an operator.
    pub(crate) fn retention_held(&self) -> Result<Option<String>, CatalogError> {
        let why = self.meta(HELD)?;
        Ok(why.map(|why| String::from_utf8_lossy(&why).into_owned()))
    }

    /// Notes why retention waits for an operator, or that it does no longer.
    pub(crate) fn hold_retention(&self, why: Option<&str>) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            match why {
                Some(why) => drop(meta.insert(HELD, why.as_bytes())?),
                None => drop(meta.remove(HELD)?),
            }
            Ok(())
        })
    }

    /// Marks a chunk that goes as a whole, with the count of what goes with it; durable on return.
    /// Its number is never used again.
    pub(crate) fn mark_gone(
        &self,
        chunk: u64,
        tally: &Tally,
        newest: Position,
    ) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut chunks = tx.open_table(CHUNKS)?;
            let known = chunks
                .get(chunk)?
                .map(|row| ChunkRow::decode(row.value()))
                .transpose()?;
            if let Some(mut row) = known {
                row.state = ChunkState::Gone;
                chunks.insert(chunk, row.encode().as_slice())?;
            }
            let mut meta = tx.open_table(META)?;
            let unused = match meta.get(NEXT_CHUNK)? {
                Some(bytes) => Reader::new(bytes.value()).u64()?,
                None => 1,
            };
            let unused = unused.max(chunk + 1).to_le_bytes();
            meta.insert(NEXT_CHUNK, unused.as_slice())?;
            note_purging(&mut meta, chunk, tally)?;
            meta.insert(NEWEST, newest.0.to_le_bytes().as_slice())?;
            Ok(())
        })
    }

    /// Forgets a chunk of which no file is left.
    pub(crate) fn forget_chunk(&self, chunk: u64) -> Result<(), CatalogError> {
        self.write(|tx| {
            tx.open_table(CHUNKS)?.remove(chunk)?;
            let mut meta = tx.open_table(META)?;
            meta.remove(name(chunk).as_str())?;
            note_purged(&mut meta, chunk)
        })
    }
}
