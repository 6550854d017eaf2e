//! The command line: every command, its flags and its help.

mod backups;
mod bots;
mod retention;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::backups::{Backup, Restore};
pub(crate) use self::bots::{Bots, BotsCommand, BotsImport};
pub(crate) use self::retention::Retention;
use crate::config::Flags;

/// The system of record for conversations between people and bots
#[derive(Debug, Parser)]
#[command(
    name = "convlog",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 done, 1 failed, 2 wrong use."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Flags),
    /// Run a throwaway server filled with a sample of conversations
    Demo(Demo),
    /// Load exports of a vendor, or a live service, into a server
    Import(Import),
    /// Write records of a server to a file
    Export(Export),
    /// Show records that match a filter
    Query(Query),
    /// Show records as they arrive
    Tail(Tail),
    /// Erase a customer, or the records that match a filter
    Erase(Erase),
    /// List and change bots
    Bots(Bots),
    /// List, create and revoke keys
    Keys(Keys),
    /// Copy everything that a running server holds to a file or a directory
    Backup(Backup),
    /// Make the data directory of a stopped server from a backup
    Restore(Restore),
    /// Show what retention and erasures do to the bytes, and confirm that the clock is right
    Retention(Retention),
    /// Check every checksum of a data directory
    Verify(Verify),
    /// Print the configuration that is in effect
    Config(ShowConfig),
    /// Print the completions of a shell
    Completions(Completions),
}

/// Which server, as whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct Connection {
    /// The server
    #[arg(
        long,
        env = "CONVLOG_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) url: String,
    /// The key, ID.SECRET
    #[arg(long, env = "CONVLOG_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// PEM file of an authority that the server's certificate may come from
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(crate) listen: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Shapes that are understood, also gzipped: an array of logs, {\"logs\":[…]}, \
    a list of pages, one log a line; of CloudWatch Logs, what filter-log-events and \
    get-log-events print, exports to S3, and what subscriptions send.\n\
    Running it again is safe: what is there already is counted as a duplicate."
)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Files, or directories of files; - is the standard input
    #[arg(
        required_unless_present = "from",
        conflicts_with = "from",
        value_name = "PATH"
    )]
    pub(crate) paths: Vec<PathBuf>,
    /// What the files hold, where it cannot be told from each log
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<DialectName>,
    /// Read from this live Watson-shaped service instead of from files
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// Its API key
    #[arg(
        long,
        env = "CONVLOG_FROM_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) from_key: Option<String>,
    /// Its workspace, listed by the v1 API
    #[arg(
        long,
        value_name = "ID",
        requires = "from",
        conflicts_with = "from_assistant"
    )]
    pub(crate) from_workspace: Option<String>,
    /// Its assistant or environment, listed by the v2 API
    #[arg(long, value_name = "ID", requires = "from")]
    pub(crate) from_assistant: Option<String>,
    /// Which of its logs; needed when neither workspace nor assistant is named
    #[arg(long, value_name = "FILTER", requires = "from")]
    pub(crate) from_filter: Option<String>,
    /// Version date of its API
    #[arg(long, value_name = "DATE", default_value = "2021-11-27")]
    pub(crate) from_version: String,
    /// File that remembers how far the import came, so that the next run goes on from there
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Stop at the first line that is no good
    #[arg(long)]
    pub(crate) strict: bool,
    /// Most records of a request
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) batch: u64,
    /// Print the counts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Dialects that a file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectName {
    /// Log objects of Watson Assistant v1
    WatsonV1,
    /// Log objects of Watson Assistant v2
    WatsonV2,
    /// Entries of conversation logs of Amazon Lex V1
    LexV1,
    /// Convlog's own form
    Convlog,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Form of the export
    #[arg(long, default_value = "jsonl")]
    pub(crate) format: ExportFormat,
    /// Which records
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Shape of the logs of watson-json
    #[arg(long, value_name = "SHAPE")]
    pub(crate) shape: Option<Shape>,
    /// Leave out records whose users opted out of learning
    #[arg(long)]
    pub(crate) for_training: bool,
    /// Write to this file; it appears when it is complete
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print a summary as JSON to stderr
    #[arg(long)]
    pub(crate) json: bool,
}

/// Forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Convlog's own form, one record a line; can be imported without loss
    Jsonl,
    /// The columns of the Watson export script
    Csv,
    /// One array of Watson logs
    WatsonJson,
}

/// Shapes of Watson logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    V1,
    V2,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Which records, in the filter language: input.text:refund,time.request>=2026-01-01
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// position, time.request, time.response or time.received, with - for the greatest first
    #[arg(long, default_value = "-time.received", allow_hyphen_values = true)]
    pub(crate) sort: String,
    /// At most so many records
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Print records as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Which records
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Begin with so many that are there already
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub(crate) last: u64,
    /// Seconds between two questions
    #[arg(long, default_value_t = 1, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) interval: u64,
    /// Print records as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Everything of this customer
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) customer: Option<String>,
    /// The records that match at this moment
    #[arg(long, value_name = "FILTER", group = "which")]
    pub(crate) filter: Option<String>,
    /// Only count them
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Wait until they are gone from every file
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) wait: bool,
    /// Print the erasure as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A command that lists.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A command about one thing.
#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Its id
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys of the instance
    List(Listing),
    /// Create a key and print it, this once
    Create(CreateKey),
    /// Revoke a key
    Revoke(One),
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Create it in the data directory of a stopped server, with all roles by default
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// What it is for
    #[arg(long, default_value = "made by convlog keys create")]
    pub(crate) name: String,
    /// Roles, separated by commas: write, read, erase, admin, operator
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    pub(crate) roles: Vec<String>,
    /// Only these bots, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "BOTS",
        conflicts_with = "data_dir"
    )]
    pub(crate) bots: Vec<String>,
    /// When it ends, 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "data_dir")]
    pub(crate) expires_at: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The data directory of a stopped server
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowConfig {
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_has_a_help_text() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
                let place = format!("{} {}", command.get_name(), argument.get_id());
                assert!(argument.get_help().is_some(), "{place}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn an_import_needs_paths_or_a_service() {
        let error = Cli::try_parse_from(["convlog", "import", "--key", "k"]).unwrap_err();
        assert!(error.to_string().contains("PATH"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
