//! `convlog keys`: lists, creates and revokes keys; creates one in the directory of a stopped
//! server, for the owner who lost the key.

use anyhow::Result;
use convlog_model::ids::InstanceId;
use convlog_server::keys::{NewKey, create_key};
use convlog_server::{Role, Roles};
use reqwest::Method;
use serde_json::{Value, json};

use crate::args::{CreateKey, Keys, KeysCommand, Listing, One};
use crate::client::Client;
use crate::config::Config;
use crate::engine;
use crate::out::{self, wrong_use};

const PATH: [&str; 3] = ["convlog", "v1", "keys"];

/// Does it.
pub(crate) async fn run(arguments: &Keys) -> Result<()> {
    match &arguments.command {
        KeysCommand::List(listing) => list(listing).await,
        KeysCommand::Create(wanted) if wanted.data_dir.is_some() => create_offline(wanted).await,
        KeysCommand::Create(wanted) => create(wanted).await,
        KeysCommand::Revoke(One { connection, id }) => {
            let [base, version, name] = PATH;
            // Somebody may paste the whole key.
            let id = id.split_once('.').map_or(id.as_str(), |(id, _)| id);
            let client = Client::new(connection)?;
            client.delete(&[base, version, name, id]).await?;
            out::line(&format!("key {id} revoked"))
        }
    }
}

async fn list(listing: &Listing) -> Result<()> {
    let client = Client::new(&listing.connection)?;
    let keys = super::pages(&client, "keys").await?;
    if listing.json {
        return out::line(&Value::Array(keys).to_string());
    }
    let join = |value: Option<&Value>| {
        let elements = value.and_then(Value::as_array).into_iter().flatten();
        elements
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(",")
    };
    let row = |key: &Value| {
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        vec![
            text("id").to_owned(),
            out::cell(text("name"), 40),
            join(key.get("roles")),
            out::cell(&join(key.get("bots")), 40),
            text("expires_at").to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    let header = ["id", "name", "roles", "bots", "expires at"];
    out::line(&out::table(&header, &rows))
}

async fn create(wanted: &CreateKey) -> Result<()> {
    let roles = match wanted.roles.is_empty() {
        true => vec!["write".to_owned(), "read".to_owned()],
        false => wanted.roles.clone(),
    };
    let mut body = json!({"name": wanted.name, "roles": roles});
    if !wanted.bots.is_empty() {
        body["bots"] = wanted.bots.clone().into();
    }
    if let Some(end) = &wanted.expires_at {
        body["expires_at"] = end.clone().into();
    }
    let client = Client::new(&wanted.connection)?;
    let made = client.send_json(Method::POST, &PATH, &body).await?;
    let key = made.get("key").and_then(Value::as_str).unwrap_or_default();
    show(key, &made, wanted.json)
}

/// The lock of the directory refuses this while a server runs on it.
async fn create_offline(wanted: &CreateKey) -> Result<()> {
    let roles = match wanted.roles.is_empty() {
        true => Roles::all(),
        false => Roles::of(
            &wanted
                .roles
                .iter()
                .map(|it| role(it))
                .collect::<Result<Vec<_>>>()?,
        ),
    };
    let mut config = Config::default();
    if let Some(dir) = &wanted.data_dir {
        if !dir.is_dir() {
            return Err(wrong_use(format!(
                "there is no data directory {}",
                dir.display()
            )));
        }
        config.data_dir.clone_from(dir);
    }
    let new = NewKey {
        instance: InstanceId::default_instance(),
        name: wanted.name.clone(),
        roles,
        bots: None,
        expires_at: None,
    };
    let opened = engine::open(&config).await?;
    let made = create_key(&opened.app, &new).await;
    opened.close().await?;
    let key = made.map_err(|fault| engine::failure(&fault))?;
    let id = key.split('.').next().unwrap_or_default();
    show(
        &key,
        &json!({"id": id, "key": key, "name": wanted.name}),
        wanted.json,
    )
}

fn role(name: &str) -> Result<Role> {
    let role = Role::ALL.into_iter().find(|role| role.as_str() == name);
    role.ok_or_else(|| wrong_use(format!("`{name}` is no role; roles are {}", all_roles())))
}

fn all_roles() -> String {
    Role::ALL.map(Role::as_str).join(", ")
}

fn show(key: &str, made: &Value, is_json: bool) -> Result<()> {
    match is_json {
        true => out::line(&made.to_string()),
        false => out::line(&format!("key: {key}")),
    }
}
