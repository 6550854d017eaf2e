//! Sessions of the runtime: one a bot and user, with the settings that held when it began.

use std::collections::{BTreeSet, VecDeque};

use convlog_dialects::lex::dialog::Dialog;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::store::StateWrite;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::logs::Logs;
use super::reply::Reply;
use super::target::Attributes;
use crate::app::App;
use crate::aws::{AwsError, Call};
use crate::error::Fault;
use crate::sessions::CUSTOMERS_MAX;

/// How long the answer to a request is kept for whoever sends the request again.
const RESEND_US: i64 = 15 * 60 * 1_000_000;
/// Most answers that are kept of one user.
const ANSWERS_MAX: usize = 16;

/// What is kept of a bot and a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The session, unless it has been deleted.
    pub session: Option<Session>,
    /// The last answers.
    answers: VecDeque<Given>,
}

/// An answer that was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Given {
    /// What tells the same request from others.
    request: String,
    at_us: i64,
    reply: Reply,
    /// The customers of its session, of whom it may tell.
    #[serde(default)]
    customers: Vec<String>,
}

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub id: String,
    pub alias: String,
    /// When the alias was made: one that is made again is another one.
    #[serde(default)]
    pub alias_us: i64,
    pub version: String,
    /// What is logged of it; `None` when nothing is.
    pub logs: Option<Logs>,
    pub started_us: i64,
    ttl_s: u32,
    ends_us: i64,
    pub turns: u64,
    pub dialog: Dialog,
    /// The customers that it has named; each may have left traces in the dialogue.
    pub customers: Vec<String>,
    /// What a connector keeps of the conversation.
    pub context: Json,
    /// The session at the upstream server that this one stands for.
    pub upstream: Option<String>,
}

/// The id under which the store keeps the state.
pub(super) fn state_id(bot: &str, user: &str) -> String {
    format!("lex/{bot}/{user}")
}

impl State {
    /// What is kept, without what has ended.
    pub(super) async fn load(app: &App, instance: &InstanceId, id: &str) -> Result<Self, Fault> {
        let now_us = app.now().micros();
        let loaded = app.store().load_state(instance, id).await?;
        let state = loaded.and_then(|write| serde_json::from_slice::<State>(&write.state).ok());
        let mut state = state.unwrap_or(State {
            session: None,
            answers: VecDeque::new(),
        });
        state.session = state.session.filter(|session| session.ends_us > now_us);
        state
            .answers
            .retain(|given| given.at_us.saturating_add(RESEND_US) > now_us);
        Ok(state)
    }

    /// The answer that a request got when it was sent first.
    pub(super) fn answered(&self, request: Option<&str>) -> Option<&Reply> {
        let request = request?;
        let found = self.answers.iter().find(|given| given.request == request);
        found.map(|given| &given.reply)
    }

    /// Keeps an answer of the session for whoever sends the request again.
    pub(super) fn keep(&mut self, request: Option<String>, reply: &Reply, now: Timestamp) {
        let Some(request) = request else { return };
        let session = self.session.as_ref();
        let customers = session.map(|session| session.customers.clone());
        if self.answers.len() == ANSWERS_MAX {
            self.answers.pop_front();
        }
        self.answers.push_back(Given {
            request,
            at_us: now.micros(),
            reply: reply.clone(),
            customers: customers.unwrap_or_default(),
        });
    }

    /// Everybody of whom something may be kept, also in answers of sessions before; of those the
    /// oldest go where there are too many.
    fn name_customers(&mut self) -> Vec<String> {
        loop {
            let of_session = self.session.iter().flat_map(|session| &session.customers);
            let of_answers = self.answers.iter().flat_map(|given| &given.customers);
            let all: BTreeSet<&String> = of_session.chain(of_answers).collect();
            if all.len() <= CUSTOMERS_MAX || self.answers.is_empty() {
                return all.into_iter().cloned().collect();
            }
            self.answers.pop_front();
        }
    }

    /// The state to be written at `now`, from which the session lives on.
    pub(super) fn renewed(
        &mut self,
        instance: &InstanceId,
        id: &str,
        now: Timestamp,
    ) -> StateWrite {
        if let Some(session) = &mut self.session {
            session.renew(now);
        }
        let customers = self.name_customers();
        let ends = self.session.as_ref().map_or(0, |session| session.ends_us);
        let last = self.answers.back();
        let kept = last.map_or(0, |given| given.at_us.saturating_add(RESEND_US));
        StateWrite {
            instance: instance.clone(),
            session: id.to_owned(),
            // A struct of texts, numbers and JSON always serialises.
            state: serde_json::to_vec(self).unwrap_or_default(),
            customers,
            expires_at: Timestamp::from_micros(ends.max(kept)),
        }
    }
}

impl Session {
    /// A session that begins now.
    pub(super) fn new(
        app: &App,
        (alias, alias_us): (&str, i64),
        version: &str,
        ttl_s: u32,
    ) -> Self {
        let now = app.now();
        let mut session = Session {
            id: session_id(now, app.ids().random_u128()),
            alias: alias.to_owned(),
            alias_us,
            version: version.to_owned(),
            logs: None,
            started_us: now.micros(),
            ttl_s,
            ends_us: 0,
            turns: 0,
            dialog: Dialog::default(),
            customers: Vec::new(),
            context: Json::object([]),
            upstream: None,
        };
        session.renew(now);
        session
    }

    fn renew(&mut self, now: Timestamp) {
        let life_us = i64::from(self.ttl_s) * 1_000_000;
        self.ends_us = now.plus_micros(life_us).micros();
    }

    /// Remembers the customer of a turn; `false` when it has named too many.
    pub(super) fn name(&mut self, customer: &str) -> bool {
        if self.customers.iter().any(|known| known == customer) {
            return true;
        }
        if self.customers.len() >= CUSTOMERS_MAX {
            return false;
        }
        self.customers.push(customer.to_owned());
        true
    }
}

/// The customer that the request names.
pub(super) fn customer(
    call: &Call,
    attributes: Option<&Attributes>,
) -> Result<Option<String>, AwsError> {
    let name = &call.app.config().lex.customer_attribute;
    let found = attributes.and_then(|attributes| attributes.get(name));
    match found {
        Some(id) if id.len() > 256 || id.is_empty() || id.chars().any(char::is_control) => {
            let message = format!(
                "The request attribute '{name}' must have 1 to 256 bytes, none a control character."
            );
            Err(AwsError::bad(message))
        }
        found => Ok(found.cloned()),
    }
}

/// An id as Lex made them: `2026-01-02T03:04:05.006Z-aBcDeFgH`.
fn session_id(now: Timestamp, random: u128) -> String {
    const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut rest = random;
    let letters = (0..8).map(|_| {
        let letter = LETTERS[(rest % 52) as usize];
        rest /= 52;
        char::from(letter)
    });
    let letters: String = letters.collect();
    format!("{}-{letters}", now.to_millis_text())
}
