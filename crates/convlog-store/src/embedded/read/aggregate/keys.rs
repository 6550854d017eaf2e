//! Values as bytes, numbered: the kind of their term and what the term holds.

use convlog_model::aggregate::Value;
use convlog_model::flatten::Scalar;
use convlog_model::number::Decimal;
use convlog_model::time::Timestamp;
use hashbrown::HashMap;

use crate::embedded::bytes::{to_u32, to_usize};
use crate::embedded::index::term::{self, Kind};

/// Distinct values, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Keys {
    numbers: HashMap<Box<[u8]>, u32>,
    values: Vec<Box<[u8]>>,
    bytes: usize,
    scratch: Vec<u8>,
}

impl Keys {
    /// The number of a value, which is new if need be.
    pub(super) fn add(&mut self, kind: Kind, value: &[u8]) -> u32 {
        self.compose(kind, value);
        if let Some(number) = self.numbers.get(self.scratch.as_slice()) {
            return *number;
        }
        let number = to_u32(self.values.len());
        self.numbers.insert(self.scratch.as_slice().into(), number);
        self.values.push(self.scratch.as_slice().into());
        self.bytes += 2 * self.scratch.len();
        number
    }

    /// The number of a value that was added.
    pub(super) fn find(&mut self, kind: Kind, value: &[u8]) -> Option<u32> {
        self.compose(kind, value);
        self.numbers.get(self.scratch.as_slice()).copied()
    }

    fn compose(&mut self, kind: Kind, value: &[u8]) {
        self.scratch.clear();
        self.scratch.push(kind.code());
        self.scratch.extend_from_slice(value);
    }

    /// The bytes of a value: the code of its kind, and the value.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let value = self.values.get(to_usize(number.into()));
        value.map_or(&[], AsRef::as_ref)
    }

    /// Bytes of memory that they take.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.values.len() * VALUE_MEMORY
    }
}

/// Bytes of memory that a value takes beside its own: two boxes with what the allocator adds, and
/// its place in the table.
const VALUE_MEMORY: usize = 80;

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
