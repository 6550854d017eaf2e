//! `convlog bots import`: files that Amazon Lex V1 has exported, into a server.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_dialects::lex::transfer::{
    Bounds, DEPTH_MAX, DOCUMENT_BYTES_MAX, Document, Parts, Resource,
};
use convlog_model::json::Json;
use reqwest::Method;
use serde_json::{Value, json};

use crate::args::BotsImport;
use crate::client::Client;
use crate::out::{self, wrong_use};

/// Bounds of a file, as the server has them where nothing else is configured.
const BOUNDS: Bounds = Bounds {
    bytes: DOCUMENT_BYTES_MAX,
    depth: DEPTH_MAX,
};
/// Questions for an import that runs on, and the time between two.
const QUESTIONS_MAX: usize = 600;
const PAUSE: Duration = Duration::from_secs(1);

/// Imports one file after the other; the first that fails is the last.
pub(super) async fn run(arguments: &BotsImport) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    for file in &arguments.files {
        let bytes = super::read_bytes(file)?;
        let wrong = |error| wrong_use(format!("{}: {error}", file.display()));
        let document = Document::read(&bytes, BOUNDS).map_err(wrong)?;
        let kind = document.kind();
        let parts = document.parts(kind).map_err(wrong)?;
        let import = send(&client, kind, &bytes, arguments.overwrite).await?;
        if arguments.json {
            out::line(&import.to_string())?;
        }
        require_complete(file, &import)?;
        if !arguments.json {
            out::line(&made(&parts))?;
        }
    }
    Ok(())
}

/// Hands a file over and waits until it is imported, or not.
async fn send(client: &Client, kind: Resource, file: &[u8], overwrite: bool) -> Result<Value> {
    let merge = match overwrite {
        true => "OVERWRITE_LATEST",
        false => "FAIL_ON_CONFLICT",
    };
    let body = json!({
        "payload": STANDARD.encode(file),
        "resourceType": kind.as_str(),
        "mergeStrategy": merge,
    });
    let started = client.send_json(Method::POST, &["imports"], &body).await?;
    let Some(id) = started.get("importId").and_then(Value::as_str) else {
        bail!("the answer names no import; is this a convlog server?");
    };
    for _ in 0..QUESTIONS_MAX {
        let import = client.get(&["imports", id], &[]).await?;
        if import.get("importStatus").and_then(Value::as_str) != Some("IN_PROGRESS") {
            return Ok(import);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("the import {id} still runs")
}

fn require_complete(file: &Path, import: &Value) -> Result<()> {
    if import.get("importStatus").and_then(Value::as_str) == Some("COMPLETE") {
        return Ok(());
    }
    let reasons = import.get("failureReason").and_then(Value::as_array);
    let reasons = reasons.map(Vec::as_slice).unwrap_or_default().iter();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    bail!("{}: {}", file.display(), reasons.join(" "))
}

/// What an import has made, a line each.
fn made(parts: &Parts) -> String {
    let name = |part: &Json| part.get("name").and_then(Json::as_str).map(str::to_owned);
    let line = |what: &str, part: &Json| {
        let name = name(part).unwrap_or_default();
        format!("{what} {} ($LATEST)", out::cell(&name, 100))
    };
    let slot_types = parts.slot_types.iter().map(|part| line("slot type", part));
    let intents = parts.intents.iter().map(|part| line("intent", part));
    let bot = parts.bot.iter().map(|part| line("bot", part));
    let lines: Vec<String> = slot_types.chain(intents).chain(bot).collect();
    lines.join("\n")
}
