//! Events that the server writes itself: what was done, by whom, to what. They are the audit, and
//! are known by their `event.action`, which nobody else may write.
//!
//! The body of such a record is an event item of ChatBotKit, so that one projection shows events of
//! ours and of others; see `convlog_dialects::chatbotkit`.

mod types;

use std::collections::BTreeMap;

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Filter, Scope, Test};
use convlog_model::ids::InstanceId;
use convlog_model::json::{Json as Tree, Text};
use convlog_model::record::{Dialect, Draft, Kind};
use serde::{Deserialize, Serialize};

pub(crate) use self::types::*;
pub use self::types::{Action, EventType, TYPES};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;

/// Entries of the audit that older versions wrote start with this.
const OLD_AUDIT_PREFIX: &str = "audit.";

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
        }
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

    /// The event as a record. It has no `time.request`: it counts as having happened when it is
    /// kept, so that times never decrease along the log. `time` of the body is when it was done.
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
            canonical: BTreeMap::new(),
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

/// The entries of the audit.
pub(crate) fn is_audit() -> Filter {
    let test = |field: &str, test: Test| Filter::Test {
        field: FieldRef::canonical(field),
        test,
    };
    let old = Test::Glob {
        parts: vec![OLD_AUDIT_PREFIX.to_owned(), String::new()],
        scope: Scope::Whole,
    };
    Filter::Or(vec![
        test("event.action", Test::Exists),
        test("event.type", old),
    ])
}

/// Whether a record with this type and action would be an entry of the audit.
pub(crate) fn is_entry(event_type: Option<&str>, action: Option<&str>) -> bool {
    action.is_some() || event_type.is_some_and(|name| name.starts_with(OLD_AUDIT_PREFIX))
}
