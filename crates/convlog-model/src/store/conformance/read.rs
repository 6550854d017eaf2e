//! What searches, figures, walks and waiting promise.

use super::{Rig, failed, home, name, names, ok, other, poll_once, turn, turn_at, turn_of};
use crate::aggregate::{Aggregate, GroupBy, Metric, Row};
use crate::fields::FieldRef;
use crate::filter::Filter;
use crate::json::Json;
use crate::query::{PAGE_MAX, Page, Query, Scan, Sort, SortKey};
use crate::record::Draft;
use crate::store::{Batch, ErrorKind};

fn query(key: SortKey, descending: bool, limit: usize) -> Query {
    let mut query = Query::new(home(), Filter::All);
    query.sort = Sort { key, descending };
    query.limit = limit;
    query
}

async fn search(rig: &Rig, query: &Query) -> Page {
    let page = ok(rig.store.search(query).await);
    assert!(page.records.len() <= query.limit, "at most so many records");
    page
}

/// The names on all pages, one list a page.
async fn pages(rig: &Rig, mut query: Query) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = search(rig, &query).await;
        pages.push(names(&page.records));
        if page.next.is_none() {
            return pages;
        }
        query.after = page.next;
        query.upto = Some(page.upto);
    }
}

pub(super) async fn no_method_shows_records_of_another_instance(rig: Rig) {
    let mut theirs = turn("theirs");
    theirs.instance = other();
    rig.store(vec![turn("a"), theirs, turn("b")]).await;
    assert_eq!(rig.left().await, ["a", "b"]);
    assert_eq!(ok(rig.store.count(&other(), &Filter::All).await), 1);
    let mut query = Query::new(other(), Filter::All);
    query.limit = 9;
    assert_eq!(names(&search(&rig, &query).await.records), ["theirs"]);
    let request = Aggregate {
        instance: other(),
        filter: Filter::All,
        by: Vec::new(),
        metrics: Vec::new(),
    };
    assert_eq!(ok(rig.store.aggregate(&request).await).rows[0].count, 1);
    let unknown = crate::testkit::instance("unknown");
    assert_eq!(ok(rig.store.count(&unknown, &Filter::All).await), 0);
}

pub(super) async fn sees_every_batch_whose_append_returned_before_the_call(rig: Rig) {
    let mut expected = Vec::new();
    for n in 0..10 {
        let batch: Vec<String> = (0..=n).map(|i| format!("{n}-{i}")).collect();
        rig.store(batch.iter().map(|name| turn(name)).collect())
            .await;
        expected.extend(batch);
        assert_eq!(rig.left().await, expected);
        let newest = search(&rig, &query(SortKey::Position, true, 1)).await;
        assert_eq!(names(&newest.records), expected[expected.len() - 1..]);
    }
}

/// Turns with equal, different and missing times, not in the order of commit.
async fn store_times(rig: &Rig) {
    let at = |name: &str, second: i64| turn_at(name, rig.now().plus_micros(second * 1_000_000));
    rig.store(vec![at("c3", 3), turn("x1"), at("a1", 1), at("b2", 2)])
        .await;
    rig.store(vec![at("d3", 3), turn("x2"), at("e1", 1)]).await;
}

pub(super) async fn the_order_is_total_and_missing_values_come_last_both_ways(rig: Rig) {
    store_times(&rig).await;
    for (key, descending, expected) in [
        (
            SortKey::Request,
            false,
            ["a1", "e1", "b2", "c3", "d3", "x1", "x2"],
        ),
        (
            SortKey::Request,
            true,
            ["d3", "c3", "b2", "e1", "a1", "x2", "x1"],
        ),
        (
            SortKey::Position,
            false,
            ["c3", "x1", "a1", "b2", "d3", "x2", "e1"],
        ),
        (
            SortKey::Position,
            true,
            ["e1", "x2", "d3", "b2", "a1", "x1", "c3"],
        ),
        (
            SortKey::Received,
            false,
            ["c3", "x1", "a1", "b2", "d3", "x2", "e1"],
        ),
        (
            SortKey::Received,
            true,
            ["e1", "x2", "d3", "b2", "a1", "x1", "c3"],
        ),
        (
            SortKey::Response,
            false,
            ["c3", "x1", "a1", "b2", "d3", "x2", "e1"],
        ),
        (
            SortKey::Response,
            true,
            ["e1", "x2", "d3", "b2", "a1", "x1", "c3"],
        ),
    ] {
        for limit in [1, 2, 3, 7, 100] {
            let shown = pages(&rig, query(key, descending, limit)).await.concat();
            assert_eq!(
                shown, expected,
                "{key:?} descending: {descending}, limit {limit}"
            );
        }
    }
}

pub(super) async fn the_match_set_is_frozen(rig: Rig) {
    store_times(&rig).await;
    for descending in [false, true] {
        let expected = pages(&rig, query(SortKey::Request, descending, 100))
            .await
            .concat();
        let mut next = query(SortKey::Request, descending, 2);
        let mut shown = Vec::new();
        loop {
            let page = search(&rig, &next).await;
            shown.extend(names(&page.records));
            next.upto = Some(page.upto);
            let Some(after) = page.next else { break };
            next.after = Some(after);
            for second in [0, 2, 5] {
                let time = rig.now().plus_micros(second * 1_000_000);
                rig.store_one(turn_at("late", time)).await;
            }
        }
        assert_eq!(shown, expected);
        let upto = rig.store.newest();
        rig.store_one(turn("later")).await;
        let mut old = query(SortKey::Position, true, 100);
        old.upto = Some(upto);
        let page = search(&rig, &old).await;
        assert_eq!(page.upto, upto);
        assert!(page.records.iter().all(|record| record.position <= upto));
    }
}

pub(super) async fn pages_that_follow_each_other_show_every_match_once(rig: Rig) {
    for n in 0..40_i64 {
        let mut draft = turn_at(&n.to_string(), rig.now().plus_micros(n * 7 % 10));
        draft.set_text("bot", if n % 3 == 0 { "other" } else { "b" });
        rig.store_one(draft).await;
    }
    for key in [
        SortKey::Position,
        SortKey::Request,
        SortKey::Response,
        SortKey::Received,
    ] {
        for descending in [false, true] {
            let mut query = query(key, descending, 4);
            query.filter = Filter::equals("bot", "b");
            let mut shown = pages(&rig, query).await.concat();
            shown.sort_by_key(|name| name.parse::<u32>().ok());
            let expected: Vec<String> = (0..40)
                .filter(|n| n % 3 != 0)
                .map(|n| n.to_string())
                .collect();
            assert_eq!(shown, expected, "{key:?} descending: {descending}");
        }
    }
}

pub(super) async fn a_next_page_is_promised_only_if_a_further_record_exists(rig: Rig) {
    assert_eq!(
        search(&rig, &query(SortKey::Request, true, 1)).await.next,
        None
    );
    store_times(&rig).await;
    for key in [SortKey::Position, SortKey::Request, SortKey::Response] {
        for (limit, sizes) in [(7, vec![7]), (8, vec![7]), (6, vec![6, 1]), (1, vec![1; 7])] {
            let shown = pages(&rig, query(key, true, limit)).await;
            let shown: Vec<usize> = shown.iter().map(Vec::len).collect();
            assert_eq!(shown, sizes, "{key:?} limit {limit}");
        }
    }
    let mut early = query(SortKey::Request, false, 2);
    early.filter = Filter::equals("bot", "nobody");
    assert_eq!(search(&rig, &early).await.next, None);
}

pub(super) async fn a_limit_out_of_range_is_invalid(rig: Rig) {
    rig.store_one(turn("a")).await;
    for limit in [0, PAGE_MAX + 1] {
        let refused = rig
            .store
            .search(&query(SortKey::Request, true, limit))
            .await;
        assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
        let refused = rig.store.scan(&scan(limit)).await;
        assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
    }
    assert_eq!(
        search(&rig, &query(SortKey::Request, true, PAGE_MAX))
            .await
            .records
            .len(),
        1
    );
}

pub(super) async fn count_is_the_number_of_matching_records(rig: Rig) {
    rig.store(vec![
        turn_of("a", "c1"),
        turn_of("b", "c2"),
        turn_of("c", "c1"),
    ])
    .await;
    assert_eq!(rig.count(&Filter::equals("customer", "c1")).await, 2);
    assert_eq!(
        rig.count(&Filter::equals("customer", "c1").negate()).await,
        1
    );
    assert_eq!(rig.count(&Filter::Or(Vec::new())).await, 0);
}

fn measured(name: &str, user: Option<&str>, latency: &str, hour: i64, rig: &Rig) -> Draft {
    let mut draft = turn_at(name, rig.now().plus_micros(hour * 3_600_000_000));
    draft.set_value("latency_ms", Json::Number(latency.to_owned()));
    if let Some(user) = user {
        draft.set_text("user", user);
    }
    draft
}

pub(super) async fn aggregate_groups_and_measures_matching_records(rig: Rig) {
    let mut left_out = turn("left out");
    left_out.set_text("bot", "other");
    rig.store(vec![
        measured("a", Some("u1"), "10", 0, &rig),
        measured("b", Some("u2"), "20", 0, &rig),
        measured("c", Some("u2"), "40", 1, &rig),
        measured("d", None, "30.0", 1, &rig),
        left_out,
    ])
    .await;
    let latency = FieldRef::canonical("latency_ms");
    let user = FieldRef::canonical("user");
    let mut request = Aggregate {
        instance: home(),
        filter: Filter::equals("bot", "b"),
        by: Vec::new(),
        metrics: vec![
            Metric::Count,
            Metric::Distinct(user.clone()),
            Metric::Average(latency.clone()),
            Metric::Percentiles(latency),
        ],
    };
    let whole = ok(rig.store.aggregate(&request).await);
    assert_eq!(whole.rows.len(), 1);
    assert_eq!((whole.rows[0].keys.len(), whole.rows[0].count), (0, 4));
    let metrics: Vec<String> = whole.rows[0].metrics.iter().map(Json::to_string).collect();
    let percentiles = r#"{"p50":20,"p90":40,"p95":40,"p99":40}"#;
    assert_eq!(metrics, ["4", "2", "25.0", percentiles]);
    let by_hour = GroupBy::Interval {
        field: FieldRef::canonical("time.request"),
        every_us: 3_600_000_000,
    };
    let by_user = GroupBy::Terms {
        field: user,
        limit: 2,
    };
    request.metrics.clear();
    request.by = vec![by_user.clone()];
    assert_eq!(groups(&rig, &request).await, [r#"["u2"] 2"#, r#"["u1"] 1"#]);
    request.by = vec![by_hour, by_user];
    let (first, second) = ("2026-03-02T09:00:00.000000Z", "2026-03-02T10:00:00.000000Z");
    let expected = [
        format!(r#"["{first}","u1"] 1"#),
        format!(r#"["{first}","u2"] 1"#),
        format!(r#"["{second}","u2"] 1"#),
        format!(r#"["{second}",null] 1"#),
    ];
    assert_eq!(groups(&rig, &request).await, expected);
}

async fn groups(rig: &Rig, request: &Aggregate) -> Vec<String> {
    let text = |row: Row| format!("{} {}", Json::Array(row.keys), row.count);
    ok(rig.store.aggregate(request).await)
        .rows
        .into_iter()
        .map(text)
        .collect()
}

pub(super) async fn too_many_groups_are_invalid_and_name_the_field(rig: Rig) {
    let numbered = |part: u32| {
        let values: Vec<String> = (0..17_000)
            .map(|n| (part * 17_000 + n).to_string())
            .collect();
        crate::testkit::draft(&format!(r#"{{"many":[{}]}}"#, values.join(",")))
    };
    rig.store((0..6).map(numbered).collect()).await;
    let by = GroupBy::Terms {
        field: FieldRef::Raw("many".to_owned()),
        limit: 10,
    };
    let request = Aggregate {
        instance: home(),
        filter: Filter::All,
        by: vec![by],
        metrics: vec![Metric::Count],
    };
    let error = failed(rig.store.aggregate(&request).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.client_text().contains("many"), "{error}");
}

fn scan(limit: usize) -> Scan {
    Scan {
        instance: home(),
        filter: Filter::All,
        after: crate::ids::Position::START,
        upto: None,
        limit,
    }
}

pub(super) async fn a_walk_shows_every_record_that_existed_at_its_first_step_and_still_exists_once(
    rig: Rig,
) {
    rig.store(vec![
        turn("a"),
        turn_of("gone", "c"),
        turn("b"),
        turn_of("gone", "c"),
    ])
    .await;
    rig.store(vec![turn("c"), turn("d")]).await;
    let mut next = scan(1);
    let mut shown = Vec::new();
    for n in 0_u64.. {
        let step = ok(rig.store.scan(&next).await);
        shown.extend(names(&step.records));
        if step.done {
            break;
        }
        next.after = step.reached;
        next.upto = Some(step.upto);
        rig.store_one(turn("late")).await;
        if n == 0 {
            let request = crate::store::Erase {
                id: super::erasure_id(1),
                instance: home(),
                selector: crate::store::Selector::Customer("c".to_owned()),
            };
            ok(rig.store.erase(&request).await);
        }
    }
    assert_eq!(shown, ["a", "b", "c", "d"]);
}

pub(super) async fn a_walk_is_in_commit_order_and_ends_at_its_bounds(rig: Rig) {
    let times = [3, 1, 2, 0].map(|second| rig.now().plus_micros(second));
    let named = ["a", "b", "c", "d"].into_iter().zip(times);
    let stored = rig
        .store(named.map(|(name, time)| turn_at(name, time)).collect())
        .await;
    for limit in [1, 2, 9] {
        assert_eq!(names(&rig.walk(limit).await), ["a", "b", "c", "d"]);
    }
    let mut bounded = scan(9);
    bounded.after = stored[0].position;
    bounded.upto = Some(stored[2].position);
    let step = ok(rig.store.scan(&bounded).await);
    assert_eq!(names(&step.records), ["b", "c"]);
    assert!(step.done);
    assert_eq!(
        (step.reached, step.upto),
        (stored[2].position, stored[2].position)
    );
    bounded.after = rig.store.newest();
    bounded.upto = None;
    let step = ok(rig.store.scan(&bounded).await);
    assert!(step.records.is_empty() && step.done);
}

pub(super) async fn watch_waits_until_something_is_visible_behind(rig: Rig) {
    let start = rig.store.newest();
    let mut waiting = rig.store.watch(start);
    assert!(poll_once(&mut waiting).await.is_none(), "nothing is there");
    let given_up = rig.store.watch(start);
    drop(given_up);
    let states = Vec::new();
    let records = vec![turn("a")];
    ok(rig.store.append(Batch { records, states }).await);
    let newest = ok(waiting.await);
    assert!(newest > start);
    assert_eq!(ok(rig.store.watch(start).await), newest);
    let mut idle = rig.store.watch(newest);
    assert!(poll_once(&mut idle).await.is_none(), "nothing new is there");
    rig.store_one(turn("b")).await;
    assert!(ok(idle.await) > newest);
}

pub(super) async fn stats_tell_what_is_held_for_an_instance(rig: Rig) {
    let empty = ok(rig.store.stats(&home()).await);
    assert_eq!((empty.records, empty.oldest, empty.newest), (0, None, None));
    let first = rig.store_one(turn("a")).await;
    rig.clock.step(1_000_000);
    rig.store_one(turn("b")).await;
    rig.clock.step(1_000_000);
    let last = rig.store_one(turn("c")).await;
    let mut theirs = turn("theirs");
    theirs.instance = other();
    rig.clock.step(1_000_000);
    rig.store_one(theirs).await;
    let stats = ok(rig.store.stats(&home()).await);
    assert_eq!(stats.records, 3);
    assert_eq!(
        (stats.oldest, stats.newest),
        (Some(first.received), Some(last.received))
    );
    assert!(stats.bytes > 0);
}

pub(super) async fn the_newest_position_is_that_of_the_last_record(rig: Rig) {
    for batch in [vec![turn("a")], vec![turn("b"), turn("c")]] {
        let stored = rig.store(batch).await;
        let newest = rig.store.newest();
        assert_eq!(stored.last().map(|stored| stored.position), Some(newest));
        let page = search(&rig, &query(SortKey::Position, true, 1)).await;
        assert_eq!(page.upto, newest);
        assert_eq!(
            page.records.first().map(|r| name(r).is_empty()),
            Some(false)
        );
    }
    assert_eq!(rig.store.timeline(), rig.store.timeline());
    assert!(rig.store.health().writable, "{:?}", rig.store.health());
}
