//! Channels: how a conversation says where it is held, and which customer id follows from that.

use convlog_model::json::Json;
use convlog_model::record::Draft;

/// The channel that a message context names: `integrations.channel.name`, else the one known key
/// of `integrations`.
#[must_use]
pub fn of_context(context: &Json) -> Option<String> {
    let _ = context;
    None
}

/// The customer id that a user of a channel has when no header gave one; `None` where the channel
/// has none.
#[must_use]
pub fn customer_of(channel: &str, user: &str) -> Option<String> {
    let _ = (channel, user);
    None
}

/// Fills `channel` and, when no customer id was given, `customer`. `environment_channel` is what
/// the environment is configured with and goes before what the context names.
pub fn apply(draft: &mut Draft, environment_channel: Option<&str>) {
    let _ = (draft, environment_channel);
}
