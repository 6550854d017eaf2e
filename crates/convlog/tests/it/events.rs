//! Events that only the whole program writes, each once, also when it is killed in between.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{
    Server, Start, all_erased, eventually, found_in, log, newest_log, payload_with, scratch,
};

/// The entries of the audit of one type, oldest first.
fn told(server: &Server, kind: &str) -> Vec<Value> {
    let list = server.get(&format!("/convlog/v1/audit?limit=1000&type={kind}"));
    let mut entries = list["entries"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

#[test]
fn starts_and_stops_are_told_of() {
    let dir = scratch();
    let start = || Start::on(dir.path()).server();
    let clean = |server: &Server| -> Vec<Value> {
        let all = told(server, "system.start");
        all.iter()
            .map(|event| event["meta"]["clean"].clone())
            .collect()
    };
    let server = start();
    assert_eq!(clean(&server), [Value::Null]);
    assert!(told(&server, "system.stop").is_empty());
    server.stop();
    let server = start();
    assert_eq!(clean(&server), [Value::Null, json!("yes")]);
    let stops = told(&server, "system.stop");
    let starts = told(&server, "system.start");
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0]["meta"]["started_at"], starts[0]["time"]);
    assert_eq!(stops[0]["refs"], json!({"instanceId": "default"}));
    server.kill();
    let server = start();
    assert_eq!(clean(&server), [Value::Null, json!("yes"), json!("no")]);
    assert_eq!(told(&server, "system.stop").len(), 1);
}

/// A log of 2020.
fn old_log(number: u64) -> Value {
    let mut log = log("shop", number, "long ago");
    for name in ["request_timestamp", "response_timestamp"] {
        let time = log[name].as_str().unwrap().replacen("2026", "2020", 1);
        log[name] = json!(time);
    }
    log
}

/// Rounds of work that end by a kill at once, when the work is done, or when it was told of.
const N_ROUNDS: u64 = 9;

#[test]
fn the_end_of_an_erasure_is_told_of_once_however_often_the_server_is_killed() {
    let dir = scratch();
    let mut asked = BTreeSet::new();
    for round in 0..N_ROUNDS {
        let server = Start::on(dir.path()).server();
        let customer = format!("customer-{round}");
        let mut line = log("shop", round, "hello");
        line["customer_id"] = json!(customer);
        server.load("watson-v1", &[line.to_string()]);
        let body = json!({"customer_id": customer});
        let erasure = server.send("POST", "/convlog/v1/erasures", &body);
        asked.insert(erasure["id"].as_str().unwrap().to_owned());
        match round % 3 {
            0 => {}
            1 => all_erased(&server),
            _ => eventually(|| (!told(&server, "erasure.done").is_empty()).then_some(())),
        }
        server.kill();
    }
    let server = Start::on(dir.path()).server();
    eventually(|| (told(&server, "erasure.done").len() >= asked.len()).then_some(()));
    server.stop();
    let server = Start::on(dir.path()).server();
    let done = told(&server, "erasure.done");
    let ids = done
        .iter()
        .map(|event| event["refs"]["erasureId"].as_str().unwrap().to_owned());
    assert_eq!(ids.collect::<BTreeSet<_>>(), asked);
    assert_eq!(done.len(), asked.len());
    for event in &done {
        let meta = &event["meta"];
        assert_eq!(meta["records"], "1", "{event}");
        let times = [
            "requested_at",
            "hidden_at",
            "rows_overwritten_at",
            "done_at",
        ];
        let times = times.map(|name| meta[name].as_str().unwrap());
        assert!(times.is_sorted(), "{event}");
    }
}

#[test]
fn what_retention_removed_is_told_of_once_however_often_the_server_is_killed() {
    let dir = scratch();
    let mut n_sent = 0;
    for round in 0..N_ROUNDS {
        let server = Start::on(dir.path()).server();
        let lines: Vec<String> = (0..20).map(|n| old_log(n_sent + n).to_string()).collect();
        let answer = server.load("watson-v1", &lines);
        assert_eq!(answer["accepted"], 20, "{answer}");
        n_sent += 20;
        // A rule that changes begins a pass.
        let settings = json!({"retention_days": 10 + round});
        server.send("PUT", "/convlog/v1/settings", &settings);
        let n_told = told(&server, "retention.purge").len();
        match round % 3 {
            0 => {}
            1 => eventually(|| {
                let upkeep = server.get("/convlog/v1/retention");
                (upkeep["rows_expired"].as_u64().unwrap() > 0).then_some(())
            }),
            _ => eventually(|| (told(&server, "retention.purge").len() > n_told).then_some(())),
        }
        server.kill();
    }
    let server = Start::on(dir.path()).server();
    let purged = |server: &Server| -> u64 {
        let all = told(server, "retention.purge");
        let records = all
            .iter()
            .map(|event| event["meta"]["records"].as_str().unwrap());
        records.map(|text| text.parse::<u64>().unwrap()).sum()
    };
    eventually(|| (purged(&server) >= n_sent).then_some(()));
    server.stop();
    let server = Start::on(dir.path()).server();
    assert_eq!(purged(&server), n_sent);
    assert!(server.turns().is_empty());
    for event in told(&server, "retention.purge") {
        let meta = &event["meta"];
        let times = ["from", "to"].map(|name| meta[name].as_str().unwrap().to_owned());
        assert!(times.is_sorted() && times[1].as_str() <= event["time"].as_str().unwrap());
        // Received today, whatever they say of themselves.
        assert!(!times[0].starts_with("2020"), "{event}");
    }
}

#[test]
fn the_event_of_a_failed_turn_leaves_every_byte_with_its_customer() {
    let dir = scratch();
    let data = dir.path().join("data");
    let server = Start::on(dir.path()).server();
    // Nothing answers at this port.
    let connector = json!({"kind": "webhook", "url": "http://127.0.0.1:9/"});
    let bot = json!({"connector": connector});
    server.send("PUT", "/convlog/v1/bots/shop", &bot);
    let message = json!({"input": {"text": "hello"}, "context": {"conversation_id": "c-7"}});
    let path = "/v1/workspaces/shop/message?version=2021-11-27";
    let headers = [("X-Watson-Metadata", "customer_id=acme")];
    let (status, text) = server
        .client()
        .request_with("POST", path, &message.to_string(), &headers)
        .unwrap();
    assert_eq!(status, 502, "{text}");
    let kind = "integration.webhook.failed";
    assert_eq!(told(&server, kind)[0]["refs"]["conversationId"], "c-7");
    // Turn and event stand in one block.
    let payload = payload_with(&log_bytes(&data), "integration.webhook.failed");
    assert_eq!(found_in(&data, &payload).len(), 1);
    let erasure = server.send(
        "POST",
        "/convlog/v1/erasures",
        &json!({"customer_id": "acme"}),
    );
    assert_eq!(erasure["records"], 2);
    assert!(told(&server, kind).is_empty());
    all_erased(&server);
    assert!(found_in(&data, &payload).is_empty());
    server.stop();
    assert!(found_in(&data, &payload).is_empty());
    let server = Start::on(dir.path()).server();
    assert!(told(&server, kind).is_empty());
}

fn log_bytes(data: &Path) -> Vec<u8> {
    newest_log(data).map_or_else(Vec::new, |(_, bytes)| bytes)
}
