//! Keys in memory: drawn, cached, told of.

use convlog_model::filter::Filter;
use convlog_model::testkit::SeededIds;

use super::*;
use crate::testing::{OWNER, Rig, rig};

fn doc(roles: &[Role]) -> Arc<KeyDoc> {
    Arc::new(KeyDoc {
        instance: InstanceId::default_instance(),
        name: String::new(),
        roles: Roles::of(roles),
        bots: None,
        created_at: String::new(),
        expires_at: None,
        digest: String::new(),
        sealed: String::new(),
    })
}

#[test]
fn drawn_keys_have_the_written_form_and_differ() {
    let ids = SeededIds::new(3);
    let (first, second) = (draw(&ids), draw(&ids));
    assert_ne!(first, second);
    for (id, secret) in [first, second] {
        let text = format!("{id}.{secret}");
        assert_eq!(parse(&text), Some((id, secret)));
    }
}

#[test]
fn texts_of_another_form_are_no_keys() {
    let (id, secret) = ("A".repeat(16), "s".repeat(32));
    assert!(parse(&format!("{id}.{secret}")).is_some());
    for text in [
        format!("{id}{secret}"),
        format!("{}.{secret}", "A".repeat(15)),
        format!("{}.{secret}", "A".repeat(33)),
        format!("{}.{secret}", "a".repeat(16)),
        format!("{id}.{}", "s".repeat(31)),
        format!("{id}.{}", "s".repeat(65)),
        format!("{id}.{}", "s.".repeat(20)),
    ] {
        assert_eq!(parse(&text), None, "{text}");
    }
}

#[test]
fn a_look_up_that_began_before_a_revocation_is_not_kept() {
    let cache = KeyCache::default();
    let (began, _) = cache.get("A");
    cache.forget("A");
    cache.put(began, "A", &doc(&[Role::Read]));
    assert_eq!(cache.get("A").1, None);
    let (began, _) = cache.get("A");
    cache.put(began, "A", &doc(&[Role::Read]));
    assert!(cache.get("A").1.is_some());
}

#[tokio::test]
async fn failed_logins_are_told_of_once_a_minute() {
    let Rig { app, clock, .. } = rig();
    let new = NewKey {
        instance: InstanceId::default_instance(),
        name: String::new(),
        roles: Roles::all(),
        bots: None,
        expires_at: None,
    };
    let key = create_key(&app, &new).await.unwrap();
    let (id, _) = key.split_once('.').unwrap();
    let n_failed = || {
        let filter = Filter::equals("event.type", "user.error");
        app.query().count(&OWNER, filter)
    };
    for _ in 0..3 {
        let wrong = check(&app, id, "wrong").await;
        assert_eq!(wrong.unwrap_err(), Fault::Unauthorized);
    }
    assert_eq!(n_failed().await.unwrap(), 1);
    clock.step(60_000_000);
    assert!(check(&app, id, "wrong").await.is_err());
    assert_eq!(n_failed().await.unwrap(), 2);
    assert!(check(&app, "UNKNOWNUNKNOWN42", "wrong").await.is_err());
    assert_eq!(n_failed().await.unwrap(), 2);
}
