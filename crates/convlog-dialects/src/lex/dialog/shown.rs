//! What a conversation carries, in the JSON of the API.

use std::collections::BTreeMap;

use convlog_model::json::Json;

use super::session::{Action, Summary};
use crate::lex::model::{ActiveContext, MessageFormat};

impl Summary {
    pub(super) fn to_json(&self) -> Json {
        Json::object([
            ("intentName", optional(self.intent.as_deref())),
            ("checkpointLabel", optional(self.checkpoint.as_deref())),
            ("slots", nullable_map(&self.slots)),
            (
                "confirmationStatus",
                Json::string(self.confirmation.as_str()),
            ),
            ("dialogActionType", Json::string(self.action.as_str())),
            ("fulfillmentState", optional(self.fulfillment.as_deref())),
            ("slotToElicit", optional(self.slot_to_elicit.as_deref())),
        ])
    }
}

impl Action {
    pub(super) fn to_json(&self) -> Json {
        let (format, text) = match &self.message {
            Some((format, text)) => (Some(format_name(*format)), Some(text.as_str())),
            None => (None, None),
        };
        let all = [
            ("type", Json::string(self.kind.as_str())),
            ("intentName", optional(self.intent.as_deref())),
            ("slots", nullable_map(&self.slots)),
            ("slotToElicit", optional(self.slot_to_elicit.as_deref())),
            ("fulfillmentState", optional(self.fulfillment.as_deref())),
            ("message", optional(text)),
            ("messageFormat", optional(format)),
        ];
        let told = all.into_iter().filter(|(_, value)| *value != Json::Null);
        Json::Object(told.map(|(key, value)| (key.into(), value)).collect())
    }
}

/// A format as the API writes it.
pub(super) const fn format_name(format: MessageFormat) -> &'static str {
    match format {
        MessageFormat::PlainText => "PlainText",
        MessageFormat::Ssml => "SSML",
        MessageFormat::CustomPayload => "CustomPayload",
        MessageFormat::Composite => "Composite",
    }
}

pub(super) fn optional(text: Option<&str>) -> Json {
    text.map_or(Json::Null, Json::string)
}

/// Values by name, as JSON.
pub(super) fn nullable_map(values: &BTreeMap<String, Option<String>>) -> Json {
    let members = values.iter();
    let members = members.map(|(name, value)| (name.as_str().into(), optional(value.as_deref())));
    Json::Object(members.collect())
}

/// Texts by name, as JSON.
pub(super) fn string_map(values: &BTreeMap<String, String>) -> Json {
    let members = values.iter();
    let members = members.map(|(name, value)| (name.as_str().into(), Json::string(value.as_str())));
    Json::Object(members.collect())
}

/// Contexts as the API lists them.
pub(super) fn contexts_json(contexts: &[ActiveContext]) -> Json {
    let number = |count: Option<u32>| count.map(|count| Json::integer(i64::from(count)));
    let each = contexts.iter().map(|context| {
        let mut life = Json::object([]);
        if let Some(seconds) = number(context.time_to_live.time_to_live_in_seconds) {
            life.set("timeToLiveInSeconds", seconds);
        }
        if let Some(turns) = number(context.time_to_live.turns_to_live) {
            life.set("turnsToLive", turns);
        }
        Json::object([
            ("name", Json::string(context.name.as_str())),
            ("timeToLive", life),
            ("parameters", string_map(&context.parameters)),
        ])
    });
    Json::Array(each.collect())
}
