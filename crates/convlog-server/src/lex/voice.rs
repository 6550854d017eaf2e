//! Speech to text and back, by services that the configuration names.

use std::time::Duration;

use axum::http::HeaderValue;
use bytes::Bytes;
use convlog_model::json::Json;

use super::content::kind;
use crate::app::App;
use crate::aws::AwsError;
use crate::connector::Failure;
use crate::error::Fault;

const TIMEOUT: Duration = Duration::from_secs(20);
/// Most characters of a transcript, as of a text.
const TRANSCRIPT_CHARS_MAX: usize = 1024;

/// What was said; `None` without a service, and for speech in which it hears nothing.
///
/// # Errors
/// 424 when the service fails.
pub(super) async fn transcript(
    app: &App,
    content_type: &str,
    audio: &Bytes,
) -> Result<Option<String>, AwsError> {
    let Some(url) = &app.config().lex.transcriber else {
        return Ok(None);
    };
    let (place, kind) = (("transcriber", url.as_str()), kind(content_type));
    let connectors = app.connectors();
    let answered = connectors.post_configured(place, kind, audio.to_vec(), TIMEOUT);
    let body = answered.await.map_err(failed)?;
    let bad = || failed(Failure::bad_answer("transcriber", "it has no transcript"));
    let answer = Json::parse(&body).map_err(|_| bad())?;
    let text = answer
        .get("transcript")
        .and_then(Json::as_str)
        .ok_or_else(bad)?;
    let text: String = text.trim().chars().take(TRANSCRIPT_CHARS_MAX).collect();
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A message as speech; `None` when nothing is said.
///
/// # Errors
/// 424 when the service fails.
pub(super) async fn speech(
    app: &App,
    accept: &'static str,
    message: &str,
) -> Result<Option<(HeaderValue, Bytes)>, AwsError> {
    let Some(url) = &app.config().lex.synthesizer else {
        return Ok(None);
    };
    if message.is_empty() {
        return Ok(None);
    }
    let body = Json::object([
        ("text", Json::string(message)),
        ("accept", Json::string(accept)),
    ]);
    let json = HeaderValue::from_static("application/json");
    let body = body.to_string().into_bytes();
    let place = ("synthesizer", url.as_str());
    let connectors = app.connectors();
    let audio = connectors.post_configured(place, json, body, TIMEOUT);
    let kind = HeaderValue::from_static(accept);
    Ok(Some((kind, audio.await.map_err(failed)?)))
}

fn failed(failure: Failure) -> AwsError {
    let message = match &failure.fault {
        Fault::Internal { .. } => "internal error".to_owned(),
        fault => fault.detail(),
    };
    AwsError::new("DependencyFailedException", message)
}
