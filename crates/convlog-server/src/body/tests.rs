//! Bodies: fields named, lines cut, bounds held.

use serde::Deserialize;

use super::*;
use crate::config::ServerConfig;
use crate::testing::rig_with;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    inner: Inner,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    n: u32,
}

fn fault(text: &str) -> Fault {
    parse_json::<Outer>(text.as_bytes(), 8).unwrap_err()
}

#[test]
fn a_body_of_the_type_is_read() {
    let parsed: Outer = parse_json(br#"{"inner":{"n":7}}"#, 8).unwrap();
    assert_eq!(
        parsed,
        Outer {
            inner: Inner { n: 7 }
        }
    );
}

#[test]
fn faults_name_the_field_and_show_nothing_of_its_text() {
    let wrong = |path: &str, text: &str| Fault::bad_at(path, text);
    assert_eq!(fault(r#"{"inner":{}}"#), wrong("inner.n", "is missing"));
    assert_eq!(fault("{}"), wrong("inner", "is missing"));
    assert_eq!(
        fault(r#"{"inner":{"n":"secret"}}"#),
        wrong("inner.n", "wrong value, expected u32")
    );
    assert_eq!(
        fault(r#"{"inner":{"n":-1}}"#),
        wrong("inner.n", "wrong value, expected u32")
    );
    assert_eq!(
        fault(r#"{"inner":{"n":1,"secret":2}}"#),
        wrong("inner.secret", "unknown field, expected `n`")
    );
    assert_eq!(
        fault(r#"{"inner":{"n":1,"n":2}}"#),
        wrong("inner.n", "stands there twice")
    );
    for body in ["[]", "7", r#""secret""#] {
        assert_eq!(fault(body), Fault::bad("the body must be an object"));
    }
    assert_eq!(
        fault(r#"{"inner":7}"#),
        wrong("inner", "wrong value, expected an object")
    );
    assert_eq!(
        fault("{\"inner\":\nsecret}"),
        Fault::bad("the body is not valid JSON: expected value at line 2 column 1")
    );
}

async fn lines(body: Body, limits: impl Fn(&mut ServerConfig)) -> Result<Vec<Line>, Fault> {
    let mut config = ServerConfig::default();
    limits(&mut config);
    let app = rig_with(config).app;
    let mut lines = Lines::from_request(Request::new(body), &app).await?;
    let mut all = Vec::new();
    while let Some(line) = lines.next().await? {
        all.push(line);
    }
    Ok(all)
}

fn line(number: usize, text: &str) -> Line {
    let bytes = Some(text.as_bytes().to_vec());
    Line { number, bytes }
}

#[tokio::test]
async fn lines_keep_their_numbers_where_empty_ones_are_left_out() {
    let body = Body::from("{\"a\":1}\n\n  \r\n{\"b\":2}\r\nlast");
    let all = lines(body, |_| {}).await.unwrap();
    assert_eq!(
        all,
        [
            line(1, r#"{"a":1}"#),
            line(4, "{\"b\":2}\r"),
            line(5, "last")
        ]
    );
    assert!(lines(Body::empty(), |_| {}).await.unwrap().is_empty());
}

#[tokio::test]
async fn lines_are_whole_whatever_the_pieces_they_come_in() {
    let pieces = ["{\"a\"", ":1}\n{\"", "b\":2}", "\n"];
    let pieces = pieces.map(|piece| Ok::<_, io::Error>(Bytes::from_static(piece.as_bytes())));
    let body = Body::from_stream(futures::stream::iter(pieces));
    let all = lines(body, |_| {}).await.unwrap();
    assert_eq!(all, [line(1, r#"{"a":1}"#), line(2, r#"{"b":2}"#)]);
}

#[tokio::test]
async fn a_line_longer_than_a_record_is_skipped_and_told() {
    let limits = |config: &mut ServerConfig| config.limits.record_bytes = 4;
    let all = lines(Body::from("12345\n1234\n"), limits).await.unwrap();
    let too_long = Line {
        number: 1,
        bytes: None,
    };
    assert_eq!(all, [too_long, line(2, "1234")]);
}

#[tokio::test]
async fn a_bulk_body_beyond_its_bound_is_413() {
    let limits = |config: &mut ServerConfig| config.limits.bulk_bytes = 8;
    let pieces = [Ok::<_, io::Error>("1234\n"), Ok("5678\n")];
    let body = Body::from_stream(futures::stream::iter(pieces));
    let fault = lines(body, limits).await.unwrap_err();
    assert_eq!(fault, Fault::too_large("the body is larger than 8 bytes"));
}

#[tokio::test]
async fn a_body_that_ends_early_is_400() {
    let pieces = [Ok("1234\n"), Err(io::Error::other("gone"))];
    let body = Body::from_stream(futures::stream::iter(pieces));
    let fault = lines(body, |_| {}).await.unwrap_err();
    let text = "the body ends early or its compression is broken";
    assert_eq!(fault, Fault::bad(text));
}
