//! `/bots/{name}/aliases`: names for versions of a bot, with the settings of its conversation logs.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use super::shelf::{Kind, Shelf, Shelves};
use super::{answer, done, view};
use crate::aws::{AwsError, Call, Refusal};
use crate::events::{self, OwnEvent};

/// Most aliases of a bot, as the guide limits them.
const ALIASES_MAX: usize = 5;

/// A name for a version of a bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub name: String,
    pub bot_version: String,
    pub description: Option<String>,
    pub checksum: String,
    pub created_us: i64,
    pub updated_us: i64,
    /// As they were sent; `None` when nothing is logged.
    pub conversation_logs: Option<Json>,
    pub tags: BTreeMap<String, String>,
}

impl Alias {
    /// Where keys and streams of what the alias logs begin.
    pub(crate) fn resource_prefix(&self, bot: &str) -> String {
        format!("aws/lex/{bot}/{}/{}/", self.name, self.bot_version)
    }

    fn show(&self, bot: &str) -> Json {
        let mut shown = Json::object([
            ("name", Json::string(self.name.as_str())),
            ("botName", Json::string(bot)),
            ("botVersion", Json::string(self.bot_version.as_str())),
            ("createdDate", view::seconds(self.created_us)),
            ("lastUpdatedDate", view::seconds(self.updated_us)),
            ("checksum", Json::string(self.checksum.as_str())),
        ]);
        if let Some(description) = &self.description {
            shown.set("description", Json::string(description.as_str()));
        }
        if let Some(logs) = &self.conversation_logs {
            shown.set("conversationLogs", self.show_logs(bot, logs));
        }
        shown
    }

    fn show_logs(&self, bot: &str, logs: &Json) -> Json {
        let prefix = self.resource_prefix(bot);
        let settings = logs.get("logSettings").and_then(Json::as_array);
        let each = settings.unwrap_or_default().iter().map(|setting| {
            let mut shown = setting.clone();
            shown.set("resourcePrefix", Json::string(prefix.as_str()));
            shown
        });
        let mut shown = logs.clone();
        shown.set("logSettings", Json::Array(each.collect()));
        shown
    }
}

fn shelves(call: &Call) -> Shelves<'_> {
    Shelves::new(&call.app, Kind::Bot, &call.caller.instance)
}

/// `PUT /bots/{botName}/aliases/{name}`
pub(crate) async fn put(
    Path((bot, name)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    let path = [("botName", bot.as_str()), ("name", name.as_str())];
    let sent = super::checked(&call, "PutBotAlias", &path)?;
    let tags = super::tags::of(&sent)?;
    let bot_version = super::text(&sent, "botVersion").unwrap_or_default();
    let logs = super::logs::of_request(&call, &sent).await?;
    let shelf = shelves(&call).find(&bot).await?;
    let shelf = shelf.ok_or_else(|| AwsError::bad(unknown_bot(&bot)))?;
    if shelf.edition(&bot_version).is_err() {
        return Err(AwsError::bad(unknown_version(&bot, &bot_version)).into());
    }
    let kind = match shelf.aliases.contains_key(&name) {
        true => events::ALIAS_UPDATE,
        false => events::ALIAS_CREATE,
    };
    let event = OwnEvent::new(&call.app, &call.caller, kind)
        .about("botId", &bot)
        .with("alias", &name)
        .with("logs", super::logs::kinds(logs.as_ref()));
    let wanted = Alias {
        name: name.clone(),
        bot_version,
        description: super::text(&sent, "description"),
        checksum: call.app.new_id().to_string(),
        created_us: call.app.now().micros(),
        updated_us: call.app.now().micros(),
        conversation_logs: logs,
        tags: tags.clone(),
    };
    let checksum = super::text(&sent, "checksum");
    let changed = shelves(&call).change_shelf(&bot, event, |shelf| {
        place(shelf, &wanted, checksum.as_deref())
    });
    let shelf = changed.await?;
    let alias = shelf.aliases.get(&name).unwrap_or(&wanted);
    let mut shown = alias.show(&bot);
    if !tags.is_empty() {
        shown.set("tags", super::tags::show(&alias.tags));
    }
    Ok(answer(StatusCode::OK, &shown))
}

/// Puts an alias among those of its bot.
fn place(shelf: &mut Shelf, wanted: &Alias, checksum: Option<&str>) -> Result<(), AwsError> {
    if shelf.edition(&wanted.bot_version).is_err() {
        return Err(AwsError::bad(unknown_version(
            &shelf.name,
            &wanted.bot_version,
        )));
    }
    let mut alias = wanted.clone();
    match shelf.aliases.get(&wanted.name) {
        Some(old) if checksum != Some(old.checksum.as_str()) => {
            return Err(super::shelf::stale());
        }
        Some(old) => {
            alias.created_us = old.created_us;
            alias.tags.clone_from(&old.tags);
        }
        None if checksum.is_some() => {
            return Err(AwsError::bad(
                "A checksum cannot be sent for an alias that does not exist yet.",
            ));
        }
        None => {
            let same = |name: &&String| name.eq_ignore_ascii_case(&wanted.name);
            if shelf.aliases.keys().any(|name| same(&name)) {
                let message = "The name differs from that of another alias by case alone.";
                return Err(AwsError::new("ConflictException", message));
            }
            if shelf.aliases.len() >= ALIASES_MAX {
                let message = format!("The bot has {ALIASES_MAX} aliases, which is the most.");
                return Err(AwsError::limit(message));
            }
        }
    }
    shelf.aliases.insert(alias.name.clone(), alias);
    Ok(())
}

/// `GET /bots/{botName}/aliases/{name}`
pub(crate) async fn get(
    Path((bot, name)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    super::require_named(&call, "GetBotAlias", &[("botName", &bot), ("name", &name)])?;
    let shelf = shelves(&call).get(&bot).await?;
    let alias = shelf.aliases.get(&name);
    let alias = alias.ok_or_else(|| AwsError::not_found(&name))?;
    Ok(answer(StatusCode::OK, &alias.show(&bot)))
}

/// `GET /bots/{botName}/aliases`
pub(crate) async fn list(Path(bot): Path<String>, call: Call) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    super::require_named(&call, "GetBotAliases", &[("botName", &bot)])?;
    // The service model names no 404 for this operation.
    let shelf = shelves(&call).find(&bot).await?;
    let shelf = shelf.ok_or_else(|| AwsError::bad(unknown_bot(&bot)))?;
    let each = shelf.aliases.iter();
    let all = each.map(|(name, alias)| (name.clone(), alias.show(&bot)));
    let page = view::page(&call, "BotAliases", all.collect())?;
    Ok(answer(StatusCode::OK, &page))
}

/// `DELETE /bots/{botName}/aliases/{name}`
pub(crate) async fn delete(
    Path((bot, name)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    let path = [("botName", bot.as_str()), ("name", name.as_str())];
    super::require_named(&call, "DeleteBotAlias", &path)?;
    let event = OwnEvent::new(&call.app, &call.caller, events::ALIAS_DELETE)
        .about("botId", &bot)
        .with("alias", &name);
    let changed = shelves(&call).change_shelf(&bot, event, |shelf| {
        let gone = shelf.aliases.remove(&name);
        gone.map(|_| ()).ok_or_else(|| AwsError::not_found(&name))
    });
    changed.await?;
    Ok(done())
}

/// `GET /bots/{botName}/aliases/{alias}/channels`: channels come from a console that is no more, so
/// that there are none.
pub(crate) async fn channels(
    Path((bot, name)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    let path = [("botName", bot.as_str()), ("aliasName", name.as_str())];
    super::require_named(&call, "GetBotChannelAssociations", &path)?;
    let shelf = shelves(&call).get(&bot).await?;
    if name != "-" && !shelf.aliases.contains_key(&name) {
        return Err(AwsError::not_found(&name).into());
    }
    let none = Json::object([("botChannelAssociations", Json::Array(Vec::new()))]);
    Ok(answer(StatusCode::OK, &none))
}

/// `GET|DELETE /bots/{botName}/aliases/{alias}/channels/{name}`: there are none.
pub(crate) async fn channel(
    Path((bot, alias, name)): Path<(String, String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    let path = [
        ("botName", bot.as_str()),
        ("aliasName", &alias),
        ("name", &name),
    ];
    // Both operations take the same.
    super::require_named(&call, "GetBotChannelAssociation", &path)?;
    Err(AwsError::not_found(&name).into())
}

fn unknown_bot(bot: &str) -> String {
    format!("The bot '{bot}' does not exist.")
}

fn unknown_version(bot: &str, version: &str) -> String {
    format!("The bot '{bot}' has no version '{version}'.")
}
