//! The commands, one file each.

pub(crate) mod backup;
pub(crate) mod bots;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod query;
pub(crate) mod restore;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod tail;
pub(crate) mod verify;

use anyhow::Result;
use serde_json::Value;

use crate::client::Client;

/// Pages of a listing.
const PAGES_MAX: usize = 10_000;

/// All elements of a listing of the own API: `{"NAME": […], "cursor": …}`.
async fn pages(client: &Client, name: &str) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut page = client.get(&["convlog", "v1", name], &query).await?;
        if let Some(Value::Array(elements)) = page.get_mut(name).map(Value::take) {
            found.extend(elements);
        }
        cursor = page
            .get("cursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(found)
}
