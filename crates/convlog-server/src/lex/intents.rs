//! `/intents`: intents and their versions.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::response::Response;
use convlog_dialects::lex::rules;
use convlog_model::json::Json;

use super::parts;
use super::shelf::{Kind, LATEST, Shelves, Use};
use crate::aws::{AwsError, Call, Refusal};

/// What is particular to intents.
pub(super) const PART: parts::Part = parts::Part {
    kind: Kind::Intent,
    list: "intents",
    noun: "Intent",
    kept: &[
        "name",
        "description",
        "slots",
        "sampleUtterances",
        "confirmationPrompt",
        "rejectionStatement",
        "followUpPrompt",
        "conclusionStatement",
        "dialogCodeHook",
        "fulfillmentActivity",
        "parentIntentSignature",
        "kendraConfiguration",
        "inputContexts",
        "outputContexts",
    ],
};

/// `PUT /intents/{name}/versions/$LATEST`
pub(crate) async fn put(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    super::require_latest(&version)?;
    let mut sent = super::checked(&call, &PART.put(), &[("name", &name)])?;
    sent.set("name", Json::string(name.as_str()));
    check(&sent)?;
    let uses = slot_types(&call, &sent, &BTreeSet::new()).await?;
    parts::put(&call, &PART, &name, &sent, uses).await
}

/// `POST /intents/{name}/versions`
pub(crate) async fn publish(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    parts::publish(&call, &PART, &name).await
}

/// `GET /intents/{name}/versions/{version}`
pub(crate) async fn get(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    parts::get(&call, &PART, &name, &version).await
}

/// `GET /intents`
pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    parts::list(&call, &PART).await
}

/// `GET /intents/{name}/versions`
pub(crate) async fn versions(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    parts::versions(&call, &PART, &name).await
}

/// `DELETE /intents/{name}`
pub(crate) async fn delete(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    parts::delete(&call, &PART, &name).await
}

/// `DELETE /intents/{name}/versions/{version}`
pub(crate) async fn delete_version(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    parts::delete_version(&call, &PART, &name, &version).await
}

/// Checks the rules of an intent of the right shape.
///
/// # Errors
/// 400 that names the place.
pub(super) fn check(intent: &Json) -> Result<(), AwsError> {
    rules::intent::check(&super::typed(intent)?).map_err(|broken| super::refused(&broken))
}

/// The slot types of the account's own that an intent names, each of which exists, or will: `brought`
/// come along with it.
///
/// # Errors
/// 400 that names the one that does not.
pub(super) async fn slot_types(
    call: &Call,
    body: &Json,
    brought: &BTreeSet<&str>,
) -> Result<Vec<Use>, Refusal> {
    let mut uses = Vec::new();
    let slots = body
        .get("slots")
        .and_then(Json::as_array)
        .unwrap_or_default();
    for slot in slots {
        let text = |member: &str| super::text(slot, member);
        let Some(name) = text("slotType").filter(|name| !name.starts_with("AMAZON.")) else {
            continue;
        };
        let version = text("slotTypeVersion").unwrap_or_default();
        let shelves = Shelves::new(&call.app, Kind::SlotType, &call.caller.instance);
        let is_brought = version == LATEST && brought.contains(name.as_str());
        if !is_brought && !shelves.has(&name, &version).await? {
            let message = format!(
                "The intent names the slot type '{name}' in version '{version}', which does not \
                 exist."
            );
            return Err(AwsError::bad(message).into());
        }
        let found = Use {
            kind: Kind::SlotType,
            name,
            version,
        };
        if !uses.contains(&found) {
            uses.push(found);
        }
    }
    Ok(uses)
}
