//! What retention promises.

use super::{Rig, erasure_id, home, ok, other, turn, turn_at, turn_of};
use crate::aggregate::Aggregate;
use crate::filter::Filter;
use crate::record::Kind;
use crate::store::retention::{InstanceRetention, LOG_GROUP};
use crate::store::{Erase, Outcome, Purge, Retention, Selector};
use crate::time::DAY_US;

fn days(days: u32) -> Retention {
    Retention {
        default_days: days,
        ..Retention::default()
    }
}

pub(super) async fn no_method_shows_or_counts_erased_and_expired_records(rig: Rig) {
    let old = rig.now().plus_micros(-2 * DAY_US);
    rig.store(vec![
        turn_of("erased", "c"),
        turn("a"),
        turn_at("expired", old),
    ])
    .await;
    let request = Erase {
        id: erasure_id(1),
        instance: home(),
        selector: Selector::Customer("c".to_owned()),
    };
    ok(rig.store.erase(&request).await);
    ok(rig.store.expire(&days(1)).await);
    assert_eq!(rig.left().await, ["a"]);
    ok(rig.store.settle().await);
    assert_eq!(rig.left().await, ["a"]);
    let whole = Aggregate {
        instance: home(),
        filter: Filter::All,
        by: Vec::new(),
        metrics: Vec::new(),
    };
    assert_eq!(ok(rig.store.aggregate(&whole).await).rows[0].count, 1);
}

pub(super) async fn on_return_no_read_shows_a_record_that_has_expired(rig: Rig) {
    let ago = |days: i64, micros: i64| rig.now().plus_micros(-days * DAY_US + micros);
    rig.store(vec![
        turn_at("old", ago(3, 0)),
        turn_at("just over", ago(1, -1)),
        turn_at("just within", ago(1, 1_000_000)),
        // A time of request after the receipt does not count.
        turn_at("future", ago(-400, 0)),
        turn("timeless"),
    ])
    .await;
    assert_eq!(ok(rig.store.expire(&days(0)).await), 0);
    assert_eq!(ok(rig.store.expire(&days(1)).await), 2);
    assert_eq!(rig.left().await, ["just within", "future", "timeless"]);
    // Late arrivals are judged by the same rules.
    let outcomes = rig.append(vec![turn_at("import", ago(2, 0))]).await;
    assert!(matches!(outcomes[0], Outcome::Stored(_)));
    assert_eq!(rig.left().await, ["just within", "future", "timeless"]);
}

pub(super) async fn a_record_that_expires_later_is_hidden_from_that_moment_on(rig: Rig) {
    let soon = rig.now().plus_micros(-DAY_US + 10_000_000);
    rig.store(vec![turn_at("a", soon), turn("b")]).await;
    assert_eq!(ok(rig.store.expire(&days(1)).await), 0);
    rig.clock.step(10_000_000);
    assert_eq!(rig.left().await, ["a", "b"]);
    rig.clock.step(1_000_000);
    assert_eq!(rig.left().await, ["b"]);
}

pub(super) async fn the_most_special_rule_wins(rig: Rig) {
    let old = rig.now().plus_micros(-5 * DAY_US);
    let draft = |name: &str, bot: &str, event: Option<&str>| {
        let mut draft = turn_at(name, old);
        draft.set_text("bot", bot);
        if let Some(event) = event {
            draft.kind = Kind::Event;
            draft.set_text("event.type", event);
        }
        draft
    };
    let grouped = |name: &str, bot: &str, event: Option<&str>| {
        let mut draft = draft(name, bot, event);
        draft.labels.insert(LOG_GROUP.to_owned(), "g".to_owned());
        draft
    };
    let mut elsewhere = draft("elsewhere", "kept", None);
    elsewhere.instance = super::other();
    rig.store(vec![
        draft("by bot", "kept", None),
        draft("by instance", "b", None),
        draft("by long prefix", "b", Some("audit.key.made")),
        draft("by short prefix", "b", Some("audit.read")),
        draft("bot before type", "kept", Some("audit.read")),
        grouped("group before type", "b", Some("audit.read")),
        grouped("group before instance", "b", None),
        grouped("bot before group", "short", None),
        elsewhere,
    ])
    .await;
    let rules = InstanceRetention {
        days: Some(3),
        bots: [("kept".to_owned(), 0), ("short".to_owned(), 4)].into(),
        log_groups: [("g".to_owned(), 7)].into(),
        type_prefixes: [("audit.".to_owned(), 4), ("audit.key.".to_owned(), 6)].into(),
    };
    let retention = Retention {
        default_days: 1,
        events_days: 1,
        instances: [(home(), rules)].into(),
    };
    assert_eq!(ok(rig.store.expire(&retention).await), 4);
    assert_eq!(
        rig.left().await,
        [
            "by bot",
            "by long prefix",
            "bot before type",
            "group before type",
            "group before instance"
        ]
    );
}

/// Passes, and what is listed when they have ended.
async fn purges(rig: &Rig, rules: &Retention) -> Vec<Purge> {
    ok(rig.store.expire(rules).await);
    ok(rig.store.settle().await);
    ok(rig.store.purges().await)
}

pub(super) async fn a_purge_counts_the_records_of_an_instance_that_a_pass_of_retention_took_away(
    rig: Rig,
) {
    let old = rig.now().plus_micros(-2 * DAY_US);
    let first = rig.store_one(turn_at("first", old)).await;
    rig.clock.step(1_000_000);
    rig.store(vec![turn("stays"), turn_at("second", old)]).await;
    rig.clock.step(1_000_000);
    let last = rig.store_one(turn_at("last", old)).await;
    let mut elsewhere = turn_at("elsewhere", old);
    elsewhere.instance = other();
    let elsewhere = rig.store_one(elsewhere).await;
    assert_eq!(purges(&rig, &days(0)).await, []);
    let mut found = purges(&rig, &days(1)).await;
    found.sort_by_key(|purge| purge.instance != home());
    let told: Vec<_> = found
        .iter()
        .map(|purge| (&purge.instance, purge.records, purge.oldest, purge.newest))
        .collect();
    let (home, other) = (home(), other());
    assert_eq!(
        told,
        [
            (&home, 3, first.received, last.received),
            (&other, 1, elsewhere.received, elsewhere.received),
        ]
    );
    assert!(found.iter().all(|purge| purge.at == rig.now()));
    assert_eq!(rig.left().await, ["stays"]);
}

pub(super) async fn a_purge_is_listed_until_it_is_forgotten(rig: Rig) {
    let old = rig.now().plus_micros(-2 * DAY_US);
    rig.store(vec![turn_at("a", old)]).await;
    let first = purges(&rig, &days(1)).await;
    assert_eq!(first.len(), 1);
    // A pass that takes nothing away adds nothing.
    assert_eq!(purges(&rig, &days(1)).await, first);
    rig.clock.step(1_000_000);
    rig.store(vec![turn_at("b", old), turn_at("c", old)]).await;
    let both = purges(&rig, &days(1)).await;
    let counts: Vec<u64> = both.iter().map(|purge| purge.records).collect();
    assert_eq!((&both[0], counts), (&first[0], vec![1, 2]));
    ok(rig.store.forget_purges(&[erasure_id(7), first[0].id]).await);
    assert_eq!(ok(rig.store.purges().await), both[1..]);
    ok(rig.store.forget_purges(&[both[1].id]).await);
    ok(rig.store.forget_purges(&[both[1].id]).await);
    assert_eq!(purges(&rig, &days(1)).await, []);
}

pub(super) async fn nothing_is_a_purge_that_an_erasure_took_away(rig: Rig) {
    let old = rig.now().plus_micros(-2 * DAY_US);
    let mut erased = turn_at("erased", old);
    erased.set_text("customer", "c");
    rig.store(vec![erased, turn("a")]).await;
    let request = Erase {
        id: erasure_id(1),
        instance: home(),
        selector: Selector::Customer("c".to_owned()),
    };
    ok(rig.store.erase(&request).await);
    assert_eq!(purges(&rig, &days(1)).await, []);
}
