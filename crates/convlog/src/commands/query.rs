//! `convlog query`: records that match a filter, as a table or as JSON.

use anyhow::{Context, Result};
use convlog_model::json::Json;

use super::show;
use crate::args::Query;
use crate::client::Client;
use crate::out;

const PAGE_RECORDS_MAX: u64 = 1000;

/// A page of records in canonical form and where the next one begins.
pub(crate) struct Page {
    pub(crate) records: Vec<Json>,
    pub(crate) cursor: Option<String>,
}

/// Asks for a page.
pub(crate) async fn page(
    client: &Client,
    filter: Option<&str>,
    sort: &str,
    limit: u64,
    cursor: Option<&str>,
) -> Result<Page> {
    let limit = limit.to_string();
    let mut query = vec![("sort", sort), ("limit", &limit)];
    query.extend(filter.map(|filter| ("filter", filter)));
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    let mut answer = client
        .get_verbatim(&["convlog", "v1", "records"], &query)
        .await?;
    let Some(Json::Array(records)) = answer.take("records") else {
        anyhow::bail!("the answer holds no records; is this a convlog server?");
    };
    let cursor = answer.get("cursor").and_then(Json::as_str);
    Ok(Page {
        records,
        cursor: cursor.map(str::to_owned),
    })
}

/// Prints them.
pub(crate) async fn run(arguments: &Query) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    let mut n_left = arguments.limit;
    let mut cursor = None;
    let mut rows = Vec::new();
    loop {
        let limit = n_left.min(PAGE_RECORDS_MAX);
        let filter = arguments.filter.as_deref();
        let page = page(&client, filter, &arguments.sort, limit, cursor.as_deref()).await?;
        n_left -= n_left.min(page.records.len() as u64);
        for record in &page.records {
            match arguments.json {
                true => out::line(&record.to_string())?,
                false => rows.push(show::row(record)),
            }
        }
        // In the order of positions there is always a cursor, for what comes later.
        let is_last = page.cursor.is_none() || page.records.is_empty();
        cursor = page.cursor;
        if n_left == 0 || is_last {
            break;
        }
    }
    if arguments.json {
        return Ok(());
    }
    if rows.is_empty() {
        out::note("no record matches");
        return Ok(());
    }
    out::line(&out::table(&show::HEADER, &rows)).context("cannot print the table")?;
    if n_left == 0 && cursor.is_some() && out::is_terminal() {
        out::note(&format!(
            "there are more than {}: -n N shows more",
            arguments.limit
        ));
    }
    Ok(())
}
