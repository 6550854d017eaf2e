//! What `[aws]` and `[lex]` may say: names, URLs, roles with their secrets, and what of it fits
//! together.

use std::path::PathBuf;

use anyhow::Result;
use convlog_dialects::aws::arn::RoleArn;
use convlog_server::config::{AwsConfig, AwsEndpoint, AwsRole, AwsTarget};
use url::Url;

use super::form::{Value, Wrong, path_text, to_bool, to_list, to_tables, to_text};
use super::tables::Table;
use super::{Config, Entry, MASK};
use crate::out::wrong_use;

/// The key of the roles.
pub(super) const ROLES: &str = "aws.roles";
const BUILTIN_LOGS: &str = "aws.builtin_logs";
const SECRET: &str = "secret_access_key";
const SECRET_FILE: &str = "secret_access_key_file";

/// What a role may say.
pub(super) const ROLE_KEYS: &[&str] = &[
    "arn",
    "access_key_id",
    SECRET,
    SECRET_FILE,
    "assume",
    "pass",
];

/// What a function or destination may say.
pub(super) const TARGET_KEYS: &[&str] = &["arn", "url"];

/// The region of a value.
pub(super) fn to_region(value: Value) -> Result<String, String> {
    let text = to_text(value)?;
    let is_of_region = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    match text.bytes().all(is_of_region) {
        true => Ok(text),
        false => Err("must be a region such as `us-east-1`".to_owned()),
    }
}

/// The account of a value.
pub(super) fn to_account(value: Value) -> Result<String, String> {
    let text = to_text(value)?;
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text),
        false => Err("must be 12 digits".to_owned()),
    }
}

/// The URL of a value, as it is written. What is shown of a URL is not masked, so it may hold no
/// password.
pub(super) fn to_url(value: Value) -> Result<String, String> {
    checked_url(value).map(|(text, _)| text)
}

fn checked_url(value: Value) -> Result<(String, Url), String> {
    let text = to_text(value)?;
    let url = Url::parse(&text).map_err(|_| "must be an http or https URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be an http or https URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must have no fragment".to_owned());
    }
    Ok((text, url))
}

/// The endpoint of a value.
pub(super) fn to_endpoint(value: Value) -> Result<AwsEndpoint, String> {
    if value == Value::Text("aws".to_owned()) {
        return Ok(AwsEndpoint::Aws);
    }
    let url = endpoint_url(value)
        .map_err(|text| text.replace("http or https URL", "http or https URL, or `aws`"))?;
    Ok(AwsEndpoint::Url(url))
}

/// The endpoint of CloudWatch Logs of a value.
pub(super) fn to_logs_endpoint(value: Value) -> Result<String, String> {
    if value == Value::Text("aws".to_owned()) {
        let text = "must be an http or https URL; AWS's own is used without it where \
                    `aws.builtin_logs` is false";
        return Err(text.to_owned());
    }
    endpoint_url(value)
}

/// Paths and queries of requests are put behind it.
fn endpoint_url(value: Value) -> Result<String, String> {
    let (text, url) = checked_url(value)?;
    match url.query() {
        None => Ok(text),
        Some(_) => Err("must have no query".to_owned()),
    }
}

/// An endpoint as a file writes it.
pub(super) fn endpoint_text(endpoint: Option<&AwsEndpoint>) -> Value {
    let text = match endpoint {
        None => "",
        Some(AwsEndpoint::Aws) => "aws",
        Some(AwsEndpoint::Url(url)) => url,
    };
    Value::Text(text.to_owned())
}

/// Sets the roles.
pub(super) fn set_roles(config: &mut Config, value: Value) -> Result<(), Wrong> {
    let mut roles: Vec<AwsRole> = Vec::new();
    config.secret_files.clear();
    for table in to_tables(value)? {
        let (role, file) = role(&table)?;
        if roles.iter().any(|other| other.arn == role.arn) {
            return Err(table.wrong("arn", "stands there twice"));
        }
        if let Some(file) = file {
            config.secret_files.insert(role.arn.clone(), file);
        }
        roles.push(role);
    }
    config.server.aws.roles = roles;
    Ok(())
}

/// A role, and the file that holds its secret.
fn role(table: &Table) -> Result<(AwsRole, Option<PathBuf>), Wrong> {
    let arn = table.require("arn", |value| {
        let text = to_text(value)?;
        let form = "must be the ARN of a role: `arn:aws:iam::ACCOUNT:role/NAME`";
        RoleArn::parse(&text).map_or_else(|| Err(form.to_owned()), |_| Ok(text))
    })?;
    let access_key_id = table.require("access_key_id", to_access_key_id)?;
    let secret = table.get(SECRET, to_secret)?;
    let file = table.get(SECRET_FILE, to_text)?.map(PathBuf::from);
    if secret.is_some() && file.is_some() {
        return Err(table.wrong(SECRET_FILE, format!("cannot stand beside `{SECRET}`")));
    }
    if secret.is_none() && file.is_none() {
        return Err(table.wrong(SECRET, format!("is missing, and so is `{SECRET_FILE}`")));
    }
    let role = AwsRole {
        arn,
        access_key_id,
        secret_access_key: secret.unwrap_or_default(),
        assume: table
            .get("assume", |value| to_bool(&value))?
            .unwrap_or(false),
        pass: table.get("pass", to_key_ids)?,
    };
    Ok((role, file))
}

/// It stands in a header, between signs that it cannot hold.
fn to_access_key_id(value: Value) -> Result<String, String> {
    let text = to_text(value)?;
    let is_of_id = |byte: u8| byte.is_ascii_graphic() && !b"/,=".contains(&byte);
    match text.bytes().all(is_of_id) {
        true => Ok(text),
        false => Err("must be visible ASCII without `/`, `,` and `=`".to_owned()),
    }
}

/// What `convlog config` shows is no secret, should somebody make a file of it.
fn to_secret(value: Value) -> Result<String, String> {
    match to_text(value)? {
        mask if mask == MASK => Err("is masked: put the secret in its place".to_owned()),
        secret => Ok(secret),
    }
}

/// A whole key, with its secret, is none.
fn to_key_ids(value: Value) -> Result<Vec<String>, String> {
    let ids = to_list(value)?;
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|it| it.is_ascii_alphanumeric());
    match ids.iter().all(is_id) {
        true => Ok(ids),
        false => Err("must be ids of keys, which are letters and digits".to_owned()),
    }
}

/// The roles as they are shown: a secret masked, a file by its name.
pub(super) fn roles(config: &Config) -> Value {
    let shown = |role: &AwsRole| {
        let text = |text: &String| Some(Value::Text(text.clone()));
        let file = config.secret_files.get(&role.arn);
        let mask = file.is_none().then(|| Value::Text(MASK.to_owned()));
        Table::of([
            ("arn", text(&role.arn)),
            ("access_key_id", text(&role.access_key_id)),
            (SECRET, mask),
            (SECRET_FILE, file.map(|path| path_text(path))),
            ("assume", Some(Value::Bool(role.assume))),
            ("pass", role.pass.clone().map(Value::List)),
        ])
    };
    Value::Tables(config.server.aws.roles.iter().map(shown).collect())
}

/// Functions or destinations of a value.
pub(super) fn to_targets(value: Value) -> Result<Vec<AwsTarget>, Wrong> {
    let mut targets: Vec<AwsTarget> = Vec::new();
    for table in to_tables(value)? {
        let arn = table.require("arn", |value| match to_text(value)? {
            arn if arn.starts_with("arn:") => Ok(arn),
            _ => Err("must begin with `arn:`".to_owned()),
        })?;
        if targets.iter().any(|other| other.arn == arn) {
            return Err(table.wrong("arn", "stands there twice"));
        }
        let url = table.require("url", to_url)?;
        targets.push(AwsTarget { arn, url });
    }
    Ok(targets)
}

/// Functions or destinations as a file writes them.
pub(super) fn targets(targets: &[AwsTarget]) -> Value {
    let text = |text: &String| Some(Value::Text(text.clone()));
    let shown = |it: &AwsTarget| Table::of([("arn", text(&it.arn)), ("url", text(&it.url))]);
    Value::Tables(targets.iter().map(shown).collect())
}

/// Checks what settings say of one another, and completes what follows from others.
pub(super) fn together(aws: &mut AwsConfig, entries: &[Entry]) -> Result<()> {
    let last = |key: &str| entries.iter().rev().find(|entry| entry.key == key);
    if aws.endpoints.logs.is_some() {
        if let (true, Some(Entry { place, .. })) = (aws.builtin_logs, last(BUILTIN_LOGS)) {
            return Err(wrong_use(format!(
                "{place}: `{BUILTIN_LOGS}` cannot be true beside `aws.endpoints.logs`: log groups \
                 are either this server's own or those of CloudWatch Logs there"
            )));
        }
        aws.builtin_logs = false;
    }
    let Some(Entry { value, place, key }) = last(ROLES) else {
        return Ok(());
    };
    let tables = to_tables(value.clone()).map_err(|text| Wrong::from(text).error(place, key))?;
    for (role, table) in aws.roles.iter().zip(&tables) {
        fits(aws, role, table).map_err(|wrong| wrong.error(place, key))?;
    }
    Ok(())
}

/// Whether a role is of the account and can be assumed.
fn fits(aws: &AwsConfig, role: &AwsRole, table: &Table) -> Result<(), Wrong> {
    let account = &aws.account;
    if RoleArn::parse(&role.arn).is_none_or(|arn| arn.account != *account) {
        let text = format!("must be of the account {account}, which is `aws.account`");
        return Err(table.wrong("arn", text));
    }
    if role.assume && aws.endpoints.sts.is_none() {
        return Err(table.wrong("assume", "needs `aws.endpoints.sts`"));
    }
    Ok(())
}
