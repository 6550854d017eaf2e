//! The route table, walked whole: route x role x instance x scope.

use convlog_model::json::Json;
use convlog_server::{Access, Envelope, ROUTES, Role, Route};

use crate::harness::{ADMIN, Answer, Server};

/// Templates filled with names that do not exist.
fn uri(route: &Route) -> String {
    let mut uri = String::new();
    for segment in route.path.split('/').skip(1) {
        uri.push('/');
        uri.push_str(if segment.starts_with('{') {
            "unknown"
        } else {
            segment
        });
    }
    uri
}

async fn status(server: &Server, key: &str, route: &Route) -> u16 {
    server
        .call(key, route.method, &uri(route), "")
        .await
        .status
        .as_u16()
}

fn needs_key(route: &Route) -> bool {
    route.access != Access::Open
}

#[tokio::test]
async fn without_a_key_every_route_but_the_open_ones_is_401_in_its_envelope() {
    let server = Server::start().await;
    for route in ROUTES {
        let answer = server.call("", route.method, &uri(route), "").await;
        if needs_key(route) {
            let status = match route.envelope {
                Envelope::Aws(_) => 403,
                Envelope::Own | Envelope::Watson | Envelope::Flat => 401,
            };
            assert_eq!(answer.status, status, "{} {}", route.method, route.path);
            let kind = match route.envelope {
                Envelope::Own => "application/problem+json",
                Envelope::Watson => "application/json; charset=utf-8",
                Envelope::Flat | Envelope::Aws(_) => "application/json",
            };
            assert_eq!(answer.header("content-type"), kind, "{}", route.path);
        }
        assert!(!answer.header("x-global-transaction-id").is_empty());
        assert!(!answer.header("x-ratelimit-remaining").is_empty());
    }
}

#[tokio::test]
async fn each_role_opens_its_own_routes_and_no_other() {
    let server = Server::start().await;
    for role in Role::ALL {
        for route in ROUTES {
            let key = server.key(&format!("\"{role}\""), "").await;
            let status = status(&server, &key, route).await;
            let Access::Role(wanted) = route.access else {
                continue;
            };
            let is_refused = status == 403;
            let what = format!("{role}: {} {} gave {status}", route.method, route.path);
            assert_eq!(is_refused, wanted != role, "{what}");
            assert_ne!(status, 401, "{what}");
        }
    }
}

#[tokio::test]
async fn no_route_fails_on_names_and_bodies_that_do_not_exist() {
    let server = Server::start().await;
    for route in ROUTES {
        let status = status(&server, ADMIN, route).await;
        assert!(
            status < 500,
            "{} {} gave {status}",
            route.method,
            route.path
        );
    }
}

#[tokio::test]
async fn a_key_of_some_bots_is_refused_where_the_whole_instance_is_meant() {
    let server = Server::start().await;
    for route in ROUTES {
        let key = server
            .key(r#""write","read","erase","admin","operator""#, r#""b1""#)
            .await;
        let status = status(&server, &key, route).await;
        let what = format!("{} {} gave {status}", route.method, route.path);
        assert_eq!(status == 403, route.is_instance_wide, "{what}");
    }
}

#[tokio::test]
async fn erasures_keys_and_user_data_are_instance_wide() {
    let has = |part: &'static str| ROUTES.iter().filter(move |route| route.path.contains(part));
    for route in has("/keys")
        .chain(has("/user_data"))
        .chain(has("/erasures"))
    {
        assert!(route.is_instance_wide, "{}", route.path);
    }
}

#[tokio::test]
async fn the_same_names_in_another_instance_are_unknown() {
    let server = Server::start().await;
    let (_, other) = server.instance().await;
    for route in ROUTES
        .iter()
        .filter(|route| route.path.contains('{') && needs_key(route))
    {
        let status = status(&server, &other, route).await;
        let what = format!("{} {} gave {status}", route.method, route.path);
        assert!(status < 500 && status != 401, "{what}");
    }
}

#[tokio::test]
async fn dialects_are_served_under_their_prefixes_too() {
    let server = Server::start().await;
    for prefix in [
        "/assistant/api",
        "/instances/0f1c2d3e-0000-4000-8000-000000000000",
        "/api",
        "/assistant/wa/instances/1700000000000000/api",
    ] {
        let has_version =
            |route: &&Route| route.path.starts_with("/v1/") || route.path.starts_with("/v2/");
        for route in ROUTES.iter().filter(has_version) {
            let uri = format!("{prefix}{}", uri(route));
            let answer = server.call("", route.method, &uri, "").await;
            let plain = status(&server, "", route).await;
            assert_eq!(answer.status, plain, "{} {uri}", route.method);
        }
    }
}

#[tokio::test]
async fn a_known_path_with_another_method_is_405() {
    let server = Server::start().await;
    let answer = server.call(ADMIN, "PATCH", "/convlog/v1/keys", "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(
        answer.text_at("detail"),
        "this path does not know the method"
    );
}

const HIDDEN: &str = "hiddenwords";
const SHOWN: &str = "shownwords";
const ALL_ROLES: &str = r#""write","read","erase","admin""#;

/// What there is of `b2`.
struct OfB2 {
    record: String,
    conversation: String,
}

/// Bots `b1` and `b2` in the instance `default`, with a turn each.
async fn two_bots(server: &Server) -> OfB2 {
    for (bot, words) in [("b1", SHOWN), ("b2", HIDDEN)] {
        let uri = format!("/convlog/v1/bots/{bot}");
        let body = r#"{"name":"Bot","language":"en","connector":{"kind":"echo"}}"#;
        let made = server.put(&uri, body).await;
        assert!(made.status.is_success(), "{}", made.text());
        let uri = format!("/v1/workspaces/{bot}/message?version=2021-11-27");
        let body = format!(r#"{{"input":{{"text":"{words}"}}}}"#);
        let said = server.post(&uri, &body).await;
        assert_eq!(said.status, 200, "{}", said.text());
    }
    let found = server
        .get(&format!("/convlog/v1/records?filter=input.text:{HIDDEN}"))
        .await;
    let json = found.json();
    let records = json.get("records").and_then(Json::as_array).unwrap();
    let text = |name: &str| {
        let value = records.first().and_then(|record| record.get(name));
        value.and_then(Json::as_str).unwrap().to_owned()
    };
    OfB2 {
        record: text("id"),
        conversation: text("conversation"),
    }
}

/// The route's path about `b2` and its record, with parameters that the dialect asks for.
fn uri_of_b2(route: &Route, of_b2: &OfB2) -> String {
    let id = match route.path {
        path if path.contains("/records/") => &of_b2.record,
        path if path.contains("/conversation/") => &of_b2.conversation,
        _ => "b2",
    };
    let path = route
        .path
        .replace("{id}", id)
        .replace("{environment}", "b2");
    let path = path.replace("{session}", "s1").replace("{hook}", "h1");
    match route.path {
        "/v1/logs" => format!("{path}?version=2021-11-27&filter=language::en,workspace_id::b2"),
        path_of if path_of.starts_with("/v") => format!("{path}?version=2024-08-25"),
        "/convlog/v1/export" => format!("{path}?format=jsonl"),
        _ => path,
    }
}

async fn about_b2(server: &Server, key: &str, route: &Route, of_b2: &OfB2) -> Answer {
    let body = match (route.method, route.path) {
        ("POST", "/convlog/v1/aggregate") => {
            r#"{"by":[{"field":"raw.request.input.text","limit":9}],"metrics":["count"]}"#
        }
        ("POST", "/v1/workspaces/{id}/message") => r#"{"input":{"text":"hi"}}"#,
        ("POST", path) if path.contains("message") => {
            r#"{"input":{"message_type":"text","text":"hi"},"type":"user","text":"hi"}"#
        }
        ("POST", path) if path.ends_with("/subscribe") => {
            return server
                .begun(key, &uri_of_b2(route, of_b2), r#"{"historyLength":99}"#)
                .await;
        }
        ("POST" | "PUT", _) => "{}",
        _ => "",
    };
    server
        .call(key, route.method, &uri_of_b2(route, of_b2), body)
        .await
}

#[tokio::test]
async fn the_owner_s_key_finds_both_bots() {
    let server = Server::start().await;
    let of_b2 = two_bots(&server).await;
    let finds = [
        "/v1/logs",
        "/v1/workspaces/{id}/logs",
        "/convlog/v1/records",
        "/convlog/v1/records/{id}",
        "/convlog/v1/export",
        "/convlog/v1/aggregate",
        "/v1/event/log/list",
        "/v1/event/log/export",
        "/v1/event/log/subscribe",
        "/v1/conversation/{id}/message/list",
    ];
    for route in ROUTES.iter().filter(|route| finds.contains(&route.path)) {
        if route.path.ends_with("/records") && route.method == "POST" {
            continue;
        }
        let answer = about_b2(&server, ADMIN, route, &of_b2).await;
        assert_eq!(answer.status, 200, "{} {}", route.path, answer.text());
        assert!(
            answer.text().contains(HIDDEN),
            "{} {}",
            route.path,
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_key_of_another_bot_gets_404_and_no_word_of_it() {
    let server = Server::start().await;
    let of_b2 = two_bots(&server).await;
    let key = server.key(ALL_ROLES, r#""b1""#).await;
    for route in ROUTES.iter().filter(|route| needs_key(route)) {
        let answer = about_b2(&server, &key, route, &of_b2).await;
        let what = format!("{} {} gave {}", route.method, route.path, answer.text());
        assert!(!answer.text().contains(HIDDEN), "{what}");
        let is_of_b2 = route.path.contains("{id}") && !route.is_instance_wide;
        if is_of_b2 {
            assert_eq!(answer.status, 404, "{what}");
        }
    }
    let own = server.call(&key, "GET", "/convlog/v1/records", "").await;
    assert!(own.text().contains(SHOWN), "{}", own.text());
}

#[tokio::test]
async fn a_key_of_another_instance_gets_404_and_no_word_of_it() {
    let server = Server::start().await;
    let of_b2 = two_bots(&server).await;
    let (_, key) = server.instance().await;
    for route in ROUTES.iter().filter(|route| needs_key(route)) {
        let answer = about_b2(&server, &key, route, &of_b2).await;
        let what = format!("{} {} gave {}", route.method, route.path, answer.text());
        assert!(!answer.text().contains(HIDDEN), "{what}");
        // A bot of the same id may be made there; it is another one.
        if route.path.contains("{id}")
            && route.method != "PUT"
            && route.path != "/convlog/v1/bots/{id}"
        {
            assert_eq!(answer.status, 404, "{what}");
        }
    }
    let still = server
        .get(&format!("/convlog/v1/records/{}", of_b2.record))
        .await;
    assert_eq!(still.status, 200);
    let bot = server.get("/convlog/v1/bots/b2").await;
    assert_eq!(bot.status, 200, "{}", bot.text());
}
