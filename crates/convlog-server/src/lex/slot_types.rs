//! `/slottypes`: slot types and their versions.

use axum::extract::Path;
use axum::response::Response;
use convlog_dialects::lex::rules;
use convlog_model::json::Json;

use super::parts;
use super::shelf::Kind;
use crate::aws::{AwsError, Call, Refusal};

/// What is particular to slot types.
pub(super) const PART: parts::Part = parts::Part {
    kind: Kind::SlotType,
    list: "slotTypes",
    noun: "SlotType",
    kept: &[
        "name",
        "description",
        "enumerationValues",
        "valueSelectionStrategy",
        "parentSlotTypeSignature",
        "slotTypeConfigurations",
    ],
};

/// `PUT /slottypes/{name}/versions/$LATEST`
pub(crate) async fn put(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    super::require_latest(&version)?;
    let mut sent = super::checked(&call, &PART.put(), &[("name", &name)])?;
    sent.set("name", Json::string(name.as_str()));
    check(&sent)?;
    parts::put(&call, &PART, &name, &sent, Vec::new()).await
}

/// Checks the rules of a slot type of the right shape.
///
/// # Errors
/// 400 that names the place.
pub(super) fn check(slot_type: &Json) -> Result<(), AwsError> {
    rules::slot_type::check(&super::typed(slot_type)?).map_err(|broken| super::refused(&broken))
}

/// `POST /slottypes/{name}/versions`
pub(crate) async fn publish(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    parts::publish(&call, &PART, &name).await
}

/// `GET /slottypes/{name}/versions/{version}`
pub(crate) async fn get(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    parts::get(&call, &PART, &name, &version).await
}

/// `GET /slottypes`
pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    parts::list(&call, &PART).await
}

/// `GET /slottypes/{name}/versions`
pub(crate) async fn versions(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    parts::versions(&call, &PART, &name).await
}

/// `DELETE /slottypes/{name}`
pub(crate) async fn delete(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    parts::delete(&call, &PART, &name).await
}

/// `DELETE /slottypes/{name}/version/{version}`
pub(crate) async fn delete_version(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    parts::delete_version(&call, &PART, &name, &version).await
}
