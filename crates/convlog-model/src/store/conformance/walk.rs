//! What walks over everything and waiting promise.

use super::{Rig, erasure_id, failed, home, names, ok, poll_once, turn, turn_at, turn_of};
use crate::filter::Filter;
use crate::ids::Position;
use crate::query::{PAGE_MAX, Scan};
use crate::store::{Batch, Erase, ErrorKind, Selector};

fn scan(limit: usize) -> Scan {
    Scan {
        instance: home(),
        filter: Filter::All,
        after: Position::START,
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
            let request = Erase {
                id: erasure_id(1),
                instance: home(),
                selector: Selector::Customer("c".to_owned()),
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

pub(super) async fn a_walk_with_a_limit_out_of_range_is_invalid(rig: Rig) {
    rig.store_one(turn("a")).await;
    for limit in [0, PAGE_MAX + 1] {
        let refused = rig.store.scan(&scan(limit)).await;
        assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
    }
    let step = ok(rig.store.scan(&scan(PAGE_MAX)).await);
    assert_eq!(names(&step.records), ["a"]);
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
