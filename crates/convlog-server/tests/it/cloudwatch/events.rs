//! `PutLogEvents` and `GetLogEvents`.

use convlog_model::json::Json;

use super::{call, now, put, refused, text, texts, turn, with_stream};

const DAY: i64 = 86_400_000;

fn get(more: &str) -> String {
    format!(r#"{{"logGroupName":"lex","logStreamName":"s"{more}}}"#)
}

#[tokio::test]
async fn messages_come_back_as_they_were_sent() {
    let server = with_stream().await;
    let messages = [" plain ", "{\"a\": 1 }", "ž\u{2028}\n\t\"\\", "{broken"];
    for message in messages {
        put(&server, "lex", "s", &[(0, message)]).await;
    }
    let found = call(&server, "GetLogEvents", &get(",\"startFromHead\":true")).await;
    assert_eq!(texts(&found, "events", "message"), messages);
    let event = &found.get("events").and_then(Json::as_array).unwrap()[0];
    let times = ["timestamp", "ingestionTime"];
    for time in times {
        let at = event.get(time).and_then(Json::as_i64);
        assert_eq!(at, Some(now(&server, 0)), "{time}");
    }
}

#[tokio::test]
async fn events_too_old_and_too_new_are_refused_alone() {
    let server = with_stream().await;
    let answer = put(
        &server,
        "lex",
        "s",
        &[(-14 * DAY - 1, "old"), (-14 * DAY, "kept")],
    )
    .await;
    assert_eq!(
        answer.get("rejectedLogEventsInfo").unwrap().to_string(),
        r#"{"tooOldLogEventEndIndex":1}"#
    );
    let answer = put(&server, "lex", "s", &[(0, "now"), (7_200_001, "new")]).await;
    assert_eq!(
        answer.get("rejectedLogEventsInfo").unwrap().to_string(),
        r#"{"tooNewLogEventStartIndex":1}"#
    );
    let answer = put(&server, "lex", "s", &[(1, "last")]).await;
    assert!(answer.get("rejectedLogEventsInfo").is_none());
    assert!(!text(&answer, "nextSequenceToken").is_empty());
    let found = call(&server, "GetLogEvents", &get("")).await;
    assert_eq!(texts(&found, "events", "message"), ["kept", "now", "last"]);
}

#[tokio::test]
async fn batches_out_of_order_too_long_and_too_large_are_refused_whole() {
    let server = with_stream().await;
    let at = now(&server, 0);
    let long = "x".repeat(1_048_576 - 25);
    let batches = [
        format!(
            r#"[{{"timestamp":{at},"message":"a"}},{{"timestamp":{},"message":"b"}}]"#,
            at - 1
        ),
        format!(
            r#"[{{"timestamp":{},"message":"a"}},{{"timestamp":{at},"message":"b"}}]"#,
            at - DAY - 1
        ),
        format!(r#"[{{"timestamp":{at},"message":"{long}"}}]"#),
        format!(r#"[{{"timestamp":{at},"message":""}}]"#),
        r#"[{"timestamp":-1,"message":"a"}]"#.to_owned(),
        "[]".to_owned(),
    ];
    for batch in batches {
        let body = get(&format!(",\"logEvents\":{batch}"));
        refused(&server, "PutLogEvents", &body, "InvalidParameterException").await;
    }
    let found = call(&server, "GetLogEvents", &get("")).await;
    assert_eq!(texts(&found, "events", "message").len(), 0);
    let most = "x".repeat(1_048_576 - 26);
    put(&server, "lex", "s", &[(0, &most)]).await;
}

#[tokio::test]
async fn tokens_lead_both_ways_and_on_as_more_arrives() {
    let server = with_stream().await;
    let numbers: Vec<String> = (0..7).map(|i| format!("m{i}")).collect();
    for (i, message) in numbers.iter().enumerate() {
        put(
            &server,
            "lex",
            "s",
            &[(i64::try_from(i).unwrap() / 2, message)],
        )
        .await;
    }
    let first = call(&server, "GetLogEvents", &get(",\"limit\":3")).await;
    assert_eq!(texts(&first, "events", "message"), ["m4", "m5", "m6"]);
    let follow = async |token: &str| {
        let body = get(&format!(",\"limit\":3,\"nextToken\":\"{token}\""));
        call(&server, "GetLogEvents", &body).await
    };
    let earlier = follow(text(&first, "nextBackwardToken")).await;
    assert_eq!(texts(&earlier, "events", "message"), ["m1", "m2", "m3"]);
    let earliest = follow(text(&earlier, "nextBackwardToken")).await;
    assert_eq!(texts(&earliest, "events", "message"), ["m0"]);
    let before = follow(text(&earliest, "nextBackwardToken")).await;
    assert_eq!(texts(&before, "events", "message").len(), 0);
    assert_eq!(
        text(&before, "nextBackwardToken"),
        text(&earliest, "nextBackwardToken")
    );
    let again = follow(text(&before, "nextForwardToken")).await;
    assert_eq!(texts(&again, "events", "message"), ["m0", "m1", "m2"]);
    let later = follow(text(&again, "nextForwardToken")).await;
    assert_eq!(texts(&later, "events", "message"), ["m3", "m4", "m5"]);
    let end = follow(text(&first, "nextForwardToken")).await;
    assert_eq!(texts(&end, "events", "message").len(), 0);
    assert_eq!(
        text(&end, "nextForwardToken"),
        text(&first, "nextForwardToken")
    );
    let back = follow(text(&end, "nextBackwardToken")).await;
    assert_eq!(texts(&back, "events", "message"), ["m4", "m5", "m6"]);
    put(&server, "lex", "s", &[(9, "late")]).await;
    let found = follow(text(&end, "nextForwardToken")).await;
    assert_eq!(texts(&found, "events", "message"), ["late"]);
}

#[tokio::test]
async fn an_empty_stream_can_be_followed() {
    let server = with_stream().await;
    let empty = call(&server, "GetLogEvents", &get("")).await;
    let token = text(&empty, "nextForwardToken");
    put(&server, "lex", "s", &[(0, "first")]).await;
    let body = get(&format!(",\"nextToken\":\"{token}\""));
    let found = call(&server, "GetLogEvents", &body).await;
    assert_eq!(texts(&found, "events", "message"), ["first"]);
    for bad in ["x", "f/x", token.split_at(9).0] {
        let body = get(&format!(",\"nextToken\":\"{bad}\""));
        refused(&server, "GetLogEvents", &body, "InvalidParameterException").await;
    }
    let other = get(&format!(",\"startTime\":1,\"nextToken\":\"{token}\""));
    refused(&server, "GetLogEvents", &other, "InvalidParameterException").await;
}

#[tokio::test]
async fn the_end_time_is_not_included() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(0, "a"), (1, "b"), (2, "c")]).await;
    let (from, to) = (now(&server, 1), now(&server, 2));
    let body = get(&format!(",\"startTime\":{from},\"endTime\":{to}"));
    let found = call(&server, "GetLogEvents", &body).await;
    assert_eq!(texts(&found, "events", "message"), ["b"]);
}

#[tokio::test]
async fn a_turn_of_lex_is_its_raw_body() {
    let server = with_stream().await;
    let raw = r#"{"botName" : "Flowers",  "inputTranscript":"ž"}"#;
    turn(&server, "default", "s", 3, raw).await;
    let found = call(&server, "GetLogEvents", &get("")).await;
    assert_eq!(texts(&found, "events", "message"), [raw]);
    let event = &found.get("events").and_then(Json::as_array).unwrap()[0];
    let at = event.get("timestamp").and_then(Json::as_i64);
    assert_eq!(at, Some(now(&server, 3)));
}

#[tokio::test]
async fn events_that_come_back_from_an_export_are_known() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(0, "same"), (0, "same")]).await;
    put(&server, "lex", "s", &[(0, "same")]).await;
    let export = server.get("/convlog/v1/export?format=jsonl").await.text();
    let path = "/convlog/v1/records?dialect=convlog";
    let again = server.post(path, &export).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert!(
        again.text().starts_with(r#"{"accepted":0,"duplicates":3,"#),
        "{}",
        again.text()
    );
    let found = call(&server, "GetLogEvents", &get("")).await;
    assert_eq!(texts(&found, "events", "message"), ["same"; 3]);
}
