//! Keys: made, shown once, checked, revoked. Secrets are sealed, since SigV4 computes with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::Json;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use convlog_model::ids::InstanceId;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::audit::AuditEvent;
use crate::auth::{Caller, Role, Roles};
use crate::body::JsonBody;
use crate::entity::{Change, Collection};
use crate::error::Fault;

const COLLECTION: &str = "keys";
/// Parsed keys kept in memory.
const CACHE_MAX: usize = 4096;
/// Bytes of randomness of a secret.
const SECRET_BYTES: usize = 32;
const NAME_CHARS_MAX: usize = 200;
const BOTS_MAX: usize = 1000;

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyDoc {
    pub(crate) instance: InstanceId,
    pub(crate) name: String,
    pub(crate) roles: Roles,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bots: Option<BTreeSet<String>>,
    pub(crate) created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<String>,
    /// SHA-256 of the secret, for the quick compare.
    pub(crate) digest: String,
    /// The secret, sealed.
    pub(crate) sealed: String,
}

/// Keys that were looked up, so that a request costs no read of the control plane. A key that is
/// revoked leaves at once, and a look-up that began before that is not kept.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    generation: u64,
    keys: BTreeMap<String, Arc<KeyDoc>>,
}

impl KeyCache {
    fn get(&self, id: &str) -> (u64, Option<Arc<KeyDoc>>) {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (cached.generation, cached.keys.get(id).cloned())
    }

    fn put(&self, generation: u64, id: &str, key: &Arc<KeyDoc>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.generation != generation {
            return;
        }
        if cached.keys.len() >= CACHE_MAX {
            cached.keys.pop_first();
        }
        cached.keys.insert(id.to_owned(), Arc::clone(key));
    }

    fn forget(&self, id: &str) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.generation += 1;
        cached.keys.remove(id);
    }
}

/// Who a key is, if the secret is right.
pub(crate) async fn check(app: &App, id: &str, secret: &str) -> Result<Caller, Fault> {
    let key = load(app, id).await?;
    let expected = key.as_ref().map_or(String::new(), |key| key.digest.clone());
    let is_right: bool = digest(secret).as_bytes().ct_eq(expected.as_bytes()).into();
    match key {
        Some(key) if is_right => caller(app, id, &key),
        _ => Err(Fault::Unauthorized),
    }
}

/// Who a key is, for a token that was signed for it.
pub(crate) async fn caller_of(app: &App, id: &str) -> Result<Caller, Fault> {
    match load(app, id).await? {
        Some(key) => caller(app, id, &key),
        None => Err(Fault::Unauthorized),
    }
}

/// The secret of a key that is valid now, and who it is: what a signature is computed with.
///
/// # Errors
/// 401 for an unknown, revoked or expired key; 500 when the data directory's key does not open
/// it.
pub async fn secret_of(app: &App, id: &str) -> Result<(String, Caller), Fault> {
    let key = load(app, id).await?.ok_or(Fault::Unauthorized)?;
    let caller = caller(app, id, &key)?;
    let sealed = STANDARD.decode(&key.sealed).unwrap_or_default();
    let opened = app.sealer().open(&purpose(id), &sealed);
    let secret = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let secret = secret.ok_or_else(|| Fault::internal("a key's secret does not open"))?;
    Ok((secret, caller))
}

async fn load(app: &App, id: &str) -> Result<Option<Arc<KeyDoc>>, Fault> {
    if !is_key_id(id) {
        return Ok(None);
    }
    let (generation, cached) = app.keys().get(id);
    if let Some(key) = cached {
        return Ok(Some(key));
    }
    let found = Collection::<KeyDoc>::new(app, COLLECTION).get(id).await?;
    let Some(entity) = found else {
        return Ok(None);
    };
    let key = Arc::new(entity.doc);
    app.keys().put(generation, id, &key);
    Ok(Some(key))
}

fn caller(app: &App, id: &str, key: &KeyDoc) -> Result<Caller, Fault> {
    let end = key.expires_at.as_deref().map(Timestamp::parse_rfc3339);
    let is_over = end.is_some_and(|end| end.is_none_or(|end| end <= app.now()));
    match is_over {
        true => Err(Fault::Unauthorized),
        false => Ok(Caller {
            instance: key.instance.clone(),
            key_id: id.to_owned(),
            roles: key.roles.clone(),
            bots: key.bots.clone(),
        }),
    }
}

fn purpose(id: &str) -> String {
    format!("key:{id}")
}

fn digest(secret: &str) -> String {
    STANDARD.encode(Sha256::digest(secret.as_bytes()))
}

fn is_key_id(id: &str) -> bool {
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    (16..=32).contains(&id.len()) && id.chars().all(legal)
}

fn is_secret(secret: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (32..=64).contains(&secret.len()) && secret.chars().all(legal)
}

/// A new key text: id and secret.
pub(crate) fn draw(app: &App) -> (String, String) {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 20];
    app.ids().fill(&mut bytes);
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied();
    let id = bytes.iter().filter_map(letter).map(char::from).collect();
    let mut bytes = [0; SECRET_BYTES];
    app.ids().fill(&mut bytes);
    (id, URL_SAFE_NO_PAD.encode(bytes))
}

/// Id and secret of a key text `ID.SECRET`.
pub(crate) fn parse(text: &str) -> Option<(String, String)> {
    let (id, secret) = text.split_once('.')?;
    let is_key = is_key_id(id) && is_secret(secret);
    is_key.then(|| (id.to_owned(), secret.to_owned()))
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The tenant.
    pub instance: InstanceId,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// The only bots that it may see.
    pub bots: Option<BTreeSet<String>>,
    /// Its end.
    pub expires_at: Option<Timestamp>,
}

/// Makes a key with this id and secret, and tells of it as `actor`.
pub(crate) async fn insert(
    app: &App,
    (id, secret): (&str, &str),
    new: &NewKey,
    actor: &str,
) -> Result<KeyDoc, Fault> {
    let sealed = app.sealer().seal(app.ids(), &purpose(id), secret.as_bytes());
    let doc = KeyDoc {
        instance: new.instance.clone(),
        name: new.name.clone(),
        roles: new.roles.clone(),
        bots: new.bots.clone(),
        created_at: app.now().to_micros_text(),
        expires_at: new.expires_at.map(Timestamp::to_micros_text),
        digest: digest(secret),
        sealed: STANDARD.encode(sealed),
    };
    let roles: Vec<&str> = new.roles.iter().map(Role::as_str).collect();
    let event = AuditEvent::by(app, &new.instance, actor, "key.created")
        .about("key", id)
        .with("roles", roles.join(","));
    let keys = Collection::<KeyDoc>::new(app, COLLECTION);
    keys.change(id, |found| match found {
        Some(_) => Err(Fault::conflict("a key of this id exists")),
        None => Ok(Change::to(doc.clone(), event.clone())),
    })
    .await?;
    app.keys().forget(id);
    Ok(doc)
}

/// Makes a key, also on a stopped server's directory; returns its text `ID.SECRET`.
///
/// # Errors
/// What the control plane answers.
pub async fn create_key(app: &App, new: &NewKey) -> Result<String, Fault> {
    let (id, secret) = draw(app);
    insert(app, (&id, &secret), new, "local").await?;
    Ok(format!("{id}.{secret}"))
}

/// Whether there is any key.
pub(crate) async fn any_exists(app: &App) -> Result<bool, Fault> {
    let found = app.control().list(COLLECTION, "", "", 1).await?;
    Ok(!found.is_empty())
}

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

/// `POST /convlog/v1/keys`
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    JsonBody(wanted): JsonBody<CreateKey>,
) -> Result<(StatusCode, Json<ShownKey>), Fault> {
    let new = validate(&app, &caller, wanted)?;
    let (id, secret) = draw(&app);
    let doc = insert(&app, (&id, &secret), &new, &caller.key_id).await?;
    let key = format!("{id}.{secret}");
    Ok((
        StatusCode::CREATED,
        Json(ShownKey::of(&id, Some(key), doc)),
    ))
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

/// `GET /convlog/v1/keys`
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<KeyList>, Fault> {
    let all = Collection::<KeyDoc>::new(&app, COLLECTION).list("").await?;
    let mut keys = Vec::new();
    for entity in all {
        if entity.doc.instance == caller.instance {
            keys.push(ShownKey::of(&entity.id, None, entity.doc));
        }
    }
    Ok(Json(KeyList { keys }))
}

/// `DELETE /convlog/v1/keys/{id}`
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let unknown = || Fault::not_found("no such key");
    if !is_key_id(&id) {
        return Err(unknown());
    }
    let event = AuditEvent::new(&app, &caller, "key.revoked").about("key", &id);
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

#[cfg(test)]
mod tests;
