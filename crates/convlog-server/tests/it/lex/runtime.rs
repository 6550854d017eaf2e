//! `PostText`, `PostContent` and sessions: forms, headers and errors.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::json::Json;
use convlog_server::ServerConfig;

use super::*;
use crate::deliveries::until;
use crate::fake::{Fake, Script};
use crate::harness::ADMIN;

async fn content(server: &Server, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request =
        Request::post(format!("{USER}/content")).header("authorization", format!("Bearer {ADMIN}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server
        .send(request.body(Body::from(body.to_vec())).unwrap())
        .await
}

const TEXT: (&str, &str) = ("content-type", "text/plain; charset=utf-8");
const PLAIN: (&str, &str) = ("accept", "text/plain; charset=utf-8");
const SPEECH: (&str, &str) = ("content-type", "audio/l16; rate=16000; channels=1");

fn decoded(answer: &Answer, header: &str) -> String {
    let bytes = STANDARD.decode(answer.header(header)).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_text_is_answered_in_headers() {
    let server = with_logs().await;
    let attributes = ("x-amz-lex-session-attributes", "eyJzIjoiXHUwMGU5In0=");
    let answer = content(&server, &[TEXT, PLAIN, attributes], b"order roses").await;
    is(&answer, 200);
    for (header, expected) in [
        ("x-amz-lex-intent-name", "Order"),
        ("x-amz-lex-dialog-state", "ElicitSlot"),
        ("x-amz-lex-slot-to-elicit", "Name"),
        ("x-amz-lex-message-format", "PlainText"),
        ("x-amz-lex-bot-version", "1"),
        ("x-amz-lex-message", "Your name?"),
        ("x-amz-lex-input-transcript", "order roses"),
        ("content-type", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(answer.header(header), expected, "{header}");
    }
    assert_eq!(answer.text(), "Your name?");
    assert_eq!(decoded(&answer, "x-amz-lex-encoded-message"), "Your name?");
    assert_eq!(
        decoded(&answer, "x-amz-lex-slots"),
        r#"{"Kind":"roses","Name":null}"#
    );
    assert_eq!(
        decoded(&answer, "x-amz-lex-session-attributes"),
        r#"{"s":"é"}"#
    );
    assert!(!answer.header("x-amzn-requestid").is_empty());
    let entry = entries(&server).await.remove(0);
    assert_eq!(
        text(&entry, &["requestId"]),
        answer.header("x-amzn-requestid")
    );
    assert_eq!(text(&entry, &["sessionAttributes", "s"]), "é");
}

#[tokio::test]
async fn speech_that_nobody_reads_is_a_missed_utterance() {
    let server = with_logs().await;
    let answer = content(&server, &[SPEECH, PLAIN], &[0; 320]).await;
    is(&answer, 200);
    assert_eq!(answer.header("x-amz-lex-dialog-state"), "ElicitIntent");
    let entry = entries(&server).await.remove(0);
    assert_eq!(entry.get("missedUtterance"), Some(&Json::Bool(true)));
    assert_eq!(text(&entry, &["inputDialogMode"]), "Speech");
}

#[tokio::test]
async fn speech_is_read_and_spoken_by_services_of_the_configuration() {
    let reader = Fake::json(r#"{"transcript":"order tulips"}"#).await;
    let voice = Fake::start(Script::Answer(200, "audio/mpeg", "sound".to_owned())).await;
    let mut config = ServerConfig::default();
    config.lex.transcriber = Some(reader.url());
    config.lex.synthesizer = Some(voice.url());
    let server = shop(config, Some(TEXT_LOGS)).await;
    let answer = content(&server, &[SPEECH, ("accept", "audio/*")], b"abcd").await;
    is(&answer, 200);
    assert_eq!(
        (answer.header("content-type"), answer.text()),
        ("audio/mpeg", "sound".to_owned())
    );
    assert_eq!(
        answer.header("x-amz-lex-slots"),
        STANDARD.encode(r#"{"Kind":"tulips","Name":null}"#)
    );
    assert_eq!(reader.seen()[0].body, "abcd");
    assert_eq!(reader.seen()[0].headers["content-type"], SPEECH.1);
    assert!(voice.seen()[0].body.contains("Your name?"));
    reader.now_does(Script::Answer(500, "text/plain", String::new()));
    let failed = content(&server, &[SPEECH, PLAIN], b"abcd").await;
    is(&failed, 424);
    assert!(failed.text().contains(r#""Message":"#), "{}", failed.text());
}

const FEELS: &str = r#"{"Sentiment":"POSITIVE","SentimentScore":
    {"Positive":0.9,"Negative":0.02,"Neutral":0.08,"Mixed":1e-3}}"#;

#[tokio::test]
async fn what_the_user_feels_is_told_where_the_bot_detects_it() {
    let critic = Fake::json(FEELS).await;
    let mut config = ServerConfig::default();
    config.lex.sentiment = Some(critic.url());
    let bot = bot(r#","detectSentiment":true"#);
    let server = shop_of(config.clone(), &bot, Some(TEXT_LOGS)).await;
    let label = ["sentimentResponse", "sentimentLabel"];
    let score = ["sentimentResponse", "sentimentScore"];
    let told = "{Positive: 0.9,Negative: 0.02,Neutral: 0.08,Mixed: 1e-3}";
    let answer = say(&server, "order tulip").await;
    assert_eq!(text(&answer, &label), "POSITIVE");
    assert_eq!(text(&answer, &score), told);
    let asked = r#"{"LanguageCode":"en","Text":"order tulip"}"#;
    assert_eq!(critic.seen()[0].body, asked);
    let answer = content(&server, &[TEXT, PLAIN], b"Ann").await;
    is(&answer, 200);
    let header = answer.header("x-amz-lex-sentiment");
    let header = Json::parse(header.as_bytes()).unwrap();
    assert_eq!(text(&header, &["sentimentScore"]), told);
    let entries = entries(&server).await;
    assert_eq!(text(&entries[0], &label), "POSITIVE");
    assert_eq!(text(&entries[1], &score), told);
    critic.now_does(Script::Answer(500, "text/plain", String::new()));
    let answer = say(&server, "order tulip").await;
    assert_eq!(answer.get("sentimentResponse"), None);
    let without = shop(config, None).await;
    let n_asked = critic.seen().len();
    say(&without, "order tulip").await;
    assert_eq!(critic.seen().len(), n_asked);
}

#[tokio::test]
async fn what_is_wrong_with_content_has_its_own_status() {
    let server = with_logs().await;
    let attributes = |value| ("x-amz-lex-session-attributes", value);
    let long = "x".repeat(1025);
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [u8], u16, &'a str);
    // Each is as large as may be, both together are not.
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat((12 << 10) - 1));
    let large = STANDARD.encode(large);
    let large = large.as_str();
    let cases: [Case<'_>; 10] = [
        (
            &[
                TEXT,
                attributes(large),
                ("x-amz-lex-request-attributes", "eyJhIjoiYiJ9"),
            ],
            b"x",
            400,
            "BadRequestException",
        ),
        (
            &[("content-type", "text/html")],
            b"x",
            415,
            "UnsupportedMediaTypeException",
        ),
        (
            &[TEXT, ("accept", "image/png")],
            b"x",
            406,
            "NotAcceptableException",
        ),
        (
            &[TEXT, ("accept", "audio/mpeg")],
            b"x",
            406,
            "NotAcceptableException",
        ),
        (&[SPEECH], &vec![0; 480_001], 408, "RequestTimeoutException"),
        (&[TEXT], b"", 400, "BadRequestException"),
        (&[TEXT], b"\xff", 400, "BadRequestException"),
        (&[TEXT], long.as_bytes(), 400, "BadRequestException"),
        (&[TEXT, attributes("***")], b"x", 400, "BadRequestException"),
        (
            &[TEXT, attributes("eyJhIjoxfQ==")],
            b"x",
            400,
            "BadRequestException",
        ),
    ];
    for (headers, body, status, code) in cases {
        let answer = content(&server, headers, body).await;
        is(&answer, status);
        assert_eq!(answer.header("x-amzn-errortype"), code, "{headers:?}");
    }
    is(
        &content(&server, &[TEXT, attributes(large)], b"x").await,
        200,
    );
    let broken = content(&server, &[TEXT, attributes("***")], b"x").await;
    assert!(broken.text().contains(
        "Failed to decode session attributes. Session attributes should be a Base64 encoded json \
         map of String to String."
    ));
}

#[tokio::test]
async fn a_session_is_shown_put_and_deleted() {
    let server = with_logs().await;
    let session = format!("{USER}/session");
    is(&server.get(&session).await, 404);
    say(&server, "order roses").await;
    let shown = server.get(&format!("{session}/")).await.json();
    assert_eq!(text(&shown, &["dialogAction", "type"]), "ElicitSlot");
    assert_eq!(text(&shown, &["dialogAction", "slotToElicit"]), "Name");
    let body = r#"{"dialogAction":{"type":"ElicitSlot","intentName":"Order","slotToElicit":"Kind",
        "slots":{"Name":"Bob"}},"sessionAttributes":{"a":"b"}}"#;
    let put = server.post(&session, body).await;
    is(&put, 200);
    assert_eq!(put.header("x-amz-lex-slot-to-elicit"), "Kind");
    let done = say(&server, "tulips").await;
    assert_eq!(text(&done, &["slots", "Name"]), "Bob");
    assert_eq!(text(&done, &["sessionAttributes", "a"]), "b");
    let wrong = r#"{"dialogAction":{"type":"Dance"}}"#;
    is(&server.post(&session, wrong).await, 400);
    let gone = server.call(ADMIN, "DELETE", &session, "").await;
    is(&gone, 200);
    assert_eq!(gone.text_at("userId"), "u1");
    is(&server.call(ADMIN, "DELETE", &session, "").await, 404);
    assert_eq!(
        entries(&server).await.len(),
        2,
        "what is put is no utterance"
    );
}

/// A bot whose turns are decided by a function.
async fn hooked(function: &Fake) -> Server {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:flowers";
    let mut config = ServerConfig::default();
    config
        .aws
        .functions
        .push(convlog_server::config::AwsTarget {
            arn: arn.to_owned(),
            url: function.url(),
        });
    let server = Server::with(config).await;
    let hook = format!(r#"{{"uri":"{arn}","messageVersion":"1.0"}}"#);
    let hooked = ORDER.replace(
        r#""fulfillmentActivity":{"type":"ReturnIntent"}"#,
        &format!(
            r#""dialogCodeHook":{hook},"fulfillmentActivity":{{"type":"CodeHook","codeHook":{hook}}}"#
        ),
    );
    put_order(&server, &hooked).await;
    is(
        &server.put("/bots/Shop/versions/$LATEST", &bot("")).await,
        200,
    );
    put_alias(&server, "$LATEST", Some(TEXT_LOGS)).await;
    server
}

const CLOSE: &str = r#"{"dialogAction":{"type":"Close","fulfillmentState":"Fulfilled",
    "message":{"contentType":"PlainText","content":"No flowers today"}}}"#;

#[tokio::test]
async fn a_customer_who_is_erased_during_a_turn_leaves_no_session() {
    let function = Fake::json(r#"{"dialogAction":{"type":"Delegate"}}"#).await;
    let server = hooked(&function).await;
    let body = r#"{"inputText":"order roses",
        "requestAttributes":{"x-convlog-customer-id":"k1"}}"#;
    is(&server.post(&format!("{USER}/text"), body).await, 200);
    let may = std::sync::Arc::new(tokio::sync::Notify::new());
    function.now_does(Script::Waits(may.clone(), CLOSE.to_owned()));
    let n_seen = function.seen().len();
    let body = r#"{"dialogAction":{"type":"Delegate","intentName":"Order",
        "slots":{"Kind":"roses","Name":"Ann"}}}"#;
    let uri = format!("{USER}/session");
    let put = server.post(&uri, body);
    let erase = async {
        until("a call of the function", async || {
            (function.seen().len() > n_seen).then_some(())
        })
        .await;
        let erase = r#"{"customer_id":"k1"}"#;
        is(&server.post("/convlog/v1/erasures", erase).await, 202);
        may.notify_one();
    };
    let (put, ()) = tokio::join!(put, erase);
    is(&put, 200);
    is(&server.get(&uri).await, 404);
}

#[tokio::test]
async fn a_function_is_asked_at_each_turn_and_obeyed() {
    let function = Fake::json(CLOSE).await;
    let server = hooked(&function).await;
    let answer = say(&server, "order roses").await;
    assert_eq!(text(&answer, &["message"]), "No flowers today");
    assert_eq!(text(&answer, &["dialogState"]), "Fulfilled");
    let event = Json::parse(function.seen()[0].body.as_bytes()).unwrap();
    assert_eq!(text(&event, &["currentIntent", "name"]), "Order");
    assert_eq!(text(&event, &["invocationSource"]), "DialogCodeHook");
    function.now_does(Script::Answer(200, "application/json", "{}".to_owned()));
    let failed = server
        .post(&format!("{USER}/text"), r#"{"inputText":"order roses"}"#)
        .await;
    is(&failed, 424);
    assert_eq!(
        failed.header("x-amzn-errortype"),
        "DependencyFailedException"
    );
}

#[tokio::test]
async fn another_connector_may_answer_for_a_bot() {
    let webhook = Fake::json(
        r#"{"output":[{"type":"text","text":"hello"}],"intents":[{"name":"greet","confidence":1}]}"#,
    )
    .await;
    let mut config = ServerConfig::default();
    config.connectors.listening_on = vec![std::net::Ipv4Addr::LOCALHOST.into()];
    let server = shop(config, Some(TEXT_LOGS)).await;
    let body = format!(
        r#"{{"connector":{{"kind":"webhook","url":"{}"}}}}"#,
        webhook.url()
    );
    is(&server.put("/convlog/v1/bots/Shop", &body).await, 200);
    is(
        &server
            .call(ADMIN, "DELETE", "/convlog/v1/bots/Shop", "")
            .await,
        409,
    );
    let answer = say(&server, "hi").await;
    assert_eq!(text(&answer, &["intentName"]), "greet");
    assert_eq!(text(&answer, &["message"]), "hello");
    webhook.now_does(Script::Answer(500, "text/plain", String::new()));
    let failed = server
        .post(&format!("{USER}/text"), r#"{"inputText":"again"}"#)
        .await;
    is(&failed, 424);
    assert_eq!(
        entries(&server).await.len(),
        2,
        "a turn that failed is kept too"
    );
    is(
        &server
            .put("/convlog/v1/bots/Shop", r#"{"name":"other"}"#)
            .await,
        400,
    );
}

#[tokio::test]
async fn wrong_requests_name_the_member() {
    let server = with_logs().await;
    for (uri, body, part) in [
        ("/bot/Shop/alias/PROD/user/u1/text", "{}", "'inputText'"),
        (
            "/bot/Shop/alias/PROD/user/u/text",
            r#"{"inputText":"x"}"#,
            "'userId'",
        ),
        (
            "/bot/Shop/alias/PROD/user/u1/text",
            r#"{"inputText":""}"#,
            "'inputText'",
        ),
        (
            "/bot/Shop/alias/PROD/user/u1/text",
            r#"{"inputText":1}"#,
            "inputText",
        ),
        ("/bot/Shop/alias/PROD/user/u1/text", "[", "not valid JSON"),
        (
            "/bot/Nope/alias/PROD/user/u1/text",
            r#"{"inputText":"x"}"#,
            "'Nope'",
        ),
        (
            "/bot/Shop/alias/Nope/user/u1/text",
            r#"{"inputText":"x"}"#,
            "'Nope'",
        ),
    ] {
        let answer = server.post(uri, body).await;
        assert!((400..405).contains(&answer.status.as_u16()), "{uri}");
        assert!(
            answer.text().contains(part),
            "{uri} {body}: {}",
            answer.text()
        );
    }
}
