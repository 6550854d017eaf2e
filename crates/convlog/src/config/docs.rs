//! The table of settings as a file (`convlog config`) and as a document (docs/config.md).

use std::fmt::Write as _;

use super::Config;
#[cfg(test)]
use super::env::OTHERS;
#[cfg(test)]
use super::form::Form;
use super::form::Value;
use super::table::settings;
use super::{rules, tables};

/// The configuration as a file that gives the same one, but for secrets, which are masked; what is
/// not set is a comment.
pub(super) fn toml(config: &Config) -> String {
    let mut text = String::new();
    let mut table = "";
    // Lists of tables end the table that they lie in, so they come when it is complete.
    let mut lists = String::new();
    for setting in settings() {
        let (in_table, key) = setting.parts();
        if in_table != table {
            table = in_table;
            text.push_str(&std::mem::take(&mut lists));
            write_to(&mut text, format_args!("\n[{table}]\n"));
        }
        let value = (setting.get)(config);
        match &value {
            Value::Text(unset) if unset.is_empty() => {
                write_to(&mut text, format_args!("# {key} is not set\n"));
            }
            Value::Rules(list) if !list.is_empty() => rules::to_toml(list, &mut lists),
            Value::Tables(list) if !list.is_empty() => {
                tables::to_toml(setting.key, list, &mut lists);
            }
            _ => write_to(&mut text, format_args!("{key} = {}\n", literal(&value))),
        }
    }
    text.push_str(&lists);
    text
}

/// A value as TOML writes it.
pub(super) fn literal(value: &Value) -> String {
    let text = |text: &String| toml::Value::String(text.clone()).to_string();
    match value {
        Value::Text(it) => text(it),
        Value::Number(number) => number.to_string(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::List(list) => {
            let list: Vec<String> = list.iter().map(text).collect();
            format!("[{}]", list.join(", "))
        }
        // Those of a list that is not empty are tables, each with its own lines.
        Value::Rules(_) | Value::Tables(_) => "[]".to_owned(),
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
    for setting in settings() {
        let (in_table, _) = setting.parts();
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
            Form::Rules | Form::Tables(_) => "list of tables".to_owned(),
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
    text
}

#[cfg(test)]
const INTRODUCTION: &str = "# Configuration

Generated from the tables in `crates/convlog/src/config/table.rs` and beneath it by the test that
checks it: run `cargo test -p convlog config` after a change.

A setting comes from a flag, else from the environment, else from the file, else it has its default.
The file is TOML: `--config FILE`, else `CONVLOG_CONFIG`, else `convlog.toml` in the working
directory if there is one. Keys and `CONVLOG_` variables that convlog does not know are errors, with
their place. Lists are separated by commas in the environment, lists of tables are JSON there.
Relative paths are taken from the working directory. `convlog config` prints what is in effect,
with secrets masked.

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
