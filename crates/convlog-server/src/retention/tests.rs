//! Rules from configuration, settings and bots, and what they hide.

use convlog_model::filter::Filter;
use convlog_model::ids::Position;
use convlog_model::json::Json;
use convlog_model::store::ErrorKind;
use convlog_model::store::faulty::{Call, When};
use convlog_model::testkit::said;

use super::*;
use crate::config::ServerConfig;
use crate::entity::Change;
use crate::testing::{OWNER, Rig, rig_with};

const DAY_US: i64 = 86_400_000_000;

async fn set(app: &App, collection: &'static str, id: &str, name: &str, days: Json) {
    let documents = Collection::<Json>::new(app, collection);
    let changed = documents.change(id, |doc| {
        let mut doc = doc.unwrap_or(Json::Object(Vec::new()));
        doc.set(name, days.clone());
        Ok(Change::silent(doc))
    });
    changed.await.unwrap();
}

fn three_days() -> Rig {
    let mut config = ServerConfig::default();
    config.retention.default_days = 3;
    config.retention.events_days = 4;
    rig_with(config)
}

#[tokio::test]
async fn rules_come_from_configuration_settings_and_bots() {
    let Rig { app, .. } = three_days();
    let prefixes = Json::object([("bot.", Json::integer(400))]);
    set(
        &app,
        "settings",
        "default",
        "retention_days",
        Json::integer(2),
    )
    .await;
    set(&app, "settings", "default", "retention_types", prefixes).await;
    set(
        &app,
        "bots",
        "default/b1",
        "retention_days",
        Json::integer(1),
    )
    .await;
    set(&app, "bots", "default/b2", "name", Json::string("no rule")).await;
    let rules = rules(&app).await.unwrap();
    assert_eq!((rules.default_days, rules.events_days), (3, 4));
    let of_default = rules.instances.get(&OWNER.instance).unwrap();
    assert_eq!(of_default.days, Some(2));
    assert_eq!(of_default.bots, [("b1".to_owned(), 1)].into());
    assert_eq!(of_default.type_prefixes, [("bot.".to_owned(), 400)].into());
}

#[tokio::test]
async fn a_pass_hides_what_has_expired() {
    let Rig { app, clock, .. } = three_days();
    app.ingest().live(&OWNER, said("old"), None).await.unwrap();
    clock.step(2 * DAY_US);
    app.ingest()
        .live(&OWNER, said("young"), None)
        .await
        .unwrap();
    assert_eq!(apply(&app).await.unwrap(), 0);
    clock.step(DAY_US + 1);
    assert_eq!(apply(&app).await.unwrap(), 1);
    assert_eq!(app.query().count(&OWNER, Filter::All).await.unwrap(), 1);
}

#[tokio::test]
async fn what_went_is_told_of_once_whatever_fails() {
    let Rig {
        app, clock, store, ..
    } = three_days();
    let first = app.ingest().live(&OWNER, said("old"), None).await.unwrap();
    clock.step(3 * DAY_US + 1);
    apply(&app).await.unwrap();
    for (call, when) in [
        (Call::Purges, When::Before),
        (Call::Append, When::Before),
        (Call::Append, When::After),
        (Call::ForgetPurges, When::Before),
        (Call::ForgetPurges, When::After),
    ] {
        store.fail(call, 1, when, ErrorKind::Unavailable);
        tell_purges(&app).await;
    }
    clock.step(1_000_000);
    tell_purges(&app).await;
    let filter = Filter::equals("event.type", events::RETENTION_PURGE.name);
    let query = app.query();
    let told = query.scan(&OWNER, filter, Position::START, None, 10).await;
    let told = told.unwrap().records;
    assert_eq!(told.len(), 1);
    let flat = told[0].flat();
    let received = first.unwrap().received.to_micros_text();
    let told = ["records", "from", "to"].map(|name| flat.text(&format!("event.meta.{name}")));
    assert_eq!(told, [Some("1"), Some(&*received), Some(&*received)]);
}
