//! What keeps events as they are, and what keeps others from asking too often.

use std::fs;

use serde_json::{Value, json};

use super::{found, found_items, instance, tell};
use crate::events_log::{Ask, CREATE, EXPORT, LIST, SUBSCRIBE, create, ids, items, streamed, text};
use crate::harness::{
    Server, Start, all_erased, echo_bot, eventually, finish, found_in, found_of, program, scratch,
};

#[test]
fn p14_events_are_kept_as_long_as_the_rules_say() {
    const DAY_MS: i64 = 86_400_000;
    let dir = scratch();
    let server = Start::on(dir.path())
        .env("CONVLOG_RETENTION_INTERVAL_SECONDS", "1")
        .server();
    create(&server, &json!({"id": "now", "type": "any.now"}));
    let now = found_items(&server.client(), &[("type", "any.now")])[0]["createdAt"].clone();
    let now = now.as_i64().unwrap();
    // Nothing in them repeats, so that they stand on the disk as they came.
    let marks = [
        "qZ7kX-9vR_2m",
        "Lp4TwY_8cJ-h",
        "Gd3_sFv6-NbW",
        "uK9-eHx1_QzB",
        "Mj5rC-0yP_aD",
    ];
    // Days that it has, and milliseconds that it is older or younger than that.
    let events = [
        ("young", "any.x", 30, -60_000),
        ("old", "any.x", 30, 1_000),
        ("short-young", "short.x", 2, -60_000),
        ("short-old", "short.x", 2, 1_000),
        ("for-ever", "ever.x", 3_000, 0),
    ];
    for ((id, kind, days, older), mark) in events.into_iter().zip(marks) {
        let created = now - days * DAY_MS - older;
        create(
            &server,
            &json!({"id": id, "type": kind, "createdAt": created,
            "meta": {"mark": mark}}),
        );
    }
    let data = dir.path().join("data");
    let all = ["young", "old", "short-young", "short-old", "for-ever"];
    let on_disk = || {
        let found = all.into_iter().zip(marks);
        let found = found.filter(|(_, mark)| !found_in(&data, mark.as_bytes()).is_empty());
        found.map(|(id, _)| id).collect::<Vec<&str>>()
    };
    const TYPES: &str = "any.x,short.x,ever.x";
    assert_eq!(
        found(&server.client(), &[("type", TYPES)]),
        all,
        "as long as there is no rule"
    );
    assert_eq!(on_disk(), all);
    let cursor = server.get(&format!("{LIST}?order=asc&take=2&type={TYPES}"))["cursor"].clone();

    let rules = json!({"retention_days": 30, "retention_types": {"short.": 2, "ever.": 0}});
    server.send("PUT", "/convlog/v1/settings", &rules);
    let left = ["young", "short-young", "for-ever"];
    assert_eq!(found(&server.client(), &[("type", TYPES)]), left);
    let exported = format!("{EXPORT}?order=asc&type={TYPES}");
    assert_eq!(ids(&streamed(&server, &exported)), left);
    let body = json!({"historyLength": 100, "type": TYPES}).to_string();
    let mut replay = Ask::subscription(&server.url, &body).open().unwrap();
    for id in left {
        assert_eq!(text(&replay.item().unwrap().unwrap(), "id"), id);
    }
    let cursor = cursor.as_str().unwrap();
    let next = server.get(&format!("{LIST}?order=asc&type={TYPES}&cursor={cursor}"));
    assert_eq!(ids(items(&next)), left[1..], "behind what is gone");
    assert_eq!(next["gap"]["from"], cursor);

    // And out of every file, which is an event.
    let purges = || found_items(&server.client(), &[("type", "retention.purge")]);
    eventually(|| (!purges().is_empty()).then_some(()));
    assert_eq!(on_disk(), left);
    let purges = purges();
    let n_purged = purges.iter().map(|item| {
        let records = item["meta"]["records"].as_str().unwrap();
        records.parse::<u64>().unwrap()
    });
    assert_eq!(n_purged.sum::<u64>(), 2);
    server.stop();
}

#[test]
fn p15_list_calls_count_against_a_limit_that_recovers() {
    let dir = scratch();
    let start = Start::on(dir.path()).env("CONVLOG_LIMITS_LIST_PER_MINUTE", "6");
    let server = start.server();
    let (_, key) = instance(&server);
    let other = server.client().with_key(&key);
    let ask = |path: &str| server.client().request("GET", path, "").unwrap();
    let mut n_answered = 0;
    let refused = loop {
        match ask(LIST) {
            (200, _) => n_answered += 1,
            (status, body) => break (status, body),
        }
    };
    assert!(n_answered >= 6, "{n_answered}");
    let expected = r#"{"message":"You have reached your allocated rate limits: rate/poll","code":"LIMITS_REACHED"}"#;
    assert_eq!(refused, (429, expected.to_owned()));
    // Every list counts, and nothing but lists.
    assert_eq!(ask("/api/v1/event/metric/list").0, 429);
    assert_eq!(ask(EXPORT).0, 200);
    let answer = server.client().request("POST", CREATE, r#"{"type":"x"}"#);
    assert_eq!(answer.unwrap().0, 200);
    // Another account is not concerned.
    assert_eq!(other.request("GET", LIST, "").unwrap().0, 200);
    // One call comes back every ten seconds; those that are refused do not put it off.
    eventually(|| (ask(LIST).0 == 200).then_some(()));
    assert_eq!(ask(LIST).0, 429);
}

/// Lines of an export of these types, as bytes.
fn lines(server: &Server, types: &str) -> String {
    let headers = [("Accept", "application/jsonl")];
    let path = format!("{EXPORT}?order=asc&type={types}");
    let (status, body) = server
        .client()
        .request_with("GET", &path, "", &headers)
        .unwrap();
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn p17_events_cannot_be_changed() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    create(
        &server,
        &json!({"id": "e1", "type": "keep.x", "meta": {"a": "b"}}),
    );
    let before = lines(&server, "keep.x");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in [
            "",
            "/",
            "/e1",
            "/e1/fetch",
            "/e1/update",
            "/e1/delete",
            "/update",
            "/delete",
            "/queue",
        ] {
            let path = format!("/api/v1/event/log{path}");
            let answer = server
                .client()
                .request(method, &path, r#"{"id":"e1","type":"y"}"#);
            let (status, body) = answer.unwrap();
            assert_eq!(status, 404, "{method} {path}: {body}");
        }
        for path in [LIST, EXPORT, CREATE, SUBSCRIBE] {
            if method == "POST" && [CREATE, SUBSCRIBE].contains(&path) {
                continue;
            }
            let (status, body) = server.client().request(method, path, "{}").unwrap();
            assert_eq!(status, 405, "{method} {path}: {body}");
        }
    }
    for path in [CREATE, SUBSCRIBE] {
        assert_eq!(server.client().request("GET", path, "").unwrap().0, 405);
    }
    // The same id again, with other content, changes nothing.
    let other = r#"{"id":"e1","type":"keep.x","meta":{"a":"c"}}"#;
    let (status, body) = server.client().request("POST", CREATE, other).unwrap();
    assert_eq!(status, 409, "{body}");
    let again = [json!({"id": "e1", "type": "keep.y"}).to_string()];
    assert_eq!(server.load("chatbotkit", &again)["accepted"], 0);
    assert_eq!(lines(&server, "keep.x"), before);
    assert_eq!(found(&server.client(), &[("type", "keep.*")]), ["e1"]);
}

#[test]
fn p17_an_event_keeps_its_bytes_whatever_happens_to_others() {
    const TYPES: &str = "keep.x,message.create,conversation.create,response.time,bot.create";
    let dir = scratch();
    let start = || {
        Start::on(dir.path())
            .env("CONVLOG_MEMORY_BYTES", "16777216")
            .server()
    };
    let server = start();
    echo_bot(&server, "echo");
    for n in 0..20 {
        let customer = if n % 2 == 0 { "stays" } else { "goes" };
        create(
            &server,
            &json!({"id": format!("e{n}"), "type": "keep.x", "botId": "echo",
            "contactId": customer, "meta": {"text": "ž\u{2028}😀", "n": 1.50}}),
        );
        tell(&server, "echo", &format!("text {n}"), customer);
    }
    let of_others = |lines: &str| -> String {
        let kept = lines
            .lines()
            .filter(|line| !line.contains(r#""contactId":"goes""#));
        kept.map(|line| format!("{line}\n")).collect()
    };
    let before = of_others(&lines(&server, TYPES));
    assert!(before.lines().count() >= 40);
    let check = |server: &Server, when: &str| {
        assert_eq!(of_others(&lines(server, TYPES)), before, "{when}");
    };
    server.stop();
    let server = start();
    check(&server, "after a restart");
    server.kill();
    let server = start();
    check(&server, "after a kill");
    let deleted = server
        .client()
        .request("DELETE", "/convlog/v1/bots/echo", "");
    assert_eq!(deleted.unwrap().0, 204);
    check(&server, "after its bot was deleted");
    let body = json!({"customer_id": "goes"});
    server.send("POST", "/convlog/v1/erasures", &body);
    all_erased(&server);
    check(&server, "after its neighbours were overwritten");
    server.stop();
    let server = start();
    check(&server, "after one more restart");
    assert_eq!(lines(&server, TYPES), before, "the others are gone");
}

#[test]
fn p17_a_changed_byte_of_an_event_is_found() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    // Not much of it can be compressed, so that it stands there as it came.
    let text = "qZ7kX-9vR_2mLpT4";
    create(
        &server,
        &json!({"id": "e1", "type": "keep.x", "meta": {"said": text}}),
    );
    server.stop();
    let verify = || finish(program(dir.path()).args(["verify", "--data-dir", "data"]));
    assert_eq!(verify().status, 0, "{:?}", verify());
    let holding = found_in(&dir.path().join("data"), text.as_bytes());
    assert!(!holding.is_empty());
    for path in holding {
        let whole = fs::read(&path).unwrap();
        let mut places = whole.windows(text.len());
        let at = places.position(|part| part == text.as_bytes()).unwrap();
        for byte in [0, text.len() / 2, text.len() - 1] {
            let mut changed = whole.clone();
            changed[at + byte] ^= 1;
            fs::write(&path, &changed).unwrap();
            let said = verify();
            assert_eq!(said.status, 1, "{path}: {said:?}");
            let name = path.rsplit('/').next().unwrap();
            assert!(said.stdout.contains(name), "{name}: {said:?}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(verify().status, 0);
}

#[test]
fn p18_what_is_private_is_cut_before_it_is_kept() {
    const SECRETS: &[(&str, &str)] = &[
        ("zq7k.alice@example.com", "email"),
        ("4012 8888 8888 1881", "card"),
        ("DE89370400440532013000", "iban"),
        ("+49 30 98765432", "phone"),
        ("203.0.113.77", "ip"),
        ("AKIAZQ7KODNN7EXAMPLE", "aws"),
    ];
    const PASSWORD: &str = "zq7k-Hunter2-zq7k";
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let bot = |id: &str, has_privacy: bool| {
        let bot = json!({"name": id, "connector": {"kind": "echo"}, "privacy": has_privacy});
        server.send("PUT", &format!("/convlog/v1/bots/{id}"), &bot);
    };
    bot("shy", true);
    bot("open", false);
    let body = json!({"type": "p.x,message.create"}).to_string();
    let mut live = Ask::subscription(&server.url, &body).open().unwrap();
    let all: Vec<&str> = SECRETS.iter().map(|(secret, _)| *secret).collect();
    let words = all.join(" ; ");
    let event = |bot: &str| {
        json!({"type": "p.x", "botId": bot, "name": words, "description": words,
            "meta": {"deep": [{"said": words}], "headers": {"Authorization": PASSWORD}}})
    };
    create(&server, &event("shy"));
    server.load("chatbotkit", &[event("shy").to_string()]);
    tell(&server, "shy", &words, "acme");
    let talk = server.send(
        "POST",
        "/api/v1/conversation/create",
        &json!({"botId": "shy"}),
    );
    let path = format!("/api/v1/conversation/{}/message/create", text(&talk, "id"));
    server.send("POST", &path, &json!({"type": "user", "text": words}));

    let secrets: Vec<&[u8]> = all
        .iter()
        .chain([&PASSWORD])
        .map(|it| it.as_bytes())
        .collect();
    assert_eq!(
        found_of(&dir.path().join("data"), &secrets),
        [],
        "on the disk"
    );
    let client = server.client();
    let accept = |path: &str, kind: &str| {
        let answer = client.request_with("GET", path, "", &[("Accept", kind)]);
        answer.unwrap().1
    };
    let told: Vec<Value> = (0..6).map(|_| live.item().unwrap().unwrap()).collect();
    let everywhere = [
        (
            "a list",
            accept(&format!("{LIST}?botId=shy"), "application/json"),
        ),
        (
            "lines",
            accept(&format!("{EXPORT}?botId=shy"), "application/jsonl"),
        ),
        (
            "a table",
            accept(&format!("{EXPORT}?botId=shy"), "text/csv"),
        ),
        (
            "an event source",
            accept(&format!("{LIST}?botId=shy"), "text/event-stream"),
        ),
        ("a subscription", serde_json::to_string(&told).unwrap()),
        ("an export", accept("/convlog/v1/export", "*/*")),
        (
            "records",
            accept("/convlog/v1/records?filter=bot::shy", "*/*"),
        ),
        (
            "Watson's logs",
            accept("/v1/workspaces/shy/logs?version=2021-11-27", "*/*"),
        ),
        ("the audit", accept("/api/v1/audit/log/list", "*/*")),
        ("the log", server.log()),
    ];
    for (place, shown) in &everywhere {
        for secret in all.iter().chain([&PASSWORD]) {
            assert!(!shown.contains(secret), "{secret} in {place}: {shown}");
        }
    }
    for (place, shown) in &everywhere[..8] {
        for (_, rule) in SECRETS {
            let mark = format!("[redacted:{rule}]");
            assert!(shown.contains(&mark), "{mark} in {place}: {shown}");
        }
    }
    // Each event says what was cut from it.
    let rule = |name: &str| json!({"rule": name, "version": 1, "action": "mask"});
    for item in &told {
        let noted = item["redactions"].as_array().unwrap();
        for (_, name) in SECRETS {
            assert!(noted.contains(&rule(name)), "{name}: {item}");
        }
    }
    assert!(
        told[0]["redactions"]
            .as_array()
            .unwrap()
            .contains(&rule("secret-keys"))
    );

    // Without privacy what people said stays, and secrets still do not.
    create(&server, &event("open"));
    let item = found_items(&server.client(), &[("type", "p.x"), ("botId", "open")]).remove(0);
    assert_eq!(item["name"], words);
    assert_eq!(item["meta"]["deep"][0]["said"], words);
    assert_eq!(
        item["meta"]["headers"]["Authorization"],
        "[redacted:event-keys]"
    );
    assert_eq!(item["redactions"], json!([rule("event-keys")]));
    server.stop();
}
