//! The catalog as bytes of a backup, and a catalog made of such bytes.

use std::collections::BTreeMap;
use std::path::Path;

use convlog_model::clock::IdSource;
use redb::{Builder, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::backend::DiskBackend;
use super::{
    CATALOG, CATALOG_NEW, CHUNKS, Catalog, CatalogError, ChunkRow, DOCUMENTS, FORMAT, LEDGER,
    LedgerEntry, META,
};
use crate::embedded::bytes::{Malformed, Reader, put_bytes, put_varint};
use crate::embedded::disk::Disk;
use crate::embedded::error::OpenError;

/// Key and sealed body of a control document.
type Sealed = (Vec<u8>, Vec<u8>);

/// What a catalog holds besides the ledger of erasures.
#[derive(Debug, Default)]
pub(crate) struct Dump {
    pub(crate) meta: BTreeMap<String, Vec<u8>>,
    pub(crate) chunks: BTreeMap<u64, ChunkRow>,
    pub(crate) documents: Vec<Sealed>,
}

impl Dump {
    /// A number of the table `meta`.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Malformed> {
        let bytes = self.meta.get(name);
        bytes.map(|bytes| Reader::new(bytes).u64()).transpose()
    }

    /// Three tables, each as a count and so many pairs of *bytes*.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let put_count = |out: &mut Vec<u8>, count: usize| {
            put_varint(out, u64::try_from(count).unwrap_or(u64::MAX));
        };
        put_count(&mut out, self.meta.len());
        for (name, value) in &self.meta {
            put_bytes(&mut out, name.as_bytes());
            put_bytes(&mut out, value);
        }
        put_count(&mut out, self.chunks.len());
        for (number, row) in &self.chunks {
            put_bytes(&mut out, &number.to_le_bytes());
            put_bytes(&mut out, &row.encode());
        }
        put_count(&mut out, self.documents.len());
        for (key, sealed) in &self.documents {
            put_bytes(&mut out, key);
            put_bytes(&mut out, sealed);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut dump = Dump::default();
        for _ in 0..reader.count()? {
            let name = reader.text()?.to_owned();
            dump.meta.insert(name, reader.bytes()?.to_vec());
        }
        for _ in 0..reader.count()? {
            let number = Reader::new(reader.bytes()?).u64()?;
            let row = ChunkRow::decode(reader.bytes()?)?;
            dump.chunks.insert(number, row);
        }
        for _ in 0..reader.count()? {
            let key = reader.bytes()?.to_vec();
            dump.documents.push((key, reader.bytes()?.to_vec()));
        }
        reader.finish()?;
        Ok(dump)
    }
}

/// A ledger as bytes: a count and so many entries as *bytes*.
pub(crate) fn encode_ledger(ledger: &[LedgerEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, u64::try_from(ledger.len()).unwrap_or(u64::MAX));
    for entry in ledger {
        put_bytes(&mut out, &entry.encode());
    }
    out
}

pub(crate) fn decode_ledger(bytes: &[u8]) -> Result<Vec<LedgerEntry>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut ledger = Vec::new();
    for _ in 0..reader.count()? {
        ledger.push(LedgerEntry::decode(reader.bytes()?)?);
    }
    reader.finish()?;
    Ok(ledger)
}

impl Catalog {
    /// What stands in the catalog at one moment, but the ledger.
    pub(crate) fn dump(&self, with_documents: bool) -> Result<Dump, CatalogError> {
        let tx = self.db.begin_read()?;
        let mut dump = Dump::default();
        for entry in tx.open_table(META)?.iter()? {
            let (name, value) = entry?;
            let name = name.value().to_owned();
            dump.meta.insert(name, value.value().to_vec());
        }
        for entry in tx.open_table(CHUNKS)?.iter()? {
            let (number, row) = entry?;
            let row = ChunkRow::decode(row.value())?;
            dump.chunks.insert(number.value(), row);
        }
        if with_documents {
            dump.documents = documents(&tx)?;
        }
        Ok(dump)
    }

    /// The number below which no chunk may be opened, because another history used it.
    pub(crate) fn next_chunk(&self) -> Result<u64, CatalogError> {
        Ok(self.meta_number("next_chunk")?.unwrap_or(1))
    }

    /// Makes the catalog of an empty directory; durable on return.
    pub(crate) fn make_of(
        disk: &dyn Disk,
        dir: &Path,
        dump: &Dump,
        ledger: &[LedgerEntry],
    ) -> Result<(), OpenError> {
        let io_error = |error| OpenError::io(CATALOG, error);
        let new = dir.join(CATALOG_NEW);
        let file = disk.create(&new).map_err(io_error)?;
        let made = (|| -> Result<(), CatalogError> {
            let db = Builder::new().create_with_backend(DiskBackend(file))?;
            let tx = db.begin_write()?;
            {
                let mut table = tx.open_table(META)?;
                for (name, value) in &dump.meta {
                    table.insert(name.as_str(), value.as_slice())?;
                }
                let mut table = tx.open_table(CHUNKS)?;
                for (number, row) in &dump.chunks {
                    table.insert(*number, row.encode().as_slice())?;
                }
                let mut table = tx.open_table(DOCUMENTS)?;
                for (key, sealed) in &dump.documents {
                    table.insert(key.as_slice(), sealed.as_slice())?;
                }
                let mut table = tx.open_table(LEDGER)?;
                for (number, entry) in (0u64..).zip(ledger) {
                    table.insert(number, entry.encode().as_slice())?;
                }
            }
            Ok(tx.commit()?)
        })();
        made.map_err(CatalogError::unusable)?;
        disk.rename(&new, &dir.join(CATALOG)).map_err(io_error)?;
        disk.sync_dir(dir).map_err(io_error)
    }

    /// A number that no history had before.
    pub(crate) fn new_timeline(ids: &dyn IdSource) -> u64 {
        u64::try_from(ids.random_u128() >> 65).unwrap_or_default()
    }
}

fn documents(tx: &ReadTransaction) -> Result<Vec<Sealed>, CatalogError> {
    let table = tx.open_table(DOCUMENTS)?;
    let mut out = Vec::with_capacity(usize::try_from(table.len()?).unwrap_or_default());
    for entry in table.iter()? {
        let (key, sealed) = entry?;
        out.push((key.value().to_vec(), sealed.value().to_vec()));
    }
    Ok(out)
}

/// Whether this program can read what the dump describes.
pub(crate) fn check_format(dump: &Dump, file: &str) -> Result<(), OpenError> {
    match dump.number("format") {
        Ok(Some(FORMAT)) => Ok(()),
        Ok(Some(found)) => Err(OpenError::newer(file, 0, format!("format {found}"))),
        Ok(None) | Err(_) => Err(OpenError::unusable(file, "holds no format number")),
    }
}
