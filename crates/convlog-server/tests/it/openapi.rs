//! The description of the own API is complete, and its page needs no other host.

use std::collections::BTreeSet;

use convlog_model::json::{Json, Text};
use convlog_server::{Access, Envelope, ROUTES};

use crate::harness::Server;

async fn document() -> Json {
    let server = Server::start().await;
    let answer = server.call("", "GET", "/convlog/v1/openapi.json", "").await;
    assert_eq!(answer.status, 200);
    answer.json()
}

fn members(json: &Json) -> &[(Text, Json)] {
    json.as_object().unwrap()
}

#[tokio::test]
async fn every_route_of_the_own_api_is_described_and_no_other() {
    let document = document().await;
    let mut described = BTreeSet::new();
    for (path, item) in members(document.get("paths").unwrap()) {
        for (method, _) in members(item) {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let own = ROUTES
        .iter()
        .filter(|route| route.envelope == Envelope::Own);
    let wanted: BTreeSet<String> = own
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(described, wanted);
}

#[tokio::test]
async fn operations_say_who_may_and_have_names_of_their_own() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for route in ROUTES
        .iter()
        .filter(|route| route.envelope == Envelope::Own)
    {
        let method = route.method.to_lowercase();
        let operation = document.at(&["paths", route.path, &method]).unwrap();
        let what = format!("{} {}", route.method, route.path);
        let name = operation.get("operationId").and_then(Json::as_str).unwrap();
        assert!(
            names.insert(name.to_owned()),
            "{what}: {name} stands there twice"
        );
        let text = operation.get("description").and_then(Json::as_str).unwrap();
        match route.access {
            Access::Open => assert!(text.contains("Needs no key."), "{what}"),
            Access::Key => assert!(text.contains("Needs a key."), "{what}"),
            Access::Role(role) => {
                assert!(text.contains(&format!("the role `{role}`")), "{what}");
                assert!(operation.get("security").is_some(), "{what}");
            }
        }
        let headers = operation.to_string().contains("Idempotency-Key");
        assert_eq!(headers, route.is_creating, "{what}");
    }
}

#[tokio::test]
async fn every_reference_inside_the_document_leads_somewhere() {
    let document = document().await;
    let text = document.to_string();
    let schemas = document.at(&["components", "schemas"]).unwrap();
    for piece in text.split(r##""$ref":"#/components/schemas/"##).skip(1) {
        let name = piece.split('"').next().unwrap();
        assert!(schemas.get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn the_page_shows_the_document_and_names_no_other_host() {
    let server = Server::start().await;
    let page = server.call("", "GET", "/convlog/v1/docs/", "").await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'self'")
    );
    assert!(!page.text().contains("//"), "{}", page.text());
    let uri = "/convlog/v1/docs/swagger-initializer.js";
    let script = server.call("", "GET", uri, "").await.text();
    assert!(script.contains("/convlog/v1/openapi.json"), "{script}");
    assert!(script.contains(r#""validatorUrl": "none""#), "{script}");
    let code = server
        .call("", "GET", "/convlog/v1/docs/swagger-ui-bundle.js", "")
        .await;
    assert_eq!(code.status, 200);
}
