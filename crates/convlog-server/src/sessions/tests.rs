//! States round trip, and turns of one session come one after the other.

use super::*;

fn session() -> Session {
    Session {
        id: "s1".into(),
        bot: "b1".into(),
        environment: None,
        started_us: 1_000,
        timeout_s: 60,
        turns: 2,
        customers: vec!["c".into()],
        context: Json::parse(br#"{"a":1.0,"a":2,"b":{"c":[1e400]}}"#).unwrap(),
        upstream: None,
    }
}

#[test]
fn a_state_comes_back_as_written_until_it_expires() {
    let instance = InstanceId::default_instance();
    let now = Timestamp::from_millis(5_000);
    let write = session().to_write(&instance, now);
    assert_eq!(write.expires_at, Timestamp::from_millis(65_000));
    assert_eq!(write.customers, ["c"]);
    let later = Timestamp::from_millis(65_000);
    assert_eq!(Session::from_write(&write, later), Some(session()));
    assert_eq!(Session::from_write(&write, later.plus_micros(1)), None);
}

#[tokio::test]
async fn turns_of_one_session_wait_for_each_other_and_leave_nothing_behind() {
    let sessions = Sessions::new(10);
    let instance = InstanceId::default_instance();
    let first = sessions.turn(&instance, "s1").await;
    let other = sessions.turn(&instance, "s2").await;
    let mut second = Box::pin(sessions.turn(&instance, "s1"));
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(first);
    let second = second.await;
    assert_eq!(sessions.in_use(), 2);
    drop((second, other));
    assert_eq!(sessions.in_use(), 0);
}

#[tokio::test]
async fn who_gives_up_waiting_is_forgotten() {
    let sessions = Sessions::new(10);
    let instance = InstanceId::default_instance();
    let first = sessions.turn(&instance, "s1").await;
    let mut second = Box::pin(sessions.turn(&instance, "s1"));
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(second);
    drop(first);
    assert_eq!(sessions.in_use(), 0);
}

#[tokio::test]
async fn a_turn_learns_of_the_erasures_since_it_began() {
    let sessions = Sessions::new(10);
    let instance = InstanceId::default_instance();
    sessions.note_erasure(&instance, "before");
    let turn = sessions.turn(&instance, "s1").await;
    assert!(!turn.was_erased("before") && !turn.was_erased("c"));
    sessions.note_erasure(&InstanceId::new("other").unwrap(), "c");
    assert!(!turn.was_erased("c"));
    sessions.note_erasure(&instance, "c");
    assert!(turn.was_erased("c") && !turn.was_erased("d"));
    for _ in 0..ERASURES_MAX + 1 {
        sessions.note_erasure(&instance, "x");
    }
    assert!(turn.was_erased("d"), "what is not known counts as erased");
    let next = sessions.turn(&instance, "s2").await;
    assert!(!next.was_erased("x"));
}

#[test]
fn a_session_that_has_ended_makes_room_for_another() {
    let sessions = Sessions::new(2);
    let instance = InstanceId::default_instance();
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
    for id in ["s1", "s2"] {
        assert!(sessions.has_room(at(0)));
        let one = Session {
            id: id.into(),
            ..session()
        };
        sessions.lives_until(&one.to_write(&instance, at(0)));
    }
    assert!(!sessions.has_room(at(60)));
    sessions.has_ended(&instance, "s2");
    assert!(sessions.has_room(at(60)));
    sessions.lives_until(&session().to_write(&instance, at(30)));
    assert!(sessions.has_room(at(90)), "s1 goes on, s2 is gone");
    sessions.lives_until(&session().to_write(&instance, at(60)));
    assert_eq!(sessions.lock().by_end.len(), 1);
    assert!(sessions.has_room(at(121)));
    assert_eq!(sessions.lock().by_end.len(), 0);
}
