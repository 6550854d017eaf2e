//! Tenants: the one of the first start, and those that an operator adds.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use convlog_model::ids::InstanceId;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::{Caller, Role, Roles};
use crate::body::JsonBody;
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::idempotency::Seed;
use crate::keys::{self, NewKey};

const COLLECTION: &str = "instances";
const NAME_CHARS_MAX: usize = 200;
const LOCAL: &str = "local";

/// An instance as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct InstanceDoc {
    name: String,
    created_at: String,
}

/// Whether there are more instances than one.
pub(crate) async fn are_several(app: &App) -> Result<bool, Fault> {
    let two = app.control().list(COLLECTION, "", "", 2).await?;
    Ok(two.len() > 1)
}

/// See [`App::first_start`].
pub(crate) async fn first_start(
    app: &App,
    admin_key: Option<String>,
) -> Result<Option<String>, Fault> {
    if keys::any_exists(app).await? {
        return Ok(None);
    }
    let given = match &admin_key {
        Some(text) => Some(keys::parse(text).ok_or_else(|| {
            Fault::bad(
                "the admin key must be ID.SECRET: 16 to 32 of A-Z 0-9, a dot, \
                 32 to 64 of A-Z a-z 0-9 _ -",
            )
        })?),
        None => None,
    };
    let instance = InstanceId::default_instance();
    insert(app, &instance, "default", LOCAL, &instance).await?;
    let new = NewKey {
        instance,
        name: "first key".to_owned(),
        roles: Roles::all(),
        bots: None,
        expires_at: None,
    };
    let is_given = given.is_some();
    let (id, secret) = given.unwrap_or_else(|| keys::draw(app.ids()));
    keys::insert(app, (&id, &secret), &new, LOCAL).await?;
    Ok((!is_given).then(|| format!("{id}.{secret}")))
}

/// Makes the instance if there is none of this id; the event goes to `home`.
async fn insert(
    app: &App,
    id: &InstanceId,
    name: &str,
    actor: &str,
    home: &InstanceId,
) -> Result<InstanceDoc, Fault> {
    let doc = InstanceDoc {
        name: name.to_owned(),
        created_at: app.now().to_micros_text(),
    };
    let event =
        OwnEvent::by(app, home, actor, events::INSTANCE_CREATE).about("instanceId", id.as_str());
    let instances = Collection::<InstanceDoc>::new(app, COLLECTION);
    let made = instances.change(id.as_str(), |found| {
        Ok(match found {
            Some(doc) => Change::silent(doc),
            None => Change::to(doc.clone(), event.clone()),
        })
    });
    Ok(made.await?.map_or(doc.clone(), |entity| entity.doc))
}

/// Body of `POST /convlog/v1/instances`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateInstance {
    /// A name for people.
    name: String,
}

/// A new instance.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedInstance {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Its first key, `ID.SECRET`; shown this once.
    key: String,
}

/// Makes an instance and its first key, which has every role but `operator`.
#[utoipa::path(post, path = "/convlog/v1/instances", tag = "instances",
    request_body = CreateInstance,
    responses(
        (status = 201, body = CreatedInstance),
        (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    seed: Option<Extension<Seed>>,
    JsonBody(wanted): JsonBody<CreateInstance>,
) -> Result<(StatusCode, Json<CreatedInstance>), Fault> {
    let n_chars = wanted.name.chars().count();
    if n_chars == 0 || n_chars > NAME_CHARS_MAX {
        let message = format!("must have 1 to {NAME_CHARS_MAX} characters");
        return Err(Fault::bad_at("name", message));
    }
    let (id, (key_id, secret)) = match &seed {
        Some(Extension(seed)) => (seed.id("instance"), keys::draw(seed)),
        None => (app.new_id(), keys::draw(app.ids())),
    };
    let id = id.to_string();
    let instance = InstanceId::new(&id).map_err(|_| Fault::internal("an id is no instance id"))?;
    let new = NewKey {
        instance,
        name: "first key".to_owned(),
        roles: Roles::of(&[Role::Write, Role::Read, Role::Erase, Role::Admin]),
        bots: None,
        expires_at: None,
    };
    // The key first: an instance that is listed has one, whenever the process ends.
    keys::insert(&app, (&key_id, &secret), &new, &caller.key_id).await?;
    insert(
        &app,
        &new.instance,
        &wanted.name,
        &caller.key_id,
        &caller.instance,
    )
    .await?;
    let created = CreatedInstance {
        id,
        name: wanted.name,
        key: format!("{key_id}.{secret}"),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// An instance as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ShownInstance {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// When it was made.
    created_at: String,
}

/// Every instance.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct InstanceList {
    /// In order of id.
    instances: Vec<ShownInstance>,
}

/// Every instance.
#[utoipa::path(get, path = "/convlog/v1/instances", tag = "instances", responses(
    (status = 200, body = InstanceList),
))]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<InstanceList>, Fault> {
    let all = Collection::<InstanceDoc>::new(&app, COLLECTION)
        .list("")
        .await?;
    let shown = all.into_iter().map(|entity| ShownInstance {
        id: entity.id,
        name: entity.doc.name,
        created_at: entity.doc.created_at,
    });
    Ok(Json(InstanceList {
        instances: shown.collect(),
    }))
}
