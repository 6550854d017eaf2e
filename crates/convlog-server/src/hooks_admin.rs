//! Log webhooks as administrators set them up: `PUT|GET|DELETE /hooks/{hook}`. What arrives there
//! is [`crate::hooks`]'s.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::object::{FieldError, Reader};
use crate::secret::{MASK, SECRET_BYTES_MAX, Secret, SecretInput};

const COLLECTION: &str = "hooks";
const NAME_BYTES_MAX: usize = 64;

/// A hook. Its name is in its URL, which carries no key: so names are unique among all instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hook {
    /// The tenant that its logs go to.
    pub instance: InstanceId,
    /// How callers prove who they are.
    pub proof: Proof,
    /// When it was last changed, in microseconds.
    pub updated_us: i64,
}

/// How callers of a hook prove who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Proof {
    /// A JWT signed (HS256) with this secret.
    Secret(Secret),
    /// A header of this name with this value.
    Header {
        /// Name of the header, in lower case.
        name: String,
        /// Its value.
        value: Secret,
    },
}

/// A hook as answers show it, secrets masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct HookView {
    /// Its name.
    hook: String,
    /// The mask, when it is proved by a JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'static str>,
    /// The header, when it is proved by one; its value is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<HeaderView>,
    /// Where logs are to be posted to.
    path: String,
    /// When it was last changed.
    updated_at: String,
}

/// The header of a hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct HeaderView {
    name: String,
    value: &'static str,
}

fn hooks(app: &App) -> Collection<'_, Hook> {
    Collection::new(app, COLLECTION)
}

/// The hook of that name, of whatever instance.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn find(app: &App, name: &str) -> Result<Option<Hook>, Fault> {
    Ok(hooks(app).get(name).await?.map(|entity| entity.doc))
}

/// Makes or replaces a hook of the caller's instance.
#[utoipa::path(put, path = "/convlog/v1/hooks/{hook}", tag = "hooks",
    params(("hook" = String, Path, description = "name, unique on the server")),
    request_body(content = Object,
        description = "`{\"secret\"}` or `{\"header\": {\"name\", \"value\"}}`"),
    responses(
        (status = 200, body = HookView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(body): JsonBody<Json>,
) -> Result<Answer<HookView>, Fault> {
    caller.require_unscoped()?;
    check_name(&name)?;
    let changed = hooks(&app).change(&name, |old| {
        if old
            .as_ref()
            .is_some_and(|old| old.instance != caller.instance)
        {
            return Err(Fault::conflict("another instance has a hook of this name"));
        }
        let hook = Hook {
            instance: caller.instance.clone(),
            proof: proof(&app, &body, old.as_ref().map(|old| &old.proof))?,
            updated_us: app.now().micros(),
        };
        let kind = match &old {
            Some(_) => events::INTEGRATION_UPDATE,
            None => events::INTEGRATION_CONNECT,
        };
        let event = OwnEvent::new(&app, &caller, kind).about("webhookId", &name);
        Ok(Change::to(hook, event.with("kind", "log_webhook")))
    });
    match changed.await? {
        Some(hook) => Ok(Answer(view(&name, &hook.doc))),
        None => Err(unknown()),
    }
}

/// One hook of the caller's instance, secrets masked.
#[utoipa::path(get, path = "/convlog/v1/hooks/{hook}", tag = "hooks",
    params(("hook" = String, Path, description = "its name")),
    responses(
        (status = 200, body = HookView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Answer<HookView>, Fault> {
    caller.require_unscoped()?;
    match find(&app, &name).await? {
        Some(hook) if hook.instance == caller.instance => Ok(Answer(view(&name, &hook))),
        _ => Err(unknown()),
    }
}

/// Deletes a hook of the caller's instance; what arrived through it stays.
#[utoipa::path(delete, path = "/convlog/v1/hooks/{hook}", tag = "hooks",
    params(("hook" = String, Path, description = "its name")),
    responses(
        (status = 204, description = "it is gone"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    caller.require_unscoped()?;
    let gone = hooks(&app).change(&name, |old| match old {
        Some(hook) if hook.instance == caller.instance => {
            let event = OwnEvent::new(&app, &caller, events::INTEGRATION_DISCONNECT);
            Ok(Change::delete(event.about("webhookId", &name)))
        }
        _ => Err(unknown()),
    });
    gone.await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown() -> Fault {
    Fault::not_found("Resource not found")
}

fn check_name(name: &str) -> Result<(), Fault> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(legal) {
        true => Ok(()),
        false => Err(Fault::bad_at(
            "hook",
            format!("must be 1 to {NAME_BYTES_MAX} of a-z A-Z 0-9 - _ ."),
        )),
    }
}

fn proof(app: &App, body: &Json, old: Option<&Proof>) -> Result<Proof, FieldError> {
    let mut reader = Reader::new(body, "")?;
    reader.ignore("hook");
    reader.ignore("path");
    reader.ignore("updated_at");
    let secret = reader.text("secret", SECRET_BYTES_MAX)?;
    let header = reader.value("header");
    reader.finish()?;
    match (secret, header) {
        (Some(secret), None) => {
            let old = match old {
                Some(Proof::Secret(old)) => Some(old),
                _ => None,
            };
            stored(app, secret, old, "secret").map(Proof::Secret)
        }
        (None, Some(header)) => {
            let mut reader = Reader::new(header, "header")?;
            let name = reader.required_text("name", 128)?.to_ascii_lowercase();
            let value = reader.required_text("value", SECRET_BYTES_MAX)?;
            reader.finish()?;
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(FieldError::new("header.name", "is no name of a header"));
            }
            let old = match old {
                Some(Proof::Header { value, .. }) => Some(value),
                _ => None,
            };
            let value = stored(app, value, old, "header.value")?;
            Ok(Proof::Header { name, value })
        }
        _ => Err(FieldError::new(
            "the body",
            "must have exactly one of secret and header",
        )),
    }
}

/// The secret to be stored; the mask keeps the old one, which must be there.
fn stored(app: &App, text: String, old: Option<&Secret>, path: &str) -> Result<Secret, FieldError> {
    let message = "is the mask that answers show, and there is no secret to keep";
    SecretInput::of(Some(text))
        .apply(app, old)
        .ok_or_else(|| FieldError::new(path, message))
}

fn view(name: &str, hook: &Hook) -> HookView {
    let time = convlog_model::time::Timestamp::from_micros(hook.updated_us);
    let (secret, header) = match &hook.proof {
        Proof::Secret(_) => (Some(MASK), None),
        Proof::Header { name, .. } => {
            let header = HeaderView {
                name: name.clone(),
                value: MASK,
            };
            (None, Some(header))
        }
    };
    HookView {
        hook: name.to_owned(),
        secret,
        header,
        path: format!("/convlog/v1/hooks/watson/{name}"),
        updated_at: time.to_micros_text(),
    }
}
