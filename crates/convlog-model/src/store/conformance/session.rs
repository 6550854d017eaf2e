//! What dialogue states promise.

use super::{Rig, home, ok, other, turn};
use crate::ids::InstanceId;
use crate::store::{Batch, StateWrite};

fn state(rig: &Rig, state: &[u8]) -> StateWrite {
    StateWrite {
        instance: home(),
        session: "s".to_owned(),
        state: state.to_vec(),
        customers: Vec::new(),
        expires_at: rig.now().plus_micros(10_000_000),
    }
}

async fn write(rig: &Rig, state: StateWrite) {
    let batch = Batch {
        records: vec![turn("a")],
        states: vec![state],
    };
    rig.append_batch(batch).await;
}

async fn load(rig: &Rig, instance: &InstanceId) -> Option<StateWrite> {
    ok(rig.store.load_state(instance, "s").await)
}

pub(super) async fn a_state_is_there_until_it_is_dropped(rig: Rig) {
    assert_eq!(load(&rig, &home()).await, None);
    ok(rig.store.drop_state(&home(), "s").await);
    let first = state(&rig, b"\x00 bytes \xFF");
    write(&rig, first.clone()).await;
    assert_eq!(load(&rig, &home()).await, Some(first));
    ok(rig.store.drop_state(&home(), "s").await);
    assert_eq!(load(&rig, &home()).await, None);
    let next = state(&rig, b"next");
    write(&rig, next.clone()).await;
    assert_eq!(load(&rig, &home()).await, Some(next));
}

pub(super) async fn a_state_is_there_until_it_is_replaced(rig: Rig) {
    for text in ["one", "two", ""] {
        let next = state(&rig, text.as_bytes());
        write(&rig, next.clone()).await;
        assert_eq!(load(&rig, &home()).await, Some(next));
    }
    let batch = Batch {
        records: Vec::new(),
        states: vec![state(&rig, b"early"), state(&rig, b"late")],
    };
    rig.append_batch(batch).await;
    assert_eq!(load(&rig, &home()).await, Some(state(&rig, b"late")));
}

pub(super) async fn a_state_is_there_until_it_has_expired(rig: Rig) {
    write(&rig, state(&rig, b"one")).await;
    rig.clock.step(10_000_000);
    assert!(load(&rig, &home()).await.is_some());
    rig.clock.step(1);
    assert_eq!(load(&rig, &home()).await, None);
}

pub(super) async fn states_are_apart_by_instance(rig: Rig) {
    write(&rig, state(&rig, b"one")).await;
    assert_eq!(load(&rig, &other()).await, None);
    ok(rig.store.drop_state(&other(), "s").await);
    assert!(load(&rig, &home()).await.is_some());
}

pub(super) async fn a_state_may_come_without_a_record(rig: Rig) {
    let batch = Batch {
        records: Vec::new(),
        states: vec![state(&rig, b"one")],
    };
    rig.append_batch(batch).await;
    assert_eq!(load(&rig, &home()).await, Some(state(&rig, b"one")));
    assert!(rig.left().await.is_empty());
}
