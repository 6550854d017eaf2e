//! Documents and the events that ride on them, through failures of store and control plane.

use convlog_model::control::ControlPlane as _;
use convlog_model::filter::Filter;
use convlog_model::store::ErrorKind;
use convlog_model::store::faulty::{Call, When};
use serde::{Deserialize, Serialize};

use super::*;
use crate::config::ServerConfig;
use crate::events;
use crate::testing::{OWNER, Rig, rig};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Doc {
    n: u32,
}

fn docs(app: &App) -> Collection<'_, Doc> {
    Collection::new(app, "settings")
}

fn event(app: &App) -> OwnEvent {
    OwnEvent::new(app, &OWNER, events::SETTINGS_UPDATE)
}

async fn set(app: &App, n: u32) -> Result<Option<Entity<Doc>>, Fault> {
    docs(app)
        .change("a", |_| Ok(Change::to(Doc { n }, event(app))))
        .await
}

async fn n_events(app: &App) -> u64 {
    app.query().count(&OWNER, Filter::All).await.unwrap()
}

#[tokio::test]
async fn a_change_writes_its_event_and_takes_it_off() {
    let Rig { app, .. } = rig();
    let made = set(&app, 1).await.unwrap().unwrap();
    assert_eq!(made.doc, Doc { n: 1 });
    assert_eq!(n_events(&app).await, 1);
    let raw = app.control().get("settings", "a").await.unwrap().unwrap();
    assert_eq!(String::from_utf8(raw.body).unwrap(), r#"{"doc":{"n":1}}"#);
    assert!(app.pending().all().is_empty());
}

#[tokio::test]
async fn an_event_that_could_not_be_written_waits_on_the_document() {
    let Rig { app, store, .. } = rig();
    store.fail(Call::Append, 1, When::Before, ErrorKind::Full);
    set(&app, 1).await.unwrap();
    assert_eq!(n_events(&app).await, 0);
    flush_all(&app).await;
    assert_eq!(n_events(&app).await, 1);
    assert!(app.pending().all().is_empty());
    let kept = docs(&app).get("a").await.unwrap().unwrap();
    assert_eq!(kept.doc, Doc { n: 1 });
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_not_written_twice() {
    let Rig { app, store, .. } = rig();
    store.fail(Call::Append, 1, When::After, ErrorKind::Unavailable);
    set(&app, 1).await.unwrap();
    flush_all(&app).await;
    assert_eq!(n_events(&app).await, 1);
}

#[tokio::test]
async fn a_start_finds_the_events_that_wait() {
    let rig = rig();
    rig.store
        .fail(Call::Append, 1, When::Before, ErrorKind::Full);
    set(&rig.app, 1).await.unwrap();
    let next = App::new(ServerConfig::default(), rig.deps.clone());
    untyped(&next, "settings").note_pending().await.unwrap();
    flush_all(&next).await;
    assert_eq!(n_events(&next).await, 1);
}

#[tokio::test]
async fn a_deleted_document_is_gone_at_once_and_its_event_is_not() {
    let Rig { app, store, .. } = rig();
    set(&app, 1).await.unwrap();
    store.fail(Call::Append, 1, When::Before, ErrorKind::Full);
    let gone = docs(&app).change("a", |_| Ok(Change::delete(event(&app))));
    assert_eq!(gone.await.unwrap(), None);
    assert_eq!(docs(&app).get("a").await.unwrap(), None);
    assert!(docs(&app).list("").await.unwrap().is_empty());
    assert_eq!(n_events(&app).await, 1);
    flush_all(&app).await;
    assert_eq!(n_events(&app).await, 2);
    assert_eq!(app.control().get("settings", "a").await.unwrap(), None);
}

#[tokio::test]
async fn a_document_made_anew_before_its_deletion_was_told_stays() {
    let Rig { app, store, .. } = rig();
    set(&app, 1).await.unwrap();
    store.fail(Call::Append, 1, When::Before, ErrorKind::Full);
    let gone = docs(&app).change("a", |_| Ok(Change::delete(event(&app))));
    gone.await.unwrap();
    set(&app, 2).await.unwrap();
    assert_eq!(docs(&app).get("a").await.unwrap().unwrap().doc.n, 2);
    assert_eq!(n_events(&app).await, 3);
}

#[tokio::test]
async fn a_change_that_loses_is_decided_again() {
    let Rig { app, control, .. } = rig();
    control.fail(Call::Put, 1, When::Before, ErrorKind::Conflict);
    let mut asked = 0;
    let changed = docs(&app).change("a", |_| {
        asked += 1;
        Ok(Change::silent(Doc { n: 1 }))
    });
    changed.await.unwrap();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn a_document_that_stays_as_it_is_is_not_written() {
    let Rig { app, control, .. } = rig();
    set(&app, 1).await.unwrap();
    let before = docs(&app).get("a").await.unwrap();
    let n_puts = control.calls(Call::Put);
    let stays = docs(&app).change("a", |old| Ok(Change::silent(old.unwrap())));
    assert_eq!(stays.await.unwrap(), before);
    assert_eq!(control.calls(Call::Put), n_puts);
}

#[tokio::test]
async fn a_change_that_always_loses_gives_up() {
    let Rig { app, control, .. } = rig();
    for nth in 1..=16 {
        control.fail(Call::Put, nth, When::Before, ErrorKind::Conflict);
    }
    let fault = set(&app, 1).await.unwrap_err();
    assert_eq!(fault.message(), "somebody else changed it at the same time");
}

#[tokio::test]
async fn a_damaged_document_is_an_error_that_shows_nothing_of_it() {
    let Rig { app, .. } = rig();
    let put = app
        .control()
        .put("settings", "a", b"{\"doc\":secret}", Expect::Absent);
    put.await.unwrap();
    let fault = docs(&app).get("a").await.unwrap_err();
    assert_eq!(
        fault,
        Fault::internal("a document of settings at line 1 column 8")
    );
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_ends_after_the_next_start_in_every_collection() {
    let Rig {
        app, control, deps, ..
    } = rig();
    for name in COLLECTIONS {
        let docs = Collection::<Doc>::new(&app, name);
        let made = docs.change("a", |_| Ok(Change::silent(Doc { n: 1 })));
        made.await.unwrap();
        control.fail(Call::Delete, 1, When::Before, ErrorKind::Unavailable);
        let gone = docs.change("a", |_| Ok(Change::gone()));
        assert_eq!(gone.await.unwrap(), None);
        let left = control.get(name, "a").await.unwrap();
        assert!(left.is_some(), "{name}");
    }
    let next = App::new(ServerConfig::default(), deps);
    for name in COLLECTIONS {
        untyped(&next, name).note_pending().await.unwrap();
    }
    flush_all(&next).await;
    for name in COLLECTIONS {
        assert_eq!(control.get(name, "a").await.unwrap(), None, "{name}");
    }
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "the collection new_ones is in no list")]
fn a_collection_that_is_in_no_list_is_noticed() {
    let Rig { app, .. } = rig();
    let _unlisted = untyped(&app, "new_ones");
}

#[cfg(debug_assertions)]
#[tokio::test]
#[should_panic(expected = "documents of seen may wait")]
async fn a_deletion_in_a_collection_that_nobody_looks_through_is_noticed() {
    let Rig { app, .. } = rig();
    let docs = Collection::<Doc>::new(&app, LASTING[0]);
    let made = docs.change("a", |_| Ok(Change::silent(Doc { n: 1 })));
    made.await.unwrap();
    let gone = docs.change("a", |_| Ok(Change::gone()));
    gone.await.unwrap();
}
