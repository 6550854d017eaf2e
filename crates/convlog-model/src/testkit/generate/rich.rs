//! Records on which every operator has something to find: sentences in three languages, ids in
//! upper and lower case, long texts, dynamic keys, numbers and dates in all their forms.

use super::{Choices, TEXTS, draft};
use crate::json::Json;
use crate::record::Draft;

/// Words that are one to a stemmer, per language.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    ("en", &["order", "Orders", "ordering", "ordered"]),
    ("en", &["cancel", "cancels", "cancelling"]),
    ("en", &["connection", "connected", "connecting"]),
    ("de", &["bestellen", "bestellt", "bestelle"]),
    ("de", &["Straße", "Straßen", "STRASSE"]),
    ("es", &["hablar", "hablando", "hablamos"]),
    ("es", &["pedido", "pedidos", "Pedidas"]),
];

/// Words that stand between them.
const OTHERS: &[&str] = &[
    "please",
    "my",
    "coffee",
    "two",
    "ist",
    "über",
    "más",
    "東京",
    "Ж",
    "don't",
    "C++",
    "100%",
    "a@b.example",
    "(really)",
    "$5",
    "e-mail",
    "!",
    "...",
    "İstanbul",
    "x_1",
    "3.14",
    "ﬁne",
];

const UUIDS: &[&str] = &[
    "0190a5c2-7c1e-7d3a-8f00-0123456789ab",
    "0190A5C2-7C1E-7D3A-8F00-0123456789AB",
    "0190a5c2-7c1e-7d3a-8F00-0123456789ab",
    "0190a5c27c1e7d3a8f000123456789ab",
    "{0190a5c2-7c1e-7d3a-8f00-0123456789ab}",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "3c5e9f10-0000-4000-8000-00000000000a",
    "3c5e9f10-0000-4000-8000-00000000000b",
];

const CHANNELS: &[&str] = &[
    "web", "Web", "WEB", "weiß", "WEISS", "Phone", "phone ", "PHONE-1", "phone-10",
];

const FORMS: &[&str] = &[
    "0",
    "-0",
    "0.0",
    "1",
    "1.0",
    "1.00",
    "10e-1",
    "1E0",
    "-1",
    "-1.5",
    "2",
    "2.5",
    "25e-1",
    "10",
    "1e1",
    "99.99",
    "100",
    "1e2",
    "1E+2",
    "0.1",
    "1e-1",
    "1e-400",
    "-1e400",
    "18446744073709551616",
    "9007199254740993",
    "3.141592653589793238462643383279",
];

const MOMENTS: &[&str] = &[
    "2020-07-01T10:00:00Z",
    "2020-07-01T12:00:00+02:00",
    "2020-07-01T10:00:00.000Z",
    "2020-07-01T10:00:00.000001Z",
    "2020-06-30T20:00:00-04:00",
    "2020-07-01T00:00:00Z",
    "2020-07-01T23:59:59.999999Z",
    "2020-07-02T00:00:00+00:00",
    "2020-07-01t10:00:00z",
    "2019-12-31T23:59:59.5-01:30",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2020-02-30T10:00:00Z",
    "2020-07-01",
    "yesterday",
];

/// A draft as [`draft`] makes them, with more in it.
pub fn rich(choices: &mut Choices<'_>) -> Draft {
    let mut draft = draft(choices);
    let mut body = Json::of_body(&draft.raw).unwrap_or(Json::Object(Vec::new()));
    if !choices.once_in(4) {
        let language = choices.pick(&["en", "en", "de", "es", "EN-gb", "xx"]);
        draft.set_text("language", language);
        speak(choices, language, &mut draft, &mut body);
    }
    if choices.once_in(2) {
        entities(choices, &mut draft, &mut body);
    }
    if choices.once_in(3) {
        let step = |choices: &mut Choices<'_>| {
            let mut step = Json::object([("name", Json::string(choices.pick(TEXTS)))]);
            if choices.once_in(2) {
                step.set("type", Json::string(choices.pick(CHANNELS)));
            }
            step
        };
        let n_steps = choices.below(4);
        let steps = (0..n_steps).map(|_| step(choices)).collect();
        draft.set_value("steps", Json::Array(steps));
    }
    context(choices, &mut body);
    envelope(choices, &mut draft);
    draft.raw = body.to_string().into();
    draft
}

/// What user and bot said, where Watson writes it.
fn speak(choices: &mut Choices<'_>, language: &str, draft: &mut Draft, body: &mut Json) {
    let said = Json::object([("text", Json::string(sentence(choices, language)))]);
    body.set("request", Json::object([("input", said)]));
    draft.set_ref("input.text", &["request", "input", "text"]);
    let n_answers = choices.below(3);
    let answer = |choices: &mut Choices<'_>| {
        let mut answer = Json::Object(Vec::new());
        if !choices.once_in(5) {
            let kind = choices.pick(&["text", "option", "Text"]);
            answer.set("response_type", Json::string(kind));
        }
        if !choices.once_in(5) {
            answer.set("text", Json::string(sentence(choices, language)));
        }
        answer
    };
    let answers = (0..n_answers).map(|_| answer(choices)).collect();
    let output = Json::object([("generic", Json::Array(answers))]);
    body.set("response", Json::object([("output", output)]));
    let path = ["response", "output", "generic"];
    let [a, b, c] = path;
    draft.set_ref("output.text", &[a, b, c, "text"]);
    draft.set_ref("output.type", &[a, b, c, "response_type"]);
}

/// Some words, rarely more than 256 bytes of them.
fn sentence(choices: &mut Choices<'_>, language: &str) -> String {
    let n_words = match choices.below(16) {
        15 => 50 + choices.below(10),
        n => n % 8,
    };
    let mut text = String::new();
    for _ in 0..n_words {
        if !text.is_empty() {
            text.push_str(choices.pick(&[" ", " ", " ", ", ", "  ", "\n", "-"]));
        }
        let own = FAMILIES
            .iter()
            .filter(|(of, _)| language.eq_ignore_ascii_case(of) || language == "xx");
        let own: Vec<&[&str]> = own.map(|(_, words)| *words).collect();
        text.push_str(if own.is_empty() || choices.once_in(2) {
            choices.pick(OTHERS)
        } else {
            let family = choices.pick(&own);
            choices.pick(family)
        });
    }
    text
}

fn entities(choices: &mut Choices<'_>, draft: &mut Draft, body: &mut Json) {
    let n_entities = choices.below(4);
    let entity = |choices: &mut Choices<'_>| {
        let mut entity = Json::object([("entity", Json::string(choices.pick(CHANNELS)))]);
        if !choices.once_in(5) {
            entity.set("value", Json::string(sentence(choices, "en")));
        }
        if !choices.once_in(3) {
            let number = |choices: &mut Choices<'_>| Json::Number(choices.pick(FORMS).into());
            entity.set("confidence", number(choices));
            entity.set(
                "location",
                Json::Array(vec![number(choices), number(choices)]),
            );
        }
        entity
    };
    let all = (0..n_entities).map(|_| entity(choices)).collect();
    let all = Json::Array(all);
    if choices.once_in(3) {
        draft.set_value("entities", all);
        return;
    }
    body.set("slots", all);
    for member in ["entity", "value", "confidence", "location"] {
        let path = format!("entities.{member}");
        draft.set_ref(&path, &["slots", member]);
    }
}

/// Keys that few records share, long values that differ behind their 256th byte, numbers and
/// dates in no field's form.
fn context(choices: &mut Choices<'_>, body: &mut Json) {
    let mut context = Json::Object(Vec::new());
    for _ in 0..choices.below(4) {
        let key = format!("var_{}", choices.below(256));
        context.set(&key, super::json(choices, 1));
    }
    if choices.once_in(2) {
        let id = choices.pick(UUIDS);
        context.set("session", Json::string(id));
    }
    if choices.once_in(4) {
        let ends = ["", "a", "A", "b", " ", "ß"];
        let long = "Lorem Ipsum, ".repeat(19 + choices.below(3)) + choices.pick(&ends);
        context.set("long", Json::string(long));
    }
    if choices.once_in(2) {
        context.set("n", Json::Number(choices.pick(FORMS).into()));
    }
    if choices.once_in(2) {
        context.set("when", Json::string(choices.pick(MOMENTS)));
    }
    if choices.once_in(4) {
        let mixed = [
            Json::Number(choices.pick(FORMS).into()),
            Json::string(choices.pick(FORMS)),
            Json::Null,
            Json::Bool(choices.once_in(2)),
            Json::Array(vec![Json::object([(
                "k",
                Json::string(choices.pick(TEXTS)),
            )])]),
        ];
        context.set("mixed", Json::Array(mixed.to_vec()));
    }
    body.set("context", context);
}

fn envelope(choices: &mut Choices<'_>, draft: &mut Draft) {
    if !choices.once_in(4) {
        draft.set_text("channel", choices.pick(CHANNELS));
    }
    for field in ["conversation", "user", "assistant"] {
        if choices.once_in(2) {
            draft.set_text(field, choices.pick(UUIDS));
        }
    }
    for field in ["time.request", "time.response"] {
        if choices.once_in(2) {
            draft.set_text(field, choices.pick(MOMENTS));
        }
    }
    for field in ["latency_ms", "tokens.in"] {
        if choices.once_in(2) {
            draft.set_value(field, Json::Number(choices.pick(FORMS).into()));
        }
    }
    if choices.once_in(4) {
        draft.set_value("learning_opt_out", Json::Bool(choices.once_in(2)));
    }
    if choices.once_in(3) {
        let channel = choices.pick(CHANNELS).to_owned();
        draft.labels.insert("env".to_owned(), channel);
    }
}
