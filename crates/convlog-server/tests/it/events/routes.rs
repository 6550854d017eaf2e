//! Each route that changes something says which event tells of it.

use std::collections::BTreeSet;

use convlog_server::ROUTES;
use convlog_server::events::TYPES;

/// What it keeps is an event by itself: readers of events see `conversation.create`,
/// `message.create` and `response.time` in the record of a turn.
const TURN: &[&str] = &[];
/// It changes nothing that is kept.
const READS: &[&str] = &[];
/// It opens or ends what the server remembers of a dialogue; its conversation begins with a turn.
const DIALOGUE: &[&str] = &[];

const CHANGES: &[(&str, &str, &[&str])] = &[
    ("POST", "/identity/token", &["user.login"]),
    ("POST", "/v1/authorize", &["user.login"]),
    (
        "POST",
        "/convlog/v1/deliveries/{id}/retry",
        &["log_delivery.retry"],
    ),
    ("POST", "/v1/workspaces/{id}/message", TURN),
    ("DELETE", "/v1/user_data", &["erasure.request"]),
    ("DELETE", "/v2/user_data", &["erasure.request"]),
    ("POST", "/v2/assistants/{id}/sessions", DIALOGUE),
    ("DELETE", "/v2/assistants/{id}/sessions/{session}", DIALOGUE),
    (
        "POST",
        "/v2/assistants/{id}/sessions/{session}/message",
        TURN,
    ),
    (
        "POST",
        "/v2/assistants/{id}/sessions/{session}/message_stream",
        TURN,
    ),
    ("POST", "/v2/assistants/{id}/message", TURN),
    ("POST", "/v2/assistants/{id}/message_stream", TURN),
    (
        "POST",
        "/v2/assistants/{id}/environments/{environment}/sessions",
        DIALOGUE,
    ),
    (
        "DELETE",
        "/v2/assistants/{id}/environments/{environment}/sessions/{session}",
        DIALOGUE,
    ),
    (
        "POST",
        "/v2/assistants/{id}/environments/{environment}/sessions/{session}/message",
        TURN,
    ),
    (
        "POST",
        "/v2/assistants/{id}/environments/{environment}/sessions/{session}/message_stream",
        TURN,
    ),
    (
        "POST",
        "/v2/assistants/{id}/environments/{environment}/message",
        TURN,
    ),
    (
        "POST",
        "/v2/assistants/{id}/environments/{environment}/message_stream",
        TURN,
    ),
    ("POST", "/v1/event/log/create", TURN),
    ("POST", "/v1/event/log/subscribe", READS),
    ("POST", "/v1/conversation/create", TURN),
    ("POST", "/v1/conversation/{id}/message/create", TURN),
    ("POST", "/v1/bot/create", &["bot.create"]),
    ("POST", "/v1/bot/{id}/update", &["bot.update"]),
    (
        "POST",
        "/v1/bot/{id}/delete",
        &["bot.delete", "dataset.delete"],
    ),
    (
        "PUT",
        "/bots/{name}/versions/{version}",
        &["bot.create", "bot.update"],
    ),
    ("POST", "/bots/{name}/versions", &["bot.update"]),
    ("DELETE", "/bots/{name}/versions/{version}", &["bot.update"]),
    ("DELETE", "/bots/{name}", &["bot.delete"]),
    (
        "PUT",
        "/bots/{name}/aliases/{alias}",
        &["alias.create", "alias.update"],
    ),
    ("DELETE", "/bots/{name}/aliases/{alias}", &["alias.delete"]),
    (
        "DELETE",
        "/bots/{name}/aliases/{alias}/channels/{channel}",
        READS,
    ),
    ("DELETE", "/bots/{name}/utterances/{user}", &["bot.update"]),
    (
        "POST",
        "/imports",
        &[
            "bot.create",
            "bot.update",
            "intent.create",
            "intent.update",
            "slot_type.create",
            "slot_type.update",
        ],
    ),
    ("POST", "/migrations", READS),
    (
        "PUT",
        "/intents/{name}/versions/{version}",
        &["intent.create", "intent.update"],
    ),
    ("POST", "/intents/{name}/versions", &["intent.update"]),
    (
        "DELETE",
        "/intents/{name}/versions/{version}",
        &["intent.update"],
    ),
    ("DELETE", "/intents/{name}", &["intent.delete"]),
    (
        "PUT",
        "/slottypes/{name}/versions/{version}",
        &["slot_type.create", "slot_type.update"],
    ),
    ("POST", "/slottypes/{name}/versions", &["slot_type.update"]),
    (
        "DELETE",
        "/slottypes/{name}/version/{version}",
        &["slot_type.update"],
    ),
    ("DELETE", "/slottypes/{name}", &["slot_type.delete"]),
    ("POST", "/bot/{bot}/alias/{alias}/user/{user}/text", TURN),
    ("POST", "/bot/{bot}/alias/{alias}/user/{user}/content", TURN),
    (
        "POST",
        "/bot/{bot}/alias/{alias}/user/{user}/session",
        DIALOGUE,
    ),
    (
        "DELETE",
        "/bot/{bot}/alias/{alias}/user/{user}/session",
        DIALOGUE,
    ),
    ("POST", "/bot/{bot}/alias/{alias}/user/{user}/content", TURN),
    (
        "POST",
        "/bot/{bot}/alias/{alias}/user/{user}/session",
        DIALOGUE,
    ),
    ("POST", "/tags/{arn}", &["bot.update", "alias.update"]),
    ("DELETE", "/tags/{arn}", &["bot.update", "alias.update"]),
    (
        "POST",
        "/",
        &["log_group.create", "log_group.update", "log_group.delete"],
    ),
    ("POST", "/convlog/v1/hooks/watson/{hook}", TURN),
    (
        "POST",
        "/convlog/v1/records",
        &["file.upload", "file.upload.error"],
    ),
    ("POST", "/convlog/v1/aggregate", READS),
    (
        "PUT",
        "/convlog/v1/bots/{id}",
        &["bot.create", "bot.update"],
    ),
    (
        "DELETE",
        "/convlog/v1/bots/{id}",
        &["bot.delete", "dataset.delete"],
    ),
    (
        "PUT",
        "/convlog/v1/bots/{id}/definition",
        &["dataset.create", "dataset.update"],
    ),
    ("PUT", "/convlog/v1/settings", &["settings.update"]),
    ("PUT", "/convlog/v1/redaction", &["redaction.update"]),
    (
        "PUT",
        "/convlog/v1/bots/{id}/redaction",
        &["redaction.update"],
    ),
    ("POST", "/convlog/v1/redaction/preview", READS),
    ("POST", "/convlog/v1/erasures", &["erasure.request"]),
    (
        "PUT",
        "/convlog/v1/hooks/{hook}",
        &["integration.connect", "integration.update"],
    ),
    (
        "DELETE",
        "/convlog/v1/hooks/{hook}",
        &["integration.disconnect"],
    ),
    ("POST", "/convlog/v1/keys", &["key.create"]),
    ("DELETE", "/convlog/v1/keys/{id}", &["key.delete"]),
    (
        "POST",
        "/convlog/v1/instances",
        &["instance.create", "key.create"],
    ),
    ("POST", "/convlog/v1/retention", &["retention.confirm"]),
    ("POST", "/convlog/v1/backup", &["file.download"]),
];

#[test]
fn each_route_that_is_no_get_says_what_tells_of_it() {
    let routes = ROUTES.iter().filter(|route| route.method != "GET");
    let routes: BTreeSet<(&str, &str)> = routes.map(|route| (route.method, route.path)).collect();
    let listed = CHANGES.iter().map(|(method, path, _)| (*method, *path));
    assert_eq!(listed.collect::<BTreeSet<_>>(), routes);
    let types: BTreeSet<&str> = TYPES.iter().map(|of| of.name).collect();
    for (method, path, told) in CHANGES {
        assert!(
            told.iter().all(|kind| types.contains(kind)),
            "{method} {path}"
        );
    }
}
