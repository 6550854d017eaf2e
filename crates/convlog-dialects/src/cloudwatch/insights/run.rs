//! A query on its way through events.

use std::sync::Arc;

use super::budget::Budget;
use super::eval::eval;
use super::groups::{Firsts, Groups};
use super::order::{Best, Rank};
use super::row::Row;
use super::syntax::{Command, Extraction, PTR};
use super::value::Value;
use super::{Event, Plan, Results, RunError};

/// A query that has seen some events.
#[derive(Debug)]
pub struct Run {
    plan: Arc<Plan>,
    /// One for each command.
    states: Vec<State>,
    budget: Budget,
    rows: Vec<Row>,
    /// Position of the first command after which rows are no longer those of events, one by one.
    matched_at: usize,
    records_matched: u64,
    records_scanned: u64,
    bytes_scanned: u64,
}

/// What a command keeps between rows.
#[derive(Debug)]
enum State {
    Nothing,
    /// How many more rows pass, where they come in no order.
    Left(usize),
    Best(Best),
    Groups(Groups),
    Firsts(Firsts),
}

impl Run {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let mut is_ranked = false;
        let states = plan.commands.iter().map(|command| match command {
            Command::Bind(_) | Command::Filter(_) | Command::Parse(_) => State::Nothing,
            Command::Sort(_) => {
                is_ranked = true;
                State::Nothing
            }
            Command::Dedup(_) => State::Firsts(Firsts::default()),
            Command::Stats(_) => {
                is_ranked = false;
                State::Groups(Groups::default())
            }
            Command::Limit(n) if is_ranked => {
                is_ranked = false;
                State::Best(Best::new(*n))
            }
            Command::Limit(n) => State::Left(*n),
        });
        let states: Vec<State> = states.collect();
        let keeps = |command: &Command| {
            matches!(
                command,
                Command::Stats(_) | Command::Dedup(_) | Command::Limit(_)
            )
        };
        let matched_at = plan.commands.iter().position(keeps);
        Run {
            matched_at: matched_at.unwrap_or(plan.commands.len()),
            states,
            plan,
            budget: Budget::new(),
            rows: Vec::new(),
            records_matched: 0,
            records_scanned: 0,
            bytes_scanned: 0,
        }
    }

    /// Takes the next event; newer events come before older ones.
    ///
    /// # Errors
    /// [`RunError`] when the query keeps more than it may; the run is over then.
    pub fn push(&mut self, event: &Event<'_>) -> Result<(), RunError> {
        self.records_scanned += 1;
        self.bytes_scanned += u64::try_from(event.message.len()).unwrap_or(u64::MAX);
        let row = self.plan.reader.read(event);
        self.feed(0, row)
    }

    /// Whether no further event can change the rows, but only the counts.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let keeps = |state: &&State| !matches!(state, State::Nothing | State::Firsts(_));
        let first = self.states.iter().find(keeps);
        matches!(first, Some(State::Left(0)))
    }

    /// The rows that the events make.
    ///
    /// # Errors
    /// As [`Run::push`].
    pub fn finish(mut self) -> Result<Results, RunError> {
        let plan = Arc::clone(&self.plan);
        for (i, command) in plan.commands.iter().enumerate() {
            let state = self.states.get_mut(i);
            let state = state.map_or(State::Nothing, |s| std::mem::replace(s, State::Nothing));
            match (state, command) {
                (State::Groups(groups), Command::Stats(stats)) => {
                    for row in groups.into_rows(stats, &plan.reader) {
                        self.feed(i + 1, row)?;
                    }
                }
                (State::Best(best), _) => {
                    for row in best.into_rows(&mut self.budget) {
                        self.feed(i + 1, row)?;
                    }
                }
                (State::Firsts(firsts), _) => {
                    for row in firsts.into_rows(&mut self.budget) {
                        self.feed(i + 1, row)?;
                    }
                }
                _ => {}
            }
        }
        let rows = std::mem::take(&mut self.rows);
        Ok(Results {
            rows: rows.iter().map(|row| self.print(row)).collect(),
            records_matched: self.records_matched,
            records_scanned: self.records_scanned,
            bytes_scanned: self.bytes_scanned,
        })
    }

    /// Takes a row from the command at `start` as far as it goes.
    fn feed(&mut self, start: usize, mut row: Row) -> Result<(), RunError> {
        let plan = Arc::clone(&self.plan);
        let commands = plan.commands.iter().zip(&mut self.states).enumerate();
        for (i, (command, state)) in commands.skip(start) {
            if start == 0 && i == self.matched_at {
                self.records_matched += 1;
            }
            match (command, state) {
                (Command::Bind(columns), _) => {
                    for column in columns {
                        let value = eval(&column.expr, &row, &[]);
                        row.set(column.slot, value);
                    }
                }
                (Command::Filter(expr), _) if !eval(expr, &row, &[]).is_true() => return Ok(()),
                (Command::Parse(extraction), _) => extract(extraction, &mut row),
                (Command::Sort(keys), _) => {
                    let key = |key: &super::syntax::SortKey| {
                        (eval(&key.expr, &row, &[]), key.is_descending)
                    };
                    let keys = keys.iter().map(key).collect();
                    row.rank = Rank { keys };
                }
                (Command::Dedup(by), State::Firsts(firsts)) => {
                    match firsts.push(by, row, &mut self.budget)? {
                        Some(first) => row = first,
                        None => return Ok(()),
                    }
                }
                (Command::Stats(stats), State::Groups(groups)) => {
                    return groups.push(stats, &row, &mut self.budget);
                }
                (Command::Limit(_), State::Best(best)) => {
                    return best.push(row, &mut self.budget);
                }
                (Command::Limit(_), State::Left(0)) => return Ok(()),
                (Command::Limit(_), State::Left(n)) => *n -= 1,
                _ => {}
            }
        }
        self.budget.take_bytes(row.size())?;
        self.rows.push(row);
        Ok(())
    }

    fn print(&self, row: &Row) -> Vec<(String, String)> {
        let output = &self.plan.output;
        let ptr = output.with_ptr.then_some(PTR);
        let columns = output.columns.iter().copied();
        let columns = columns.filter(|slot| Some(*slot) != ptr).chain(ptr);
        let field = |slot| {
            let name = self.plan.names.name(slot).to_owned();
            Some((name, row.get(slot).as_text()?.into_owned()))
        };
        columns.filter_map(field).collect()
    }
}

/// Gives names to the groups of a pattern; where it is not found they are absent.
fn extract(extraction: &Extraction, row: &mut Row) {
    let source = row.get(extraction.source).clone();
    let text = source.as_text();
    let found = text.as_ref().and_then(|t| extraction.regex.captures(t));
    for (group, slot) in &extraction.groups {
        let part = found.as_ref().and_then(|found| found.get(*group));
        let value = part.map_or(Value::Absent, |part| Value::text(part.as_str()));
        row.set(*slot, value);
    }
}
