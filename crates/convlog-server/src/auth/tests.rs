//! What an `Authorization` header may be.

use axum::http::HeaderValue;

use super::*;

fn read(values: &[&str]) -> Option<Credential> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    credential(&headers)
}

fn key(id: &str, secret: &str) -> Option<Credential> {
    Some(Credential::Key {
        id: id.to_owned(),
        secret: secret.to_owned(),
    })
}

#[test]
fn keys_and_tokens_are_told_apart_by_their_dots() {
    assert_eq!(read(&["Bearer ID.secret"]), key("ID", "secret"));
    let basic = format!("basic {}", STANDARD.encode("apikey:ID.secret"));
    assert_eq!(read(&[&basic]), key("ID", "secret"));
    let token = Some(Credential::Token("a.b.c".to_owned()));
    assert_eq!(read(&["Bearer a.b.c"]), token);
    let basic = format!("Basic {}", STANDARD.encode("apikey:a.b.c"));
    assert_eq!(read(&[&basic]), token);
}

#[test]
fn anything_else_is_no_credential() {
    let user = format!("Basic {}", STANDARD.encode("user:ID.secret"));
    let binary = format!("Basic {}", STANDARD.encode([0xFF, 0xFE]));
    for values in [
        &[][..],
        &[""],
        &["Bearer"],
        &["Bearer ID"],
        &["Digest ID.secret"],
        &["Basic ID.secret"],
        &[&user],
        &[&binary],
        &["Bearer ID.secret", "Bearer ID.secret"],
    ] {
        assert_eq!(read(values), None, "{values:?}");
    }
}

#[test]
fn roles_are_named_as_they_are_written() {
    for role in Role::ALL {
        let json = serde_json::to_string(&role).unwrap();
        assert_eq!(json, format!("\"{role}\""));
    }
}
