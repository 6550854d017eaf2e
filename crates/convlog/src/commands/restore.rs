//! `convlog restore`: the data directory of a stopped server from a backup.

use std::sync::Arc;

use anyhow::{Context, Result};
use convlog_store::embedded::{self, Restored};
use serde_json::json;

use super::backup::passphrase;
use crate::args::Restore;
use crate::clock::SystemIds;
use crate::out;

/// Makes it.
pub(crate) fn run(arguments: &Restore) -> Result<()> {
    let passphrase = arguments.passphrase_file.as_deref().map(passphrase);
    let order = embedded::Restore {
        from: arguments.path.clone(),
        dir: arguments.data_dir.clone(),
        replace: arguments.replace,
        ledger: arguments.ledger.clone(),
        passphrase: passphrase.transpose()?,
        ids: Arc::new(SystemIds),
    };
    let restored = embedded::restore(&order).context("nothing was restored")?;
    match arguments.json {
        true => out::line(&to_json(&restored).to_string()),
        false => print(&restored, arguments),
    }
}

fn to_json(restored: &Restored) -> serde_json::Value {
    json!({
        "records": restored.records,
        "chunks": restored.chunks,
        "erasures": restored.erasures,
        "erasures_added": restored.erasures_added,
        "replaced": restored.is_replaced,
    })
}

fn print(restored: &Restored, arguments: &Restore) -> Result<()> {
    let n = out::grouped;
    out::line(&format!(
        "{} records in {} logs restored to {}",
        n(restored.records),
        n(restored.chunks),
        arguments.data_dir.display()
    ))?;
    out::line(&format!(
        "{} erasures are applied to them, {} of which the backup did not know",
        n(restored.erasures),
        n(restored.erasures_added)
    ))
}
