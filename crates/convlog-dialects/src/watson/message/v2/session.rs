//! Dialogue sessions: the context that the server keeps, as a value.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use convlog_model::json::{Json, Text};
use convlog_model::time::Timestamp;

use super::super::RequestError;
use super::super::v1::object_or_empty;
use super::{Mode, RequestV2, check_size};

/// A dialogue session: what the server keeps between the messages of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// Messages so far.
    pub turn_count: u64,
    /// The whole v2 context.
    pub context: Json,
}

/// The skill whose variables a conversation has; the name has a space.
const SKILL: &str = "main skill";

impl Session {
    /// A session without messages.
    #[must_use]
    pub fn new(id: &str, started: Timestamp) -> Self {
        Session {
            id: id.to_owned(),
            started,
            turn_count: 0,
            context: Json::object([]),
        }
    }

    /// Begins a turn: counts it, merges the request's context over the session's and fills
    /// `global`. What connectors see as context is `context` after this. (`options.restart` starts
    /// the dialog again and leaves the context as it is.)
    ///
    /// # Errors
    /// [`RequestError`] when the merged context becomes too large; the session is then unchanged.
    pub fn begin(&mut self, request: &RequestV2) -> Result<(), RequestError> {
        let mut context = self.context.clone();
        if let Some(sent) = request.body().get("context") {
            merge(&mut context, sent);
        }
        let mut counted = self.turn_count;
        let mut started = self.started.to_millis_text();
        if request.mode() == Mode::Stateless {
            let system = |key: &str| context.at(&["global", "system", key]);
            let sent = system("turn_count").and_then(Json::as_i64).unwrap_or(0);
            counted = u64::try_from(sent).unwrap_or(0);
            if let Some(Json::String(sent)) = system("session_start_time") {
                started = sent.to_string();
            }
        }
        let counted = counted.saturating_add(1);
        let user = request.user_id().map(str::to_owned).or_else(|| {
            let sent = context.at(&["global", "system", "user_id"])?.as_str()?;
            (!sent.is_empty()).then(|| sent.to_owned())
        });
        let user = user.unwrap_or_else(|| self.id.clone());
        for (key, value) in [
            ("turn_count", Json::Number(counted.to_string().into())),
            ("user_id", Json::string(user)),
            ("session_start_time", Json::string(started)),
        ] {
            set_at(&mut context, &["global", "system", key], value);
        }
        set_at(
            &mut context,
            &["global", "session_id"],
            Json::string(self.id.as_str()),
        );
        for part in ["user_defined", "system"] {
            let old = object_or_empty(context.at(&["skills", SKILL, part]));
            set_at(&mut context, &["skills", SKILL, part], old);
        }
        check_size(context.to_string().len(), request.mode())?;
        self.context = context;
        self.turn_count = counted;
        Ok(())
    }

    /// The user of the current turn: root `user_id`, else that of the context, else the session.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.context
            .at(&["global", "system", "user_id"])
            .and_then(Json::as_str)
            .unwrap_or(&self.id)
    }

    /// The context variables of the skill: `skills."main skill".user_defined`.
    #[must_use]
    pub fn variables(&self) -> Option<&Json> {
        self.context.at(&["skills", SKILL, "user_defined"])
    }

    /// Merges what a bot sets over the variables.
    pub(super) fn set_variables(&mut self, set: Option<&Json>) {
        if let Some(set) = set {
            let mut variables = object_or_empty(self.variables());
            merge(&mut variables, set);
            set_at(
                &mut self.context,
                &["skills", SKILL, "user_defined"],
                variables,
            );
        }
    }

    /// The context as a client can carry it: with the encoded state of the dialog.
    pub(super) fn exported(&self) -> Json {
        let state = format!(
            "{{\"session_id\":{},\"turn_count\":{}}}",
            Json::string(self.id.as_str()),
            self.turn_count
        );
        let mut context = self.context.clone();
        let state = Json::string(URL_SAFE_NO_PAD.encode(state));
        set_at(&mut context, &["skills", SKILL, "system", "state"], state);
        context
    }

    /// The session as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = Json::object([
            ("id", Json::string(self.id.as_str())),
            ("started_us", Json::integer(self.started.micros())),
            (
                "turn_count",
                Json::Number(self.turn_count.to_string().into()),
            ),
            ("context", self.context.clone()),
        ]);
        body.to_string().into_bytes()
    }

    /// The session of bytes; `None` when they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let body = Json::parse(bytes).ok()?;
        let turns = body.get("turn_count")?.as_i64()?;
        Some(Session {
            id: body.get("id")?.as_str()?.to_owned(),
            started: Timestamp::from_micros(body.get("started_us")?.as_i64()?),
            turn_count: u64::try_from(turns).ok()?,
            context: body.get("context")?.clone(),
        })
    }
}

/// Merges `over` into `base`: objects member by member, everything else is replaced.
fn merge(base: &mut Json, over: &Json) {
    let Json::Object(members) = over else {
        *base = over.clone();
        return;
    };
    if base.as_object().is_none() {
        *base = Json::object([]);
    }
    let Json::Object(merged) = base else { return };
    // Contexts may have thousands of members: looking each up by a walk would take too long.
    let names = merged.iter().enumerate();
    let mut places: BTreeMap<Text, usize> = names.map(|(i, (key, _))| (key.clone(), i)).collect();
    for (key, value) in members {
        let place = *places.entry(key.clone()).or_insert_with(|| {
            merged.push((key.clone(), Json::Null));
            merged.len() - 1
        });
        if let Some((_, old)) = merged.get_mut(place) {
            merge(old, value);
        }
    }
}

/// Sets the value at a path of keys; objects on the way are made where there are none.
fn set_at(base: &mut Json, path: &[&str], value: Json) {
    let Some((key, rest)) = path.split_first() else {
        *base = value;
        return;
    };
    if base.as_object().is_none() {
        *base = Json::object([]);
    }
    let mut inner = base.take(key).unwrap_or(Json::Null);
    set_at(&mut inner, rest, value);
    base.set(key, inner);
}
