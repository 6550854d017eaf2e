//! What an operator does with everything that an engine holds: backups.

use std::fmt;

use async_trait::async_trait;

use crate::store::StoreError;

/// Which backup is wanted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BackupOrder {
    /// Only the ledger of erasures: small, so that it can be kept fresher than the data.
    pub ledger_only: bool,
    /// Seals the key of the data; without it the key is in the backup in the clear.
    pub passphrase: Option<String>,
}

/// Shows nothing of the passphrase.
impl fmt::Debug for BackupOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupOrder")
            .field("ledger_only", &self.ledger_only)
            .field("is_sealed", &self.passphrase.is_some())
            .finish()
    }
}

/// A backup that is being read: pieces of one file, in order.
///
/// * Every append and every erasure that was acknowledged before the backup was asked for is in it.
/// * What comes meanwhile is in it wholly or not at all; an erasure that was acknowledged before
///   the last piece but one was given is in it.
/// * The last piece holds what proves that all of it is there, so that a backup that was broken
///   off is never taken for a whole one.
#[async_trait]
pub trait BackupStream: fmt::Debug + Send {
    /// The next piece, at most about a mebibyte; `None` behind the last one. After an error there
    /// is no more.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Work on all that an engine holds, of every instance. An engine without it cannot be backed up.
#[async_trait]
pub trait Maintenance: fmt::Debug + Send + Sync {
    /// Begins a backup. Appends, erasures and reads go on meanwhile.
    async fn backup(&self, order: &BackupOrder) -> Result<Box<dyn BackupStream>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_shows_no_passphrase() {
        let order = BackupOrder {
            ledger_only: false,
            passphrase: Some("open sesame".to_owned()),
        };
        let shown = format!("{order:?}");
        assert_eq!(shown, "BackupOrder { ledger_only: false, is_sealed: true }");
    }
}
