//! What counts, aggregates and other figures promise.

use super::{Rig, failed, home, ok, other, turn, turn_at, turn_of};
use crate::aggregate::{Aggregate, GroupBy, Metric, Row};
use crate::fields::FieldRef;
use crate::filter::Filter;
use crate::json::Json;
use crate::record::Draft;
use crate::store::ErrorKind;

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
    draft.set_value("latency_ms", Json::Number(latency.into()));
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
        let found = rig.find(Filter::All).await;
        assert_eq!(found.last().map(|record| record.position), Some(newest));
    }
    assert_eq!(rig.store.timeline(), rig.store.timeline());
    assert!(rig.store.health().writable, "{:?}", rig.store.health());
}
