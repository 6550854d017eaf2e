//! Operations over engines in memory: what a client cannot see, or cannot bring about in time.

use axum::http::HeaderMap;
use convlog_dialects::cloudwatch::event;
use convlog_model::filter::Filter;
use convlog_model::store::faulty::Call as Faulty;

use super::documents::Documents;
use super::*;
use crate::app::App;
use crate::entity::Change;
use crate::events::LOG_GROUP_DELETE;
use crate::testing::{OWNER, Rig, rig};

const GROUP: &str = r#"{"logGroupName":"lex"}"#;

fn asking(app: &App, operation: &str, body: &str) -> Call {
    let target = format!("{PREFIX}{operation}").parse().unwrap();
    Call {
        app: app.clone(),
        caller: OWNER.clone(),
        query: Vec::new(),
        headers: HeaderMap::from_iter([(TARGET, target)]),
        body: body.to_owned().into(),
        request_id: String::new(),
        signature: None,
    }
}

async fn call(app: &App, operation: &str, body: &str) -> Json {
    run(asking(app, operation, body)).await.unwrap()
}

/// Makes the group `lex` with a stream.
async fn make(app: &App) {
    call(app, "CreateLogGroup", GROUP).await;
    let body = r#"{"logGroupName":"lex","logStreamName":"s"}"#;
    call(app, "CreateLogStream", body).await;
}

async fn put(app: &App, messages: &[String]) {
    put_in(app, "s", messages).await;
}

async fn put_in(app: &App, stream: &str, messages: &[String]) {
    let now = app.now().millis();
    let events = messages.iter().map(|message| {
        Json::object([
            ("timestamp", Json::integer(now)),
            ("message", Json::string(message.as_str())),
        ])
    });
    let body = Json::object([
        ("logGroupName", Json::string("lex")),
        ("logStreamName", Json::string(stream)),
        ("logEvents", Json::Array(events.collect())),
    ]);
    call(app, "PutLogEvents", &body.to_string()).await;
}

fn messages(answer: &Json) -> Vec<String> {
    let events = answer.get("events").and_then(Json::as_array).unwrap();
    let message = |event: &Json| event.get("message")?.as_str().map(str::to_owned);
    events.iter().filter_map(message).collect()
}

#[tokio::test]
async fn what_came_while_a_group_was_deleted_goes_and_what_a_new_one_of_its_name_got_stays() {
    let Rig { app, .. } = rig();
    make(&app).await;
    let old: Vec<String> = (0..450).map(|i| format!("old {i}")).collect();
    put(&app, &old).await;
    let documents = Documents::new(&app, &OWNER.instance);
    let event = documents::told(&app, &OWNER, LOG_GROUP_DELETE, "lex");
    let gone = documents.groups().change(&documents.group_id("lex"), |_| {
        Ok(Change::delete(event.clone()))
    });
    gone.await.unwrap();
    make(&app).await;
    // The clock stands: both groups' events have the same time of receipt.
    put(&app, &["new".to_owned()]).await;
    let of_group = Filter::equals(event::GROUP_FIELD, "lex").and(event::put());
    let n = async || app.query().count(&OWNER, of_group.clone()).await.unwrap();
    assert_eq!(n().await, 451);
    let asked = Asked::new(asking(&app, "DeleteLogGroup", GROUP), "DeleteLogGroup").unwrap();
    groups::erase_rest(&asked, "lex", &of_group).await.unwrap();
    assert_eq!(n().await, 1);
    let found = call(&app, "FilterLogEvents", GROUP).await;
    assert_eq!(messages(&found), ["new"]);
    call(&app, "DeleteLogGroup", GROUP).await;
    groups::erase_rest(&asked, "lex", &of_group).await.unwrap();
    assert_eq!(n().await, 0);
}

#[tokio::test]
async fn a_small_page_of_what_a_pattern_takes_costs_few_steps_and_loses_nothing() {
    let Rig { app, store, .. } = rig();
    make(&app).await;
    let all: Vec<String> = (0..3000)
        .map(|i| match i {
            0 | 1500 | 1501 | 1502 | 2998 => format!("wanted {i}"),
            _ => format!("other {i}"),
        })
        .collect();
    put(&app, &all).await;
    for is_forward in [true, false] {
        let (mut found, mut token) = (Vec::new(), String::new());
        let before = store.calls(Faulty::Search);
        loop {
            let body = format!(
                r#"{{"logGroupName":"lex","filterPattern":"wanted","limit":1,"startFromHead":{is_forward}{token}}}"#
            );
            let page = call(&app, "FilterLogEvents", &body).await;
            let shown = messages(&page);
            assert!(shown.len() <= 1, "{shown:?}");
            found.extend(shown);
            match page.get("nextToken") {
                Some(next) => token = format!(r#","nextToken":{next}"#),
                None => break,
            }
        }
        if !is_forward {
            found.reverse();
        }
        let wanted = [0, 1500, 1501, 1502, 2998].map(|i| format!("wanted {i}"));
        assert_eq!(found, wanted);
        let n_searches = store.calls(Faulty::Search) - before;
        assert!(n_searches < 30, "{n_searches} searches");
    }
}

#[tokio::test]
async fn a_page_that_ends_within_a_step_is_the_last_only_where_nothing_follows() {
    let Rig { app, .. } = rig();
    make(&app).await;
    put(&app, &["x", "wanted", "x"].map(str::to_owned)).await;
    let body = r#"{"logGroupName":"lex","filterPattern":"wanted","limit":1}"#;
    let page = call(&app, "FilterLogEvents", body).await;
    assert_eq!(messages(&page), ["wanted"]);
    let token = page.get("nextToken").unwrap();
    let body = format!(
        r#"{{"logGroupName":"lex","filterPattern":"wanted","limit":1,"nextToken":{token}}}"#
    );
    let page = call(&app, "FilterLogEvents", &body).await;
    assert_eq!(messages(&page).len(), 0);
    assert!(page.get("nextToken").is_none(), "{page}");
    put(&app, &["wanted".to_owned()]).await;
    let body = r#"{"logGroupName":"lex","filterPattern":"wanted","limit":2}"#;
    let page = call(&app, "FilterLogEvents", body).await;
    assert_eq!(messages(&page), ["wanted", "wanted"]);
    assert!(page.get("nextToken").is_none(), "{page}");
}

/// A page of the stream `s` at a token, and the token behind it.
async fn page(app: &App, token: &str) -> (Vec<String>, String) {
    let body = match token {
        "" => r#"{"logGroupName":"lex","logStreamName":"s"}"#.to_owned(),
        token => format!(r#"{{"logGroupName":"lex","logStreamName":"s","nextToken":"{token}"}}"#),
    };
    let page = call(app, "GetLogEvents", &body).await;
    let next = page.get("nextForwardToken").and_then(Json::as_str);
    (messages(&page), next.unwrap().to_owned())
}

#[tokio::test]
async fn a_page_at_the_end_looks_at_so_much_of_other_streams_and_goes_on() {
    let Rig { app, .. } = rig();
    make(&app).await;
    let other = r#"{"logGroupName":"lex","logStreamName":"t"}"#;
    call(&app, "CreateLogStream", other).await;
    let (_, end) = page(&app, "").await;
    let others: Vec<String> = (0..10_000).map(|i| i.to_string()).collect();
    put_in(&app, "t", &others).await;
    assert_eq!(page(&app, &end).await, (Vec::new(), end.clone()));
    put_in(&app, "t", &others).await;
    put(&app, &["wanted".to_owned()]).await;
    let (seen, on) = page(&app, &end).await;
    assert_eq!(seen.len(), 0);
    assert_ne!(on, end);
    let (seen, end) = page(&app, &on).await;
    assert_eq!(seen, ["wanted"]);
    assert_eq!(page(&app, &end).await, (Vec::new(), end.clone()));
}

#[tokio::test]
async fn a_page_at_the_end_is_bounded_in_bytes() {
    let Rig { app, .. } = rig();
    make(&app).await;
    let (_, mut token) = page(&app, "").await;
    let long = "x".repeat(700 << 10);
    for _ in 0..3 {
        put(&app, std::slice::from_ref(&long)).await;
    }
    for _ in 0..3 {
        let (seen, next) = page(&app, &token).await;
        assert_eq!(seen, [long.as_str()]);
        token = next;
    }
    assert_eq!(page(&app, &token).await, (Vec::new(), token.clone()));
}

#[tokio::test]
async fn another_server_of_the_same_data_goes_on_at_a_token() {
    let Rig { app, deps, .. } = rig();
    make(&app).await;
    put(&app, &["a", "b", "c"].map(str::to_owned)).await;
    let next = async |token: &str| {
        let app = App::new(crate::config::ServerConfig::default(), deps.clone());
        let body = format!(
            r#"{{"logGroupName":"lex","logStreamName":"s","limit":1,"startFromHead":true{token}}}"#
        );
        let page = call(&app, "GetLogEvents", &body).await;
        let token = page.get("nextForwardToken").unwrap();
        (messages(&page), format!(r#","nextToken":{token}"#))
    };
    let mut token = String::new();
    for (shown, late) in [("a", "d"), ("b", "e"), ("c", "f"), ("d", "g"), ("e", "h")] {
        let (seen, on) = next(&token).await;
        assert_eq!(seen, [shown]);
        put(&app, &[late.to_owned()]).await;
        token = on;
    }
}
