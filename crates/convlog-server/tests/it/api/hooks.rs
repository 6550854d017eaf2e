//! Hooks as administrators set them up.

use super::problem;
use crate::harness::{ADMIN, Server};

const HOOK: &str = "/convlog/v1/hooks/cloud-1";

#[tokio::test]
async fn a_hook_shows_everything_but_its_secrets() {
    let server = Server::start().await;
    let made = server.put(HOOK, r#"{"secret":"hush-hush"}"#).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(
        made.text(),
        concat!(
            r#"{"hook":"cloud-1","secret":"********","#,
            r#""path":"/convlog/v1/hooks/watson/cloud-1","#,
            r#""updated_at":"2026-03-02T09:00:00.000000Z"}"#
        )
    );
    let body = r#"{"header":{"name":"X-Proof","value":"hush-hush"}}"#;
    let changed = server.put(HOOK, body).await;
    assert!(
        changed
            .text()
            .contains(r#""header":{"name":"x-proof","value":"********"}"#)
    );
    assert_eq!(server.get(HOOK).await.text(), changed.text());
    assert_eq!(
        server.put(HOOK, &changed.text()).await.text(),
        changed.text()
    );
    let stored = server
        .deps
        .control
        .get("hooks", "cloud-1")
        .await
        .unwrap()
        .unwrap();
    assert!(
        !String::from_utf8(stored.body)
            .unwrap()
            .contains("hush-hush")
    );
}

#[tokio::test]
async fn a_hook_belongs_to_one_instance() {
    let server = Server::start().await;
    server.put(HOOK, r#"{"secret":"a"}"#).await;
    let (_, other) = server.instance().await;
    let refused = server.call(&other, "PUT", HOOK, r#"{"secret":"b"}"#).await;
    let text = "another instance has a hook of this name";
    assert_eq!(problem(&refused), (409, text.to_owned()));
    assert_eq!(server.call(&other, "GET", HOOK, "").await.status, 404);
    assert_eq!(server.call(&other, "DELETE", HOOK, "").await.status, 404);
    assert_eq!(server.call(ADMIN, "DELETE", HOOK, "").await.status, 204);
    assert_eq!(server.get(HOOK).await.status, 404);
}

#[tokio::test]
async fn mistakes_name_the_field() {
    let server = Server::start().await;
    for (body, detail) in [
        ("{}", "the body must have exactly one of secret and header"),
        (
            r#"{"secret":"********"}"#,
            "secret is the mask that answers show, and there is no secret to keep",
        ),
        (r#"{"header":{"name":"x"}}"#, "header.value is required"),
        (
            r#"{"header":{"name":"a b","value":"c"}}"#,
            "header.name is no name of a header",
        ),
    ] {
        let refused = server.put(HOOK, body).await;
        assert_eq!(problem(&refused), (400, detail.to_owned()), "{body}");
    }
    let refused = server
        .put("/convlog/v1/hooks/a%2Fb", r#"{"secret":"a"}"#)
        .await;
    assert_eq!(refused.status, 400);
}
