//! Records as log objects, and pages of them.

mod neutral;
mod view;

use std::sync::LazyLock;

use convlog_model::fields::FieldRef;
use convlog_model::flatten::Flat;
use convlog_model::record::{Dialect, Record};

use self::neutral::Neutral;
use crate::splice::{self, quote};

/// Which log object is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// That of `/v1/…/logs`.
    V1,
    /// That of `/v2/…/logs`.
    V2,
}

impl Shape {
    fn dialect(self) -> Dialect {
        match self {
            Shape::V1 => Dialect::WatsonV1,
            Shape::V2 => Dialect::WatsonV2,
        }
    }
}

/// The log object of a record: unchanged in the shape it was written in, else made of its
/// canonical turn.
#[must_use]
pub fn log(record: &Record, shape: Shape) -> String {
    if record.draft.dialect == shape.dialect() {
        return splice::with_first(&record.draft.raw, "log_id", &quote(&record.shown_id()));
    }
    let neutral = Neutral::of(record);
    match shape {
        Shape::V1 => view::v1(&neutral).to_string(),
        Shape::V2 => view::v2(&neutral).to_string(),
    }
}

static CUSTOMER: LazyLock<[FieldRef; 1]> = LazyLock::new(|| [FieldRef::canonical("customer")]);

/// As [`log`], with `customer_id` also where the list API shows none, so that an import of it
/// knows the customer.
#[must_use]
pub fn export(record: &Record, shape: Shape) -> String {
    let text = log(record, shape);
    if splice::member(&text, "customer_id").is_some() {
        return text;
    }
    // All leaves of a body only for one of them would take longer than everything else here.
    let flat = Flat::of_fields(&record.draft, &*CUSTOMER);
    match flat.text("customer") {
        Some(customer) => splice::with_first(&text, "customer_id", &quote(customer)),
        None => text,
    }
}

/// Where the next page is.
#[derive(Clone, Debug)]
pub struct Next<'a> {
    /// Path of the list, from the root of the API (`/v1/…`).
    pub path: &'a str,
    /// Every parameter of the request, decoded, in order; `cursor` is replaced.
    pub params: &'a [(String, String)],
    /// The cursor.
    pub cursor: &'a str,
}

impl Next<'_> {
    fn url(&self) -> String {
        let given = self.params.iter().filter(|(name, _)| name != "cursor");
        let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = given.chain([("cursor", self.cursor)]);
        let pairs = pairs.map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        format!("{}?{}", self.path, pairs.collect::<Vec<_>>().join("&"))
    }
}

/// Percent-encodes everything but what RFC 3986 calls unreserved.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The answer of a list: `{"logs":[…],"pagination":{…}}`, with `{}` on the last page: clients
/// read on as long as anything stands in it.
#[must_use]
pub fn page(logs: &[String], next: Option<&Next<'_>>) -> String {
    let pagination = match next {
        None => "{}".to_owned(),
        Some(next) => {
            let (url, cursor) = (quote(&next.url()), quote(next.cursor));
            splice::object([("next_url", url.as_str()), ("next_cursor", cursor.as_str())])
        }
    };
    let logs = format!("[{}]", logs.join(","));
    splice::object([("logs", logs.as_str()), ("pagination", pagination.as_str())])
}

#[cfg(test)]
mod tests;
