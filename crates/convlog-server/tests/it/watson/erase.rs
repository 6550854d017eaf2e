//! `user_data`: a customer's logs are gone from every list when the call returns.

use convlog_model::json::Json;

use super::{V1, V2, error, logs, logs_of, say_as, send, text, with_echo};
use crate::harness::Server;

async fn erase(server: &Server, query: &str) -> crate::harness::Answer {
    send(
        server,
        "DELETE",
        &format!("/v1/user_data?{V1}{query}"),
        &[],
        "",
    )
    .await
}

const ACME: [(&str, &str); 1] = [("X-Watson-Metadata", "customer_id=acme")];

#[tokio::test]
async fn a_customer_is_gone_in_both_versions_and_comes_back_only_anew() {
    let server = with_echo().await;
    say_as(&server, "W1", &ACME, r#"{"input":{"text":"before"}}"#).await;
    say_as(&server, "W1", &[], r#"{"input":{"text":"somebody else"}}"#).await;
    server.clock.step(1_000_000);
    let answer = erase(&server, "&customer_id=acme").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (202, "{}")
    );
    server.clock.step(1_000_000);
    say_as(&server, "W1", &ACME, r#"{"input":{"text":"after"}}"#).await;
    for uri in [
        format!("/v1/workspaces/W1/logs?{V1}&sort=request_timestamp"),
        format!("/v2/assistants/W1/logs?{V2}&sort=request_timestamp"),
    ] {
        let listed = logs(&server, &uri).await;
        let said: Vec<&str> = listed
            .iter()
            .map(|log| text(log, &["request", "input", "text"]))
            .collect();
        assert_eq!(said, ["somebody else", "after"], "{uri}");
    }
}

#[tokio::test]
async fn again_or_for_nobody_is_accepted_all_the_same() {
    let server = with_echo().await;
    say_as(&server, "W1", &ACME, r#"{"input":{"text":"x"}}"#).await;
    for _ in 0..2 {
        assert_eq!(erase(&server, "&customer_id=acme").await.status, 202);
    }
    assert_eq!(erase(&server, "&customer_id=nobody").await.status, 202);
    let uri = format!("/v2/user_data?{V2}&customer_id=x");
    assert_eq!(send(&server, "DELETE", &uri, &[], "").await.status, 202);
}

#[tokio::test]
async fn without_a_customer_id_it_is_refused() {
    let server = with_echo().await;
    for query in ["", "&customer_id="] {
        let (status, general, _, _) = error(&erase(&server, query).await);
        assert_eq!(
            (status, general.as_str()),
            (400, "No customer ID found in the request")
        );
    }
}

#[tokio::test]
async fn a_walk_under_way_goes_on_without_the_erased() {
    let server = with_echo().await;
    for turn in 0..4 {
        server.clock.step(1_000_000);
        let header: &[(&str, &str)] = if turn == 1 { &ACME } else { &[] };
        say_as(
            &server,
            "W1",
            header,
            &format!(r#"{{"input":{{"text":"turn {turn}"}}}}"#),
        )
        .await;
    }
    let first = server
        .get(&format!("/v1/workspaces/W1/logs?{V1}&page_limit=2"))
        .await
        .json();
    let next = text(&first, &["pagination", "next_url"]).to_owned();
    erase(&server, "&customer_id=acme").await;
    let second = server.get(&next).await.json();
    let listed = second.get("logs").and_then(Json::as_array).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(text(&listed[0], &["request", "input", "text"]), "turn 0");
    assert_eq!(
        second.get("pagination").map(Json::to_string).as_deref(),
        Some("{}")
    );
}

#[tokio::test]
async fn the_sessions_of_the_customer_are_gone_too() {
    let server = with_echo().await;
    let opened = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await;
    let session = opened.text_at("session_id");
    let uri = format!("/v2/assistants/W1/sessions/{session}/message?{V2}");
    let body = r#"{"input":{"text":"x"}}"#;
    assert_eq!(send(&server, "POST", &uri, &ACME, body).await.status, 200);
    erase(&server, "&customer_id=acme").await;
    let (status, general, _, _) = error(&server.post(&uri, body).await);
    assert_eq!((status, general.as_str()), (404, "Invalid Session"));
}

#[tokio::test]
async fn a_session_that_went_on_with_another_customer_is_gone_too() {
    let server = with_echo().await;
    let opened = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await;
    let session = opened.text_at("session_id");
    let uri = format!("/v2/assistants/W1/sessions/{session}/message?{V2}");
    let body = r#"{"input":{"text":"x"}}"#;
    let other = [("x-watson-metadata", "customer_id=other")];
    for headers in [&ACME, &other] {
        assert_eq!(send(&server, "POST", &uri, headers, body).await.status, 200);
    }
    erase(&server, "&customer_id=acme").await;
    let (status, general, _, _) = error(&server.post(&uri, body).await);
    assert_eq!((status, general.as_str()), (404, "Invalid Session"));
}

#[tokio::test]
async fn a_session_names_a_bounded_number_of_customers() {
    let server = with_echo().await;
    let opened = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await;
    let session = opened.text_at("session_id");
    let uri = format!("/v2/assistants/W1/sessions/{session}/message?{V2}");
    let body = r#"{"input":{"text":"x"}}"#;
    for n in 0..32 {
        let named = format!("customer_id=c{n}");
        let headers = [("x-watson-metadata", named.as_str())];
        assert_eq!(
            send(&server, "POST", &uri, &headers, body).await.status,
            200
        );
    }
    let (status, general, _, _) = error(&send(&server, "POST", &uri, &ACME, body).await);
    let expected = "the session has named too many customers: open another";
    assert_eq!((status, general.as_str()), (400, expected));
    let known = [("x-watson-metadata", "customer_id=c7")];
    assert_eq!(send(&server, "POST", &uri, &known, body).await.status, 200);
}

#[tokio::test]
async fn it_needs_a_key_that_erases_and_is_not_limited_to_bots() {
    let server = with_echo().await;
    let uri = format!("/v1/user_data?{V1}&customer_id=acme");
    for (roles, bots) in [(r#""read","write","admin""#, ""), (r#""erase""#, r#""W1""#)] {
        let key = server.key(roles, bots).await;
        let answer = server.call(&key, "DELETE", &uri, "").await;
        assert_eq!(
            (answer.status.as_u16(), error(&answer).1.as_str()),
            (403, "Forbidden")
        );
    }
    let key = server.key(r#""erase""#, "").await;
    assert_eq!(server.call(&key, "DELETE", &uri, "").await.status, 202);
}

/// The channels that give their users a customer id, and what it is made of.
const CHANNELS: [(&str, &str, Option<&str>); 5] = [
    ("Web chat", "u-1", Some("u-1")),
    ("Slack", "T1U1", Some("slack_T1U1")),
    ("Intercom", "a-1", Some("intercom_a-1")),
    ("Intercom", "intercom_a-2", Some("intercom_a-2")),
    ("Facebook", "f-1", None),
];

#[tokio::test]
async fn users_of_channels_are_found_and_erased_by_what_the_channel_makes_of_them() {
    let server = with_echo().await;
    let uri = format!("/v2/assistants/W1/message?{V2}");
    for (channel, user, customer) in CHANNELS {
        let context = format!(r#"{{"integrations":{{"channel":{{"name":"{channel}"}}}}}}"#);
        let body = format!(r#"{{"input":{{"text":"x"}},"context":{context},"user_id":"{user}"}}"#);
        let answer = server.post(&uri, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let Some(customer) = customer else {
            assert_eq!(
                logs_of(&server, "W1", "customer_id:*").await.len(),
                0,
                "{channel}"
            );
            continue;
        };
        let filter = format!("customer_id::{customer}");
        assert_eq!(logs_of(&server, "W1", &filter).await.len(), 1, "{channel}");
        assert_eq!(
            erase(&server, &format!("&customer_id={customer}"))
                .await
                .status,
            202
        );
        assert_eq!(logs_of(&server, "W1", &filter).await.len(), 0, "{channel}");
    }
}

#[tokio::test]
async fn an_explicit_customer_id_goes_before_the_channels() {
    let server = with_echo().await;
    let uri = format!("/v2/assistants/W1/message?{V2}");
    let body = r#"{"input":{"text":"x"},"context":{"integrations":{"channel":{"name":"Slack"}}},"user_id":"T1"}"#;
    assert_eq!(send(&server, "POST", &uri, &ACME, body).await.status, 200);
    assert_eq!(logs_of(&server, "W1", "customer_id::acme").await.len(), 1);
    assert_eq!(
        logs_of(&server, "W1", "customer_id::slack_T1").await.len(),
        0
    );
}

/// A v2 log of a user on a channel, as an export or a log webhook holds it.
fn log_on(channel: &str, user: &str) -> String {
    format!(
        r#"{{"log_id":"l-{user}","request":{{"input":{{"text":"x"}},"user_id":"{user}"}},"response":{{"output":{{"generic":[]}},"user_id":"{user}","context":{{"integrations":{{"channel":{{"name":"{channel}"}}}}}}}},"assistant_id":"as-1","session_id":"s-1","skill_id":"W1","snapshot":"draft","language":"en","request_timestamp":"2026-03-02T09:00:41.318Z","response_timestamp":"2026-03-02T09:00:41.521Z"}}"#
    )
}

/// Asserts that the logs of all channels are there, and that each can be erased.
async fn found_and_erased(server: &Server) {
    assert_eq!(logs_of(server, "W1", "").await.len(), CHANNELS.len());
    let customers = CHANNELS.iter().filter_map(|(_, _, customer)| *customer);
    for customer in customers {
        let filter = format!("customer_id::{customer}");
        assert_eq!(logs_of(server, "W1", &filter).await.len(), 1, "{customer}");
        erase(server, &format!("&customer_id={customer}")).await;
        assert_eq!(logs_of(server, "W1", &filter).await.len(), 0, "{customer}");
    }
    let left = logs_of(server, "W1", "").await;
    assert_eq!(left.len(), 1);
    assert_eq!(text(&left[0], &["log_id"]), "l-f-1");
}

#[tokio::test]
async fn imported_users_of_channels_are_found_and_erased() {
    let server = Server::start().await;
    let lines = CHANNELS
        .map(|(channel, user, _)| log_on(channel, user))
        .join("\n");
    super::import(&server, "watson-v2", &lines).await;
    found_and_erased(&server).await;
}

#[tokio::test]
async fn users_of_channels_that_a_webhook_logged_are_found_and_erased() {
    let server = Server::start().await;
    let hook = r#"{"header":{"name":"x-proof","value":"open sesame"}}"#;
    assert_eq!(
        server.put("/convlog/v1/hooks/cloud", hook).await.status,
        200
    );
    for (channel, user, _) in CHANNELS {
        let payload = log_on(channel, user);
        let body = format!(r#"{{"event":{{"name":"message_logged"}},"payload":{payload}}}"#);
        let proof = [("x-proof", "open sesame")];
        let uri = "/convlog/v1/hooks/watson/cloud";
        assert_eq!(send(&server, "POST", uri, &proof, &body).await.status, 200);
    }
    found_and_erased(&server).await;
}
