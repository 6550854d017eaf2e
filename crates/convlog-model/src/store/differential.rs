//! Two engines do the same and must answer the same: random operations, decided by bytes.
//!
//! Ids and positions differ between engines, so records are told apart by the order in which they
//! were stored.

pub mod queries;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conformance::{Rig, ok};
use super::retention::InstanceRetention;
use super::{Batch, Erase, Outcome, Retention, Selector, StateWrite};
use crate::aggregate::{Aggregate, GroupBy, Metric};
use crate::fields::FieldRef;
use crate::filter::Filter;
use crate::ids::{InstanceId, Position, RecordId};
use crate::query::{Query, Scan, Sort, SortKey};
use crate::record::{Draft, Record};
use crate::testkit;
use crate::testkit::generate::{self, Choices};

/// Lets both do what `bytes` decide and compares each answer. Both clocks must show the same time.
///
/// # Panics
/// When the answers differ, with what was asked.
pub async fn agree(reference: &Rig, engine: &Rig, bytes: &[u8]) {
    let mut pair = Pair {
        sides: [Side::new(reference), Side::new(engine)],
        n_erasures: 0,
        has_rules: false,
    };
    let mut choices = Choices::new(bytes);
    let choices = &mut choices;
    while !choices.is_empty() {
        match choices.below(12) {
            0..=3 => pair.append(choices).await,
            4 | 5 => pair.search(choices).await,
            6 => pair.scan(choices).await,
            7 => pair.aggregate(choices).await,
            8 => pair.erase(choices).await,
            9 if !pair.has_rules && choices.once_in(4) => pair.expire(choices).await,
            10 => pair.step(choices),
            _ => pair.states(choices).await,
        }
    }
    pair.everything().await;
}

struct Pair<'a> {
    sides: [Side<'a>; 2],
    n_erasures: u64,
    /// Rules are given once: whether softer ones bring back what is hidden but not yet gone is
    /// left to the engine.
    has_rules: bool,
}

struct Side<'a> {
    rig: &'a Rig,
    /// Which record a position is: the n-th that was stored.
    ordinals: BTreeMap<Position, usize>,
}

/// What became of a record, told without ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Stored(usize),
    Duplicate(Option<usize>),
    Conflict,
    Erased,
}

fn instance(choices: &mut Choices<'_>) -> InstanceId {
    if choices.once_in(8) {
        testkit::instance("other")
    } else {
        InstanceId::default_instance()
    }
}

fn draft(choices: &mut Choices<'_>) -> Draft {
    let mut draft = generate::draft(choices);
    draft.instance = instance(choices);
    draft
}

impl<'a> Side<'a> {
    fn new(rig: &'a Rig) -> Self {
        Side {
            rig,
            ordinals: BTreeMap::new(),
        }
    }

    async fn append(&mut self, batch: Batch) -> Vec<Told> {
        let outcomes = self.rig.append_batch(batch).await.outcomes;
        let tell = |outcome| match outcome {
            Outcome::Stored(stored) => {
                let ordinal = self.ordinals.len();
                self.ordinals.insert(stored.position, ordinal);
                Told::Stored(ordinal)
            }
            Outcome::Duplicate(first) => {
                Told::Duplicate(self.ordinals.get(&first.position).copied())
            }
            Outcome::Conflict => Told::Conflict,
            Outcome::Erased => Told::Erased,
        };
        outcomes.into_iter().map(tell).collect()
    }

    /// Ordinals of the records, which must be as they were stored on the other side too.
    fn told(&self, records: &[Arc<Record>]) -> Vec<(Option<usize>, Draft)> {
        let tell = |record: &Arc<Record>| {
            let ordinal = self.ordinals.get(&record.position).copied();
            (ordinal, record.draft.clone())
        };
        records.iter().map(tell).collect()
    }

    async fn search(&self, mut query: Query) -> Vec<Vec<(Option<usize>, Draft)>> {
        let mut pages = Vec::new();
        loop {
            let page = ok(self.rig.store.search(&query).await);
            pages.push(self.told(&page.records));
            query.after = page.next;
            query.upto = Some(page.upto);
            if query.after.is_none() {
                return pages;
            }
        }
    }

    async fn scan(&self, mut scan: Scan) -> Vec<(Option<usize>, Draft)> {
        let mut records = Vec::new();
        loop {
            let step = ok(self.rig.store.scan(&scan).await);
            records.extend(step.records);
            scan.after = step.reached;
            scan.upto = Some(step.upto);
            if step.done {
                return self.told(&records);
            }
        }
    }
}

/// Both answers, which are the same.
macro_rules! same {
    ($pair:ident, $asked:expr, |$side:ident| $answer:expr) => {{
        let [reference, engine] = &mut $pair.sides;
        let expected = {
            let $side = reference;
            $answer
        };
        let answer = {
            let $side = engine;
            $answer
        };
        assert_eq!(
            answer, expected,
            "the engine's answer differs, asked: {:?}",
            $asked
        );
    }};
}

impl Pair<'_> {
    async fn append(&mut self, choices: &mut Choices<'_>) {
        let n_records = choices.below(5);
        let batch = Batch {
            records: (0..n_records).map(|_| draft(choices)).collect(),
            states: Vec::new(),
        };
        same!(self, batch, |side| side.append(batch.clone()).await);
    }

    async fn search(&mut self, choices: &mut Choices<'_>) {
        let filter = generate::filter(choices, 3);
        let keys = [
            SortKey::Position,
            SortKey::Request,
            SortKey::Response,
            SortKey::Received,
        ];
        let mut query = Query::new(instance(choices), filter);
        query.limit = 1 + choices.below(6);
        query.sort = Sort {
            key: choices.pick(&keys),
            descending: choices.once_in(2),
        };
        same!(self, query, |side| side.search(query.clone()).await);
        let (instance, filter) = (&query.instance, &query.filter);
        same!(self, query, |side| ok(side
            .rig
            .store
            .count(instance, filter)
            .await));
    }

    async fn scan(&mut self, choices: &mut Choices<'_>) {
        let scan = Scan {
            filter: generate::filter(choices, 2),
            instance: instance(choices),
            after: Position::START,
            upto: None,
            limit: 1 + choices.below(6),
        };
        same!(self, scan, |side| side.scan(scan.clone()).await);
    }

    async fn everything(&mut self) {
        for instance in [InstanceId::default_instance(), testkit::instance("other")] {
            let scan = Scan {
                instance,
                filter: Filter::All,
                after: Position::START,
                upto: None,
                limit: 100,
            };
            same!(self, scan, |side| side.scan(scan.clone()).await);
        }
    }

    async fn aggregate(&mut self, choices: &mut Choices<'_>) {
        let field = |choices: &mut Choices<'_>| match choices.below(4) {
            0 => FieldRef::canonical("customer"),
            1 => FieldRef::canonical("intents.name"),
            2 => FieldRef::canonical("latency_ms"),
            _ => FieldRef::Raw("items.k".to_owned()),
        };
        let by = |choices: &mut Choices<'_>| match choices.below(3) {
            0 => GroupBy::Interval {
                field: FieldRef::canonical("time.request"),
                every_us: 86_400_000_000,
            },
            _ => GroupBy::Terms {
                field: field(choices),
                limit: 1 + choices.below(4),
            },
        };
        let n_levels = choices.below(3);
        let request = Aggregate {
            filter: generate::filter(choices, 1),
            instance: instance(choices),
            by: (0..n_levels).map(|_| by(choices)).collect(),
            metrics: vec![
                Metric::Count,
                Metric::Distinct(field(choices)),
                Metric::Average(field(choices)),
                Metric::Percentiles(field(choices)),
            ],
        };
        same!(self, request, |side| ok(side
            .rig
            .store
            .aggregate(&request)
            .await));
    }

    async fn erase(&mut self, choices: &mut Choices<'_>) {
        let is_new = !choices.once_in(4);
        self.n_erasures += u64::from(is_new);
        let selector = if choices.once_in(3) {
            Selector::Filter(generate::filter(choices, 1))
        } else {
            Selector::Customer(
                draft(choices)
                    .flat()
                    .text("customer")
                    .unwrap_or("c")
                    .to_owned(),
            )
        };
        let request = Erase {
            id: RecordId::from_parts(self.n_erasures, 0),
            instance: instance(choices),
            selector,
        };
        same!(self, request, |side| {
            let erasure = ok(side.rig.store.erase(&request).await);
            (erasure.records, erasure.requested_at)
        });
        let home = &request.instance;
        same!(self, home, |side| {
            let erasures = ok(side.rig.store.erasures(home).await);
            erasures
                .iter()
                .map(|erasure| erasure.id)
                .collect::<Vec<RecordId>>()
        });
    }

    async fn expire(&mut self, choices: &mut Choices<'_>) {
        self.has_rules = true;
        let mut days = || u32::try_from(choices.below(4)).unwrap_or(0) * 1_500;
        let mine = InstanceRetention {
            bots: [("order".to_owned(), days())].into(),
            ..InstanceRetention::default()
        };
        let rules = Retention {
            default_days: days(),
            events_days: days(),
            instances: [(InstanceId::default_instance(), mine)].into(),
        };
        same!(self, rules, |side| {
            ok(side.rig.store.expire(&rules).await);
        });
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let seconds = i64::try_from(choices.below(60)).unwrap_or(0);
        for side in &self.sides {
            side.rig.clock.step(seconds * 1_000_000);
        }
    }

    async fn states(&mut self, choices: &mut Choices<'_>) {
        let [reference, _] = &self.sides;
        let state = StateWrite {
            instance: instance(choices),
            session: choices.pick(&["s", "t"]).to_owned(),
            state: vec![1; choices.below(100)],
            customers: draft(choices)
                .flat()
                .texts("customer")
                .map(str::to_owned)
                .collect(),
            expires_at: reference.rig.now().plus_micros(30_000_000),
        };
        let (instance, session) = (state.instance.clone(), state.session.clone());
        match choices.below(3) {
            0 => {
                let batch = Batch {
                    records: Vec::new(),
                    states: vec![state],
                };
                same!(self, session, |side| side.append(batch.clone()).await);
            }
            1 => same!(self, session, |side| {
                ok(side.rig.store.drop_state(&instance, &session).await);
            }),
            _ => {}
        }
        same!(self, session, |side| {
            ok(side.rig.store.load_state(&instance, &session).await)
        });
    }
}
