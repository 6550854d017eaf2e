//! The canonical turn of a log object.

mod places;

use convlog_model::json::{Items, Json, Value};
use convlog_model::record::Draft;
use convlog_model::time::Timestamp;

use self::places::{Places, V1, V2};
use super::reader::{Reader, refer_to};
use crate::DecodeError;
use crate::reply::millis;

pub(super) fn v1(reader: &Reader<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    check_objects(reader)?;
    let assistant = [
        "request.context.system.assistant_id",
        "response.context.system.assistant_id",
    ];
    reader.refer(draft, "assistant", &assistant)?;
    reader.refer(draft, "bot", &["workspace_id"])?;
    let deployment = [
        "request.context.metadata.deployment",
        "response.context.metadata.deployment",
    ];
    reader.refer(draft, "environment", &deployment)?;
    common(reader, draft, &V1)?;
    let nodes = reader.get("response.output.nodes_visited");
    match nodes {
        None => {}
        Some(Value::Array(mut items)) => {
            // Some tools write the objects of v2 here.
            let path = match items.all(|item| item.as_str().is_some()) {
                true => "response.output.nodes_visited",
                false => "response.output.nodes_visited.dialog_node",
            };
            refer_to(draft, "steps.name", path);
        }
        Some(other) => {
            return Err(DecodeError::wrong_type(
                "an array",
                other,
                "response.output.nodes_visited",
            ));
        }
    }
    Ok(())
}

pub(super) fn v2(reader: &Reader<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    check_objects(reader)?;
    reader.check_object("response.output.debug")?;
    reader.refer(draft, "bot", &["skill_id"])?;
    reader.refer(draft, "assistant", &["assistant_id"])?;
    // Anything but a text under the shorter name is no id, and stays a part of the raw body.
    let environment: &[&'static str] = match reader.get("environment") {
        Some(Value::String(_)) => &["environment_id", "environment"],
        _ => &["environment_id"],
    };
    reader.refer(draft, "environment", environment)?;
    reader.refer(draft, "version", &["snapshot"])?;
    reader.refer(draft, "customer", &["customer_id"])?;
    reader.refer(draft, "input.mode", &["request.input.message_type"])?;
    let locale = [
        "request.context.global.system.locale",
        "response.context.global.system.locale",
    ];
    reader.refer(draft, "locale", &locale)?;
    common(reader, draft, &V2)?;
    let mut models = reader.objects("response.output.llm_metadata")?;
    if models.any(|one| one.get("model_id").is_some()) {
        refer_to(draft, "model", "response.output.llm_metadata.model_id");
    }
    let nodes = reader.objects("response.output.debug.nodes_visited")?;
    if is_empty(nodes) {
        let events = reader.objects("response.output.debug.turn_events")?;
        steps_of_events(events, draft);
    } else {
        let path = "response.output.debug.nodes_visited.dialog_node";
        refer_to(draft, "steps.name", path);
    }
    Ok(())
}

fn check_objects(reader: &Reader<'_>) -> Result<(), DecodeError> {
    const REQUEST: [&str; 4] = [
        "request",
        "request.input",
        "request.context",
        "request.output",
    ];
    const RESPONSE: [&str; 4] = [
        "response",
        "response.input",
        "response.context",
        "response.output",
    ];
    for paths in [REQUEST, RESPONSE] {
        let [top, ..] = paths;
        if reader.get(top).is_none() {
            return Err(DecodeError::new("is missing", Some(top)));
        }
        for path in paths {
            reader.check_object(path)?;
        }
    }
    Ok(())
}

/// Fields are set in the order of their names, as far as that goes: so each comes behind the others.
fn common(reader: &Reader<'_>, draft: &mut Draft, places: &Places) -> Result<(), DecodeError> {
    reader.refer(draft, "conversation", places.conversation)?;
    if let Some(Value::Number(_)) = reader.get(places.turn) {
        refer_to(draft, "conversation_turn", places.turn);
    }
    let entities = entities(reader, draft, places)?;
    let text = reader.text("request.input.text")?;
    let length = text.unwrap_or_default().chars().count();
    draft.set_value("input.length", count(length));
    if text.is_some() {
        refer_to(draft, "input.text", "request.input.text");
    }
    let (intents, top) = intents(reader, draft, places)?;
    match reader.filled("language")? {
        Some(_) => refer_to(draft, "language", "language"),
        None => draft.set_text("language", "en"),
    }
    let exit_reason = reader.text(places.exit_reason)?;
    if let Some(reason) = exit_reason {
        draft.set_value("outcome.completed", Json::Bool(reason == "completed"));
    }
    let generic = reader.objects("response.output.generic")?;
    draft.set_value(
        "outcome.escalated",
        Json::Bool(escalated(reader, generic, places)),
    );
    if let Some(reason) = exit_reason {
        draft.set_value("outcome.fallback", Json::Bool(reason == "fallback"));
    }
    let said = text.is_some_and(|text| !text.is_empty());
    let missed = said && intents == 0 && entities == 0;
    draft.set_value("outcome.missed", Json::Bool(missed));
    output(reader, generic, draft)?;
    let request = time(reader, draft, "time.request", "request_timestamp")?;
    let response = time(reader, draft, "time.response", "response_timestamp")?;
    if let (Some(request), Some(response)) = (request, response) {
        let micros = response.micros().saturating_sub(request.micros());
        if micros >= 0 {
            draft.set_value("latency_ms", millis(micros));
        }
    }
    if let Some(name) = top {
        draft.set_text("top_intent", name);
    }
    let by_id = [places.user, places.conversation].concat();
    reader.refer(draft, "user", &by_id)
}

fn is_empty(mut items: Items<'_>) -> bool {
    items.next().is_none()
}

/// A number of things as JSON.
fn count(number: usize) -> Json {
    Json::Number(number.to_string().into())
}

/// A time: referred to when it is RFC 3339, else kept beside the raw body in that form.
fn time(
    reader: &Reader<'_>,
    draft: &mut Draft,
    canonical: &str,
    path: &'static str,
) -> Result<Option<Timestamp>, DecodeError> {
    let Some(text) = reader.filled(path)? else {
        return Ok(None);
    };
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        refer_to(draft, canonical, path);
        return Ok(Some(moment));
    }
    match loose_time(text) {
        Some(moment) => {
            draft.set_text(canonical, &moment.to_micros_text());
            Ok(Some(moment))
        }
        None => Err(DecodeError::new("must be a time in RFC 3339", Some(path))),
    }
}

/// Times as old exports write them: a space for the `T`, no zone (UTC), an offset without colon.
fn loose_time(text: &str) -> Option<Timestamp> {
    let mut text = text.trim().replacen(' ', "T", 1);
    if let Some((head, offset)) = text.rsplit_once(['+', '-']) {
        let signed = offset.len() == 4 && offset.bytes().all(|b| b.is_ascii_digit());
        if signed && head.contains('T') {
            let sign = text
                .as_bytes()
                .get(head.len())
                .copied()
                .map_or('+', char::from);
            let (hours, minutes) = offset.split_at_checked(2)?;
            text = format!("{head}{sign}{hours}:{minutes}");
        }
    }
    Timestamp::parse_loose(&text).map(|span| span.start)
}

/// The intents; their number and the top one.
fn intents<'a>(
    reader: &Reader<'a>,
    draft: &mut Draft,
    places: &Places,
) -> Result<(usize, Option<&'a str>), DecodeError> {
    let path = places.intents;
    let items = reader.objects(path)?;
    let mut top: Option<(&str, f64)> = None;
    for (i, item) in items.enumerate() {
        let at = |key: &str| format!("{path}[{i}].{key}");
        let name = match item.get("intent") {
            Some(Value::String(name)) => name,
            Some(other) => return Err(DecodeError::wrong_type("a string", other, &at("intent"))),
            None => return Err(DecodeError::new("is missing", Some(&at("intent")))),
        };
        let confidence = match item.get("confidence") {
            None | Some(Value::Null) => 0.0,
            Some(Value::Number(number)) => number.parse().unwrap_or(0.0),
            Some(other) => {
                return Err(DecodeError::wrong_type(
                    "a number",
                    other,
                    &at("confidence"),
                ));
            }
        };
        if top.is_none_or(|(_, greatest)| confidence > greatest) {
            top = Some((name, confidence));
        }
    }
    if top.is_some() {
        for (canonical, path) in places.intent {
            refer_to(draft, canonical, path);
        }
    }
    Ok((items.count(), top.map(|(name, _)| name)))
}

fn entities(reader: &Reader<'_>, draft: &mut Draft, places: &Places) -> Result<usize, DecodeError> {
    let path = places.entities;
    let items = reader.objects(path)?;
    for (i, item) in items.enumerate() {
        let at = |key: &str| format!("{path}[{i}].{key}");
        match item.get("entity") {
            Some(Value::String(_)) => {}
            Some(other) => return Err(DecodeError::wrong_type("a string", other, &at("entity"))),
            None => return Err(DecodeError::new("is missing", Some(&at("entity")))),
        }
        if let Some(other @ (Value::Array(_) | Value::Object(_))) = item.get("value") {
            return Err(DecodeError::wrong_type("a string", other, &at("value")));
        }
    }
    let n_items = items.count();
    if n_items > 0 {
        for (canonical, path) in places.entity {
            refer_to(draft, canonical, path);
        }
    }
    draft.set_value("entities_count", count(n_items));
    Ok(n_items)
}

/// What the bot said.
fn output(
    reader: &Reader<'_>,
    mut generic: Items<'_>,
    draft: &mut Draft,
) -> Result<(), DecodeError> {
    let kinds = generic.filter_map(|item| item.get("response_type")?.as_str());
    let says = |item: Value<'_>| item.get("text").and_then(Value::as_str).is_some();
    // One text may stand where a list is meant.
    let (texts, one) = match reader.get("response.output.text") {
        None => (Items::default(), None),
        Some(Value::Array(items)) => (items, None),
        Some(one @ Value::String(_)) => (Items::default(), Some(one)),
        Some(other) => {
            return Err(DecodeError::wrong_type(
                "an array",
                other,
                "response.output.text",
            ));
        }
    };
    let (no_generic, no_text) = (is_empty(generic), is_empty(texts) && one.is_none());
    if generic.any(says) || (!no_generic && no_text) {
        refer_to(draft, "output.text", "response.output.generic.text");
        let kind = "response.output.generic.response_type";
        refer_to(draft, "output.type", kind);
    } else if no_generic && !no_text {
        refer_to(draft, "output.text", "response.output.text");
    } else if !no_generic {
        // The texts and the kinds stand in different places: no reference holds them together.
        let types = kinds.map(|kind| Json::object([("type", Json::string(kind))]));
        let texts = texts.chain(one).filter_map(Value::as_str).map(|text| {
            Json::object([("type", Json::string("text")), ("text", Json::string(text))])
        });
        draft.set_value("output", Json::Array(types.chain(texts).collect()));
    }
    Ok(())
}

/// Whether the bot handed over to a human.
fn escalated(reader: &Reader<'_>, mut generic: Items<'_>, places: &Places) -> bool {
    let is_wish = |item: Value<'_>| {
        item.get("response_type").and_then(Value::as_str) == Some("connect_to_agent")
    };
    let variable = |path: &&'static str| {
        let variables = reader.get(path);
        let wish = variables.and_then(|object| object.get("context_connect_to_agent"));
        matches!(wish, Some(Value::Bool(true))) || wish.and_then(Value::as_str) == Some("true")
    };
    generic.any(is_wish) || places.variables.iter().any(variable)
}

/// Steps of an action skill, which visits no dialog nodes; and how its actions ended.
fn steps_of_events(events: Items<'_>, draft: &mut Draft) {
    let mut steps = Vec::new();
    for event in events {
        let text = |path: &[&str]| event.at(path).and_then(Value::as_str);
        let kind = text(&["event"]);
        let name = text(&["source", "step"])
            .or_else(|| text(&["source", "action"]))
            .or_else(|| text(&["source", "dialog_node"]));
        if let (Some(kind), Some(name)) = (kind, name) {
            steps.push(Json::object([
                ("name", Json::string(name)),
                ("type", Json::string(kind)),
            ]));
        }
        match (kind, text(&["reason"])) {
            (Some("action_visited"), Some("no_action_matches"))
            | (Some("action_finished"), Some("fallback")) => {
                draft.set_value("outcome.fallback", Json::Bool(true));
            }
            (Some("action_finished"), Some("all_steps_done" | "ended_by_step")) => {
                draft.set_value("outcome.completed", Json::Bool(true));
            }
            _ => {}
        }
    }
    if !steps.is_empty() {
        draft.set_value("steps", Json::Array(steps));
    }
}
