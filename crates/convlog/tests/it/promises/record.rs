//! What an event is, what it refers to, and who sees it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{found, found_items, instance, tell};
use crate::events_log::{
    Ask, CREATE, EXPORT, EXPORT_MIB_MAX, LIST, SUBSCRIBE, create, ids, items, load, rss_mib,
    streamed, text, walk,
};
use crate::harness::{KEY, Server, Start, echo_bot, is_slow_wanted, say, scratch};

/// The names of all ids that an event may have.
const IDS: [&str; 32] = [
    "conversationId",
    "taskId",
    "contactId",
    "blueprintId",
    "botId",
    "datasetId",
    "recordId",
    "skillsetId",
    "abilityId",
    "fileId",
    "secretId",
    "portalId",
    "widgetIntegrationId",
    "slackIntegrationId",
    "githubIntegrationId",
    "discordIntegrationId",
    "microsoftteamsIntegrationId",
    "googlechatIntegrationId",
    "whatsappIntegrationId",
    "messengerIntegrationId",
    "instagramIntegrationId",
    "telegramIntegrationId",
    "twilioIntegrationId",
    "emailIntegrationId",
    "sitemapIntegrationId",
    "notionIntegrationId",
    "triggerIntegrationId",
    "supportIntegrationId",
    "extractIntegrationId",
    "mcpserverIntegrationId",
    "skillserverIntegrationId",
    "webhookId",
];

#[test]
fn p02_each_event_has_a_unique_id_a_type_and_a_time() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    echo_bot(&server, "echo");
    for part in ["a", "b", "c"] {
        load(&server, part, 7_000);
        tell(&server, "echo", "hello", "acme");
        server.send(
            "PUT",
            "/convlog/v1/settings",
            &json!({"retention_days": 400}),
        );
    }
    check_all(&server, 21_000 + 3 * 4);
    server.stop();
}

#[test]
fn slow_p02_p13_a_million_events_have_unique_ids_and_take_no_more_memory() {
    if !is_slow_wanted() {
        return;
    }
    let dir = scratch();
    let server = Start::on(dir.path())
        .env("CONVLOG_MEMORY_BYTES", "33554432")
        .server();
    load(&server, "many", 1_000_000);
    let grown = check_all(&server, 1_000_000);
    assert!(grown <= EXPORT_MIB_MAX, "{grown} MiB more");
    server.stop();
}

/// Looks at every event there is; by how many MiB the server grew meanwhile.
fn check_all(server: &Server, n_least: usize) -> u64 {
    let before = rss_mib(server);
    let path = format!("{EXPORT}?order=asc");
    let mut stream = Ask::lines(&server.url, &path).open().unwrap();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let (mut newest, mut peak) = (0, before);
    while let Some(item) = stream.item().unwrap() {
        assert!(!text(&item, "type").is_empty(), "{item}");
        let created = item["createdAt"].as_i64().unwrap();
        assert_eq!(item["updatedAt"], created);
        assert!(created >= newest, "{item} is older than the one before it");
        newest = created;
        let is_new = known.insert(text(&item, "id").to_owned());
        assert!(is_new, "twice: {item}");
        if known.len().is_multiple_of(5_000) {
            peak = peak.max(rss_mib(server));
        }
    }
    assert!(stream.is_over());
    assert!(known.len() >= n_least, "{}", known.len());
    say(&format!("{} ids, {} MiB more", known.len(), peak - before));
    peak - before
}

#[test]
fn p03_each_event_names_what_it_is_about() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let mut event = json!({"id": "all", "type": "about.x", "meta": {"relations": {"own": "o"}}});
    for name in IDS {
        event[name] = format!("the {name}").into();
    }
    create(&server, &event);
    let item = found_items(&server.client(), &[("type", "about.x")]).remove(0);
    assert_eq!(item["meta"]["relations"]["own"], "o", "what came stays");
    for name in IDS {
        assert_eq!(item[name], event[name]);
        assert_eq!(item["meta"]["relations"][name], event[name]);
    }
    // A resource that is not named is left out.
    create(
        &server,
        &json!({"id": "one", "type": "about.y", "taskId": "t", "botId": null}),
    );
    let item = found_items(&server.client(), &[("type", "about.y")]).remove(0);
    assert_eq!(item["taskId"], "t");
    assert_eq!(item["meta"]["relations"], json!({"taskId": "t"}));
    assert!(item.get("botId").is_none());
    // And of a turn.
    echo_bot(&server, "echo");
    tell(&server, "echo", "hello", "acme");
    let of_bot = found_items(
        &server.client(),
        &[("botId", "echo"), ("contactId", "acme")],
    );
    let kinds: Vec<&str> = of_bot.iter().map(|item| text(item, "type")).collect();
    let expected = [
        "conversation.create",
        "message.create",
        "message.create",
        "response.time",
    ];
    assert_eq!(kinds, expected);
    for item in &of_bot {
        let relations = &item["meta"]["relations"];
        assert!(item["conversationId"].is_string(), "{item}");
        for name in ["conversationId", "botId", "contactId"] {
            assert_eq!(relations[name], item[name], "{name}");
        }
    }
}

#[test]
fn p04_each_event_has_its_context_and_is_seen_by_its_own_instance_alone() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let (_, key) = instance(&server);
    let ours = server.client();
    let theirs = ours.with_key(&key);
    create(
        &server,
        &json!({"id": "a1", "type": "a.x", "actor": "user-7"}),
    );
    create(&server, &json!({"id": "a2", "type": "a.x"}));
    let answer = theirs.request("POST", CREATE, r#"{"id":"b1","type":"b.x"}"#);
    assert_eq!(answer.unwrap().0, 200);
    let actor = |item: &Value| item["actor"].as_str().unwrap_or_default().to_owned();
    assert_eq!(actor(&found_items(&ours, &[("type", "a.x")])[0]), "user-7");
    let own = found_items(&ours, &[("type", "instance.*")]);
    let (key_id, _) = KEY.split_once('.').unwrap();
    assert!(own.iter().any(|item| actor(item) == key_id), "{own:?}");

    let is_ours = |item: &Value| text(item, "type").starts_with("a.");
    let none_of_ours = |items: &[Value]| {
        assert!(!items.is_empty());
        assert!(!items.iter().any(is_ours), "{items:?}");
    };
    none_of_ours(&walk(&theirs, "asc", 1, ""));
    none_of_ours(&walk(&theirs, "desc", 500, ""));
    assert_eq!(found(&theirs, &[("type", "a.x")]), [""; 0]);
    let first = ours.get(&format!("{LIST}?order=asc&take=1&type=a.*"));
    for cursor in [text(&first, "cursor"), text(&first, "resumeCursor")] {
        for order in ["asc", "desc"] {
            let page = theirs.get(&format!("{LIST}?order={order}&cursor={cursor}"));
            assert!(!items(&page).iter().any(is_ours));
        }
    }
    for id in ["a1", "a2"] {
        let (status, body) = theirs
            .request("GET", &format!("{LIST}?cursor={id}"), "")
            .unwrap();
        assert_eq!(status, 400, "{body}");
    }
    for name in [
        "X-RunAs-User-Id",
        "X-RunAs-UserId",
        "X-RunAs-Child-User-Email",
    ] {
        for path in [LIST, EXPORT] {
            let headers = [(name, "default")];
            let (status, body) = theirs.request_with("GET", path, "", &headers).unwrap();
            assert_eq!(status, 401, "{body}");
        }
    }
    let ask = Ask {
        key: &key,
        ..Ask::lines(&server.url, EXPORT)
    };
    none_of_ours(&ask.open().unwrap().items());
    let ask = Ask {
        key: &key,
        ..Ask::subscription(&server.url, r#"{"historyLength":10000,"type":"a.*,b.*"}"#)
    };
    let mut live = ask.open().unwrap();
    assert_eq!(text(&live.item().unwrap().unwrap(), "id"), "b1");
    create(&server, &json!({"id": "a3", "type": "a.x"}));
    let answer = theirs.request("POST", CREATE, r#"{"id":"b2","type":"b.x"}"#);
    assert_eq!(answer.unwrap().0, 200);
    assert_eq!(text(&live.item().unwrap().unwrap(), "id"), "b2");
    let (status, _) = theirs
        .with_key("")
        .request("POST", SUBSCRIBE, "{}")
        .unwrap();
    assert_eq!(status, 401);
    // The same id is another event in another instance.
    let answer = theirs.request("POST", CREATE, r#"{"id":"a1","type":"b.same"}"#);
    assert_eq!(answer.unwrap().0, 200);
    assert_eq!(found(&theirs, &[("type", "b.same")]), ["a1"]);
    let all = ids(&streamed(&server, LIST));
    assert_eq!(all.iter().filter(|id| *id == "a1").count(), 1);
}

#[test]
fn p04_a_key_for_one_bot_sees_the_events_of_that_bot_alone() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let made = json!({"roles": ["read"], "bots": ["b1"], "name": "one bot"});
    let key = server.send("POST", "/convlog/v1/keys", &made);
    let scoped = server.client().with_key(text(&key, "key"));
    create(&server, &json!({"id": "e1", "type": "x", "botId": "b1"}));
    create(&server, &json!({"id": "e2", "type": "x", "botId": "b2"}));
    create(&server, &json!({"id": "e3", "type": "x"}));
    for query in [&[][..], &[("botId", "b1,b2")], &[("type", "x")]] {
        assert_eq!(found(&scoped, query), ["e1"], "{query:?}");
    }
}
