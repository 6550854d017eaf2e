//! Prefixes, and the table's own rules.

use std::collections::BTreeSet;

use super::*;

fn plain(text: &str) -> Option<String> {
    without_prefix(&text.parse().unwrap()).map(|uri| uri.to_string())
}

#[test]
fn prefixes_are_taken_off_before_a_version() {
    for prefix in [
        "/assistant/api",
        "/instances/x-1",
        "/assistant/wa/instances/7/api",
        "/api",
    ] {
        let uri = format!("{prefix}/v1/logs?version=2021-11-27&filter=a%2Fb");
        let expected = "/v1/logs?version=2021-11-27&filter=a%2Fb";
        assert_eq!(plain(&uri).as_deref(), Some(expected), "{prefix}");
    }
    assert_eq!(
        plain("/assistant/api/v2/assistants/a/logs").as_deref(),
        Some("/v2/assistants/a/logs")
    );
}

#[test]
fn other_paths_stay_as_they_are() {
    for uri in [
        "/v1/logs",
        "/assistant/api",
        "/assistant/api/v1",
        "/instances//v1/logs",
        "/convlog/v1/keys",
        "/api/convlog/v1/keys",
        "/other/v1/logs",
    ] {
        assert_eq!(plain(uri), None, "{uri}");
    }
}

#[test]
fn no_route_stands_in_the_table_twice() {
    let mut seen = BTreeSet::new();
    for route in ROUTES {
        assert!(
            seen.insert((route.method, route.path)),
            "{} {}",
            route.method,
            route.path
        );
    }
}

#[test]
fn lists_are_counted_and_bulk_requests_have_time() {
    for route in ROUTES {
        let what = format!("{} {}", route.method, route.path);
        if route.path.ends_with("/logs") {
            assert!(route.is_list, "{what}");
        }
        if route.path == "/convlog/v1/records" {
            assert_eq!(route.is_list, route.method == "GET", "{what}");
            assert_eq!(route.is_bulk, route.method == "POST", "{what}");
        }
    }
}
