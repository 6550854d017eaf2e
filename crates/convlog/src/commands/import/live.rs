//! A live Watson-shaped service as the source: all pages of its logs, oldest first.

use anyhow::{Context, Result};
use convlog_dialects::import::Splitter;
use reqwest::Method;
use serde::Deserialize;
use tokio::sync::mpsc::Sender;

use super::reader::{Content, Item};
use crate::args::Import;
use crate::client::Client;
use crate::out::wrong_use;

const PAGE_LIMIT: &str = "500";
/// Guards against a service whose cursors go round in circles.
const PAGES_MAX: u64 = 10_000_000;

/// A service and what to read from it.
#[derive(Clone, Debug)]
pub(super) struct Service {
    client: Client,
    path: Vec<String>,
    filter: Option<String>,
    version: String,
}

/// The part of a page that leads to the next one.
#[derive(Debug, Default, Deserialize)]
struct Page {
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Debug, Default, Deserialize)]
struct Pagination {
    next_cursor: Option<String>,
    next_url: Option<String>,
}

impl Service {
    pub(super) fn new(url: &str, arguments: &Import) -> Result<Self> {
        let Some(key) = &arguments.from_key else {
            return Err(wrong_use("--from needs --from-key KEY or CONVLOG_FROM_KEY"));
        };
        let filter = arguments.from_filter.clone();
        let named = (&arguments.from_workspace, &arguments.from_assistant);
        let path: Vec<&str> = match named {
            (Some(workspace), _) => vec!["v1", "workspaces", workspace, "logs"],
            (None, Some(assistant)) => vec!["v2", "assistants", assistant, "logs"],
            (None, None) if filter.is_some() => vec!["v1", "logs"],
            (None, None) => {
                return Err(wrong_use(
                    "--from needs --from-workspace, --from-assistant, or a --from-filter such as \
                     language::en,workspace_id::ID",
                ));
            }
        };
        Ok(Service {
            client: Client::of_service(url, key)?,
            path: path.into_iter().map(str::to_owned).collect(),
            filter,
            version: arguments.from_version.clone(),
        })
    }

    /// Tells whether a state file is about the same service and logs.
    pub(super) fn fingerprint(&self) -> String {
        let filter = self.filter.as_deref().unwrap_or_default();
        format!("{}/{} {filter}", self.client.url(), self.path.join("/"))
    }

    /// Begins to read, at logs of this time of request.
    pub(super) fn start(self, since: Option<String>, items: Sender<Result<Item>>) {
        let task = async move {
            if let Err(error) = self.pages(since, &items).await {
                // Nobody listens any more: there is nobody to tell.
                drop(items.send(Err(error)).await);
            }
        };
        background(task);
    }

    async fn pages(&self, since: Option<String>, items: &Sender<Result<Item>>) -> Result<()> {
        let name = format!("{}/{}", self.client.url(), self.path.join("/"));
        let since = since.map(|time| format!("request_timestamp>={time}"));
        let terms: Vec<&str> = [self.filter.as_deref(), since.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let filter = terms.join(",");
        let mut cursor: Option<String> = None;
        let mut index = 0;
        for number in 1..=PAGES_MAX {
            let body = self.page(&filter, cursor.as_deref()).await?;
            let page = format!("{name} page {number}");
            if !hand_on(&body, &page, &mut index, items).await {
                return Ok(());
            }
            let page: Page = serde_json::from_slice(&body)
                .with_context(|| format!("{page}: this is no page of logs"))?;
            cursor = page.pagination.next();
            if cursor.is_none() {
                return Ok(());
            }
        }
        anyhow::bail!("{name} has more than {PAGES_MAX} pages")
    }

    async fn page(&self, filter: &str, cursor: Option<&str>) -> Result<Vec<u8>> {
        let mut query = vec![
            ("version", self.version.as_str()),
            ("page_limit", PAGE_LIMIT),
            ("sort", "request_timestamp"),
        ];
        if !filter.is_empty() {
            query.push(("filter", filter));
        }
        if let Some(cursor) = cursor {
            query.push(("cursor", cursor));
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let request = self.client.request(Method::GET, &path, &query);
        let answer = self
            .client
            .send(&request)
            .await
            .with_context(|| format!("reading from {}", self.client.url()))?;
        let body = answer.bytes().await.context("the answer broke off")?;
        Ok(body.to_vec())
    }
}

impl Pagination {
    /// Old services give the cursor in `next_url` alone.
    fn next(self) -> Option<String> {
        self.next_cursor.or_else(|| {
            let (_, query) = self.next_url.as_deref()?.split_once('?')?;
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            let (_, cursor) = pairs.find(|(name, _)| name == "cursor")?;
            Some(cursor.into_owned())
        })
    }
}

/// Hands the logs of a page on; says whether somebody still listens.
async fn hand_on(body: &[u8], name: &str, index: &mut u64, items: &Sender<Result<Item>>) -> bool {
    let mut splitter = Splitter::new();
    splitter.push(body);
    splitter.finish();
    for item in std::iter::from_fn(|| splitter.next_item()) {
        let item = Item {
            file: name.into(),
            line: item.line,
            index: *index,
            content: Content::of(item.found),
        };
        *index += 1;
        if items.send(Ok(item)).await.is_err() {
            return false;
        }
    }
    true
}

#[expect(
    clippy::disallowed_methods,
    reason = "ends with the channel that it feeds; a command has no jobs to stop"
)]
fn background(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_old_services_is_found_in_the_url() {
        let next = |json: &str| {
            let page: Page = serde_json::from_str(json).unwrap();
            page.pagination.next()
        };
        assert_eq!(next("{\"logs\":[],\"pagination\":{}}"), None);
        let url = "{\"pagination\":{\"next_url\":\"/v1/w/logs?version=1&cursor=a%2Bb%3D\"}}";
        assert_eq!(next(url).as_deref(), Some("a+b="));
        let both = "{\"pagination\":{\"next_url\":\"/?cursor=a\",\"next_cursor\":\"b\"}}";
        assert_eq!(next(both).as_deref(), Some("b"));
    }
}
