//! `/tags/{arn}`: tags of bots and aliases.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_model::json::Json;

use super::shelf::{Kind, Shelf, Shelves};
use super::{answer, done};
use crate::aws::{AwsError, Call, Refusal};
use crate::events::{self, OwnEvent};

/// Most tags of one thing, as the guide limits them.
const TAGS_MAX: usize = 50;

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// The tags of a request.
///
/// # Errors
/// 400 for a key that stands there twice or is reserved.
pub(super) fn of(sent: &Json) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for tag in sent
        .get("tags")
        .and_then(Json::as_array)
        .unwrap_or_default()
    {
        let key = super::text(tag, "key").unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(AwsError::bad("Keys of tags must not begin with 'aws:'."));
        }
        let value = super::text(tag, "value").unwrap_or_default();
        if tags.insert(key, value).is_some() {
            return Err(AwsError::bad("A key of a tag stands there twice."));
        }
    }
    match tags.len() <= TAGS_MAX {
        true => Ok(tags),
        false => Err(too_many()),
    }
}

fn too_many() -> AwsError {
    AwsError::bad(format!("A resource has at most {TAGS_MAX} tags."))
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
        let prefix = format!("arn:aws:lex:{}:{}:bot:", aws.region, aws.account);
        let rest = arn
            .strip_prefix(&prefix)
            .ok_or_else(|| AwsError::bad("resourceArn is not the ARN of a bot or an alias."))?;
        let (bot, alias) = match rest.split_once(':') {
            Some((bot, alias)) => (bot, Some(alias.to_owned())),
            None => (rest, None),
        };
        call.caller.require_bot(bot)?;
        Ok(Tagged {
            bot: bot.to_owned(),
            alias,
        })
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
        tags.extend(new.clone());
        match tags.len() <= TAGS_MAX {
            true => Ok(()),
            false => Err(too_many()),
        }
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
