//! `/builtins`: intents and slot types that every bot may use.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_dialects::lex::dialog::builtin::{BUILTIN_INTENTS, BUILTIN_SLOT_TYPES};
use convlog_model::json::Json;

use super::{answer, view};
use crate::aws::{AwsError, Call, Refusal};

/// Signatures with their locales.
type Known = [(&'static str, &'static [&'static str])];

/// `GET /builtins/intents`
pub(crate) async fn intents(call: Call) -> Result<Response, Refusal> {
    list(&call, "GetBuiltinIntents", "intents", BUILTIN_INTENTS)
}

/// `GET /builtins/slottypes`
pub(crate) async fn slot_types(call: Call) -> Result<Response, Refusal> {
    let operation = "GetBuiltinSlotTypes";
    list(&call, operation, "slotTypes", BUILTIN_SLOT_TYPES)
}

/// `GET /builtins/intents/{signature}`
pub(crate) async fn intent(Path(signature): Path<String>, call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "GetBuiltinIntent", &[("signature", &signature)])?;
    let found = BUILTIN_INTENTS
        .iter()
        .find(|(known, _)| *known == signature);
    let (signature, locales) = found.ok_or_else(|| AwsError::not_found(&signature))?;
    let mut shown = show(signature, locales);
    // None of them has a slot.
    shown.set("slots", Json::Array(Vec::new()));
    Ok(answer(StatusCode::OK, &shown))
}

fn list(call: &Call, operation: &str, member: &str, all: &Known) -> Result<Response, Refusal> {
    super::require_shape(call, operation, &Json::object([]), &[])?;
    let part = call.parameter("signatureContains").unwrap_or_default();
    let locale = call.parameter("locale");
    let wanted = all.iter().filter(|(signature, locales)| {
        let is_there = locale.is_none_or(|locale| locales.contains(&locale));
        is_there && signature.contains(part)
    });
    let wanted =
        wanted.map(|(signature, locales)| ((*signature).to_owned(), show(signature, locales)));
    let mut wanted: Vec<(String, Json)> = wanted.collect();
    // Pages go by the order of bytes.
    wanted.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(answer(StatusCode::OK, &view::page(call, member, wanted)?))
}

fn show(signature: &str, locales: &[&str]) -> Json {
    let locales = locales.iter().map(|locale| Json::string(*locale));
    Json::object([
        ("signature", Json::string(signature)),
        ("supportedLocales", Json::Array(locales.collect())),
    ])
}
