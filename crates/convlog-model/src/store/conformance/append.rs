//! What `append` promises.

use super::{Rig, erasure_id, failed, home, name, names, ok, other, owned, stored, turn, turn_at};
use crate::filter::Filter;
use crate::record::{Dialect, Draft};
use crate::store::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Erase, ErrorKind, Outcome, Selector, StateWrite,
};

pub(super) async fn positions_are_a_total_order_of_commit(rig: Rig) {
    let mut stored = rig.store(vec![turn("a"), turn("b")]).await;
    stored.extend(rig.store(vec![turn("c")]).await);
    stored.extend(rig.store(vec![turn("d"), turn("e")]).await);
    assert!(
        stored
            .windows(2)
            .all(|pair| pair[0].position < pair[1].position),
        "{stored:?}"
    );
    let found = rig.find(Filter::All).await;
    assert_eq!(names(&found), ["a", "b", "c", "d", "e"]);
    let positions: Vec<_> = found.iter().map(|record| record.position).collect();
    let promised: Vec<_> = stored.iter().map(|stored| stored.position).collect();
    assert_eq!(positions, promised);
}

pub(super) async fn ids_increase_with_positions_also_when_the_clock_steps_back(rig: Rig) {
    let mut stored = Vec::new();
    for step in [0, 0, -3_600_000_000, 1, 7_200_000_000, -1] {
        rig.clock.step(step);
        stored.extend(rig.store(vec![turn("a"), turn("b")]).await);
    }
    assert!(
        stored.windows(2).all(|pair| pair[0].id < pair[1].id),
        "{stored:?}"
    );
    for stored in stored {
        assert_eq!(stored.id.to_string().as_bytes()[14], b'7', "UUID version 7");
    }
}

pub(super) async fn times_of_receipt_never_decrease_along_positions(rig: Rig) {
    let mut stored = Vec::new();
    for step in [0, -3_600_000_000, 1_000, -1, 7_200_000_000, -500] {
        rig.clock.step(step);
        stored.extend(rig.store(vec![turn("a")]).await);
    }
    let millis: Vec<i64> = stored.iter().map(|s| s.received.millis()).collect();
    assert!(millis.is_sorted(), "{millis:?}");
    assert!(
        millis[0] < millis[4],
        "they go on once the clock does: {millis:?}"
    );
}

pub(super) async fn a_record_is_immutable(rig: Rig) {
    let mut draft = turn("a");
    draft.raw = r#"{"name":"a", "n": 1.00, "n": 1e400,"z":"\u00e9"}"#.into();
    draft.labels.insert("team".to_owned(), "blue".to_owned());
    draft.set_ref("user", &["n"]);
    let stored = rig.store_one(owned(draft.clone(), "own")).await;
    rig.append(vec![owned(turn("x"), "own")]).await;
    rig.store_one(turn("b")).await;
    let found = rig.find(Filter::equals("own_id", "own")).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].draft, owned(draft, "own"));
    assert_eq!(found[0].id, stored.id);
    assert_eq!(found[0].position, stored.position);
    assert_eq!(found[0].received, stored.received);
}

pub(super) async fn a_batch_is_visible_when_append_returns(rig: Rig) {
    for n in 0..20_u64 {
        let stored = rig.store_one(turn("a")).await;
        assert_eq!(rig.count(&Filter::All).await, n + 1);
        assert!(rig.store.newest() >= stored.position);
    }
}

pub(super) async fn all_stored_records_and_states_of_one_append_are_there_together_or_not_at_all(
    rig: Rig,
) {
    let state = StateWrite {
        instance: home(),
        session: "s".to_owned(),
        state: vec![1],
        customers: Vec::new(),
        expires_at: rig.now().plus_micros(60_000_000),
    };
    let too_big = StateWrite {
        state: vec![0; BATCH_BYTES_MAX],
        ..state.clone()
    };
    let batch = |states| Batch {
        records: vec![turn("a"), turn("b")],
        states,
    };
    let refused = rig.store.append(batch(vec![state.clone(), too_big])).await;
    assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
    assert!(rig.left().await.is_empty());
    assert_eq!(ok(rig.store.load_state(&home(), "s").await), None);
    rig.append_batch(batch(vec![state.clone()])).await;
    assert_eq!(rig.left().await, ["a", "b"]);
    assert_eq!(ok(rig.store.load_state(&home(), "s").await), Some(state));
}

pub(super) async fn there_is_one_outcome_a_record_in_order(rig: Rig) {
    let first = rig.store_one(owned(turn("a"), "1")).await;
    let outcomes = rig
        .append(vec![
            turn("b"),
            owned(turn("a"), "1"),
            owned(turn("x"), "1"),
            owned(turn("c"), "2"),
        ])
        .await;
    assert!(matches!(outcomes[0], Outcome::Stored(_)));
    assert_eq!(outcomes[1], Outcome::Duplicate(first));
    assert_eq!(outcomes[2], Outcome::Conflict);
    assert!(matches!(outcomes[3], Outcome::Stored(_)));
    assert!(rig.append(Vec::new()).await.is_empty());
    assert_eq!(rig.left().await, ["a", "b", "c"]);
}

pub(super) async fn a_record_whose_own_id_is_stored_is_a_duplicate_of_the_first(rig: Rig) {
    let first = rig.store_one(owned(turn("a"), "1")).await;
    rig.clock.step(5_000_000);
    for _ in 0..2 {
        let again = rig.append(vec![owned(turn("a"), "1")]).await;
        assert_eq!(again, [Outcome::Duplicate(first)]);
    }
    assert_eq!(rig.left().await, ["a"]);
}

pub(super) async fn own_ids_are_apart_by_instance_and_dialect(rig: Rig) {
    let here = owned(turn("a"), "1");
    let mut elsewhere = owned(turn("b"), "1");
    elsewhere.instance = other();
    let mut foreign = owned(turn("c"), "1");
    foreign.dialect = Dialect::WatsonV2;
    let stored = rig.store(vec![here, elsewhere, foreign]).await;
    assert_eq!(stored.len(), 3);
}

pub(super) async fn the_same_own_id_with_another_body_is_a_conflict_and_the_first_is_kept(
    rig: Rig,
) {
    let first = rig.store_one(owned(turn("a"), "1")).await;
    assert_eq!(
        rig.append(vec![owned(turn("b"), "1")]).await,
        [Outcome::Conflict]
    );
    let found = rig.find(Filter::All).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, name(&found[0])), (first.id, "a".to_owned()));
    let again = rig.append(vec![owned(turn("a"), "1")]).await;
    assert_eq!(again, [Outcome::Duplicate(first)]);
}

pub(super) async fn the_same_own_id_twice_in_one_batch_counts_as_sent_one_after_the_other(
    rig: Rig,
) {
    let twice = vec![
        owned(turn("a"), "1"),
        owned(turn("a"), "1"),
        owned(turn("b"), "1"),
    ];
    let outcomes = rig.append(twice).await;
    let first = stored(&outcomes[0]);
    assert_eq!(
        outcomes[1..],
        [Outcome::Duplicate(first), Outcome::Conflict]
    );
    assert_eq!(rig.left().await, ["a"]);
}

pub(super) async fn bodies_are_compared_as_json_values_whose_members_may_come_in_any_order(
    rig: Rig,
) {
    let sent = |raw: &str| {
        let mut draft = owned(turn("a"), "1");
        draft.raw = raw.into();
        draft
    };
    let first = rig
        .store_one(sent(r#"{"a":{"x":[1,2],"y":"é"},"b":1}"#))
        .await;
    for same in [
        r#"{"b":1,"a":{"y":"\u00e9","x":[1,2]}}"#,
        "{ \"a\": {\"x\": [1, 2], \"y\": \"é\"},\n\"b\": 1 }",
    ] {
        assert_eq!(
            rig.append(vec![sent(same)]).await,
            [Outcome::Duplicate(first)]
        );
    }
    for different in [
        r#"{"a":{"x":[2,1],"y":"é"},"b":1}"#,
        r#"{"a":{"x":[1,2],"y":"é"},"b":2}"#,
        r#"{"a":{"x":[1,2],"y":"é"},"b":"1"}"#,
        r#"{"a":{"x":[1,2],"y":"é"},"b":1,"c":null}"#,
    ] {
        assert_eq!(rig.append(vec![sent(different)]).await, [Outcome::Conflict]);
    }
}

pub(super) async fn a_record_of_an_erased_customer_not_later_than_the_erasure_is_refused_as_erased(
    rig: Rig,
) {
    let named = |name: &str, micros: i64| {
        let mut draft = turn_at(name, rig.now().plus_micros(micros));
        draft.set_text("customer", "c");
        draft
    };
    let resent: Draft = owned(named("resent", -10_000_000), "1");
    rig.store_one(resent.clone()).await;
    let request = Erase {
        id: erasure_id(1),
        instance: home(),
        selector: Selector::Customer("c".to_owned()),
    };
    ok(rig.store.erase(&request).await);
    let mut elsewhere = named("elsewhere", -1_000_000);
    elsewhere.instance = other();
    let mut of_another = named("another", -1_000_000);
    of_another.set_text("customer", "C");
    let outcomes = rig
        .append(vec![
            resent,
            named("imported", -1_000_000),
            named("same moment", 0),
            named("later", 1_000_000),
            of_another,
            elsewhere,
        ])
        .await;
    assert_eq!(
        outcomes[..3],
        [Outcome::Erased, Outcome::Erased, Outcome::Erased]
    );
    for outcome in &outcomes[3..] {
        stored(outcome);
    }
    assert_eq!(rig.left().await, ["later", "another"]);
}

pub(super) async fn a_record_with_an_own_id_that_a_filter_erased_is_refused_like_one_of_an_erased_customer(
    rig: Rig,
) {
    let named = |name: &str, own_id: &str, micros: i64| {
        owned(turn_at(name, rig.now().plus_micros(micros)), own_id)
    };
    let doomed = named("doomed", "1", -10_000_000);
    rig.store(vec![doomed.clone(), named("kept", "2", -10_000_000)])
        .await;
    let request = |number: u64| Erase {
        id: erasure_id(number),
        instance: home(),
        selector: Selector::Filter(Filter::equals("own_id", "1")),
    };
    ok(rig.store.erase(&request(1)).await);
    let mut elsewhere = named("elsewhere", "1", -1_000_000);
    elsewhere.instance = other();
    let mut foreign = named("foreign", "1", -1_000_000);
    foreign.dialect = Dialect::WatsonV2;
    let timeless = owned(turn("timeless"), "1");
    let outcomes = rig
        .append(vec![
            doomed.clone(),
            named("another body", "1", 0),
            elsewhere,
            foreign,
            timeless.clone(),
            named("later", "1", 1),
            doomed,
        ])
        .await;
    assert_eq!(outcomes[0], Outcome::Erased);
    assert_eq!(outcomes[1], Outcome::Erased);
    assert!(matches!(outcomes[2], Outcome::Stored(_)), "{outcomes:?}");
    assert!(matches!(outcomes[3], Outcome::Stored(_)), "{outcomes:?}");
    assert!(matches!(outcomes[4], Outcome::Stored(_)), "{outcomes:?}");
    assert_eq!(outcomes[5], Outcome::Conflict);
    assert_eq!(outcomes[6], Outcome::Erased);
    assert_eq!(rig.left().await, ["kept", "foreign", "timeless"]);
    // What is erased twice is refused up to the later of both.
    rig.clock.step(1_000_000);
    ok(rig.store.erase(&request(2)).await);
    let late = named("late", "1", 0);
    assert_eq!(rig.append(vec![late]).await, [Outcome::Erased]);
    let stored = rig.append(vec![timeless.clone(), timeless]).await;
    let Outcome::Stored(first) = stored[0] else {
        panic!("{stored:?}");
    };
    assert_eq!(stored[1], Outcome::Duplicate(first));
    assert_eq!(rig.left().await, ["kept", "timeless"]);
}

pub(super) async fn a_batch_beyond_the_limits_is_invalid_and_nothing_is_stored(rig: Rig) {
    let many = vec![turn("a"); BATCH_RECORDS_MAX + 1];
    let mut big = turn("a");
    big.raw = format!("{{\"a\":\"{}\"}}", "x".repeat(BATCH_BYTES_MAX / 2)).into();
    for records in [many, vec![big.clone(), big]] {
        let states = Vec::new();
        let refused = rig.store.append(Batch { records, states }).await;
        assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
    }
    assert!(rig.left().await.is_empty());
}
