//! What intents and slot types have in common: they are put, numbered, listed and deleted alike.

use axum::http::StatusCode;
use axum::response::Response;
use convlog_model::json::Json;

use super::shelf::{Kind, LATEST, Put, Shelf, Shelves, Use};
use super::{answer, done, view};
use crate::aws::{Call, Refusal};

/// What is particular to one of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub kind: Kind,
    /// Member of lists.
    pub list: &'static str,
    /// What its operations are called by, such as `Intent` in `PutIntent`.
    pub noun: &'static str,
    /// Members of a request that are kept.
    pub kept: &'static [&'static str],
}

impl Part {
    fn shelves(self, call: &Call) -> Shelves<'_> {
        Shelves::new(&call.app, self.kind, &call.caller.instance)
    }

    /// The operation that puts one.
    pub(super) fn put(self) -> String {
        format!("Put{}", self.noun)
    }

    /// What a request that has been checked brings.
    pub(super) fn put_of(self, name: &str, sent: &Json, uses: Vec<Use>) -> Put {
        let mut body = super::kept(sent, self.kept);
        body.set("name", Json::string(name));
        Put {
            name: name.to_owned(),
            body,
            checksum: super::text(sent, "checksum"),
            uses,
            tags: std::collections::BTreeMap::new(),
        }
    }
}

/// A version whole.
async fn whole(shelves: Shelves<'_>, shelf: &Shelf, version: &str) -> Result<Json, Refusal> {
    let body = shelves.body(shelf, version).await?;
    Ok(view::whole(&body, shelf.edition(version)?, version))
}

pub(super) async fn put(
    call: &Call,
    part: &Part,
    name: &str,
    sent: &Json,
    uses: Vec<Use>,
) -> Result<Response, Refusal> {
    call.caller.require_unscoped()?;
    let put = part.put_of(name, sent, uses);
    let shelves = part.shelves(call);
    let alone = call.app.lex().changing().await;
    let mut shelf = shelves.put(&alone, &call.caller, put).await?;
    let mut version = LATEST.to_owned();
    let create = sent.get("createVersion").and_then(Json::as_bool) == Some(true);
    if create {
        super::require_numbered(&shelf)?;
        let number;
        (shelf, number) = shelves.publish(&alone, &call.caller, name, None).await?;
        version = number.to_string();
    }
    let mut shown = whole(shelves, &shelf, &version).await?;
    shown.set("createVersion", Json::Bool(create));
    Ok(answer(StatusCode::OK, &shown))
}

pub(super) async fn publish(call: &Call, part: &Part, name: &str) -> Result<Response, Refusal> {
    call.caller.require_unscoped()?;
    let operation = format!("Create{}Version", part.noun);
    let sent = super::checked(call, &operation, &[("name", name)])?;
    let shelves = part.shelves(call);
    super::require_numbered(&shelves.get(name).await?)?;
    let checksum = super::text(&sent, "checksum");
    let alone = call.app.lex().changing().await;
    let (shelf, number) = shelves
        .publish(&alone, &call.caller, name, checksum.as_deref())
        .await?;
    let shown = whole(shelves, &shelf, &number.to_string()).await?;
    Ok(answer(StatusCode::CREATED, &shown))
}

pub(super) async fn get(
    call: &Call,
    part: &Part,
    name: &str,
    version: &str,
) -> Result<Response, Refusal> {
    let path = [("name", name), ("version", version)];
    super::require_named(call, &format!("Get{}", part.noun), &path)?;
    let shelves = part.shelves(call);
    let shelf = shelves.get(name).await?;
    let shown = whole(shelves, &shelf, version).await?;
    Ok(answer(StatusCode::OK, &shown))
}

pub(super) async fn list(call: &Call, part: &Part) -> Result<Response, Refusal> {
    super::require_named(call, &format!("Get{}s", part.noun), &[])?;
    let all = part.shelves(call).list().await?;
    let all = all.into_iter().map(|shelf| {
        let shown = view::summary(&shelf.name, &shelf.latest, LATEST);
        (shelf.name, shown)
    });
    let page = view::page(call, part.list, all.collect())?;
    Ok(answer(StatusCode::OK, &page))
}

pub(super) async fn versions(call: &Call, part: &Part, name: &str) -> Result<Response, Refusal> {
    let operation = format!("Get{}Versions", part.noun);
    super::require_named(call, &operation, &[("name", name)])?;
    let shelf = part.shelves(call).get(name).await?;
    let shown = view::versions(&shelf, |_, _| {});
    Ok(answer(StatusCode::OK, &view::page(call, part.list, shown)?))
}

pub(super) async fn delete(call: &Call, part: &Part, name: &str) -> Result<Response, Refusal> {
    call.caller.require_unscoped()?;
    super::require_named(call, &format!("Delete{}", part.noun), &[("name", name)])?;
    let alone = call.app.lex().changing().await;
    part.shelves(call)
        .delete(&alone, &call.caller, name)
        .await?;
    Ok(done())
}

pub(super) async fn delete_version(
    call: &Call,
    part: &Part,
    name: &str,
    version: &str,
) -> Result<Response, Refusal> {
    call.caller.require_unscoped()?;
    let operation = format!("Delete{}Version", part.noun);
    super::require_named(call, &operation, &[("name", name), ("version", version)])?;
    let alone = call.app.lex().changing().await;
    part.shelves(call)
        .delete_version(&alone, &call.caller, name, version)
        .await?;
    Ok(done())
}
