//! CloudWatch Logs, S3 and STS on a free port of this machine, as far as deliveries need them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use convlog_model::json::Json;

use super::background;
use super::{AwsConfig, AwsEndpoint, AwsEndpoints, AwsRole, ServerConfig};

/// The role whose key the fake takes.
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/lex-logs";

/// A server whose text and audio go to this place.
pub(crate) fn config(aws: &FakeAws) -> ServerConfig {
    let url = || Some(AwsEndpoint::Url(aws.url()));
    let aws = AwsConfig {
        builtin_logs: false,
        endpoints: AwsEndpoints {
            logs: Some(aws.url()),
            s3: url(),
            sts: url(),
        },
        roles: vec![AwsRole {
            arn: ROLE.to_owned(),
            access_key_id: "AKIALEX".to_owned(),
            secret_access_key: "secret".to_owned(),
            assume: false,
            pass: None,
        }],
        ..AwsConfig::default()
    };
    ServerConfig {
        aws,
        ..ServerConfig::default()
    }
}

/// An object as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: String,
    pub(crate) kms_key: Option<String>,
}

/// What a call is answered instead of what it deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Status(u16, &'static str),
    /// It is done, and the answer comes late.
    Slow(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Held {
    /// By group, by stream: time and message in the order of arrival.
    pub(crate) groups: BTreeMap<String, BTreeMap<String, Vec<(i64, String)>>>,
    pub(crate) buckets: BTreeMap<String, BTreeMap<String, Object>>,
    /// What was written, in order: `text` or the key of an object.
    pub(crate) order: Vec<String>,
    /// Sizes of calls of PutLogEvents that were taken.
    pub(crate) calls: Vec<usize>,
    pub(crate) n_refused: usize,
    /// For the next calls of PutLogEvents and PutObject.
    pub(crate) logs_trouble: VecDeque<Trouble>,
    pub(crate) s3_trouble: VecDeque<Trouble>,
    /// Goes on without end.
    pub(crate) logs_down: Option<Trouble>,
    pub(crate) s3_down: Option<Trouble>,
    pub(crate) ignores_encryption: bool,
    /// Messages that hold this are too old.
    pub(crate) too_old: Option<&'static str>,
    pub(crate) n_assumed: usize,
    /// What the next calls of AssumeRole are answered.
    pub(crate) sts_trouble: VecDeque<Trouble>,
    /// Access keys of calls, as signed.
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct FakeAws {
    address: std::net::SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl FakeAws {
    /// With the log group and the bucket that the tests use.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = FakeAws {
            address: listener.local_addr().unwrap(),
            held: Arc::default(),
        };
        fake.held()
            .groups
            .insert(super::GROUP.to_owned(), BTreeMap::new());
        let router = Router::new().fallback(answer).with_state(fake.clone());
        background(async move { axum::serve(listener, router).await.unwrap() });
        fake
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    /// Everything in the log group, by stream.
    pub(crate) fn events(&self) -> Vec<(i64, String)> {
        let held = self.held();
        let streams = held.groups.get(super::GROUP);
        streams
            .into_iter()
            .flat_map(|group| group.values().flatten().cloned())
            .collect()
    }

    /// What users said in the entries of the log group.
    pub(crate) fn said(&self) -> Vec<String> {
        let events = self.events().into_iter();
        events.map(|(_, message)| said_in(&message)).collect()
    }
}

pub(crate) fn said_in(message: &str) -> String {
    let entry = Json::parse(message.as_bytes()).unwrap();
    let said = entry.get("inputTranscript").and_then(Json::as_str);
    said.unwrap().to_owned()
}

async fn answer(
    State(fake): State<FakeAws>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let signed = header("authorization");
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential="),
        "{signed}"
    );
    let key = signed.split(['=', '/']).nth(1).unwrap_or_default();
    fake.held().keys.push(key.to_owned());
    let target = header("x-amz-target");
    let is_put = target.ends_with(".PutLogEvents") || method == Method::PUT;
    let trouble = is_put
        .then(|| next_trouble(&fake, method == Method::PUT))
        .flatten();
    if let Some(Trouble::Status(status, code)) = trouble {
        fake.held().n_refused += 1;
        return refused(method == Method::PUT, status, code);
    }
    let answer = match target.as_str() {
        "Logs_20140328.PutLogEvents" => put_events(&fake, &body),
        "Logs_20140328.CreateLogStream" => create_stream(&fake, &body),
        _ if method == Method::PUT => put_object(&fake, &uri, &headers, &body),
        _ => assume(&fake, &body),
    };
    if let Some(Trouble::Slow(ms)) = trouble {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    answer
}

fn next_trouble(fake: &FakeAws, is_s3: bool) -> Option<Trouble> {
    let mut held = fake.held();
    match is_s3 {
        true => held.s3_trouble.pop_front().or(held.s3_down),
        false => held.logs_trouble.pop_front().or(held.logs_down),
    }
}

fn refused(is_s3: bool, status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let body = match is_s3 {
        true => format!("<Error><Code>{code}</Code><Message>no</Message></Error>"),
        false => format!(r#"{{"__type":"{code}","message":"no"}}"#),
    };
    let kind = if is_s3 {
        "application/xml"
    } else {
        "application/x-amz-json-1.1"
    };
    (status, [("content-type", kind)], body).into_response()
}

fn text(body: &Json, name: &str) -> String {
    body.get(name).and_then(Json::as_str).unwrap().to_owned()
}

fn put_events(fake: &FakeAws, body: &Bytes) -> Response {
    let body = Json::parse(body).unwrap();
    let mut held = fake.held();
    let too_old = held.too_old;
    let group = held.groups.get_mut(&text(&body, "logGroupName"));
    let Some(stream) = group.and_then(|group| group.get_mut(&text(&body, "logStreamName"))) else {
        held.n_refused += 1;
        return refused(false, 400, "ResourceNotFoundException");
    };
    let events = body.get("logEvents").and_then(Json::as_array).unwrap();
    let events: Vec<(i64, String)> = events
        .iter()
        .map(|event| {
            let at_ms = event.get("timestamp").unwrap().to_string();
            (at_ms.parse().unwrap(), text(event, "message"))
        })
        .collect();
    assert!(events.is_sorted_by_key(|(at_ms, _)| *at_ms), "out of order");
    assert!((1..=10_000).contains(&events.len()));
    let n_bytes: usize = events.iter().map(|(_, message)| message.len() + 26).sum();
    assert!(n_bytes <= 1_048_576, "{n_bytes}");
    let is_old = |message: &str| too_old.is_some_and(|part| message.contains(part));
    let n_old = events
        .iter()
        .take_while(|(_, message)| is_old(message))
        .count();
    let n_events = events.len();
    stream.extend(events.into_iter().skip(n_old));
    held.calls.push(n_events);
    held.order.push("text".to_owned());
    let answer = match n_old {
        0 => "{}".to_owned(),
        n => format!(r#"{{"rejectedLogEventsInfo":{{"tooOldLogEventEndIndex":{n}}}}}"#),
    };
    ([("content-type", "application/x-amz-json-1.1")], answer).into_response()
}

fn create_stream(fake: &FakeAws, body: &Bytes) -> Response {
    let body = Json::parse(body).unwrap();
    let mut held = fake.held();
    match held.groups.get_mut(&text(&body, "logGroupName")) {
        None => refused(false, 400, "ResourceNotFoundException"),
        Some(group) => {
            group.entry(text(&body, "logStreamName")).or_default();
            ([("content-type", "application/x-amz-json-1.1")], "").into_response()
        }
    }
}

fn put_object(fake: &FakeAws, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap();
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let mut held = fake.held();
    let ignores_encryption = held.ignores_encryption;
    let Some(objects) = held.buckets.get_mut(bucket) else {
        held.n_refused += 1;
        return refused(true, 404, "NoSuchBucket");
    };
    let object = Object {
        bytes: body.to_vec(),
        content_type: header("content-type").unwrap_or_default(),
        kms_key: header("x-amz-server-side-encryption-aws-kms-key-id"),
    };
    objects.insert(key.to_owned(), object);
    held.order.push(key.to_owned());
    match header("x-amz-server-side-encryption").filter(|_| !ignores_encryption) {
        Some(how) => ([("x-amz-server-side-encryption", how)], "").into_response(),
        None => StatusCode::OK.into_response(),
    }
}

fn assume(fake: &FakeAws, body: &Bytes) -> Response {
    let body = String::from_utf8_lossy(body);
    assert!(body.contains("Action=AssumeRole"), "{body}");
    if let Some(Trouble::Status(status, code)) = fake.held().sts_trouble.pop_front() {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
        return (status, [("content-type", "text/xml")], answer).into_response();
    }
    fake.held().n_assumed += 1;
    let answer = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleResult><Credentials><AccessKeyId>ASIATEMP</AccessKeyId>\
        <SecretAccessKey>temp</SecretAccessKey><SessionToken>token</SessionToken>\
        <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
        </AssumeRoleResponse>";
    ([("content-type", "text/xml")], answer).into_response()
}
