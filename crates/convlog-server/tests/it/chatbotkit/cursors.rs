//! Pages and cursors: each event once, in both orders, whatever happens in between.

use super::*;

const FOREIGN: &str = "&type=t.*";

#[tokio::test]
async fn pages_of_any_size_show_every_event_once_in_both_orders() {
    let server = with_events(7).await;
    // Turns show several items, which a page may part.
    bot(&server).await;
    say(&server, "one").await;
    say(&server, "two").await;
    let all = walk(&server, "asc", 500, "").await;
    assert!(all.len() > 12, "{all:?}");
    let mut reversed = all.clone();
    reversed.reverse();
    for take in 1..=8 {
        assert_eq!(walk(&server, "asc", take, "").await, all, "asc by {take}");
        assert_eq!(
            walk(&server, "desc", take, "").await,
            reversed,
            "desc by {take}"
        );
    }
    let default: Vec<String> = ids(&server.get(LIST).await);
    assert_eq!(default, reversed, "newest first by default");
}

pub(crate) async fn bot(server: &Server) {
    let body = r#"{"name":"Bot","language":"en","connector":{"kind":"echo"}}"#;
    let made = server.put("/convlog/v1/bots/b1", body).await;
    assert!(made.status.is_success(), "{}", made.text());
}

pub(crate) async fn say(server: &Server, words: &str) {
    let body = format!(r#"{{"input":{{"text":"{words}"}}}}"#);
    let said = server
        .post("/v1/workspaces/b1/message?version=2021-11-27", &body)
        .await;
    assert_eq!(said.status, 200, "{}", said.text());
}

#[tokio::test]
async fn what_comes_later_is_behind_a_reader_that_goes_up_and_unseen_by_one_that_goes_down() {
    let server = with_events(4).await;
    let first = server
        .get(&format!("{LIST}?order=asc&take=2{FOREIGN}"))
        .await;
    let last = server.get(&format!("{LIST}?take=2{FOREIGN}")).await;
    create(&server, r#"{"id":"late","type":"t.late"}"#).await;
    let up = format!(
        "{LIST}?order=asc&cursor={}{FOREIGN}",
        first.text_at("cursor")
    );
    assert_eq!(ids(&server.get(&up).await), ["e002", "e003", "late"]);
    let down = format!("{LIST}?cursor={}{FOREIGN}", last.text_at("cursor"));
    assert_eq!(ids(&server.get(&down).await), ["e001", "e000"]);
}

#[tokio::test]
async fn the_id_of_any_item_is_a_cursor_too() {
    let server = with_events(3).await;
    bot(&server).await;
    say(&server, "one").await;
    let all = walk(&server, "asc", 500, "").await;
    for (i, id) in all.iter().enumerate() {
        let next = server.get(&format!("{LIST}?order=asc&cursor={id}")).await;
        assert_eq!(ids(&next), all[i + 1..], "{id}");
        let before = server.get(&format!("{LIST}?cursor={id}")).await;
        let expected: Vec<String> = all[..i].iter().rev().cloned().collect();
        assert_eq!(ids(&before), expected, "{id}");
    }
}

#[tokio::test]
async fn an_empty_page_has_an_empty_cursor_and_a_place_to_go_on_from() {
    let server = with_events(2).await;
    let all = server.get(&format!("{LIST}?order=asc{FOREIGN}")).await;
    let uri = |cursor: &str| format!("{LIST}?order=asc&cursor={cursor}{FOREIGN}");
    let empty = server.get(&uri(&all.text_at("cursor"))).await;
    assert_eq!(empty.text_at("cursor"), "");
    assert!(ids(&empty).is_empty());
    create(&server, r#"{"id":"late","type":"t.late"}"#).await;
    for answer in [&all, &empty] {
        let next = server.get(&uri(&answer.text_at("resumeCursor"))).await;
        assert_eq!(ids(&next), ["late"]);
    }
    assert_eq!(
        empty.header("x-convlog-cursor"),
        empty.text_at("resumeCursor")
    );
    assert_eq!(all.header("x-convlog-count"), "2");
    // The end of a walk back stays the end.
    let end = server.get(&format!("{LIST}?cursor=e000{FOREIGN}")).await;
    let again = format!("{LIST}?cursor={}{FOREIGN}", end.text_at("resumeCursor"));
    assert!(ids(&server.get(&again).await).is_empty());
}

#[tokio::test]
async fn a_purged_cursor_goes_on_at_the_next_event_and_says_so() {
    let server = Server::start().await;
    for n in 0..4 {
        let customer = if n < 2 { "gone" } else { "kept" };
        let body = format!(r#"{{"type":"t.x","contactId":"{customer}","meta":{{"n":{n}}}}}"#);
        create(&server, &body).await;
        server.clock.step(1_000_000);
    }
    let all = ids(&server.get(&format!("{LIST}?order=asc{FOREIGN}")).await);
    let first = server
        .get(&format!("{LIST}?order=asc&take=1{FOREIGN}"))
        .await;
    let cursor = first.text_at("cursor");
    let body = r#"{"customer_id":"gone"}"#;
    assert_eq!(server.post("/convlog/v1/erasures", body).await.status, 202);
    for named in [&cursor, &all[0]] {
        let next = server
            .get(&format!("{LIST}?order=asc&cursor={named}{FOREIGN}"))
            .await;
        assert_eq!(ids(&next), all[2..], "{named}");
        let gap = next.json();
        let gap = gap.get("gap").expect("a gap").clone();
        assert_eq!(&text(&gap, "from"), named);
        let to = text(&gap, "to");
        assert_eq!(next.header("x-log-gap"), format!("{named}..{to}"));
        let back = server.get(&format!("{LIST}?cursor={named}{FOREIGN}")).await;
        assert!(ids(&back).is_empty() && back.json().get("gap").is_some());
    }
    let kept = server
        .get(&format!("{LIST}?order=asc&cursor={}{FOREIGN}", all[2]))
        .await;
    assert!(kept.json().get("gap").is_none() && kept.header("x-log-gap").is_empty());
    let behind_all = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    let next = server
        .get(&format!("{LIST}?order=asc&cursor={behind_all}"))
        .await;
    assert!(ids(&next).is_empty());
}

#[tokio::test]
async fn a_cursor_of_another_instance_shows_nothing_of_it() {
    let server = with_events(3).await;
    let cursor = server
        .get(&format!("{LIST}?order=asc&take=1{FOREIGN}"))
        .await
        .text_at("cursor");
    let (_, other) = server.instance().await;
    for uri in [
        format!("{LIST}?order=asc&cursor={cursor}"),
        format!("{LIST}?type=t.*"),
    ] {
        let answer = server.call(&other, "GET", &uri, "").await;
        let found = items(&answer);
        let is_foreign = |item: &Json| text(item, "type").starts_with("t.");
        assert!(!found.iter().any(is_foreign), "{uri}");
    }
    let answer = server
        .call(&other, "GET", &format!("{LIST}?cursor=e000"), "")
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn times_never_decrease_though_the_clock_steps_back() {
    let server = Server::start().await;
    bot(&server).await;
    for step in [0, -5_000_000, 1_000_000, -1, 9_000_000] {
        server.clock.step(step);
        say(&server, "hi").await;
        server.key(r#""read""#, "").await;
    }
    let all = items(&server.get(&format!("{LIST}?order=asc")).await);
    let created = |item: &Json| item.get("createdAt").and_then(Json::as_i64).unwrap();
    let times: Vec<i64> = all.iter().map(created).collect();
    assert!(times.len() > 15 && times.is_sorted(), "{times:?}");
    assert!(
        all.iter()
            .all(|item| item.get("updatedAt") == item.get("createdAt"))
    );
}
