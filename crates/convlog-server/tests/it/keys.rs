//! Keys: schemes, roles, end, revocation, tokens, and what is refused.

use axum::body::Body;
use axum::http::{Request, header};

use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_server::auth::{TOKEN_SECONDS, mint_token};
use convlog_server::keys::{NewKey, create_key, secret_of};
use convlog_server::{Role, Roles};

use crate::harness::{ADMIN, Server, basic};

const KEYS: &str = "/convlog/v1/keys";

async fn with_header(server: &Server, value: &str) -> u16 {
    let request = Request::builder()
        .uri(KEYS)
        .header(header::AUTHORIZATION, value);
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    answer.status.as_u16()
}

#[tokio::test]
async fn one_key_opens_by_basic_and_bearer() {
    let server = Server::start().await;
    assert_eq!(with_header(&server, &basic("apikey", ADMIN)).await, 200);
    assert_eq!(with_header(&server, &format!("Bearer {ADMIN}")).await, 200);
    assert_eq!(with_header(&server, &format!("bearer {ADMIN}")).await, 200);
}

#[tokio::test]
async fn anything_but_a_valid_key_is_401() {
    let server = Server::start().await;
    let (id, _) = ADMIN.split_once('.').unwrap();
    let wrong = format!("{id}.{}", "x".repeat(43));
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic !!!",
        &format!("Token {ADMIN}"),
        &basic("someone", ADMIN),
        &basic("apikey", &wrong),
        &format!("Bearer {wrong}"),
        &format!("Bearer {}", wrong.to_lowercase()),
        "Bearer a.b.c",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJBRE1JTkFETUlOQURNSU4xIn0.",
    ] {
        assert_eq!(with_header(&server, value).await, 401, "{value}");
    }
    let answer = server.call("", "GET", KEYS, "").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(
        answer.text(),
        r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"a valid key is required"}"#
    );
    assert!(answer.header("www-authenticate").starts_with("Basic"));
    let watson = server.call("", "GET", "/v1/nothing", "").await;
    assert_eq!(watson.status, 404);
    assert_eq!(
        watson.text(),
        r#"{"error":"Resource not found","code":404}"#
    );
}

#[tokio::test]
async fn a_secret_is_shown_once_and_recovered_by_the_interface_of_signatures() {
    let server = Server::start().await;
    let key = server.key(r#""read""#, "").await;
    let (id, secret) = key.split_once('.').unwrap();
    let listed = server.get(KEYS).await;
    assert!(!listed.text().contains(secret));
    assert!(listed.text().contains(id));
    let (recovered, caller) = secret_of(&server.app, id).await.unwrap();
    assert_eq!(recovered, secret);
    assert_eq!(caller.roles, Roles::of(&[Role::Read]));
    let stored = server.deps.control.get("keys", id).await.unwrap().unwrap();
    let stored = String::from_utf8(stored.body).unwrap();
    assert!(!stored.contains(secret));
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let server = Server::start().await;
    let key = server.key(r#""admin""#, "").await;
    assert_eq!(server.call(&key, "GET", KEYS, "").await.status, 200);
    let (id, _) = key.split_once('.').unwrap();
    let uri = format!("{KEYS}/{id}");
    assert_eq!(server.call(ADMIN, "DELETE", &uri, "").await.status, 204);
    assert_eq!(server.call(&key, "GET", KEYS, "").await.status, 401);
    assert!(secret_of(&server.app, id).await.is_err());
    assert_eq!(server.call(ADMIN, "DELETE", &uri, "").await.status, 404);
}

#[tokio::test]
async fn a_key_ends_at_its_time() {
    let server = Server::start().await;
    let body = r#"{"roles":["admin"],"expires_at":"2026-03-02T10:00:00Z"}"#;
    let answer = server.post(KEYS, body).await;
    let key = answer.text_at("key");
    assert_eq!(server.call(&key, "GET", KEYS, "").await.status, 200);
    server.clock.step(3_600_000_000);
    assert_eq!(server.call(&key, "GET", KEYS, "").await.status, 401);
}

#[tokio::test]
async fn a_token_lives_an_hour_and_dies_with_its_key() {
    let server = Server::start().await;
    let key = server.key(r#""admin""#, "").await;
    let (id, _) = key.split_once('.').unwrap();
    let (token, ends) = mint_token(&server.app, id).unwrap();
    assert_eq!(ends, 1_772_442_000 + TOKEN_SECONDS);
    assert_eq!(server.call(&token, "GET", KEYS, "").await.status, 200);
    let forged = format!("{token}x");
    assert_eq!(server.call(&forged, "GET", KEYS, "").await.status, 401);
    server.clock.step(3_600_000_000);
    assert_eq!(server.call(&token, "GET", KEYS, "").await.status, 401);
    let (token, _) = mint_token(&server.app, id).unwrap();
    assert_eq!(server.call(&token, "GET", KEYS, "").await.status, 200);
    let uri = format!("{KEYS}/{id}");
    assert_eq!(server.call(ADMIN, "DELETE", &uri, "").await.status, 204);
    assert_eq!(server.call(&token, "GET", KEYS, "").await.status, 401);
}

#[tokio::test]
async fn only_an_operator_grants_operator() {
    let server = Server::start().await;
    let admin = server.key(r#""admin""#, "").await;
    let body = r#"{"roles":["operator"]}"#;
    let refused = server.call(&admin, "POST", KEYS, body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.text_at("detail"),
        "this needs a key with the role operator"
    );
    assert_eq!(server.post(KEYS, body).await.status, 201);
    let (id, _) = ADMIN.split_once('.').unwrap();
    let revoke = server
        .call(&admin, "DELETE", &format!("{KEYS}/{id}"), "")
        .await;
    assert_eq!(revoke.status, 403);
}

#[tokio::test]
async fn the_first_key_of_a_further_instance_has_all_roles_but_operator() {
    let server = Server::start().await;
    let (_, key) = server.instance().await;
    let listed = server.call(&key, "GET", KEYS, "").await.json();
    let keys = listed.get("keys").and_then(Json::as_array).unwrap();
    assert_eq!(keys.len(), 1);
    let roles = keys.first().unwrap().get("roles").unwrap().to_string();
    assert_eq!(roles, r#"["write","read","erase","admin"]"#);
    let uri = "/convlog/v1/instances";
    assert_eq!(server.call(&key, "GET", uri, "").await.status, 403);
    let all = server.get(uri).await.json();
    assert_eq!(all.get("instances").unwrap().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn keys_of_another_instance_are_neither_listed_nor_revoked() {
    let server = Server::start().await;
    let (_, other) = server.instance().await;
    let (id, _) = ADMIN.split_once('.').unwrap();
    let answer = server
        .call(&other, "DELETE", &format!("{KEYS}/{id}"), "")
        .await;
    assert_eq!(answer.status, 404);
    assert!(
        !server
            .call(&other, "GET", KEYS, "")
            .await
            .text()
            .contains(id)
    );
}

#[tokio::test]
async fn bad_keys_are_refused_by_field() {
    let server = Server::start().await;
    for (body, path, message) in [
        ("{}", "roles", "is missing"),
        (r#"{"roles":[]}"#, "roles", "must name at least one role"),
        (
            r#"{"roles":["read"],"bots":[]}"#,
            "bots",
            "must name 1 to 1000 bots",
        ),
        (
            r#"{"roles":["read"],"expires_at":"tomorrow"}"#,
            "expires_at",
            "must be RFC 3339",
        ),
        (
            r#"{"roles":["read"],"expires_at":"2020-01-01T00:00:00Z"}"#,
            "expires_at",
            "lies in the past",
        ),
        (
            r#"{"roles":["reader"]}"#,
            "roles[0]",
            "wrong value, expected one of `write`, `read`, `erase`, `admin`, `operator`",
        ),
        (
            r#"{"roles":["read"],"colour":1}"#,
            "colour",
            "unknown field, expected one of `name`, `roles`, `bots`, `expires_at`",
        ),
    ] {
        let answer = server.post(KEYS, body).await;
        assert_eq!(answer.status, 400, "{body}");
        let json = answer.json();
        let error = json.get("errors").and_then(Json::as_array).unwrap();
        let error = error.first().unwrap();
        assert_eq!(
            error.get("path").and_then(Json::as_str),
            Some(path),
            "{body}"
        );
        assert_eq!(error.get("message").and_then(Json::as_str), Some(message));
    }
    let answer = server.post(KEYS, "{\"roles\":\n [}").await;
    assert_eq!(
        answer.text_at("detail"),
        "the body is not valid JSON: expected value at line 2 column 3"
    );
}

#[tokio::test]
async fn a_first_start_draws_a_key_once_and_ignores_a_given_one_later() {
    let server = Server::start().await;
    assert_eq!(server.app.first_start(None).await.unwrap(), None);
    let given = format!("{}.{}", "A".repeat(16), "s".repeat(32));
    assert_eq!(
        server.app.first_start(Some(given.clone())).await.unwrap(),
        None
    );
    assert_eq!(server.call(&given, "GET", KEYS, "").await.status, 401);

    let empty = Server::empty();
    let drawn = empty.app.first_start(None).await.unwrap().unwrap();
    let (id, secret) = drawn.split_once('.').unwrap();
    assert_eq!((id.len(), secret.len()), (20, 43));
    assert_eq!(empty.call(&drawn, "GET", KEYS, "").await.status, 200);
}

#[tokio::test]
async fn a_malformed_first_key_is_refused() {
    let server = Server::empty();
    let fault = server
        .app
        .first_start(Some("abc".to_owned()))
        .await
        .unwrap_err();
    assert!(
        fault
            .message()
            .starts_with("the admin key must be ID.SECRET")
    );
}

#[tokio::test]
async fn the_owner_of_the_directory_makes_a_key_without_one() {
    let server = Server::start().await;
    let new = NewKey {
        instance: InstanceId::default_instance(),
        name: "recovered".to_owned(),
        roles: Roles::all(),
        bots: None,
        expires_at: None,
    };
    let key = create_key(&server.app, &new).await.unwrap();
    assert_eq!(server.call(&key, "GET", KEYS, "").await.status, 200);
}
