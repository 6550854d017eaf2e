//! Which dialect a log object of an export is of.

use convlog_model::json::Json;
use convlog_model::record::Dialect;

use crate::DecodeError;
use crate::lex::import as events;

/// Whether a log object is of Watson v1, of v2, an entry of Lex, or a record in convlog's own form.
///
/// # Errors
/// [`DecodeError`] when it is none of them.
pub fn shape(text: &str) -> Result<Dialect, DecodeError> {
    let body = Json::parse(text.as_bytes())?;
    let has = |path: &[&str]| body.at(path).is_some_and(|value| *value != Json::Null);
    if body.as_object().is_none() {
        let message = format!("a log must be an object, not {}", body.type_name());
        return Err(DecodeError::new(message, None));
    }
    if has(&["kind"]) && has(&["dialect"]) {
        return Ok(Dialect::Convlog);
    }
    if events::is_entry(&body) {
        return Ok(Dialect::LexV1);
    }
    if !has(&["response"]) && !has(&["request"]) {
        return Err(DecodeError::new(
            "not a log object: it has no request and no response, and no botName",
            None,
        ));
    }
    let of_v2 = [
        has(&["session_id"]) && !has(&["workspace_id"]),
        has(&["skill_id"]),
        has(&["response", "context", "global"]),
        has(&["response", "output", "intents"]) && !has(&["response", "intents"]),
    ];
    Ok(if of_v2.contains(&true) {
        Dialect::WatsonV2
    } else {
        Dialect::WatsonV1
    })
}
