//! The model building API: checksums, numbers, order of publishing, limits, pages, tags, and the
//! border to bots of the other family.

use super::{LOGGING, assert_error, each, error, order, shop, text};
use crate::harness::{ADMIN, Server};

const KINDS: &str = "/slottypes/Kinds/versions/$LATEST";

fn with_checksum(body: &str, checksum: &str) -> String {
    let rest = body.trim_start().strip_prefix('{').unwrap();
    let comma = if rest.trim() == "}" { "" } else { "," };
    format!(r#"{{"checksum":"{checksum}"{comma}{rest}"#)
}

#[tokio::test]
async fn a_change_needs_the_checksum_of_the_last_one() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for (uri, body) in [
        (KINDS, "{}".to_owned()),
        ("/intents/Order/versions/$LATEST", order("1", "NONE")),
        ("/bots/Shop/versions/$LATEST", shop("1", false)),
        ("/bots/Shop/aliases/PROD", LOGGING.to_owned()),
    ] {
        let new = uri.replace("Kinds", "New").replace("Order", "New");
        let new = new.replace("Shop/versions", "New/versions");
        let new = new.replace("PROD", "NEW");
        let sent = server.put(&new, &with_checksum(&body, "c")).await;
        assert_error(&sent, 400, "BadRequestException");
        let sent = server.put(uri, &body).await;
        assert_error(&sent, 412, "PreconditionFailedException");
        let first = text(&server.found(uri).await, "checksum");
        let changed = server.made(uri, &with_checksum(&body, &first)).await;
        let second = text(&changed, "checksum");
        assert_ne!(first, second, "{uri}");
        let stale = server.put(uri, &with_checksum(&body, &first)).await;
        assert_error(&stale, 412, "PreconditionFailedException");
        assert_eq!(text(&server.found(uri).await, "checksum"), second);
    }
    let of_other = r#"{"checksum":"other"}"#;
    let sent = server.post("/bots/Shop/versions", of_other).await;
    assert_error(&sent, 412, "PreconditionFailedException");
}

#[tokio::test]
async fn numbers_are_given_once_and_only_for_something_new() {
    let server = Server::start().await;
    server.made(KINDS, "{}").await;
    let kinds = "/slottypes/Kinds";
    assert_eq!(server.numbered(kinds).await, "1");
    assert_eq!(server.numbered(kinds).await, "1", "nothing has changed");
    for (description, number) in [("a", "2"), ("b", "3")] {
        let checksum = text(&server.found(KINDS).await, "checksum");
        let body = format!(r#"{{"description":"{description}","checksum":"{checksum}"}}"#);
        server.made(KINDS, &body).await;
        assert_eq!(server.numbered(kinds).await, number);
    }
    let gone = server.delete("/slottypes/Kinds/version/3").await;
    assert_eq!((gone.status.as_u16(), gone.body.len()), (204, 0));
    assert_eq!(server.numbered(kinds).await, "4", "3 is never given again");
    let listed = server.found("/slottypes/Kinds/versions").await;
    let versions = each(&listed, "slotTypes", "version");
    assert_eq!(versions, ["$LATEST", "1", "2", "4"]);
    let old = server.found("/slottypes/Kinds/versions/2").await;
    assert_eq!(text(&old, "description"), "a", "versions never change");
    let again = server.delete("/slottypes/Kinds/version/3").await;
    assert_error(&again, 404, "NotFoundException");
}

#[tokio::test]
async fn what_has_no_number_must_not_be_used_by_what_has() {
    let server = Server::start().await;
    let unknown = server
        .put("/intents/Order/versions/$LATEST", &order("1", "NONE"))
        .await;
    assert_error(&unknown, 400, "BadRequestException");
    assert!(error(&unknown).2.contains("'Kinds' in version '1'"));
    server.made(KINDS, "{}").await;
    let uri = "/intents/Order/versions/$LATEST";
    server.made(uri, &order("$LATEST", "NONE")).await;
    let early = server.post("/intents/Order/versions", "").await;
    assert_error(&early, 400, "BadRequestException");
    server
        .made("/bots/Shop/versions/$LATEST", &shop("$LATEST", false))
        .await;
    let early = server.post("/bots/Shop/versions", "").await;
    assert_error(&early, 400, "BadRequestException");
    assert!(error(&early).2.contains("'Order'"), "{}", early.text());
    let body = r#"{"locale":"en-US","childDirected":false}"#;
    let empty = server.made("/bots/Empty/versions/$LATEST", body).await;
    assert_eq!(text(&empty, "status"), "FAILED");
    let early = server.post("/bots/Empty/versions", "").await;
    assert_error(&early, 400, "BadRequestException");
}

#[tokio::test]
async fn what_is_used_stays() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for (uri, by, example) in [
        ("/slottypes/Kinds", "Intent", "Order"),
        ("/slottypes/Kinds/version/1", "Intent", "Order"),
        ("/intents/Order", "Bot", "Shop"),
        ("/intents/Order/versions/1", "Bot", "Shop"),
        ("/bots/Shop/versions/1", "BotAlias", "PROD"),
        ("/bots/Shop", "BotAlias", "PROD"),
    ] {
        let refused = server.delete(uri).await;
        assert_error(&refused, 400, "ResourceInUseException");
        assert_eq!(refused.text_at("referenceType"), by, "{uri}");
        let json = refused.json();
        let found = json.get("exampleReference").unwrap();
        assert_eq!(text(found, "name"), example, "{uri}");
    }
    for uri in [
        "/bots/Shop/aliases/PROD",
        "/bots/Shop",
        "/intents/Order",
        "/slottypes/Kinds",
    ] {
        let gone = server.delete(uri).await;
        assert_eq!(gone.status, 204, "{uri} {}", gone.text());
        let again = server.delete(uri).await;
        assert_error(&again, 404, "NotFoundException");
    }
    let bot = server.get("/convlog/v1/bots/Shop").await;
    assert_eq!(bot.status, 404);
}

#[tokio::test]
async fn names_that_differ_by_case_alone_are_refused() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for (uri, body) in [
        ("/slottypes/kinds/versions/$LATEST", "{}".to_owned()),
        ("/intents/ORDER/versions/$LATEST", order("1", "NONE")),
        ("/bots/shop/versions/$LATEST", shop("1", false)),
        (
            "/bots/Shop/aliases/prod",
            r#"{"botVersion":"1"}"#.to_owned(),
        ),
    ] {
        let refused = server.put(uri, &body).await;
        assert_error(&refused, 409, "ConflictException");
    }
    let other = server.get("/bots/shop/versions/$LATEST").await;
    assert_error(&other, 404, "NotFoundException");
}

#[tokio::test]
async fn a_bot_has_five_aliases_at_most() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let to_latest = r#"{"botVersion":"$LATEST"}"#;
    for name in ["A", "B", "C", "D"] {
        let uri = format!("/bots/Shop/aliases/{name}");
        server.made(&uri, to_latest).await;
    }
    let sixth = server.put("/bots/Shop/aliases/E", to_latest).await;
    assert_error(&sixth, 429, "LimitExceededException");
    assert!(!sixth.header("retry-after").is_empty());
    let gone = server.delete("/bots/Shop/aliases/A").await;
    assert_eq!(gone.status, 204);
    server.made("/bots/Shop/aliases/E", to_latest).await;
}

#[tokio::test]
async fn lists_have_pages() {
    let server = Server::start().await;
    for name in ["Apple", "Banana", "Cherry", "Date"] {
        server
            .made(&format!("/slottypes/{name}/versions/$LATEST"), "{}")
            .await;
    }
    let mut token = String::new();
    let mut seen = Vec::new();
    for n_items in [3, 1] {
        let uri = format!("/slottypes/?maxResults=3{token}");
        let page = server.found(&uri).await;
        let names = each(&page, "slotTypes", "name");
        assert_eq!(names.len(), n_items);
        seen.extend(names);
        token = match page.get("nextToken") {
            Some(next) => format!("&nextToken={}", next.as_str().unwrap()),
            None => String::new(),
        };
    }
    assert_eq!(seen, ["Apple", "Banana", "Cherry", "Date"]);
    assert_eq!(token, "", "the last page says so");
    let some = server.found("/slottypes?nameContains=an").await;
    assert_eq!(each(&some, "slotTypes", "name"), ["Banana"]);
    for query in ["maxResults=0", "maxResults=51", "nextToken=%25%25"] {
        let refused = server.get(&format!("/slottypes?{query}")).await;
        assert_error(&refused, 400, "BadRequestException");
    }
    server.shop("NONE", false).await;
    let aliases = server.found("/bots/Shop/aliases/?nameContains=PR").await;
    assert_eq!(each(&aliases, "BotAliases", "name"), ["PROD"]);
}

#[tokio::test]
async fn a_slash_at_the_end_and_an_encoded_dollar_change_nothing() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for uri in ["/bots", "/bots/Shop/versions", "/bots/Shop/aliases"] {
        let plain = server.found(uri).await;
        assert_eq!(server.found(&format!("{uri}/")).await, plain, "{uri}");
    }
    let plain = server.found("/bots/Shop/versions/$LATEST").await;
    let encoded = server.found("/bots/Shop/versions/%24LATEST").await;
    assert_eq!(plain, encoded);
    let by_alias = server.found("/bots/Shop/versions/PROD").await;
    assert_eq!(text(&by_alias, "version"), "1");
    let body = shop("1", false);
    let uri = "/bots/Second/versions/%24LATEST";
    assert_eq!(text(&server.made(uri, &body).await, "version"), "$LATEST");
}

#[tokio::test]
async fn tags_go_by_arn() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let bot = "/tags/arn%3Aaws%3Alex%3Aus-east-1%3A123456789012%3Abot%3AShop";
    let alias = format!("{bot}%3APROD");
    for uri in [bot, &alias] {
        let none = server.found(uri).await;
        assert_eq!(none.to_string(), r#"{"tags":[]}"#);
        let sent = r#"{"tags":[{"key":"team","value":"a"},{"key":"cost","value":"7"}]}"#;
        let added = server.post(uri, sent).await;
        assert_eq!(added.status, 204, "{}", added.text());
        let gone = server
            .delete(&format!("{uri}?tagKeys=team&tagKeys=x"))
            .await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        let left = server.found(uri).await;
        assert_eq!(left.to_string(), r#"{"tags":[{"key":"cost","value":"7"}]}"#);
    }
    let reserved = r#"{"tags":[{"key":"aws:x","value":"a"}]}"#;
    let refused = server.post(bot, reserved).await;
    assert_error(&refused, 400, "BadRequestException");
    for (arn, status) in [
        (
            "arn%3Aaws%3Alex%3Aus-east-1%3A123456789012%3Abot%3AOther",
            404,
        ),
        (
            "arn%3Aaws%3Alex%3Aeu-west-1%3A123456789012%3Abot%3AShop",
            400,
        ),
    ] {
        let refused = server.get(&format!("/tags/{arn}")).await;
        assert_eq!(refused.status, status, "{}", refused.text());
    }
}

#[tokio::test]
async fn another_instance_sees_nothing_of_it() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let (_, key) = server.instance().await;
    for uri in [
        "/bots/Shop/versions/$LATEST",
        "/bots/Shop/versions",
        "/bots/Shop/aliases/PROD",
        "/intents/Order/versions/1",
        "/slottypes/Kinds/versions/1",
        "/bots/Shop/utterances?view=aggregation&bot_versions=1&status_type=Missed",
        "/exports?name=Shop&version=1&resourceType=BOT&exportType=LEX",
    ] {
        let other = server.call(&key, "GET", uri, "").await;
        assert_error(&other, 404, "NotFoundException");
    }
    for (uri, list) in [
        ("/bots", "bots"),
        ("/intents", "intents"),
        ("/slottypes", "slotTypes"),
    ] {
        let other = server.call(&key, "GET", uri, "").await;
        assert!(each(&other.json(), list, "name").is_empty(), "{uri}");
    }
    let own = server.call(&key, "PUT", KINDS, "{}").await;
    assert_eq!(own.status, 200, "its names are free there");
}

#[tokio::test]
async fn a_key_of_some_bots_reaches_those_alone() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let key = server.key(r#""read","admin""#, r#""Other""#).await;
    let hidden = server.call(&key, "GET", "/bots", "").await;
    assert!(each(&hidden.json(), "bots", "name").is_empty());
    for uri in ["/bots/Shop/versions/1", "/bots/Shop/aliases/PROD"] {
        let hidden = server.call(&key, "GET", uri, "").await;
        assert_error(&hidden, 404, "NotFoundException");
    }
    let refused = server.call(&key, "PUT", KINDS, "{}").await;
    assert_error(&refused, 403, "AccessDeniedException");
}

#[tokio::test]
async fn the_two_families_of_bots_keep_apart() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let made = server
        .put("/convlog/v1/bots/Plain", r#"{"connector":{"kind":"echo"}}"#)
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let refused = server
        .put("/bots/Plain/versions/$LATEST", &shop("1", false))
        .await;
    assert_error(&refused, 409, "ConflictException");
    let body = r#"{"name":"Shop","language":"en","connector":{"kind":"echo"}}"#;
    let refused = server.put("/convlog/v1/bots/Shop", body).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let made = server
        .put("/convlog/v1/bots/Plain", r#"{"connector":{"kind":"lex"}}"#)
        .await;
    assert_eq!(made.status, 400, "lex is for bots of Lex: {}", made.text());
    let changed = server
        .put("/convlog/v1/bots/Shop", r#"{"connector":{"kind":"echo"}}"#)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let bot = server.found("/convlog/v1/bots/Shop").await;
    assert_eq!(text(bot.get("connector").unwrap(), "kind"), "echo");
    assert_eq!(bot.get("session_timeout_s").unwrap().as_i64(), Some(600));
    let back = r#"{"connector":{"kind":"lex"}}"#;
    let changed = server.put("/convlog/v1/bots/Shop", back).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
}

#[tokio::test]
async fn built_in_intents_and_slot_types_are_listed_by_locale() {
    let server = Server::start().await;
    let all = server.found("/builtins/intents/").await;
    let names = each(&all, "intents", "signature");
    assert!(names.contains(&"AMAZON.FallbackIntent".to_owned()));
    let german = server.found("/builtins/intents?locale=de-DE").await;
    assert_eq!(
        each(&german, "intents", "signature"),
        ["AMAZON.FallbackIntent"]
    );
    let one = server.found("/builtins/intents/AMAZON.HelpIntent").await;
    assert_eq!(text(&one, "signature"), "AMAZON.HelpIntent");
    assert!(one.get("slots").is_some());
    let none = server.get("/builtins/intents/AMAZON.NoSuchIntent").await;
    assert_error(&none, 404, "NotFoundException");
    let wrong = server.get("/builtins/slottypes?locale=xx-XX").await;
    assert_error(&wrong, 400, "BadRequestException");
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let uri = format!("/builtins/slottypes?maxResults=20{token}");
        let page = server.found(&uri).await;
        seen.extend(each(&page, "slotTypes", "signature"));
        let Some(next) = page.get("nextToken") else {
            break;
        };
        token = format!("&nextToken={}", next.as_str().unwrap());
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.len() > 60 && seen.contains(&"AMAZON.DATE".to_owned()));
    let city = "/builtins/slottypes?signatureContains=GB_CITY&locale=en-US";
    let some = server.found(city).await;
    assert_eq!(each(&some, "slotTypes", "signature"), ["AMAZON.GB_CITY"]);
}

#[tokio::test]
async fn there_are_no_channels_and_no_migrations() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let channel = "/bots/Shop/aliases/PROD/channels/Slack";
    for method in ["GET", "DELETE"] {
        let none = server.call(ADMIN, method, channel, "").await;
        assert_error(&none, 404, "NotFoundException");
    }
    let migrate = r#"{"v1BotName":"Shop","v1BotVersion":"1","v2BotName":"Shop",
        "v2BotRole":"arn:aws:iam::123456789012:role/lex","migrationStrategy":"CREATE_NEW"}"#;
    for (method, uri, body) in [
        ("GET", "/migrations", ""),
        ("POST", "/migrations", migrate),
        ("GET", "/migrations/0123456789", ""),
    ] {
        let refused = server.call(ADMIN, method, uri, body).await;
        assert_error(&refused, 400, "BadRequestException");
        assert!(error(&refused).2.contains("not supported"));
    }
}

#[tokio::test]
async fn what_paths_and_queries_name_is_of_the_shape_that_each_operation_asks_for() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for (method, uri, member) in [
        ("GET", "/bots/S/versions/1", "'name'"),
        ("GET", "/bots?nameContains=Shop1", "'nameContains'"),
        ("GET", "/bots?maxResults=51", "'maxResults'"),
        ("GET", "/bots/Shop1/versions", "'name'"),
        ("DELETE", "/bots/Shop1", "'name'"),
        ("DELETE", "/bots/Shop/versions/$LATEST", "'version'"),
        ("GET", "/bots/Shop/aliases/PROD1", "'name'"),
        ("GET", "/bots/S/aliases", "'botName'"),
        ("GET", "/bots/Shop/aliases?nameContains=1", "'nameContains'"),
        ("DELETE", "/bots/Shop/aliases/PROD1", "'name'"),
        ("GET", "/bots/Shop/aliases/1/channels", "'botAlias'"),
        ("GET", "/bots/Shop/aliases/PROD/channels/1", "'name'"),
        (
            "DELETE",
            "/bots/Shop/aliases/1/channels/Slack",
            "'botAlias'",
        ),
        ("GET", "/intents/Order/versions/PROD", "'version'"),
        ("GET", "/intents?nameContains=1", "'nameContains'"),
        ("GET", "/intents/Order1/versions", "'name'"),
        ("DELETE", "/intents/Order1", "'name'"),
        ("DELETE", "/intents/Order/versions/$LATEST", "'version'"),
        ("GET", "/slottypes/Kinds1/versions/1", "'name'"),
        ("GET", "/slottypes?nameContains=1", "'nameContains'"),
        ("GET", "/slottypes/Kinds1/versions", "'name'"),
        ("DELETE", "/slottypes/Kinds1", "'name'"),
        ("DELETE", "/slottypes/Kinds/version/x", "'version'"),
        ("GET", "/migrations/1", "'migrationId'"),
        ("GET", "/migrations?sortByOrder=UP", "'sortByOrder'"),
        ("POST", "/migrations", "'v1BotName'"),
        (
            "DELETE",
            "/tags/arn:aws:lex:us-east-1:123456789012:bot:Shop",
            "'tagKeys'",
        ),
    ] {
        let refused = server.call(ADMIN, method, uri, "").await;
        assert_error(&refused, 400, "BadRequestException");
        let message = error(&refused).2;
        assert!(message.contains(member), "{method} {uri}: {message}");
    }
    server.found("/bots/Shop/aliases/PROD").await;
}
