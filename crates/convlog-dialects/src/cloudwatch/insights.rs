//! The query language of Logs Insights, as far as users of conversation logs rely on it.
//!
//! ```text
//! query      = [ source "|" ] command *( "|" command )     "#" begins a comment to the line's end
//! source     = "source" text *( "," text ) [ "|" source ]
//! command    = "fields" columns | "display" columns | "filter" or
//!            | "stats" columns [ "by" columns ]            the first ones hold aggregates
//!            | "sort" [ "by" ] or [ "asc" | "desc" ] *( "," or [ "asc" | "desc" ] )
//!            | "limit" number | "dedup" or *( "," or )
//!            | "parse" name ( text "as" name *( "," name ) | regex )
//! columns    = column *( "," column )
//! column     = or [ [ "as" ] name ]
//! or         = and *( "or" and )
//! and        = not *( "and" not )
//! not        = "not" not | comparison
//! comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum
//!                  | [ "not" ] "in" "[" or *( "," or ) "]"
//!                  | [ "not" ] "like" ( sum | regex ) | "=~" ( text | regex ) ]
//! sum        = product *( ( "+" | "-" ) product )
//! product    = power *( ( "*" | "/" | "%" ) power )
//! power      = "-" power | primary [ "^" power ]
//! primary    = number | text | "true" | "false" | name | call | "(" or ")"
//! call       = word "(" [ or *( "," or ) ] ")" | "count(*)" | "bin(" number unit ")"
//! name       = word | "`" any "`"
//! ```
//!
//! Words of the language are in any case. A name means what an earlier command has bound it to,
//! else a field of the event (`@timestamp` and the like), else a value in the message's JSON by its
//! keys and array positions joined with dots; `@@a` is the key `@a`.

mod aggregate;
mod budget;
mod eval;
mod functions;
mod groups;
mod lex;
mod narrow;
mod order;
mod parse;
mod period;
mod row;
mod run;
mod syntax;
mod value;

use std::sync::Arc;

use convlog_model::filter::Filter;

use self::row::Reader;
pub use self::run::Run;
use self::syntax::{Command, Names, Slot};

/// Most characters of a query.
pub const LENGTH_MAX: usize = 10_000;
/// Most rows of an answer, and the greatest number behind `limit`.
pub const ROWS_MAX: usize = 10_000;
/// Most rows of an answer where nothing says how many.
pub const ROWS_DEFAULT: usize = 1_000;

/// Why a query is refused, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct QueryError {
    /// What is wrong, without any of the text.
    pub message: String,
    /// Line of the position, from 1.
    pub line: usize,
    /// Column of the position in characters, from 1.
    pub column: usize,
    /// Characters of the query before what is wrong.
    pub start: usize,
    /// Characters of the query up to and with what is wrong.
    pub end: usize,
}

/// Why a run was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RunError {
    /// `stats` or `dedup` tells more groups apart than it may.
    #[error("too many groups")]
    TooManyGroups,
    /// Percentiles and `count_distinct` look at more values than they may.
    #[error("too many values for exact percentiles and counts of distinct values")]
    TooManyValues,
    /// Rows, groups and values take more memory than they may.
    #[error("the rows of this query are too large")]
    TooLarge,
}

/// A log event.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// `@timestamp`: milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// `@ingestionTime`: milliseconds since the epoch.
    pub ingestion_ms: i64,
    /// `@message`; JSON objects have fields.
    pub message: &'a str,
    /// `@logStream`.
    pub log_stream: &'a str,
    /// `@log`: account and group.
    pub log: &'a str,
    /// `@ptr`: what the event is read again by.
    pub ptr: &'a str,
}

/// What a run has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Results {
    /// Rows of fields and values; what a row does not have is left out of it.
    pub rows: Vec<Vec<(String, String)>>,
    /// Events that passed the filters.
    pub records_matched: u64,
    /// Events that were looked at.
    pub records_scanned: u64,
    /// Bytes of their messages.
    pub bytes_scanned: u64,
}

/// A query that can be run.
#[derive(Clone, Debug)]
pub struct Query {
    plan: Arc<Plan>,
    sources: Vec<String>,
    limit: Option<usize>,
}

/// What a run needs to know.
#[derive(Clone, Debug)]
struct Plan {
    commands: Vec<Command>,
    names: Names,
    reader: Reader,
    output: Output,
}

/// What of a row is shown.
#[derive(Clone, Debug)]
struct Output {
    columns: Vec<Slot>,
    /// Whether rows are events, which end with `@ptr`.
    with_ptr: bool,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// [`QueryError`] with the position.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut parsed = parse::parse(text)?;
        if parsed.output.with_ptr {
            parsed.names.mark_read(syntax::PTR);
        }
        for slot in &parsed.output.columns {
            parsed.names.mark_read(*slot);
        }
        Ok(Query {
            plan: Arc::new(Plan {
                reader: Reader::new(&parsed.names),
                commands: parsed.commands,
                names: parsed.names,
                output: parsed.output,
            }),
            sources: parsed.sources,
            limit: parsed.limit,
        })
    }

    /// The log groups that `SOURCE` names.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Begins a run of at most as many rows as the query says, else `n_most`; never more than
    /// [`ROWS_MAX`].
    #[must_use]
    pub fn run_within(&self, n_most: usize) -> Run {
        let mut plan = Plan::clone(&self.plan);
        let n_most = self.limit.unwrap_or(n_most).min(ROWS_MAX);
        plan.commands.push(Command::Limit(n_most));
        Run::new(Arc::new(plan))
    }

    /// A condition on raw bodies that every event passes which the query's first filters let
    /// through: what need not be looked at otherwise. [`Filter::All`] where nothing is sure.
    #[must_use]
    pub fn narrow(&self) -> Filter {
        narrow::narrow(&self.plan.commands, &self.plan.names)
    }
}

#[cfg(test)]
mod tests;
