//! The only door for writing: bounds, learning opt-out, bots without logging, batches.

use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::{Draft, Kind};
use convlog_model::store::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Outcome, StateWrite, Stored,
};

use crate::app::App;
use crate::audit::{self, AuditEvent};
use crate::auth::{Caller, Role};
use crate::error::Fault;

mod policy;

use self::policy::Policies;

/// Most bytes of a dialect's own id.
const OWN_ID_BYTES_MAX: usize = 512;
/// Most bytes of a customer's id.
const CUSTOMER_BYTES_MAX: usize = 256;
/// Most labels of a record, and most bytes of each.
const LABELS_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 1024;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Ingest<'a> {
    app: &'a App,
}

impl<'a> Ingest<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Ingest { app }
    }

    /// Keeps one live turn or event with the dialogue state that follows from it, and returns
    /// when both are durable. `None`: the bot's logging is off, the state alone is kept.
    ///
    /// # Errors
    /// 400 beyond the bounds, 429 beyond the rate, 409 for another body under the same own id;
    /// what the store answers.
    pub async fn live(
        self,
        caller: &Caller,
        draft: Draft,
        state: Option<StateWrite>,
    ) -> Result<Option<Stored>, Fault> {
        self.rate(&caller.instance, 1)?;
        let mut draft = draft;
        let flat = draft.flat();
        self.check(caller, &draft, &flat).map_err(Fault::bad)?;
        let mut policies = Policies::new(self.app);
        let policy = policies.of(&draft.instance, flat.text("bot")).await?;
        if policy.opts_out {
            opt_out(&mut draft);
        }
        let states: Vec<StateWrite> = state.into_iter().collect();
        if !policy.logs {
            if !states.is_empty() {
                self.append(Vec::new(), states).await?;
            }
            return Ok(None);
        }
        crate::bots::sight(self.app, &caller.instance, &flat).await?;
        match self.append(vec![draft], states).await?.pop() {
            Some(Outcome::Stored(stored) | Outcome::Duplicate(stored)) => Ok(Some(stored)),
            Some(Outcome::Conflict) => Err(Fault::conflict(CONFLICT)),
            Some(Outcome::Erased) | None => Ok(None),
        }
    }

    /// Keeps dialogue states alone.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn state(self, state: StateWrite) -> Result<(), Fault> {
        self.append(Vec::new(), vec![state]).await?;
        Ok(())
    }

    /// Keeps records as they come from elsewhere: one answer a draft, in order, once all that are
    /// accepted are durable. Bots that do not exist are created without a connector.
    ///
    /// # Errors
    /// 429 beyond the rate; what the store answers, when everything before may have been stored.
    pub async fn bulk(
        self,
        caller: &Caller,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Result<Outcome, String>>, Fault> {
        self.rate(&caller.instance, drafts.len())?;
        let mut policies = Policies::new(self.app);
        let mut answers: Vec<Option<Result<Outcome, String>>> = vec![None; drafts.len()];
        let mut wanted = Vec::new();
        for (i, mut draft) in drafts.into_iter().enumerate() {
            match self.admit(caller, &mut draft, &mut policies).await? {
                Ok(()) => wanted.push((i, draft)),
                Err(reason) => set(&mut answers, i, Err(reason)),
            }
        }
        for batch in batches(wanted) {
            let (places, drafts): (Vec<usize>, Vec<Draft>) = batch.into_iter().unzip();
            let outcomes = self.append(drafts, Vec::new()).await?;
            for (place, outcome) in places.into_iter().zip(outcomes) {
                let answer = match outcome {
                    Outcome::Conflict => Err(CONFLICT.to_owned()),
                    Outcome::Stored(_) | Outcome::Duplicate(_) | Outcome::Erased => Ok(outcome),
                };
                set(&mut answers, place, answer);
            }
        }
        let missing = || Err("the store gave no answer".to_owned());
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(missing))
            .collect())
    }

    /// Keeps events of the audit, which no setting switches off.
    pub(crate) async fn audit(self, events: &[AuditEvent]) -> Result<(), Fault> {
        if !events.is_empty() {
            let drafts = events.iter().map(AuditEvent::draft).collect();
            self.append(drafts, Vec::new()).await?;
        }
        Ok(())
    }

    /// Whether one record of a bulk request may come in; creates its bot.
    async fn admit(
        self,
        caller: &Caller,
        draft: &mut Draft,
        policies: &mut Policies<'_>,
    ) -> Result<Result<(), String>, Fault> {
        let flat = draft.flat();
        if let Err(reason) = self.check(caller, draft, &flat) {
            return Ok(Err(reason));
        }
        let bot = flat.text("bot");
        let policy = policies.of(&draft.instance, bot).await?;
        if !policy.logs {
            return Ok(Err("logging is off for its bot".to_owned()));
        }
        if policy.opts_out {
            opt_out(draft);
        }
        crate::bots::sight(self.app, &caller.instance, &flat).await?;
        match bot {
            Some(bot) => policies.ensure(&caller.instance, bot).await,
            None => Ok(Ok(())),
        }
    }

    /// The bounds that hold for every record. The reason names the field, never its text.
    fn check(self, caller: &Caller, draft: &Draft, flat: &Flat) -> Result<(), String> {
        let limits = &self.app.config().limits;
        if draft.instance != caller.instance {
            return Err("belongs to another instance".to_owned());
        }
        if draft.raw.len() > limits.record_bytes {
            return Err(format!("longer than {} bytes", limits.record_bytes));
        }
        let text = |field: &str, value: Option<&str>, max: usize| match value {
            Some(text) if text.len() > max => Err(format!("{field}: longer than {max} bytes")),
            Some(text) if text.chars().any(char::is_control) => {
                Err(format!("{field}: control characters are not allowed"))
            }
            _ => Ok(()),
        };
        if draft.own_id.as_deref() == Some("") {
            return Err("own_id: must not be empty".to_owned());
        }
        text("own_id", draft.own_id.as_deref(), OWN_ID_BYTES_MAX)?;
        text("customer", flat.text("customer"), CUSTOMER_BYTES_MAX)?;
        if draft.labels.len() > LABELS_MAX {
            return Err(format!("labels: more than {LABELS_MAX}"));
        }
        for (name, value) in &draft.labels {
            text("labels", Some(name), LABEL_BYTES_MAX)?;
            text("labels", Some(value), LABEL_BYTES_MAX)?;
        }
        if let Some(bot) = flat.text("bot") {
            if !caller.sees_bot(bot) {
                return Err("bot: outside of the key's scope".to_owned());
            }
        } else if caller.bots.is_some() {
            return Err("bot: missing, and the key is limited to some bots".to_owned());
        }
        let event_type = flat.text("event.type").unwrap_or_default();
        let is_audit = draft.kind == Kind::Event && event_type.starts_with(audit::PREFIX);
        match is_audit && !caller.roles.has(Role::Admin) {
            true => Err("event.type: audit events need a key with the role admin".to_owned()),
            false => Ok(()),
        }
    }

    fn rate(self, instance: &InstanceId, n_records: usize) -> Result<(), Fault> {
        self.app.limits().ingest(instance, n_records)
    }

    async fn append(
        self,
        records: Vec<Draft>,
        states: Vec<StateWrite>,
    ) -> Result<Vec<Outcome>, Fault> {
        let batch = Batch { records, states };
        let counted: Vec<(InstanceId, Option<String>)> = batch
            .records
            .iter()
            .map(|draft| (draft.instance.clone(), bot_of(draft)))
            .collect();
        let receipt = self.app.store().append(batch).await?;
        self.app.metrics().count_ingest(&counted, &receipt.outcomes);
        Ok(receipt.outcomes)
    }
}

const CONFLICT: &str = "another body is stored under the same id";

/// The bot, where it needs no parsing of the raw body.
fn bot_of(draft: &Draft) -> Option<String> {
    match draft.canonical.get("bot")? {
        convlog_model::record::Source::Value(value) => value.as_str().map(ToOwned::to_owned),
        convlog_model::record::Source::Raw(_) => None,
    }
}

fn opt_out(draft: &mut Draft) {
    draft.set_value("learning_opt_out", Json::Bool(true));
}

fn set<T>(answers: &mut [Option<T>], place: usize, answer: T) {
    if let Some(slot) = answers.get_mut(place) {
        *slot = Some(answer);
    }
}

/// Cuts at the store's limits of one append, keeping the order.
fn batches(wanted: Vec<(usize, Draft)>) -> Vec<Vec<(usize, Draft)>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut batch_bytes = 0;
    for (place, draft) in wanted {
        let bytes = draft.raw.len();
        let is_full = batch.len() >= BATCH_RECORDS_MAX || batch_bytes + bytes > BATCH_BYTES_MAX;
        if is_full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            batch_bytes = 0;
        }
        batch_bytes += bytes;
        batch.push((place, draft));
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests;
