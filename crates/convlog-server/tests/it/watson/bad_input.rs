//! Bad input: refused with what is wrong and where, or kept byte for byte; never a 5xx.

use convlog_model::json::Json;

use super::{V1, V2, error, logs_of, send, text, with_echo};
use crate::harness::Server;

const MESSAGE: &str = "/v1/workspaces/W1/message?version=2021-11-27";

/// Body, what the error says, and where.
const REFUSED: &[(&str, &str, &str)] = &[
    ("{", "EOF while parsing an object at line 1 column 1", ""),
    (
        "{\"input\":\n nope}",
        "expected ident at line 2 column 3",
        "",
    ),
    ("[]", "an array", ""),
    (r#"{"input":"x"}"#, "object", ".input"),
    (r#"{"input":{"text":1}}"#, "string", ".input.text"),
    (r#"{"context":[]}"#, "object", ".context"),
    (r#"{"user_id":7}"#, "string", ".user_id"),
    (
        r#"{"input":{"text":"a\nb"}}"#,
        "text can not contain the following characters: tab, new line, carriage return.",
        ".input.text",
    ),
    (
        r#"{"input":{"text":"a\tb"}}"#,
        "tab, new line, carriage return",
        ".input.text",
    ),
    (
        r#"{"input":{"text":"a\rb"}}"#,
        "tab, new line, carriage return",
        ".input.text",
    ),
    (r#"{"input":{"text":"\ud800"}}"#, "at line 1 column", ""),
    (
        r#"{"context":{"conversation_id":"a:b"}}"#,
        "",
        ".context.conversation_id",
    ),
    (r#"{"user_id":"a\nb"}"#, "", ".user_id"),
    (
        r#"{"input":{"spelling_suggestions":"yes"}}"#,
        "boolean",
        ".input.spelling_suggestions",
    ),
];

#[tokio::test]
async fn message_bodies_that_are_wrong_are_refused_with_the_place() {
    let server = with_echo().await;
    for (body, message, path) in REFUSED {
        let (status, general, said, place) = error(&server.post(MESSAGE, body).await);
        assert_eq!(
            (status, general.as_str()),
            (400, "Invalid Request Body"),
            "{body}"
        );
        assert!(said.contains(message), "{body}: {said}");
        assert_eq!(place, *path, "{body}: {said}");
    }
    for (length, wanted) in [(2048, 200), (2049, 400)] {
        let body = format!(r#"{{"input":{{"text":"{}"}}}}"#, "ü".repeat(length));
        assert_eq!(server.post(MESSAGE, &body).await.status, wanted, "{length}");
    }
    let deep = format!(
        r#"{{"context":{{"x":{}1{}}}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let (status, _, said, _) = error(&server.post(MESSAGE, &deep).await);
    assert_eq!(status, 400);
    assert!(said.contains("nested deeper than"), "{said}");
    assert_eq!(logs_of(&server, "W1", "").await.len(), 1);
}

#[tokio::test]
async fn odd_but_legal_bodies_are_kept_byte_for_byte() {
    let server = with_echo().await;
    for body in [
        r#"{"input":{"text":"a","text":"b"},"x":1,"x":2}"#,
        r#"{"input":{"text":"nul \u0000 here"}}"#,
        r#"{"input":{"text":"n","n":1e400,"m":123456789012345678901234567890.10,"z":-0}}"#,
        r#"{"input":{"text":""}}"#,
        r#"{"context":{"é\"\\/":{"":[]}}}"#,
    ] {
        let answer = server.post(MESSAGE, body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        server.clock.step(1_000_000);
        let list = server
            .get(&format!("/v1/workspaces/W1/logs?{V1}&page_limit=1"))
            .await;
        let wanted = format!(r#""request":{body}"#);
        assert!(list.text().contains(&wanted), "{body}: {}", list.text());
    }
}

#[tokio::test]
async fn a_missing_version_or_key_is_said() {
    let server = with_echo().await;
    for (method, path) in [
        ("POST", "/v1/workspaces/W1/message"),
        ("GET", "/v1/workspaces/W1/logs"),
        ("GET", "/v1/logs"),
        ("DELETE", "/v1/user_data"),
        ("DELETE", "/v2/user_data"),
        ("POST", "/v2/assistants/W1/sessions"),
        ("DELETE", "/v2/assistants/W1/sessions/s"),
        ("POST", "/v2/assistants/W1/sessions/s/message"),
        ("POST", "/v2/assistants/W1/message"),
        ("GET", "/v2/assistants/W1/logs"),
        ("GET", "/v1/workspaces/W1"),
    ] {
        let answer = send(&server, method, path, &[], "").await;
        let wanted = r#"{"error":"Missing 'version' query parameter","code":400}"#;
        assert_eq!(answer.text(), wanted, "{method} {path}");
        let uri = format!("{path}?{V1}");
        for key in [
            "",
            "nonsense",
            "WRONGWRONGWRONG1.wrong_secret-wrong_secret-wrong_secret-42",
        ] {
            let answer = server.call(key, method, &uri, "").await;
            assert_eq!(
                error(&answer).1,
                "Unauthorized",
                "{method} {path} with {key}"
            );
            assert_eq!(answer.status, 401);
        }
    }
}

#[tokio::test]
async fn a_key_without_the_role_is_told_which() {
    let server = with_echo().await;
    let key = server.key(r#""read""#, "").await;
    let answer = server.call(&key, "POST", MESSAGE, "{}").await;
    let (status, general, message, _) = error(&answer);
    assert_eq!((status, general.as_str()), (403, "Forbidden"));
    assert_eq!(message, "this needs a key with the role write");
}

#[tokio::test]
async fn unknown_paths_and_methods_have_watsons_envelope() {
    let server = with_echo().await;
    let answer = server.get(&format!("/v1/nothing?{V1}")).await;
    assert_eq!(error(&answer).0, 404);
    let answer = send(&server, "PATCH", MESSAGE, &[], "").await;
    assert_eq!(error(&answer).0, 405);
    let answer = server.get(&format!("/v1/workspaces/W9/logs?{V1}")).await;
    assert_eq!(
        answer.text(),
        r#"{"error":"Resource not found","code":404}"#
    );
}

async fn gzip(plain: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncReadExt as _;
    let mut packed = Vec::new();
    let mut encoder = async_compression::tokio::bufread::GzipEncoder::new(plain);
    encoder.read_to_end(&mut packed).await.unwrap();
    packed
}

async fn encoded(server: &Server, encoding: &str, body: Vec<u8>) -> crate::harness::Answer {
    let request = axum::http::Request::builder()
        .method("POST")
        .uri(MESSAGE)
        .header(
            "authorization",
            crate::harness::basic("apikey", crate::harness::ADMIN),
        )
        .header("content-encoding", encoding);
    server
        .send(request.body(axum::body::Body::from(body)).unwrap())
        .await
}

#[tokio::test]
async fn compressed_messages_are_read_and_unknown_encodings_refused() {
    let server = with_echo().await;
    let body = br#"{"input":{"text":"packed"}}"#;
    let answer = encoded(&server, "gzip", gzip(body).await).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(text(&answer.json(), &["input", "text"]), "packed");
    assert_eq!(error(&encoded(&server, "br", body.to_vec()).await).0, 415);
    assert_eq!(error(&encoded(&server, "gzip", body.to_vec()).await).0, 400);
    let large = format!(r#"{{"input":{{"text":"{}"}}}}"#, "x".repeat(2 << 20));
    assert_eq!(
        error(&encoded(&server, "identity", large.into_bytes()).await).0,
        413
    );
}

#[tokio::test]
async fn bodies_of_sessions_may_be_absent_but_not_wrong() {
    let server = with_echo().await;
    let uri = format!("/v2/assistants/W1/sessions?{V2}");
    for body in ["", "{}", r#"{"analytics":{"browser":"x"}}"#] {
        assert_eq!(server.post(&uri, body).await.status, 201, "{body}");
    }
    for body in ["[]", "{", "1"] {
        let (status, general, _, _) = error(&server.post(&uri, body).await);
        assert_eq!(
            (status, general.as_str()),
            (400, "Invalid Request Body"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn no_bytes_make_a_message_fail_otherwise() {
    let server = with_echo().await;
    let seed = br#"{"input":{"text":"a\u00e9"},"context":{"conversation_id":"c","n":[1,-2.5e3]},"user_id":"u"}"#;
    for at in 0..seed.len() {
        for byte in [0, b'"', b'{', b'}', b'9', 0xFF] {
            let mut body = seed.to_vec();
            body[at] = byte;
            let answer = encoded(&server, "identity", body).await;
            assert!(
                matches!(answer.status.as_u16(), 200 | 400),
                "{at} {byte}: {}",
                answer.status
            );
            if answer.status == 200 {
                assert!(matches!(answer.json(), Json::Object(_)));
            }
        }
    }
}
