//! `/tags/{arn}`: tags of bots and aliases.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_dialects::aws::arn::{LexArn, LexResource};
use convlog_dialects::lex::rules;
use convlog_model::json::Json;

use super::shelf::{Kind, Shelf, Shelves};
use super::{answer, done};
use crate::aws::{AwsError, Call, Refusal};
use crate::events::{self, OwnEvent};

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// The tags of a request.
///
/// # Errors
/// 400 for a key that stands there twice or is reserved, 429 for too many.
pub(super) fn of(sent: &Json) -> Result<Tags, AwsError> {
    let tags = sent.get("tags").and_then(Json::as_array);
    let tags: Vec<(String, String)> = tags
        .unwrap_or_default()
        .iter()
        .map(|tag| {
            let member = |name: &str| super::text(tag, name).unwrap_or_default();
            (member("key"), member("value"))
        })
        .collect();
    check(tags.iter().map(|(key, _)| key), &Tags::new())?;
    Ok(tags.into_iter().collect())
}

/// Whether a thing that has tags may have these too.
fn check<'t>(new: impl Iterator<Item = &'t String>, had: &Tags) -> Result<(), AwsError> {
    let new: Vec<&str> = new.map(String::as_str).collect();
    let had: Vec<&str> = had.keys().map(String::as_str).collect();
    rules::tags::check(&new, &had).map_err(|broken| super::refused(&broken))
}

/// Tags as AWS shows them.
pub(super) fn show(tags: &Tags) -> Json {
    let each = tags.iter().map(|(key, value)| {
        Json::object([
            ("key", Json::string(key.as_str())),
            ("value", Json::string(value.as_str())),
        ])
    });
    Json::Array(each.collect())
}

/// What an ARN of a bot or an alias names.
#[derive(Clone, Debug)]
struct Tagged {
    bot: String,
    alias: Option<String>,
}

impl Tagged {
    fn of(call: &Call, arn: &str) -> Result<Self, Refusal> {
        let aws = &call.app.config().aws;
        let here = |arn: &LexArn| arn.region == aws.region && arn.account == aws.account;
        let (bot, alias) = match LexArn::parse(arn).filter(here).map(|arn| arn.resource) {
            Some(LexResource::Bot { bot }) => (bot, None),
            Some(LexResource::Alias { bot, alias }) => (bot, Some(alias)),
            Some(LexResource::Channel { .. }) | None => {
                let message = "resourceArn: must be the ARN of a bot or an alias of this account";
                return Err(AwsError::bad(message).into());
            }
        };
        call.caller.require_bot(&bot)?;
        Ok(Tagged { bot, alias })
    }

    fn tags<'s>(&self, shelf: &'s mut Shelf) -> Result<&'s mut Tags, AwsError> {
        match &self.alias {
            None => Ok(&mut shelf.tags),
            Some(alias) => shelf
                .aliases
                .get_mut(alias)
                .map(|found| &mut found.tags)
                .ok_or_else(|| AwsError::not_found(alias)),
        }
    }

    async fn change(
        &self,
        call: &Call,
        mut decide: impl FnMut(&mut Tags) -> Result<(), AwsError> + Send,
    ) -> Result<(), Refusal> {
        let kind = match self.alias {
            Some(_) => events::ALIAS_UPDATE,
            None => events::BOT_UPDATE,
        };
        let event = OwnEvent::new(&call.app, &call.caller, kind).about("botId", &self.bot);
        let event = event.with("changed", "tags");
        let shelves = Shelves::new(&call.app, Kind::Bot, &call.caller.instance);
        let changed = shelves.change_shelf(&self.bot, event, |shelf| decide(self.tags(shelf)?));
        changed.await?;
        Ok(())
    }
}

/// `GET /tags/{arn}`
pub(crate) async fn list(Path(arn): Path<String>, call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "ListTagsForResource", &[("resourceArn", &arn)])?;
    let tagged = Tagged::of(&call, &arn)?;
    let shelves = Shelves::new(&call.app, Kind::Bot, &call.caller.instance);
    let mut shelf = shelves.get(&tagged.bot).await?;
    let tags = tagged.tags(&mut shelf)?;
    Ok(answer(
        StatusCode::OK,
        &Json::object([("tags", show(tags))]),
    ))
}

/// `POST /tags/{arn}`
pub(crate) async fn add(Path(arn): Path<String>, call: Call) -> Result<Response, Refusal> {
    let sent = super::checked(&call, "TagResource", &[("resourceArn", &arn)])?;
    let tagged = Tagged::of(&call, &arn)?;
    let new = of(&sent)?;
    let changed = tagged.change(&call, |tags| {
        check(new.keys(), tags)?;
        tags.extend(new.clone());
        Ok(())
    });
    changed.await?;
    Ok(done())
}

/// `DELETE /tags/{arn}?tagKeys=`
pub(crate) async fn remove(Path(arn): Path<String>, call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "UntagResource", &[("resourceArn", &arn)])?;
    let tagged = Tagged::of(&call, &arn)?;
    let keys = call.query.iter().filter(|(name, _)| name == "tagKeys");
    let keys: Vec<String> = keys.map(|(_, key)| key.clone()).collect();
    let changed = tagged.change(&call, |tags| {
        tags.retain(|key, _| !keys.contains(key));
        Ok(())
    });
    changed.await?;
    Ok(done())
}
