//! An erasure reaches every file of a running server.

use std::fs;

use serde_json::json;

use crate::harness::{Start, found_in, log, payload_with, scratch};

const MARK: &str = "qZ7mark";

#[test]
fn erase_waits_until_nothing_is_left_in_any_file() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let data = dir.path().join("data");
    server.load("watson-v1", &[log("shop", 1, "stays").to_string()]);
    let newest = data.join("chunks/0000000001.log");
    // The bot outlives its customers, and so does the event that tells that it was made.
    let mut marked = log("shop", 2, &format!("{MARK}-text"));
    marked["customer_id"] = format!("{MARK}-customer").into();
    marked["response"]["context"][format!("{MARK}-key")] = MARK.into();
    marked["response"]["intents"] = json!([{"intent": format!("{MARK}-intent"), "confidence": 1}]);
    server.load("watson-v1", &[marked.to_string()]);
    let payload = payload_with(&fs::read(&newest).unwrap(), MARK);
    assert_eq!(found_in(&data, &payload).len(), 1);

    let customer = format!("{MARK}-customer");
    let said = server
        .cli(["erase", "--customer", &customer, "--wait"])
        .ok();
    let last = said.stdout.lines().last().unwrap().to_owned();
    let text = "gone from every file of this server (backups keep what they hold)";
    assert_eq!(last, text, "{said:?}");
    let erasures = server.get("/convlog/v1/erasures");
    let erasure = &erasures["erasures"][0];
    assert_eq!(
        (&erasure["state"], &erasure["last_state"]),
        (&json!("done"), &json!("done"))
    );
    assert!(erasure["rows_overwritten_at"].is_string() && erasure["done_at"].is_string());
    assert_eq!(server.turns().len(), 1);
    assert_eq!(found_in(&data, &payload), [""; 0]);
    assert_eq!(found_in(&data, MARK.as_bytes()), [""; 0]);
    server.stop();
    assert_eq!(found_in(&data, &payload), [""; 0]);
    assert_eq!(found_in(&data, MARK.as_bytes()), [""; 0]);
    let server = Start::on(dir.path()).server();
    assert_eq!(server.turns().len(), 1);
}
