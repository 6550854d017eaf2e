//! What a subscription filter sends: the envelope of its events, before compression.

use convlog_model::json::Json;

use super::event::Shown;

/// The envelope of events of one stream.
#[must_use]
pub fn data_message(
    account: &str,
    (group, stream): (&str, &str),
    filter: &str,
    events: &[Shown],
) -> Json {
    let events = events.iter().map(|event| {
        Json::object([
            ("id", Json::string(event.id.to_string())),
            ("timestamp", Json::integer(event.time.millis())),
            ("message", Json::string(event.message.as_str())),
        ])
    });
    Json::object([
        ("messageType", Json::string("DATA_MESSAGE")),
        ("owner", Json::string(account)),
        ("logGroup", Json::string(group)),
        ("logStream", Json::string(stream)),
        (
            "subscriptionFilters",
            Json::Array(vec![Json::string(filter)]),
        ),
        ("logEvents", Json::Array(events.collect())),
    ])
}
