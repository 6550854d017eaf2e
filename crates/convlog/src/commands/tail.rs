//! `convlog tail`: records as they arrive, by asking for what lies behind a position.

use std::time::Duration;

use anyhow::Result;
use convlog_model::json::Json;

use super::query::{Page, page};
use super::show;
use crate::args::Tail;
use crate::client::Client;
use crate::out;

const PAGE_RECORDS: u64 = 1000;

/// Prints records until Ctrl-C.
pub(crate) async fn run(arguments: &Tail) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    let filter = arguments.filter.as_deref();
    let newest = page(&client, filter, "-position", arguments.last.max(1), None).await?;
    let n_shown = usize::try_from(arguments.last).unwrap_or(usize::MAX);
    let mut shown: Vec<&Json> = newest.records.iter().take(n_shown).collect();
    shown.reverse();
    for record in shown {
        print(record, arguments.json)?;
    }
    // Where to go on: behind the newest record. Ids increase with positions.
    let last = newest.records.first();
    let last_id = last.and_then(|record| record.get("id")?.as_str());
    let last_id = last_id.unwrap_or_default().to_owned();
    let from = last
        .and_then(received)
        .map(|time| format!("time.received>={time}"));
    let terms = [filter.map(|filter| format!("({filter})")), from];
    let filter = terms.into_iter().flatten().collect::<Vec<_>>().join(",");
    let filter = (!filter.is_empty()).then_some(filter);
    let pause = Duration::from_secs(arguments.interval);
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    let mut cursor: Option<String> = None;
    loop {
        let step = follow(&client, filter.as_deref(), cursor.as_deref());
        let next = tokio::select! {
            _ = &mut stop => return Ok(()),
            next = step => next?,
        };
        for record in &next.records {
            let id = record.get("id").and_then(Json::as_str).unwrap_or_default();
            if id > last_id.as_str() {
                print(record, arguments.json)?;
            }
        }
        let is_caught_up = next.records.is_empty();
        cursor = next.cursor.or(cursor);
        if is_caught_up {
            tokio::select! {
                _ = &mut stop => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

async fn follow(client: &Client, filter: Option<&str>, cursor: Option<&str>) -> Result<Page> {
    page(client, filter, "position", PAGE_RECORDS, cursor).await
}

fn received(record: &Json) -> Option<String> {
    let time = record.at(&["time", "received"])?.as_str()?;
    Some(time.to_owned())
}

fn print(record: &Json, is_json: bool) -> Result<()> {
    match is_json {
        true => out::line(&record.to_string()),
        false => out::line(show::row(record).join("  ").trim_end()),
    }
}
