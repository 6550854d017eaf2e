//! Events that the server writes itself: what was done, by whom, to what. They are the audit, and
//! are known by their `event.action`, which nobody else may write.
//!
//! The body of such a record is an event item of ChatBotKit, so that one projection shows events of
//! ours and of others; see `convlog_dialects::chatbotkit`.

#[cfg(test)]
mod docs;
mod told;
mod types;

use std::collections::BTreeMap;

use convlog_model::filter::{Filter, Scope, Test};
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::json::{Json as Tree, Text};
use convlog_model::record::{Canonical, Dialect, Draft, Kind};
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::told::Told;
pub(crate) use self::types::*;
pub use self::types::{Action, EventType, PROJECTED, Projected, TYPES};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;

/// Entries of the audit that older versions wrote start with this.
const OLD_AUDIT_PREFIX: &str = "audit.";
/// The actor of what nobody asked for.
pub(crate) const SYSTEM: &str = "system";
/// The actor of what somebody did who could not prove to be anybody.
pub(crate) const UNKNOWN: &str = "unknown";
/// Names the conversation of an event.
const CONVERSATION: &str = "conversationId";

/// Something that was done. It holds ids and names, never what users said, and no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnEvent {
    id: String,
    instance: InstanceId,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    is_error: bool,
    actor: String,
    time: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refs: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    meta: BTreeMap<String, String>,
    /// Never kept on a document, where no erasure would find it.
    #[serde(skip)]
    turn: Option<OfTurn>,
}

/// The turn that an event is about, so that it is erased with the turn's customers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OfTurn {
    requested: Timestamp,
    customers: Vec<String>,
}

impl OwnEvent {
    /// It was done by the caller now.
    #[must_use]
    pub(crate) fn new(app: &App, caller: &Caller, kind: EventType) -> Self {
        Self::by(app, &caller.instance, &caller.key_id, kind)
    }

    /// The same by an actor that is no caller, as after a failed login.
    #[must_use]
    pub(crate) fn by(app: &App, instance: &InstanceId, actor: &str, kind: EventType) -> Self {
        OwnEvent {
            id: app.new_id().to_string(),
            instance: instance.clone(),
            kind: kind.name.to_owned(),
            action: kind.action.as_str().to_owned(),
            is_error: kind.is_error,
            actor: actor.to_owned(),
            time: app.now().to_micros_text(),
            refs: BTreeMap::new(),
            meta: BTreeMap::new(),
            turn: None,
        }
    }

    /// An event that may be told again and is kept once: everything that it says is given.
    #[must_use]
    pub(crate) fn again(mut self, id: &str, time: Timestamp) -> Self {
        id.clone_into(&mut self.id);
        self.time = time.to_micros_text();
        self
    }

    /// Names a resource that it is about by the name of its id, as `botId` or `keyId`.
    #[must_use]
    pub(crate) fn about(mut self, name: &str, id: impl Into<String>) -> Self {
        self.refs.insert(name.to_owned(), id.into());
        self
    }

    /// Adds a detail.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.meta.insert(name.to_owned(), value.into());
        self
    }

    /// When it was done.
    pub(crate) fn time(&self) -> &str {
        &self.time
    }

    /// Says that it is about a turn of this conversation, asked for at that moment.
    #[must_use]
    pub(crate) fn of_turn(mut self, conversation: &str, requested: Timestamp) -> Self {
        self.turn = Some(OfTurn {
            requested,
            customers: Vec::new(),
        });
        self.about(CONVERSATION, conversation)
    }

    /// Names whose turn it is, as the fields of the turn do.
    #[must_use]
    pub(crate) fn of_customers(mut self, turn: &Flat) -> Self {
        if let Some(of) = &mut self.turn {
            of.customers = turn.texts("customer").map(ToOwned::to_owned).collect();
        }
        self
    }

    /// Leaves out what leads to a person.
    #[must_use]
    pub(crate) fn of_nobody(mut self) -> Self {
        self.turn = None;
        self.refs.remove(CONVERSATION);
        self
    }

    /// The event as a record. It has no `time.request`: it counts as having happened when it is
    /// kept, so that times never decrease along the log. `time` of the body is when it was done.
    /// Only one of a customer's turn has the turn's, as the turn itself: so an erasure that came
    /// between question and answer refuses both.
    pub(crate) fn draft(&self) -> Draft {
        let texts = |map: &BTreeMap<String, String>| -> Vec<(Text, Tree)> {
            let members = map.iter().map(|(k, v)| (Text::from(k), Tree::string(v)));
            members.collect()
        };
        let mut meta = texts(&self.meta);
        meta.push(("relations".into(), Tree::Object(texts(&self.refs))));
        let outcome = if self.is_error { "error" } else { "ok" };
        let mut members: Vec<(Text, Tree)> = vec![
            ("type".into(), Tree::string(&self.kind)),
            ("actor".into(), Tree::string(&self.actor)),
            ("outcome".into(), Tree::string(outcome)),
            ("action".into(), Tree::string(&self.action)),
        ];
        members.extend(texts(&self.refs));
        members.push(("meta".into(), Tree::Object(meta)));
        members.push(("time".into(), Tree::string(&self.time)));
        let mut draft = Draft {
            instance: self.instance.clone(),
            kind: Kind::Event,
            dialect: Dialect::Convlog,
            own_id: Some(self.id.clone()),
            canonical: Canonical::new(),
            labels: BTreeMap::new(),
            raw: Tree::Object(members).to_string().into(),
        };
        draft.set_ref("event.type", &["type"]);
        draft.set_ref("event.actor", &["actor"]);
        draft.set_ref("event.outcome", &["outcome"]);
        draft.set_ref("event.action", &["action"]);
        for name in self.refs.keys() {
            draft.set_ref(&format!("event.refs.{name}"), &[name]);
        }
        for name in self.meta.keys() {
            draft.set_ref(&format!("event.meta.{name}"), &["meta", name]);
        }
        if let Some(OfTurn {
            requested,
            customers,
        }) = &self.turn
            && !customers.is_empty()
        {
            let customers = customers.iter().map(Tree::string).collect();
            draft.set_value("customer", Tree::Array(customers));
            draft.set_text("time.request", &requested.to_micros_text());
        }
        draft
    }
}

/// Writes one event that rides on no document: an export, an erasure, a failed login.
///
/// # Errors
/// What the store answers.
pub(crate) async fn record(app: &App, event: OwnEvent) -> Result<(), Fault> {
    app.ingest().own(&[event]).await
}

/// Writes an event of a failure that somebody outside may bring about as often as they like: one a
/// minute and `subject`.
pub(crate) async fn record_failure(app: &App, subject: &str, event: OwnEvent) {
    if !app.told().should_tell(subject, app.clock().monotonic_us()) {
        return;
    }
    record_or_warn(app, event).await;
}

/// Writes an event of something that cannot be undone any more, whether it can be told of or not.
pub(crate) async fn record_or_warn(app: &App, event: OwnEvent) {
    let kind = event.kind.clone();
    if let Err(fault) = record(app, event).await {
        let status = fault.status().as_u16();
        tracing::warn!(kind, status, "an event could not be written");
    }
}

/// The same from where nothing can wait, as a stream that is dropped.
pub(crate) fn record_later(app: &App, event: OwnEvent) {
    if tokio::runtime::Handle::try_current().is_ok() {
        let later = app.clone();
        app.jobs()
            .spawn(async move { record_or_warn(&later, event).await });
    }
}

/// The entries of the audit.
pub(crate) fn is_audit() -> Filter {
    let old = Test::Glob {
        parts: vec![OLD_AUDIT_PREFIX.to_owned(), String::new()],
        scope: Scope::Whole,
    };
    Filter::Or(vec![
        Filter::exists("event.action"),
        Filter::test("event.type", old),
    ])
}

/// Whether a record with this type and action would be an entry of the audit.
pub(crate) fn is_entry(event_type: Option<&str>, action: Option<&str>) -> bool {
    action.is_some() || event_type.is_some_and(|name| name.starts_with(OLD_AUDIT_PREFIX))
}
