//! The forms of an answer: pages, lines, rows, server-sent events; heads and compressed bodies.

use http_body_util::BodyExt as _;

use super::*;

const FOREIGN: &str = "type=t.*&order=asc";

#[tokio::test]
async fn all_forms_show_the_same_items_in_the_same_order() {
    let server = with_events(230).await;
    let uri = format!("{EXPORT}?{FOREIGN}");
    let paged = walk(&server, "asc", 100, "&type=t.*").await;
    assert_eq!(paged.len(), 230);
    for accept in [
        "application/jsonl",
        "application/x-ndjson",
        "text/html, application/jsonl;q=0.9",
    ] {
        let answer = accepting(&server, &uri, accept).await;
        assert_eq!(answer.header("content-type"), "application/jsonl");
        let streamed: Vec<String> = lines(&answer.text())
            .iter()
            .map(|i| text(i, "id"))
            .collect();
        assert_eq!(streamed, paged, "{accept}");
    }
    let csv = accepting(&server, &uri, "text/csv").await;
    assert_eq!(csv.header("content-type"), "text/csv");
    let csv_text = csv.text();
    let mut rows = csv_text.lines();
    assert!(
        rows.next()
            .unwrap()
            .starts_with("id,type,name,description,conversationId,")
    );
    let of_rows: Vec<&str> = rows.map(|row| row.split('"').nth(1).unwrap()).collect();
    assert_eq!(of_rows, paged);
    let sse = accepting(&server, &uri, "text/event-stream").await;
    let sse_text = sse.text();
    let of_events: Vec<&str> = sse_text
        .lines()
        .filter_map(|l| l.strip_prefix("id: "))
        .collect();
    assert_eq!(of_events, paged);
    let exported = server.get(&uri).await;
    assert_eq!(ids(&exported), paged[..100], "an export as JSON is a page");
}

#[tokio::test]
async fn take_is_exact_in_every_form() {
    let server = with_events(510).await;
    for (take, paged, streamed) in [
        ("1", 1, 1),
        ("50", 50, 50),
        ("150", 150, 150),
        ("500", 500, 500),
        ("505", 500, 505),
        ("999999999999999999999", 500, 510),
        ("0", 100, 510),
        ("x", 100, 510),
        ("-3", 1, 1),
    ] {
        let uri = format!("{LIST}?take={take}&{FOREIGN}");
        assert_eq!(ids(&server.get(&uri).await).len(), paged, "{take}");
        let lines = lines(&accepting(&server, &uri, "application/jsonl").await.text());
        assert_eq!(lines.len(), streamed, "{take}");
        let csv = accepting(&server, &uri, "text/csv").await;
        assert_eq!(csv.text().lines().count(), streamed + 1, "{take}");
    }
}

#[tokio::test]
async fn nothing_found_is_an_empty_stream() {
    let server = with_events(1).await;
    let uri = format!("{EXPORT}?type=none");
    let answer = accepting(&server, &uri, "application/jsonl").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    let csv = accepting(&server, &uri, "text/csv").await;
    assert_eq!(csv.text().lines().count(), 1);
}

#[tokio::test]
async fn a_stream_ends_with_its_count_and_a_cursor() {
    let server = with_events(5).await;
    let request = Request::builder()
        .uri(format!("{EXPORT}?{FOREIGN}&take=3"))
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
        .header(header::ACCEPT, "application/jsonl");
    let answer = server.response(request.body(Body::empty()).unwrap()).await;
    let named = answer.headers().get("trailer").unwrap().to_str().unwrap();
    assert_eq!(named, "X-Convlog-Count, X-Convlog-Cursor");
    let collected = answer.into_body().collect().await.unwrap();
    let trailers = collected.trailers().unwrap().clone();
    assert_eq!(trailers.get("x-convlog-count").unwrap(), "3");
    let cursor = trailers.get("x-convlog-cursor").unwrap().to_str().unwrap();
    let rest = server
        .get(&format!("{LIST}?{FOREIGN}&cursor={cursor}"))
        .await;
    assert_eq!(ids(&rest), ["e003", "e004"]);
}

#[tokio::test]
async fn an_export_shows_what_was_there_when_it_began() {
    let server = with_events(3).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = accepting(&server, EXPORT, "application/jsonl").await;
        seen.push(lines(&answer.text()).len());
    }
    assert_eq!(
        seen[1],
        seen[0] + 1,
        "each export is an event, and not in itself"
    );
    let last = items(&server.get(&format!("{LIST}?take=1")).await).remove(0);
    assert_eq!(text(&last, "type"), "file.download");
    assert_eq!(text(&last, "action"), "READ");
}

#[tokio::test]
async fn whoever_takes_gzip_gets_it() {
    let server = with_events(60).await;
    for (uri, accept) in [(LIST, "*/*"), (EXPORT, "application/jsonl")] {
        let request = Request::builder()
            .uri(format!("{uri}?{FOREIGN}"))
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header(header::ACCEPT, accept)
            .header(header::ACCEPT_ENCODING, "gzip, deflate");
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("content-encoding"), "gzip");
        let plain = accepting(&server, &format!("{uri}?{FOREIGN}"), accept).await;
        assert!(answer.body.len() < plain.body.len());
    }
}

#[tokio::test]
async fn heads_are_empty_and_other_methods_refused() {
    let server = with_events(1).await;
    let head = server.call(ADMIN, "HEAD", LIST, "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let options = server.call("", "OPTIONS", LIST, "").await;
    assert_eq!(options.status, 200);
    for (method, uri) in [
        ("POST", LIST),
        ("DELETE", LIST),
        ("PUT", EXPORT),
        ("PATCH", CREATE),
        ("GET", "/v1/event/log/subscribe"),
    ] {
        let answer = server.call(ADMIN, method, uri, "").await;
        assert_eq!(answer.status, 405, "{method} {uri}");
        assert_eq!(answer.text_at("code"), "METHOD_NOT_ALLOWED");
    }
}
