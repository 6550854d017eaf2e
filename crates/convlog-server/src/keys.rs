//! Keys: made, shown once, checked, revoked. Secrets are sealed, since SigV4 computes with them.

mod api;
mod cache;

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use convlog_model::clock::IdSource;
use convlog_model::ids::InstanceId;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(crate) use self::api::{__path_create, __path_list, __path_revoke, create, list, revoke};
pub(crate) use self::cache::KeyCache;
use crate::app::App;
use crate::auth::{Caller, Role, Roles};
use crate::entity::{Change, Collection};
use crate::error::Fault;
use crate::events::{self, OwnEvent, UNKNOWN};

const COLLECTION: &str = "keys";
/// Bytes of randomness of a secret.
const SECRET_BYTES: usize = 32;

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

/// Who a key is, if the secret is right.
pub(crate) async fn check(app: &App, id: &str, secret: &str) -> Result<Caller, Fault> {
    let key = load(app, id).await?;
    let expected = key.as_ref().map_or(String::new(), |key| key.digest.clone());
    let is_right: bool = digest(secret).as_bytes().ct_eq(expected.as_bytes()).into();
    let Some(key) = key else {
        return Err(Fault::Unauthorized);
    };
    let (why, result) = match is_right {
        true => ("expired", caller(app, id, &key)),
        false => ("secret", Err(Fault::Unauthorized)),
    };
    if result.is_err() {
        tell_failure(app, &key.instance, id, why).await;
    }
    result
}

/// Tells that somebody signed for a key with a wrong secret.
pub(crate) async fn tell_wrong_secret(app: &App, key: &Caller) {
    tell_failure(app, &key.instance, &key.key_id, "secret").await;
}

async fn tell_failure(app: &App, instance: &InstanceId, id: &str, why: &str) {
    let event = OwnEvent::by(app, instance, UNKNOWN, events::USER_ERROR)
        .about("keyId", id)
        .with("why", why);
    events::record_failure(app, &format!("key {id}"), event).await;
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
pub(crate) fn draw(ids: &dyn IdSource) -> (String, String) {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 20];
    ids.fill(&mut bytes);
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied();
    let id = bytes.iter().filter_map(letter).map(char::from).collect();
    let mut bytes = [0; SECRET_BYTES];
    ids.fill(&mut bytes);
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
    let sealed = app
        .sealer()
        .seal(app.ids(), &purpose(id), secret.as_bytes());
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
    let event = OwnEvent::by(app, &new.instance, actor, events::KEY_CREATE)
        .about("keyId", id)
        .with("roles", roles.join(","));
    let keys = Collection::<KeyDoc>::new(app, COLLECTION);
    let made = keys.change(id, |found| match found {
        // The same request again, after one that ended without its answer.
        Some(found) if found.digest == doc.digest => Ok(Change::silent(found)),
        Some(_) => Err(Fault::conflict("a key of this id exists")),
        None => Ok(Change::to(doc.clone(), event.clone())),
    });
    let made = made.await?;
    app.keys().forget(id);
    Ok(made.map_or(doc, |entity| entity.doc))
}

/// Makes a key, also on a stopped server's directory; returns its text `ID.SECRET`.
///
/// # Errors
/// What the control plane answers.
pub async fn create_key(app: &App, new: &NewKey) -> Result<String, Fault> {
    let (id, secret) = draw(app.ids());
    insert(app, (&id, &secret), new, "local").await?;
    Ok(format!("{id}.{secret}"))
}

/// Whether there is any key.
pub(crate) async fn any_exists(app: &App) -> Result<bool, Fault> {
    let found = app.control().list(COLLECTION, "", "", 1).await?;
    Ok(!found.is_empty())
}

#[cfg(test)]
mod tests;
