//! By what events are found.

use serde_json::{Value, json};

use super::{found, found_items, tell};
use crate::events_log::{LIST, create, ids, text, walk};
use crate::harness::{Server, Start, echo_bot, scratch};

/// A server that holds these events.
fn with_events(dir: &std::path::Path, events: &[Value]) -> Server {
    let server = Start::on(dir).server();
    for event in events {
        create(&server, event);
    }
    server
}

fn check(server: &Server, query: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(found(&server.client(), query), expected, "{query:?}");
}

#[test]
fn p05_events_are_found_by_time() {
    let dir = scratch();
    // Foreign events keep their times, also when they come out of order.
    let event = |n: i64, at: i64| json!({"id": format!("e{n}"), "type": "t.x", "createdAt": at});
    const BASE: i64 = 1_760_000_000_000;
    let times = [0, 1_000, 2_000, 1_500, 3_000, 2_000];
    let events: Vec<Value> = (0..)
        .zip(times)
        .map(|(n, at)| event(n, BASE + at))
        .collect();
    let server = with_events(dir.path(), &events);
    for (from, to, expected) in [
        ("", "", &["e0", "e1", "e2", "e3", "e4", "e5"][..]),
        // From is inclusive, to is exclusive.
        ("1760000001000", "1760000002000", &["e1", "e3"]),
        ("1760000001001", "1760000002001", &["e2", "e3", "e5"]),
        ("1760000002000", "", &["e2", "e4", "e5"]),
        ("", "1760000001000", &["e0"]),
        ("1760000003001", "", &[]),
        ("1760000002000", "1760000002000", &[]),
        ("1760000002000", "1760000001000", &[]),
        // The same as times of ISO 8601.
        (
            "2025-10-09T08:53:21Z",
            "2025-10-09T08:53:22.000Z",
            &["e1", "e3"],
        ),
        ("2025-10-09T10:53:21+02:00", "1760000002000", &["e1", "e3"]),
        (
            "2025-10-09",
            "2025-10-10",
            &["e0", "e1", "e2", "e3", "e4", "e5"],
        ),
        ("2025-10-10", "", &[]),
    ] {
        check(
            &server,
            &[("type", "t.x"), ("from", from), ("to", to)],
            expected,
        );
    }
    // With cursors and both orders.
    let range = "&type=t.x&from=1760000001000&to=1760000003000";
    for take in 1..=5 {
        let client = server.client();
        assert_eq!(
            ids(&walk(&client, "asc", take, range)),
            ["e1", "e2", "e3", "e5"]
        );
        assert_eq!(
            ids(&walk(&client, "desc", take, range)),
            ["e5", "e3", "e2", "e1"]
        );
        let after = format!("{range}&cursor=e2");
        let page = server.get(&format!("{LIST}?order=asc&take={take}{after}"));
        let expected = &["e3", "e5"][..take.min(2)];
        assert_eq!(ids(page["items"].as_array().unwrap()), expected);
    }
    // What happens here has the time at which it was kept.
    echo_bot(&server, "echo");
    tell(&server, "echo", "one", "acme");
    tell(&server, "echo", "two", "acme");
    let all = found_items(&server.client(), &[("botId", "echo")]);
    let time = |item: &Value| item["createdAt"].as_i64().unwrap();
    for item in &all {
        let (from, to) = (time(item).to_string(), (time(item) + 1).to_string());
        let expected: Vec<&str> = all
            .iter()
            .filter(|one| time(one) == time(item))
            .map(|one| text(one, "id"))
            .collect();
        check(
            &server,
            &[("botId", "echo"), ("from", &from), ("to", &to)],
            &expected,
        );
    }
}

#[test]
fn p06_events_are_found_by_type() {
    let dir = scratch();
    let types = [
        "message.create",
        "message.creates",
        "Message.create",
        "integration.slack.api.error",
        "integration.slack.blocked",
        "integration.slackish",
        "api.error",
        "a,b",
    ];
    let events: Vec<Value> = (0..)
        .zip(types)
        .map(|(n, kind)| json!({"id": format!("e{n}"), "type": kind, "botId": "b"}))
        .collect();
    let server = with_events(dir.path(), &events);
    for (kinds, expected) in [
        ("message.create", &["e0"][..]),
        ("Message.create", &["e2"]),
        ("message.creat", &[]),
        ("message.create,api.error", &["e0", "e6"]),
        (" api.error , message.create ,,", &["e0", "e6"]),
        ("integration.slack.*", &["e3", "e4"]),
        ("integration.slack*", &["e3", "e4", "e5"]),
        ("*.error", &["e3", "e6"]),
        ("*.api.*,message.*", &["e0", "e1", "e3"]),
        ("*", &["e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7"]),
        ("conversation.message.create", &["e0"]),
        ("none", &[]),
    ] {
        check(&server, &[("botId", "b"), ("type", kinds)], expected);
    }
}

#[test]
fn p07_events_are_found_by_resource() {
    const IDS: &str = "conversationId taskId contactId blueprintId botId datasetId recordId \
        skillsetId abilityId fileId secretId portalId widgetIntegrationId slackIntegrationId \
        githubIntegrationId discordIntegrationId microsoftteamsIntegrationId \
        googlechatIntegrationId whatsappIntegrationId messengerIntegrationId \
        instagramIntegrationId telegramIntegrationId twilioIntegrationId emailIntegrationId \
        sitemapIntegrationId notionIntegrationId triggerIntegrationId supportIntegrationId \
        extractIntegrationId mcpserverIntegrationId skillserverIntegrationId webhookId";
    let names: Vec<&str> = IDS.split_whitespace().collect();
    assert_eq!(names.len(), 32);
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let line = |name: &str, n: usize| {
        let mut event = json!({"id": format!("{name}-{n}"), "type": "r.x"});
        event[name] = format!("r{n}").into();
        event.to_string()
    };
    let lines: Vec<String> = names
        .iter()
        .flat_map(|name| (0..3).map(move |n| line(name, n)))
        .collect();
    server.load("chatbotkit", &lines);
    // Bots that events name are made, which is an event too.
    let kind = ("type", "r.x");
    for name in &names {
        let id = |n: usize| format!("{name}-{n}");
        check(&server, &[kind, (name, "r1")], &[&id(1)]);
        check(&server, &[kind, (name, "r2, r0,none")], &[&id(0), &id(2)]);
        check(&server, &[kind, (name, "R1")], &[]);
        let relation = format!("meta.relations.{name}");
        check(&server, &[kind, (&relation, "r1")], &[&id(1)]);
    }
    // Several hold at once.
    let both = json!({"id": "both", "type": "r.x", "fileId": "r1", "webhookId": "r1"});
    create(&server, &both);
    check(
        &server,
        &[("fileId", "r1"), ("webhookId", "r1,r2")],
        &["both"],
    );
    check(&server, &[("fileId", "r1"), ("webhookId", "r2")], &[]);
}

#[test]
fn p08_events_are_found_by_details_however_they_are_spelled() {
    let dir = scratch();
    let server = with_events(
        dir.path(),
        &[
            json!({"id": "e1", "type": "m.x", "meta": {
                "s": "ok", "n": 1, "f": 1.50, "t": true, "z": null, "empty": "",
                "a": {"b": {"c": "deep"}, "list": [{"k": "v"}, [10, 20]]},
                "tags": ["x", "y"]}}),
            json!({"id": "e2", "type": "m.x", "meta": {
                "s": "1", "n": "1", "f": 2, "t": "true", "z": "null", "a": {"b": "c"},
                "k y": "a b", "a&b": "c&d", "p=q": "r=s", "x/y": "/", "100%": "%25", "a+b": "c+d",
                "ž東😀": "é", "d.o.t": "dotted", "\"quoted\"": "\\", "#": "?"}}),
        ],
    );
    for (name, value, expected) in [
        // Both ways to write a path, and mixtures of them.
        ("meta.s", "ok", &["e1"][..]),
        ("meta[s]", "ok", &["e1"]),
        ("meta.a.b.c", "deep", &["e1"]),
        ("meta[a][b][c]", "deep", &["e1"]),
        ("meta[a.b.c]", "deep", &["e1"]),
        ("meta.a[b].c", "deep", &["e1"]),
        ("meta[a].b[c]", "deep", &["e1"]),
        // Places in lists.
        ("meta.tags[0]", "x", &["e1"]),
        ("meta[tags][1]", "y", &["e1"]),
        ("meta.tags[2]", "x", &[]),
        ("meta.a.list[0].k", "v", &["e1"]),
        ("meta[a][list][1][1]", "20", &["e1"]),
        // Values of any kind by the text that spells them.
        ("meta.n", "1", &["e1", "e2"]),
        ("meta.f", "1.5", &["e1"]),
        ("meta.f", "2", &["e2"]),
        ("meta.t", "true", &["e1", "e2"]),
        ("meta.t", "1", &[]),
        ("meta.z", "null", &["e1", "e2"]),
        ("meta.none", "null", &[]),
        ("meta.tags", "x", &[]),
        ("meta.a", "[object Object]", &[]),
        ("meta.S", "ok", &[]),
        // Keys of any character.
        ("meta.k y", "a b", &["e2"]),
        ("meta[k y]", "a b", &["e2"]),
        ("meta.a&b", "c&d", &["e2"]),
        ("meta.p=q", "r=s", &["e2"]),
        ("meta.x/y", "/", &["e2"]),
        ("meta.100%", "%25", &["e2"]),
        ("meta.a+b", "c+d", &["e2"]),
        ("meta.ž東😀", "é", &["e2"]),
        ("meta[ž東😀]", "é", &["e2"]),
        ("meta.d.o.t", "dotted", &["e2"]),
        ("meta.\"quoted\"", "\\", &["e2"]),
        ("meta.#", "?", &["e2"]),
    ] {
        check(&server, &[("type", "m.x"), (name, value)], expected);
    }
    // All conditions hold, and an empty one is none.
    check(&server, &[("meta.n", "1"), ("meta.s", "ok")], &["e1"]);
    check(&server, &[("meta.n", "1"), ("meta[s]", "bad")], &[]);
    check(&server, &[("type", "m.x"), ("meta.s", "")], &["e1", "e2"]);
}
