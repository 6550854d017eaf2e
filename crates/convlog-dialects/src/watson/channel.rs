//! Channels: how a conversation says where it is held, and which customer id follows from that.

use convlog_model::json::Value;
use convlog_model::record::{Draft, Source};

/// Keys of `context.integrations` that stand for a channel.
const KNOWN: [&str; 9] = [
    "chat",
    "facebook",
    "intercom",
    "phone",
    "slack",
    "teams",
    "text_messaging",
    "voice_telephony",
    "whatsapp",
];

/// The channel that a message context names: `integrations.channel.name`, else the one known key
/// of `integrations`.
#[must_use]
pub fn of_context(context: Value<'_>) -> Option<String> {
    let integrations = context.get("integrations")?;
    let named = integrations
        .at(&["channel", "name"])
        .and_then(Value::as_str);
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        return Some(name.to_owned());
    }
    let mut keys = KNOWN
        .into_iter()
        .filter(|key| integrations.get(key).is_some());
    match (keys.next(), keys.next()) {
        (Some(only), None) => Some(only.to_owned()),
        _ => None,
    }
}

/// The customer id that a user of a channel has when no header gave one; `None` where the channel
/// has none.
#[must_use]
pub fn customer_of(channel: &str, user: &str) -> Option<String> {
    if user.is_empty() {
        return None;
    }
    let label: String = channel
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let prefixed = |prefix: &str| match user.starts_with(prefix) {
        true => Some(user.to_owned()),
        false => Some(format!("{prefix}{user}")),
    };
    match label.as_str() {
        "chat" | "webchat" => Some(user.to_owned()),
        "slack" => prefixed("slack_"),
        "intercom" => prefixed("intercom_"),
        _ => None,
    }
}

/// Fills `channel` and, when no customer id was given, `customer`. `environment_channel` is what
/// the environment is configured with and goes before what the context names.
pub fn apply(draft: &mut Draft, environment_channel: Option<&str>) {
    let named = draft.raw.contains("\"integrations\"");
    if environment_channel.is_none() && !named {
        return;
    }
    let Some(held) = draft.raw.read() else {
        return;
    };
    let body = held.value();
    let of_body = || {
        let contexts = ["request", "response"].map(|part| body.at(&[part, "context"]));
        contexts.into_iter().flatten().find_map(of_context)
    };
    let Some(channel) = environment_channel.map(str::to_owned).or_else(of_body) else {
        return;
    };
    let customer = match draft.canonical.contains_key("customer") {
        true => None,
        false => text_of(draft, body, "user").and_then(|user| customer_of(&channel, &user)),
    };
    drop(held);
    draft.set_text("channel", &channel);
    if let Some(customer) = customer {
        draft.set_text("customer", &customer);
    }
}

/// The text of a canonical field.
fn text_of(draft: &Draft, body: Value<'_>, field: &str) -> Option<String> {
    let value = match draft.canonical.get(field)? {
        Source::Value(value) => value.into(),
        Source::Raw(path) => body.at(&path.segments().collect::<Vec<_>>())?,
    };
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
