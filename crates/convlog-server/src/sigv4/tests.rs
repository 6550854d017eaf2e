//! The vectors of a real client, and what breaks each of them.

use axum::http::HeaderValue;

use super::*;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

type Vector = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

/// Made with botocore for `127.0.0.1:8080` at 2026-01-02 03:04:05: method and URI, further
/// headers, body, signature.
const VECTORS: &[Vector] = &[
    (
        "GET",
        "/bots/OrderFlowers/aliases/PROD",
        &[],
        "",
        "0ff7681c6ac0f9d525d2e3166eb88a5500a3f91790608320fb2ca1ffc6552eb9",
    ),
    (
        "GET",
        "/bots/OrderFlowers/versions/%24LATEST",
        &[],
        "",
        "d3b71b44e4da5a65aad8cc0e57eb4648ddef1fb55033e37c968c4abbd88b367a",
    ),
    (
        "PUT",
        "/bots/OrderFlowers/versions/$LATEST",
        &[("content-type", "application/json")],
        r#"{"locale":"en-US","childDirected":false}"#,
        "efb742975f0d7bc7a87394ce8fe713367ac7261ee03b0b5668938563a3dfd3a3",
    ),
    (
        "POST",
        "/bot/OrderFlowers/alias/PROD/user/user%3A1/text",
        &[("content-type", "application/json")],
        r#"{"inputText":"hi"}"#,
        "860616befb15017cd7a9b27b00989b4d806602c8a2d218c838258a7b4d151095",
    ),
    (
        "POST",
        "/bot/OrderFlowers/alias/PROD/user/u1/content",
        &[
            ("content-type", "text/plain; charset=utf-8"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-amz-lex-session-attributes", "eyJzIjoiMSJ9"),
        ],
        "hello there",
        "e8dc175a96df728d1798ae2e682f81ce5c69af6259dfb299cd0e9d8ff6758473",
    ),
    (
        "GET",
        "/bots/OrderFlowers/utterances?view=aggregation&bot_versions=2&bot_versions=1&status_type=Missed",
        &[],
        "",
        "446b1e6925e8555c3126e9e86186d78c0ef1c498ff3db86ac84ecc74f618d796",
    ),
    (
        "GET",
        "/bots/",
        &[("x-amz-security-token", "TOKEN")],
        "",
        "e78c65a8bc3fb0e64766f319ae184dcc7537690b37ce2887547e6b286ba9f65c",
    ),
    (
        "POST",
        "/",
        &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "Logs_20140328.DescribeLogGroups"),
        ],
        "{}",
        "21f8ba2500153870914a1d4569c33cfc7d3a5d035763161a90b16af1860a8f30",
    ),
];

fn wanted(uri: &str) -> Wanted<'static> {
    Wanted {
        service: match uri {
            "/" => Service::Logs,
            _ => Service::Lex,
        },
        region: "us-east-1",
        may_be_unsigned: uri.ends_with("/content"),
    }
}

fn headers(uri: &str, more: &[(&'static str, &'static str)], signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:8080"));
    headers.insert("x-amz-date", HeaderValue::from_static("20260102T030405Z"));
    for (name, value) in more {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let service = wanted(uri).service.as_str();
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20260102/us-east-1/{service}/aws4_request, \
         SignedHeaders={}, Signature={signature}",
        names.join(";")
    );
    headers.insert("authorization", value.parse().unwrap());
    headers
}

/// What the whole of a request is signed with, or why it is refused before.
fn made(method: &str, uri: &str, headers: &HeaderMap, body: &str) -> Result<String, AwsError> {
    let claim = Claim::of(headers)?;
    let wanted = wanted(uri);
    claim.check_scope(wanted)?;
    claim.check_headers(headers)?;
    let request = Signed {
        method: &method.parse().unwrap(),
        uri: &uri.parse().unwrap(),
        headers,
        body: body.as_bytes(),
    };
    claim.sign(SECRET, request, wanted, payload(request, wanted)?)
}

#[test]
fn requests_of_a_real_client_are_signed_alike() {
    for (method, uri, more, body, signature) in VECTORS {
        let headers = headers(uri, more, signature);
        assert_eq!(
            made(method, uri, &headers, body).unwrap(),
            *signature,
            "{uri}"
        );
    }
}

#[test]
fn any_other_request_is_signed_otherwise() {
    for (method, uri, more, body, signature) in VECTORS {
        let sent = headers(uri, more, signature);
        let longer = uri.replacen("/bot", "/Bot", 1);
        if *uri != "/" {
            assert_ne!(made(method, &longer, &sent, body).unwrap(), *signature);
        }
        assert_ne!(made("PATCH", uri, &sent, body).unwrap(), *signature);
        if !more.iter().any(|(_, value)| *value == UNSIGNED) {
            let other = format!("{body} ");
            assert_ne!(made(method, uri, &sent, &other).unwrap(), *signature);
        }
        let mut moved = sent.clone();
        moved.insert("host", HeaderValue::from_static("127.0.0.1:8081"));
        assert_ne!(made(method, uri, &moved, body).unwrap(), *signature);
    }
}

#[test]
fn what_is_incomplete_or_out_of_scope_is_named() {
    let (_, uri, more, body, signature) = VECTORS[0];
    let refused = |from: &str, to: &str| {
        let mut headers = headers(uri, more, signature);
        let value = headers["authorization"].to_str().unwrap().replace(from, to);
        headers.insert("authorization", value.parse().unwrap());
        format!("{:?}", made("GET", uri, &headers, body).unwrap_err())
    };
    for (from, to, part) in [
        ("Signature=", "Sig=", "requires 'Signature'"),
        ("Credential=", "Cred=", "requires 'Credential'"),
        ("SignedHeaders=", "Signed=", "requires 'SignedHeaders'"),
        ("/aws4_request", "", "exactly 5"),
        ("us-east-1", "eu-west-1", "valid region"),
        ("/lex/", "/s3/", "correct service: 'lex'"),
        ("aws4_request", "aws4", "terminator"),
        ("20260102/", "20260103/", "Date in Credential"),
        ("host;", "", "'Host' must be"),
        (";x-amz-date", "", "'x-amz-date' must be"),
    ] {
        let shown = refused(from, to);
        assert!(shown.contains(part), "{from}: {shown}");
    }
}

#[test]
fn a_payload_is_left_out_of_the_signature_only_where_that_is_allowed() {
    let (method, uri, more, body, signature) = VECTORS[4];
    let sent = headers(uri, more, signature);
    let text = "/bot/OrderFlowers/alias/PROD/user/u1/text";
    assert!(made(method, uri, &sent, "other words").is_ok());
    assert!(made(method, text, &sent, body).is_err());
    let mut wrong = sent.clone();
    wrong.insert("x-amz-content-sha256", HeaderValue::from_static("00"));
    assert!(made(method, uri, &wrong, body).is_err());
}

#[test]
fn the_date_may_be_off_by_a_quarter_of_an_hour() {
    let sent = headers("/bots/", &[], "00");
    let claim = Claim::of(&sent).unwrap();
    let at = Timestamp::parse_rfc3339("2026-01-02T03:04:05Z").unwrap();
    for (seconds, is_right) in [
        (0, true),
        (900, true),
        (-900, true),
        (901, false),
        (-901, false),
    ] {
        let now = at.plus_micros(seconds * 1_000_000);
        assert_eq!(claim.check_time(now).is_ok(), is_right, "{seconds}");
    }
}

#[test]
fn the_host_may_stand_in_the_uri_as_in_http_2() {
    let (method, uri, more, body, signature) = VECTORS[0];
    let mut sent = headers(uri, more, signature);
    sent.remove("host");
    let absolute = format!("http://127.0.0.1:8080{uri}");
    assert_eq!(made(method, &absolute, &sent, body).unwrap(), signature);
    let error = made(method, uri, &sent, body).unwrap_err();
    assert_eq!(error.message(), "'Host' is missing.");
}
