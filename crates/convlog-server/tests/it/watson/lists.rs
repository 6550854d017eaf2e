//! Lists: order, pages, the frozen match set, cursors that do not fit.

use std::collections::BTreeSet;

use convlog_model::json::Json;

use super::{V1, error, logs, say, text, with_echo};
use crate::harness::Server;

const LIST: &str = "/v1/workspaces/W1/logs?version=2021-11-27";

async fn fill(server: &Server, n_turns: usize) {
    for turn in 0..n_turns {
        server.clock.step(1_000_000);
        say(
            server,
            "W1",
            &format!(r#"{{"input":{{"text":"turn {turn}"}}}}"#),
        )
        .await;
    }
}

fn said(logs: &[Json]) -> Vec<String> {
    logs.iter()
        .map(|log| text(log, &["request", "input", "text"]).to_owned())
        .collect()
}

struct Walk {
    pages: Vec<Vec<String>>,
    next: Option<(String, String)>,
}

/// Asks for one page and notes where the next one is.
async fn page(server: &Server, uri: &str, walk: &mut Walk) {
    let answer = server.get(uri).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    walk.pages
        .push(said(body.get("logs").and_then(Json::as_array).unwrap()));
    let pagination = body.get("pagination").unwrap();
    walk.next = pagination.get("next_cursor").map(|cursor| {
        let url = text(pagination, &["next_url"]).to_owned();
        (cursor.as_str().unwrap().to_owned(), url)
    });
    if walk.next.is_none() {
        assert_eq!(pagination.to_string(), "{}");
    }
}

#[tokio::test]
async fn pages_show_every_log_once_and_end_without_a_cursor() {
    let server = with_echo().await;
    fill(&server, 7).await;
    for (limit, n_pages) in [(2, 4), (7, 1), (100, 1)] {
        let mut walk = Walk {
            pages: Vec::new(),
            next: None,
        };
        let query = format!("{LIST}&page_limit={limit}&sort=request_timestamp");
        page(&server, &query, &mut walk).await;
        while let Some((cursor, url)) = walk.next.take() {
            let parsed: Vec<(String, String)> =
                url::form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes())
                    .into_owned()
                    .collect();
            assert!(url.starts_with("/v1/workspaces/W1/logs?"), "{url}");
            assert!(
                parsed.contains(&("cursor".to_owned(), cursor.clone())),
                "{url}"
            );
            assert!(
                parsed.contains(&("version".to_owned(), "2021-11-27".to_owned())),
                "{url}"
            );
            page(&server, &format!("{query}&cursor={cursor}"), &mut walk).await;
        }
        let all: Vec<String> = walk.pages.iter().flatten().cloned().collect();
        let wanted: Vec<String> = (0..7).map(|turn| format!("turn {turn}")).collect();
        assert_eq!(all, wanted, "{limit}");
        assert_eq!(walk.pages.len(), n_pages, "{limit}");
    }
}

#[tokio::test]
async fn new_logs_do_not_shift_the_pages_of_a_walk() {
    let server = with_echo().await;
    fill(&server, 4).await;
    let mut walk = Walk {
        pages: Vec::new(),
        next: None,
    };
    page(&server, &format!("{LIST}&page_limit=2"), &mut walk).await;
    let (_, url) = walk.next.take().unwrap();
    fill(&server, 3).await;
    page(&server, &url, &mut walk).await;
    assert_eq!(walk.pages, [["turn 3", "turn 2"], ["turn 1", "turn 0"]]);
    assert_eq!(walk.next, None);
}

#[tokio::test]
async fn the_order_is_that_of_the_sort_parameter() {
    let server = with_echo().await;
    fill(&server, 3).await;
    let newest_first = ["turn 2", "turn 1", "turn 0"];
    for sort in ["", "&sort=-request_timestamp", "&sort=-response_timestamp"] {
        assert_eq!(
            said(&logs(&server, &format!("{LIST}{sort}")).await),
            newest_first
        );
    }
    let oldest_first = ["turn 0", "turn 1", "turn 2"];
    assert_eq!(
        said(&logs(&server, &format!("{LIST}&sort=request_timestamp")).await),
        oldest_first
    );
    let (status, _, message, path) = error(&server.get(&format!("{LIST}&sort=log_id")).await);
    assert_eq!((status, path.as_str()), (400, "sort"));
    assert!(
        message.starts_with("sort must be request_timestamp"),
        "{message}"
    );
}

#[tokio::test]
async fn page_limits_are_cut_above_and_refused_below() {
    let mut config = convlog_server::ServerConfig::default();
    config.limits.page_max = 3;
    let server = Server::with(config).await;
    super::bot(&server, "W1", r#"{"connector":{"kind":"echo"}}"#).await;
    fill(&server, 4).await;
    for limit in ["500000", "99999999999999999999999999", "4"] {
        assert_eq!(
            logs(&server, &format!("{LIST}&page_limit={limit}"))
                .await
                .len(),
            3
        );
    }
    for limit in ["0", "-1", "ten", "1.5", "00"] {
        let answer = server.get(&format!("{LIST}&page_limit={limit}")).await;
        let (status, _, message, path) = error(&answer);
        assert_eq!((status, path.as_str()), (400, "page_limit"), "{limit}");
        assert_eq!(message, "page_limit must be a whole number of at least 1");
    }
}

#[tokio::test]
async fn a_cursor_that_does_not_fit_is_refused() {
    let server = with_echo().await;
    fill(&server, 3).await;
    let mut walk = Walk {
        pages: Vec::new(),
        next: None,
    };
    page(&server, &format!("{LIST}&page_limit=1"), &mut walk).await;
    let (cursor, _) = walk.next.unwrap();
    for query in [
        format!("&cursor={cursor}&filter=language%3A%3Aen"),
        format!("&cursor={cursor}&sort=request_timestamp"),
        "&cursor=nonsense".to_owned(),
    ] {
        let (status, _, _, path) = error(&server.get(&format!("{LIST}{query}")).await);
        assert_eq!((status, path.as_str()), (400, "cursor"), "{query}");
    }
}

#[tokio::test]
async fn an_empty_list_is_no_error() {
    let server = with_echo().await;
    let answer = server.get(&format!("{LIST}&filter=")).await;
    assert_eq!(answer.text(), r#"{"logs":[],"pagination":{}}"#);
    for name in [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ] {
        assert!(answer.header(name).parse::<i64>().is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_key_of_some_bots_sees_theirs_alone() {
    let server = with_echo().await;
    super::bot(&server, "W2", r#"{"connector":{"kind":"echo"}}"#).await;
    fill(&server, 1).await;
    say(&server, "W2", r#"{"input":{"text":"other"}}"#).await;
    let key = server.key(r#""read""#, r#""W2""#).await;
    let answer = server.call(&key, "GET", LIST, "").await;
    assert_eq!(
        (answer.status.as_u16(), error(&answer).1.as_str()),
        (404, "Resource not found")
    );
    let mut found = BTreeSet::new();
    for workspace in ["W1", "W2"] {
        let filter = format!("language%3A%3Aen%2Cworkspace_id%3A%3A{workspace}");
        let uri = format!("/v1/logs?{V1}&filter={filter}");
        let answer = server.call(&key, "GET", &uri, "").await;
        let body = answer.json();
        found.extend(said(body.get("logs").and_then(Json::as_array).unwrap()));
    }
    assert_eq!(found, BTreeSet::from(["other".to_owned()]));
}
