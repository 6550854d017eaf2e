//! The door for writing: bounds, switches, batches, one answer a record.

use convlog_model::filter::Filter;
use convlog_model::testkit::{draft, said};
use convlog_model::time::Timestamp;

use super::*;
use crate::app::scoped_id;
use crate::auth::{Role, Roles};
use crate::config::ServerConfig;
use crate::entity::{Change, Collection};
use crate::events;
use crate::testing::{OWNER, Rig, owner, rig, rig_with};

fn of_bot(bot: &str) -> Draft {
    let mut draft = said("hello");
    draft.set_text("bot", bot);
    draft
}

/// Sets one switch of a bot's document, as its `PUT` does.
async fn switch(app: &App, bot: &str, name: &str, value: bool) {
    let instance = InstanceId::default_instance();
    crate::bots::ensure(app, &OWNER, bot).await.unwrap();
    let bots = Collection::<Json>::new(app, "bots");
    let changed = bots.change(&scoped_id(&instance, bot), |doc| {
        let mut doc = doc.unwrap();
        doc.set(name, Json::Bool(value));
        Ok(Change::silent(doc))
    });
    changed.await.unwrap();
}

fn state() -> StateWrite {
    StateWrite {
        instance: InstanceId::default_instance(),
        session: "s1".to_owned(),
        state: b"context".to_vec(),
        customers: Vec::new(),
        expires_at: Timestamp::from_millis(1_900_000_000_000),
    }
}

async fn n_records(app: &App, filter: Filter) -> u64 {
    app.query().count(&OWNER, filter).await.unwrap()
}

async fn bulk(app: &App, drafts: Vec<Draft>) -> Vec<Result<Outcome, String>> {
    bulk_by(app, &OWNER, drafts).await
}

async fn bulk_by(app: &App, caller: &Caller, drafts: Vec<Draft>) -> Vec<Result<Outcome, String>> {
    let look = |draft| app.ingest().look(caller, draft);
    let seen = drafts.into_iter().map(look).collect();
    app.ingest().bulk(caller, seen).await.unwrap()
}

#[tokio::test]
async fn a_live_turn_is_there_when_the_door_answers() {
    let Rig { app, .. } = rig();
    let stored = app.ingest().live(&OWNER, of_bot("b1"), Some(state()));
    let stored = stored.await.unwrap().unwrap();
    let found = app.query().get(&OWNER, stored.id).await.unwrap().unwrap();
    assert_eq!(found.position, stored.position);
    let session = app.store().load_state(&OWNER.instance, "s1").await.unwrap();
    assert_eq!(session.unwrap().state, b"context");
}

#[tokio::test]
async fn without_logging_only_the_dialogue_state_is_kept() {
    let Rig { app, .. } = rig();
    switch(&app, "quiet", "logging", false).await;
    let answer = app.ingest().live(&OWNER, of_bot("quiet"), Some(state()));
    assert_eq!(answer.await.unwrap(), None);
    let no_event = events::is_audit().negate();
    assert_eq!(n_records(&app, no_event).await, 0);
    let session = app.store().load_state(&OWNER.instance, "s1").await.unwrap();
    assert!(session.is_some());
    let drafts = vec![of_bot("quiet"), of_bot("b1")];
    let answers = bulk(&app, drafts).await;
    assert_eq!(answers[0], Err("logging is off for its bot".to_owned()));
    assert!(matches!(answers[1], Ok(Outcome::Stored(_))));
}

#[tokio::test]
async fn any_opt_out_wins() {
    let Rig { app, .. } = rig();
    switch(&app, "shy", "learning_opt_out", true).await;
    let mut by_header = of_bot("b1");
    opt_out(&mut by_header);
    for draft in [of_bot("shy"), by_header, of_bot("b1")] {
        app.ingest().live(&OWNER, draft, None).await.unwrap();
    }
    bulk(&app, vec![of_bot("shy")]).await;
    let opted_out = Filter::Test {
        field: convlog_model::fields::FieldRef::canonical("learning_opt_out"),
        test: convlog_model::filter::Test::Equals(convlog_model::filter::Literal::bare("true")),
    };
    assert_eq!(n_records(&app, opted_out).await, 3);
}

#[tokio::test]
async fn bulk_answers_each_record_in_order_and_makes_bots() {
    let Rig { app, .. } = rig();
    let mut own = of_bot("new");
    own.own_id = Some("id-1".to_owned());
    let mut other = own.clone();
    other.raw = r#"{"text":"bye"}"#.into();
    let mut empty = own.clone();
    empty.own_id = Some(String::new());
    let mut control = own.clone();
    control.own_id = Some("a\nb".to_owned());
    let mut long = own.clone();
    long.own_id = Some("x".repeat(513));
    let mut customer = of_bot("new");
    customer.set_text("customer", &"c".repeat(257));
    let mut foreign = of_bot("new");
    foreign.instance = InstanceId::new("other").unwrap();
    let drafts = vec![
        own.clone(),
        empty,
        own,
        other,
        control,
        long,
        customer,
        foreign,
    ];
    let answers = bulk(&app, drafts).await;
    let texts: Vec<String> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Outcome::Stored(_)) => "stored".to_owned(),
            Ok(Outcome::Duplicate(_)) => "duplicate".to_owned(),
            Ok(outcome) => format!("{outcome:?}"),
            Err(reason) => reason,
        })
        .collect();
    assert_eq!(
        texts,
        [
            "stored",
            "own_id: must not be empty",
            "duplicate",
            "another body is stored under the same id",
            "own_id: control characters are not allowed",
            "own_id: longer than 512 bytes",
            "customer: longer than 256 bytes",
            "belongs to another instance",
        ]
    );
    let bot = Collection::<Json>::new(&app, "bots")
        .get("default/new")
        .await;
    assert!(bot.unwrap().is_some());
}

#[tokio::test]
async fn a_record_longer_than_allowed_is_refused() {
    let mut config = ServerConfig::default();
    config.limits.record_bytes = 20;
    let Rig { app, .. } = rig_with(config);
    let long = draft(r#"{"text":"0123456789"}"#);
    let fault = app.ingest().live(&OWNER, long, None).await.unwrap_err();
    assert_eq!(fault, Fault::bad("longer than 20 bytes"));
}

#[tokio::test]
async fn a_key_of_some_bots_writes_to_no_other() {
    let Rig { app, .. } = rig();
    let mut caller = owner();
    caller.bots = Some(["b1".to_owned()].into());
    let drafts = vec![of_bot("b1"), of_bot("b2"), said("to nobody")];
    let answers = bulk_by(&app, &caller, drafts).await;
    assert!(answers[0].is_ok());
    assert_eq!(
        answers[1],
        Err("bot: outside of the key's scope".to_owned())
    );
    let missing = "bot: missing, and the key is limited to some bots";
    assert_eq!(answers[2], Err(missing.to_owned()));
}

#[tokio::test]
async fn nobody_forges_the_audit() {
    let Rig { app, .. } = rig();
    let forged = OwnEvent::new(&app, &OWNER, events::KEY_CREATE).draft();
    let mut writer = owner();
    writer.roles = Roles::of(&[Role::Write]);
    let answers = bulk_by(&app, &writer, vec![forged.clone()]).await;
    let refused = "event.action: entries of the audit need a key with the role admin";
    assert_eq!(answers[0], Err(refused.to_owned()));
    let answers = bulk(&app, vec![forged]).await;
    assert!(answers[0].is_ok());
}

#[tokio::test]
async fn records_beyond_the_rate_wait() {
    let mut config = ServerConfig::default();
    config.limits.ingest_per_second = 2;
    let Rig { app, clock, .. } = rig_with(config);
    let four = vec![said("a"), said("b"), said("c"), said("d")];
    bulk(&app, four).await;
    let fault = app.ingest().before_asking(&OWNER, "b1", || None).await;
    let fault = fault.unwrap_err();
    assert_eq!(fault.retry_after_s(), Some(1));
    clock.step(1_500_000);
    let room = app.ingest().before_asking(&OWNER, "b1", || None).await;
    room.unwrap();
}

#[test]
fn batches_keep_the_order_and_the_store_s_limits() {
    let sized = |bytes: usize| (draft(&"x".repeat(bytes)), None);
    let half = (BATCH_BYTES_MAX - EVENT_BYTES) / 2;
    let wanted = vec![(0, sized(half)), (1, sized(half)), (2, sized(1))];
    let cut: Vec<Vec<usize>> = batches(wanted)
        .into_iter()
        .map(|batch| batch.into_iter().map(|(place, _)| place).collect())
        .collect();
    assert_eq!(cut, [vec![0, 1], vec![2]]);
    let many = (0..=BATCH_RECORDS_MAX).map(|i| (i, sized(1))).collect();
    let lengths: Vec<usize> = batches(many).iter().map(Vec::len).collect();
    assert_eq!(lengths, [BATCH_RECORDS_MAX - 1, 2]);
    assert!(batches(Vec::new()).is_empty());
}
