//! `PutLogEvents` and `GetLogEvents`.

use convlog_model::json::Json;

use super::{call, make_stream, now, put, refused, text, texts, turn, with_stream};
use crate::harness::Server;

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

/// A page at a token, or the first one, with more members.
async fn page(server: &Server, token: Option<&str>, more: &str) -> (Vec<String>, String) {
    let token = token.map_or_else(String::new, |token| format!(",\"nextToken\":\"{token}\""));
    let found = call(server, "GetLogEvents", &get(&format!("{more}{token}"))).await;
    let next = text(&found, "nextForwardToken").to_owned();
    (texts(&found, "events", "message"), next)
}

#[tokio::test]
async fn what_comes_in_before_the_last_event_is_found_at_the_end() {
    for more in [
        "",
        ",\"startFromHead\":true",
        ",\"startFromHead\":true,\"limit\":1",
    ] {
        let server = with_stream().await;
        make_stream(&server, "lex", "t").await;
        put(&server, "lex", "s", &[(9, "b")]).await;
        let (seen, end) = page(&server, None, more).await;
        assert_eq!(seen, ["b"], "{more}");
        put(&server, "lex", "t", &[(9, "of another stream")]).await;
        let nothing = (Vec::new(), end.clone());
        assert_eq!(page(&server, Some(&end), more).await, nothing, "{more}");
        put(&server, "lex", "s", &[(1, "a")]).await;
        let (seen, end) = page(&server, Some(&end), more).await;
        assert_eq!(seen, ["a"], "{more}");
        let nothing = (Vec::new(), end.clone());
        assert_eq!(page(&server, Some(&end), more).await, nothing, "{more}");
        let raw = r#"{"botName":"Flowers"}"#;
        turn(&server, "default", "s", 0, raw).await;
        put(&server, "lex", "s", &[(-1, "first"), (20, "last")]).await;
        let unlimited = more.replace(",\"limit\":1", "");
        let (seen, _) = page(&server, Some(&end), &unlimited).await;
        assert_eq!(seen, ["first", raw, "last"], "by time within a page");
    }
}

#[tokio::test]
async fn each_event_is_seen_once_while_others_come_in_between() {
    for (limit, is_head) in [(1, true), (2, true), (1, false), (2, false), (3, true)] {
        let server = with_stream().await;
        let mut wanted: Vec<String> = Vec::new();
        for i in 0..7 {
            put(&server, "lex", "s", &[(i / 2, &format!("m{i}"))]).await;
            // A walk that begins with the newest page goes on from there.
            if is_head || i >= 7 - limit {
                wanted.push(format!("m{i}"));
            }
        }
        let more = format!(",\"limit\":{limit},\"startFromHead\":{is_head}");
        let (mut seen, mut token) = page(&server, None, &more).await;
        let mut n_pages = 0;
        loop {
            if n_pages < 5 {
                let (early, late) = (format!("early {n_pages}"), format!("late {n_pages}"));
                let events = [
                    (-1 - n_pages, early.as_str()),
                    (99 - n_pages, late.as_str()),
                ];
                put(&server, "lex", "s", &events).await;
                wanted.extend([early, late]);
            }
            n_pages += 1;
            let (found, next) = page(&server, Some(&token), &more).await;
            assert!(found.len() <= usize::try_from(limit).unwrap(), "{found:?}");
            if next == token {
                assert_eq!(found.len(), 0, "a token that stays shows nothing");
                break;
            }
            seen.extend(found);
            token = next;
        }
        assert!(n_pages >= 5, "{n_pages} pages");
        seen.sort();
        wanted.sort();
        assert_eq!(seen, wanted, "limit {limit}, from the head: {is_head}");
    }
}

#[tokio::test]
async fn pages_of_what_came_later_lead_back_to_all_before_them() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(1, "m1"), (5, "m5")]).await;
    let (_, end) = page(&server, None, "").await;
    let back = async |token: &str| {
        let body = get(&format!(",\"nextToken\":\"{token}\""));
        let found = call(&server, "GetLogEvents", &body).await;
        let body = get(&format!(
            ",\"nextToken\":\"{}\"",
            text(&found, "nextBackwardToken")
        ));
        let earlier = call(&server, "GetLogEvents", &body).await;
        let forward = text(&earlier, "nextForwardToken").to_owned();
        (texts(&earlier, "events", "message"), forward)
    };
    put(&server, "lex", "s", &[(5, "in order")]).await;
    let (seen, again) = back(&end).await;
    assert_eq!(seen, ["m1", "m5"]);
    let (_, end) = page(&server, Some(&end), "").await;
    put(&server, "lex", "s", &[(3, "between")]).await;
    let all = ["m1", "between", "m5", "in order"];
    assert_eq!(back(&end).await.0, all);
    put(&server, "lex", "s", &[(2, "also later")]).await;
    // The first page back was read before the last two came.
    let walked = page(&server, Some(&again), "").await;
    let (rest, _) = page(&server, Some(&walked.1), "").await;
    assert_eq!(
        [walked.0, rest].concat(),
        ["in order", "also later", "between"]
    );
}

#[tokio::test]
async fn tokens_of_what_came_later_keep_to_the_times_and_the_way_that_were_asked_for() {
    let server = with_stream().await;
    let (from, to) = (now(&server, 2), now(&server, 5));
    let more = format!(",\"startTime\":{from},\"endTime\":{to}");
    let (seen, end) = page(&server, None, &more).await;
    assert_eq!(seen.len(), 0);
    put(&server, "lex", "s", &[(1, "x"), (4, "b"), (5, "x")]).await;
    put(&server, "lex", "s", &[(2, "a")]).await;
    let (seen, _) = page(&server, Some(&end), &more).await;
    assert_eq!(seen, ["a", "b"]);
    let turned = end.replacen("f/", "b/", 1);
    let bad = get(&format!("{more},\"nextToken\":\"{turned}\""));
    refused(&server, "GetLogEvents", &bad, "InvalidParameterException").await;
    let other = get(&format!(",\"nextToken\":\"{end}\""));
    refused(&server, "GetLogEvents", &other, "InvalidParameterException").await;
}
