//! What is kept of an erasure beside what the store knows of it.

use serde::{Deserialize, Serialize};

use crate::deliveries::Outside;
use crate::secret::Secret;

/// An erasure as it was ordered. Holds the customer's id only sealed, and only while an upstream
/// server is still to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// `customer` or `filter`.
    pub(crate) selector: String,
    /// Id of the key that ordered it.
    pub(crate) actor: String,
    /// The customer, until every upstream server has been told.
    pub(crate) customer: Option<Secret>,
    /// Connectors that have got data which the erasure is about.
    pub(crate) holders: Vec<Holder>,
    /// When to try the waiting ones next, in microseconds.
    pub(crate) next_us: i64,
    /// How many servers have passed it on before.
    #[serde(default)]
    pub(crate) n_hops: u32,
    /// Whether its end has been told of.
    #[serde(default)]
    pub(crate) is_told: bool,
    /// Copies outside of this server, and deliveries that it keeps from being made.
    #[serde(default)]
    pub(crate) outside: Outside,
}

impl Order {
    /// Bots whose upstream server is still to be told.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &str> {
        let is_waiting = |holder: &&Holder| {
            let state = holder.forward.as_ref().map(|forward| forward.state);
            state == Some(ForwardState::Pending)
        };
        self.holders
            .iter()
            .filter(is_waiting)
            .map(|holder| holder.bot.as_str())
    }
}

/// A connector that has got data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Holder {
    /// The bot.
    pub(crate) bot: String,
    /// `webhook` or `upstream`.
    pub(crate) kind: String,
    /// How far the repetition there has come; `null` when the bot asks for none, and the
    /// connector still holds the data.
    pub(crate) forward: Option<Forward>,
}

/// An erasure that is repeated upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Forward {
    /// How far it has come.
    pub(crate) state: ForwardState,
    /// Tries so far.
    pub(crate) attempts: u32,
    /// Class of the last failure.
    pub(crate) last_error: Option<String>,
}

/// How far a repetition has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ForwardState {
    /// It is tried again and again.
    Pending,
    /// The upstream server has accepted it.
    Done,
    /// The bot does not forward any more.
    Dropped,
}
