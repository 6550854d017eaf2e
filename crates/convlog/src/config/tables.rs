//! Lists of tables, such as `[[aws.roles]]`: tables in the file, JSON in the environment. Their
//! members are read here; what they may say is up to who sets them.

use std::fmt::Write as _;

use anyhow::Result;
use serde::{Serialize, Serializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::form::{Value, Wrong};
use super::{docs, raw};
use crate::out::wrong_use;

type Place<'a> = &'a dyn Fn(usize) -> String;

/// One table of a list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// Which one it is, from 0.
    i: usize,
    place: String,
    members: Vec<Member>,
}

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    key: String,
    value: Value,
    place: String,
}

impl Table {
    /// A table to be shown, of members that are set.
    pub(super) fn of(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Self {
        let member = |(key, value): (&str, Option<Value>)| {
            Some(Member {
                key: key.to_owned(),
                value: value?,
                place: String::new(),
            })
        };
        Table {
            members: members.into_iter().filter_map(member).collect(),
            ..Table::default()
        }
    }

    /// The value of a member as `read` makes it of what is written; `None` if nothing is.
    pub(super) fn get<T>(
        &self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<Option<T>, Wrong> {
        let value = self.members.iter().find(|member| member.key == key);
        let value = value.map(|member| read(member.value.clone()));
        value.transpose().map_err(|text| self.wrong(key, text))
    }

    /// The value of a member that must be there.
    pub(super) fn require<T>(
        &self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        let value = self.get(key, read)?;
        value.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// A mistake of a member, at its place; at that of the table if it is not there.
    pub(super) fn wrong(&self, key: &str, text: impl Into<String>) -> Wrong {
        let found = self.members.iter().find(|member| member.key == key);
        let place = found.map_or(&self.place, |member| &member.place);
        Wrong::inside(place, format!("[{}].{key}", self.i), text)
    }
}

/// Members by their keys.
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.members.iter().map(|it| (&it.key, &it.value)))
    }
}

/// The tables of a file, none of them with a member that is not in `keys`.
pub(super) fn of_file(
    key: &str,
    keys: &[&str],
    value: &Spanned<DeValue<'_>>,
    place: Place<'_>,
) -> Result<Vec<Table>> {
    let wrong = |at: usize, text: String| wrong_use(format!("{}: {text}", place(at)));
    let list = value.get_ref().as_array().ok_or_else(|| {
        let text = format!("`{key}` must be a list of tables");
        wrong(value.span().start, text)
    })?;
    let mut tables = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let at = item.span().start;
        let members = item.get_ref().as_table();
        let members = members.ok_or_else(|| wrong(at, format!("`{key}[{i}]` must be a table")))?;
        let members = members_of_file(&format!("{key}[{i}]"), keys, members, place)?;
        tables.push(Table {
            i,
            place: place(at),
            members,
        });
    }
    Ok(tables)
}

fn members_of_file(
    path: &str,
    keys: &[&str],
    table: &DeTable<'_>,
    place: Place<'_>,
) -> Result<Vec<Member>> {
    // Sorted by position, so that the first mistake of the file is the one that is named.
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(name, _)| name.span().start);
    let member = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &str = AsRef::<str>::as_ref(name.get_ref());
        if !keys.contains(&key) {
            let place = place(name.span().start);
            return Err(wrong_use(format!("{place}: unknown key `{path}.{key}`")));
        }
        let place = place(value.span().start);
        let Some(value) = raw::convert(value) else {
            let text = format!("{place}: `{path}.{key}` has a value of a wrong type");
            return Err(wrong_use(text));
        };
        Ok(Member {
            key: key.to_owned(),
            value,
            place,
        })
    };
    members.into_iter().map(member).collect()
}

/// The tables of a variable, none of them with a member that is not in `keys`.
pub(super) fn of_text(key: &str, keys: &[&str], name: &str, text: &str) -> Result<Vec<Table>> {
    type Object = serde_json::Map<String, serde_json::Value>;
    let objects: Vec<Object> = serde_json::from_str(text)
        .map_err(|_| wrong_use(format!("{name}: must be a JSON list of objects")))?;
    let member = |i: usize, (member, value): (&String, &serde_json::Value)| {
        if !keys.contains(&member.as_str()) {
            let text = format!("{name}: unknown key `{key}[{i}].{member}`");
            return Err(wrong_use(text));
        }
        let Some(value) = of_json(value) else {
            let text = format!("{name}: `{key}[{i}].{member}` has a value of a wrong type");
            return Err(wrong_use(text));
        };
        Ok(Member {
            key: member.clone(),
            value,
            place: name.to_owned(),
        })
    };
    let table = |(i, object): (usize, &Object)| {
        let members = object.iter().map(|it| member(i, it));
        Ok(Table {
            i,
            place: name.to_owned(),
            members: members.collect::<Result<_>>()?,
        })
    };
    objects.iter().enumerate().map(table).collect()
}

fn of_json(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::String(text) => Some(Value::Text(text.clone())),
        serde_json::Value::Bool(is_true) => Some(Value::Bool(*is_true)),
        serde_json::Value::Number(number) => number.as_u64().map(Value::Number),
        serde_json::Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>().map(Value::List)
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => None,
    }
}

/// Tables as a file writes them.
pub(super) fn to_toml(key: &str, tables: &[Table], out: &mut String) {
    for table in tables {
        // Writing to a String does not fail.
        let _written = write!(out, "\n[[{key}]]\n");
        for Member { key, value, .. } in &table.members {
            let _written = writeln!(out, "{key} = {}", docs::literal(value));
        }
    }
}
