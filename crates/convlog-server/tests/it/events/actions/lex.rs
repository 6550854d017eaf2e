//! What changes the model of a Lex bot.

use convlog_server::ServerConfig;

use super::is;
use crate::fake::{Fake, Script};
use crate::harness::{ADMIN, Server};
use crate::lex::{bot, say, shop_of};

const BOT: &str = "/bots/Flowers/versions/$LATEST";
const ALIAS: &str = "/bots/Flowers/aliases/PROD";
const INTENT: &str = "/intents/Order";
const SLOT_TYPE: &str = "/slottypes/Kinds";

pub(super) async fn with_bot() -> Server {
    let server = Server::start().await;
    let bot = r#"{"locale":"en-US","childDirected":false}"#;
    is(&server.put(BOT, bot).await, 200);
    server
}

pub(super) async fn with_alias() -> Server {
    let server = with_bot().await;
    put_alias(server.clone()).await;
    server
}

pub(super) async fn put_alias(server: Server) {
    is(&server.put(ALIAS, r#"{"botVersion":"$LATEST"}"#).await, 200);
}

pub(super) async fn put_alias_again(server: Server) {
    let checksum = server.get(ALIAS).await.text_at("checksum");
    let body = format!(r#"{{"botVersion":"$LATEST","checksum":"{checksum}"}}"#);
    is(&server.put(ALIAS, &body).await, 200);
}

pub(super) async fn delete_alias(server: Server) {
    is(&server.call(ADMIN, "DELETE", ALIAS, "").await, 204);
}

pub(super) async fn put_intent(server: Server) {
    let uri = format!("{INTENT}/versions/$LATEST");
    let body = r#"{"sampleUtterances":["order"],"fulfillmentActivity":{"type":"ReturnIntent"}}"#;
    is(&server.put(&uri, body).await, 200);
}

pub(super) async fn with_intent() -> Server {
    let server = Server::start().await;
    put_intent(server.clone()).await;
    server
}

pub(super) async fn publish_intent(server: Server) {
    let uri = format!("{INTENT}/versions");
    is(&server.post(&uri, "{}").await, 201);
}

pub(super) async fn delete_intent(server: Server) {
    is(&server.call(ADMIN, "DELETE", INTENT, "").await, 204);
}

pub(super) async fn put_slot_type(server: Server) {
    let uri = format!("{SLOT_TYPE}/versions/$LATEST");
    let body = r#"{"enumerationValues":[{"value":"rose"}]}"#;
    is(&server.put(&uri, body).await, 200);
}

pub(super) async fn with_slot_type() -> Server {
    let server = Server::start().await;
    put_slot_type(server.clone()).await;
    server
}

pub(super) async fn publish_slot_type(server: Server) {
    let uri = format!("{SLOT_TYPE}/versions");
    is(&server.post(&uri, "{}").await, 201);
}

pub(super) async fn delete_slot_type(server: Server) {
    is(&server.call(ADMIN, "DELETE", SLOT_TYPE, "").await, 204);
}

pub(super) async fn with_sentiment_that_fails() -> Server {
    let fake = Fake::start(Script::Answer(500, "text/plain", String::new())).await;
    let mut config = ServerConfig::default();
    config.lex.sentiment = Some(fake.url());
    shop_of(config, &bot(r#","detectSentiment":true"#), None).await
}

pub(super) async fn say_order(server: Server) {
    say(&server, "order tulip").await;
}
