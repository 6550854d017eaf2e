//! Settings of an instance: `PUT|GET /settings`.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State;
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::bots::DAYS_MAX;
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::object::{FieldError, Reader, whole_number};
use crate::retention;

const COLLECTION: &str = "settings";
const TYPES_MAX: usize = 1000;
const TYPE_BYTES_MAX: usize = 256;

/// What an instance has settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Whether turns are stored.
    pub logging: Option<bool>,
    /// Whether records are not to be used for improvement; any opt-out wins.
    pub learning_opt_out: Option<bool>,
    /// Days that records live; 0 keeps them, `None` leaves it to the configuration.
    pub retention_days: Option<u32>,
    /// The same by prefix of the event type; the longest prefix wins.
    #[serde(default)]
    pub retention_types: BTreeMap<String, u32>,
}

/// Settings as answers show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct SettingsView {
    /// Whether turns are stored.
    logging: bool,
    /// Whether records are not to be used for improvement; any opt-out wins.
    learning_opt_out: bool,
    /// Days that records live; 0 keeps them, `null` leaves it to the configuration.
    retention_days: Option<u32>,
    /// The same by prefix of the event type; the longest prefix wins.
    retention_types: BTreeMap<String, u32>,
    /// What holds for records without a rule of their bot or type, configuration included.
    effective: Effective,
}

/// Days that records live where neither bot nor type has a rule; 0 keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Effective {
    /// For turns.
    turns_days: u32,
    /// For events.
    events_days: u32,
}

impl Settings {
    /// The settings of an instance; those of a new one where nothing was settled.
    ///
    /// # Errors
    /// What the control plane answers.
    pub(crate) async fn of(
        app: &App,
        instance: &convlog_model::ids::InstanceId,
    ) -> Result<Settings, Fault> {
        let found = collection(app).get(instance.as_str()).await?;
        Ok(found.map(|entity| entity.doc).unwrap_or_default())
    }

    fn view(self, app: &App) -> SettingsView {
        let config = &app.config().retention;
        SettingsView {
            effective: Effective {
                turns_days: self.retention_days.unwrap_or(config.default_days),
                events_days: self.retention_days.unwrap_or(config.events_days),
            },
            logging: self.logging.unwrap_or(true),
            learning_opt_out: self.learning_opt_out.unwrap_or(false),
            retention_days: self.retention_days,
            retention_types: self.retention_types,
        }
    }
}

fn collection(app: &App) -> Collection<'_, Settings> {
    Collection::new(app, COLLECTION)
}

/// The settings of the instance, with the retention that follows from them.
#[utoipa::path(get, path = "/convlog/v1/settings", tag = "settings", responses(
    (status = 200, body = SettingsView),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<Answer<SettingsView>, Fault> {
    let settings = Settings::of(&app, &caller.instance).await?;
    Ok(Answer(settings.view(&app)))
}

/// Replaces the settings of the instance; what is left out goes back to its default. Shorter
/// retention holds at once.
#[utoipa::path(put, path = "/convlog/v1/settings", tag = "settings",
    request_body(content = Object, description = "`{logging, learning_opt_out, retention_days, \
        retention_types: {\"PREFIX\": days}}`"),
    responses(
        (status = 200, body = SettingsView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Json>,
) -> Result<Answer<SettingsView>, Fault> {
    caller.require_unscoped()?;
    let settings = parse(&body)?;
    let changed = collection(&app).change(caller.instance.as_str(), |_| {
        let event = OwnEvent::new(&app, &caller, events::SETTINGS_UPDATE);
        Ok(Change::to(settings.clone(), event))
    });
    changed.await?;
    retention::apply(&app).await?;
    Ok(Answer(settings.view(&app)))
}

fn parse(body: &Json) -> Result<Settings, FieldError> {
    let mut reader = Reader::new(body, "")?;
    reader.ignore("effective");
    let settings = Settings {
        logging: reader.flag("logging")?,
        learning_opt_out: reader.flag("learning_opt_out")?,
        retention_days: reader.whole("retention_days", 0..=DAYS_MAX)?,
        retention_types: retention_types(&mut reader)?,
    };
    reader.finish()?;
    Ok(settings)
}

fn retention_types(reader: &mut Reader<'_>) -> Result<BTreeMap<String, u32>, FieldError> {
    let mut types = BTreeMap::new();
    let Some(value) = reader.value("retention_types") else {
        return Ok(types);
    };
    // The reader refuses what is no object and repeated prefixes.
    let path = reader.path_of("retention_types");
    let inner = Reader::new(value, &path)?;
    let members = value.as_object().unwrap_or_default();
    if members.len() > TYPES_MAX {
        let message = format!("must have at most {TYPES_MAX} members");
        return Err(FieldError::new(path, message));
    }
    for (prefix, days) in members {
        let at = inner.path_of(prefix);
        if prefix.is_empty() || prefix.len() > TYPE_BYTES_MAX {
            let message = format!("must have 1 to {TYPE_BYTES_MAX} bytes");
            return Err(FieldError::new(at, message));
        }
        types.insert(prefix.to_string(), whole_number(days, &at, 0..=DAYS_MAX)?);
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, String> {
        parse(&Json::parse(text.as_bytes()).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_is_the_default() {
        assert_eq!(settings("{}").unwrap(), Settings::default());
        let some = settings(r#"{"logging":false,"retention_types":{"bot.":0}}"#).unwrap();
        assert_eq!(some.logging, Some(false));
        assert_eq!(some.retention_types.get("bot."), Some(&0));
    }

    #[test]
    fn mistakes_name_the_field() {
        let error = |text| settings(text).unwrap_err();
        assert_eq!(
            error(r#"{"retention_days":-1}"#),
            "retention_days must be a whole number from 0 to 36500"
        );
        assert_eq!(
            error(r#"{"retention_types":{"a":"x"}}"#),
            "retention_types.a must be a whole number from 0 to 36500"
        );
        assert_eq!(
            error(r#"{"loging":true}"#),
            "loging is unknown; known are effective, learning_opt_out, logging, retention_days, \
             retention_types"
        );
    }
}
