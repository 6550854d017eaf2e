//! `/convlog/v1/keys`

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{COLLECTION, KeyDoc, NewKey, draw, insert, is_key_id};
use crate::app::App;
use crate::auth::{Caller, Role, Roles};
use crate::body::JsonBody;
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::idempotency::Seed;

const NAME_CHARS_MAX: usize = 200;
const BOTS_MAX: usize = 1000;

/// Body of `POST /convlog/v1/keys`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    /// A name for people.
    #[serde(default)]
    name: String,
    /// `write`, `read`, `erase`, `admin`, `operator`; only an operator may grant the last.
    #[schema(value_type = Vec<String>)]
    roles: Roles,
    /// The only bots that the key may see.
    bots: Option<BTreeSet<String>>,
    /// When it ends, RFC 3339.
    expires_at: Option<String>,
}

/// A key as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ShownKey {
    id: String,
    /// `ID.SECRET`; only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    name: String,
    #[schema(value_type = Vec<String>)]
    roles: Roles,
    #[serde(skip_serializing_if = "Option::is_none")]
    bots: Option<BTreeSet<String>>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl ShownKey {
    pub(crate) fn of(id: &str, key: Option<String>, doc: KeyDoc) -> Self {
        ShownKey {
            id: id.to_owned(),
            key,
            name: doc.name,
            roles: doc.roles,
            bots: doc.bots,
            created_at: doc.created_at,
            expires_at: doc.expires_at,
        }
    }
}

/// Makes a key. Its secret is in this answer and in no later one.
#[utoipa::path(post, path = "/convlog/v1/keys", tag = "keys", request_body = CreateKey, responses(
    (status = 201, body = ShownKey),
    (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    seed: Option<Extension<Seed>>,
    JsonBody(wanted): JsonBody<CreateKey>,
) -> Result<(StatusCode, Json<ShownKey>), Fault> {
    let new = validate(&app, &caller, wanted)?;
    let (id, secret) = match &seed {
        Some(Extension(seed)) => draw(seed),
        None => draw(app.ids()),
    };
    let doc = insert(&app, (&id, &secret), &new, &caller.key_id).await?;
    let key = format!("{id}.{secret}");
    Ok((StatusCode::CREATED, Json(ShownKey::of(&id, Some(key), doc))))
}

fn validate(app: &App, caller: &Caller, wanted: CreateKey) -> Result<NewKey, Fault> {
    if wanted.roles.is_empty() {
        return Err(Fault::bad_at("roles", "must name at least one role"));
    }
    if wanted.roles.has(Role::Operator) {
        caller.require(Role::Operator)?;
    }
    if wanted.name.chars().count() > NAME_CHARS_MAX {
        let message = format!("must have at most {NAME_CHARS_MAX} characters");
        return Err(Fault::bad_at("name", message));
    }
    if let Some(bots) = &wanted.bots
        && (bots.is_empty() || bots.len() > BOTS_MAX)
    {
        let message = format!("must name 1 to {BOTS_MAX} bots");
        return Err(Fault::bad_at("bots", message));
    }
    let expires_at = match wanted.expires_at.as_deref() {
        None => None,
        Some(text) => {
            let end = Timestamp::parse_rfc3339(text);
            let end = end.ok_or_else(|| Fault::bad_at("expires_at", "must be RFC 3339"))?;
            if end <= app.now() {
                return Err(Fault::bad_at("expires_at", "lies in the past"));
            }
            Some(end)
        }
    };
    Ok(NewKey {
        instance: caller.instance.clone(),
        name: wanted.name,
        roles: wanted.roles,
        bots: wanted.bots,
        expires_at,
    })
}

/// The keys of an instance.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct KeyList {
    keys: Vec<ShownKey>,
}

/// The keys of the instance, without their secrets.
#[utoipa::path(get, path = "/convlog/v1/keys", tag = "keys", responses(
    (status = 200, body = KeyList),
))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<KeyList>, Fault> {
    let all = Collection::<KeyDoc>::new(&app, COLLECTION).list("").await?;
    let mut keys = Vec::new();
    for entity in all {
        if entity.doc.instance == caller.instance {
            keys.push(ShownKey::of(&entity.id, None, entity.doc));
        }
    }
    Ok(Json(KeyList { keys }))
}

/// Revokes a key; it is refused from now on, and so are the tokens that stand for it.
#[utoipa::path(delete, path = "/convlog/v1/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "id of the key")),
    responses(
        (status = 204, description = "it is revoked"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let unknown = || Fault::not_found("no such key");
    if !is_key_id(&id) {
        return Err(unknown());
    }
    let event = OwnEvent::new(&app, &caller, events::KEY_DELETE).about("keyId", &id);
    let keys = Collection::<KeyDoc>::new(&app, COLLECTION);
    let changed = keys.change(&id, |found| match found {
        Some(key) if key.instance == caller.instance => {
            if key.roles.has(Role::Operator) {
                caller.require(Role::Operator)?;
            }
            Ok(Change::delete(event.clone()))
        }
        _ => Err(unknown()),
    });
    changed.await?;
    app.keys().forget(&id);
    Ok(StatusCode::NO_CONTENT)
}
