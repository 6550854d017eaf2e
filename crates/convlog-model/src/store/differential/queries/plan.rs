//! What is done to the engines: records, erasures, and the steps between which they are asked.

use std::fmt;

use super::{Asked, Case, Failure, State};
use crate::clock::{Clock, IdSource};
use crate::filter::Filter;
use crate::filter::eval::matches;
use crate::ids::InstanceId;
use crate::query::{Sort, SortKey};
use crate::record::Draft;
use crate::store::Selector;
use crate::testkit::generate::{Choices, Condition, Known, Pool, question, rich};
use crate::testkit::{self, SeededIds, TestClock};

/// Records that are sent together, each with a name.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// How far the clock is moved before.
    pub(super) step_us: i64,
    pub(super) records: Vec<(String, Draft)>,
}

/// Records in two halves, and what is erased of them.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) halves: [Vec<Sent>; 2],
    pub(super) erasures: Vec<Selector>,
    /// Rows of a chunk where chunks are to be many.
    pub(super) rows_max: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Sends a half of the records.
    Append(usize),
    Settle,
    Reopen,
    Erase,
    /// Asks so many twelfths of the questions of a state.
    Ask(State, usize),
}

/// Everything stays in one open chunk, or fills many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walk {
    Open,
    Chunks,
}

const OPEN: &[Step] = &[
    Step::Append(0),
    Step::Ask(State::Tail, 6),
    Step::Append(1),
    Step::Ask(State::Tail, 6),
    Step::Erase,
    Step::Ask(State::Erased, 2),
    Step::Settle,
    Step::Ask(State::Erased, 2),
];

const CHUNKS: &[Step] = &[
    Step::Append(0),
    Step::Settle,
    Step::Ask(State::Sealed, 12),
    Step::Reopen,
    Step::Ask(State::Reopened, 6),
    Step::Append(1),
    Step::Ask(State::Reopened, 6),
    Step::Erase,
    Step::Ask(State::Erased, 2),
    Step::Settle,
    Step::Ask(State::Erased, 3),
    Step::Reopen,
    Step::Ask(State::Erased, 3),
];

impl Walk {
    pub(super) const ALL: [Walk; 2] = [Walk::Open, Walk::Chunks];

    pub(super) fn steps(self) -> &'static [Step] {
        match self {
            Walk::Open => OPEN,
            Walk::Chunks => CHUNKS,
        }
    }

    pub(super) fn rows_max(self, plan: &Plan) -> usize {
        match self {
            Walk::Open => 65_536,
            Walk::Chunks => plan.rows_max,
        }
    }

    pub(super) fn number(self) -> usize {
        match self {
            Walk::Open => 0,
            Walk::Chunks => 1,
        }
    }
}

/// Bytes that follow from a seed, different for each `number`.
pub(super) fn bytes(seed: u64, number: usize, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    source(seed, number).fill(&mut bytes);
    bytes
}

fn source(seed: u64, number: usize) -> SeededIds {
    let number = u64::try_from(number).unwrap_or(0);
    SeededIds::new(seed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03))
}

/// With which kind the questions of a step begin.
pub(super) fn turn(seed: u64, place: usize) -> usize {
    let bytes = bytes(seed, usize::MAX - place, 1);
    bytes.first().copied().map_or(0, usize::from)
}

impl Plan {
    pub(super) fn generate(seed: u64) -> Self {
        let bytes = bytes(seed, 0, 100_000);
        let choices = &mut Choices::new(&bytes);
        let n_records = 40 + choices.below(161);
        let mut halves = [Vec::new(), Vec::new()];
        let mut n_sent = 0;
        while n_sent < n_records {
            let n_now = 1 + choices.below(24);
            let named = |number: usize, choices: &mut Choices<'_>| {
                let mut draft = rich(choices);
                if choices.once_in(10) {
                    draft.instance = testkit::instance("other");
                }
                (format!("#{number}"), draft)
            };
            let sent = Sent {
                step_us: i64::try_from(choices.below(3)).unwrap_or(0) * 700_000,
                records: (n_sent..n_sent + n_now)
                    .map(|n| named(n, choices))
                    .collect(),
            };
            let half = usize::from(n_sent * 3 > n_records * 2);
            halves[half].push(sent);
            n_sent += n_now;
        }
        let mut plan = Plan {
            halves,
            erasures: Vec::new(),
            rows_max: choices.pick(&[4, 9, 20, 50]),
        };
        plan.erasures = plan.choose_erasures(choices);
        plan
    }

    /// Some customers, and some filters that leave most of the records.
    fn choose_erasures(&self, choices: &mut Choices<'_>) -> Vec<Selector> {
        let flats: Vec<_> = self.known().map(|known| known.draft.flat()).collect();
        let customers: Vec<&str> = flats.iter().filter_map(|it| it.text("customer")).collect();
        let mut erasures = Vec::new();
        for _ in 0..2 + choices.below(3) {
            if !customers.is_empty() {
                let customer = choices.pick(&customers);
                erasures.push(Selector::Customer(customer.to_owned()));
            }
        }
        let pool = Pool::of(self.known());
        for _ in 0..6 {
            let kind = choices.pick(&[
                Condition::EqualsQuoted,
                Condition::Phrase,
                Condition::Raw,
                Condition::Element,
            ]);
            let filter = question(choices, &pool, kind);
            let n_matches = flats.iter().filter(|flat| matches(&filter, flat)).count();
            if n_matches > 0 && n_matches * 8 < flats.len() {
                erasures.push(Selector::Filter(filter));
            }
        }
        erasures
    }

    /// All records with the moments at which they are accepted.
    pub(super) fn known(&self) -> impl Iterator<Item = Known<'_>> {
        let mut received = TestClock::default().now();
        self.halves.iter().flatten().flat_map(move |sent| {
            received = received.plus_micros(sent.step_us);
            let known = move |(name, draft)| Known {
                name,
                received,
                draft,
            };
            let records = sent.records.iter();
            records.map(move |(name, draft): &(String, Draft)| known((name.as_str(), draft)))
        })
    }

    /// The engines differ at a step that asks nothing.
    pub(super) fn failure(&self, walk: Walk, step: usize, difference: String) -> Box<Failure> {
        let asked = Asked {
            instance: InstanceId::default_instance(),
            filter: Filter::All,
            sort: Sort {
                key: SortKey::Position,
                descending: false,
            },
            limit: 1,
        };
        let case = Case {
            plan: self.clone(),
            walk,
            step,
            asked,
        };
        Box::new(Failure { case, difference })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for selector in &self.erasures {
            writeln!(f, "erased  {selector:?}")?;
        }
        let mut ordinal = 0;
        for (number, half) in self.halves.iter().enumerate() {
            for sent in half {
                writeln!(f, "append  half {number}, {} us later", sent.step_us)?;
                for (name, draft) in &sent.records {
                    writeln!(f, "{ordinal:>6}  {name} {}", draft.raw)?;
                    writeln!(
                        f,
                        "        {} {} {} {:?} {:?} {:?}",
                        draft.instance,
                        draft.kind.as_str(),
                        draft.dialect,
                        draft.own_id,
                        draft.labels,
                        draft.canonical,
                    )?;
                    ordinal += 1;
                }
            }
        }
        Ok(())
    }
}
