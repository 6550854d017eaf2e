//! The route table, walked whole: route x role x instance x scope.

use convlog_server::{Access, Envelope, ROUTES, Role, Route};

use crate::harness::{ADMIN, Server};

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
        let is_401 = answer.status == 401;
        if needs_key(route) {
            assert!(is_401, "{} {}", route.method, route.path);
            let kind = match route.envelope {
                Envelope::Own => "application/problem+json",
                Envelope::Watson => "application/json; charset=utf-8",
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
