//! `/retention`: what maintenance does is shown, and the word that the clock is right is audited.

use convlog_model::json::Json;

use crate::harness::Server;

const URI: &str = "/convlog/v1/retention";
const FIGURES: [&str; 6] = [
    "erasures_pending",
    "chunks_pending",
    "bytes_overwritten",
    "rows_erased",
    "rows_expired",
    "chunks_dropped",
];

#[tokio::test]
async fn figures_are_shown_by_route_stats_and_metrics_alike() {
    let server = Server::start().await;
    let shown = server.get(URI).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let stats = server.get("/convlog/v1/stats").await.json();
    assert_eq!(stats.get("maintenance"), Some(&shown.json()));
    let metrics = server.get("/metrics").await.text();
    for name in FIGURES {
        assert_eq!(shown.json().get(name).unwrap().as_i64(), Some(0), "{name}");
        let line = format!("convlog_maintenance_{name} 0\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert_eq!(shown.json().get("held"), Some(&Json::Null));
    assert!(
        metrics.contains("convlog_maintenance_held 0\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_confirmation_is_in_the_audit() {
    let server = Server::start().await;
    let answer = server.post(URI, r#"{"confirm":true}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json().get("held"), Some(&Json::Null));
    let audit = server.get("/convlog/v1/audit?limit=1").await.text();
    assert!(audit.contains("retention.confirm"), "{audit}");
}

#[tokio::test]
async fn what_is_no_confirmation_names_the_field() {
    let server = Server::start().await;
    for (body, wanted) in [
        (r#"{"confirm":false}"#, "confirm"),
        (r#"{"confirm":1}"#, "confirm"),
        ("{}", "confirm"),
        (r#"{"confirm":true,"days":1}"#, "days"),
    ] {
        let answer = server.post(URI, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(wanted), "{}", answer.text());
    }
    let audit = server.get("/convlog/v1/audit?limit=10").await.text();
    assert!(!audit.contains("retention.confirm"), "{audit}");
}
