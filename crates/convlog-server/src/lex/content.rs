//! `PostContent`: text or speech in the body, everything else in headers; and the headers that
//! `PutSession` answers too.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use convlog_dialects::aws::shape;
use convlog_dialects::lex::shapes::runtime::ACTIVE_CONTEXTS;
use convlog_model::json::Json;

use super::delivery::Audio;
use super::media::{self, Accept, Content};
use super::reply::Reply;
use super::runtime::{self, Parts};
use super::target::{Attributes, Question};
use super::turn;
use super::voice;
use crate::app::App;
use crate::aws::{AwsError, Call, Refusal};
use crate::connector;

const SESSION_ATTRIBUTES: HeaderName = HeaderName::from_static("x-amz-lex-session-attributes");
const REQUEST_ATTRIBUTES: HeaderName = HeaderName::from_static("x-amz-lex-request-attributes");
const ACTIVE: HeaderName = HeaderName::from_static("x-amz-lex-active-contexts");
/// Most characters of a text.
const TEXT_CHARS_MAX: usize = 1024;
/// Most bytes of session and request attributes together, as the guide limits them.
const ATTRIBUTES_BYTES_MAX: usize = 12 << 10;

/// `POST /bot/{bot}/alias/{alias}/user/{user}/content`
pub(crate) async fn post(Path(parts): Path<Parts>, call: Call) -> Result<Response, Refusal> {
    let headers = &call.headers;
    let content = media::content(headers.get(header::CONTENT_TYPE))?;
    let accept = media::accept(headers.get(header::ACCEPT), &call.app)?;
    let shown = as_members(headers);
    let to = runtime::address_with(&call, "PostContent", &Json::Null, parts, &shown)?;
    let session_attributes = attributes(headers, &SESSION_ATTRIBUTES, "session")?;
    let request_attributes = attributes(headers, &REQUEST_ATTRIBUTES, "request")?;
    let mut question = Question {
        is_heard: matches!(accept, Accept::Speech(_)),
        session_attributes,
        request_attributes,
        active_contexts: contexts(headers)?,
        ..Question::default()
    };
    require_room(&question)?;
    match content {
        Content::Text => question.utterance = Some(text(&call.body)?),
        Content::Speech(speech) => {
            media::require_short(&speech, &call.body)?;
            question.audio = Some(Audio {
                content_type: speech.content_type,
                bytes: call.body.clone(),
            });
        }
    }
    let app = call.app.clone();
    let reply = connector::to_the_end(&app, turn::run(call, to, question)).await?;
    spoken(&app, &reply, &accept).await
}

/// The answer in headers, its message as text or as speech.
pub(super) async fn spoken(app: &App, reply: &Reply, accept: &Accept) -> Result<Response, Refusal> {
    let speech = match accept {
        Accept::Text => None,
        Accept::Speech(kind) => voice::speech(app, kind, reply.message()).await?,
    };
    Ok(reply.as_headers(speech))
}

/// The headers whose shape the operation knows.
fn as_members(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let names = [
        (header::CONTENT_TYPE, "content-type"),
        (header::ACCEPT, "accept"),
    ];
    let each = names.into_iter().filter_map(|(name, shown)| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((shown, value))
    });
    each.collect()
}

fn text(body: &Bytes) -> Result<String, AwsError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        AwsError::bad(format!(
            "inputStream: the text is no UTF-8 at byte {}",
            error.valid_up_to()
        ))
    })?;
    match text.chars().count() {
        1..=TEXT_CHARS_MAX => Ok(text.to_owned()),
        n_chars => {
            let message = format!(
                "inputStream: the text must have 1 to {TEXT_CHARS_MAX} characters, not {n_chars}"
            );
            Err(AwsError::bad(message))
        }
    }
}

/// A JSON value that a header holds as Base64.
fn json(
    headers: &HeaderMap,
    name: &HeaderName,
    refused: impl Fn() -> AwsError,
) -> Result<Option<Json>, AwsError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let decoded = STANDARD.decode(value.as_bytes()).map_err(|_| refused())?;
    let json = Json::parse(&decoded).map_err(|_| refused())?;
    Ok(Some(json))
}

fn attributes(
    headers: &HeaderMap,
    name: &HeaderName,
    what: &str,
) -> Result<Option<Attributes>, AwsError> {
    let refused = || {
        let of =
            what.get(..1).unwrap_or_default().to_uppercase() + what.get(1..).unwrap_or_default();
        AwsError::bad(format!(
            "Failed to decode {what} attributes. {of} attributes should be a Base64 encoded json \
             map of String to String."
        ))
    };
    let Some(found) = json(headers, name, refused)? else {
        return Ok(None);
    };
    let members = found.as_object().ok_or_else(refused)?;
    let mut attributes = Attributes::new();
    for (key, value) in members {
        let value = value.as_str().ok_or_else(refused)?;
        attributes.insert(key.to_string(), value.to_owned());
    }
    Ok(Some(attributes))
}

/// Refuses attributes that are too large, those of the session and of the request together.
fn require_room(question: &Question) -> Result<(), AwsError> {
    let sent = [&question.session_attributes, &question.request_attributes];
    let each = sent.into_iter().flatten().flatten();
    let n_bytes: usize = each.map(|(key, value)| key.len() + value.len()).sum();
    match n_bytes <= ATTRIBUTES_BYTES_MAX {
        true => Ok(()),
        false => Err(AwsError::bad(format!(
            "sessionAttributes and requestAttributes have more than {ATTRIBUTES_BYTES_MAX} bytes"
        ))),
    }
}

fn contexts(
    headers: &HeaderMap,
) -> Result<Option<Vec<convlog_dialects::lex::model::ActiveContext>>, AwsError> {
    let refused = || {
        AwsError::bad(
            "Failed to decode active contexts. Active contexts should be a Base64 encoded json \
             list.",
        )
    };
    let Some(found) = json(headers, &ACTIVE, refused)? else {
        return Ok(None);
    };
    shape::check(&ACTIVE_CONTEXTS, &found, &[])
        .map_err(|invalid| AwsError::bad(invalid.to_string()))?;
    super::typed(&found).map(Some)
}

/// A media type that answers may have.
pub(super) fn kind(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("audio/mpeg"))
}
