//! What the runtime answers: as JSON to `PostText`, as headers and body to `PostContent`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_dialects::lex::dialog::{Answer, DialogState};
use convlog_dialects::lex::entry;
use convlog_dialects::lex::sentiment::Sentiment;
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use super::session::Session;
use crate::aws::REQUEST_ID;

/// An answer, in the form of `PostText`, with what it needs to be shown otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reply {
    /// The body of `PostText`.
    pub body: Json,
    /// What the user said.
    pub transcript: String,
    /// The bot's locale.
    pub locale: String,
    /// The id of the request that it answers.
    #[serde(default)]
    pub request_id: String,
}

/// Locales in whose answers texts stand in headers as they are, too.
const RAW_LOCALES: &[&str] = &[
    "de-DE", "en-AU", "en-GB", "en-US", "es-419", "es-ES", "es-US", "fr-CA", "fr-FR", "it-IT",
];

impl Reply {
    /// The answer to what the user said in a session; empty where nothing was.
    pub(super) fn new(
        answer: &Answer,
        (said, request_id): (&str, &str),
        session: &Session,
        locale: &str,
    ) -> Self {
        Reply {
            body: body(answer, &session.id, &session.version),
            transcript: said.to_owned(),
            locale: locale.to_owned(),
            request_id: request_id.to_owned(),
        }
    }

    /// The same with what the user felt.
    pub(super) fn feeling(mut self, sentiment: Option<&Sentiment>) -> Self {
        if let Some(sentiment) = sentiment {
            self.body.set("sentimentResponse", sentiment.json());
        }
        self
    }

    /// What is said.
    pub(super) fn message(&self) -> &str {
        self.text("message").unwrap_or_default()
    }

    /// The answer of `PostText`.
    pub(super) fn as_json(&self) -> Response {
        let mut answer = super::answer(StatusCode::OK, &self.body);
        insert(answer.headers_mut(), REQUEST_ID, &self.request_id);
        answer
    }

    /// The answer of `PostContent`: everything in headers, the message as the body.
    pub(super) fn as_headers(&self, speech: Option<(HeaderValue, bytes::Bytes)>) -> Response {
        let mut headers = HeaderMap::new();
        insert(&mut headers, REQUEST_ID, &self.request_id);
        self.plain(&mut headers);
        self.encoded(&mut headers);
        let message = self.message().to_owned();
        self.words(
            "x-amz-lex-message",
            "x-amz-lex-encoded-message",
            &message,
            &mut headers,
        );
        if !self.transcript.is_empty() {
            let (raw, encoded) = (
                "x-amz-lex-input-transcript",
                "x-amz-lex-encoded-input-transcript",
            );
            self.words(raw, encoded, &self.transcript, &mut headers);
        }
        let (kind, body) = match speech {
            Some((kind, audio)) => (kind, axum::body::Body::from(audio)),
            None => {
                let text = HeaderValue::from_static("text/plain; charset=utf-8");
                (text, axum::body::Body::from(message))
            }
        };
        headers.insert(header::CONTENT_TYPE, kind);
        (StatusCode::OK, headers, body).into_response()
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(Json::as_str)
    }

    fn plain(&self, headers: &mut HeaderMap) {
        for (name, member) in [
            ("x-amz-lex-intent-name", "intentName"),
            ("x-amz-lex-message-format", "messageFormat"),
            ("x-amz-lex-dialog-state", "dialogState"),
            ("x-amz-lex-slot-to-elicit", "slotToElicit"),
            ("x-amz-lex-bot-version", "botVersion"),
            ("x-amz-lex-session-id", "sessionId"),
        ] {
            if let Some(text) = self.text(member) {
                insert(headers, HeaderName::from_static(name), text);
            }
        }
    }

    fn encoded(&self, headers: &mut HeaderMap) {
        if let Some(sentiment) = self.body.get("sentimentResponse") {
            insert(
                headers,
                HeaderName::from_static("x-amz-lex-sentiment"),
                &sentiment.to_string(),
            );
        }
        for (name, member) in [
            ("x-amz-lex-slots", "slots"),
            ("x-amz-lex-session-attributes", "sessionAttributes"),
            ("x-amz-lex-nlu-intent-confidence", "nluIntentConfidence"),
            ("x-amz-lex-alternative-intents", "alternativeIntents"),
            ("x-amz-lex-active-contexts", "activeContexts"),
        ] {
            if let Some(value) = self.body.get(member) {
                insert(
                    headers,
                    HeaderName::from_static(name),
                    &STANDARD.encode(value.to_string()),
                );
            }
        }
    }

    /// A text encoded, and raw where that is what the locale's clients read.
    fn words(&self, raw: &'static str, encoded: &'static str, text: &str, headers: &mut HeaderMap) {
        insert(
            headers,
            HeaderName::from_static(encoded),
            &STANDARD.encode(text),
        );
        let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        // Anything but ASCII in a raw header breaks clients.
        if is_plain && RAW_LOCALES.contains(&self.locale.as_str()) {
            insert(headers, HeaderName::from_static(raw), text);
        }
    }
}

/// The body of an answer to a turn.
fn body(answer: &Answer, session: &str, version: &str) -> Json {
    let text = |text: &str| Json::string(text);
    let mut body = Json::object([]);
    if let Some(intent) = &answer.intent_name {
        body.set("intentName", text(intent));
    }
    if let Some(confidence) = answer.nlu_confidence {
        body.set("nluIntentConfidence", score(confidence));
        let others = answer.alternatives.iter().map(|other| {
            Json::object([
                ("intentName", text(&other.name)),
                ("nluIntentConfidence", score(other.confidence)),
                ("slots", entry::slots(&other.slots)),
            ])
        });
        body.set("alternativeIntents", Json::Array(others.collect()));
    }
    if answer.intent_name.is_some() {
        body.set("slots", entry::slots(&answer.slots));
    }
    body.set(
        "sessionAttributes",
        entry::attributes(&answer.session_attributes),
    );
    if let Some((format, message)) = &answer.message {
        body.set("message", text(message));
        body.set("messageFormat", text(format.as_str()));
    }
    body.set("dialogState", text(answer.dialog_state.as_str()));
    if let Some(slot) = &answer.slot_to_elicit
        && answer.dialog_state == DialogState::ElicitSlot
    {
        body.set("slotToElicit", text(slot));
    }
    if let Some(card) = &answer.response_card {
        body.set("responseCard", card.clone());
    }
    body.set("sessionId", text(session));
    body.set("botVersion", text(version));
    let contexts = answer.active_contexts.iter().map(super::json_of);
    body.set("activeContexts", Json::Array(contexts.collect()));
    body
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

fn score(confidence: f64) -> Json {
    Json::object([("score", Json::Number(format!("{confidence}").into()))])
}
