//! What both views are made of, read from either version's log object or from canonical fields.

use convlog_model::flatten::Flat;
use convlog_model::json::Json;
use convlog_model::record::{Dialect, Record};
use convlog_model::time::Timestamp;

use crate::reply::text_item;

/// A turn, without the places where a version writes its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Neutral {
    pub(super) log_id: String,
    pub(super) bot: String,
    pub(super) assistant: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) version: Option<String>,
    pub(super) conversation: String,
    pub(super) user: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) language: String,
    pub(super) request_time: String,
    pub(super) response_time: String,
    /// `request.input`.
    pub(super) input: Json,
    pub(super) intents: Vec<Json>,
    pub(super) entities: Vec<Json>,
    pub(super) generic: Vec<Json>,
    pub(super) texts: Vec<String>,
    pub(super) nodes: Vec<String>,
    /// In the words of v2.
    pub(super) log_messages: Vec<Json>,
    pub(super) turn: Option<Json>,
    pub(super) exit_reason: Option<String>,
    /// Context variables before and after the turn.
    pub(super) variables_before: Json,
    pub(super) variables: Json,
    pub(super) integrations: Option<Json>,
}

impl Neutral {
    pub(super) fn of(record: &Record) -> Self {
        let flat = record.flat();
        let mut neutral = Self::of_fields(record, &flat);
        let body = || Json::parse(record.draft.raw.as_bytes()).unwrap_or(Json::Null);
        match record.draft.dialect {
            Dialect::WatsonV1 => neutral.read_v1(&body()),
            Dialect::WatsonV2 => neutral.read_v2(&body()),
            Dialect::LexV1 | Dialect::ChatBotKit | Dialect::Otlp | Dialect::Convlog => {}
        }
        neutral
    }

    /// What the canonical fields tell.
    fn of_fields(record: &Record, flat: &Flat) -> Self {
        let text = |field: &str| flat.text(field).map(str::to_owned);
        let time = |field: &str| flat.time(field).map(Timestamp::to_millis_text);
        let received = record.received.to_millis_text();
        let request_time = time("time.request").unwrap_or(received);
        let response_time = time("time.response").unwrap_or_else(|| request_time.clone());
        let output = flat.group("output");
        let texts = output.iter().filter_map(|item| item.get("text")?.as_str());
        let reason = |field: &str, reason: &str| flat.is_true(field).then(|| reason.to_owned());
        Neutral {
            log_id: record.shown_id(),
            bot: text("bot").unwrap_or_default(),
            assistant: text("assistant"),
            environment: text("environment"),
            version: text("version"),
            conversation: text("conversation").unwrap_or_default(),
            user: text("user"),
            customer: text("customer"),
            language: text("language").unwrap_or_else(|| "en".to_owned()),
            request_time,
            response_time,
            input: Json::object([("text", Json::string(text("input.text").unwrap_or_default()))]),
            intents: renamed(flat.group("intents"), "name", "intent"),
            entities: flat.group("entities"),
            generic: output.iter().filter_map(generic_item).collect(),
            texts: texts.map(str::to_owned).collect(),
            nodes: texts_of(&flat.group("steps"), "name"),
            log_messages: Vec::new(),
            turn: None,
            exit_reason: reason("outcome.fallback", "fallback")
                .or_else(|| reason("outcome.completed", "completed")),
            variables_before: Json::object([]),
            variables: Json::object([]),
            integrations: None,
        }
    }

    fn read_v1(&mut self, body: &Json) {
        self.read_common(body, &["response"]);
        let output = |key: &str| body.at(&["response", "output", key]);
        let messages = items(output("log_messages"));
        self.log_messages = renamed(messages, "msg", "message");
        let system = |key: &str| body.at(&["response", "context", "system", key]);
        self.turn = system("dialog_turn_counter").cloned();
        if let Some(reason) = system("branch_exited_reason").and_then(Json::as_str) {
            self.exit_reason = Some(reason.to_owned());
        }
        let context = |part: &str| body.at(&[part, "context"]);
        self.variables_before = variables_of_v1(context("request"));
        self.variables = variables_of_v1(context("response"));
    }

    fn read_v2(&mut self, body: &Json) {
        self.read_common(body, &["response", "output"]);
        let debug = |key: &str| body.at(&["response", "output", "debug", key]);
        self.log_messages = items(debug("log_messages"));
        let turn = |part| body.at(&[part, "context", "global", "system", "turn_count"]);
        self.turn = turn("response").cloned();
        if let Some(reason) = debug("branch_exited_reason").and_then(Json::as_str) {
            self.exit_reason = Some(reason.to_owned());
        }
        self.variables_before = variables_of_v2(body.at(&["request", "context", "skills"]));
        self.variables = variables_of_v2(body.at(&["response", "context", "skills"]));
    }

    /// What both versions write under the same names.
    fn read_common(&mut self, body: &Json, recognised: &[&str]) {
        if let Some(input @ Json::Object(_)) = body.at(&["request", "input"]) {
            self.input = input.clone();
        }
        let part = |key: &str| items(body.at(recognised).and_then(|at| at.get(key)));
        self.intents = part("intents");
        self.entities = part("entities");
        let generic = items(body.at(&["response", "output", "generic"]));
        let texts = body.at(&["response", "output", "text"]);
        // Old logs hold a single text instead of a list.
        let texts = texts.map_or_else(Vec::new, |texts| match texts {
            Json::String(text) => vec![text.to_string()],
            several => {
                let texts = several.as_array().unwrap_or_default().iter();
                texts.filter_map(Json::as_str).map(str::to_owned).collect()
            }
        });
        self.texts = if texts.is_empty() {
            texts_of(&generic, "text")
        } else {
            texts
        };
        self.generic = if generic.is_empty() {
            self.texts.iter().map(|text| text_item(text)).collect()
        } else {
            generic
        };
        let integrations = |part| body.at(&[part, "context", "integrations"]);
        self.integrations = integrations("response")
            .or_else(|| integrations("request"))
            .cloned();
    }
}

/// The elements of an array.
fn items(value: Option<&Json>) -> Vec<Json> {
    value.and_then(Json::as_array).unwrap_or_default().to_vec()
}

/// The texts under a key of each element.
fn texts_of(elements: &[Json], key: &str) -> Vec<String> {
    let texts = elements
        .iter()
        .filter_map(|element| element.get(key)?.as_str());
    texts.map(str::to_owned).collect()
}

/// Each element with a member under another name, in front.
pub(super) fn renamed(elements: Vec<Json>, from: &str, to: &str) -> Vec<Json> {
    let rename = |mut element: Json| {
        if let (Some(value), Json::Object(members)) = (element.take(from), &mut element) {
            members.insert(0, (to.into(), value));
        }
        element
    };
    elements.into_iter().map(rename).collect()
}

/// A canonical output message in Watson's `generic` form.
fn generic_item(item: &Json) -> Option<Json> {
    match (item.get("type").and_then(Json::as_str), item.get("text")) {
        (_, Some(Json::String(text))) => Some(text_item(text)),
        (Some(kind), _) => Some(Json::object([("response_type", Json::string(kind))])),
        (None, _) => None,
    }
}

/// The variables in a v1 context: all that the service does not write itself.
fn variables_of_v1(context: Option<&Json>) -> Json {
    let own = [
        "conversation_id",
        "system",
        "metadata",
        "integrations",
        "global",
        "skills",
    ];
    let members = context.and_then(Json::as_object).unwrap_or_default();
    let variables = members
        .iter()
        .filter(|(key, _)| !own.contains(&key.as_str()));
    Json::Object(variables.cloned().collect())
}

/// The variables of all skills of a v2 context.
fn variables_of_v2(skills: Option<&Json>) -> Json {
    let mut variables = Vec::new();
    for (_, skill) in skills.and_then(Json::as_object).unwrap_or_default() {
        for part in ["user_defined", "skill_variables"] {
            let members = skill.get(part).and_then(Json::as_object);
            variables.extend(members.unwrap_or_default().iter().cloned());
        }
    }
    Json::Object(variables)
}
