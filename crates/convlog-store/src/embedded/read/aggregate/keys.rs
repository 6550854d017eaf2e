//! Values as bytes, numbered: the kind of their term and what the term holds.

use std::hash::BuildHasher;

use convlog_model::aggregate::Value;
use convlog_model::flatten::Scalar;
use convlog_model::number::Decimal;
use convlog_model::time::Timestamp;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::embedded::bytes::{to_u32, to_usize};
use crate::embedded::index::term::{self, Kind};

/// Distinct values, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Keys {
    held: Held,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    scratch: Vec<u8>,
}

/// Their bytes, one behind the other.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Held {
    fn get(&self, number: u32) -> &[u8] {
        let number = to_usize(number.into());
        let Some(end) = self.ends.get(number) else {
            return &[];
        };
        let before = number.checked_sub(1).and_then(|last| self.ends.get(last));
        let start = before.copied().unwrap_or(0);
        self.bytes.get(start..*end).unwrap_or_default()
    }
}

impl Keys {
    /// The number of a value, which is new if need be.
    pub(super) fn add(&mut self, kind: Kind, value: &[u8]) -> u32 {
        if let Some(number) = self.find(kind, value) {
            return number;
        }
        let number = to_u32(self.held.ends.len());
        self.held.bytes.extend_from_slice(&self.scratch);
        self.held.ends.push(self.held.bytes.len());
        let hash = self.hasher.hash_one(self.scratch.as_slice());
        let (held, hasher) = (&self.held, &self.hasher);
        let again = |number: &u32| hasher.hash_one(held.get(*number));
        self.numbers.insert_unique(hash, number, again);
        number
    }

    /// The number of a value that was added.
    pub(super) fn find(&mut self, kind: Kind, value: &[u8]) -> Option<u32> {
        self.scratch.clear();
        self.scratch.push(kind.code());
        self.scratch.extend_from_slice(value);
        let hash = self.hasher.hash_one(self.scratch.as_slice());
        let is_it = |number: &u32| self.held.get(*number) == self.scratch;
        self.numbers.find(hash, is_it).copied()
    }

    /// The bytes of a value: the code of its kind, and the value.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        self.held.get(number)
    }

    /// Bytes of memory that they take.
    pub(super) fn memory(&self) -> usize {
        let in_table = self.numbers.capacity() * (size_of::<u32>() + 1);
        self.held.bytes.capacity() + self.held.ends.capacity() * size_of::<usize>() + in_table
    }
}

/// The part of a number's term that its value decides.
pub(super) fn number_key(value: &[u8]) -> &[u8] {
    let len = Decimal::from_sort_key(value).map_or(value.len(), |(_, len)| len);
    value.get(..len).unwrap_or(value)
}

/// The text of a number's term.
pub(super) fn number_text(key: &[u8]) -> Option<String> {
    let value = key.strip_prefix(&[Kind::Number.code()])?;
    match term::value(Kind::Number, value)? {
        Scalar::Number(text) => Some(text),
        _ => None,
    }
}

/// The value that bytes of [`Keys`] stand for.
pub(super) fn value_of(key: &[u8]) -> Value {
    let Some((code, value)) = key.split_first() else {
        return Value::Missing;
    };
    let is = |kind: Kind| *code == kind.code();
    if is(Kind::Time) {
        let micros = value.first_chunk::<8>().map(|bytes| term::time_of(*bytes));
        return micros.map_or(Value::Missing, |at| {
            Value::Start(Timestamp::from_micros(at))
        });
    }
    if is(Kind::Number) {
        let number = Decimal::from_sort_key(value);
        return number.map_or(Value::Missing, |(number, _)| Value::Number(number));
    }
    let kinds = [Kind::Text, Kind::Uuid, Kind::Bool].into_iter();
    let scalar = kinds.filter(|kind| is(*kind));
    let scalar = scalar.filter_map(|kind| term::value(kind, value)).next();
    let value = scalar.and_then(|scalar| Value::of(&scalar));
    value.unwrap_or(Value::Missing)
}
