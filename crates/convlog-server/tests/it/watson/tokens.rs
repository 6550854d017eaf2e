//! Tokens for clients of IAM and CP4D.

use axum::body::Body;
use axum::http::{Request, header};
use convlog_model::json::Json;

use super::{V1, error, with_echo};
use crate::harness::{ADMIN, Answer, Server};

const GRANT: &str = "urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey";

async fn iam(server: &Server, form: &str) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri("/identity/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    server
        .send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

async fn lists_with(server: &Server, token: &str) -> u16 {
    let uri = format!("/v1/workspaces/W1/logs?{V1}");
    server.call(token, "GET", &uri, "").await.status.as_u16()
}

#[tokio::test]
async fn an_iam_client_gets_a_token_of_an_hour() {
    let server = with_echo().await;
    let form = format!("grant_type={GRANT}&apikey={ADMIN}&response_type=cloud_iam");
    let answer = iam(&server, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body.get("expires_in"), Some(&Json::integer(3600)));
    assert_eq!(answer.text_at("token_type"), "Bearer");
    let token = answer.text_at("access_token");
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(lists_with(&server, &token).await, 200);
    server.clock.step(3_600_000_000);
    assert_eq!(lists_with(&server, &token).await, 401);
}

#[tokio::test]
async fn an_iam_client_without_a_valid_key_is_told_so() {
    let server = with_echo().await;
    for (form, message) in [
        (
            format!("grant_type={GRANT}&apikey=WRONG"),
            "Provided API key could not be found.",
        ),
        (
            format!("grant_type={GRANT}"),
            "Property missing or empty: 'apikey'.",
        ),
        (
            format!("grant_type=password&apikey={ADMIN}"),
            "Provided grant_type is not supported.",
        ),
    ] {
        let answer = iam(&server, &form).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.text_at("errorMessage"), message);
    }
}

#[tokio::test]
async fn a_cp4d_client_gets_a_token_for_its_key() {
    let server = with_echo().await;
    for field in ["password", "api_key"] {
        let body = format!(r#"{{"username":"me","{field}":"{ADMIN}"}}"#);
        let answer = server.call("", "POST", "/v1/authorize", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(lists_with(&server, &answer.text_at("token")).await, 200);
    }
    let wrong = server.call(
        "",
        "POST",
        "/v1/authorize",
        r#"{"username":"a","password":"b"}"#,
    );
    assert_eq!(error(&wrong.await).0, 401);
    let empty = server
        .call("", "POST", "/v1/authorize", r#"{"username":"a"}"#)
        .await;
    assert_eq!(error(&empty).0, 400);
}

#[tokio::test]
async fn a_token_dies_with_its_key() {
    let server = with_echo().await;
    let key = server.key(r#""read""#, "").await;
    let answer = iam(&server, &format!("grant_type={GRANT}&apikey={key}")).await;
    let token = answer.text_at("access_token");
    assert_eq!(lists_with(&server, &token).await, 200);
    let (id, _) = key.split_once('.').unwrap();
    server
        .call(ADMIN, "DELETE", &format!("/convlog/v1/keys/{id}"), "")
        .await;
    assert_eq!(lists_with(&server, &token).await, 401);
}
