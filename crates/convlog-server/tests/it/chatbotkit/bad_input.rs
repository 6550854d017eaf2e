//! What is refused, in ChatBotKit's envelope.

use super::*;

async fn refused(server: &Server, answer: &Answer, status: u16, code: &str, message: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.text_at("code"), code);
    assert_eq!(answer.text_at("message"), message);
    assert!(server.get("/health/ready").await.status.is_success());
}

#[tokio::test]
async fn parameters_that_mean_nothing_name_themselves() {
    let server = with_events(1).await;
    for (query, message) in [
        (
            "cursor=nobody",
            "cursor: is neither a cursor nor the id of an event",
        ),
        ("cursor=cv1_AAAA", "cursor: is not a cursor"),
        ("meta..a=x", "meta..a has an empty segment"),
        ("meta[a=x", "meta[a has a bracket that does not fit"),
        (
            "from=soon",
            "from: must be milliseconds since 1970 or a time as 2026-01-31T12:00:00Z",
        ),
    ] {
        for uri in [LIST, EXPORT] {
            let answer = server.get(&format!("{uri}?{query}")).await;
            let message = match message.strip_prefix("meta") {
                Some(_) => answer.text_at("message"),
                None => message.to_owned(),
            };
            refused(&server, &answer, 400, "BAD_REQUEST", &message).await;
        }
    }
    let many = vec!["x"; 1001].join(",");
    let answer = server.get(&format!("{LIST}?botId={many}")).await;
    refused(
        &server,
        &answer,
        400,
        "BAD_REQUEST",
        "botId: must have at most 1000 values",
    )
    .await;
    let answer = accepting(&server, LIST, "image/png").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn an_error_to_a_client_that_takes_gzip_does_not_claim_to_be_compressed() {
    let server = with_events(1).await;
    for uri in [LIST, EXPORT] {
        let request = Request::builder()
            .uri(format!("{uri}?cursor=nobody"))
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header(header::ACCEPT_ENCODING, "gzip, deflate");
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("content-encoding"), "");
        let message = "cursor: is neither a cursor nor the id of an event";
        refused(&server, &answer, 400, "BAD_REQUEST", message).await;
    }
}

#[tokio::test]
async fn nobody_acts_for_somebody_else() {
    let server = with_events(1).await;
    for (name, value, status) in [
        ("x-runas-user-id", "default", 200),
        ("x-runas-userid", "default", 200),
        ("x-runas-user-id", "other", 401),
        ("x-runas-child-user-email", "a@b.c", 401),
    ] {
        let request = Request::builder()
            .uri(LIST)
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header(name, value);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        if status == 401 {
            refused(
                &server,
                &answer,
                401,
                "NOT_AUTHENTICATED",
                "Not authenticated",
            )
            .await;
        }
    }
    let answer = server.call("", "GET", LIST, "").await;
    refused(
        &server,
        &answer,
        401,
        "NOT_AUTHENTICATED",
        "Not authenticated",
    )
    .await;
    let answer = server.get("/v1/event/log/queue").await;
    refused(&server, &answer, 404, "NOT_FOUND", "Not found").await;
}

#[tokio::test]
async fn bodies_that_are_no_events_say_where() {
    let server = Server::start().await;
    for (body, message) in [
        ("[]", "an event must be an object, not an array"),
        (r#"{"type":7}"#, "type: must be a string, not a number"),
        (
            r#"{"type":"x","meta":[]}"#,
            "meta: must be an object, not an array",
        ),
    ] {
        let answer = server.post(CREATE, body).await;
        refused(&server, &answer, 400, "BAD_REQUEST", message).await;
    }
    let large = format!(
        r#"{{"type":"x","meta":{{"a":"{}"}}}}"#,
        "y".repeat(2_000_000)
    );
    let answer = server.post(CREATE, &large).await;
    refused(
        &server,
        &answer,
        413,
        "CONTENT_TOO_LARGE",
        &answer.text_at("message"),
    )
    .await;
    let almost = format!(r#"{{"type":"x","meta":{{"a":"{}"}}}}"#, "y".repeat(600_000));
    let answer = server.post(CREATE, &almost).await;
    let message = "an event must have at most 327680 bytes";
    refused(&server, &answer, 400, "BAD_REQUEST", message).await;
    for (body, message) in [
        ("[]", "the body must be an object"),
        (
            r#"{"historyLength":10001}"#,
            "historyLength: must be a whole number from 0 to 10000",
        ),
        (
            r#"{"historyLength":"5"}"#,
            "historyLength: must be a whole number from 0 to 10000",
        ),
        (
            r#"{"historyLength":1.5}"#,
            "historyLength: must be a whole number from 0 to 10000",
        ),
        (
            r#"{"cursor":"nobody"}"#,
            "cursor: is neither a cursor nor the id of an event",
        ),
        (
            r#"{"botId":[]}"#,
            "botId: must be a string, a number or a boolean",
        ),
    ] {
        let answer = server.post("/v1/event/log/subscribe", body).await;
        refused(&server, &answer, 400, "BAD_REQUEST", message).await;
    }
    let answer = server
        .call(ADMIN, "POST", "/v1/event/log/subscribe", "")
        .await;
    let message = "Content-Type must be application/json";
    refused(&server, &answer, 400, "BAD_REQUEST", message).await;
}

#[tokio::test]
async fn list_calls_beyond_the_rate_are_429() {
    let mut config = convlog_server::ServerConfig::default();
    config.limits.list_per_minute = 2;
    let server = Server::with(config).await;
    for left in ["1", "0"] {
        let answer = server.get(LIST).await;
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    let answer = server.get(LIST).await;
    let message = "You have reached your allocated rate limits: rate/poll";
    refused(&server, &answer, 429, "LIMITS_REACHED", message).await;
    assert_eq!(answer.header("x-failure-code"), "LIMITS_REACHED");
    assert_eq!(answer.header("retry-after"), "30");
    assert_eq!(
        server.get(EXPORT).await.status,
        200,
        "exports are not counted"
    );
    server.clock.step(30_000_000);
    assert_eq!(server.get(LIST).await.status, 200);
}

#[tokio::test]
async fn events_beyond_the_rate_and_exports_beyond_their_number_are_429() {
    let mut config = convlog_server::ServerConfig::default();
    config.limits.ingest_per_second = 1;
    config.limits.exports_at_once = 1;
    let server = Server::with(config).await;
    create(&server, r#"{"type":"t"}"#).await;
    let answer = server.post(CREATE, r#"{"type":"t"}"#).await;
    let message = "You have reached your allocated rate limits: rate/record";
    refused(&server, &answer, 429, "LIMITS_REACHED", message).await;
    assert_eq!(answer.header("retry-after"), "1");
    let request = || {
        let request = Request::builder()
            .uri(EXPORT)
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header(header::ACCEPT, "application/jsonl");
        request.body(Body::empty()).unwrap()
    };
    let first = server.response(request()).await;
    let answer = server.send(request()).await;
    refused(
        &server,
        &answer,
        429,
        "LIMITS_REACHED",
        "too many exports run at present",
    )
    .await;
    drop(first);
    assert_eq!(server.send(request()).await.status, 200);
}
