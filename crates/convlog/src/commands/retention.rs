//! `convlog retention`: what maintenance does, and the word that the clock is right.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};

use crate::args::Retention;
use crate::client::Client;
use crate::out;

const PATH: [&str; 3] = ["convlog", "v1", "retention"];

/// Shows, after confirming where that is asked for.
pub(crate) async fn run(arguments: &Retention) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    let shown = match arguments.confirm {
        true => {
            let body = json!({"confirm": true});
            client.send_json(Method::POST, &PATH, &body).await?
        }
        false => client.get(&PATH, &[]).await?,
    };
    if arguments.json {
        return out::line(&shown.to_string());
    }
    for (name, about) in [
        ("rows_expired", "rows removed because they have expired"),
        ("rows_erased", "rows removed by erasures"),
        ("chunks_dropped", "chunks removed as a whole"),
        ("bytes_overwritten", "bytes overwritten"),
        ("chunks_pending", "chunks to look at"),
        ("erasures_pending", "erasures not done"),
    ] {
        let n = shown.get(name).and_then(Value::as_u64).unwrap_or_default();
        out::line(&format!("{} {about}", out::grouped(n)))?;
    }
    let last = shown.get("last_pass").and_then(Value::as_str);
    out::line(&format!("last pass: {}", last.unwrap_or("none")))?;
    match shown.get("held").and_then(Value::as_str) {
        Some(why) => out::line(&format!(
            "held, nothing is removed: {why}\nIf the clock is right: convlog retention --confirm"
        )),
        None => Ok(()),
    }
}
