//! Flags of `bots`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Connection, Listing, One};

#[derive(Debug, Args)]
pub(crate) struct Bots {
    #[command(subcommand)]
    pub(crate) command: BotsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BotsCommand {
    /// List all bots
    List(Listing),
    /// Print a bot as JSON
    Get(One),
    /// Create or replace a bot from a JSON file
    Put {
        #[command(flatten)]
        connection: Connection,
        /// The bot
        id: String,
        /// Its definition; - is the standard input
        file: PathBuf,
    },
    /// Load bots, intents and slot types that Amazon Lex V1 has exported
    Import(BotsImport),
    /// Delete a bot; its records stay
    Delete(One),
}

#[derive(Debug, Args)]
#[command(
    after_help = "A file is an archive or the JSON file in it, and holds a bot, an intent or a slot \
    type with all that it uses.\n\
    Everything of it becomes $LATEST: number the versions and make the aliases afterwards."
)]
pub(crate) struct BotsImport {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// The files; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Replace the $LATEST of what is there already, in place of failing
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print each import as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}
