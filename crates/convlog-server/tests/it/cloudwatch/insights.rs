//! Logs Insights, as dashboards of Lex use it.

use convlog_model::json::Json;

use super::{ask, call, now, put, refused, text, texts, turn, with_stream};
use crate::harness::{ADMIN, Server};

fn body(server: &Server, query: &str) -> String {
    let (from, to) = (now(server, 0) / 1000 - 60, now(server, 0) / 1000 + 60);
    let query = Json::string(query);
    format!(r#"{{"logGroupName":"lex","startTime":{from},"endTime":{to},"queryString":{query}}}"#)
}

async fn results(server: &Server, key: &str, body: &str) -> Json {
    let started = ask(server, key, "StartQuery", body).await;
    assert_eq!(started.status, 200, "{}", started.text());
    let id = started.text_at("queryId");
    loop {
        let wanted = format!(r#"{{"queryId":"{id}"}}"#);
        let found = ask(server, key, "GetQueryResults", &wanted).await.json();
        match text(&found, "status") {
            "Scheduled" | "Running" => tokio::task::yield_now().await,
            _ => return found,
        }
    }
}

/// Rows as `field=value` with spaces between; pointers are left out.
async fn rows(server: &Server, query: &str) -> Vec<String> {
    let found = results(server, ADMIN, &body(server, query)).await;
    assert_eq!(text(&found, "status"), "Complete", "{found}");
    let rows = found.get("results").and_then(Json::as_array).unwrap();
    let row = |row: &Json| {
        let fields = row.as_array().unwrap().iter();
        let fields = fields.filter(|field| text(field, "field") != "@ptr");
        let fields = fields.map(|f| format!("{}={}", text(f, "field"), text(f, "value")));
        fields.collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(row).collect()
}

async fn with_turns() -> Server {
    let server = with_stream().await;
    for (i, (session, intent, missed, said)) in [
        ("s1", "Order", false, "roses"),
        ("s1", "Order", false, "two"),
        ("s2", "", true, "blah"),
        ("s3", "", true, "blah"),
    ]
    .iter()
    .enumerate()
    {
        let intent = match *intent {
            "" => String::new(),
            intent => format!(r#""intent":"{intent}","#),
        };
        let raw = format!(
            r#"{{"botName":"B","sessionId":"{session}",{intent}"missedUtterance":{missed},"inputTranscript":"{said}"}}"#
        );
        turn(&server, "default", "x", i64::try_from(i).unwrap(), &raw).await;
    }
    put(
        &server,
        "lex",
        "s",
        &[(
            9,
            r#"{"sessionId":"s4","missedUtterance":true,"inputTranscript":"put"}"#,
        )],
    )
    .await;
    server
}

#[tokio::test]
async fn the_queries_of_dashboards_are_answered() {
    let server = with_turns().await;
    assert_eq!(
        rows(
            &server,
            "FILTER missedUtterance = 1 | DISPLAY inputTranscript"
        )
        .await,
        [
            "inputTranscript=put",
            "inputTranscript=blah",
            "inputTranscript=blah"
        ]
    );
    assert_eq!(
        rows(&server, "filter missedUtterance = 1 | stats count(*) as n by inputTranscript as said | sort n desc").await,
        ["said=blah n=2", "said=put n=1"]
    );
    assert_eq!(
        rows(&server, "stats count_distinct(sessionId) as sessions").await,
        ["sessions=4"]
    );
    assert_eq!(
        rows(
            &server,
            "filter sessionId = \"s1\" | sort @timestamp asc | display inputTranscript"
        )
        .await,
        ["inputTranscript=roses", "inputTranscript=two"]
    );
    assert_eq!(
        rows(&server, "fields @logStream | limit 1").await,
        ["@logStream=s"]
    );
}

#[tokio::test]
async fn statistics_pointers_and_lists_go_with_a_query() {
    let server = with_turns().await;
    let asked = body(&server, "fields inputTranscript | filter ispresent(intent)");
    let found = results(&server, ADMIN, &asked).await;
    let statistics = found.get("statistics").unwrap();
    assert_eq!(
        statistics.get("recordsMatched").and_then(Json::as_f64),
        Some(2.0),
        "{found}"
    );
    let row = found.get("results").and_then(Json::as_array).unwrap()[0]
        .as_array()
        .unwrap();
    let ptr = text(row.last().unwrap(), "value");
    assert_eq!(text(row.last().unwrap(), "field"), "@ptr");
    let record = call(
        &server,
        "GetLogRecord",
        &format!(r#"{{"logRecordPointer":"{ptr}"}}"#),
    )
    .await;
    let record = record.get("logRecord").unwrap();
    assert_eq!(text(record, "inputTranscript"), "two");
    assert_eq!(text(record, "missedUtterance"), "false");
    assert_eq!(text(record, "@log"), "123456789012:lex");
    let all = call(&server, "DescribeQueries", r#"{"logGroupName":"lex"}"#).await;
    assert_eq!(texts(&all, "queries", "status"), ["Complete"]);
    let id = texts(&all, "queries", "queryId").remove(0);
    let stopped = call(&server, "StopQuery", &format!(r#"{{"queryId":"{id}"}}"#)).await;
    assert_eq!(stopped.to_string(), r#"{"success":false}"#);
    let (_, other) = server.instance().await;
    let wanted = format!(r#"{{"queryId":"{id}"}}"#);
    let answer = ask(&server, &other, "GetQueryResults", &wanted).await;
    assert_eq!(answer.text_at("__type"), "ResourceNotFoundException");
    let wanted = format!(r#"{{"logRecordPointer":"{ptr}"}}"#);
    let answer = ask(&server, &other, "GetLogRecord", &wanted).await;
    assert_eq!(answer.text_at("__type"), "ResourceNotFoundException");
    let of_other = server.key(r#""read""#, r#""Other""#).await;
    let found = results(&server, &of_other, &asked).await;
    assert_eq!(found.get("results").unwrap().to_string(), "[]");
}

#[tokio::test]
async fn times_may_be_milliseconds() {
    let server = with_turns().await;
    let at = now(&server, 9);
    let asked = format!(
        r#"{{"logGroupNames":["lex"],"startTime":{at},"endTime":{at},"queryString":"fields sessionId"}}"#
    );
    let found = results(&server, ADMIN, &asked).await;
    assert_eq!(
        found.get("results").and_then(Json::as_array).unwrap().len(),
        1,
        "{found}"
    );
}

#[tokio::test]
async fn what_is_no_query_says_where() {
    let server = with_stream().await;
    let asked = body(&server, "fields a | nonsense b");
    let answer = ask(&server, ADMIN, "StartQuery", &asked).await;
    assert_eq!(answer.text_at("__type"), "MalformedQueryException");
    let error = answer.json();
    let start = error.at(&["queryCompileError", "location", "startCharOffset"]);
    assert_eq!(start.and_then(Json::as_i64), Some(11), "{error}");
    let nowhere = asked.replace("fields a | nonsense b", "fields a");
    let none = nowhere.replace(r#""logGroupName":"lex","#, "");
    refused(&server, "StartQuery", &none, "InvalidParameterException").await;
    let gone = nowhere.replace("lex", "gone");
    refused(&server, "StartQuery", &gone, "ResourceNotFoundException").await;
    let unknown = r#"{"queryId":"x"}"#;
    refused(
        &server,
        "GetQueryResults",
        unknown,
        "ResourceNotFoundException",
    )
    .await;
}
