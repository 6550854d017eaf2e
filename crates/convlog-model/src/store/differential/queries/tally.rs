//! What a run has covered, and whether that is enough.

use std::collections::BTreeMap;
use std::fmt;

use super::Seen;
use crate::filter::Filter;
use crate::testkit::generate::{Condition, conditions};

/// A state in which engines are asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// Just appended.
    Tail,
    /// Full chunks are sealed.
    Sealed,
    /// Closed and opened again.
    Reopened,
    /// After erasures, under way and at their end.
    Erased,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Tail, State::Sealed, State::Reopened, State::Erased];
}

/// Least share of the cases that match some rows and not all, in percent.
const SOME_PERCENT_MIN: u64 = 40;
/// Least share of the cases that have several pages, in percent.
const PAGED_PERCENT_MIN: u64 = 20;
/// Fewest cases with a kind of condition in a state.
const EACH_MIN: u64 = 300;

/// Counts of cases.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    n_cases: u64,
    n_some: u64,
    n_all: u64,
    n_paged: u64,
    by_kind: BTreeMap<(State, Condition), u64>,
    by_state: BTreeMap<State, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, state: State, filter: &Filter, limit: usize, seen: Seen) {
        self.n_cases += 1;
        let is_some = 0 < seen.n_matches && seen.n_matches < seen.n_rows;
        self.n_some += u64::from(is_some);
        self.n_all += u64::from(seen.n_matches == seen.n_rows);
        self.n_paged += u64::from(seen.n_matches > limit);
        *self.by_state.entry(state).or_default() += 1;
        for kind in conditions(filter) {
            *self.by_kind.entry((state, kind)).or_default() += 1;
        }
    }

    /// Adds what another part of the run has covered.
    pub fn merge(&mut self, other: &Tally) {
        self.n_cases += other.n_cases;
        self.n_some += other.n_some;
        self.n_all += other.n_all;
        self.n_paged += other.n_paged;
        for (state, n) in &other.by_state {
            *self.by_state.entry(*state).or_default() += n;
        }
        for (key, n) in &other.by_kind {
            *self.by_kind.entry(*key).or_default() += n;
        }
    }

    fn percent(&self, n: u64) -> u64 {
        n * 100 / self.n_cases.max(1)
    }

    fn of(&self, state: State, kind: Condition) -> u64 {
        self.by_kind.get(&(state, kind)).copied().unwrap_or(0)
    }

    /// What has been covered too little in a run of at least `cases_min` cases; empty when all is
    /// well.
    #[must_use]
    pub fn complaints(&self, cases_min: u64) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.n_cases < cases_min {
            complaints.push(format!("{} cases, fewer than {cases_min}", self.n_cases));
        }
        let shares = [
            ("match some rows and not all", self.n_some, SOME_PERCENT_MIN),
            ("have several pages", self.n_paged, PAGED_PERCENT_MIN),
        ];
        for (what, n, min) in shares {
            let percent = self.percent(n);
            if percent < min {
                complaints.push(format!("{percent} % {what}, fewer than {min} %"));
            }
        }
        for state in State::ALL {
            for kind in Condition::ALL {
                let n = self.of(state, *kind);
                if n < EACH_MIN {
                    let text = format!("{kind:?} is in {n} cases of {state:?}");
                    complaints.push(format!("{text}, fewer than {EACH_MIN}"));
                }
            }
        }
        complaints
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = self.percent(self.n_some);
        let all = self.percent(self.n_all);
        let paged = self.percent(self.n_paged);
        writeln!(
            f,
            "{} cases; {some} % match some rows and not all, {all} % all, {paged} % have several pages",
            self.n_cases
        )?;
        let n_states = State::ALL.map(|state| self.by_state.get(&state).copied().unwrap_or(0));
        let [tail, sealed, reopened, erased] = n_states;
        let names = ["tail", "sealed", "reopened", "erased"];
        let [a, b, c, d] = names;
        writeln!(f, "{:<14} {a:>9} {b:>9} {c:>9} {d:>9}", "cases with")?;
        for kind in Condition::ALL {
            let [a, b, c, d] = State::ALL.map(|state| self.of(state, *kind));
            let name = format!("{kind:?}");
            writeln!(f, "{name:<14} {a:>9} {b:>9} {c:>9} {d:>9}")?;
        }
        write!(
            f,
            "{:<14} {tail:>9} {sealed:>9} {reopened:>9} {erased:>9}",
            "all"
        )
    }
}
