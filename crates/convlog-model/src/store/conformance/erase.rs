//! What erasure promises.

use super::{Rig, erasure_id, home, names, ok, other, owned, turn, turn_of};
use crate::aggregate::{Aggregate, GroupBy};
use crate::fields::FieldRef;
use crate::filter::Filter;
use crate::ids::InstanceId;
use crate::query::{Query, Sort, SortKey};
use crate::store::{Batch, Erase, Erasure, ErasureState, Outcome, Selector, StateWrite};

fn of_customer(n: u64, customer: &str) -> Erase {
    Erase {
        id: erasure_id(n),
        instance: home(),
        selector: Selector::Customer(customer.to_owned()),
    }
}

async fn erase(rig: &Rig, request: &Erase) -> Erasure {
    let erasure = ok(rig.store.erase(request).await);
    assert_eq!(
        (erasure.id, &erasure.instance),
        (request.id, &request.instance)
    );
    erasure
}

pub(super) async fn on_return_no_read_shows_the_records(rig: Rig) {
    let mut of_two = crate::testkit::draft(r#"{"name":"both","c":["c","d"]}"#);
    of_two.set_ref("customer", &["c"]);
    rig.store(vec![
        turn_of("a", "c"),
        turn_of("b", "C"),
        turn("x"),
        of_two,
    ])
    .await;
    let doomed = rig.store_one(owned(turn_of("c", "c"), "own")).await;
    let erasure = erase(&rig, &of_customer(1, "c")).await;
    assert_eq!(erasure.records, 3);
    assert_eq!(rig.left().await, ["b", "x"]);
    for filter in [
        Filter::equals("customer", "c"),
        Filter::equals("own_id", "own"),
        Filter::equals("id", &doomed.id.to_string()),
    ] {
        assert!(rig.find(filter).await.is_empty());
    }
    let field = FieldRef::canonical("customer");
    let request = Aggregate {
        instance: home(),
        filter: Filter::All,
        by: vec![GroupBy::Terms { field, limit: 9 }],
        metrics: Vec::new(),
    };
    let table = ok(rig.store.aggregate(&request).await);
    let keys: Vec<String> = table
        .rows
        .iter()
        .map(|row| row.keys[0].to_string())
        .collect();
    assert_eq!(keys, ["\"C\"", "null"]);
}

pub(super) async fn on_return_no_cursor_under_way_shows_the_records(rig: Rig) {
    rig.store(vec![
        turn("1"),
        turn_of("2", "c"),
        turn("3"),
        turn_of("4", "c"),
        turn("5"),
    ])
    .await;
    let mut query = Query::new(home(), Filter::All);
    query.limit = 1;
    query.sort = Sort {
        key: SortKey::Position,
        descending: false,
    };
    let first = ok(rig.store.search(&query).await);
    erase(&rig, &of_customer(1, "c")).await;
    query.after = first.next;
    query.upto = Some(first.upto);
    query.limit = 9;
    let rest = ok(rig.store.search(&query).await);
    assert_eq!(names(&rest.records), ["3", "5"]);
    assert_eq!(rest.next, None);
}

pub(super) async fn a_filter_selects_what_matches_at_the_moment_of_the_request(rig: Rig) {
    let mut doomed = turn("doomed");
    doomed.set_text("user", "u");
    rig.store(vec![
        owned(doomed.clone(), "1"),
        turn("kept"),
        doomed.clone(),
    ])
    .await;
    let request = Erase {
        id: erasure_id(1),
        instance: home(),
        selector: Selector::Filter(Filter::equals("user", "u")),
    };
    assert_eq!(erase(&rig, &request).await.records, 2);
    assert_eq!(rig.left().await, ["kept"]);
    let outcomes = rig.append(vec![owned(doomed, "1")]).await;
    assert!(matches!(outcomes[0], Outcome::Stored(_)), "{outcomes:?}");
    assert_eq!(rig.left().await, ["kept", "doomed"]);
}

pub(super) async fn records_appended_later_stay(rig: Rig) {
    rig.store_one(turn_of("before", "c")).await;
    erase(&rig, &of_customer(1, "c")).await;
    rig.store_one(turn_of("timeless", "c")).await;
    rig.clock.step(1);
    let mut after = super::turn_at("after", rig.now());
    after.set_text("customer", "c");
    rig.store_one(after).await;
    assert_eq!(rig.left().await, ["timeless", "after"]);
}

pub(super) async fn the_same_id_again_changes_nothing_and_answers_the_same_erasure(rig: Rig) {
    rig.store(vec![turn_of("a", "c"), turn_of("b", "d")]).await;
    let first = erase(&rig, &of_customer(1, "c")).await;
    rig.clock.step(1_000_000);
    rig.store_one(turn_of("later", "c")).await;
    for again in [of_customer(1, "c"), of_customer(1, "d")] {
        let answer = erase(&rig, &again).await;
        assert_eq!(answer.records, first.records);
        assert_eq!(answer.requested_at, first.requested_at);
        assert_eq!(answer.hidden_at, first.hidden_at);
    }
    assert_eq!(rig.left().await, ["b", "later"]);
    assert_eq!(ok(rig.store.erasures(&home()).await).len(), 1);
    assert_eq!(erase(&rig, &of_customer(2, "c")).await.records, 1);
}

async fn is_there(rig: &Rig, instance: InstanceId, session: &str) -> bool {
    ok(rig.store.load_state(&instance, session).await).is_some()
}

pub(super) async fn dialogue_sessions_of_the_customer_are_gone(rig: Rig) {
    let state = |session: &str, customers: &[&str]| StateWrite {
        instance: home(),
        session: session.to_owned(),
        state: vec![1],
        customers: customers.iter().map(|c| (*c).to_owned()).collect(),
        expires_at: rig.now().plus_micros(60_000_000),
    };
    let mut theirs = state("theirs", &["c"]);
    theirs.instance = other();
    let batch = Batch {
        records: Vec::new(),
        states: vec![
            state("a", &["c"]),
            state("both", &["d", "c"]),
            state("b", &["d"]),
            state("x", &[]),
            theirs,
        ],
    };
    rig.append_batch(batch).await;
    erase(&rig, &of_customer(1, "c")).await;
    assert!(!is_there(&rig, home(), "a").await);
    assert!(!is_there(&rig, home(), "both").await);
    assert!(is_there(&rig, home(), "b").await);
    assert!(is_there(&rig, home(), "x").await);
    assert!(is_there(&rig, other(), "theirs").await);
    let again = Batch {
        records: Vec::new(),
        states: vec![state("a", &["c"])],
    };
    rig.append_batch(again).await;
    assert!(is_there(&rig, home(), "a").await);
}

pub(super) async fn an_erasure_keeps_to_its_instance(rig: Rig) {
    let mut theirs = turn_of("theirs", "c");
    theirs.instance = other();
    rig.store(vec![turn_of("a", "c"), theirs]).await;
    let everything = Erase {
        id: erasure_id(1),
        instance: home(),
        selector: Selector::Filter(Filter::All),
    };
    assert_eq!(erase(&rig, &everything).await.records, 1);
    assert_eq!(erase(&rig, &of_customer(2, "c")).await.records, 0);
    assert_eq!(ok(rig.store.count(&other(), &Filter::All).await), 1);
    assert!(ok(rig.store.erasures(&other()).await).is_empty());
}

pub(super) async fn erasures_are_listed_oldest_first(rig: Rig) {
    assert!(ok(rig.store.erasures(&home()).await).is_empty());
    for n in [3, 1, 2] {
        erase(&rig, &of_customer(n, "c")).await;
        rig.clock.step(1_000);
    }
    let listed = ok(rig.store.erasures(&home()).await);
    let ids: Vec<_> = listed.iter().map(|erasure| erasure.id).collect();
    assert_eq!(ids, [3, 1, 2].map(erasure_id));
    assert!(
        listed.iter().all(|e| e.requested_at <= e.hidden_at),
        "{listed:?}"
    );
}

pub(super) async fn settle_ends_every_erasure_requested_before(rig: Rig) {
    rig.store_one(turn_of("a", "c")).await;
    erase(&rig, &of_customer(1, "c")).await;
    ok(rig.store.settle().await);
    if !rig.store.capability().physical_erasure {
        return;
    }
    let erasure = ok(rig.store.erasures(&home()).await).remove(0);
    assert_eq!(erasure.state, ErasureState::Done);
    assert!(erasure.rows_overwritten_at >= Some(erasure.hidden_at));
    assert!(erasure.done_at >= erasure.rows_overwritten_at);
}
