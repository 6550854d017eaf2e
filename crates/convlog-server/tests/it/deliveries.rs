//! Conversation logs on their way to CloudWatch Logs and S3: a fake of both takes what comes, fails
//! as it is told, and keeps the rules of the services.

pub(crate) mod fake_aws;
mod groups;
mod text;

use std::sync::Arc;

use convlog_model::json::Json;
use convlog_server::ServerConfig;
use convlog_server::config::{AwsConfig, AwsEndpoint, AwsEndpoints, AwsRole};

pub(crate) use self::fake_aws::{ROLE, config};
use crate::fake::background;
use crate::harness::{Answer, Server};

pub(crate) const GROUP: &str = "lex-logs";

/// A server with the bot `Flowers` and the alias `PROD`, which logs text.
pub(crate) async fn flowers(config: ServerConfig) -> Server {
    let server = Server::with(config).await;
    make_flowers(&server, &text_logs()).await;
    server
}

pub(crate) fn text_logs() -> String {
    let arn = format!("arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}");
    format!(r#"{{"logType":"TEXT","destination":"CLOUDWATCH_LOGS","resourceArn":"{arn}"}}"#)
}

pub(crate) async fn make_flowers(server: &Server, settings: &str) {
    let intent = r#"{"sampleUtterances":["i want roses"],
        "fulfillmentActivity":{"type":"ReturnIntent"}}"#;
    ok(&server.put("/intents/Order/versions/$LATEST", intent).await);
    ok(&server.post("/intents/Order/versions", "{}").await);
    let bot = r#"{"locale":"en-US","childDirected":false,"processBehavior":"BUILD",
        "intents":[{"intentName":"Order","intentVersion":"1"}],
        "clarificationPrompt":{"maxAttempts":2,
            "messages":[{"contentType":"PlainText","content":"What?"}]},
        "abortStatement":{"messages":[{"contentType":"PlainText","content":"Sorry"}]}}"#;
    ok(&server.put("/bots/Flowers/versions/$LATEST", bot).await);
    ok(&server.post("/bots/Flowers/versions", "{}").await);
    let alias = format!(
        r#"{{"botVersion":"1","conversationLogs":{{"iamRoleArn":"{ROLE}",
            "logSettings":[{settings}]}}}}"#
    );
    ok(&server.put("/bots/Flowers/aliases/PROD", &alias).await);
}

#[track_caller]
fn ok(answer: &Answer) {
    assert!(answer.status.is_success(), "{}", answer.text());
}

/// One turn of a user.
pub(crate) async fn say(server: &Server, user: &str, text: &str) -> Answer {
    say_as(server, user, text, None).await
}

pub(crate) async fn say_as(
    server: &Server,
    user: &str,
    text: &str,
    customer: Option<&str>,
) -> Answer {
    let mut body = Json::object([("inputText", Json::string(text))]);
    if let Some(customer) = customer {
        let named = Json::object([("x-convlog-customer-id", Json::string(customer))]);
        body.set("requestAttributes", named);
    }
    let uri = format!("/bot/Flowers/alias/PROD/user/{user}/text");
    let answer = server.post(&uri, &body.to_string()).await;
    ok(&answer);
    answer
}

/// Waits until something is true.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what} did not come about");
}

/// A second server over what the first one has kept, which is gone.
pub(crate) fn again(server: Server, config: ServerConfig) -> Server {
    server.app.jobs().stop();
    let clock = Arc::clone(&server.clock);
    Server::over(config, server.deps.clone(), clock)
}

/// The value of a series.
pub(crate) async fn counted(server: &Server, name: &str) -> u64 {
    let text = server.get("/metrics").await.text();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.rsplit(' ').next());
    value.map_or(0, |value| value.parse().unwrap())
}
