//! Definitions of a bot as the v1 and v2 APIs show them, from what the operator uploaded.

use convlog_model::json::Json;

use crate::DecodeError;

/// Parts of a workspace that are left out without `export`.
const CONTENTS: [&str; 4] = ["intents", "entities", "dialog_nodes", "counterexamples"];

/// Checks an uploaded definition: a workspace export of v1 (an object whose `intents`, `entities`
/// and `dialog_nodes`, where present, are arrays of objects), or the `skills_export` of v2.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn check(body: &[u8]) -> Result<Json, DecodeError> {
    let definition = Json::parse(body)?;
    if definition.as_object().is_none() {
        return Err(DecodeError::new("a definition must be an object", None));
    }
    for key in CONTENTS.into_iter().chain(["assistant_skills"]) {
        match definition.get(key) {
            None | Some(Json::Null) => {}
            Some(Json::Array(items)) if items.iter().all(|item| item.as_object().is_some()) => {}
            Some(_) => return Err(DecodeError::new("must be an array of objects", Some(key))),
        }
    }
    Ok(definition)
}

/// The v1 workspace in a definition: itself, or that of the first dialog skill.
fn workspace_of(definition: &Json) -> Json {
    let Some(skills) = definition.get("assistant_skills").and_then(Json::as_array) else {
        return definition.clone();
    };
    let found = skills.iter().find_map(|skill| skill.get("workspace"));
    match found {
        Some(workspace @ Json::Object(_)) => workspace.clone(),
        _ => Json::object([]),
    }
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
    let mut body = definition.map_or_else(|| Json::object([]), workspace_of);
    let defaults = [
        ("name", Json::string(name)),
        ("language", Json::string(language)),
        ("learning_opt_out", Json::Bool(false)),
    ];
    for (key, value) in defaults {
        if body.get(key).is_none() {
            body.set(key, value);
        }
    }
    body.set("workspace_id", Json::string(id));
    for key in CONTENTS {
        if !export {
            while body.take(key).is_some() {}
        } else if body.get(key).is_none() {
            body.set(key, Json::Array(Vec::new()));
        }
    }
    body.to_string()
}

/// Answer to `GET /v2/assistants/{id}/skills_export`.
#[must_use]
pub fn skills_export(id: &str, name: &str, language: &str, definition: Option<&Json>) -> String {
    if let Some(exported) = definition.filter(|one| one.get("assistant_skills").is_some()) {
        let mut body = exported.clone();
        if body.get("assistant_state").is_none() {
            body.set("assistant_state", Json::object([]));
        }
        return body.to_string();
    }
    let text = workspace(id, name, language, definition, true);
    let workspace = Json::parse(text.as_bytes()).unwrap_or(Json::Null);
    let skill = Json::object([
        ("skill_id", Json::string(id)),
        ("name", Json::string(name)),
        ("language", Json::string(language)),
        ("type", Json::string("dialog")),
        ("workspace", workspace),
    ]);
    let body = Json::object([
        ("assistant_skills", Json::Array(vec![skill])),
        ("assistant_state", Json::object([])),
    ]);
    body.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_shown_with_and_without_its_contents() {
        let definition = check(br#"{"name":"Shop","intents":[{"intent":"a"}],"x":1}"#).unwrap();
        assert_eq!(
            workspace("W1", "w", "en", Some(&definition), false),
            r#"{"name":"Shop","x":1,"language":"en","learning_opt_out":false,"workspace_id":"W1"}"#
        );
        let whole = workspace("W1", "w", "en", Some(&definition), true);
        assert!(
            whole.contains(r#""intents":[{"intent":"a"}]"#)
                && whole.contains(r#""dialog_nodes":[]"#)
        );
    }

    #[test]
    fn a_skills_export_holds_the_workspace_and_the_other_way_round() {
        let exported = skills_export("W1", "w", "en", None);
        assert!(
            exported.starts_with(r#"{"assistant_skills":[{"skill_id":"W1""#),
            "{exported}"
        );
        let definition = check(
            br#"{"assistant_skills":[{"type":"action"},{"type":"dialog","workspace":{"intents":[{"intent":"b"}]}}]}"#,
        )
        .unwrap();
        assert!(workspace("W", "w", "en", Some(&definition), true).contains(r#"{"intent":"b"}"#));
        assert!(
            skills_export("W", "w", "en", Some(&definition)).ends_with(r#""assistant_state":{}}"#)
        );
    }

    #[test]
    fn a_wrong_definition_names_the_field() {
        let error = check(br#"{"intents":{}}"#).unwrap_err();
        assert_eq!(error.to_string(), "intents: must be an array of objects");
        assert_eq!(
            check(b"[]").unwrap_err().to_string(),
            "a definition must be an object"
        );
    }
}
