//! Records as lines of a table, for `query` and `tail`.

use convlog_model::json::Json;

use crate::out;

const TEXT_CHARS_MAX: usize = 44;
const NAME_CHARS_MAX: usize = 20;

/// Titles of the columns.
pub(crate) const HEADER: [&str; 6] = ["time", "bot", "user", "input", "answer", "intent"];

/// A record in canonical form as a row.
pub(crate) fn row(record: &Json) -> Vec<String> {
    let text = |path: &str| leaf(record, path);
    let time = text("time.request").or_else(|| text("time.received"));
    let answer = outputs(record).or_else(|| text("event.type"));
    let intent = text("top_intent").unwrap_or_else(|| outcome(record).to_owned());
    // Seconds are enough for people.
    let time = time.map(|time| time.replace('T', " ").chars().take(19).collect());
    let cells = [
        (time, 19),
        (text("bot"), NAME_CHARS_MAX),
        (text("customer").or_else(|| text("user")), NAME_CHARS_MAX),
        (text("input.text"), TEXT_CHARS_MAX),
        (answer, TEXT_CHARS_MAX),
        (Some(intent), NAME_CHARS_MAX),
    ];
    let cell = |(text, chars_max): (Option<String>, usize)| {
        out::cell(&text.unwrap_or_default(), chars_max)
    };
    cells.into_iter().map(cell).collect()
}

fn outcome(record: &Json) -> &'static str {
    match at(record, "outcome.missed").and_then(Json::as_bool) {
        Some(true) => "(missed)",
        _ => "",
    }
}

fn outputs(record: &Json) -> Option<String> {
    let outputs = at(record, "output")?.as_array()?;
    let texts = outputs
        .iter()
        .filter_map(|output| output.get("text")?.as_str());
    let text = texts.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

fn leaf(record: &Json, path: &str) -> Option<String> {
    match at(record, path)? {
        Json::String(text) => Some(text.to_string()),
        Json::Null => None,
        other => Some(other.to_string()),
    }
}

fn at<'a>(record: &'a Json, path: &str) -> Option<&'a Json> {
    record.at(&path.split('.').collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(text: &str) -> Vec<String> {
        row(&Json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_turn_is_one_row() {
        let row = row_of(
            r#"{"bot":"shop","customer":"c-1","time":{"request":"2026-03-02T09:00:41.318000Z"},
                "input":{"text":"two\ncoffees"},"top_intent":"order",
                "output":[{"type":"text","text":"Coming up."},{"type":"pause"}]}"#,
        );
        let expected = [
            "2026-03-02 09:00:41",
            "shop",
            "c-1",
            "two coffees",
            "Coming up.",
            "order",
        ];
        assert_eq!(row, expected.map(str::to_owned));
    }

    #[test]
    fn a_missed_turn_and_an_event_say_so() {
        let missed = row_of(r#"{"outcome":{"missed":true}}"#);
        assert_eq!(missed.last().unwrap(), "(missed)");
        let event = row_of(r#"{"event":{"type":"bot.changed"}}"#);
        assert_eq!(event.get(4).unwrap(), "bot.changed");
    }
}
