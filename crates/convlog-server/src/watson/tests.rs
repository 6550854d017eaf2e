//! Versions, flags and the envelope.

use axum::body::to_bytes;

use super::*;

fn refusal(query: &str) -> String {
    WatsonQuery::of(query).unwrap_err().to_json()
}

#[test]
fn every_date_from_2017_on_is_a_version() {
    for version in [
        "2017-01-01",
        "2018-02-16",
        "2021-11-27",
        "2024-08-25",
        "2999-12-31",
    ] {
        let query = format!("a=1&version={version}");
        assert!(WatsonQuery::of(&query).is_ok(), "{version}");
    }
}

#[test]
fn a_missing_version_is_refused_in_watsons_words() {
    let missing = r#"{"error":"Missing 'version' query parameter","code":400}"#;
    assert_eq!(refusal("filter=x"), missing);
    assert_eq!(refusal("version="), missing);
    for bad in [
        "2016-12-31",
        "2021-13-01",
        "2021-11-27T00:00:00",
        "latest",
        "2021-1-1",
    ] {
        let body = refusal(&format!("version={bad}"));
        assert!(
            body.contains(r#""message":"version must be a date, YYYY-MM-DD""#),
            "{bad}"
        );
    }
}

#[test]
fn parameters_are_decoded_as_forms_and_percent() {
    let query = WatsonQuery::of("version=2021-11-27&filter=a%3A%3Ab+c%20d&x=TRUE&y=true").unwrap();
    assert_eq!(query.get("filter"), Some("a::b c d"));
    assert_eq!(query.flag("y"), Ok(true));
    assert_eq!(query.flag("z"), Ok(false));
    let refused = query.flag("x").unwrap_err().to_json();
    assert!(refused.contains("x must be true or false"), "{refused}");
}

#[expect(clippy::disallowed_methods, reason = "the body of an answer made here")]
async fn shown(fault: Fault) -> (u16, String) {
    let answer = watson_error(&fault);
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn faults_are_shown_in_watsons_envelope() {
    let (status, body) = shown(Fault::not_found("whatever is missing")).await;
    assert_eq!(
        (status, body.as_str()),
        (404, r#"{"error":"Resource not found","code":404}"#)
    );
    let (_, body) = shown(Fault::not_found(INVALID_SESSION)).await;
    assert_eq!(body, r#"{"error":"Invalid Session","code":404}"#);
    let (_, body) = shown(Fault::bad_at("sort", "is not known")).await;
    let expected = r#"{"error":"Invalid Request","errors":[{"message":"is not known","path":"sort"}],"code":400}"#;
    assert_eq!(body, expected);
    let (status, body) = shown(Fault::internal("secret")).await;
    assert_eq!(
        (status, body.as_str()),
        (500, r#"{"error":"internal error","code":500}"#)
    );
}
