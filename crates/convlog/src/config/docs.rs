//! The table of settings as a file (`convlog config`) and as a document (docs/config.md).

use std::fmt::Write as _;

use super::Config;
#[cfg(test)]
use super::env::OTHERS;
#[cfg(test)]
use super::form::Form;
use super::form::Value;
use super::rules;
use super::table::SETTINGS;

/// The configuration as a file that gives the same one; what is not set is a comment.
pub(super) fn toml(config: &Config) -> String {
    let mut text = String::new();
    let mut table = "";
    for setting in SETTINGS {
        let (in_table, key) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if in_table != table {
            table = in_table;
            write_to(&mut text, format_args!("\n[{table}]\n"));
        }
        let value = (setting.get)(config);
        match &value {
            Value::Text(unset) if unset.is_empty() => {
                write_to(&mut text, format_args!("# {key} is not set\n"));
            }
            Value::Rules(list) if !list.is_empty() => rules::to_toml(list, &mut text),
            _ => write_to(&mut text, format_args!("{key} = {}\n", literal(&value))),
        }
    }
    text
}

/// A value as TOML writes it.
fn literal(value: &Value) -> String {
    let text = |text: &String| toml::Value::String(text.clone()).to_string();
    match value {
        Value::Text(it) => text(it),
        Value::Number(number) => number.to_string(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::List(list) => {
            let list: Vec<String> = list.iter().map(text).collect();
            format!("[{}]", list.join(", "))
        }
        // Those of a list that is not empty are tables, `rules::to_toml`.
        Value::Rules(_) => "[]".to_owned(),
    }
}

/// Writing to a String does not fail.
fn write_to(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _written = text.write_fmt(arguments);
}

/// The text of docs/config.md.
#[cfg(test)]
pub(super) fn markdown() -> String {
    let mut text = String::from(INTRODUCTION);
    let mut table = "-";
    for setting in SETTINGS {
        let (in_table, _) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if in_table != table {
            table = in_table;
            let title = match table {
                "" => "## At the top of the file".to_owned(),
                _ => format!("## `[{table}]`"),
            };
            write_to(
                &mut text,
                format_args!(
                    "\n{title}\n\n| key | values | default | variable | what it does |\n\
                     | --- | --- | --- | --- | --- |\n"
                ),
            );
        }
        let form = match setting.form {
            Form::Text => "text".to_owned(),
            Form::Number(0) => "number".to_owned(),
            Form::Number(min) => format!("number, at least {min}"),
            Form::Bool => "`true`, `false`".to_owned(),
            Form::List => "text or list of texts".to_owned(),
            Form::Rules => "list of tables".to_owned(),
        };
        let default = match (setting.get)(&Config::default()) {
            Value::Text(unset) if unset.is_empty() => "not set".to_owned(),
            value => format!("`{}`", literal(&value)),
        };
        let (key, variable, about) = (setting.key, setting.variable(), setting.about);
        write_to(
            &mut text,
            format_args!("| `{key}` | {form} | {default} | `{variable}` | {about} |\n"),
        );
    }
    text.push_str(VARIABLES);
    for (name, about) in OTHERS {
        write_to(&mut text, format_args!("| `{name}` | {about} |\n"));
    }
    text.push_str(LATER_KEYS);
    text
}

#[cfg(test)]
const INTRODUCTION: &str = "# Configuration

Generated from the table in `crates/convlog/src/config/table.rs` by the test that checks it: run
`cargo test -p convlog config` after a change.

A setting comes from a flag, else from the environment, else from the file, else it has its default.
The file is TOML: `--config FILE`, else `CONVLOG_CONFIG`, else `convlog.toml` in the working
directory if there is one. Keys and `CONVLOG_` variables that convlog does not know are errors, with
their place. Lists are separated by commas in the environment. Relative paths are taken from the
working directory. `convlog config` prints what is in effect.

```toml
data_dir = \"convlog-data\"
listen = [\"127.0.0.1:8080\"]

[limits]
list_per_minute = 600

[retention]
default_days = 365

[[redaction.rules]]
name = \"mail\"
detector = \"email\"
action = \"hash\"
```
";

#[cfg(test)]
const VARIABLES: &str = "
## Variables that are no settings

| variable | what it does |
| --- | --- |
";

#[cfg(test)]
const LATER_KEYS: &str = "
## Not supported by this version

`[aws]` is reserved; a file that holds it is refused.
";
