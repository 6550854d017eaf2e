//! The model building API of Lex, and what it makes of turns.

mod imports;
mod models;
mod races;
mod utterances;

use convlog_model::json::Json;

use crate::harness::{ADMIN, Answer, Server};

/// A prompt.
const ASK: &str =
    r#"{"maxAttempts":2,"messages":[{"contentType":"PlainText","content":"Sorry?"}]}"#;

impl Server {
    async fn delete(&self, uri: &str) -> Answer {
        self.call(ADMIN, "DELETE", uri, "").await
    }

    /// A `PUT` that is answered 200.
    async fn made(&self, uri: &str, body: &str) -> Json {
        let answer = self.put(uri, body).await;
        assert_eq!(answer.status, 200, "{uri} {}", answer.text());
        answer.json()
    }

    /// A `GET` that is answered 200.
    async fn found(&self, uri: &str) -> Json {
        let answer = self.get(uri).await;
        assert_eq!(answer.status, 200, "{uri} {}", answer.text());
        answer.json()
    }

    /// Numbers the `$LATEST` of something; returns the number.
    async fn numbered(&self, uri: &str) -> String {
        let answer = self.post(&format!("{uri}/versions"), "").await;
        assert_eq!(answer.status, 201, "{uri} {}", answer.text());
        answer.text_at("version")
    }

    /// The slot type `Kinds`, the intent `Order` and the bot `Shop`, each in version 1, and the
    /// alias `PROD`, which logs text. `hidden` is the obfuscation of the slot.
    async fn shop(&self, hidden: &str, child_directed: bool) {
        self.made(
            "/slottypes/Kinds/versions/$LATEST",
            r#"{"enumerationValues":[{"value":"roses","synonyms":["rose"]},{"value":"tulips"}]}"#,
        )
        .await;
        assert_eq!(self.numbered("/slottypes/Kinds").await, "1");
        self.made("/intents/Order/versions/$LATEST", &order("1", hidden))
            .await;
        assert_eq!(self.numbered("/intents/Order").await, "1");
        self.made("/bots/Shop/versions/$LATEST", &shop("1", child_directed))
            .await;
        assert_eq!(self.numbered("/bots/Shop").await, "1");
        self.made("/bots/Shop/aliases/PROD", LOGGING).await;
    }

    async fn says(&self, user: &str, text: &str) -> Json {
        let uri = format!("/bot/Shop/alias/PROD/user/{user}/text");
        let answer = self
            .post(&uri, &format!(r#"{{"inputText":"{text}"}}"#))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

const LOGGING: &str = r#"{"botVersion":"1","conversationLogs":{
    "iamRoleArn":"arn:aws:iam::123456789012:role/logs",
    "logSettings":[{"logType":"TEXT","destination":"CLOUDWATCH_LOGS",
        "resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:lex"}]}}"#;

fn order(slot_type_version: &str, hidden: &str) -> String {
    format!(
        r#"{{"sampleUtterances":["order {{kind}}","I want flowers"],
            "fulfillmentActivity":{{"type":"ReturnIntent"}},
            "slots":[{{"name":"kind","slotConstraint":"Required","slotType":"Kinds",
                "slotTypeVersion":"{slot_type_version}","priority":1,
                "obfuscationSetting":"{hidden}","valueElicitationPrompt":{ASK}}}]}}"#
    )
}

fn shop(intent_version: &str, child_directed: bool) -> String {
    format!(
        r#"{{"locale":"en-US","childDirected":{child_directed},"description":"Sells flowers",
            "voiceId":"Joanna","idleSessionTTLInSeconds":600,"clarificationPrompt":{ASK},
            "abortStatement":{{"messages":[{{"contentType":"PlainText","content":"Bye"}}]}},
            "intents":[{{"intentName":"Order","intentVersion":"{intent_version}"}}]}}"#
    )
}

/// The code and the message of an error.
fn error(answer: &Answer) -> (u16, String, String) {
    let message = answer.json().get("message").map_or(String::new(), |text| {
        text.as_str().unwrap_or_default().to_owned()
    });
    let code = answer.header("x-amzn-errortype").to_owned();
    (answer.status.as_u16(), code, message)
}

fn assert_error(answer: &Answer, status: u16, code: &str) {
    let (found, name, message) = error(answer);
    assert_eq!((found, name.as_str()), (status, code), "{message}");
}

fn text(json: &Json, member: &str) -> String {
    let text = json.get(member).and_then(Json::as_str);
    text.unwrap_or_else(|| panic!("no {member} in {json}"))
        .to_owned()
}

/// A member of each item of a list.
fn each(json: &Json, list: &str, member: &str) -> Vec<String> {
    let items = json.get(list).and_then(Json::as_array);
    let items = items.unwrap_or_else(|| panic!("no {list} in {json}"));
    items.iter().map(|item| text(item, member)).collect()
}
