//! Rules as documents write them, and what they compile to.

use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

use super::keys::{KeyName, KeyNames};
use super::path::PathPattern;
use super::standing::{Standing, standing};
use super::{
    Action, Detector, NAME_BYTES_MAX, NAMES_MAX, PATTERN_BYTES_MAX, PATTERN_COMPILED_BYTES_MAX,
    PATTERNS_MAX, REPLACEMENT_BYTES_MAX, RULE_NAME_BYTES_MAX, RULES_MAX, Rule, Scope, What,
    default_mask,
};

/// A rule as it is written: a name, one of `detector`, `pattern`, `keys` and `paths`, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSpec {
    /// Its name, unique in its document.
    pub name: String,
    /// Name of a detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// A regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Names of keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
    /// Paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// `mask`, `hash` or `remove`.
    pub action: String,
    /// What a mask leaves; `[redacted:NAME]` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

/// What is wrong with a rule, and with which of its fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct SpecError {
    /// The field, such as `pattern` or `paths[1]`.
    pub field: String,
    /// What is wrong; reads as a sentence after the field.
    pub message: String,
}

impl SpecError {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        SpecError {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl Rule {
    /// The rules of one document of that version; an error comes with the number of its rule.
    ///
    /// # Errors
    /// [`SpecError`]
    pub fn compile_all(specs: &[RuleSpec], version: u32) -> Result<Vec<Rule>, (usize, SpecError)> {
        let mut rules: Vec<Rule> = Vec::with_capacity(specs.len().min(RULES_MAX));
        let mut n_patterns = 0;
        for (i, spec) in specs.iter().enumerate() {
            if i >= RULES_MAX {
                let message = format!("is one of more than {RULES_MAX} rules");
                return Err((i, SpecError::new("name", message)));
            }
            n_patterns += usize::from(spec.pattern.is_some());
            if n_patterns > PATTERNS_MAX {
                let message = format!("is one of more than {PATTERNS_MAX} patterns");
                return Err((i, SpecError::new("pattern", message)));
            }
            let rule = Rule::compile(spec, version).map_err(|error| (i, error))?;
            if rules.iter().any(|other| other.name == rule.name) {
                return Err((i, SpecError::new("name", "stands there twice")));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    /// One rule of a document of that version.
    ///
    /// # Errors
    /// [`SpecError`]
    pub fn compile(spec: &RuleSpec, version: u32) -> Result<Rule, SpecError> {
        check_name(&spec.name)?;
        let what = what(spec)?;
        let action = Action::parse(&spec.action)
            .ok_or_else(|| SpecError::new("action", "must be mask, hash or remove"))?;
        let mask = match &spec.replacement {
            None => default_mask(&spec.name),
            Some(_) if action != Action::Mask => {
                return Err(SpecError::new("replacement", "is for the action mask only"));
            }
            Some(text) => {
                check_text("replacement", text, REPLACEMENT_BYTES_MAX)?;
                text.clone()
            }
        };
        Ok(Rule {
            name: spec.name.clone(),
            version,
            what,
            action,
            mask,
            scope: Scope::Record,
        })
    }
}

/// Names stand in what is left of a value, and in errors.
fn check_name(name: &str) -> Result<(), SpecError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > RULE_NAME_BYTES_MAX || !name.chars().all(is_plain) {
        let message =
            format!("must have 1 to {RULE_NAME_BYTES_MAX} of the signs a-z, A-Z, 0-9, -, _ and .");
        return Err(SpecError::new("name", message));
    }
    Ok(())
}

fn check_text(field: &str, text: &str, bytes_max: usize) -> Result<(), SpecError> {
    if text.is_empty() || text.len() > bytes_max {
        let message = format!("must have 1 to {bytes_max} bytes");
        return Err(SpecError::new(field, message));
    }
    match text.chars().any(char::is_control) {
        true => Err(SpecError::new(field, "must not hold control characters")),
        false => Ok(()),
    }
}

fn what(spec: &RuleSpec) -> Result<What, SpecError> {
    match (&spec.detector, &spec.pattern, &spec.keys, &spec.paths) {
        (Some(name), None, None, None) => Detector::parse(name).map(What::of).ok_or_else(|| {
            let names = Detector::ALL.map(Detector::as_str).join(", ");
            SpecError::new("detector", format!("must be one of {names}"))
        }),
        (None, Some(text), None, None) => pattern(text),
        (None, None, Some(names), None) => {
            check_list("keys", names)?;
            let name = |(i, name): (usize, &String)| {
                let message = "must be the name of a key, with * at an end at most";
                KeyName::parse(name).ok_or_else(|| SpecError::new(format!("keys[{i}]"), message))
            };
            let names = names.iter().enumerate().map(name);
            Ok(What::Keys(KeyNames::Named(
                names.collect::<Result<_, _>>()?,
            )))
        }
        (None, None, None, Some(paths)) => {
            check_list("paths", paths)?;
            let paths = paths.iter().enumerate().map(|(i, text)| path(i, text));
            Ok(What::Paths(paths.collect::<Result<_, _>>()?))
        }
        _ => {
            let message = "must have exactly one of detector, pattern, keys and paths beside it";
            Err(SpecError::new("name", message))
        }
    }
}

fn check_list(field: &str, texts: &[String]) -> Result<(), SpecError> {
    if texts.is_empty() || texts.len() > NAMES_MAX {
        let message = format!("must have 1 to {NAMES_MAX} elements");
        return Err(SpecError::new(field, message));
    }
    let mut numbered = texts.iter().enumerate();
    numbered.try_for_each(|(i, text)| check_text(&format!("{field}[{i}]"), text, NAME_BYTES_MAX))
}

fn path(i: usize, text: &str) -> Result<PathPattern, SpecError> {
    let field = format!("paths[{i}]");
    let path =
        PathPattern::parse(text).map_err(|message| SpecError::new(field.as_str(), message))?;
    if path.begin(0, 0, false).is_some() && standing(&path.certain_keys()) == Standing::Fixed {
        let message = "names a field that no rule may change; with raw. it means the body alone";
        return Err(SpecError::new(field, message));
    }
    Ok(path)
}

fn pattern(text: &str) -> Result<What, SpecError> {
    let wrong = |message: &str| SpecError::new("pattern", message);
    if text.is_empty() || text.len() > PATTERN_BYTES_MAX {
        let message = format!("must have 1 to {PATTERN_BYTES_MAX} bytes");
        return Err(wrong(&message));
    }
    let compiled = RegexBuilder::new(text)
        .size_limit(PATTERN_COMPILED_BYTES_MAX)
        .dfa_size_limit(PATTERN_COMPILED_BYTES_MAX)
        .nest_limit(50)
        .build();
    let pattern = compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => wrong(&format!(
            "takes more than {PATTERN_COMPILED_BYTES_MAX} bytes; shorten repetitions, or write \
             (?-u) for signs of ASCII alone"
        )),
        // The library's text shows the pattern on several lines; the last one says what is wrong.
        other => {
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            wrong(&format!("is no regular expression: {reason}"))
        }
    })?;
    match pattern.is_match("") {
        true => Err(wrong("must not match the empty text")),
        false => Ok(What::Pattern(pattern)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> RuleSpec {
        RuleSpec {
            name: "r".to_owned(),
            action: "mask".to_owned(),
            ..RuleSpec::default()
        }
    }

    fn error(spec: RuleSpec) -> String {
        Rule::compile(&spec, 1).unwrap_err().to_string()
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn mistakes_name_the_field() {
        let mut long = spec();
        long.pattern = Some("x".repeat(PATTERN_BYTES_MAX + 1));
        assert_eq!(error(long), "pattern must have 1 to 1024 bytes");
        let mut odd = spec();
        odd.name = "e mail".to_owned();
        assert_eq!(
            error(odd),
            "name must have 1 to 64 of the signs a-z, A-Z, 0-9, -, _ and ."
        );
        assert_eq!(
            error(spec()),
            "name must have exactly one of detector, pattern, keys and paths beside it"
        );
        let with = |change: fn(&mut RuleSpec)| {
            let mut spec = spec();
            change(&mut spec);
            error(spec)
        };
        for (change, expected) in [
            (
                (|s| s.detector = Some("names".to_owned())) as fn(&mut RuleSpec),
                "detector must be one of card, iban, email, ip, bearer, aws, phone, secret-keys",
            ),
            (
                |s| s.pattern = Some("a(b".to_owned()),
                "pattern is no regular expression: unclosed group",
            ),
            (
                |s| s.pattern = Some("a*".to_owned()),
                "pattern must not match the empty text",
            ),
            (
                |s| s.pattern = Some(r"\w{200}".to_owned()),
                "pattern takes more than 262144 bytes; shorten repetitions, or write (?-u) for \
                 signs of ASCII alone",
            ),
            (|s| s.keys = some(&[]), "keys must have 1 to 100 elements"),
            (
                |s| s.keys = some(&["ok", "a*b"]),
                "keys[1] must be the name of a key, with * at an end at most",
            ),
            (
                |s| s.paths = some(&["a", "b["]),
                "paths[1] has brackets that hold neither a number nor *",
            ),
            (
                |s| s.paths = some(&["time.request"]),
                "paths[0] names a field that no rule may change; with raw. it means the body alone",
            ),
            (
                |s| {
                    s.paths = some(&["a"]);
                    s.action = "drop".to_owned();
                },
                "action must be mask, hash or remove",
            ),
            (
                |s| {
                    s.paths = some(&["a"]);
                    s.action = "hash".to_owned();
                    s.replacement = Some("x".to_owned());
                },
                "replacement is for the action mask only",
            ),
            (
                |s| {
                    s.paths = some(&["a"]);
                    s.replacement = Some("a\nb".to_owned());
                },
                "replacement must not hold control characters",
            ),
        ] {
            assert_eq!(with(change), expected);
        }
    }

    #[test]
    fn a_document_is_bounded_and_its_names_are_unique() {
        let named = |i: usize| RuleSpec {
            name: format!("r{i}"),
            keys: some(&["a"]),
            ..spec()
        };
        let many: Vec<RuleSpec> = (0..=RULES_MAX).map(named).collect();
        assert!(Rule::compile_all(&many[..RULES_MAX], 1).is_ok());
        let (i, error) = Rule::compile_all(&many, 1).unwrap_err();
        assert_eq!(
            (i, error.to_string().as_str()),
            (100, "name is one of more than 100 rules")
        );
        let (i, error) = Rule::compile_all(&[named(1), named(1)], 1).unwrap_err();
        assert_eq!(
            (i, error.to_string().as_str()),
            (1, "name stands there twice")
        );
        let of_pattern = |i: usize| RuleSpec {
            name: format!("p{i}"),
            pattern: Some("abc".to_owned()),
            ..spec()
        };
        let many: Vec<RuleSpec> = (0..=PATTERNS_MAX).map(of_pattern).collect();
        let (i, error) = Rule::compile_all(&many, 1).unwrap_err();
        assert_eq!(
            (i, error.to_string().as_str()),
            (16, "pattern is one of more than 16 patterns")
        );
    }

    #[test]
    fn ordinary_patterns_fit() {
        for text in [
            r"\b\d{3}-\d{2}-\d{4}\b",
            r"(?i)\b(?:dr|prof)\.? \w+",
            r"[\w.+-]+@[\w-]+\.[\w.]+",
            r"\b[A-Z]{2}\d{6,9}\b",
        ] {
            let mut spec = spec();
            spec.pattern = Some(text.to_owned());
            assert!(Rule::compile(&spec, 1).is_ok(), "{text}");
        }
    }
}
