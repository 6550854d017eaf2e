//! The only door for writing: bounds, learning opt-out, bots without logging, redaction, batches.

use std::sync::LazyLock;

use convlog_model::fields::FieldRef;
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::Draft;
use convlog_model::store::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Outcome, StateWrite, Stored,
};

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::events::OwnEvent;

mod check;
mod policy;
mod redact;

use self::policy::Policies;
use self::redact::{Admitted, Redacted};

/// A record with its bot, by which it is counted.
type OfBot = (Draft, Option<String>);

/// A record that the door has looked at, and what it saw or why it refuses the record.
#[derive(Debug)]
pub(crate) struct Seen {
    draft: Draft,
    fields: Result<Flat, String>,
}

impl Seen {
    #[cfg(test)]
    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }
}

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
    /// when both are durable. `None`: the bot's logging is off, the state alone is kept. The rate
    /// is that of `before_asking`.
    ///
    /// # Errors
    /// 400 beyond the bounds and where redaction cannot run on the record, 409 for another body
    /// under the same own id; what the store answers.
    pub async fn live(
        self,
        caller: &Caller,
        draft: Draft,
        state: Option<StateWrite>,
    ) -> Result<Option<Stored>, Fault> {
        self.turn(caller, draft, state, None).await
    }

    /// The same with an event of ours that tells of the turn: both are there or neither is. Where
    /// logging is off, the event is kept without what leads to a person.
    pub(crate) async fn turn(
        self,
        caller: &Caller,
        draft: Draft,
        state: Option<StateWrite>,
        event: Option<OwnEvent>,
    ) -> Result<Option<Stored>, Fault> {
        let mut draft = draft;
        let flat = self.checked(caller, &draft).map_err(Fault::bad)?;
        let mut policies = Policies::new(self.app);
        let policy = policies.of(&draft.instance, flat.text("bot")).await?;
        if policy.opts_out {
            opt_out(&mut draft);
        }
        let states: Vec<StateWrite> = state.into_iter().collect();
        if !policy.logs {
            let event = event
                .map(|event| own_draft(&event.of_nobody()))
                .transpose()?;
            if event.is_some() || !states.is_empty() {
                let event = event.into_iter().map(|event| (event, None));
                self.append(event.collect(), states).await?;
            }
            return Ok(None);
        }
        let kept = self.kept(caller, draft, flat, &policy.redaction).await?;
        crate::bots::sight(self.app, &caller.instance, &kept.flat).await?;
        let bot = kept.bot();
        let event = event
            .map(|event| own_draft(&event.of_customers(&kept.flat)))
            .transpose()?;
        let turn = (kept.draft, bot);
        let drafts = std::iter::once(turn)
            .chain(event.map(|event| (event, None)))
            .collect();
        match self.append(drafts, states).await?.into_iter().next() {
            Some(Outcome::Stored(stored) | Outcome::Duplicate(stored)) => Ok(Some(stored)),
            Some(Outcome::Conflict) => Err(Fault::conflict(CONFLICT)),
            Some(Outcome::Erased) | None => Ok(None),
        }
    }

    /// Whether words of a bot are kept at all.
    ///
    /// # Errors
    /// What the control plane answers.
    pub(crate) async fn keeps(self, instance: &InstanceId, bot: &str) -> Result<bool, Fault> {
        let mut policies = Policies::new(self.app);
        Ok(policies.of(instance, Some(bot)).await?.logs)
    }

    /// Whether a live turn of this caller has room and could be kept, as far as the question alone
    /// decides it. To be asked before the bot is: what it was asked must be kept.
    ///
    /// # Errors
    /// 400 beyond the bounds, 429 beyond the rate, 503 where the rules of redaction cannot run.
    pub(crate) async fn before_asking(
        self,
        caller: &Caller,
        bot: &str,
        doubtful: impl FnOnce() -> Option<Draft>,
    ) -> Result<(), Fault> {
        if let Some(draft) = doubtful() {
            self.checked(caller, &draft)
                .map_err(|reason| match reason.split_once(": ") {
                    Some((field, _)) => Fault::bad_at(field.to_owned(), reason.clone()),
                    None => Fault::bad(reason),
                })?;
        }
        self.rate(&caller.instance, 1)?;
        redact::require(self.app, caller, bot).await
    }

    /// The bot that a record names, if the record keeps the bounds.
    pub(crate) fn bot_of(self, caller: &Caller, draft: &Draft) -> Result<Option<String>, String> {
        let flat = self.checked(caller, draft)?;
        Ok(flat.text("bot").map(ToOwned::to_owned))
    }

    /// Keeps dialogue states alone.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn state(self, state: StateWrite) -> Result<(), Fault> {
        self.append(Vec::new(), vec![state]).await?;
        Ok(())
    }

    /// Looks at a record for [`Ingest::bulk`], on any thread.
    pub(crate) fn look(self, caller: &Caller, draft: Draft) -> Seen {
        let fields = self.checked(caller, &draft);
        Seen { draft, fields }
    }

    /// Keeps records as they come from elsewhere: one answer a draft, in order, once all that are
    /// accepted are durable. Bots that do not exist are created without a connector.
    ///
    /// # Errors
    /// 429 beyond the rate; what the store answers, when everything before may have been stored.
    pub(crate) async fn bulk(
        self,
        caller: &Caller,
        seen: Vec<Seen>,
    ) -> Result<Vec<Result<Outcome, String>>, Fault> {
        self.bulk_told(caller, seen, |_| None).await
    }

    /// The same with an event of ours, made of the number of records that the store is handed: it
    /// is there with the last of them. Without records there is none.
    ///
    /// # Errors
    /// As [`Ingest::bulk`].
    pub(crate) async fn bulk_told(
        self,
        caller: &Caller,
        seen: Vec<Seen>,
        event: impl FnOnce(usize) -> Option<OwnEvent> + Send,
    ) -> Result<Vec<Result<Outcome, String>>, Fault> {
        self.rate(&caller.instance, seen.len())?;
        let mut policies = Policies::new(self.app);
        let mut answers: Vec<Option<Result<Outcome, String>>> = vec![None; seen.len()];
        let mut admitted = Vec::with_capacity(seen.len());
        for (i, seen) in seen.into_iter().enumerate() {
            match admit(seen, &mut policies).await? {
                Ok(one) => admitted.push((i, one)),
                Err(reason) => set(&mut answers, i, Err(reason)),
            }
        }
        let mut wanted = Vec::with_capacity(admitted.len());
        for (i, kept) in self.all_kept(caller, admitted).await? {
            let ready = match kept {
                Ok(kept) => self.make_ready(caller, kept, &mut policies).await?,
                Err(reason) => Err(reason),
            };
            match ready {
                Ok(of_bot) => wanted.push((i, of_bot)),
                Err(reason) => set(&mut answers, i, Err(reason)),
            }
        }
        let event = match wanted.len() {
            0 => None,
            n_records => event(n_records),
        };
        let mut event = event.as_ref().map(own_draft).transpose()?;
        let mut all = batches(wanted).into_iter().peekable();
        while let Some(batch) = all.next() {
            let (places, mut drafts): (Vec<usize>, Vec<OfBot>) = batch.into_iter().unzip();
            if all.peek().is_none() {
                drafts.extend(event.take().map(|event| (event, None)));
            }
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

    /// Keeps events of our own, which no setting switches off.
    pub(crate) async fn own(self, events: &[OwnEvent]) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let mut drafts = Vec::with_capacity(events.len());
        for event in events {
            drafts.push((own_draft(event)?, None));
        }
        self.append(drafts, Vec::new()).await?;
        Ok(())
    }

    /// Makes the bot of a record of a bulk request known, and what else it names.
    async fn make_ready(
        self,
        caller: &Caller,
        kept: Redacted,
        policies: &mut Policies<'_>,
    ) -> Result<Result<OfBot, String>, Fault> {
        let bot = kept.bot();
        if let Some(bot) = &bot
            && let Err(reason) = policies.ensure(caller, bot).await?
        {
            return Ok(Err(reason));
        }
        crate::bots::sight(self.app, &caller.instance, &kept.flat).await?;
        Ok(Ok((kept.draft, bot)))
    }

    /// What the door looks at of a record that keeps the bounds.
    fn checked(self, caller: &Caller, draft: &Draft) -> Result<Flat, String> {
        let bytes_max = self.app.config().limits.record_bytes;
        let bytes_max = bytes_max.min(BATCH_BYTES_MAX - BESIDE_BYTES);
        check::envelope(caller, draft, bytes_max)?;
        let flat = Flat::of_fields(draft, &*DOOR_FIELDS);
        check::leaves(caller, draft, &flat)?;
        Ok(flat)
    }

    fn rate(self, instance: &InstanceId, n_records: usize) -> Result<(), Fault> {
        self.app.limits().ingest(instance, n_records)
    }

    async fn append(
        self,
        drafts: Vec<OfBot>,
        states: Vec<StateWrite>,
    ) -> Result<Vec<Outcome>, Fault> {
        let mut counted = Vec::new();
        let mut records = Vec::new();
        for (draft, bot) in drafts {
            counted.push((draft.instance.clone(), bot));
            records.push(draft);
        }
        let batch = Batch { records, states };
        let receipt = self.app.store().append(batch).await?;
        self.app.metrics().count_ingest(&counted, &receipt.outcomes);
        Ok(receipt.outcomes)
    }
}

/// The record of an event of ours, without what its details must not hold.
fn own_draft(event: &OwnEvent) -> Result<Draft, Fault> {
    let mut draft = event.draft();
    crate::redaction::of_own_events()
        .apply(&mut draft, BATCH_BYTES_MAX)
        .map_err(|refusal| Fault::internal(refusal.to_string()))?;
    Ok(draft)
}

/// Whether one record of a bulk request may come in, and what holds for it.
async fn admit(seen: Seen, policies: &mut Policies<'_>) -> Result<Result<Admitted, String>, Fault> {
    let Seen { mut draft, fields } = seen;
    let flat = match fields {
        Ok(flat) => flat,
        Err(reason) => return Ok(Err(reason)),
    };
    let policy = policies.of(&draft.instance, flat.text("bot")).await?;
    if !policy.logs {
        return Ok(Err(LOGGING_OFF.to_owned()));
    }
    if policy.opts_out {
        opt_out(&mut draft);
    }
    let concerns = redact::concerns(&policy.redaction, &draft);
    Ok(Ok(Admitted {
        held: concerns.then_some(policy.redaction),
        draft,
        flat,
    }))
}

/// All that the door looks at in a record.
static DOOR_FIELDS: LazyLock<[FieldRef; 6]> = LazyLock::new(|| {
    let names = [
        "bot",
        "customer",
        "event.type",
        "event.action",
        "assistant",
        "environment",
    ];
    names.map(FieldRef::canonical)
});

/// What one append has left beside a record: for the state of its session, and an event of ours.
const BESIDE_BYTES: usize = 1 << 20;

/// Why a record of a bot without logging is rejected.
pub(crate) const LOGGING_OFF: &str = "logging is off for its bot";
const CONFLICT: &str = "another body is stored under the same id";

fn opt_out(draft: &mut Draft) {
    draft.set_value("learning_opt_out", Json::Bool(true));
}

fn set<T>(answers: &mut [Option<T>], place: usize, answer: T) {
    if let Some(slot) = answers.get_mut(place) {
        *slot = Some(answer);
    }
}

/// Bytes of an append that are left for an event of ours.
const EVENT_BYTES: usize = 64 << 10;

/// Cuts at the store's limits of one append, keeping the order.
fn batches(wanted: Vec<(usize, OfBot)>) -> Vec<Vec<(usize, OfBot)>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut batch_bytes = 0;
    for (place, of_bot) in wanted {
        let bytes = of_bot.0.raw.len();
        // One record and its bytes are left for an event.
        let is_full = batch.len() + 1 >= BATCH_RECORDS_MAX
            || batch_bytes + bytes > BATCH_BYTES_MAX - EVENT_BYTES;
        if is_full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            batch_bytes = 0;
        }
        batch_bytes += bytes;
        batch.push((place, of_bot));
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests;
