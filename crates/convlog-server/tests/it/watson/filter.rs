//! The filter language against the running server: the reference queries and the rejects.

use std::collections::BTreeSet;

use convlog_model::json::Json;

use super::{V1, encoded, error, import, logs, logs_of, text};
use crate::harness::Server;

const LOGS: &str = include_str!("../../../../../fixtures/watson/filter-logs.ndjson");
const QUERIES: &str = include_str!("../../../../../fixtures/watson/filter-queries.ndjson");
const REJECTS: &str = include_str!("../../../../../fixtures/watson/filter-rejects.ndjson");

async fn filled() -> Server {
    let server = Server::start().await;
    import(&server, "watson-v1", LOGS).await;
    server
}

fn rows(text: &str) -> Vec<Json> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| Json::parse(line.as_bytes()).unwrap())
        .collect()
}

fn ids(logs: &[Json]) -> BTreeSet<String> {
    logs.iter()
        .map(|log| text(log, &["log_id"]).to_owned())
        .collect()
}

#[tokio::test]
async fn the_reference_queries_find_what_the_table_says() {
    let server = filled().await;
    let queries = rows(QUERIES);
    assert_eq!(queries.len(), 54);
    for row in queries {
        let filter = text(&row, &["filter"]);
        let mut found = BTreeSet::new();
        for workspace in ["W1", "W2", "W3"] {
            found.extend(ids(&logs_of(&server, workspace, filter).await));
        }
        let wanted = row.get("ids").and_then(Json::as_array).unwrap();
        let wanted = wanted
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, wanted, "{filter}");
    }
}

#[tokio::test]
async fn the_names_of_v2_find_the_same() {
    let server = filled().await;
    for (filter, wanted) in [
        ("assistant_id::as-2", vec!["L10", "L6", "L7"]),
        ("skill_id::W2,customer_id:*", vec!["L10", "L7"]),
        ("response.output.intents:intent::pets", vec!["L10"]),
        ("session_id::c4", vec!["L6", "L7"]),
        ("request.context.global.system.user_id::u6", vec!["L10"]),
    ] {
        let uri = format!("/v2/assistants/as-2/logs?{V1}&filter={}", encoded(filter));
        let found = ids(&logs(&server, &uri).await);
        assert_eq!(
            found,
            wanted.into_iter().map(str::to_owned).collect(),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn what_is_no_filter_is_refused_with_its_column() {
    let server = filled().await;
    for row in rows(REJECTS) {
        let filter = text(&row, &["filter"]);
        let column = row.get("column").and_then(Json::as_i64).unwrap();
        let uri = format!("/v1/workspaces/W1/logs?{V1}&filter={}", encoded(filter));
        let (status, general, message, path) = error(&server.get(&uri).await);
        assert_eq!(status, 400, "{filter}");
        assert_eq!(
            general, "Analytics Service Error: Invalid query request",
            "{filter}"
        );
        assert_eq!(path, "filter", "{filter}");
        assert!(
            message.ends_with(&format!(" at column {column}")),
            "{filter}: {message}"
        );
    }
}

#[tokio::test]
async fn all_logs_are_listed_for_a_language_and_an_id() {
    let server = filled().await;
    for (filter, wanted) in [
        ("language::en,workspace_id::W2", vec!["L10", "L6", "L7"]),
        (
            "((language::es,request.context.metadata.deployment::prod))",
            vec!["L8"],
        ),
        (
            "customer_id:!*,language::en,request.context.system.assistant_id::as-2",
            vec!["L6"],
        ),
    ] {
        let found = ids(&logs(
            &server,
            &format!("/v1/logs?{V1}&filter={}", encoded(filter)),
        )
        .await);
        assert_eq!(
            found,
            wanted.into_iter().map(str::to_owned).collect(),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn all_logs_without_the_mandatory_terms_are_refused() {
    let server = filled().await;
    for filter in [
        "",
        "language::en",
        "workspace_id::W1",
        "language:en,workspace_id::W1",
        "language::en|workspace_id::W1",
    ] {
        let uri = format!("/v1/logs?{V1}&filter={}", encoded(filter));
        let (status, general, message, path) = error(&server.get(&uri).await);
        assert_eq!(
            (status, general.as_str(), path.as_str()),
            (400, "Invalid Request", "filter")
        );
        assert!(!message.is_empty(), "{filter}");
    }
    let uri = format!("/v1/logs?{V1}&filter=language%3A%3Aen%2C");
    let (_, general, _, _) = error(&server.get(&uri).await);
    assert_eq!(general, "Analytics Service Error: Invalid query request");
}

#[tokio::test]
async fn unknown_fields_are_refused_where_the_fallback_is_off() {
    let mut config = convlog_server::ServerConfig::default();
    config.watson.any_filter_field = false;
    let server = Server::with(config).await;
    import(&server, "watson-v1", LOGS).await;
    let filter = encoded("response.output.whatever::x");
    let uri = format!("/v1/workspaces/W1/logs?{V1}&filter={filter}");
    let (status, general, message, _) = error(&server.get(&uri).await);
    assert_eq!(
        (status, general.as_str()),
        (400, "Analytics Service Error: Invalid query request")
    );
    assert!(message.contains("response.output.whatever"), "{message}");
}
