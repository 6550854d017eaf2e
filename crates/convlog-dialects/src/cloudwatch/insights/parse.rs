//! Recursive descent over the grammar of [`super`]: commands.

mod call;
mod expr;
mod pattern;
mod shown;

use self::shown::{Effect, Shown};
use super::aggregate::Aggregate;
use super::lex::{Lexer, Spanned, Token};
use super::syntax::{Column, Command, Expr, Names, Slot, SortKey, Stats};
use super::{LENGTH_MAX, Output, QueryError, ROWS_MAX};

/// Most commands of a query.
const COMMANDS_MAX: usize = 64;
/// Most fields and literals of a query.
const TERMS_MAX: usize = 1_000;
/// Deepest nesting of brackets, negations and powers.
const DEPTH_MAX: usize = 50;
/// Most operators in a row that group from the left.
const CHAIN_MAX: usize = 100;
/// Most aggregates of one `stats`.
const AGGREGATES_MAX: usize = 50;
/// Most log groups that `SOURCE` names.
const SOURCES_MAX: usize = 50;

/// Words that are no names unless backticks say so.
const RESERVED: [&str; 9] = ["and", "or", "not", "in", "like", "as", "by", "asc", "desc"];

/// A query without what runs need.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) commands: Vec<Command>,
    pub(super) names: Names,
    pub(super) output: Output,
    pub(super) sources: Vec<String>,
    pub(super) limit: Option<usize>,
}

struct Parser {
    lexer: Lexer,
    /// The token that is looked at.
    current: Spanned,
    /// End of the one before it.
    last_end: usize,
    names: Names,
    depth: usize,
    n_terms: usize,
    n_regexes: usize,
    /// Those of the `stats` that is being read; elsewhere there can be none.
    aggregates: Option<Vec<Aggregate>>,
    /// Columns that `stats` has made, by how they were written: later commands may repeat it.
    written: Vec<(String, Slot)>,
}

/// The query that a text holds.
pub(super) fn parse(text: &str) -> Result<Parsed, QueryError> {
    let mut lexer = Lexer::new(text);
    let len = lexer.len();
    if len > LENGTH_MAX {
        let message = format!("a query has at most {LENGTH_MAX} characters");
        return lexer.error(message, LENGTH_MAX, len);
    }
    let parser = Parser {
        current: lexer.next()?,
        lexer,
        last_end: 0,
        names: Names::new(),
        depth: 0,
        n_terms: 0,
        n_regexes: 0,
        aggregates: None,
        written: Vec::new(),
    };
    parser.query()
}

impl Parser {
    fn query(mut self) -> Result<Parsed, QueryError> {
        let sources = self.sources()?;
        let mut commands = Vec::new();
        let mut shown = Shown::default();
        let mut limit = None;
        while !(commands.is_empty() && !sources.is_empty() && self.is_end()) {
            if commands.len() == COMMANDS_MAX {
                return self.error(format!("a query has at most {COMMANDS_MAX} commands"));
            }
            let (command, effect) = self.command()?;
            match &command {
                Command::Limit(n) => limit = Some(*n),
                Command::Stats(_) => limit = None,
                _ => {}
            }
            shown.note(effect);
            commands.push(command);
            if self.is_end() {
                break;
            }
            self.expect("|", "expected `|` or the end")?;
        }
        Ok(Parsed {
            commands,
            names: self.names,
            output: shown.output(),
            sources,
            limit,
        })
    }

    /// The groups in front of a query, with the bars behind them.
    fn sources(&mut self) -> Result<Vec<String>, QueryError> {
        let mut sources = Vec::new();
        while self.take_word("source")? {
            loop {
                if sources.len() == SOURCES_MAX {
                    return self.error(format!("a query has at most {SOURCES_MAX} log groups"));
                }
                let message = "expected the name of a log group in quotes";
                match self.current.token.clone() {
                    Token::Text(name) if name.is_empty() => return self.error(message),
                    Token::Text(name) | Token::Quoted(name) => sources.push(name),
                    _ => return self.error(message),
                }
                self.advance()?;
                if !self.take(",")? {
                    break;
                }
            }
            if !self.is_end() {
                self.expect("|", "expected `,`, `|` or the end")?;
                if self.is_end() {
                    return self.error("expected a command");
                }
            }
        }
        Ok(sources)
    }

    /// A command, and what it changes about the columns that are shown.
    fn command(&mut self) -> Result<(Command, Effect), QueryError> {
        let Token::Word(word) = &self.current.token else {
            return self.error("expected a command");
        };
        let word = word.to_ascii_lowercase();
        let known = [
            "fields", "display", "filter", "stats", "sort", "limit", "dedup", "parse",
        ];
        if word == "source" {
            return self.error("log groups are named before all commands");
        }
        if !known.contains(&word.as_str()) {
            return self.error("unknown command");
        }
        self.advance()?;
        let (mut effect, slots) = (Effect::None, |columns: &[Column]| {
            columns.iter().map(|column| column.slot).collect()
        });
        let command = match word.as_str() {
            "fields" => {
                let columns = self.columns()?;
                effect = Effect::More(slots(&columns));
                Command::Bind(columns)
            }
            "display" => {
                let columns = self.columns()?;
                effect = Effect::Only(slots(&columns));
                Command::Bind(columns)
            }
            "filter" => Command::Filter(self.expr()?),
            "stats" => {
                let stats = self.stats()?;
                let columns = stats.by.iter().chain(&stats.columns);
                effect = Effect::Rows(columns.map(|column| column.slot).collect());
                Command::Stats(stats)
            }
            "sort" => Command::Sort(self.sort()?),
            "limit" => Command::Limit(self.limit()?),
            "dedup" => Command::Dedup(self.list(Self::expr)?),
            _ => Command::Parse(self.extraction()?),
        };
        Ok((command, effect))
    }

    fn columns(&mut self) -> Result<Vec<Column>, QueryError> {
        self.list(|parser| Ok(parser.column()?.0))
    }

    /// A column and how its expression was written.
    fn column(&mut self) -> Result<(Column, String), QueryError> {
        let start = self.current.start;
        let expr = self.expr()?;
        let written = self.lexer.slice(start, self.last_end);
        let is_alias = self.take_word("as")? || self.is_name();
        let slot = match &expr {
            _ if is_alias => self.bound_name()?,
            Expr::Field(slot) => *slot,
            _ => self.names.bind(&written),
        };
        Ok((Column { slot, expr }, written))
    }

    fn stats(&mut self) -> Result<Stats, QueryError> {
        let mut written = Vec::new();
        self.aggregates = Some(Vec::new());
        let columns = self.list(|parser| {
            let n_before = parser.aggregates.as_ref().map_or(0, Vec::len);
            let start = parser.current.start;
            let (column, text) = parser.column()?;
            if parser.aggregates.as_ref().map_or(0, Vec::len) == n_before {
                let end = parser.last_end;
                return parser
                    .lexer
                    .error("expected an aggregate such as count(*)", start, end);
            }
            written.push((text, column.slot));
            Ok(column)
        });
        let aggregates = self.aggregates.take().unwrap_or_default();
        let columns = columns?;
        let mut by = Vec::new();
        if self.take_word("by")? {
            by = self.list(|parser| {
                let (column, text) = parser.column()?;
                written.push((text, column.slot));
                Ok(column)
            })?;
        }
        self.written = written;
        Ok(Stats {
            aggregates,
            columns,
            by,
        })
    }

    fn sort(&mut self) -> Result<Vec<SortKey>, QueryError> {
        self.take_word("by")?;
        self.list(|parser| {
            let expr = parser.expr()?;
            let is_descending = parser.take_word("desc")?;
            if !is_descending {
                parser.take_word("asc")?;
            }
            Ok(SortKey {
                expr,
                is_descending,
            })
        })
    }

    fn limit(&mut self) -> Result<usize, QueryError> {
        let n = match self.current.token {
            Token::Number(n) if n.fract() == 0.0 => super::value::whole(n),
            _ => 0,
        };
        match usize::try_from(n) {
            Ok(n) if (1..=ROWS_MAX).contains(&n) => {
                self.advance()?;
                Ok(n)
            }
            _ => self.error(format!("expected a number from 1 to {ROWS_MAX}")),
        }
    }
}
