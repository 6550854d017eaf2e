//! JSON texts taken apart and put together without touching what they hold: number text, key
//! order, duplicate keys and string escapes stay as they are. Only white space goes.

use std::fmt;

use convlog_model::json::write_string;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON text without the white space between its tokens.
pub(crate) fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            out.push(c);
        } else if !matches!(c, ' ' | '\t' | '\n' | '\r') {
            in_string = c == '"';
            out.push(c);
        }
    }
    out
}

/// The members of an object with their values verbatim; `None` when the text is no object.
pub(crate) fn members(text: &str) -> Option<Vec<(String, &str)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((key, value)) = source.next_entry::<String, &'de RawValue>()? {
                members.push((key, value.get()));
            }
            Ok(members)
        }
    }
    let mut source = serde_json::Deserializer::from_str(text);
    let members = source.deserialize_map(Members).ok()?;
    source.end().ok()?;
    Some(members)
}

/// The object of these members, values verbatim.
pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{");
    for (i, (key, value)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(key, &mut out);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

/// The text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::new();
    write_string(text, &mut out);
    out
}

/// The member `key` of an object, verbatim; of duplicate keys the last.
pub(crate) fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let members = members(text)?;
    let found = members.into_iter().rev().find(|(name, _)| name == key);
    found.map(|(_, value)| value)
}

/// The object with a member more in front; other texts as they are.
pub(crate) fn with_first(text: &str, key: &str, value: &str) -> String {
    let Some(rest) = text.strip_prefix('{') else {
        return text.to_owned();
    };
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!("{{{}:{value}{comma}{rest}", quote(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_nothing_else() {
        let text = "{ \"a b\" : [ 1.0 , \"x \\\" y\\\\\" ] ,\n\t\"a b\":1e+2 }";
        assert_eq!(compact(text), r#"{"a b":[1.0,"x \" y\\"],"a b":1e+2}"#);
    }

    #[test]
    fn members_come_apart_and_together_verbatim() {
        let text = r#"{"a":1.0,"b":{"z":1,"z":"é"},"a":[]}"#;
        let parts = members(text).unwrap();
        assert_eq!(object(parts.iter().map(|(k, v)| (k.as_str(), *v))), text);
        assert_eq!(member(text, "a"), Some("[]"));
        assert_eq!(with_first("{}", "k", "1"), r#"{"k":1}"#);
        assert_eq!(with_first(r#"{"a":2}"#, "k", "1"), r#"{"k":1,"a":2}"#);
        assert!(members("[1]").is_none() && members("{} x").is_none());
    }
}
