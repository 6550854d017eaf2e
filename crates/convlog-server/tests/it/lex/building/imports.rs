//! Files of definitions: made, fetched, brought into another instance, and refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_dialects::lex::transfer::{self, Bounds, Document};
use convlog_model::json::Json;

use super::{ASK, assert_error, each, error, order, shop, text};
use crate::harness::{ADMIN, Answer, Server};

const EXPORT: &str = "/exports/?name=Shop&version=1&resourceType=BOT&exportType=LEX";
const MERGES: [&str; 2] = ["OVERWRITE_LATEST", "FAIL_ON_CONFLICT"];

/// The path of the URL from which a file can be fetched.
async fn path_of(server: &Server, uri: &str) -> String {
    let shown = server.found(uri).await;
    assert_eq!(text(&shown, "exportStatus"), "READY");
    text(&shown, "url")
}

async fn file(server: &Server, uri: &str) -> Vec<u8> {
    let path = path_of(server, uri).await;
    let answer = server.call("", "GET", &path, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/zip");
    answer.body
}

async fn send(server: &Server, key: &str, kind: &str, merge: &str, file: &[u8]) -> Answer {
    let payload = STANDARD.encode(file);
    let body =
        format!(r#"{{"payload":"{payload}","resourceType":"{kind}","mergeStrategy":"{merge}"}}"#);
    server.call(key, "POST", "/imports/", &body).await
}

/// Imports; returns what became of it: its state and its reasons.
async fn import(
    server: &Server,
    key: &str,
    kind: &str,
    merge: &str,
    file: &[u8],
) -> (String, String) {
    let started = send(server, key, kind, merge, file).await;
    assert_eq!(started.status, 201, "{}", started.text());
    let id = started.text_at("importId");
    let shown = server.call(key, "GET", &format!("/imports/{id}"), "").await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let shown = shown.json();
    assert_eq!(text(&shown, "resourceType"), kind);
    assert_eq!(text(&shown, "mergeStrategy"), merge);
    let reasons = shown.get("failureReason").map(ToString::to_string);
    (text(&shown, "importStatus"), reasons.unwrap_or_default())
}

fn document(resource: &str) -> Vec<u8> {
    let resource = Json::parse(resource.as_bytes()).unwrap();
    transfer::text(resource).into_bytes()
}

/// A thing without what the server says of it, in an order of its own.
fn plain(mut json: Json) -> Json {
    for member in ["checksum", "createdDate", "lastUpdatedDate", "version"] {
        json.take(member);
    }
    json.key_sorted()
}

#[tokio::test]
async fn a_bot_goes_from_one_instance_to_another() {
    let server = Server::start().await;
    server.shop("DEFAULT_OBFUSCATION", false).await;
    let file = file(&server, EXPORT).await;
    let (_, key) = server.instance().await;
    let done = import(&server, &key, "BOT", "FAIL_ON_CONFLICT", &file).await;
    assert_eq!(done, ("COMPLETE".to_owned(), String::new()));
    for (uri, with_latest) in [
        ("/bots/Shop/versions/$LATEST", true),
        ("/intents/Order/versions/$LATEST", true),
        ("/slottypes/Kinds/versions/$LATEST", false),
    ] {
        let here = plain(server.found(uri).await).to_string();
        let there = server.call(&key, "GET", uri, "").await;
        assert_eq!(there.status, 200, "{}", there.text());
        let there = plain(there.json()).to_string();
        assert_eq!(there.contains("$LATEST"), with_latest, "{there}");
        assert_eq!(there.replace("$LATEST", "1"), here);
    }
    for uri in ["/slottypes/Kinds", "/intents/Order", "/bots/Shop"] {
        let uri = format!("{uri}/versions");
        let early = server.call(&key, "POST", &uri, "").await;
        assert_eq!(early.status == 201, uri.starts_with("/slottypes"), "{uri}");
    }
    let bot = server.call(&key, "GET", "/convlog/v1/bots/Shop", "").await;
    assert!(bot.text().contains(r#""kind":"lex""#), "{}", bot.text());
    let said = r#"{"inputText":"order tulips"}"#;
    let uri = "/bot/Shop/alias/$LATEST/user/u1/text";
    let answer = server.call(&key, "POST", uri, said).await;
    assert_eq!(answer.text_at("intentName"), "Order", "{}", answer.text());
}

#[tokio::test]
async fn a_file_is_the_same_when_its_bot_has_gone_around() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let first = file(&server, EXPORT).await;
    let (_, key) = server.instance().await;
    import(&server, &key, "BOT", "FAIL_ON_CONFLICT", &first).await;
    // Numbered there in the order that numbers ask for.
    let put = async |uri: &str, body: String| {
        let found = server.call(&key, "GET", uri, "").await;
        let body = body.replacen(
            '{',
            &format!(r#"{{"checksum":"{}","#, found.text_at("checksum")),
            1,
        );
        let answer = server.call(&key, "PUT", uri, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let number = async |uri: &str| {
        let answer = server.call(&key, "POST", uri, "").await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    };
    number("/slottypes/Kinds/versions").await;
    put("/intents/Order/versions/$LATEST", order("1", "NONE")).await;
    number("/intents/Order/versions").await;
    put("/bots/Shop/versions/$LATEST", shop("1", false)).await;
    number("/bots/Shop/versions").await;
    let url = server.call(&key, "GET", EXPORT, "").await.text_at("url");
    let second = server.call("", "GET", &url, "").await.body;
    let bounds = Bounds {
        bytes: 1 << 20,
        depth: 64,
    };
    let read = |file: &[u8]| Document::read(file, bounds).unwrap();
    assert_eq!(read(&first), read(&second));
}

#[tokio::test]
async fn intents_and_slot_types_go_by_themselves() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let (_, key) = server.instance().await;
    let uri = |kind: &str, name: &str| {
        format!("/exports?name={name}&version=1&resourceType={kind}&exportType=LEX")
    };
    let kinds = file(&server, &uri("SLOT_TYPE", "Kinds")).await;
    let done = import(&server, &key, "SLOT_TYPE", "FAIL_ON_CONFLICT", &kinds).await;
    assert_eq!(done.0, "COMPLETE", "{}", done.1);
    let order = file(&server, &uri("INTENT", "Order")).await;
    let done = import(&server, &key, "INTENT", "FAIL_ON_CONFLICT", &order).await;
    assert_eq!(done.0, "FAILED", "the slot type is there already");
    assert!(
        done.1.contains("slot type 'Kinds' exists already"),
        "{}",
        done.1
    );
    let none = server.call(&key, "GET", "/intents", "").await;
    assert!(each(&none.json(), "intents", "name").is_empty());
    let done = import(&server, &key, "INTENT", "OVERWRITE_LATEST", &order).await;
    assert_eq!(done.0, "COMPLETE", "{}", done.1);
}

#[tokio::test]
async fn a_conflict_fails_an_import_that_asks_for_it() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let file = file(&server, EXPORT).await;
    let uri = "/slottypes/Kinds/versions/$LATEST";
    let before = server.found(uri).await;
    let done = import(&server, ADMIN, "BOT", "FAIL_ON_CONFLICT", &file).await;
    assert_eq!(done.0, "FAILED");
    assert!(done.1.contains("'Kinds' exists already"), "{}", done.1);
    assert_eq!(server.found(uri).await, before, "nothing is half done");
    let done = import(&server, ADMIN, "BOT", "OVERWRITE_LATEST", &file).await;
    assert_eq!(done.0, "COMPLETE", "{}", done.1);
    let after = server.found(uri).await;
    assert_ne!(text(&after, "checksum"), text(&before, "checksum"));
    let kept = server.found("/bots/Shop/versions/1").await;
    assert_eq!(text(&kept, "version"), "1", "numbered versions stay");
    let events = server
        .found("/convlog/v1/audit?limit=100")
        .await
        .to_string();
    for kind in ["slot_type.update", "intent.update", "bot.update"] {
        assert!(events.contains(kind), "no {kind} in {events}");
    }
}

#[tokio::test]
async fn what_a_put_would_refuse_fails_the_import_before_anything_is_put() {
    let server = Server::start().await;
    server
        .put("/convlog/v1/bots/Plain", r#"{"connector":{"kind":"echo"}}"#)
        .await;
    let kinds = r#"{"name":"Kinds","enumerationValues":[{"value":"a"}]}"#;
    let intent = |slot_type: &str, more: &str| {
        format!(
            r#"{{"name":"Order","slotTypes":null,"slots":[{{"name":"kind",
                "slotConstraint":"Required","slotType":"{slot_type}","slotTypeVersion":"4",
                "sampleUtterances":null,"valueElicitationPrompt":{ASK}}}]{more}}}"#
        )
    };
    let bot = |name: &str, locale: &str, intent: &str| {
        format!(
            r#"{{"name":"{name}","locale":"{locale}","childDirected":false,
                "intents":[{intent}],"slotTypes":[{kinds}]}}"#
        )
    };
    let good = intent("Kinds", "");
    for (resource, reason) in [
        (bot("Shop", "xx-XX", &good), "The bot 'Shop': "),
        (bot("Shop1", "en-US", &good), "The bot 'Shop1': "),
        (bot("Plain", "en-US", &good), "not one of Lex"),
        (
            bot("Shop", "en-US", &intent("Gone", "")),
            "'Gone' in version '4', which does not exist",
        ),
        (
            bot(
                "Shop",
                "en-US",
                &intent("Kinds", r#","sampleUtterances":["{x}"]"#),
            ),
            "The intent 'Order': sampleUtterances",
        ),
        (
            bot(
                "Shop",
                "en-US",
                &format!("{good},{}", good.replace("Order", "ORDER")),
            ),
            "by case alone",
        ),
    ] {
        for merge in MERGES {
            let file = document(&resource);
            let done = import(&server, ADMIN, "BOT", merge, &file).await;
            assert_eq!(done.0, "FAILED", "{resource}");
            assert!(done.1.contains(reason), "{} has no {reason}", done.1);
            let none = server.found("/slottypes").await;
            assert!(each(&none, "slotTypes", "name").is_empty(), "{resource}");
        }
    }
    let file = document(&bot("Shop", "en-US", &good));
    let done = import(&server, ADMIN, "BOT", MERGES[1], &file).await;
    assert_eq!(done.0, "COMPLETE", "{}", done.1);
}

#[tokio::test]
async fn what_is_no_file_is_refused_at_once() {
    let server = Server::start().await;
    let kinds = document(r#"{"name":"Kinds","enumerationValues":[]}"#);
    let bomb = transfer::write("a.json", &" ".repeat(17 << 20)).unwrap();
    for (kind, file, words) in [
        ("BOT", kinds.clone(), "is a SLOT_TYPE, not a BOT"),
        ("INTENT", kinds.clone(), "is a SLOT_TYPE, not a INTENT"),
        ("SLOT_TYPE", b"hello".to_vec(), "not valid JSON"),
        ("SLOT_TYPE", b"PK\x03\x04".to_vec(), "archive"),
        ("SLOT_TYPE", bomb, "larger than"),
        ("BOTS", kinds.clone(), "resourceType"),
    ] {
        let refused = send(&server, ADMIN, kind, MERGES[0], &file).await;
        assert_error(&refused, 400, "BadRequestException");
        let message = error(&refused).2;
        assert!(message.contains(words), "{message}");
    }
    let refused = send(&server, ADMIN, "SLOT_TYPE", "MERGE", &kinds).await;
    assert_error(&refused, 400, "BadRequestException");
    let tagged = format!(
        r#"{{"payload":"{}","resourceType":"SLOT_TYPE","mergeStrategy":"{}",
            "tags":[{{"key":"a","value":"b"}}]}}"#,
        STANDARD.encode(&kinds),
        MERGES[0]
    );
    let refused = server.post("/imports", &tagged).await;
    assert_error(&refused, 400, "BadRequestException");
    let none = server.get("/imports/unknown").await;
    assert_error(&none, 404, "NotFoundException");
}

#[tokio::test]
async fn a_file_can_be_fetched_for_a_quarter_of_an_hour_and_as_long_as_its_key() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let created = server
        .post("/convlog/v1/keys", r#"{"name":"reader","roles":["read"]}"#)
        .await;
    let (id, key) = (created.text_at("id"), created.text_at("key"));
    let asked = server.call(&key, "GET", EXPORT, "").await;
    let path = asked.text_at("url");
    let fetched = server.call("", "GET", &path, "").await;
    assert_eq!(fetched.status, 200);
    assert!(!path.contains("Shop"), "it tells nothing: {path}");
    let mut other = path.clone();
    other.pop();
    let refused = server.call("", "GET", &other, "").await;
    assert_error(&refused, 404, "NotFoundException");
    let own = path_of(&server, EXPORT).await;
    let revoked = server.delete(&format!("/convlog/v1/keys/{id}")).await;
    assert_eq!(revoked.status, 204);
    let refused = server.call("", "GET", &path, "").await;
    assert_error(&refused, 404, "NotFoundException");
    assert_eq!(server.call("", "GET", &own, "").await.status, 200);
    server.clock.step(15 * 60 * 1_000_000);
    let refused = server.call("", "GET", &own, "").await;
    assert_error(&refused, 404, "NotFoundException");
}

#[tokio::test]
async fn exports_of_something_else_are_errors() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for (query, status) in [
        (
            "name=Shop&version=1&resourceType=BOT&exportType=ALEXA_SKILLS_KIT",
            400,
        ),
        (
            "name=Shop&version=$LATEST&resourceType=BOT&exportType=LEX",
            400,
        ),
        ("name=Shop&version=2&resourceType=BOT&exportType=LEX", 404),
        ("name=Other&version=1&resourceType=BOT&exportType=LEX", 404),
        (
            "name=Shop&version=1&resourceType=INTENT&exportType=LEX",
            404,
        ),
        ("name=Shop&version=1&exportType=LEX", 400),
    ] {
        let refused = server.get(&format!("/exports?{query}")).await;
        assert_eq!(refused.status, status, "{query} {}", refused.text());
    }
}

#[tokio::test]
async fn an_import_that_was_cut_off_has_failed() {
    let server = Server::start().await;
    let file = document(r#"{"name":"Kinds","enumerationValues":[]}"#);
    let started = send(&server, ADMIN, "SLOT_TYPE", MERGES[0], &file).await;
    let id = started.text_at("importId");
    let key = format!("default/{id}");
    let control = &server.deps.control;
    let kept = control.get("lex_imports", &key).await.unwrap().unwrap();
    let body = String::from_utf8(kept.body).unwrap();
    let cut = body.replace("COMPLETE", "IN_PROGRESS");
    let expect = convlog_model::control::Expect::Version(kept.version);
    control
        .put("lex_imports", &key, cut.as_bytes(), expect)
        .await
        .unwrap();
    let shown = server.found(&format!("/imports/{id}")).await;
    assert_eq!(text(&shown, "importStatus"), "FAILED");
    assert!(shown.to_string().contains("import again"), "{shown}");
}
