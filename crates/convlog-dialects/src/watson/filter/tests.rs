use convlog_model::filter::eval;
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::Dialect;

use super::*;
use crate::watson::decode;

const LOGS: &str = include_str!("../../../../../fixtures/watson/filter-logs.ndjson");
const QUERIES: &str = include_str!("../../../../../fixtures/watson/filter-queries.ndjson");
const REJECTS: &str = include_str!("../../../../../fixtures/watson/filter-rejects.ndjson");

pub(super) fn logs() -> Vec<(String, Flat)> {
    let instance = InstanceId::default_instance();
    let read = |line: &str| {
        let draft = decode::log(&instance, Dialect::WatsonV1, line).unwrap();
        (draft.own_id.clone().unwrap(), draft.flat())
    };
    LOGS.lines().map(read).collect()
}

pub(super) fn found(filter: &Filter, logs: &[(String, Flat)]) -> Vec<String> {
    let hits = logs.iter().filter(|(_, flat)| eval::matches(filter, flat));
    hits.map(|(id, _)| id.clone()).collect()
}

fn table(text: &str) -> Vec<Json> {
    let read = |line: &str| Json::parse(line.as_bytes()).unwrap();
    text.lines().map(read).collect()
}

fn text<'a>(row: &'a Json, key: &str) -> &'a str {
    row.get(key).and_then(Json::as_str).unwrap()
}

#[test]
fn the_query_table_finds_what_it_says() {
    let logs = logs();
    let mut wrong = Vec::new();
    for row in table(QUERIES) {
        let filter = text(&row, "filter");
        let expected = row.get("ids").and_then(Json::as_array).unwrap();
        let expected: Vec<&str> = expected.iter().filter_map(|id| id.as_str()).collect();
        let tree = parse(filter, Names::V1, true).unwrap();
        let got = found(&tree, &logs);
        if got != expected {
            wrong.push(format!(
                "{filter}: {got:?} instead of {expected:?}\n{tree:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_is_refused_with_its_column() {
    let mut wrong = Vec::new();
    for row in table(REJECTS) {
        let filter = text(&row, "filter");
        let column = row.get("column").and_then(Json::as_i64);
        let got = parse(filter, Names::V1, false).map_err(|error| error.column as i64);
        if got.as_ref().err() != column.as_ref() {
            let shown = parse(filter, Names::V1, false);
            wrong.push(format!("{filter}: {shown:?} instead of column {column:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
