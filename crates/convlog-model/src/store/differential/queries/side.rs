//! One engine of a comparison, with what tells its records apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::Sent;
use super::{Asked, Subject};
use crate::fields::FieldRef;
use crate::filter::{Filter, Literal, Test};
use crate::ids::{Position, RecordId};
use crate::query::{Query, Scan};
use crate::record::Record;
use crate::store::{Batch, Outcome, StoreError};

/// What became of a record, told without ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Stored(usize),
    Duplicate(Option<usize>),
    Conflict,
    Erased,
}

/// An engine with what is known of its records.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) subject: Box<dyn Subject>,
    /// Which record a position is: the n-th that was stored.
    ordinals: BTreeMap<Position, usize>,
    /// The id of each record by its name.
    ids: BTreeMap<String, RecordId>,
}

/// A record by its ordinal.
pub(super) type Found = (Option<usize>, Arc<Record>);

impl Side {
    pub(super) fn new(subject: Box<dyn Subject>) -> Self {
        Side {
            subject,
            ordinals: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    pub(super) async fn append(&mut self, sent: &Sent) -> Result<Vec<Told>, StoreError> {
        self.subject.clock().step(sent.step_us);
        let batch = Batch {
            records: sent
                .records
                .iter()
                .map(|(_, draft)| draft.clone())
                .collect(),
            states: Vec::new(),
        };
        let receipt = self.subject.store().append(batch).await?;
        let named = sent.records.iter().zip(receipt.outcomes);
        let tell = |((name, _), outcome): (&(String, _), _)| match outcome {
            Outcome::Stored(stored) => {
                let ordinal = self.ordinals.len();
                self.ordinals.insert(stored.position, ordinal);
                self.ids.insert(name.clone(), stored.id);
                Told::Stored(ordinal)
            }
            Outcome::Duplicate(first) => {
                self.ids.insert(name.clone(), first.id);
                Told::Duplicate(self.ordinals.get(&first.position).copied())
            }
            Outcome::Conflict => Told::Conflict,
            Outcome::Erased => Told::Erased,
        };
        Ok(named.map(tell).collect())
    }

    /// The filter with ids of this engine in the place of names.
    fn with_ids(&self, filter: &Filter) -> Filter {
        let parts = |parts: &[Filter]| parts.iter().map(|part| self.with_ids(part)).collect();
        let named = |literal: &Literal| match self.ids.get(&literal.text) {
            Some(id) => Literal {
                text: id.to_string(),
                quoted: literal.quoted,
            },
            None => literal.clone(),
        };
        match filter {
            Filter::All => Filter::All,
            Filter::And(inner) => Filter::And(parts(inner)),
            Filter::Or(inner) => Filter::Or(parts(inner)),
            Filter::Not(inner) => self.with_ids(inner).negate(),
            Filter::Element { field, inner } => Filter::Element {
                field: field.clone(),
                inner: Box::new(self.with_ids(inner)),
            },
            Filter::Test { field, test } => Filter::Test {
                field: field.clone(),
                test: match test {
                    Test::Equals(it) if *field == FieldRef::canonical("id") => {
                        Test::Equals(named(it))
                    }
                    Test::Matches(it) if *field == FieldRef::canonical("id") => {
                        Test::Matches(named(it))
                    }
                    other => other.clone(),
                },
            },
        }
    }

    pub(super) fn query(&self, asked: &Asked) -> Query {
        let mut query = Query::new(asked.instance.clone(), self.with_ids(&asked.filter));
        query.sort = asked.sort;
        query.limit = asked.limit;
        query
    }

    fn found(&self, records: Vec<Arc<Record>>) -> Vec<Found> {
        let ordinal = |record: &Arc<Record>| self.ordinals.get(&record.position).copied();
        let all = records.into_iter();
        all.map(|record| (ordinal(&record), record)).collect()
    }

    /// All pages, at most one more than expected.
    pub(super) async fn pages(
        &self,
        asked: &Asked,
        n_pages: usize,
    ) -> Result<Vec<Vec<Found>>, StoreError> {
        let mut query = self.query(asked);
        let mut pages = Vec::new();
        loop {
            let page = self.subject.store().search(&query).await?;
            pages.push(self.found(page.records));
            query.after = page.next;
            query.upto = Some(page.upto);
            if query.after.is_none() || pages.len() > n_pages {
                return Ok(pages);
            }
        }
    }

    pub(super) async fn walk(&self, asked: &Asked) -> Result<Vec<Found>, StoreError> {
        let mut scan = Scan {
            instance: asked.instance.clone(),
            filter: self.with_ids(&asked.filter),
            after: Position::START,
            upto: None,
            limit: asked.limit,
        };
        let mut records = Vec::new();
        loop {
            let step = self.subject.store().scan(&scan).await?;
            records.extend(step.records);
            scan.after = step.reached;
            scan.upto = Some(step.upto);
            if step.done {
                return Ok(self.found(records));
            }
        }
    }
}
