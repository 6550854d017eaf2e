//! Rows of CSV exports: the ten columns of Watson's export script.

use convlog_model::json::Json;
use convlog_model::record::Record;

use crate::splice;
use crate::watson::encode::{self, Shape};

const COLUMNS: [&str; 10] = [
    "conversation_id",
    "request_timestamp",
    "response_timestamp",
    "User Input",
    "Output",
    "Intent",
    "Confidence",
    "Exit Reason",
    "Logging",
    "Context",
];

/// First line of a CSV export, line end included.
#[must_use]
pub fn csv_header() -> String {
    row(&COLUMNS.map(str::to_owned))
}

/// A record as a line of a CSV export, line end included. `Logging` is what the script takes from
/// `output.log_messaging`, normally nothing.
#[must_use]
pub fn csv_row(record: &Record) -> String {
    let log = encode::log(record, Shape::V1);
    let body = Json::parse(log.as_bytes()).unwrap_or(Json::Null);
    let text = |path: &[&str]| body.at(path).and_then(Json::as_str).unwrap_or_default();
    let texts = match body.at(&["response", "output", "text"]) {
        Some(Json::Array(items)) => {
            let texts: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            texts.join(" ")
        }
        Some(Json::String(text)) => text.to_string(),
        _ => String::new(),
    };
    let intents = body.at(&["response", "intents"]).and_then(Json::as_array);
    let top = intents.and_then(<[Json]>::first);
    let intent = top
        .and_then(|top| top.get("intent")?.as_str())
        .unwrap_or_default();
    let confidence = top
        .and_then(|top| top.get("confidence"))
        .map(Json::to_string);
    let logging = body
        .at(&["response", "output", "log_messaging"])
        .map(Json::to_string);
    let context = splice::member(&log, "response").and_then(|part| splice::member(part, "context"));
    row(&[
        text(&["response", "context", "conversation_id"]).to_owned(),
        text(&["request_timestamp"]).to_owned(),
        text(&["response_timestamp"]).to_owned(),
        text(&["request", "input", "text"]).to_owned(),
        texts,
        intent.to_owned(),
        confidence.unwrap_or_default(),
        text(&["response", "context", "system", "branch_exited_reason"]).to_owned(),
        logging.unwrap_or_default(),
        context.unwrap_or_default().to_owned(),
    ])
}

fn row(cells: &[String; 10]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail; a row that did would be an empty one.
    let written = writer.write_record(cells.iter().map(|cell| guarded(cell)));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok());
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

/// A cell that a spreadsheet does not take for a formula.
fn guarded(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}
