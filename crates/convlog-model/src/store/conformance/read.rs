//! What searches promise.

use super::{Rig, failed, home, names, ok, other, turn, turn_at};
use crate::aggregate::Aggregate;
use crate::filter::Filter;
use crate::query::{PAGE_MAX, Page, Query, Sort, SortKey};
use crate::store::ErrorKind;

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

pub(super) async fn no_method_shows_records_of_another_instance_than_the_one_asked_for(rig: Rig) {
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
    }
    assert_eq!(
        search(&rig, &query(SortKey::Request, true, PAGE_MAX))
            .await
            .records
            .len(),
        1
    );
}
