//! The own API: what goes in comes out, and what administrators settle holds.

mod aggregate;
mod backup;
mod bots;
mod erasures;
mod export;
mod forward;
mod hooks;
mod idempotency;
mod records;
mod redaction;
mod retention;
mod settings;

use convlog_model::json::Json;

use crate::harness::{Answer, Server};

pub(crate) const RECORDS: &str = "/convlog/v1/records";
pub(crate) const BULK_V1: &str = "/convlog/v1/records?dialect=watson-v1";
pub(crate) const EXPORT: &str = "/convlog/v1/export";

/// A log of Watson v1.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) id: String,
    pub(crate) bot: &'static str,
    pub(crate) text: &'static str,
    pub(crate) customer: Option<&'static str>,
    pub(crate) intent: &'static str,
    pub(crate) second: u32,
}

/// The n-th log of a test: bot `shop`, intent `order`, each a second later.
pub(crate) fn log(n: u32) -> Log {
    Log {
        id: format!("log-{n}"),
        bot: "shop",
        text: "where is my order",
        customer: None,
        intent: "order",
        second: n,
    }
}

impl Log {
    /// As one line.
    pub(crate) fn line(&self) -> String {
        let (minutes, seconds) = (self.second / 60, self.second % 60);
        let customer = match self.customer {
            Some(customer) => format!(r#""customer_id":"{customer}","#),
            None => String::new(),
        };
        format!(
            concat!(
                r#"{{"log_id":"{id}",{customer}"#,
                r#""request":{{"input":{{"text":"{text}"}}}},"#,
                r#""response":{{"input":{{"text":"{text}"}},"#,
                r#""intents":[{{"intent":"{intent}","confidence":0.9}}],"entities":[],"#,
                r#""output":{{"text":["It is on its way."],"nodes_visited":["n1"],"#,
                r#""log_messages":[]}},"#,
                r#""context":{{"conversation_id":"c-{id}","system":{{"dialog_turn_counter":1}}}}}},"#,
                r#""request_timestamp":"2026-03-02T08:{m:02}:{s:02}.000Z","#,
                r#""response_timestamp":"2026-03-02T08:{m:02}:{s:02}.250Z","#,
                r#""workspace_id":"{bot}","language":"en"}}"#,
            ),
            id = self.id,
            customer = customer,
            text = self.text,
            intent = self.intent,
            bot = self.bot,
            m = minutes,
            s = seconds,
        )
    }
}

/// Takes logs in; all of them must be accepted.
pub(crate) async fn load(server: &Server, logs: &[Log]) {
    let lines: Vec<String> = logs.iter().map(Log::line).collect();
    let answer = server.post(BULK_V1, &lines.join("\n")).await;
    let expected = format!(
        r#"{{"accepted":{},"duplicates":0,"erased":0,"rejected":[]}}"#,
        logs.len()
    );
    assert_eq!(answer.text(), expected);
}

/// The records of a page.
pub(crate) fn records(answer: &Answer) -> Vec<Json> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    json.get("records")
        .and_then(Json::as_array)
        .unwrap()
        .to_vec()
}

/// The own ids of the records of a page.
pub(crate) fn own_ids(answer: &Answer) -> Vec<String> {
    let ids = records(answer).into_iter().map(|record| {
        let id = record.get("own_id").and_then(Json::as_str);
        id.unwrap_or_else(|| panic!("no own_id in {record}"))
            .to_owned()
    });
    ids.collect()
}

/// A problem's status and detail.
pub(crate) fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    (answer.status.as_u16(), answer.text_at("detail"))
}
