//! Amazon Lex V1 through the router.

mod building;
mod history;
mod logs;
mod runtime;
mod signed;

use convlog_model::json::Json;
use convlog_server::ServerConfig;

use crate::harness::{Answer, Server};

/// The log group of [`with_logs`].
pub(crate) const TEXT_LOGS: &str = r#"{"iamRoleArn":"arn:aws:iam::123456789012:role/lexlogs",
    "logSettings":[{"logType":"TEXT","destination":"CLOUDWATCH_LOGS",
    "resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:lex-logs"}]}"#;

#[track_caller]
pub(crate) fn is(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
}

const ORDER: &str = r#"{"sampleUtterances":["order flowers","order {Kind}"],"slots":[
    {"name":"Kind","slotConstraint":"Required","slotType":"Kinds","slotTypeVersion":"1",
     "priority":1,"valueElicitationPrompt":{"maxAttempts":2,
     "messages":[{"contentType":"PlainText","content":"Which kind?"}]}},
    {"name":"Name","slotConstraint":"Required","slotType":"AMAZON.Person","priority":2,
     "obfuscationSetting":"DEFAULT_OBFUSCATION","valueElicitationPrompt":{"maxAttempts":2,
     "messages":[{"contentType":"PlainText","content":"Your name?"}]}}],
    "conclusionStatement":{"messages":[{"contentType":"PlainText","content":"Thank you, {Name}"}]},
    "fulfillmentActivity":{"type":"ReturnIntent"}}"#;
const KINDS: &str = r#"{"enumerationValues":[{"value":"roses"},{"value":"tulips",
    "synonyms":["tulip"]}],"valueSelectionStrategy":"TOP_RESOLUTION"}"#;

/// Puts the intent `Order` and what it needs, in version 1.
pub(crate) async fn put_order(server: &Server, order: &str) {
    is(
        &server.put("/slottypes/Kinds/versions/$LATEST", KINDS).await,
        200,
    );
    is(&server.post("/slottypes/Kinds/versions", "{}").await, 201);
    is(
        &server.put("/intents/Order/versions/$LATEST", order).await,
        200,
    );
    is(&server.post("/intents/Order/versions", "{}").await, 201);
}

/// A bot's body with more members.
pub(crate) fn bot(more: &str) -> String {
    format!(
        r#"{{"locale":"en-US","childDirected":false,"idleSessionTTLInSeconds":300,
        "clarificationPrompt":{{"maxAttempts":3,
        "messages":[{{"contentType":"PlainText","content":"Pardon?"}}]}},
        "abortStatement":{{"messages":[{{"contentType":"PlainText","content":"Goodbye"}}]}},
        "intents":[{{"intentName":"Order","intentVersion":"1"}}]{more}}}"#
    )
}

/// Points the alias at a version, with these settings of logs.
pub(crate) async fn put_alias(server: &Server, version: &str, logs: Option<&str>) {
    let old = server.get("/bots/Shop/aliases/PROD").await;
    let mut body = Json::object([("botVersion", Json::string(version))]);
    if old.status == 200 {
        body.set("checksum", Json::string(old.text_at("checksum")));
    }
    if let Some(logs) = logs {
        body.set("conversationLogs", Json::parse(logs.as_bytes()).unwrap());
    }
    let put = server
        .put("/bots/Shop/aliases/PROD", &body.to_string())
        .await;
    is(&put, 200);
}

/// A server with the bot `Shop` in version 1 behind the alias `PROD`.
pub(crate) async fn shop(config: ServerConfig, logs: Option<&str>) -> Server {
    shop_of(config, &bot(""), logs).await
}

/// The same with another bot.
pub(crate) async fn shop_of(config: ServerConfig, bot: &str, logs: Option<&str>) -> Server {
    let server = Server::with(config).await;
    put_order(&server, ORDER).await;
    is(&server.put("/bots/Shop/versions/$LATEST", bot).await, 200);
    is(&server.post("/bots/Shop/versions", "{}").await, 201);
    put_alias(&server, "1", logs).await;
    server
}

/// The same with text logs.
pub(crate) async fn with_logs() -> Server {
    shop(ServerConfig::default(), Some(TEXT_LOGS)).await
}

pub(crate) const USER: &str = "/bot/Shop/alias/PROD/user/u1";

/// Says something and returns the answer, which is 200.
pub(crate) async fn say(server: &Server, text: &str) -> Json {
    let body = Json::object([("inputText", Json::string(text))]);
    let answer = server
        .post(&format!("{USER}/text"), &body.to_string())
        .await;
    is(&answer, 200);
    answer.json()
}

/// A text of an answer.
pub(crate) fn text<'a>(answer: &'a Json, path: &[&str]) -> &'a str {
    answer.at(path).and_then(Json::as_str).unwrap_or_default()
}

/// The raw bodies of the turns that are kept, oldest first.
pub(crate) async fn entries(server: &Server) -> Vec<Json> {
    let uri = "/convlog/v1/records?sort=position&limit=1000&filter=kind::turn";
    let page = server.get(uri).await.json();
    let records = page.get("records").and_then(Json::as_array).unwrap();
    records
        .iter()
        .map(|record| record.get("raw").unwrap().clone())
        .collect()
}
