//! Erasures that are repeated upstream.

use std::net::{IpAddr, Ipv4Addr, TcpListener};

use axum::body::Body;
use axum::http::Request;
use convlog_model::json::Json;
use convlog_server::{App, ServerConfig};

use super::{load, log};
use crate::fake::{Fake, Script, background};
use crate::harness::{ADMIN, Server};

fn on_loopback() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connectors.listening_on = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    config
}

async fn with_upstream(fake: &Fake) -> Server {
    let server = Server::with(on_loopback()).await;
    let mut ada = log(1);
    ada.customer = Some("ada lovelace");
    load(&server, &[ada]).await;
    let body = format!(
        concat!(
            r#"{{"connector":{{"kind":"upstream","url":"{}","api":"v2","id":"a","apikey":"k","#,
            r#""version":"2024-08-25","forward_erasure":true}}}}"#
        ),
        fake.url()
    );
    let put = server.put("/convlog/v1/bots/shop", &body).await;
    assert_eq!(put.status, 200, "{}", put.text());
    server
}

async fn erase(server: &Server) -> String {
    let body = r#"{"customer_id":"ada lovelace"}"#;
    let erased = server.post("/convlog/v1/erasures", body).await;
    assert_eq!(erased.status, 202, "{}", erased.text());
    erased.text_at("id")
}

/// Asks until the forward has come to what `is_wanted` says, and returns it.
async fn forward(server: &Server, id: &str, is_wanted: fn(&Json) -> bool) -> Json {
    loop {
        let shown = server
            .get(&format!("/convlog/v1/erasures/{id}"))
            .await
            .json();
        let connectors = shown.get("connectors").and_then(Json::as_array).unwrap();
        let forward = connectors[0].get("forward").unwrap();
        if is_wanted(forward) {
            return forward.clone();
        }
        tokio::task::yield_now().await;
    }
}

fn is_done(forward: &Json) -> bool {
    forward.get("state") == Some(&Json::string("done"))
}

fn has_failed(forward: &Json) -> bool {
    forward
        .get("last_error")
        .is_some_and(|error| *error != Json::Null)
}

async fn sealed_customer(server: &Server, id: &str) -> Option<Json> {
    let document = server
        .deps
        .control
        .get("erasures", &format!("default/{id}"))
        .await;
    let body = Json::parse(&document.unwrap().unwrap().body).unwrap();
    let customer = body.at(&["doc", "customer"]).cloned();
    customer.filter(|customer| *customer != Json::Null)
}

#[tokio::test]
async fn an_erasure_is_repeated_upstream_and_forgets_the_customer() {
    let fake = Fake::json("{}").await;
    let server = with_upstream(&fake).await;
    let id = erase(&server).await;
    let forward = forward(&server, &id, is_done).await;
    assert_eq!(
        forward.to_string(),
        r#"{"state":"done","attempts":1,"last_error":null}"#
    );
    let seen = fake.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen[0].uri.to_string(),
        "/v2/user_data?version=2024-08-25&customer_id=ada+lovelace"
    );
    assert_eq!(seen[0].headers["x-convlog-hops"], "1");
    assert_eq!(sealed_customer(&server, &id).await, None);
}

#[tokio::test]
async fn an_erasure_that_servers_pass_round_and_round_comes_to_an_end() {
    let fake = Fake::json("{}").await;
    let server = with_upstream(&fake).await;
    for (n_hops, is_forwarded) in [("3", true), ("4", false)] {
        server.clock.step(1_000_000);
        let uri = "/v2/user_data?version=2024-08-25&customer_id=ada%20lovelace";
        let request = Request::delete(uri)
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("x-convlog-hops", n_hops);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let list = server.get("/convlog/v1/erasures").await.json();
        let newest = &list.get("erasures").and_then(Json::as_array).unwrap()[0];
        let holder = &newest.get("connectors").and_then(Json::as_array).unwrap()[0];
        let forward = holder.get("forward").unwrap();
        assert_eq!(*forward != Json::Null, is_forwarded, "{n_hops}: {holder}");
    }
}

#[tokio::test]
async fn an_erasure_that_failed_upstream_is_tried_again_by_the_next_process() {
    let fake = Fake::start(Script::Answer(500, "application/json", "{}".to_owned())).await;
    let server = with_upstream(&fake).await;
    let id = erase(&server).await;
    let failed = forward(&server, &id, has_failed).await;
    assert_eq!(
        failed.to_string(),
        r#"{"state":"pending","attempts":1,"last_error":"upstream_status_500"}"#
    );
    assert!(sealed_customer(&server, &id).await.is_some());
    fake.now_does(Script::Answer(202, "application/json", "{}".to_owned()));
    server.clock.step(60_000_000);
    let app = App::new(on_loopback(), server.deps.clone());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    background(async move {
        let served = convlog_server::serve(app, vec![listener], None, std::future::pending());
        served.await.unwrap();
    });
    let done = forward(&server, &id, is_done).await;
    assert_eq!(done.get("attempts"), Some(&Json::integer(2)));
    assert_eq!(sealed_customer(&server, &id).await, None);
}
