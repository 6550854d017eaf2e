//! The ledger of erasures: who or what was erased, up to which position, and when.

use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::store::{Erasure, ErasureState};
use convlog_model::time::Timestamp;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::{Catalog, CatalogError, LEDGER};
use crate::embedded::bytes::{Malformed, Reader, put_bytes, put_len, put_varint, to_u64};
use crate::embedded::row::Hash16;

/// What an erasure hides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// Everything of the customer with this keyed hash, before the position of the entry.
    Customer([u8; 32]),
    /// What matched a filter.
    Rows {
        /// The rows.
        at: Vec<Position>,
        /// Keys of their own ids, rising.
        own: Vec<Hash16>,
    },
}

/// One erasure as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerEntry {
    pub(crate) erasure: Erasure,
    /// Rows from here on stay.
    pub(crate) before: Position,
    pub(crate) hidden: Hidden,
}

const CUSTOMER: u8 = 1;
const ROWS: u8 = 2;
const ROWS_WITH_OWN_IDS: u8 = 3;

impl LedgerEntry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let erasure = &self.erasure;
        let mut out = Vec::new();
        out.extend_from_slice(&erasure.id.to_bytes());
        put_bytes(&mut out, erasure.instance.as_str().as_bytes());
        out.push(match erasure.state {
            ErasureState::Hidden => 0,
            ErasureState::Overwriting => 1,
            ErasureState::Reindexing => 2,
            ErasureState::Done => 3,
        });
        put_varint(&mut out, erasure.records);
        for time in [
            Some(erasure.requested_at),
            Some(erasure.hidden_at),
            erasure.rows_overwritten_at,
            erasure.done_at,
        ] {
            let micros = time.map_or(i64::MIN, Timestamp::micros);
            out.extend_from_slice(&micros.to_le_bytes());
        }
        out.extend_from_slice(&self.before.0.to_le_bytes());
        match &self.hidden {
            Hidden::Customer(hash) => {
                out.push(CUSTOMER);
                out.extend_from_slice(hash);
            }
            Hidden::Rows { at, own } => {
                out.push(match own.is_empty() {
                    true => ROWS,
                    false => ROWS_WITH_OWN_IDS,
                });
                put_rows(&mut out, at);
                if !own.is_empty() {
                    put_len(&mut out, own.len());
                    own.iter().for_each(|key| out.extend_from_slice(key));
                }
            }
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let id = RecordId::from_bytes(reader.array()?);
        let instance = InstanceId::new(reader.text()?);
        let instance = instance.map_err(|_| reader.fault("no instance id"))?;
        let state = match reader.u8()? {
            0 => ErasureState::Hidden,
            1 => ErasureState::Overwriting,
            2 => ErasureState::Reindexing,
            3 => ErasureState::Done,
            _ => return Err(reader.fault("unknown state of an erasure")),
        };
        let records = reader.varint()?;
        let mut times = [None; 4];
        for time in &mut times {
            let micros = reader.i64()?;
            *time = (micros != i64::MIN).then(|| Timestamp::from_micros(micros));
        }
        let [requested_at, hidden_at, rows_overwritten_at, done_at] = times;
        let erasure = Erasure {
            id,
            instance,
            state,
            records,
            requested_at: requested_at.unwrap_or_default(),
            hidden_at: hidden_at.unwrap_or_default(),
            rows_overwritten_at,
            done_at,
        };
        let before = Position(u128::from_le_bytes(reader.array()?));
        let hidden = match reader.u8()? {
            CUSTOMER => Hidden::Customer(reader.array()?),
            kind @ (ROWS | ROWS_WITH_OWN_IDS) => {
                let at = rows(&mut reader)?;
                let mut own = Vec::new();
                if kind == ROWS_WITH_OWN_IDS {
                    for _ in 0..reader.count()? {
                        own.push(reader.array()?);
                    }
                }
                Hidden::Rows { at, own }
            }
            _ => return Err(reader.fault("unknown kind of erasure")),
        };
        reader.finish()?;
        Ok(LedgerEntry {
            erasure,
            before,
            hidden,
        })
    }
}

fn put_rows(out: &mut Vec<u8>, rows: &[Position]) {
    put_len(out, rows.len());
    let mut last = 0;
    for row in rows {
        // Rising positions: the steps are small.
        let step = row.0.saturating_sub(last);
        put_varint(out, u64::try_from(step).unwrap_or(u64::MAX));
        last = row.0;
    }
}

fn rows(reader: &mut Reader<'_>) -> Result<Vec<Position>, Malformed> {
    let mut rows = Vec::new();
    let mut last = 0u128;
    for _ in 0..reader.count()? {
        last = last.saturating_add(reader.varint()?.into());
        rows.push(Position(last));
    }
    Ok(rows)
}

impl Catalog {
    /// The ledger, oldest first.
    pub(crate) fn ledger(&self) -> Result<Vec<LedgerEntry>, CatalogError> {
        let tx = self.db.begin_read()?;
        let mut out = Vec::new();
        for entry in tx.open_table(LEDGER)?.iter()? {
            let (_, value) = entry?;
            out.push(LedgerEntry::decode(value.value())?);
        }
        Ok(out)
    }

    /// Adds to the ledger; durable on return.
    pub(crate) fn add_to_ledger(&self, entry: &LedgerEntry) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut table = tx.open_table(LEDGER)?;
            let number = table.len()?;
            table.insert(number, entry.encode().as_slice())?;
            Ok(())
        })
    }

    /// Replaces what entries say of how far an erasure has come; durable on return, all or none.
    pub(crate) fn change_ledger(&self, changed: &[(usize, Erasure)]) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut table = tx.open_table(LEDGER)?;
            for (number, erasure) in changed {
                let number = to_u64(*number);
                let known = table
                    .get(number)?
                    .map(|value| LedgerEntry::decode(value.value()));
                let Some(mut entry) = known.transpose()? else {
                    continue;
                };
                entry.erasure = erasure.clone();
                table.insert(number, entry.encode().as_slice())?;
            }
            Ok(())
        })
    }
}
