//! What the server can be told, as values: the program reads files and environment, checks them
//! and hands this struct down.

use std::net::IpAddr;
use std::time::Duration;

use convlog_model::redaction::RuleSpec;

/// Everything that the server can be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerConfig {
    /// Bounds of requests and of the work that they cause.
    pub limits: Limits,
    /// Peculiarities of the Watson dialect.
    pub watson: WatsonConfig,
    /// Dialogue sessions.
    pub sessions: SessionConfig,
    /// Where connectors may connect to.
    pub connectors: ConnectorConfig,
    /// How long records live.
    pub retention: RetentionConfig,
    /// What is cut from records before they are kept.
    pub redaction: RedactionConfig,
    /// Who may read answers in a browser.
    pub cors: CorsConfig,
    /// The account of AWS that Lex and CloudWatch Logs show.
    pub aws: AwsConfig,
    /// Peculiarities of the Lex dialect.
    pub lex: LexConfig,
}

/// Bounds of requests and of the work that they cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most bytes of a request body as sent.
    pub body_bytes: usize,
    /// Most bytes of a request body after decompression.
    pub body_bytes_decompressed: usize,
    /// Most bytes of a bulk request body as sent.
    pub bulk_bytes: usize,
    /// Most bytes of a bulk request body after decompression.
    pub bulk_bytes_decompressed: usize,
    /// Most bytes of one record, in a message or on a line of a bulk request.
    pub record_bytes: usize,
    /// Most bytes of all headers of a request.
    pub header_bytes: usize,
    /// Most levels of nesting of a JSON body.
    pub json_depth: usize,
    /// Most records of a page; a request for more is answered with so many.
    pub page_max: usize,
    /// Connections at once, over all addresses; further ones are closed.
    pub connections: usize,
    /// Requests that are worked on at once; further ones are answered 503.
    pub concurrent_requests: usize,
    /// Time in which the headers of a request must have arrived.
    pub header_time: Duration,
    /// Time in which a request must be answered.
    pub request_time: Duration,
    /// Time in which a bulk request must be answered.
    pub bulk_time: Duration,
    /// Time that one question to the store may take.
    pub query_time: Duration,
    /// Time that running requests have to finish after a stop was asked for.
    pub stop_time: Duration,
    /// List calls a minute and key, in every dialect; 0 is off.
    pub list_per_minute: u32,
    /// List calls a minute and instance, in every dialect; 0 is off.
    pub list_per_minute_instance: u32,
    /// Records a second and instance; 0 is off.
    pub ingest_per_second: u32,
    /// Exports that run at once.
    pub exports_at_once: usize,
    /// Subscriptions to the event log at once; further ones are answered 429.
    pub subscriptions_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 1 << 20,
            body_bytes_decompressed: 4 << 20,
            bulk_bytes: 64 << 20,
            bulk_bytes_decompressed: 256 << 20,
            record_bytes: 4 << 20,
            header_bytes: 32 << 10,
            json_depth: 64,
            page_max: 1000,
            connections: 4096,
            concurrent_requests: 1024,
            header_time: Duration::from_secs(30),
            request_time: Duration::from_secs(60),
            bulk_time: Duration::from_secs(600),
            query_time: Duration::from_secs(10),
            stop_time: Duration::from_secs(30),
            list_per_minute: 0,
            list_per_minute_instance: 0,
            ingest_per_second: 0,
            exports_at_once: 4,
            subscriptions_at_once: 1024,
        }
    }
}

/// Peculiarities of the Watson dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatsonConfig {
    /// Whether a filter may name any field; else one that Watson does not know is a 400.
    pub any_filter_field: bool,
}

impl Default for WatsonConfig {
    fn default() -> Self {
        WatsonConfig {
            any_filter_field: true,
        }
    }
}

/// Dialogue sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Idle time after which a session ends, unless the bot says otherwise.
    pub timeout: Duration,
    /// Most live sessions of this process.
    pub at_once: usize,
}

impl Default for SessionConfig {
    fn default() -> Self {
        SessionConfig {
            timeout: Duration::from_secs(300),
            at_once: 100_000,
        }
    }
}

/// Where connectors may connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorConfig {
    /// Hosts, addresses and networks (`10.0.0.0/8`) in private or link-local ranges that
    /// connectors may reach.
    pub allow: Vec<String>,
    /// Addresses that the server listens on; loopback targets are allowed while all are loopback.
    pub listening_on: Vec<IpAddr>,
}

/// How long records live; 0 keeps them for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Days of turns.
    pub default_days: u32,
    /// Days of events.
    pub events_days: u32,
    /// Time between two passes.
    pub interval: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        RetentionConfig {
            default_days: 0,
            events_days: 0,
            interval: Duration::from_secs(3600),
        }
    }
}

/// What is cut from the records of every instance before they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionConfig {
    /// Stands in the notes of records.
    pub version: u32,
    /// The rules, in order. One that does not compile refuses every record.
    pub rules: Vec<RuleSpec>,
}

impl Default for RedactionConfig {
    fn default() -> Self {
        RedactionConfig {
            version: 1,
            rules: Vec::new(),
        }
    }
}

/// Who may read answers in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsConfig {
    /// Origins; `*` is everybody, none turns CORS off.
    pub origins: Vec<String>,
}

impl Default for CorsConfig {
    fn default() -> Self {
        CorsConfig {
            origins: vec!["*".to_owned()],
        }
    }
}

/// The account of AWS that Lex and CloudWatch Logs show, and the services of AWS that are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsConfig {
    /// The only region, in signatures and ARNs.
    pub region: String,
    /// The account's id in ARNs, 12 digits.
    pub account: String,
    /// Whether log groups are this server's own; else text is delivered to CloudWatch Logs.
    pub builtin_logs: bool,
    /// Where the services of AWS are.
    pub endpoints: AwsEndpoints,
    /// Roles by which destinations are written.
    pub roles: Vec<AwsRole>,
    /// Functions by ARN: where the code hooks of Lex bots are called.
    pub functions: Vec<AwsTarget>,
    /// Destinations of subscription filters by ARN.
    pub destinations: Vec<AwsTarget>,
    /// Most bytes that wait for delivery.
    pub queue_bytes: u64,
}

/// Where the services of AWS are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsEndpoints {
    /// CloudWatch Logs; `None` is AWS's own, where log groups are not this server's.
    pub logs: Option<String>,
    /// S3; without it no audio is delivered.
    pub s3: Option<AwsEndpoint>,
    /// STS, for roles that are assumed.
    pub sts: Option<AwsEndpoint>,
}

/// Where one service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsEndpoint {
    /// AWS's own.
    Aws,
    /// A URL.
    Url(String),
}

/// A role, with what it writes with.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsRole {
    /// Its ARN.
    pub arn: String,
    /// Id of the access key.
    pub access_key_id: String,
    /// The secret of the access key.
    pub secret_access_key: String,
    /// Whether the key is that of somebody who assumes the role through STS.
    pub assume: bool,
    /// Ids of the keys that may pass it to an alias; `None` is every key with the role `admin`.
    pub pass: Option<Vec<String>>,
}

/// Shows nothing of the secret.
impl std::fmt::Debug for AwsRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsRole")
            .field("arn", &self.arn)
            .field("access_key_id", &self.access_key_id)
            .field("assume", &self.assume)
            .field("pass", &self.pass)
            .finish_non_exhaustive()
    }
}

/// An ARN with the URL that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsTarget {
    /// The ARN.
    pub arn: String,
    /// The URL.
    pub url: String,
}

impl Default for AwsConfig {
    fn default() -> Self {
        AwsConfig {
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            builtin_logs: true,
            endpoints: AwsEndpoints::default(),
            roles: Vec::new(),
            functions: Vec::new(),
            destinations: Vec::new(),
            queue_bytes: 1 << 30,
        }
    }
}

/// Peculiarities of the Lex dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexConfig {
    /// The request attribute that names the customer of a turn.
    pub customer_attribute: String,
    /// URL that gets audio and answers `{"transcript": …}`; without it audio is not understood.
    pub transcriber: Option<String>,
    /// URL that gets a text and answers audio; without it answers are text.
    pub synthesizer: Option<String>,
    /// URL that gets a text and answers as Amazon Comprehend's `DetectSentiment`; without it no
    /// sentiment is told.
    pub sentiment: Option<String>,
    /// Days that audio stays readable here after its delivery; 0 keeps none.
    pub keep_audio_days: u32,
}

impl Default for LexConfig {
    fn default() -> Self {
        LexConfig {
            customer_attribute: "x-convlog-customer-id".to_owned(),
            transcriber: None,
            synthesizer: None,
            sentiment: None,
            keep_audio_days: 0,
        }
    }
}
