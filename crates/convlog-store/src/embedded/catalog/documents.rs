//! Control documents: sealed, under keyed hashes of their names; the names are in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use convlog_model::control::{Document, Expect};
use convlog_model::store::{ErrorKind, StoreError};
use redb::{ReadableDatabase, ReadableTable};

use super::{Catalog, CatalogError, DOCUMENTS, META};
use crate::embedded::bytes::{Reader, put_bytes};
use crate::embedded::error::failed;

/// Largest body.
const BODY_LEN_MAX: usize = 1 << 20;

/// Collection and id.
type Name = (String, String);

/// The control documents of a catalog.
#[derive(Debug)]
pub(crate) struct Documents {
    catalog: Arc<Catalog>,
    /// Versions by name. Held during a put, so that puts come one after the other.
    versions: Mutex<BTreeMap<Name, u64>>,
}

/// What a put or a delete does.
#[derive(Clone, Copy, Debug)]
enum Change<'a> {
    Put(&'a [u8]),
    Delete,
}

fn conflict() -> StoreError {
    StoreError::new(ErrorKind::Conflict, "somebody else changed it meanwhile")
}

fn to_store_error(error: CatalogError) -> StoreError {
    failed("catalog", &error)
}

impl Documents {
    /// Reads the names of all documents.
    pub(crate) fn load(catalog: Arc<Catalog>) -> Result<Self, CatalogError> {
        let mut versions = BTreeMap::new();
        let tx = catalog.db.begin_read()?;
        for entry in tx.open_table(DOCUMENTS)?.iter()? {
            let (_, sealed) = entry?;
            let (name, document) = catalog.open_document(sealed.value())?;
            versions.insert(name, document.version);
        }
        drop(tx);
        Ok(Documents {
            catalog,
            versions: Mutex::new(versions),
        })
    }

    pub(crate) fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        let key = self.catalog.document_key(collection, id);
        let read = || -> Result<Option<Document>, CatalogError> {
            let tx = self.catalog.db.begin_read()?;
            let table = tx.open_table(DOCUMENTS)?;
            let found = table.get(key.as_slice())?;
            found
                .map(|sealed| Ok(self.catalog.open_document(sealed.value())?.1))
                .transpose()
        };
        read().map_err(to_store_error)
    }

    pub(crate) fn put(
        &self,
        collection: &str,
        id: &str,
        body: &[u8],
        expect: Expect,
    ) -> Result<u64, StoreError> {
        if body.len() > BODY_LEN_MAX {
            let why = format!("a document may have at most {BODY_LEN_MAX} bytes");
            return Err(StoreError::new(ErrorKind::Invalid, why));
        }
        let expected = match expect {
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        self.change(collection, id, expected, Change::Put(body))
    }

    pub(crate) fn delete(
        &self,
        collection: &str,
        id: &str,
        version: u64,
    ) -> Result<(), StoreError> {
        self.change(collection, id, Some(version), Change::Delete)?;
        Ok(())
    }

    fn change(
        &self,
        collection: &str,
        id: &str,
        expected: Option<u64>,
        change: Change<'_>,
    ) -> Result<u64, StoreError> {
        let name = (collection.to_owned(), id.to_owned());
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if versions.get(&name).copied() != expected {
            return Err(conflict());
        }
        let version = self
            .catalog
            .change_document(&name, change)
            .map_err(to_store_error)?;
        match change {
            Change::Put(_) => versions.insert(name, version),
            Change::Delete => versions.remove(&name),
        };
        Ok(version)
    }

    pub(crate) fn list(
        &self,
        collection: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let first = after.max(prefix);
        let from = (collection.to_owned(), first.to_owned());
        let ids: Vec<String> = {
            let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
            let range = versions.range((Bound::Included(from), Bound::Unbounded));
            range
                .map(|((of, id), _)| (of, id))
                .take_while(|(of, id)| *of == collection && id.starts_with(prefix))
                .filter(|(_, id)| id.as_str() > after)
                .take(limit)
                .map(|(_, id)| id.clone())
                .collect()
        };
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            out.extend(self.get(collection, &id)?);
        }
        Ok(out)
    }
}

impl Catalog {
    fn document_key(&self, collection: &str, id: &str) -> [u8; 32] {
        let mut name = Vec::new();
        put_bytes(&mut name, collection.as_bytes());
        put_bytes(&mut name, id.as_bytes());
        self.sealer.derive("document name").hash(&name)
    }

    fn open_document(&self, sealed: &[u8]) -> Result<(Name, Document), CatalogError> {
        let opened = self.sealer.open("document", sealed);
        let plain = opened.map_err(|e| CatalogError(format!("a document: {e}")))?;
        let mut reader = Reader::new(&plain);
        let collection = reader.text()?.to_owned();
        let id = reader.text()?.to_owned();
        let version = reader.u64()?;
        let body = reader.bytes()?.to_vec();
        reader.finish()?;
        let document = Document {
            id: id.clone(),
            version,
            body,
        };
        Ok(((collection, id), document))
    }

    /// Takes the next version, which no document ever had, and writes.
    fn change_document(&self, name: &Name, change: Change<'_>) -> Result<u64, CatalogError> {
        let (collection, id) = name;
        let key = self.document_key(collection, id);
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            let last = match meta.get("version")? {
                Some(bytes) => Reader::new(bytes.value()).u64()?,
                None => 0,
            };
            let version = last + 1;
            meta.insert("version", version.to_le_bytes().as_slice())?;
            let mut table = tx.open_table(DOCUMENTS)?;
            match change {
                Change::Put(body) => {
                    let mut plain = Vec::with_capacity(body.len() + 64);
                    put_bytes(&mut plain, collection.as_bytes());
                    put_bytes(&mut plain, id.as_bytes());
                    plain.extend_from_slice(&version.to_le_bytes());
                    put_bytes(&mut plain, body);
                    let sealed = self.sealer.seal(self.ids.as_ref(), "document", &plain);
                    table.insert(key.as_slice(), sealed.as_slice())?;
                }
                Change::Delete => drop(table.remove(key.as_slice())?),
            }
            Ok(version)
        })
    }
}
