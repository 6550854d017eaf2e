//! Parts of definitions: those of an upload that was cut off do not stay.

use super::*;
use crate::testing::{OWNER, Rig, rig};

const BODY: &str = r#"{"name":"Shop"}"#;

async fn upload(app: &App) {
    bots::ensure(app, &OWNER, "b1").await.unwrap();
    let stored = put(
        State(app.clone()),
        OWNER.clone(),
        Path("b1".to_owned()),
        RawBody(BODY.into()),
    );
    assert!(stored.await.is_ok());
}

/// A part of an upload that never got its head.
async fn orphan(app: &App) {
    let id = part_id(&OWNER.instance, &app.new_id().to_string(), 0);
    let stored = app.control().put(PARTS, &id, b"{", Expect::Absent);
    stored.await.unwrap();
}

async fn n_parts(app: &App) -> usize {
    app.control().list(PARTS, "", "", 100).await.unwrap().len()
}

#[tokio::test]
async fn parts_without_a_head_are_removed_once_their_upload_must_have_ended() {
    let Rig { app, clock, .. } = rig();
    upload(&app).await;
    for _ in 0..SWEEP_STEP * 2 {
        orphan(&app).await;
    }
    clock.step(i64::try_from(ORPHAN_MS).unwrap() * 1000 - 1000);
    sweep(&app).await;
    assert_eq!(n_parts(&app).await, 1 + SWEEP_STEP * 2);
    clock.step(1000);
    sweep(&app).await;
    assert_eq!(n_parts(&app).await, 1);
    let found = load(&app, &OWNER.instance, "b1").await.unwrap();
    assert_eq!(found.as_deref(), Some(BODY));
}
