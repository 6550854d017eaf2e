//! The door for reading: scope, pages, cursors.

use convlog_model::ids::InstanceId;
use convlog_model::store::ErrorKind;
use convlog_model::store::faulty::{Call, When};
use convlog_model::testkit::said;

use super::*;
use crate::config::ServerConfig;
use crate::testing::{OWNER, Rig, owner, rig, rig_with};

const BY_RECEIPT: Sort = Sort {
    key: SortKey::Received,
    descending: true,
};
const BY_POSITION: Sort = Sort {
    key: SortKey::Position,
    descending: false,
};

async fn say(app: &App, bot: &str, texts: &[&str]) {
    for text in texts {
        let mut draft = said(text);
        draft.set_text("bot", bot);
        app.ingest().live(&OWNER, draft, None).await.unwrap();
    }
}

fn texts(listed: &Listed) -> Vec<String> {
    let text = |record: &Arc<Record>| record.flat().text("input.text").unwrap().to_owned();
    listed.records.iter().map(text).collect()
}

async fn page(app: &App, sort: Sort, cursor: Option<CursorState>) -> Listed {
    let listed = app.query().page(&OWNER, Filter::All, sort, 2, cursor);
    listed.await.unwrap()
}

#[tokio::test]
async fn pages_end_without_a_cursor_and_do_not_show_what_came_later() {
    let Rig { app, clock, .. } = rig();
    for text in ["a", "b", "c"] {
        clock.step(1000);
        say(&app, "b1", &[text]).await;
    }
    let first = page(&app, BY_RECEIPT, None).await;
    assert_eq!(texts(&first), ["c", "b"]);
    say(&app, "b1", &["later"]).await;
    let last = page(&app, BY_RECEIPT, first.next).await;
    assert_eq!(texts(&last), ["a"]);
    assert_eq!(last.next, None);
}

#[tokio::test]
async fn in_commit_order_there_is_always_a_cursor_and_it_takes_in_new_arrivals() {
    let Rig { app, .. } = rig();
    let empty = page(&app, BY_POSITION, None).await;
    assert!(empty.records.is_empty());
    say(&app, "b1", &["a", "b", "c"]).await;
    let first = page(&app, BY_POSITION, empty.next).await;
    assert_eq!(texts(&first), ["a", "b"]);
    let second = page(&app, BY_POSITION, first.next).await;
    assert_eq!(texts(&second), ["c"]);
    let third = page(&app, BY_POSITION, second.next).await;
    assert!(third.records.is_empty());
    say(&app, "b1", &["d"]).await;
    let fourth = page(&app, BY_POSITION, third.next).await;
    assert_eq!(texts(&fourth), ["d"]);
}

#[tokio::test]
async fn a_key_of_some_bots_sees_their_records_alone() {
    let Rig { app, .. } = rig();
    say(&app, "b1", &["mine"]).await;
    say(&app, "b2", &["other"]).await;
    let mut caller = owner();
    caller.bots = Some(["b1".to_owned()].into());
    let all = Filter::All;
    let listed = app.query().page(&caller, all.clone(), BY_RECEIPT, 10, None);
    assert_eq!(texts(&listed.await.unwrap()), ["mine"]);
    assert_eq!(app.query().count(&caller, all.clone()).await.unwrap(), 1);
    let scanned = app
        .query()
        .scan(&caller, all.clone(), Position::START, None, 10);
    assert_eq!(scanned.await.unwrap().records.len(), 1);
    let table = app
        .query()
        .aggregate(&caller, all, Vec::new(), vec![Metric::Count]);
    assert_eq!(table.await.unwrap().rows.first().unwrap().count, 1);
    let other = Filter::equals("bot", "b2");
    let found = app.query().first(&OWNER, other).await.unwrap().unwrap();
    assert_eq!(app.query().get(&caller, found.id).await.unwrap(), None);
}

#[tokio::test]
async fn another_instance_sees_nothing() {
    let Rig { app, .. } = rig();
    say(&app, "b1", &["mine"]).await;
    let other = Caller::system(InstanceId::new("other").unwrap());
    assert_eq!(app.query().count(&other, Filter::All).await.unwrap(), 0);
}

#[tokio::test]
async fn a_cursor_of_another_question_caller_or_history_is_refused() {
    let Rig { app, .. } = rig();
    say(&app, "b1", &["a", "b", "c"]).await;
    let cursor = page(&app, BY_RECEIPT, None).await.next.unwrap();
    let filter = Filter::equals("bot", "b1");
    let asked = app
        .query()
        .page(&OWNER, filter, BY_RECEIPT, 2, Some(cursor.clone()));
    let wrong = Fault::bad_at("cursor", "belongs to another question");
    assert_eq!(asked.await.unwrap_err(), wrong);
    let other = Caller::system(InstanceId::new("other").unwrap());
    let asked = app
        .query()
        .page(&other, Filter::All, BY_RECEIPT, 2, Some(cursor.clone()));
    assert_eq!(asked.await.unwrap_err(), wrong);
    let restored = CursorState {
        timeline: Timeline(cursor.timeline.0 ^ 1),
        ..cursor
    };
    let asked = app
        .query()
        .page(&OWNER, Filter::All, BY_RECEIPT, 2, Some(restored));
    let text = "belongs to data from before a restore: begin again";
    assert_eq!(asked.await.unwrap_err(), Fault::bad_at("cursor", text));
}

#[tokio::test]
async fn a_page_is_cut_to_the_maximum_and_never_empty_by_wish() {
    let mut config = ServerConfig::default();
    config.limits.page_max = 2;
    let Rig { app, .. } = rig_with(config);
    say(&app, "b1", &["a", "b", "c"]).await;
    let listed = app
        .query()
        .page(&OWNER, Filter::All, BY_RECEIPT, 1_000_000, None);
    assert_eq!(listed.await.unwrap().records.len(), 2);
    let listed = app.query().page(&OWNER, Filter::All, BY_RECEIPT, 0, None);
    let fault = listed.await.unwrap_err();
    assert_eq!(fault, Fault::bad_at("limit", "must be at least 1"));
}

#[tokio::test]
async fn what_the_store_cannot_do_now_is_503() {
    let Rig { app, store, .. } = rig();
    store.fail(Call::Search, 1, When::Before, ErrorKind::Timeout);
    let listed = app.query().page(&OWNER, Filter::All, BY_RECEIPT, 1, None);
    assert_eq!(listed.await.unwrap_err().status().as_u16(), 503);
}

#[tokio::test]
async fn a_question_beyond_its_time_is_told_to_be_narrower() {
    let mut config = ServerConfig::default();
    config.limits.query_time = std::time::Duration::ZERO;
    let Rig { app, .. } = rig_with(config);
    let work = std::future::pending::<Result<(), StoreError>>();
    let fault = app.query().bounded(work).await.unwrap_err();
    assert_eq!(fault.message(), "this takes too long: narrow the filter");
}

#[test]
fn cursors_come_back_as_they_were_and_others_are_refused() {
    let value = [None, Some(Timestamp::from_micros(-5))];
    let upto = [None, Some(Position(u128::MAX))];
    for (value, upto) in value.into_iter().flat_map(|v| upto.map(|u| (v, u))) {
        let state = CursorState {
            after: After {
                value,
                id: RecordId::from_parts(7, 9),
                position: Position(3),
            },
            upto,
            timeline: Timeline(11),
            question: 13,
        };
        let text = state.encode();
        assert_eq!(CursorState::decode(&text), Ok(state));
        for cut in 0..text.len() {
            assert!(CursorState::decode(text.get(..cut).unwrap()).is_err());
        }
    }
    let wrong = Fault::bad_at("cursor", "is not a cursor");
    assert_eq!(CursorState::decode("%"), Err(wrong));
}
