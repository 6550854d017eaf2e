//! What the file may hold: TOML, keys of the table, nothing else. Errors name line and column.

use std::path::Path;

use anyhow::{Context, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Entry;
use super::form::{Form, Value};
use super::table::Setting;
use super::{rules, tables};
use crate::out::wrong_use;

const FILE_BYTES_MAX: u64 = 1 << 20;

/// Entries of a configuration file.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>> {
    let name = path.display().to_string();
    let open = || {
        let n_bytes = std::fs::metadata(path)?.len();
        if n_bytes > FILE_BYTES_MAX {
            return Err(std::io::Error::other("it is larger than 1 MiB"));
        }
        std::fs::read_to_string(path)
    };
    let text = open()
        .map_err(|error| wrong_use(error.to_string()))
        .with_context(|| format!("cannot read the configuration file {name}"))?;
    parse(&name, &text)
}

/// Entries of the text of a file of that name.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Entry>> {
    let place = |offset: usize| place(name, text, offset);
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        wrong_use(format!("{}: {}", place(offset), error.message()))
    })?;
    let mut entries = Vec::new();
    walk("", table.get_ref(), &place, &mut entries)?;
    Ok(entries)
}

/// Goes into tables that settings lie in, and no deeper.
fn walk(
    prefix: &str,
    table: &DeTable<'_>,
    place: &dyn Fn(usize) -> String,
    entries: &mut Vec<Entry>,
) -> Result<()> {
    // Sorted by position, so that the first mistake of the file is the one that is named.
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    for (name, value) in members {
        let key = format!("{prefix}{}", name.get_ref());
        let place_of = place(name.span().start);
        if Setting::lie_in(&key) {
            let Some(inner) = value.get_ref().as_table() else {
                let place_of = place(value.span().start);
                return Err(wrong_use(format!("{place_of}: `{key}` must be a table")));
            };
            walk(&format!("{key}."), inner, place, entries)?;
            continue;
        }
        let Some(setting) = Setting::find(&key) else {
            let text = format!("{place_of}: unknown key `{key}`");
            return Err(wrong_use(text));
        };
        let place_of = place(value.span().start);
        let value = match setting.form {
            Form::Rules => Value::Rules(rules::of_file(value, place)?),
            Form::Tables(keys) => Value::Tables(tables::of_file(&key, keys, value, place)?),
            _ => convert(value).ok_or_else(|| {
                wrong_use(format!("{place_of}: `{key}` has a value of a wrong type"))
            })?,
        };
        entries.push(Entry {
            key,
            value,
            place: place_of,
        });
    }
    Ok(())
}

/// A value that is no table and holds none.
pub(super) fn convert(value: &Spanned<DeValue<'_>>) -> Option<Value> {
    let value = value.get_ref();
    if let Some(text) = value.as_str() {
        return Some(Value::Text(text.to_owned()));
    }
    if let Some(is_true) = value.as_bool() {
        return Some(Value::Bool(is_true));
    }
    if let Some(integer) = value.as_integer() {
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
        return Some(Value::Number(number));
    }
    let elements = value.as_array()?.iter();
    let texts = elements.map(|element| element.get_ref().as_str().map(str::to_owned));
    texts.collect::<Option<Vec<_>>>().map(Value::List)
}

/// `file:line:column`, counted from 1, columns in characters.
fn place(name: &str, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let last_line = before.rsplit('\n').next().unwrap_or(before);
    format!("{name}:{line}:{}", last_line.chars().count() + 1)
}
