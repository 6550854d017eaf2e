//! Records as lines of a table, for `query` and `tail`.

use serde_json::Value;

use crate::out;

const TEXT_CHARS_MAX: usize = 44;
const NAME_CHARS_MAX: usize = 20;

/// Titles of the columns.
pub(crate) const HEADER: [&str; 6] = ["time", "bot", "user", "input", "answer", "intent"];

/// A record in canonical form as a row.
pub(crate) fn row(record: &Value) -> Vec<String> {
    let text = |path: &str| leaf(record, path);
    let time = text("time.request").or_else(|| text("time.received"));
    let answer = outputs(record).or_else(|| text("event.type"));
    let intent = text("top_intent").unwrap_or_else(|| outcome(record).to_owned());
    let cells = [
        (time.map(|time| time.replace('T', " ")), 19),
        (text("bot"), NAME_CHARS_MAX),
        (text("customer").or_else(|| text("user")), NAME_CHARS_MAX),
        (text("input.text"), TEXT_CHARS_MAX),
        (answer, TEXT_CHARS_MAX),
        (Some(intent), NAME_CHARS_MAX),
    ];
    let mut row: Vec<String> = cells
        .into_iter()
        .map(|(text, chars_max)| out::cell(&text.unwrap_or_default(), chars_max))
        .collect();
    // Seconds are enough for people, and no mark that something was cut off.
    if let Some(time) = row.first_mut() {
        *time = time.replace('…', "");
    }
    row
}

fn outcome(record: &Value) -> &'static str {
    match at(record, "outcome.missed").and_then(Value::as_bool) {
        Some(true) => "(missed)",
        _ => "",
    }
}

fn outputs(record: &Value) -> Option<String> {
    let outputs = at(record, "output")?.as_array()?;
    let texts = outputs
        .iter()
        .filter_map(|output| output.get("text")?.as_str());
    let text = texts.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

fn leaf(record: &Value, path: &str) -> Option<String> {
    match at(record, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// The member of that dotted name, written as one key or as nested objects.
fn at<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(value) = record.get(path) {
        return Some(value);
    }
    let (head, rest) = path.split_once('.')?;
    at(record.get(head)?, rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_turn_is_one_row() {
        let record = json!({
            "bot": "shop",
            "time.request": "2026-03-02T09:00:41.318000Z",
            "input.text": "two\ncoffees",
            "output": [{"type": "text", "text": "Coming up."}, {"type": "pause"}],
            "top_intent": "order",
            "customer": "c-1",
        });
        let expected = [
            "2026-03-02 09:00:41",
            "shop",
            "c-1",
            "two coffees",
            "Coming up.",
            "order",
        ];
        assert_eq!(row(&record), expected.map(str::to_owned));
        let nested = json!({"time": {"request": "2026-03-02T09:00:41Z"}});
        assert_eq!(row(&nested).first().unwrap(), "2026-03-02 09:00:41");
    }

    #[test]
    fn a_missed_turn_and_an_event_say_so() {
        let missed = row(&json!({"outcome.missed": true}));
        assert_eq!(missed.last().unwrap(), "(missed)");
        let event = row(&json!({"event": {"type": "bot.changed"}}));
        assert_eq!(event.get(4).unwrap(), "bot.changed");
    }
}
