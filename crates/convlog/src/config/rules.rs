//! `[[redaction.rules]]`: tables of a list, in the file; as JSON in the environment.

use std::fmt::Write as _;

use anyhow::Result;
use convlog_model::redaction::{Rule, RuleSpec, SpecError};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::out::wrong_use;

/// The key of the setting.
pub(super) const KEY: &str = "redaction.rules";

type Place<'a> = &'a dyn Fn(usize) -> String;

/// One rule, and where its fields stand in the file.
struct Read {
    spec: RuleSpec,
    at: usize,
    fields: Vec<(String, usize)>,
}

/// The rules of a file, checked; a mistake is named with its place.
pub(super) fn of_file(value: &Spanned<DeValue<'_>>, place: Place<'_>) -> Result<Vec<RuleSpec>> {
    let wrong = |at: usize, text: String| wrong_use(format!("{}: {text}", place(at)));
    let at = value.span().start;
    let list = value.get_ref().as_array();
    let list = list.ok_or_else(|| wrong(at, format!("`{KEY}` must be a list of tables")))?;
    let mut rules = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let at = item.span().start;
        let table = item.get_ref().as_table();
        let table = table.ok_or_else(|| wrong(at, format!("`{KEY}[{i}]` must be a table")))?;
        rules.push(rule(table, i, at).map_err(|(at, text)| wrong(at, text))?);
    }
    let specs: Vec<RuleSpec> = rules.iter().map(|read| read.spec.clone()).collect();
    match check(&specs) {
        Ok(()) => Ok(specs),
        Err((i, error)) => {
            let at = rules.get(i).map_or(at, |read| read.place_of(&error));
            Err(wrong(at, text_of(i, &error)))
        }
    }
}

impl Read {
    /// Where the field of an error stands, else the rule.
    fn place_of(&self, error: &SpecError) -> usize {
        let field = error.field.split('[').next().unwrap_or_default();
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map_or(self.at, |(_, at)| *at)
    }
}

fn rule(table: &DeTable<'_>, i: usize, at: usize) -> Result<Read, (usize, String)> {
    let mut spec = RuleSpec {
        action: "mask".to_owned(),
        ..RuleSpec::default()
    };
    let mut fields = Vec::new();
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    for (name, value) in members {
        let (key, at) = (name.get_ref().as_ref(), value.span().start);
        let text = || {
            let text = value.get_ref().as_str().map(str::to_owned);
            text.ok_or_else(|| (at, format!("`{KEY}[{i}].{key}` must be a text")))
        };
        let texts = || {
            let items = value.get_ref().as_array().into_iter().flatten();
            let texts: Option<Vec<String>> = items
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect();
            texts
                .filter(|_| value.get_ref().as_array().is_some())
                .ok_or_else(|| (at, format!("`{KEY}[{i}].{key}` must be a list of texts")))
        };
        match key {
            "name" => spec.name = text()?,
            "detector" => spec.detector = Some(text()?),
            "pattern" => spec.pattern = Some(text()?),
            "keys" => spec.keys = Some(texts()?),
            "paths" => spec.paths = Some(texts()?),
            "action" => spec.action = text()?,
            "replacement" => spec.replacement = Some(text()?),
            _ => {
                let at = name.span().start;
                return Err((at, format!("unknown key `{KEY}[{i}].{key}`")));
            }
        }
        fields.push((key.to_owned(), at));
    }
    Ok(Read { spec, at, fields })
}

/// The rules of a variable, checked.
pub(super) fn of_text(name: &str, text: &str) -> Result<Vec<RuleSpec>> {
    let rules: Vec<RuleSpec> = serde_json::from_str(text)
        .map_err(|_| wrong_use(format!("{name}: must be a JSON list of rules")))?;
    check(&rules).map_err(|(i, error)| wrong_use(format!("{name}: {}", text_of(i, &error))))?;
    Ok(rules)
}

fn check(rules: &[RuleSpec]) -> Result<(), (usize, SpecError)> {
    Rule::compile_all(rules, 1).map(|_| ())
}

fn text_of(i: usize, error: &SpecError) -> String {
    format!("`{KEY}[{i}].{}` {}", error.field, error.message)
}

/// Rules as a file writes them: one table each.
pub(super) fn to_toml(rules: &[RuleSpec], out: &mut String) {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    for rule in rules {
        let list = |texts: &Vec<String>| {
            let texts: Vec<String> = texts.iter().map(|it| text(it)).collect();
            format!("[{}]", texts.join(", "))
        };
        let members = [
            ("name", Some(text(&rule.name))),
            ("detector", rule.detector.as_deref().map(text)),
            ("pattern", rule.pattern.as_deref().map(text)),
            ("keys", rule.keys.as_ref().map(list)),
            ("paths", rule.paths.as_ref().map(list)),
            ("action", Some(text(&rule.action))),
            ("replacement", rule.replacement.as_deref().map(text)),
        ];
        out.push_str("\n[[redaction.rules]]\n");
        for (key, value) in members {
            if let Some(value) = value {
                // Writing to a String does not fail.
                let _written = writeln!(out, "{key} = {value}");
            }
        }
    }
}
