//! Requests that are signed as AWS's clients sign them.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::body::Body;
use axum::http::Request;

use convlog_model::clock::Clock as _;

use super::*;
use crate::harness::ADMIN;

/// A signed request to list the bots.
fn signed(server: &Server, secret: &str, service: &str, more: &[(&str, &str)]) -> Request<Body> {
    let (id, _) = ADMIN.split_once('.').unwrap();
    let identity = Credentials::new(id, secret, None, None, "test").into();
    let seconds = u64::try_from(server.clock.now().millis() / 1000).unwrap();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let headers = [("host", "h")].into_iter().chain(more.iter().copied());
    let signable =
        SignableRequest::new("GET", "http://h/bots/", headers, SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
    let mut request = Request::get("/bots/").header("host", "h");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn secret() -> &'static str {
    ADMIN.split_once('.').unwrap().1
}

#[tokio::test]
async fn a_key_signs_as_it_logs_in() {
    let server = Server::start().await;
    let answer = server.send(signed(&server, secret(), "lex", &[])).await;
    is(&answer, 200);
    assert_eq!(answer.text(), r#"{"bots":[]}"#);
}

#[tokio::test]
async fn wrong_signatures_are_named_as_aws_names_them() {
    let server = Server::start().await;
    let other = "x".repeat(40);
    for (secret, service, more, code) in [
        (other.as_str(), "lex", &[][..], "InvalidSignatureException"),
        (secret(), "s3", &[], "InvalidSignatureException"),
        (
            secret(),
            "lex",
            &[("x-amz-security-token", "a.b.c")],
            "UnrecognizedClientException",
        ),
    ] {
        let answer = server.send(signed(&server, secret, service, more)).await;
        is(&answer, 403);
        assert_eq!(answer.header("x-amzn-errortype"), code);
    }
    let late = signed(&server, secret(), "lex", &[]);
    server.clock.step(901_000_000);
    let answer = server.send(late).await;
    assert!(
        answer.text().contains("Signature expired"),
        "{}",
        answer.text()
    );
    let mut unknown = signed(&server, secret(), "lex", &[]);
    let value = unknown.headers()["authorization"].to_str().unwrap();
    let value = value.replace(ADMIN.split_once('.').unwrap().0, "AAAAAAAAAAAAAAAA");
    unknown
        .headers_mut()
        .insert("authorization", value.parse().unwrap());
    let answer = server.send(unknown).await;
    assert_eq!(
        answer.header("x-amzn-errortype"),
        "UnrecognizedClientException"
    );
}

#[tokio::test]
async fn what_is_no_operation_is_named_so() {
    let server = Server::start().await;
    for (method, path) in [
        ("GET", "/nothing"),
        ("GET", "/bots/Shop/nothing"),
        ("POST", "/bots/"),
        ("PUT", "/intents"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", "AWS4-HMAC-SHA256 Credential=x");
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        is(&answer, 400);
        let code = answer.header("x-amzn-errortype");
        assert_eq!(code, "UnknownOperationException", "{method} {path}");
    }
}
