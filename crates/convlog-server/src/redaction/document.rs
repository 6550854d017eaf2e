//! Policies as documents: read with every mistake named, stored, shown.

use convlog_model::json::Json;
use convlog_model::redaction::{
    NAME_BYTES_MAX, NAMES_MAX, PATTERN_BYTES_MAX, REPLACEMENT_BYTES_MAX, RULE_NAME_BYTES_MAX,
    RULES_MAX, Rule, RuleSpec,
};
use serde::{Deserialize, Serialize};

use crate::object::{FieldError, Reader};

/// Whose document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// The instance's.
    Instance,
    /// A bot's.
    Bot,
}

/// A policy as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    /// Stands in the notes of records.
    pub(super) version: u32,
    /// The rules, in order.
    pub(super) rules: Vec<RuleSpec>,
    /// Whether secrets are cut from the details of events; of an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event_keys: Option<bool>,
}

/// A policy as answers show it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct PolicyView {
    /// Stands in the notes of records; 0 while nothing was settled.
    version: u32,
    /// The rules, in order: `{name, detector | pattern | keys | paths, action, replacement}`.
    #[schema(value_type = Vec<Object>)]
    rules: Vec<RuleSpec>,
    /// Whether secrets are cut from the details of events by the names of their keys; shown of an
    /// instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_keys: Option<bool>,
}

impl Document {
    /// The document in place of an older one: its version is the next where none was sent.
    pub(super) fn after(mut self, old: Option<&Document>) -> Self {
        if self.version == 0 {
            self.version = old.map_or(0, |old| old.version).saturating_add(1);
        }
        self
    }

    pub(super) fn view(self, layer: Layer) -> PolicyView {
        PolicyView {
            version: self.version,
            rules: self.rules,
            event_keys: (layer == Layer::Instance).then(|| self.event_keys.unwrap_or(true)),
        }
    }
}

/// Reads a policy that stands at `path` of what was sent. Its version is 0 where it names none.
pub(super) fn parse(body: &Json, path: &str, layer: Layer) -> Result<Document, FieldError> {
    let mut reader = Reader::new(body, path)?;
    let version = reader.whole("version", 0..=u32::MAX)?.unwrap_or(0);
    let items = reader.array("rules", RULES_MAX)?;
    let mut rules = Vec::with_capacity(items.len());
    for (path, value) in &items {
        rules.push(rule(value, path)?);
    }
    if let Err((i, error)) = Rule::compile_all(&rules, version) {
        let at = items.get(i).map_or(path, |(path, _)| path.as_str());
        return Err(FieldError::new(
            format!("{at}.{}", error.field),
            error.message,
        ));
    }
    let event_keys = match layer {
        Layer::Instance => reader.flag("event_keys")?,
        Layer::Bot => None,
    };
    reader.finish()?;
    Ok(Document {
        version,
        rules,
        event_keys,
    })
}

fn rule(value: &Json, path: &str) -> Result<RuleSpec, FieldError> {
    let mut reader = Reader::new(value, path)?;
    let spec = RuleSpec {
        name: reader.required_text("name", RULE_NAME_BYTES_MAX)?,
        detector: reader.text("detector", RULE_NAME_BYTES_MAX)?,
        pattern: reader.text("pattern", PATTERN_BYTES_MAX)?,
        keys: texts(&mut reader, "keys")?,
        paths: texts(&mut reader, "paths")?,
        action: reader
            .text("action", 16)?
            .unwrap_or_else(|| "mask".to_owned()),
        replacement: reader.text("replacement", REPLACEMENT_BYTES_MAX)?,
    };
    reader.finish()?;
    Ok(spec)
}

fn texts(reader: &mut Reader<'_>, key: &'static str) -> Result<Option<Vec<String>>, FieldError> {
    if reader.value(key).is_none() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for (path, value) in reader.array(key, NAMES_MAX)? {
        let Some(text) = value.as_str() else {
            let message = format!("must be a string, not {}", value.type_name());
            return Err(FieldError::new(path, message));
        };
        if text.len() > NAME_BYTES_MAX {
            let message = format!("must have 1 to {NAME_BYTES_MAX} bytes");
            return Err(FieldError::new(path, message));
        }
        found.push(text.to_owned());
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str, layer: Layer) -> Result<Document, String> {
        let body = Json::parse(text.as_bytes()).unwrap();
        parse(&body, "", layer).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let empty = document("{}", Layer::Instance).unwrap();
        assert_eq!(empty, Document::default());
        let rules = r#"{"rules":[{"name":"a","detector":"email"}]}"#;
        let one = document(rules, Layer::Bot).unwrap();
        assert_eq!(one.rules[0].action, "mask");
        // The version counts on where none is sent.
        assert_eq!(one.clone().after(None).version, 1);
        let later = one.clone().after(Some(&Document {
            version: 7,
            ..one.clone()
        }));
        assert_eq!(later.version, 8);
        assert_eq!(
            document(r#"{"version":3}"#, Layer::Bot)
                .unwrap()
                .after(Some(&later))
                .version,
            3
        );
    }

    #[test]
    fn mistakes_name_the_field() {
        let error = |text| document(text, Layer::Instance).unwrap_err();
        assert_eq!(
            error(r#"{"rules":[{"name":"a","detector":"email"},{"name":"b","pattern":"("}]}"#),
            "rules[1].pattern is no regular expression: unclosed group"
        );
        assert_eq!(
            error(r#"{"rules":[{"name":"a","keys":["x",1]}]}"#),
            "rules[0].keys[1] must be a string, not a number"
        );
        assert_eq!(
            error(r#"{"rules":[{"name":"a","keys":["x"],"paths":["y"]}]}"#),
            "rules[0].name must have exactly one of detector, pattern, keys and paths beside it"
        );
        assert_eq!(
            error(r#"{"rules":[{"name":"a","keys":[]}]}"#),
            "rules[0].keys must have 1 to 100 elements"
        );
        assert_eq!(
            error(r#"{"rules":[{"detector":"email"}]}"#),
            "rules[0].name is required"
        );
        assert_eq!(
            error(r#"{"rules":[{"name":"a","detector":"email","aktion":"hash"}]}"#),
            "rules[0].aktion is unknown; known are action, detector, keys, name, paths, pattern, \
             replacement"
        );
        assert_eq!(
            error(r#"{"version":-1}"#),
            "version must be a whole number from 0 to 4294967295"
        );
        assert_eq!(
            document(r#"{"event_keys":false}"#, Layer::Bot).unwrap_err(),
            "event_keys is unknown; known are rules, version"
        );
    }
}
