//! Which tokens prove a hook.

use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use super::*;

const NOW_S: i64 = 1_700_000_000;

fn token(algorithm: Algorithm, secret: &str, claims: &serde_json::Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

fn accepts(token: &str) -> bool {
    is_valid(token, "s3cret", NOW_S)
}

#[test]
fn a_signed_token_is_valid_until_it_expires() {
    for claims in [
        json!({}),
        json!({"exp": NOW_S + 1}),
        json!({"exp": 1_700_000_060.5}),
    ] {
        assert!(
            accepts(&token(Algorithm::HS256, "s3cret", &claims)),
            "{claims}"
        );
    }
    for claims in [json!({"exp": NOW_S}), json!({"nbf": NOW_S + 1})] {
        assert!(
            !accepts(&token(Algorithm::HS256, "s3cret", &claims)),
            "{claims}"
        );
    }
}

#[test]
fn other_secrets_and_algorithms_are_no_proof() {
    assert!(!accepts(&token(Algorithm::HS256, "other", &json!({}))));
    assert!(!accepts(&token(Algorithm::HS512, "s3cret", &json!({}))));
    // {"alg":"none","typ":"JWT"} and {}, without a signature.
    assert!(!accepts("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30."));
    assert!(!accepts("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30"));
    assert!(!accepts("") && !accepts("a.b.c"));
}

#[test]
fn a_scheme_before_the_token_is_taken_off() {
    assert_eq!(without_scheme("Bearer a.b.c"), "a.b.c");
    assert_eq!(without_scheme(" a.b.c"), "a.b.c");
}
