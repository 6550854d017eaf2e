//! How events are handed out: pages, cursors, lines, streams of many.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::tell;
use crate::events_log::{
    Ask, CREATE, EXPORT, EXPORT_MIB_MAX, LIST, create, export_all, ids, items, load, streamed,
    text, walk,
};
use crate::harness::{Client, Server, Start, echo_bot, eventually, log_lines, say, scratch};

/// A server with about a hundred events of all kinds.
fn with_all_kinds(dir: &std::path::Path) -> Server {
    let server = Start::on(dir).server();
    echo_bot(&server, "echo");
    for n in 0..10 {
        create(&server, &json!({"type": "p.live", "meta": {"n": n}}));
        tell(&server, "echo", &format!("text {n}"), "acme");
    }
    server.load("watson-v1", &log_lines("shop", 15));
    load(&server, "p", 20);
    server
}

#[test]
fn p09_pages_concatenate_to_the_unpaged_result() {
    let dir = scratch();
    let server = with_all_kinds(dir.path());
    for filter in [
        "",
        "&type=p.*",
        "&type=message.create",
        "&botId=echo,shop",
        "&meta.n=3",
    ] {
        let all = items(&server.get(&format!("{LIST}?order=asc&take=500{filter}"))).clone();
        assert!(all.len() > 1, "{filter}");
        let distinct: std::collections::BTreeSet<String> = ids(&all).into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        let mut reversed = all.clone();
        reversed.reverse();
        let newest_first = server.get(&format!("{LIST}?take=500{filter}"));
        assert_eq!(
            items(&newest_first),
            &reversed,
            "newest first unless told otherwise"
        );
        for take in [1, 2, 3, 4, 5, 7, 13, 50, 499] {
            let client = server.client();
            assert_eq!(
                walk(&client, "asc", take, filter),
                all,
                "{filter} by {take}"
            );
            assert_eq!(
                walk(&client, "desc", take, filter),
                reversed,
                "{filter} by {take}"
            );
        }
    }
}

#[test]
fn p10_cursors_are_stable_while_others_write() {
    let dir = scratch();
    let server = with_all_kinds(dir.path());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let client = server.client();
                scope.spawn(move || {
                    for n in 0..60 {
                        let event = json!({"id": format!("w{writer}-{n}"), "type": "p.w"});
                        let answer = client.request("POST", CREATE, &event.to_string());
                        assert_eq!(answer.unwrap().0, 200);
                    }
                })
            })
            .collect();
        let up = scope.spawn(|| tail(&server.client(), &is_over));
        let mut walks = Vec::new();
        while writers.iter().any(|writer| !writer.is_finished()) {
            walks.push(ids(&walk(&server.client(), "desc", 9, "")));
        }
        is_over.store(true, Ordering::Release);
        let up = up.join().unwrap();
        let all = ids(&walk(&server.client(), "asc", 500, ""));
        assert_eq!(up, all, "each event once, in order");
        assert!(!walks.is_empty());
        for mut walked in walks {
            walked.reverse();
            assert_eq!(
                walked,
                all[..walked.len()],
                "what there was at the first page"
            );
        }
    });
}

/// Pages in commit order as they come, until it is over and there are no more.
fn tail(client: &Client, is_over: &AtomicBool) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        // Asked for after everything was written.
        let is_last = is_over.load(Ordering::Acquire);
        let page = client.get(&format!("{LIST}?order=asc&take=7&cursor={cursor}"));
        let items = items(&page);
        if items.is_empty() && is_last {
            return found;
        }
        found.extend(ids(items));
        text(&page, "resumeCursor").clone_into(&mut cursor);
    }
}

#[test]
fn p11_pages_have_the_size_that_is_asked_for() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    load(&server, "p", 650);
    for (take, n_expected) in [
        ("1", 1),
        ("50", 50),
        ("99", 99),
        ("100", 100),
        ("101", 101),
        ("250", 250),
        ("500", 500),
        // More than the most is the most, and not a mistake.
        ("501", 500),
        ("100000", 500),
        ("99999999999999999999", 500),
        // Nothing, and what is no number.
        ("", 100),
        ("0", 100),
        ("NaN", 100),
        ("many", 100),
        ("-1", 1),
        ("-500", 1),
        ("7.9", 7),
    ] {
        for path in [LIST, EXPORT] {
            let page = server.get(&format!("{path}?type=p.x&take={take}"));
            assert_eq!(items(&page).len(), n_expected, "{path} {take}");
            assert_eq!(page["cursor"].as_str().map(str::is_empty), Some(false));
        }
    }
    assert_eq!(items(&server.get(LIST)).len(), 100);
    // Streams take exactly as many too, and all when nothing is said.
    for (take, n_expected) in [("1", 1), ("150", 150), ("501", 501), ("0", 650), ("", 650)] {
        let path = format!("{LIST}?type=p.x&take={take}");
        assert_eq!(streamed(&server, &path).len(), n_expected, "{take}");
    }
}

#[test]
fn p12_json_and_lines_tell_the_same() {
    let dir = scratch();
    let server = with_all_kinds(dir.path());
    for query in ["order=asc", "order=desc", "order=asc&type=p.*&take=13"] {
        let page = server.get(&format!("{LIST}?take=500&{query}"));
        for path in [LIST, EXPORT] {
            // A repeated parameter counts once, so that the take of the query comes first.
            let (status, body) = accept(
                &server,
                &format!("{path}?{query}&take=500"),
                "application/jsonl",
            );
            assert_eq!(status, 200);
            assert!(body.ends_with('\n') && body.is_ascii());
            let lines: Vec<Value> = body
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert!(lines.iter().all(|line| line["type"] == "item"));
            let of_lines: Vec<&Value> = lines.iter().map(|line| &line["data"]).collect();
            let shown = &items(&page)[..of_lines.len()];
            let ours = shown.iter().zip(&of_lines);
            // An export that begins is an event, which the next one shows.
            let is_export = |item: &Value| item["type"] == "file.download";
            if !of_lines.iter().any(|item| is_export(item)) {
                for (page, line) in ours {
                    assert_eq!(page, *line);
                }
                assert!(of_lines.len() == items(&page).len() || query.contains("take"));
            }
        }
    }
    for accepted in [
        "application/jsonl",
        "application/x-ndjson",
        "text/event-stream",
    ] {
        let (status, body) = accept(&server, &format!("{LIST}?type=none"), accepted);
        assert_eq!((status, body.as_str()), (200, ""), "{accepted}");
    }
}

fn accept(server: &Server, path: &str, kind: &str) -> (u16, String) {
    let headers = [("Accept", kind)];
    server
        .client()
        .request_with("GET", path, "", &headers)
        .unwrap()
}

#[test]
fn p13_lines_stream_many_events_from_the_first_byte_at_constant_memory() {
    let n_events = 200_000;
    let dir = scratch();
    let server = Start::on(dir.path())
        .env("CONVLOG_MEMORY_BYTES", "33554432")
        .env("CONVLOG_LIMITS_EXPORTS_AT_ONCE", "1")
        .server();
    load(&server, "many", n_events);
    let path = format!("{EXPORT}?type=many.x");
    let ask = Ask::lines(&server.url, &path);
    let mut first = ask.open().unwrap();
    let begun = first.item().unwrap().unwrap();
    assert_eq!(begun["type"], "many.x");
    // It is far from its end, for it waits for its reader: its place is still taken.
    let refused = ask.open().unwrap();
    assert_eq!(refused.status, 429, "{}", refused.body());
    let error: Value = serde_json::from_str(&refused.body()).unwrap();
    assert_eq!(error["code"], "LIMITS_REACHED");
    // One page is no export of everything.
    server.get(&format!("{EXPORT}?take=1"));
    // A reader who goes away ends it.
    drop(first);
    drop(eventually(|| ask.open().ok().filter(|it| it.status == 200)));
    eventually(|| is_free(&server).then_some(()));
    let (n_items, grown) = export_all(&server);
    say(&format!("{n_items} items exported, {grown} MiB more"));
    assert!(n_items >= n_events);
    assert!(grown <= EXPORT_MIB_MAX, "{grown} MiB more");
    server.stop();
}

/// Whether an export would be taken.
fn is_free(server: &Server) -> bool {
    accept(server, &format!("{EXPORT}?take=1"), "text/csv").0 == 200
}

#[test]
fn p16_an_export_of_everything_costs_less_than_pages() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    load(&server, "p", 20_000);
    let client = server.client();
    let export = || {
        let path = format!("{EXPORT}?type=p.x");
        accept(&server, &path, "application/jsonl")
            .1
            .lines()
            .count()
    };
    let pages = || pages_of(&client, "&type=p.x");
    let (exported, paged) = (least(&export, 20_000), least(&pages, 20_000));
    say(&format!("exported in {exported:?}, paged in {paged:?}"));
    assert!(exported <= paged);
    // JSON has pages in an export too.
    let first = server.get(&format!("{EXPORT}?order=asc&take=300&type=p.x"));
    assert_eq!(items(&first).len(), 300);
    let cursor = text(&first, "cursor");
    let next = server.get(&format!("{EXPORT}?order=asc&cursor={cursor}&type=p.x"));
    let both: Vec<Value> = [items(&first).clone(), items(&next).clone()].concat();
    let all = server.get(&format!("{LIST}?order=asc&take=400&type=p.x"));
    assert_eq!(&both, items(&all));
}

/// The shortest of three times that it takes to find so many items.
#[expect(
    clippy::disallowed_methods,
    reason = "two ways to the same are compared"
)]
fn least(find: &dyn Fn() -> usize, n_items: usize) -> Duration {
    let times = (0..3).map(|_| {
        let began = Instant::now();
        assert_eq!(find(), n_items);
        began.elapsed()
    });
    times.min().unwrap()
}

/// Number of items in all pages of the usual size, which are not parsed.
fn pages_of(client: &Client, filter: &str) -> usize {
    let (mut n_items, mut cursor) = (0, String::new());
    loop {
        let path = format!("{LIST}?order=asc{filter}&cursor={cursor}");
        let (status, body) = client.request("GET", &path, "").unwrap();
        assert_eq!(status, 200);
        n_items += body.matches("\"createdAt\"").count();
        let (_, rest) = body.rsplit_once("\"cursor\":\"").unwrap();
        let (next, _) = rest.split_once('"').unwrap();
        if next.is_empty() {
            return n_items;
        }
        next.clone_into(&mut cursor);
    }
}
