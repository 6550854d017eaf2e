//! Secrets that the configuration names files for: read when the server starts, and never shown.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::Config;
use super::aws::ROLES;
use crate::out::wrong_use;

const FILE_BYTES_MAX: u64 = 64 << 10;

impl Config {
    /// Reads the files of secrets into what the server is told.
    pub(crate) fn read_secrets(&mut self) -> Result<()> {
        for (i, role) in self.server.aws.roles.iter_mut().enumerate() {
            if let Some(path) = self.secret_files.get(&role.arn) {
                let key = format!("{ROLES}[{i}].secret_access_key_file");
                role.secret_access_key = read(&key, path)?;
            }
        }
        Ok(())
    }
}

/// The only line of a file, without blanks around it.
fn read(key: &str, path: &Path) -> Result<String> {
    let cannot = || format!("cannot read `{key}` {}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(cannot)?;
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(cannot)?;
    let wrong = |what: &str| wrong_use(format!("`{key}` {}: {what}", path.display()));
    match text.trim() {
        "" => Err(wrong("the file is empty")),
        secret if secret.contains(['\n', '\r']) => Err(wrong("the file has more than one line")),
        secret => Ok(secret.to_owned()),
    }
}
