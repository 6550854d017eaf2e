//! Rows: what one frame holds several of. docs/format.md has the same description.
//!
//! Id and time of receipt are not in the row but in its frame, so that a row can be written and
//! compressed before the writer gives it a place.

mod json;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use convlog_model::flatten::LeafPath;
use convlog_model::ids::InstanceId;
use convlog_model::record::{Canonical, Dialect, Draft, Kind, Source};
use convlog_model::time::Timestamp;

use super::bytes::{Malformed, Reader, put_bytes, put_len, put_varint};

const TURN: u8 = 1;
const EVENT: u8 = 2;
const STATE: u8 = 3;
const DELIVERY: u8 = 4;

const REFERENCE: u8 = 0;
const VALUE: u8 = 1;

/// Bytes of a keyed hash as rows and slots hold it.
pub(crate) type Hash16 = [u8; 16];

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A turn or an event.
    Record(Box<RecordRow>),
    /// A dialogue state, sealed.
    State(StateRow),
    /// A delivery that belongs to no record.
    Delivery(DeliveryRow),
    /// What an erasure leaves.
    Erased,
}

/// A turn or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordRow {
    /// As accepted.
    pub(crate) draft: Draft,
    /// Keyed hash of the key-sorted body.
    pub(crate) body_hash: Hash16,
}

/// A dialogue state: no word of it in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateRow {
    /// Keyed hash of instance and session.
    pub(crate) session_hash: Hash16,
    /// Slot of `sessions.keys` that holds its key.
    pub(crate) slot: u32,
    /// Number that the slot must carry.
    pub(crate) number: u64,
    /// The state, sealed with the slot's key.
    pub(crate) sealed: Vec<u8>,
}

/// A delivery that belongs to no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryRow {
    /// The tenant.
    pub(crate) instance: InstanceId,
    /// Name of the destination.
    pub(crate) destination: String,
    /// Name of the file under `blobs/`.
    pub(crate) blob: String,
}

/// Why bytes are no row of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRow {
    /// A later version wrote it.
    #[error("row of a newer format ({what} {code})")]
    Newer {
        /// What has an unknown code.
        what: &'static str,
        /// The code.
        code: u8,
    },
    /// Damaged.
    #[error("row cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

/// Whether every canonical value can be written and read back.
pub(crate) fn fits(draft: &Draft) -> bool {
    draft.canonical.values().all(|source| match source {
        Source::Raw(_) => true,
        Source::Value(value) => json::fits(value),
    })
}

/// Appends a record.
pub(crate) fn encode_record(out: &mut Vec<u8>, draft: &Draft, body_hash: &Hash16) {
    out.push(match draft.kind {
        Kind::Turn => TURN,
        Kind::Event => EVENT,
    });
    out.push(dialect_code(draft.dialect));
    put_bytes(out, draft.instance.as_str().as_bytes());
    match &draft.own_id {
        Some(own_id) => {
            out.push(1);
            put_bytes(out, own_id.as_bytes());
        }
        None => out.push(0),
    }
    put_len(out, draft.labels.len());
    for (name, value) in &draft.labels {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
    put_len(out, draft.canonical.len());
    for (path, source) in &draft.canonical {
        put_bytes(out, path.as_bytes());
        match source {
            Source::Raw(raw) => {
                out.push(REFERENCE);
                put_bytes(out, raw.as_bytes());
            }
            Source::Value(value) => {
                out.push(VALUE);
                json::put(out, value);
            }
        }
    }
    put_bytes(out, draft.raw.as_bytes());
    out.extend_from_slice(body_hash);
}

/// Appends a state.
pub(crate) fn encode_state(out: &mut Vec<u8>, row: &StateRow) {
    out.push(STATE);
    out.extend_from_slice(&row.session_hash);
    put_varint(out, row.slot.into());
    out.extend_from_slice(&row.number.to_le_bytes());
    put_bytes(out, &row.sealed);
}

/// Appends a delivery.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "part of the format from the start")
)]
pub(crate) fn encode_delivery(out: &mut Vec<u8>, row: &DeliveryRow) {
    out.push(DELIVERY);
    put_bytes(out, row.instance.as_str().as_bytes());
    put_bytes(out, row.destination.as_bytes());
    put_bytes(out, row.blob.as_bytes());
}

/// Reads one row; no bytes at all are an erased one.
pub(crate) fn decode(bytes: &[u8]) -> Result<Row, BadRow> {
    let mut reader = Reader::new(bytes);
    if bytes.is_empty() {
        return Ok(Row::Erased);
    }
    let row = match reader.u8()? {
        TURN => Row::Record(Box::new(decode_record(&mut reader, Kind::Turn)?)),
        EVENT => Row::Record(Box::new(decode_record(&mut reader, Kind::Event)?)),
        STATE => Row::State(decode_state(&mut reader)?),
        DELIVERY => Row::Delivery(decode_delivery(&mut reader)?),
        code => return Err(BadRow::Newer { what: "kind", code }),
    };
    reader.finish()?;
    Ok(row)
}

/// The bytes of every row of a payload after decompression.
pub(crate) fn split(plain: &[u8], row_count: u16) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = Reader::new(plain);
    let mut rows = Vec::with_capacity(usize::from(row_count));
    for _ in 0..row_count {
        rows.push(reader.bytes()?);
    }
    reader.finish()?;
    Ok(rows)
}

fn instance(reader: &mut Reader<'_>) -> Result<InstanceId, Malformed> {
    let text = reader.text()?;
    InstanceId::new(text).map_err(|_| reader.fault("no instance id"))
}

fn decode_record(reader: &mut Reader<'_>, kind: Kind) -> Result<RecordRow, BadRow> {
    let dialect = dialect_of(reader.u8()?)?;
    let instance = instance(reader)?;
    let own_id = match reader.u8()? {
        0 => None,
        1 => Some(reader.text()?.to_owned()),
        _ => return Err(reader.fault("neither with nor without own id").into()),
    };
    let mut labels = BTreeMap::new();
    for _ in 0..reader.count()? {
        let name = reader.text()?.to_owned();
        labels.insert(name, reader.text()?.to_owned());
    }
    let mut canonical = Canonical::new();
    for _ in 0..reader.count()? {
        let path = reader.text()?.into();
        let source = decode_source(reader)?;
        canonical.insert(path, source);
    }
    let raw = reader.text()?.into();
    let body_hash = reader.array()?;
    let draft = Draft {
        instance,
        kind,
        dialect,
        own_id,
        canonical,
        labels,
        raw,
    };
    Ok(RecordRow { draft, body_hash })
}

fn decode_source(reader: &mut Reader<'_>) -> Result<Source, BadRow> {
    match reader.u8()? {
        REFERENCE => {
            let path = LeafPath::from_bytes(reader.bytes()?);
            let path = path.ok_or_else(|| reader.fault("no raw path"))?;
            Ok(Source::Raw(path))
        }
        VALUE => Ok(Source::Value(json::take(reader)?)),
        code => Err(BadRow::Newer {
            what: "source",
            code,
        }),
    }
}

fn decode_state(reader: &mut Reader<'_>) -> Result<StateRow, Malformed> {
    let session_hash = reader.array()?;
    let slot = u32::try_from(reader.varint()?).map_err(|_| reader.fault("slot too large"))?;
    Ok(StateRow {
        session_hash,
        slot,
        number: reader.u64()?,
        sealed: reader.bytes()?.to_vec(),
    })
}

fn decode_delivery(reader: &mut Reader<'_>) -> Result<DeliveryRow, Malformed> {
    Ok(DeliveryRow {
        instance: instance(reader)?,
        destination: reader.text()?.to_owned(),
        blob: reader.text()?.to_owned(),
    })
}

pub(crate) fn dialect_code(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::WatsonV1 => 1,
        Dialect::WatsonV2 => 2,
        Dialect::LexV1 => 3,
        Dialect::ChatBotKit => 4,
        Dialect::Otlp => 5,
        Dialect::Convlog => 6,
    }
}

pub(crate) fn dialect_of(code: u8) -> Result<Dialect, BadRow> {
    let found = Dialect::ALL.into_iter().find(|d| dialect_code(*d) == code);
    found.ok_or(BadRow::Newer {
        what: "dialect",
        code,
    })
}

/// What a state row seals: everything that the server wants back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedState {
    /// The tenant.
    pub(crate) instance: InstanceId,
    /// The session.
    pub(crate) session: String,
    /// Customers whose erasure ends the session.
    pub(crate) customers: Vec<String>,
    /// After this moment the session is gone.
    pub(crate) expires_at: Timestamp,
    /// What the server wants back.
    pub(crate) state: Vec<u8>,
}

impl SealedState {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.state.len() + 64);
        put_bytes(&mut out, self.instance.as_str().as_bytes());
        put_bytes(&mut out, self.session.as_bytes());
        put_len(&mut out, self.customers.len());
        for customer in &self.customers {
            put_bytes(&mut out, customer.as_bytes());
        }
        out.extend_from_slice(&self.expires_at.micros().to_le_bytes());
        put_bytes(&mut out, &self.state);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let instance = instance(&mut reader)?;
        let session = reader.text()?.to_owned();
        let n_customers = reader.varint()?;
        let mut customers = Vec::new();
        for _ in 0..n_customers {
            customers.push(reader.text()?.to_owned());
        }
        let expires_at = Timestamp::from_micros(reader.i64()?);
        let state = reader.bytes()?.to_vec();
        reader.finish()?;
        Ok(SealedState {
            instance,
            session,
            customers,
            expires_at,
            state,
        })
    }
}
