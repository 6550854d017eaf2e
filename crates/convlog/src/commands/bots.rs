//! `convlog bots`: lists, prints, writes, imports and deletes bots.

mod import;

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result};
use convlog_dialects::lex::transfer::DOCUMENT_BYTES_MAX;
use reqwest::Method;
use serde_json::Value;

use crate::args::{Bots, BotsCommand, Listing, One};
use crate::client::Client;
use crate::out::{self, wrong_use};

/// Most bytes of a file: what one of Lex may have.
const FILE_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;

/// Does it.
pub(crate) async fn run(arguments: &Bots) -> Result<()> {
    match &arguments.command {
        BotsCommand::List(listing) => list(listing).await,
        BotsCommand::Get(One { connection, id }) => {
            let bot = Client::new(connection)?.get(&path(id), &[]).await?;
            out::line(&format!("{bot:#}"))
        }
        BotsCommand::Put {
            connection,
            id,
            file,
        } => {
            let body = read(file)?;
            let client = Client::new(connection)?;
            let bot = client.send_json(Method::PUT, &path(id), &body).await?;
            out::line(&format!("{bot:#}"))
        }
        BotsCommand::Import(arguments) => import::run(arguments).await,
        BotsCommand::Delete(One { connection, id }) => {
            Client::new(connection)?.delete(&path(id)).await?;
            out::line(&format!(
                "bot {id} deleted; its records stay until they expire"
            ))
        }
    }
}

fn path(id: &str) -> [&str; 4] {
    ["convlog", "v1", "bots", id]
}

async fn list(listing: &Listing) -> Result<()> {
    let client = Client::new(&listing.connection)?;
    let bots = super::pages(&client, "bots").await?;
    if listing.json {
        return out::line(&Value::Array(bots).to_string());
    }
    let text = |bot: &Value, pointer: &str| {
        let value = bot.pointer(pointer).and_then(Value::as_str);
        out::cell(value.unwrap_or_default(), 60)
    };
    let row = |bot: &Value| {
        let columns = ["/id", "/name", "/language", "/connector/kind"];
        columns.map(|pointer| text(bot, pointer)).to_vec()
    };
    let rows: Vec<Vec<String>> = bots.iter().map(row).collect();
    out::line(&out::table(&["id", "name", "language", "connector"], &rows))
}

fn read(file: &Path) -> Result<Value> {
    let text = read_bytes(file)?;
    serde_json::from_slice(&text).map_err(|error| wrong_use(format!("{}: {error}", file.display())))
}

fn read_bytes(file: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    let source: Box<dyn std::io::Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(file).with_context(cannot)?),
    };
    let mut bytes = Vec::new();
    let one_more = u64::try_from(FILE_BYTES_MAX + 1)?;
    source
        .take(one_more)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    match bytes.len() <= FILE_BYTES_MAX {
        true => Ok(bytes),
        false => {
            let mib = FILE_BYTES_MAX >> 20;
            let message = format!("{} is larger than {mib} MiB", file.display());
            Err(wrong_use(message))
        }
    }
}
