//! `convlog erase`: asks for an erasure and shows how far it is.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use crate::args::Erase;
use crate::client::Client;
use crate::out;

const PAUSE: Duration = Duration::from_millis(500);
const PATH: [&str; 3] = ["convlog", "v1", "erasures"];

/// Erases.
pub(crate) async fn run(arguments: &Erase) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    let mut body = match (&arguments.customer, &arguments.filter) {
        (Some(customer), _) => json!({"customer_id": customer}),
        (None, filter) => json!({"filter": filter}),
    };
    if arguments.dry_run {
        body["dry_run"] = true.into();
    }
    let mut erasure = client.send_json(Method::POST, &PATH, &body).await?;
    let n_records = erasure
        .get("records")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let n_records = out::grouped(n_records);
    if arguments.dry_run {
        return match arguments.json {
            true => out::line(&erasure.to_string()),
            false => out::line(&format!("{n_records} records would be erased")),
        };
    }
    let id = text(&erasure, "id")
        .context("the answer holds no id")?
        .to_owned();
    if !arguments.json {
        out::line(&format!("erasure {id}"))?;
        out::line(&format!("{n_records} records hidden from every read"))?;
        connectors(&erasure)?;
    }
    if arguments.wait {
        erasure = wait(&client, &id, erasure, arguments.json).await?;
    }
    if arguments.json {
        out::line(&erasure.to_string())?;
    }
    Ok(())
}

/// Shows each state as it is reached, until nothing is left in any file.
async fn wait(client: &Client, id: &str, mut erasure: Value, is_json: bool) -> Result<Value> {
    let mut shown = "hidden".to_owned();
    loop {
        let state = text(&erasure, "state").context("the answer holds no state")?;
        if state != shown && !is_json {
            let about = match state {
                "overwriting" => "overwriting the rows",
                "reindexing" => "rows overwritten, making the indexes anew",
                "done" => "gone from every file of this server (backups keep what they hold)",
                other => other,
            };
            out::line(about)?;
        }
        if state == "done" {
            return Ok(erasure);
        }
        if text(&erasure, "last_state") == Some(state) {
            if !is_json {
                out::note("this server hides erased records for good and does not overwrite them");
            }
            return Ok(erasure);
        }
        shown = state.to_owned();
        tokio::time::sleep(PAUSE).await;
        let [base, version, name] = PATH;
        erasure = client.get(&[base, version, name, id], &[]).await?;
    }
}

/// What connectors have got is not ours to overwrite.
fn connectors(erasure: &Value) -> Result<()> {
    let holders = erasure.get("connectors").and_then(Value::as_array);
    for holder in holders.into_iter().flatten() {
        let bot = text(holder, "bot").unwrap_or_default();
        let kind = text(holder, "kind").unwrap_or_default();
        let state = holder.pointer("/forward/state").and_then(Value::as_str);
        let line = match state {
            Some(state) => format!("{kind} connector of bot {bot}: repeated there, {state}"),
            None => format!("{kind} connector of bot {bot}: may still hold data, erase it there"),
        };
        out::line(&line)?;
    }
    Ok(())
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}
