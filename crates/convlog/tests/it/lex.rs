//! Lex bots by the real program: what is not to be logged or is hidden is nowhere on disk, also
//! after kill -9, and an erased customer leaves nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{
    Server, Start, all_erased, eventually, found_in, log, newest_log, rows_of, scratch,
};

const WORD: &str = "Zq7kVx93mPw2LdTe8RbYh4";
const SHOWN: &str = "fK2sWq81xTzB6nJv4MhGp0";
const CUSTOMER: &str = "cU9rYd35eLoX7aHi1SgNt8";
/// More than a change of a document is tried.
const N_AT_ONCE: usize = 128;
const ROLE: &str = "arn:aws:iam::123456789012:role/lexlogs";

fn messages(text: &str) -> Value {
    json!([{"contentType": "PlainText", "content": text}])
}

/// A bot whose one intent asks for a name that logs hide.
fn bot(server: &Server, is_for_children: bool) {
    let slot = json!({
        "name": "Name", "slotConstraint": "Required", "slotType": "AMAZON.Person", "priority": 1,
        "obfuscationSetting": "DEFAULT_OBFUSCATION",
        "valueElicitationPrompt": {"maxAttempts": 2, "messages": messages("Your name?")},
    });
    let intent = json!({
        "sampleUtterances": ["order flowers"], "slots": [slot], "createVersion": true,
        "fulfillmentActivity": {"type": "ReturnIntent"},
    });
    server.send("PUT", "/intents/Order/versions/$LATEST", &intent);
    let bot = json!({
        "locale": "en-US", "childDirected": is_for_children,
        "intents": [{"intentName": "Order", "intentVersion": "1"}],
        "clarificationPrompt": {"maxAttempts": 5, "messages": messages("Pardon?")},
        "abortStatement": {"messages": messages("Goodbye")},
    });
    server.send("PUT", "/bots/Shop/versions/$LATEST", &bot);
    server.send("POST", "/bots/Shop/versions", &json!({}));
}

fn alias(server: &Server, logs: &[Value]) {
    let mut alias = json!({"botVersion": "1"});
    if !logs.is_empty() {
        alias["conversationLogs"] = json!({"iamRoleArn": ROLE, "logSettings": logs});
    }
    server.send("PUT", "/bots/Shop/aliases/PROD", &alias);
}

fn text_log() -> Value {
    json!({
        "logType": "TEXT", "destination": "CLOUDWATCH_LOGS",
        "resourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs",
    })
}

fn say(server: &Server, alias: &str, text: &str) -> Value {
    let body = json!({
        "inputText": text, "sessionAttributes": {"seen": text},
        "requestAttributes": {"x-convlog-customer-id": CUSTOMER},
    });
    let path = format!("/bot/Shop/alias/{alias}/user/u1/text");
    server.send("POST", &path, &body)
}

fn start(dir: &Path) -> Server {
    Start::on(dir).server()
}

/// Where on disk the bytes are: in files as they lie there, and in rows that are compressed.
fn kept_in(dir: &Path, part: &str) -> Vec<String> {
    let mut found = found_in(dir, part.as_bytes());
    if let Some((name, log)) = newest_log(&dir.join("data")) {
        let holds = |row: &Vec<u8>| {
            row.windows(part.len())
                .any(|window| window == part.as_bytes())
        };
        found.extend(rows_of(&log).iter().any(holds).then_some(name));
    }
    found
}

/// Talks, and looks for the word on disk after a kill and after a stop.
fn leaves_nothing(is_for_children: bool, has_logs: bool, through: &str) {
    let dir = scratch();
    let server = start(dir.path());
    bot(&server, is_for_children);
    let logs: Vec<Value> = has_logs.then(text_log).into_iter().collect();
    alias(&server, &logs);
    let answer = say(&server, through, WORD);
    assert_eq!(answer["sessionAttributes"]["seen"], WORD, "{answer}");
    server.kill();
    let none: Vec<String> = Vec::new();
    assert_eq!(kept_in(dir.path(), WORD), none, "after a kill");
    let server = start(dir.path());
    let path = format!("/bot/Shop/alias/{through}/user/u1/session");
    let session = server.get(&path);
    assert_eq!(
        session["sessionAttributes"]["seen"], WORD,
        "the session goes on"
    );
    assert_eq!(server.turns().len(), 0);
    server.stop();
    assert_eq!(kept_in(dir.path(), WORD), none, "after a stop");
}

#[test]
fn no_word_is_kept_where_text_is_not_logged() {
    leaves_nothing(false, false, "PROD");
}

#[test]
fn no_word_is_kept_of_what_is_said_to_the_latest_version() {
    leaves_nothing(false, true, "$LATEST");
}

#[test]
fn no_word_is_kept_of_what_children_say() {
    leaves_nothing(true, true, "PROD");
}

/// Posts from many clients at the same moment; what is not answered with 200.
fn refused_at_once<F: Fn(u64) -> (String, String)>(server: &Server, requests: F) -> Vec<String> {
    let start = Barrier::new(N_AT_ONCE);
    let post = |(path, body): (String, String)| {
        let client = server.client();
        start.wait();
        client.request("POST", &path, &body).unwrap()
    };
    std::thread::scope(|scope| {
        let begin = |i| {
            let (request, post) = (requests(i), &post);
            scope.spawn(move || post(request))
        };
        let clients: Vec<_> = (0..N_AT_ONCE as u64).map(begin).collect();
        let answers = clients.into_iter().map(|client| client.join().unwrap());
        let refused = answers.filter(|(status, _)| *status != 200);
        refused.map(|(_, text)| text).collect()
    })
}

#[test]
fn many_who_come_first_at_the_same_time_are_all_answered() {
    let dir = scratch();
    let server = start(dir.path());
    bot(&server, false);
    alias(&server, &[text_log()]);
    let none: Vec<String> = Vec::new();
    let said = |user| {
        let path = format!("/bot/Shop/alias/PROD/user/u{user}/text");
        (path, json!({"inputText": "order flowers"}).to_string())
    };
    assert_eq!(refused_at_once(&server, said), none, "to a new destination");
    let imported = |n| {
        let path = "/convlog/v1/records?dialect=watson-v1".to_owned();
        (path, log("newcomer", n, "hello").to_string())
    };
    assert_eq!(refused_at_once(&server, imported), none, "to a new bot");
    assert_eq!(server.turns().len(), 2 * N_AT_ONCE);
}

#[test]
fn a_hidden_value_is_nowhere_on_disk_and_an_erased_customer_leaves_nothing() {
    let dir = scratch();
    let server = start(dir.path());
    bot(&server, false);
    alias(&server, &[text_log()]);
    say(&server, "PROD", "order flowers");
    let body = json!({
        "inputText": format!("my name is {WORD}"),
        "requestAttributes": {"x-convlog-customer-id": CUSTOMER, "seen": SHOWN},
    });
    let answer = server.send("POST", "/bot/Shop/alias/PROD/user/u1/text", &body);
    assert!(
        answer["slots"]["Name"].as_str().unwrap().contains(WORD),
        "{answer}"
    );
    let turns = server.turns();
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[1]["raw"]["slots"]["Name"], "{Name}");
    let none: Vec<String> = Vec::new();
    assert_eq!(kept_in(dir.path(), WORD), none);
    assert_ne!(
        kept_in(dir.path(), SHOWN),
        none,
        "the scan finds what is kept"
    );
    let erase = json!({"customer_id": CUSTOMER});
    server.send("POST", "/convlog/v1/erasures", &erase);
    all_erased(&server);
    assert_eq!(server.turns().len(), 0);
    server.stop();
    for part in [WORD, SHOWN, CUSTOMER] {
        assert_eq!(kept_in(dir.path(), part), none, "{part}");
    }
}

/// What stands for S3, for CloudWatch Logs and for a transcriber, which hears one word in everything.
#[derive(Clone, Debug)]
struct Elsewhere {
    url: String,
    /// Whether S3 takes anything.
    is_up: Arc<Mutex<bool>>,
    objects: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Elsewhere {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let elsewhere = Elsewhere {
            url: format!("http://{}", listener.local_addr().unwrap()),
            is_up: Arc::new(Mutex::new(false)),
            objects: Arc::default(),
        };
        let server = elsewhere.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                server.answer(stream);
            }
        });
        elsewhere
    }

    fn answer(&self, stream: TcpStream) {
        let mut reader = BufReader::new(&stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or_default() == 0 {
                return;
            }
        }
        let head = head.to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        if head.contains("100-continue") {
            (&stream)
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .unwrap();
        }
        reader.read_exact(&mut body).unwrap();
        let (status, answer) = if head.starts_with("post /hear ") {
            ("200 OK", json!({"transcript": WORD}).to_string())
        } else if *self.is_up.lock().unwrap() {
            self.objects.lock().unwrap().push(body);
            ("200 OK", String::new())
        } else {
            ("503 Service Unavailable", String::new())
        };
        let n_bytes = answer.len();
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {n_bytes}\r\nconnection: close\r\n\r\n");
        // The program may be killed meanwhile.
        let _sent = (&stream).write_all(format!("{head}{answer}").as_bytes());
    }
}

/// Settings for a server that knows it; `logs` are the further ones of `[aws.endpoints]`.
fn configure(dir: &Path, url: &str, logs: &str) {
    let config = format!(
        "[aws.endpoints]\ns3 = \"{url}\"\n{logs}[lex.transcriber]\nurl = \"{url}/hear\"\n\
         [[aws.roles]]\narn = \"{ROLE}\"\naccess_key_id = \"AKIA\"\nsecret_access_key = \"s\"\n"
    );
    fs::write(dir.join("convlog.toml"), config).unwrap();
}

fn start_configured(dir: &Path) -> Server {
    Start::on(dir).args(["--config", "convlog.toml"]).server()
}

fn audio_log() -> Value {
    json!({"logType": "AUDIO", "destination": "S3", "resourceArn": "arn:aws:s3:::lex-audio"})
}

/// What the customer says aloud.
fn say_aloud(server: &Server) -> String {
    let path = "/bot/Shop/alias/PROD/user/u1/content";
    let attributes = json!({"x-convlog-customer-id": CUSTOMER}).to_string();
    let attributes = STANDARD.encode(attributes);
    let headers = [
        ("Content-Type", "audio/l16; rate=16000; channels=1"),
        ("Accept", "text/plain; charset=utf-8"),
        ("x-amz-lex-request-attributes", attributes.as_str()),
    ];
    let answered = server.client().request_with("POST", path, SHOWN, &headers);
    let (status, answer) = answered.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

#[test]
fn of_audio_alone_the_object_is_delivered_and_no_word_is_kept() {
    let dir = scratch();
    let elsewhere = Elsewhere::start();
    configure(dir.path(), &elsewhere.url, "");
    let server = start_configured(dir.path());
    bot(&server, false);
    alias(&server, &[audio_log()]);
    say_aloud(&server);
    server.kill();
    let none: Vec<String> = Vec::new();
    assert_eq!(kept_in(dir.path(), WORD), none, "after a kill");
    let waiting = kept_in(dir.path(), SHOWN);
    assert!(!waiting.is_empty(), "the audio waits on disk");
    *elsewhere.is_up.lock().unwrap() = true;
    let server = start_configured(dir.path());
    say_aloud(&server);
    eventually(|| {
        let waits = server.get("/convlog/v1/deliveries");
        (waits["audio"]["waiting"]["count"] == 0).then_some(())
    });
    let objects = elsewhere.objects.lock().unwrap().clone();
    assert_eq!(objects, [SHOWN.as_bytes(), SHOWN.as_bytes()]);
    assert_eq!(server.turns().len(), 0);
    server.stop();
    for part in [WORD, SHOWN] {
        assert_eq!(kept_in(dir.path(), part), none, "{part} after a stop");
    }
}

#[test]
fn of_an_erased_customer_nothing_waits_for_delivery() {
    let dir = scratch();
    let elsewhere = Elsewhere::start();
    let logs = format!("logs = \"{}\"\n", elsewhere.url);
    configure(dir.path(), &elsewhere.url, &logs);
    let server = start_configured(dir.path());
    bot(&server, false);
    alias(&server, &[text_log(), audio_log()]);
    say(&server, "PROD", "order flowers");
    say_aloud(&server);
    let waits = server.get("/convlog/v1/deliveries");
    assert_eq!(waits["audio"]["waiting"]["count"], 1, "{waits}");
    let lanes = waits["lanes"].as_array().unwrap();
    let n_waiting: u64 = lanes
        .iter()
        .map(|lane| lane["waiting"]["count"].as_u64().unwrap())
        .sum();
    assert_eq!(n_waiting, 2, "{waits}");
    let none: Vec<String> = Vec::new();
    assert_ne!(kept_in(dir.path(), SHOWN), none, "the audio waits");
    let erase = json!({"customer_id": CUSTOMER});
    let erasure = server.send("POST", "/convlog/v1/erasures", &erase);
    all_erased(&server);
    let id = erasure["id"].as_str().unwrap();
    let told = server.get(&format!("/convlog/v1/erasures/{id}"));
    // What was being tried at that moment may have arrived, for all that convlog knows.
    let of = |member: &str| told[member].as_u64().unwrap();
    assert_eq!(of("deliveries_dropped") + of("copies_count"), 3, "{told}");
    server.stop();
    *elsewhere.is_up.lock().unwrap() = true;
    for part in [WORD, SHOWN, CUSTOMER] {
        assert_eq!(kept_in(dir.path(), part), none, "{part}");
    }
    let server = start_configured(dir.path());
    let waits = server.get("/convlog/v1/deliveries");
    assert_eq!(waits["audio"]["waiting"]["count"], 0, "{waits}");
    server.stop();
    assert_eq!(*elsewhere.objects.lock().unwrap(), [[0; 0]; 0]);
}
