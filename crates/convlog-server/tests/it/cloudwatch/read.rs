//! `FilterLogEvents`, as readers of conversations use it.

use super::{ask, call, make_stream, now, put, refused, text, texts, turn, with_stream};
use crate::harness::Server;

fn filter(more: &str) -> String {
    format!(r#"{{"logGroupName":"lex"{more}}}"#)
}

async fn messages(server: &Server, more: &str) -> Vec<String> {
    let found = call(server, "FilterLogEvents", &filter(more)).await;
    assert_eq!(found.get("searchedLogStreams").unwrap().to_string(), "[]");
    texts(&found, "events", "message")
}

fn entry(session: &str, missed: bool, text: &str) -> String {
    format!(
        r#"{{"botName":"OrderFlowers","sessionId":"{session}","missedUtterance":{missed},"inputTranscript":"{text}"}}"#
    )
}

#[tokio::test]
async fn streams_are_interleaved_in_order_of_time_then_arrival() {
    let server = with_stream().await;
    make_stream(&server, "lex", "t").await;
    put(&server, "lex", "s", &[(5, "s5"), (9, "s9")]).await;
    put(&server, "lex", "t", &[(1, "t1"), (5, "t5")]).await;
    assert_eq!(messages(&server, "").await, ["t1", "s5", "t5", "s9"]);
    let newest = messages(&server, r#","startFromHead":false"#).await;
    assert_eq!(newest, ["s9", "t5", "s5", "t1"]);
    let (from, to) = (now(&server, 5), now(&server, 9));
    let some = messages(&server, &format!(r#","startTime":{from},"endTime":{to}"#)).await;
    assert_eq!(some, ["s5", "t5", "s9"], "both times are included");
    assert_eq!(
        messages(&server, r#","logStreamNames":["t"]"#).await,
        ["t1", "t5"]
    );
    let of_prefix = messages(&server, r#","logStreamNamePrefix":"s""#).await;
    assert_eq!(of_prefix, ["s5", "s9"]);
    let both = filter(r#","logStreamNamePrefix":"s","logStreamNames":["t"]"#);
    refused(
        &server,
        "FilterLogEvents",
        &both,
        "InvalidParameterException",
    )
    .await;
}

#[tokio::test]
async fn pages_show_every_event_once_and_nothing_that_came_later() {
    let server = with_stream().await;
    for i in 0..5 {
        put(&server, "lex", "s", &[(i / 2, &format!("m{i}"))]).await;
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let found = call(
            &server,
            "FilterLogEvents",
            &filter(&format!(r#","limit":2{token}"#)),
        )
        .await;
        seen.extend(texts(&found, "events", "message"));
        put(&server, "lex", "s", &[(9, "later")]).await;
        match found.get("nextToken") {
            Some(next) => token = format!(r#","nextToken":{next}"#),
            None => break,
        }
    }
    assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4"]);
}

#[tokio::test]
async fn a_session_is_found_by_its_quoted_id() {
    let server = with_stream().await;
    let (one, other) = (
        "2026-01-02T03:04:05.006Z-aBcDeFgH",
        "2026-01-02T03:04:05.006Z-other",
    );
    turn(&server, "default", "x", 1, &entry(one, false, "first")).await;
    turn(&server, "default", "x", 2, &entry(other, false, "not this")).await;
    turn(&server, "default", "y", 3, &entry(one, true, "second")).await;
    let pattern = format!(r#","filterPattern":"\"{one}\"""#);
    let wanted = [entry(one, false, "first"), entry(one, true, "second")];
    assert_eq!(messages(&server, &pattern).await, wanted);
}

#[tokio::test]
async fn missed_utterances_are_found_in_turns_and_in_what_was_put() {
    let server = with_stream().await;
    turn(&server, "default", "x", 1, &entry("a", false, "hit")).await;
    turn(&server, "default", "x", 2, &entry("a", true, "missed")).await;
    put(
        &server,
        "lex",
        "s",
        &[(3, &entry("b", true, "put")), (4, "no json")],
    )
    .await;
    let pattern = r#"{ ($.botName = \"OrderFlowers\") && ($.missedUtterance IS TRUE) }"#;
    let found = messages(&server, &format!(r#","filterPattern":"{pattern}""#)).await;
    assert_eq!(found, [entry("a", true, "missed"), entry("b", true, "put")]);
    let bad = filter(r#","filterPattern":"{ $.a = ""#);
    let message = refused(
        &server,
        "FilterLogEvents",
        &bad,
        "InvalidParameterException",
    )
    .await;
    assert!(message.contains("column"), "{message}");
}

#[tokio::test]
async fn nothing_is_seen_of_another_instance_or_bot() {
    let server = with_stream().await;
    let (instance, key) = server.instance().await;
    let made = ask(&server, &key, "CreateLogGroup", r#"{"logGroupName":"lex"}"#).await;
    assert_eq!(made.status, 200, "{}", made.text());
    turn(&server, "default", "x", 1, &entry("a", false, "own")).await;
    turn(&server, &instance, "x", 1, &entry("a", false, "theirs")).await;
    put(&server, "lex", "s", &[(2, "put")]).await;
    assert_eq!(
        messages(&server, "").await,
        [entry("a", false, "own"), "put".to_owned()]
    );
    let theirs = ask(&server, &key, "FilterLogEvents", &filter(""))
        .await
        .json();
    assert_eq!(
        texts(&theirs, "events", "message"),
        [entry("a", false, "theirs")]
    );
    let of_bot = server.key(r#""read","write""#, r#""OrderFlowers""#).await;
    let seen = ask(&server, &of_bot, "FilterLogEvents", &filter(""))
        .await
        .json();
    assert_eq!(
        texts(&seen, "events", "message"),
        [entry("a", false, "own")]
    );
    let of_other = server.key(r#""read""#, r#""Other""#).await;
    let seen = ask(&server, &of_other, "FilterLogEvents", &filter(""))
        .await
        .json();
    assert_eq!(texts(&seen, "events", "message").len(), 0);
    let event = call(&server, "FilterLogEvents", &filter("")).await;
    assert_eq!(texts(&event, "events", "eventId").len(), 2);
    assert_eq!(
        text(
            &event.get("events").unwrap().as_array().unwrap()[1],
            "logStreamName"
        ),
        "s"
    );
}
