//! The end of an erasure is told of once, whatever fails on the way.

use convlog_model::filter::Filter;
use convlog_model::json::Json;
use convlog_model::store::ErrorKind;
use convlog_model::store::faulty::{Call, When};

use super::*;
use crate::config::ServerConfig;
use crate::testing::{OWNER, Rig, rig};

async fn erase(app: &App) -> String {
    let erasure = crate::erasures::of_customer(app, &OWNER, "acme", 0);
    erasure.await.unwrap().id.to_string()
}

async fn n_told(app: &App) -> u64 {
    let filter = Filter::equals("event.type", events::ERASURE_DONE.name);
    app.query().count(&OWNER, filter).await.unwrap()
}

#[tokio::test]
async fn an_erasure_that_is_done_is_told_of_once() {
    let Rig { app, .. } = rig();
    erase(&app).await;
    for _ in 0..3 {
        look(&app).await;
        assert_eq!(n_told(&app).await, 1);
    }
    assert!(app.unfinished().all().is_empty());
}

#[tokio::test]
async fn one_that_could_not_be_told_of_is_told_after_a_restart() {
    let rig = rig();
    erase(&rig.app).await;
    for (call, when) in [
        (Call::Erasures, When::Before),
        (Call::Append, When::Before),
        (Call::Append, When::After),
    ] {
        rig.store.fail(call, 1, when, ErrorKind::Unavailable);
        look(&rig.app).await;
    }
    rig.control
        .fail(Call::Put, 1, When::Before, ErrorKind::Unavailable);
    look(&rig.app).await;
    rig.clock.step(1_000_000);
    for _ in 0..3 {
        let next = App::new(ServerConfig::default(), rig.deps.clone());
        crate::erasures::note_unfinished(&next).await.unwrap();
        look(&next).await;
    }
    assert_eq!(n_told(&rig.app).await, 1);
}

#[tokio::test]
async fn orders_of_former_versions_are_told_of_too() {
    let Rig { app, .. } = rig();
    let id = erase(&app).await;
    let document = scoped_id(&OWNER.instance, &id);
    let all = crate::entity::untyped(&app, "erasures");
    let changed = all.change(&document, |doc| {
        let mut doc = doc.unwrap();
        assert_eq!(doc.take("is_told"), Some(Json::Bool(false)));
        Ok(Change::silent(doc))
    });
    changed.await.unwrap();
    look(&app).await;
    assert_eq!(n_told(&app).await, 1);
}
