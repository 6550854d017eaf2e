//! Flags of `backup` and `restore`.

use std::path::PathBuf;

use clap::Args;

use super::Connection;

#[derive(Debug, Args)]
#[command(
    after_help = "Without --passphrase-file the backup holds the key of the data in the clear: \
    whoever has it can read all of it.\n\
    Dialogue sessions that are under way are not in a backup."
)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Where it goes: one file when the name ends in .tar, else a directory
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Only the ledger of erasures, to be kept fresher than the data
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) ledger_only: bool,
    /// File whose first line is the passphrase that seals the key of the data
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Print a summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The directory is made beside its place and gets its name when every checksum \
    is right; else it is what it was."
)]
pub(crate) struct Restore {
    /// The backup, a file or a directory
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// The data directory of a stopped server
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// Replace a directory that holds data; its ledger of erasures is kept and applied
    #[arg(long)]
    pub(crate) replace: bool,
    /// Data directory or backup whose ledger of erasures is applied, too
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// File whose first line is the passphrase of the backup
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Print a summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
