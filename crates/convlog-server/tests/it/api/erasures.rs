//! Erasures.

use convlog_model::json::Json;

use super::{BULK_V1, RECORDS, load, log, own_ids, problem};
use crate::harness::Server;

const ERASURES: &str = "/convlog/v1/erasures";

async fn two_customers() -> Server {
    let server = Server::start().await;
    let mut logs: Vec<_> = (1..=6).map(log).collect();
    for (i, log) in logs.iter_mut().enumerate() {
        log.customer = Some(if i % 2 == 0 { "ada" } else { "bob" });
    }
    load(&server, &logs).await;
    server
}

#[tokio::test]
async fn a_customer_is_gone_from_every_read_also_from_pages_under_way() {
    let server = two_customers().await;
    let path = format!("{RECORDS}?sort=time.request&limit=2");
    let first = server.get(&path).await;
    assert_eq!(own_ids(&first), ["log-1", "log-2"]);
    let erased = server.post(ERASURES, r#"{"customer_id":"ada"}"#).await;
    assert_eq!(erased.status, 202, "{}", erased.text());
    let json = erased.json();
    assert_eq!(json.get("records"), Some(&Json::integer(3)));
    assert_eq!(json.get("selector"), Some(&Json::string("customer")));
    let cursor = first.text_at("cursor");
    let second = server.get(&format!("{path}&cursor={cursor}")).await;
    assert_eq!(own_ids(&second), ["log-4", "log-6"]);
    let export = server.get(super::EXPORT).await.text();
    assert!(!export.contains("ada"), "{export}");
    let same = server
        .get(&format!("{ERASURES}/{}", erased.text_at("id")))
        .await;
    assert_eq!(same.json().get("records"), Some(&Json::integer(3)));
}

#[tokio::test]
async fn a_resend_of_what_was_erased_is_counted_and_not_stored() {
    let server = two_customers().await;
    server.post(ERASURES, r#"{"customer_id":"ada"}"#).await;
    let mut again = log(1);
    again.customer = Some("ada");
    let answer = server.post(BULK_V1, &again.line()).await;
    assert_eq!(
        answer.text(),
        r#"{"accepted":0,"duplicates":0,"erased":1,"rejected":[]}"#
    );
}

#[tokio::test]
async fn a_blank_filter_does_not_erase_everything() {
    let server = two_customers().await;
    for filter in ["", " ", "\\t"] {
        let answer = server
            .post(ERASURES, &format!(r#"{{"filter":"{filter}"}}"#))
            .await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(problem(&answer).1.contains("filter must"), "{filter:?}");
    }
    let path = format!("{RECORDS}?sort=time.request");
    assert_eq!(own_ids(&server.get(&path).await).len(), 6);
}

#[tokio::test]
async fn a_filter_erases_what_matches_now_and_spares_the_audit() {
    let server = two_customers().await;
    let counted = server
        .post(ERASURES, r#"{"filter":"customer::bob","dry_run":true}"#)
        .await;
    assert_eq!(counted.status, 200);
    assert_eq!(counted.text(), r#"{"dry_run":true,"records":3}"#);
    let erased = server.post(ERASURES, r#"{"filter":"customer::bob"}"#).await;
    assert_eq!(erased.json().get("records"), Some(&Json::integer(3)));
    let path = format!("{RECORDS}?sort=time.request");
    assert_eq!(
        own_ids(&server.get(&path).await),
        ["log-1", "log-3", "log-5"]
    );
    let all = server.post(ERASURES, r#"{"filter":"id:*"}"#).await;
    assert_eq!(
        all.json().get("records"),
        Some(&Json::integer(3)),
        "{}",
        all.text()
    );
    let audit = server.get("/convlog/v1/audit").await.text();
    assert!(audit.contains("erasure.request"), "{audit}");
}

#[tokio::test]
async fn neither_erasures_nor_the_audit_hold_the_customer() {
    let server = two_customers().await;
    server.post(ERASURES, r#"{"customer_id":"ada"}"#).await;
    for path in [ERASURES, "/convlog/v1/audit"] {
        let text = server.get(path).await.text();
        assert!(!text.contains("ada"), "{text}");
    }
    let documents = server
        .deps
        .control
        .list("erasures", "", "", 10)
        .await
        .unwrap();
    assert_eq!(documents.len(), 1);
    let text = String::from_utf8(documents[0].body.clone()).unwrap();
    assert!(!text.contains("ada"), "{text}");
}

#[tokio::test]
async fn connectors_that_still_hold_data_are_named() {
    let server = two_customers().await;
    let webhook = r#"{"connector":{"kind":"webhook","url":"https://example.org/hook"}}"#;
    assert_eq!(
        server.put("/convlog/v1/bots/shop", webhook).await.status,
        200
    );
    let other = r#"{"connector":{"kind":"webhook","url":"https://example.org/other"}}"#;
    assert_eq!(
        server.put("/convlog/v1/bots/unused", other).await.status,
        200
    );
    let erased = server.post(ERASURES, r#"{"filter":"bot::shop"}"#).await;
    let connectors = erased.json().get("connectors").unwrap().to_string();
    assert_eq!(
        connectors,
        r#"[{"bot":"shop","kind":"webhook","forward":null}]"#
    );
    let erased = server.post(ERASURES, r#"{"customer_id":"ada"}"#).await;
    let json = erased.json();
    let connectors = json.get("connectors").unwrap().as_array().unwrap();
    assert_eq!(connectors.len(), 2);
}

#[tokio::test]
async fn a_list_shows_the_newest_first_by_pages() {
    let server = two_customers().await;
    let mut ids = Vec::new();
    for customer in ["ada", "bob", "eve"] {
        server.clock.step(1_000_000);
        let body = format!(r#"{{"customer_id":"{customer}"}}"#);
        ids.push(server.post(ERASURES, &body).await.text_at("id"));
    }
    let shown = |answer: &crate::harness::Answer| -> Vec<String> {
        let json = answer.json();
        let items = json.get("erasures").unwrap().as_array().unwrap();
        items
            .iter()
            .map(|item| item.get("id").unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    let first = server.get(&format!("{ERASURES}?limit=2")).await;
    assert_eq!(shown(&first), [ids[2].clone(), ids[1].clone()]);
    let cursor = first.text_at("cursor");
    let second = server
        .get(&format!("{ERASURES}?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(shown(&second), [ids[0].clone()]);
    assert_eq!(second.json().get("cursor"), Some(&Json::Null));
}

#[tokio::test]
async fn a_request_needs_exactly_one_selector() {
    let server = Server::start().await;
    let text = "exactly one of customer_id and filter is needed";
    for body in ["{}", r#"{"customer_id":"a","filter":"id:*"}"#] {
        let refused = server.post(ERASURES, body).await;
        assert_eq!(problem(&refused), (400, text.to_owned()));
    }
    let refused = server.post(ERASURES, r#"{"filter":""}"#).await;
    assert_eq!(
        problem(&refused),
        (400, "filter must have 1 to 65536 bytes".to_owned())
    );
    let missing = server.get(&format!("{ERASURES}/nothing")).await;
    assert_eq!(problem(&missing), (404, "Resource not found".to_owned()));
}

#[tokio::test]
async fn a_key_for_one_bot_may_not_erase() {
    let server = two_customers().await;
    let key = server.key(r#""erase""#, r#""shop""#).await;
    let refused = server
        .call(&key, "POST", ERASURES, r#"{"customer_id":"ada"}"#)
        .await;
    assert_eq!(refused.status, 403);
}
