//! What the environment may hold: variables that begin with `CONVLOG_`, each of them known.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Entry;
use super::form::{Form, Value};
use super::table::{Setting, settings};
use super::{rules, tables};
use crate::out::wrong_use;

/// Variables that are no settings, with what they are for.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("CONVLOG_CONFIG", "The configuration file, as `--config`."),
    (
        "CONVLOG_ADMIN_KEY",
        "`ID.SECRET` of the key that the first start on an empty data directory makes; ignored \
         once a key exists. Nothing is printed then.",
    ),
    (
        "CONVLOG_URL",
        "The server that commands talk to, as `--url`.",
    ),
    ("CONVLOG_KEY", "The key that commands use, as `--key`."),
    (
        "CONVLOG_FROM_KEY",
        "The key of the service that `convlog import --from` reads, as `--from-key`.",
    ),
];

/// The variables of this process that begin with `CONVLOG_`.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Reads them, and refuses one that nothing knows.
    pub(crate) fn read() -> Result<Self> {
        Self::of(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with("CONVLOG_")
                .then(|| (name, value.to_string_lossy().into_owned()))
        }))
    }

    /// These variables.
    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        for name in variables.keys() {
            let is_other = OTHERS.iter().any(|(other, _)| other == name);
            if !is_other && !settings().any(|setting| setting.variable() == *name) {
                let text = format!("unknown environment variable {name}; docs/config.md lists all");
                return Err(wrong_use(text));
            }
        }
        Ok(Environment { variables })
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The settings that it holds.
    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for setting in settings() {
            let name = setting.variable();
            if let Some(text) = self.get(&name) {
                entries.push(Entry {
                    key: setting.key.to_owned(),
                    value: parse(setting, &name, text)?,
                    place: name,
                });
            }
        }
        Ok(entries)
    }
}

fn parse(setting: &Setting, name: &str, text: &str) -> Result<Value> {
    let text = text.trim();
    match setting.form {
        Form::Text => Ok(Value::Text(text.to_owned())),
        Form::Number(_) => match text.parse() {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(wrong_use(format!("{name}: must be a whole number"))),
        },
        Form::Bool => match text {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(wrong_use(format!("{name}: must be true or false"))),
        },
        Form::Rules => rules::of_text(name, text).map(Value::Rules),
        Form::Tables(keys) => tables::of_text(setting.key, keys, name, text).map(Value::Tables),
        Form::List => {
            let parts = text.split(',').map(str::trim);
            let parts = parts.filter(|part| !part.is_empty());
            Ok(Value::List(parts.map(str::to_owned).collect()))
        }
    }
}
