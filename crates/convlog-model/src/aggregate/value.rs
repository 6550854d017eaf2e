//! Values by which records are grouped and told apart.

use crate::flatten::Scalar;
use crate::json::Json;
use crate::number::Decimal;
use crate::time::Timestamp;

/// A value by which records are grouped; the order is that of ties.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Value {
    /// The first moment of an interval.
    Start(Timestamp),
    /// A boolean.
    Bool(bool),
    /// A number, by exact value.
    Number(Decimal),
    /// A string.
    Text(String),
    /// None of these.
    Missing,
}

impl Value {
    /// The value itself; `None` of `null`.
    #[must_use]
    pub fn of(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Null => None,
            Scalar::Bool(truth) => Some(Value::Bool(*truth)),
            // Longer ones than are compared by value count as their text.
            Scalar::Number(text) => Some(match Decimal::parse(text) {
                Some(number) => Value::Number(number),
                None => Value::Text(text.clone()),
            }),
            Scalar::Text(text) => Some(Value::Text(text.clone())),
        }
    }

    /// The interval in which a moment lies.
    #[must_use]
    pub fn start(moment: Timestamp, every_us: i64) -> Self {
        let micros = moment.micros();
        let behind = micros.checked_rem_euclid(every_us).unwrap_or(0);
        Value::Start(Timestamp::from_micros(micros.saturating_sub(behind)))
    }

    /// The key of a group; `shown` is the text of a number.
    #[must_use]
    pub fn into_key(self, shown: Option<String>) -> Json {
        match self {
            Value::Start(start) => Json::string(start.to_micros_text()),
            Value::Bool(truth) => Json::Bool(truth),
            Value::Number(_) => shown.map_or(Json::Null, |number| Json::Number(number.into())),
            Value::Text(text) => Json::string(text),
            Value::Missing => Json::Null,
        }
    }
}
