//! Two engines are asked the same in four states and must answer alike: messy records, filters of
//! every kind over what they hold, every order, all pages, the count and the walk.
//!
//! What is asked follows from a seed. A case that fails is made smaller before it is shown.

mod plan;
mod shrink;
mod side;
mod tally;

#[cfg(test)]
mod tests;

use std::fmt::{self, Debug};
use std::sync::Arc;

use self::plan::{Plan, Step, Walk};
use self::side::{Found, Side};
pub use self::tally::{State, Tally};
use crate::filter::{Filter, print::print};
use crate::ids::{InstanceId, RecordId};
use crate::query::{PAGE_MAX, Sort, SortKey};
use crate::store::{Erase, Selector, Store, StoreError};
use crate::testkit::generate::{Choices, Condition, LEADS, Pool, question};
use crate::testkit::{self, TestClock};

/// An engine that can be closed and opened again on what it keeps.
pub trait Subject: Debug {
    /// The engine as it is open now.
    fn store(&self) -> Arc<dyn Store>;

    /// The clock that it reads.
    fn clock(&self) -> Arc<TestClock>;

    /// Closes it and opens it again.
    fn reopen(&mut self);
}

/// Makes an empty engine whose chunks hold at most so many rows, where it has chunks.
pub type Make<'a> = &'a (dyn Fn(usize) -> Box<dyn Subject> + Sync);

/// The engine that is right by definition, and the one that is compared with it.
#[derive(Clone, Copy)]
pub struct Makes<'a> {
    /// The one that is right.
    pub reference: Make<'a>,
    /// The other.
    pub engine: Make<'a>,
}

impl Debug for Makes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Makes")
    }
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Asked {
    instance: InstanceId,
    filter: Filter,
    sort: Sort,
    limit: usize,
}

/// One comparison, with all that leads to it.
#[derive(Clone, Debug)]
struct Case {
    plan: Plan,
    walk: Walk,
    /// The step of the walk at which it is asked.
    step: usize,
    asked: Asked,
}

/// A case in which the answers differ.
#[derive(Clone, Debug)]
pub struct Failure {
    case: Case,
    /// How they differ.
    difference: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case {
            plan, walk, step, ..
        } = &self.case;
        let asked = &self.case.asked;
        writeln!(f, "{}", self.difference)?;
        writeln!(f, "filter  {}", print(&asked.filter))?;
        writeln!(f, "        {:?}", asked.filter)?;
        writeln!(f, "order   {:?}", asked.sort)?;
        writeln!(f, "limit   {}, instance {}", asked.limit, asked.instance)?;
        let steps = walk.steps().get(..=*step).unwrap_or_default();
        writeln!(f, "after   {steps:?}, chunks of {}", walk.rows_max(plan))?;
        write!(f, "{plan}")
    }
}

/// Asks about `n_questions` questions in each state about records that follow from `seed`.
///
/// # Errors
/// The first case in which the answers differ, made smaller.
pub async fn compare(
    makes: Makes<'_>,
    seed: u64,
    n_questions: usize,
    tally: &mut Tally,
) -> Result<(), Box<Failure>> {
    let plan = Plan::generate(seed);
    let pool = Pool::of(plan.known());
    for walk in Walk::ALL {
        let mut pair = Pair::new(makes, walk.rows_max(&plan));
        for (number, step) in walk.steps().iter().enumerate() {
            let Step::Ask(state, twelfths) = step else {
                let done = pair.take(&plan, *step).await;
                done.map_err(|difference| plan.failure(walk, number, difference))?;
                continue;
            };
            for question in 0..n_questions * twelfths / 12 {
                let asked = ask_for(&pool, seed, (walk, number, question));
                match pair.ask(&asked).await {
                    Ok(seen) => tally.add(*state, &asked.filter, asked.limit, seen),
                    Err(difference) => {
                        let failure = Failure {
                            case: Case {
                                plan: plan.clone(),
                                walk,
                                step: number,
                                asked,
                            },
                            difference,
                        };
                        return Err(Box::new(shrink::shrink(makes, failure).await));
                    }
                }
            }
        }
    }
    Ok(())
}

/// The question of this number; the kinds take turns.
fn ask_for(pool: &Pool, seed: u64, (walk, step, number): (Walk, usize, usize)) -> Asked {
    let place = walk.number() * 100 + step;
    let bytes = plan::bytes(seed, 1 + place * 100_000 + number, 256);
    let mut choices = Choices::new(&bytes);
    let turn = plan::turn(seed, place) + number;
    let lead = LEADS.get(turn % LEADS.len());
    let keys = [
        SortKey::Received,
        SortKey::Request,
        SortKey::Response,
        SortKey::Position,
    ];
    let limit = match choices.below(8) {
        0 => 1,
        1 => PAGE_MAX,
        _ => 1 + choices.below(40),
    };
    let sort = Sort {
        key: choices.pick(&keys),
        descending: choices.once_in(2),
    };
    let instance = match choices.once_in(20) {
        true => testkit::instance("other"),
        false => InstanceId::default_instance(),
    };
    let lead = lead.copied().unwrap_or(Condition::Exists);
    Asked {
        filter: question(&mut choices, pool, lead),
        instance,
        sort,
        limit,
    }
}

/// How much a case showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    n_matches: usize,
    n_rows: usize,
}

/// Both engines.
#[derive(Debug)]
struct Pair {
    reference: Side,
    engine: Side,
}

impl Pair {
    fn new(makes: Makes<'_>, rows_max: usize) -> Self {
        Pair {
            reference: Side::new((makes.reference)(rows_max)),
            engine: Side::new((makes.engine)(rows_max)),
        }
    }

    /// Takes a step that asks nothing; the error says how the two differ.
    async fn take(&mut self, plan: &Plan, step: Step) -> Result<(), String> {
        match step {
            Step::Append(half) => {
                for sent in plan.halves.get(half).into_iter().flatten() {
                    let expected = said("append", self.reference.append(sent).await)?;
                    let told = said("append", self.engine.append(sent).await)?;
                    same("the outcomes of an append", &told, &expected)?;
                }
            }
            Step::Settle => said("settle", self.engine.subject.store().settle().await)?,
            Step::Reopen => self.engine.subject.reopen(),
            Step::Erase => {
                for (number, selector) in (1..).zip(&plan.erasures) {
                    let expected = erase(&self.reference, number, selector).await?;
                    let told = erase(&self.engine, number, selector).await?;
                    same("the number of erased records", &told, &expected)?;
                }
            }
            Step::Ask(..) => {}
        }
        Ok(())
    }

    /// Asks both; the error says how the answers differ.
    async fn ask(&self, asked: &Asked) -> Result<Seen, String> {
        // One page of everything is all that the reference is asked for: how pages, count and walk
        // follow from it is plain.
        let mut whole = asked.clone();
        whole.limit = PAGE_MAX;
        let mut expected = said("reference", self.reference.pages(&whole, 1).await)?;
        let mut expected = expected.pop().unwrap_or_default();
        let n_pages = expected.len().div_ceil(asked.limit).max(1);
        let pages = said("search", self.engine.pages(asked, n_pages).await)?;
        same("the number of pages", &pages.len(), &n_pages)
            .map_err(|text| format!("{text}\n{}", ordinals_differ(&pages.concat(), &expected)))?;
        let by_limit: Vec<&[Found]> = match expected.is_empty() {
            true => vec![&[]],
            false => expected.chunks(asked.limit).collect(),
        };
        for (number, (page, expected)) in (1..).zip(pages.iter().zip(by_limit)) {
            same_records(&format!("page {number} of the search"), page, expected)?;
        }
        let store = self.engine.subject.store();
        let query = self.engine.query(asked);
        let count = said("count", store.count(&query.instance, &query.filter).await)?;
        let n_matches = expected.len();
        same("the count", &count, &u64::try_from(n_matches).unwrap_or(0))?;
        let walked = said("scan", self.engine.walk(asked).await)?;
        expected.sort_by_key(|(ordinal, _)| *ordinal);
        same_records("the walk", &walked, &expected)?;
        let rows = self.reference.subject.store();
        let n_rows = rows.count(&asked.instance, &Filter::All).await;
        Ok(Seen {
            n_matches,
            n_rows: usize::try_from(n_rows.unwrap_or(0)).unwrap_or(0),
        })
    }
}

async fn erase(side: &Side, number: u64, selector: &Selector) -> Result<u64, String> {
    let request = Erase {
        id: RecordId::from_parts(number, 0),
        instance: InstanceId::default_instance(),
        selector: selector.clone(),
    };
    let erasure = side.subject.store().erase(&request).await;
    Ok(said("erase", erasure)?.records)
}

fn said<T>(what: &str, result: Result<T, StoreError>) -> Result<T, String> {
    result.map_err(|error| format!("{what} failed: {error:?}"))
}

fn same<T: PartialEq + Debug>(what: &str, told: &T, expected: &T) -> Result<(), String> {
    match told == expected {
        true => Ok(()),
        false => Err(format!("{what}: expected {expected:?}, but it is {told:?}")),
    }
}

fn same_records(what: &str, told: &[Found], expected: &[Found]) -> Result<(), String> {
    let of = |found: &[Found]| -> Vec<Option<usize>> {
        found.iter().map(|(ordinal, _)| *ordinal).collect()
    };
    if of(told) != of(expected) {
        return Err(format!("{what}: {}", ordinals_differ(told, expected)));
    }
    for ((ordinal, told), (_, expected)) in told.iter().zip(expected) {
        let name = format!("{what}: record {ordinal:?}");
        same(&name, &told.draft, &expected.draft)?;
        same(&name, &told.received, &expected.received)?;
    }
    Ok(())
}

fn ordinals_differ(told: &[Found], expected: &[Found]) -> String {
    let of = |found: &[Found]| {
        let ordinal = |(ordinal, _): &Found| ordinal.map_or("?".to_owned(), |it| it.to_string());
        found.iter().map(ordinal).collect::<Vec<String>>().join(" ")
    };
    format!(
        "expected records [{}], but got [{}]",
        of(expected),
        of(told)
    )
}
