//! Messy records and filters over the paths that they use, decided by bytes.
//!
//! A property test draws the bytes and hands them over: fewer and smaller bytes decide for simpler
//! things, so that shrinking the bytes shrinks what they made. The strings that records hold and
//! filters ask for come from the same short lists, so that both answers are frequent.

mod conditions;
mod filters;
mod questions;
mod rich;
#[cfg(test)]
mod tests;

pub use self::conditions::{Condition, conditions};
pub use self::filters::filter;
pub use self::questions::{Known, LEADS, Pool, question};
pub use self::rich::rich;
use crate::json::Json;
use crate::record::{Dialect, Draft, Kind};

/// Decisions drawn from bytes. When these end, every decision is the first choice.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// The decisions of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Choices { bytes }
    }

    /// Whether the bytes have ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number below `n`, which is 1 to 256.
    pub fn below(&mut self, n: usize) -> usize {
        match self.bytes.split_first() {
            Some((byte, rest)) => {
                self.bytes = rest;
                usize::from(*byte) % n.max(1)
            }
            None => 0,
        }
    }

    /// A number below `n`, which is 1 to 65,536.
    pub fn below_wide(&mut self, n: usize) -> usize {
        let high = if n > 256 { self.below(256) } else { 0 };
        (high * 256 + self.below(256)) % n.max(1)
    }

    /// True once in `n` times; false when the bytes have ended.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }

    /// One of `items`, which are not empty.
    ///
    /// # Panics
    /// When they are.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Strings of records and filters.
const TEXTS: &[&str] = &[
    "order",
    "",
    "Order",
    "ordering two sodas",
    "I want to order, please!",
    "cats and cars",
    "!hello there",
    "hello",
    "Straße",
    "STRASSE",
    "e\u{301}t\u{e9}",
    "adiós, hasta luego",
    "東京に行きたい",
    "東京",
    "😀 ok",
    "x,y",
    "a|b (c) [d]",
    "say \"x\"",
    "back\\slash\\",
    " spaced ",
    "tab\tand\nline",
    "*",
    "a*b",
    "~1",
    "car~2",
    "1",
    "1.0",
    "-1",
    "true",
    "null",
    "2020-07-01",
    "2020-07-01T10:00:00Z",
    "2020-07-01T12:00:00.000+02:00",
    "2020-07-01T10:00:00.000001Z",
    "acme-1",
    "acme-10",
    "ACME-1",
    "::!",
    "<5",
    "nul\u{0}",
    "\u{2028}",
    "don't",
    "node_1",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "1.0",
    "-1",
    "0.5",
    "0.50",
    "1e2",
    "100",
    "9007199254740993",
    "9007199254740992",
    "1e400",
    "-0.0",
    "123456789012345678901234567890",
];

const TIMES: &[&str] = &[
    "2020-07-01T10:00:00Z",
    "2020-07-01T12:00:00.5+02:00",
    "2020-07-01T00:00:00Z",
    "2020-06-30T23:59:59.999999Z",
    "2020-07-02T00:00:00Z",
    "1969-12-31T23:59:59Z",
];

/// Keys of raw bodies, some of which spell the same path.
const KEYS: &[&str] = &["a", "b", "a.b", "main skill", "é", "items", "k", "0"];

/// A value, at most `depth` levels deep.
pub fn json(choices: &mut Choices<'_>, depth: usize) -> Json {
    match choices.below(if depth == 0 { 6 } else { 9 }) {
        0 | 1 => Json::string(choices.pick(TEXTS)),
        2 => Json::Number(choices.pick(NUMBERS).into()),
        3 => Json::Bool(choices.once_in(2)),
        4 => Json::Null,
        5 => Json::string(choices.pick(TIMES)),
        6 => {
            let n_items = choices.below(4);
            Json::Array((0..n_items).map(|_| json(choices, depth - 1)).collect())
        }
        _ => object(choices, depth),
    }
}

fn object(choices: &mut Choices<'_>, depth: usize) -> Json {
    let n_members = choices.below(4);
    let members = (0..n_members).map(|_| {
        let key = choices.pick(KEYS).into();
        (key, json(choices, depth.saturating_sub(1)))
    });
    Json::Object(members.collect())
}

/// A draft that every engine takes: with missing fields, mixed types, duplicate keys, references
/// into the body and values beside it.
pub fn draft(choices: &mut Choices<'_>) -> Draft {
    let mut body = object(choices, 3);
    let mut draft = super::draft("{}");
    if choices.once_in(3) {
        body.set("text", Json::string(choices.pick(TEXTS)));
        draft.set_ref("input.text", &["text"]);
    } else if choices.once_in(2) {
        draft.set_text("input.text", choices.pick(TEXTS));
    }
    if let Json::Object(members) = &mut body {
        if !choices.once_in(3) {
            members.push(("intents".into(), intents(choices)));
            draft.set_ref("intents.name", &["intents", "intent"]);
            draft.set_ref("intents.confidence", &["intents", "confidence"]);
        }
        if choices.once_in(2) {
            members.push(("items".into(), items(choices, 2)));
        }
    }
    draft.raw = body.to_string().into();
    for field in ["customer", "user", "bot"] {
        if choices.once_in(2) {
            draft.set_text(field, choices.pick(TEXTS));
        }
    }
    if !choices.once_in(4) {
        draft.set_text("language", choices.pick(&["en", "es", "ja", "de-AT", "xx"]));
    }
    if !choices.once_in(4) {
        draft.set_text("time.request", choices.pick(TIMES));
    }
    if choices.once_in(3) {
        draft.set_value("latency_ms", Json::Number(choices.pick(NUMBERS).into()));
        draft.set_value("outcome.missed", Json::Bool(choices.once_in(2)));
    }
    if choices.once_in(4) {
        draft.kind = Kind::Event;
        draft.set_text("event.type", choices.pick(TEXTS));
        draft.set_value("event.meta", object(choices, 2));
    }
    if choices.once_in(4) {
        let value = choices.pick(TEXTS).to_owned();
        draft.labels.insert(choices.pick(KEYS).to_owned(), value);
    }
    if choices.once_in(4) {
        draft.dialect = choices.pick(&Dialect::ALL);
        draft.own_id = Some(choices.below(256).to_string());
    }
    draft
}

fn intents(choices: &mut Choices<'_>) -> Json {
    let n_intents = choices.below(4);
    let intent = |choices: &mut Choices<'_>| {
        let mut intent = Json::Object(Vec::new());
        if !choices.once_in(5) {
            intent.set("intent", Json::string(choices.pick(TEXTS)));
        }
        if !choices.once_in(5) {
            intent.set("confidence", Json::Number(choices.pick(NUMBERS).into()));
        }
        intent
    };
    Json::Array((0..n_intents).map(|_| intent(choices)).collect())
}

/// Objects with scalars and objects of the same form below them.
fn items(choices: &mut Choices<'_>, depth: usize) -> Json {
    let n_items = choices.below(4);
    let item = |choices: &mut Choices<'_>| {
        let mut item = Json::object([("k", json(choices, 0)), ("b", json(choices, 1))]);
        if depth > 0 && choices.once_in(2) {
            item.set("items", items(choices, depth - 1));
        }
        item
    };
    Json::Array((0..n_items).map(|_| item(choices)).collect())
}
