//! What retention takes away, counted before it goes and told of when it is gone from every file.
//!
//! A count stands beside what is still to be done with a chunk (`purging`), goes with the note of
//! its end to what is gone (`purged`), and becomes a purge at the end of a pass (`purge`).

use std::collections::BTreeMap;

use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::store::Purge;
use convlog_model::time::Timestamp;
use redb::{ReadableDatabase, ReadableTable, Table};

use super::{Catalog, CatalogError, META};
use crate::embedded::bytes::{Malformed, Reader, put_bytes, put_len, put_varint};

/// Prefix of the names of counts of rows that go; ten digits of a chunk follow.
const PURGING: &str = "purging ";
const PURGED: &str = "purged";
/// Prefix of the names of purges; their id in hexadecimal digits follows.
const PURGE: &str = "purge ";
/// First name behind all of them.
const PURGE_END: &str = "purge!";

/// How many records go, and the bounds of their times of receipt, by instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<InstanceId, Count>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    records: u64,
    oldest: i64,
    newest: i64,
}

impl Tally {
    /// One more record.
    pub(crate) fn add(&mut self, instance: &InstanceId, received_us: i64) {
        let one = Count {
            records: 1,
            oldest: received_us,
            newest: received_us,
        };
        self.unite(instance, one);
    }

    fn unite(&mut self, instance: &InstanceId, more: Count) {
        match self.0.get_mut(instance) {
            None => drop(self.0.insert(instance.clone(), more)),
            Some(count) => {
                count.records += more.records;
                count.oldest = count.oldest.min(more.oldest);
                count.newest = count.newest.max(more.newest);
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, self.0.len());
        for (instance, count) in &self.0 {
            put_bytes(&mut out, instance.as_str().as_bytes());
            put_varint(&mut out, count.records);
            out.extend_from_slice(&count.oldest.to_le_bytes());
            out.extend_from_slice(&count.newest.to_le_bytes());
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let tally = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(tally)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut tally = Tally::default();
        for _ in 0..reader.count()? {
            let instance = InstanceId::new(reader.text()?);
            let instance = instance.map_err(|_| reader.fault("no instance id"))?;
            let count = Count {
                records: reader.varint()?,
                oldest: reader.i64()?,
                newest: reader.i64()?,
            };
            tally.unite(&instance, count);
        }
        Ok(tally)
    }
}

fn purging(chunk: u64) -> String {
    format!("{PURGING}{chunk:010}")
}

fn purge_name(id: RecordId) -> String {
    format!("{PURGE}{:032x}", u128::from_be_bytes(id.to_bytes()))
}

/// Adds to a count.
fn count_up(
    meta: &mut Table<'_, &str, &[u8]>,
    name: &str,
    more: &Tally,
) -> Result<(), CatalogError> {
    if more.0.is_empty() {
        return Ok(());
    }
    let mut tally = match meta.get(name)? {
        Some(bytes) => Tally::decode(bytes.value())?,
        None => Tally::default(),
    };
    for (instance, count) in &more.0 {
        tally.unite(instance, *count);
    }
    meta.insert(name, tally.encode().as_slice())?;
    Ok(())
}

/// Counts records of a chunk that are about to go.
pub(super) fn note_purging(
    meta: &mut Table<'_, &str, &[u8]>,
    chunk: u64,
    tally: &Tally,
) -> Result<(), CatalogError> {
    count_up(meta, &purging(chunk), tally)
}

/// What was about to go of a chunk is gone from every file.
pub(super) fn note_purged(
    meta: &mut Table<'_, &str, &[u8]>,
    chunk: u64,
) -> Result<(), CatalogError> {
    let gone = match meta.remove(purging(chunk).as_str())? {
        Some(bytes) => Tally::decode(bytes.value())?,
        None => return Ok(()),
    };
    count_up(meta, PURGED, &gone)
}

impl Catalog {
    /// Makes purges of what is gone; durable on return.
    pub(crate) fn end_purges(&self, at: Timestamp) -> Result<(), CatalogError> {
        if self.meta(PURGED)?.is_none() {
            return Ok(());
        }
        let millis = u64::try_from(at.millis()).unwrap_or_default();
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            let gone = match meta.remove(PURGED)? {
                Some(bytes) => Tally::decode(bytes.value())?,
                None => return Ok(()),
            };
            for (instance, count) in gone.0 {
                let id = RecordId::from_parts(millis, self.ids.random_u128());
                let mut value = at.micros().to_le_bytes().to_vec();
                value.extend(Tally([(instance, count)].into()).encode());
                meta.insert(purge_name(id).as_str(), value.as_slice())?;
            }
            Ok(())
        })
    }

    /// Every purge that is not forgotten, oldest first.
    pub(crate) fn purges(&self) -> Result<Vec<Purge>, CatalogError> {
        let tx = self.db.begin_read()?;
        let meta = tx.open_table(META)?;
        let mut out = Vec::new();
        for entry in meta.range(PURGE..PURGE_END)? {
            let (name, value) = entry?;
            let digits = name.value().strip_prefix(PURGE).unwrap_or_default();
            let Ok(id) = u128::from_str_radix(digits, 16) else {
                continue;
            };
            let mut reader = Reader::new(value.value());
            let at = Timestamp::from_micros(reader.i64()?);
            let tally = Tally::read(&mut reader)?;
            reader.finish()?;
            out.extend(tally.0.into_iter().map(|(instance, count)| Purge {
                id: RecordId::from_bytes(id.to_be_bytes()),
                instance,
                records: count.records,
                oldest: Timestamp::from_micros(count.oldest),
                newest: Timestamp::from_micros(count.newest),
                at,
            }));
        }
        Ok(out)
    }

    /// Lists these purges no more; durable on return.
    pub(crate) fn forget_purges(&self, told: &[RecordId]) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            for id in told {
                meta.remove(purge_name(*id).as_str())?;
            }
            Ok(())
        })
    }
}
