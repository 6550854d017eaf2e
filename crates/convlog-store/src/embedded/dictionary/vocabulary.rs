//! The keys and values that enough customers share, and rows reduced to them.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use convlog_model::fields;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::{Canonical, Draft, Source};

use crate::embedded::row::RecordRow;

/// Customers that must share a key or value.
const CUSTOMERS_MIN: usize = 50;
/// One row in so many must hold it.
const ROWS_PER_HIT: usize = 100;

#[derive(Debug, Default)]
struct Count {
    rows: usize,
    /// At most [`CUSTOMERS_MIN`] of them.
    customers: Vec<u64>,
}

/// What samples may hold.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    hasher: RandomState,
    counts: HashMap<u64, Count>,
    rows_min: usize,
}

/// Where a text stands: a text that many customers have as a key is no reason to keep it as a
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Use {
    Key,
    Value,
}

impl Vocabulary {
    /// Counts rows and customers of every key and value.
    pub(crate) fn of(rows: &[RecordRow], stop: &AtomicBool) -> Self {
        let mut vocabulary = Vocabulary {
            hasher: RandomState::new(),
            counts: HashMap::new(),
            rows_min: rows.len().div_ceil(ROWS_PER_HIT),
        };
        for row in rows {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            vocabulary.count(&row.draft);
        }
        vocabulary
    }

    fn token(&self, usage: Use, text: &str) -> u64 {
        self.hasher.hash_one((usage, text))
    }

    fn count(&mut self, draft: &Draft) {
        let flat = draft.flat();
        let Some(person) = flat.text("customer").or_else(|| flat.text("user")) else {
            return;
        };
        let person = self.hasher.hash_one((draft.instance.as_str(), person));
        let mut tokens = BTreeSet::new();
        if let Some(body) = &Json::of_body(&draft.raw) {
            self.tokens(body, &mut tokens);
        }
        for (path, source) in &draft.canonical {
            for key in open_keys(path) {
                tokens.insert(self.token(Use::Key, key));
            }
            if let Source::Value(value) = source {
                self.tokens(value, &mut tokens);
            }
        }
        for (name, value) in &draft.labels {
            tokens.insert(self.token(Use::Key, name));
            tokens.insert(self.token(Use::Value, value));
        }
        tokens.insert(self.token(Use::Value, draft.instance.as_str()));
        for token in tokens {
            let count = self.counts.entry(token).or_default();
            count.rows += 1;
            let is_new = !count.customers.contains(&person);
            if count.customers.len() < CUSTOMERS_MIN && is_new {
                count.customers.push(person);
            }
        }
    }

    fn tokens(&self, value: &Json, out: &mut BTreeSet<u64>) {
        match value {
            Json::Null | Json::Bool(_) => {}
            Json::Number(text) | Json::String(text) => {
                out.insert(self.token(Use::Value, text));
            }
            Json::Array(items) => items.iter().for_each(|item| self.tokens(item, out)),
            Json::Object(members) => {
                for (key, member) in members {
                    out.insert(self.token(Use::Key, key));
                    self.tokens(member, out);
                }
            }
        }
    }

    fn has(&self, usage: Use, text: &str) -> bool {
        let count = self.counts.get(&self.token(usage, text));
        count.is_some_and(|count| {
            count.rows >= self.rows_min && count.customers.len() >= CUSTOMERS_MIN
        })
    }

    /// A draft without everything that too few share.
    pub(crate) fn filtered(&self, draft: &Draft) -> Draft {
        let body = Json::of_body(&draft.raw);
        let raw = body.map_or_else(String::new, |body| self.reduced(&body).to_string());
        let mut canonical = Canonical::new();
        for (path, source) in &draft.canonical {
            if !open_keys(path).all(|key| self.has(Use::Key, key)) {
                continue;
            }
            match source {
                Source::Raw(raw) if raw.segments().all(|key| self.has(Use::Key, key)) => {
                    canonical.insert(path.clone(), source.clone());
                }
                Source::Raw(_) => {}
                Source::Value(value) => {
                    canonical.insert(path.clone(), Source::Value(self.reduced(value)));
                }
            }
        }
        let is_shared = |(name, value): &(&String, &String)| {
            self.has(Use::Key, name) && self.has(Use::Value, value)
        };
        let labels = draft.labels.iter().filter(is_shared);
        let instance = match self.has(Use::Value, draft.instance.as_str()) {
            true => draft.instance.clone(),
            false => InstanceId::default_instance(),
        };
        Draft {
            instance,
            kind: draft.kind,
            dialect: draft.dialect,
            own_id: None,
            canonical,
            labels: labels.map(|(n, v)| (n.clone(), v.clone())).collect(),
            raw: raw.into(),
        }
    }

    fn reduced(&self, value: &Json) -> Json {
        match value {
            Json::Number(text) if !self.has(Use::Value, text) => Json::integer(0),
            Json::String(text) if !self.has(Use::Value, text) => Json::string(""),
            Json::Array(items) => Json::Array(items.iter().map(|v| self.reduced(v)).collect()),
            Json::Object(members) => {
                let kept = members.iter().filter(|(key, _)| self.has(Use::Key, key));
                Json::Object(kept.map(|(k, v)| (k.clone(), self.reduced(v))).collect())
            }
            other => other.clone(),
        }
    }
}

/// The segments of a canonical path that are the client's words: those of open branches.
fn open_keys(path: &str) -> impl Iterator<Item = &str> {
    let field = fields::lookup(path).map_or("", |field| field.path);
    let stem = field.strip_suffix('*');
    let rest = match stem {
        Some(stem) => path.strip_prefix(stem),
        // A path that the table does not know is a client's word as a whole.
        None => (field.is_empty() && !fields::is_canonical(path)).then_some(path),
    };
    rest.into_iter().flat_map(|rest| rest.split('.'))
}
