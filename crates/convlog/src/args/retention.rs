//! Flags of `retention`.

use clap::Args;

use super::Connection;

#[derive(Debug, Args)]
#[command(
    after_help = "Retention is held, and removes nothing, when the clock of the server is more than \
    7 days beyond the last moment that it knew before its start, or jumps by an hour while it runs. \
    What has expired is hidden all the same."
)]
pub(crate) struct Retention {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// The clock of the server is right: let it remove what has expired
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
