//! Who calls: keys by Basic and Bearer, tokens that stand for a key, roles and bot scope.

use std::collections::BTreeSet;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::filter::Filter;
use convlog_model::ids::InstanceId;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Fault;
use crate::events::SYSTEM;
use crate::keys;

mod token;

pub use self::token::{TOKEN_SECONDS, mint_token};

/// What a key may do. No role implies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Messages, dialogue sessions, records.
    Write,
    /// Lists, records, aggregates, exports.
    Read,
    /// Deletion of a customer's data.
    Erase,
    /// Bots, keys, settings, audit.
    Admin,
    /// Instances.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] = [
        Role::Write,
        Role::Read,
        Role::Erase,
        Role::Admin,
        Role::Operator,
    ];

    /// The name in the own API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Write => "write",
            Role::Read => "read",
            Role::Erase => "erase",
            Role::Admin => "admin",
            Role::Operator => "operator",
        }
    }
}

/// A set of roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// All five.
    #[must_use]
    pub fn all() -> Self {
        Roles(Role::ALL.into_iter().collect())
    }

    /// These.
    #[must_use]
    pub fn of(roles: &[Role]) -> Self {
        Roles(roles.iter().copied().collect())
    }

    /// Whether the role is among them.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }
}

/// Who calls. Handlers take it as an argument; the route table has checked the role before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant.
    pub instance: InstanceId,
    /// The key's id, without its secret.
    pub key_id: String,
    /// What the key may do.
    pub roles: Roles,
    /// The only bots that the key may see; `None` is all of the instance.
    pub bots: Option<BTreeSet<String>>,
}

impl Caller {
    /// The server itself, for background work of an instance.
    #[must_use]
    pub fn system(instance: InstanceId) -> Self {
        Caller {
            instance,
            key_id: SYSTEM.to_owned(),
            roles: Roles::all(),
            bots: None,
        }
    }

    /// Whether records of this bot are within the key's scope.
    #[must_use]
    pub fn sees_bot(&self, bot: &str) -> bool {
        self.bots.as_ref().is_none_or(|bots| bots.contains(bot))
    }

    /// The same as a 404, which does not tell whether the bot exists.
    ///
    /// # Errors
    /// 404 outside of the key's scope.
    pub fn require_bot(&self, bot: &str) -> Result<(), Fault> {
        match self.sees_bot(bot) {
            true => Ok(()),
            false => Err(Fault::not_found("Resource not found")),
        }
    }

    /// What every filter of this caller is narrowed to.
    #[must_use]
    pub fn scope_filter(&self) -> Filter {
        let Some(bots) = &self.bots else {
            return Filter::All;
        };
        Filter::Or(bots.iter().map(|bot| Filter::equals("bot", bot)).collect())
    }

    /// # Errors
    /// 403 without the role.
    pub fn require(&self, role: Role) -> Result<(), Fault> {
        match self.roles.has(role) {
            true => Ok(()),
            false => Err(Fault::forbidden(format!(
                "this needs a key with the role {role}"
            ))),
        }
    }

    /// # Errors
    /// 403 for a key that is limited to some bots.
    pub fn require_unscoped(&self) -> Result<(), Fault> {
        match self.bots {
            None => Ok(()),
            Some(_) => Err(Fault::forbidden(
                "a key that is limited to some bots may not do this",
            )),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The caller that the route's guard has found out.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or(Fault::Unauthorized)
    }
}

/// What the `Authorization` header brings.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Credential {
    Key { id: String, secret: String },
    Token(String),
}

/// Who the headers say calls.
///
/// # Errors
/// 401 without a valid credential; what the control plane answers.
pub async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Caller, Fault> {
    match credential(headers).ok_or(Fault::Unauthorized)? {
        Credential::Key { id, secret } => keys::check(app, &id, &secret).await,
        Credential::Token(token) => token::verify(app, &token).await,
    }
}

/// Who a token of ours stands for.
///
/// # Errors
/// 401 for one that is not ours, has ended, or whose key has gone.
pub async fn verify_token(app: &App, token: &str) -> Result<Caller, Fault> {
    token::verify(app, token).await
}

/// The caller that a key text `ID.SECRET` stands for, for the token endpoints.
///
/// # Errors
/// 401 for anything but a valid key.
pub async fn authenticate_key(app: &App, text: &str) -> Result<Caller, Fault> {
    let (id, secret) = text.split_once('.').ok_or(Fault::Unauthorized)?;
    keys::check(app, id, secret).await
}

fn credential(headers: &HeaderMap) -> Option<Credential> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        return (user == "apikey").then(|| bearer(password))?;
    }
    match scheme.eq_ignore_ascii_case("bearer") {
        true => bearer(rest),
        false => None,
    }
}

/// A key has one dot, a token two.
fn bearer(text: &str) -> Option<Credential> {
    let (id, rest) = text.split_once('.')?;
    Some(match rest.contains('.') {
        true => Credential::Token(text.to_owned()),
        false => Credential::Key {
            id: id.to_owned(),
            secret: rest.to_owned(),
        },
    })
}

#[cfg(test)]
mod tests;
