//! Log objects of the log API as drafts.
//!
//! The raw body is kept as it came but for white space, without `log_id`, which becomes the own
//! id, and in v1 without a `customer_id`, which v1 has no place for and exports carry along.
//! A turn is missed when the user said something and neither an intent nor an entity was found.

mod reader;
mod turn;

use std::collections::BTreeMap;

use convlog_model::ids::InstanceId;
use convlog_model::json::Value;
use convlog_model::record::{Body, Canonical, Dialect, Draft, Kind, ReadBody};

use self::reader::Reader;
pub use crate::DecodeError;

/// The draft of a log object, with channel and customer id as [`super::channel::apply`] finds them
/// in it.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn log(instance: &InstanceId, dialect: Dialect, raw: &str) -> Result<Draft, DecodeError> {
    let mut draft = bare(instance, dialect, raw)?;
    super::channel::apply(&mut draft, None);
    Ok(draft)
}

/// The draft of a log object, for callers that know the environment's channel and call
/// [`super::channel::apply`] themselves.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn bare(instance: &InstanceId, dialect: Dialect, raw: &str) -> Result<Draft, DecodeError> {
    of_read(instance, dialect, ReadBody::read(raw)?)
}

fn of_read(instance: &InstanceId, dialect: Dialect, read: ReadBody) -> Result<Draft, DecodeError> {
    let body = read.value();
    let reader = Reader::new(body);
    if !matches!(body, Value::Object(_)) {
        let message = format!("a log must be an object, not {}", body.type_name());
        return Err(DecodeError::new(message, None));
    }
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Turn,
        dialect,
        own_id: reader.filled("log_id")?.map(str::to_owned),
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: Body::default(),
    };
    let mut left_out = Vec::new();
    if body.get("log_id").and_then(Value::as_str).is_some() {
        left_out.push("log_id");
    }
    match dialect {
        Dialect::WatsonV1 => {
            turn::v1(&reader, &mut draft)?;
            if let Some(customer) = reader.filled("customer_id")? {
                draft.set_text("customer", customer);
                left_out.push("customer_id");
            }
        }
        Dialect::WatsonV2 => turn::v2(&reader, &mut draft)?,
        Dialect::LexV1 | Dialect::ChatBotKit | Dialect::Otlp | Dialect::Convlog => {
            let message = format!("{dialect} is not a dialect of Watson");
            return Err(DecodeError::new(message, None));
        }
    }
    draft.raw = read.without(&left_out);
    Ok(draft)
}

#[cfg(test)]
mod tests;
