//! Redaction at the door: before anything of a record is on a disk, the catalog included.

use std::sync::Arc;

use convlog_model::flatten::Flat;
use convlog_model::record::Draft;
use convlog_model::redaction::{Cut, Policy};
use convlog_model::store::BATCH_BYTES_MAX;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;

use super::{DOOR_FIELDS, Ingest, check};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::redaction::Held;

/// Records that one thread looks at, at a time.
const PART_RECORDS: usize = 125;
/// Most bytes of marks of bodies that go on to the store, of one part.
const MARKS_BYTES_MAX: usize = 4 << 20;
/// Bytes of a body from which a live record is not looked at by the thread that answers.
const LARGE_BYTES: usize = 32 << 10;

/// A record as it is kept.
#[derive(Debug)]
pub(crate) struct Redacted {
    pub(crate) draft: Draft,
    /// What the door looks at, as it is kept.
    pub(super) flat: Flat,
    pub(crate) cuts: Vec<Cut>,
}

impl Redacted {
    pub(super) fn bot(&self) -> Option<String> {
        self.flat.text("bot").map(ToOwned::to_owned)
    }
}

/// A record of a bulk request, and the rules that are to look at it; `None` where none have
/// anything to say.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) draft: Draft,
    pub(super) flat: Flat,
    pub(super) held: Option<Arc<Held>>,
}

/// Whether rules have something to say about a record, or cannot.
pub(super) fn concerns(held: &Held, draft: &Draft) -> bool {
    held.as_ref()
        .map_or(true, |rules| !rules.is_idle(draft.kind))
}

/// The text for a policy that cannot run at all.
pub(super) fn unavailable(reason: &str) -> Fault {
    Fault::Unavailable {
        message: reason.to_owned(),
        retry_after_s: None,
    }
}

/// Applies rules to a record. What they leave keeps the bounds of the door, the scope of the key
/// among them.
fn apply(
    caller: &Caller,
    mut draft: Draft,
    flat: Flat,
    rules: &Policy,
) -> Result<Redacted, String> {
    let cuts = rules.apply(&mut draft, BATCH_BYTES_MAX);
    let cuts = cuts.map_err(|refusal| refusal.to_string())?;
    if cuts.is_empty() {
        return Ok(Redacted { draft, flat, cuts });
    }
    check::envelope(caller, &draft, BATCH_BYTES_MAX)?;
    let flat = Flat::of_fields(&draft, &*DOOR_FIELDS);
    check::leaves(caller, &draft, &flat)?;
    Ok(Redacted { draft, flat, cuts })
}

/// One part of a bulk request, on a thread of its own.
fn part(caller: &Caller, part: Vec<(usize, Admitted)>) -> Vec<(usize, Result<Redacted, String>)> {
    let mut marks_bytes = 0;
    let mut done = Vec::with_capacity(part.len());
    for (place, Admitted { draft, flat, held }) in part {
        let mut redacted = match held.as_deref() {
            None => Ok(Redacted {
                draft,
                flat,
                cuts: Vec::new(),
            }),
            Some(Ok(rules)) => apply(caller, draft, flat, rules),
            Some(Err(reason)) => Err(reason.clone()),
        };
        if let Ok(redacted) = &mut redacted {
            marks_bytes += redacted.draft.raw.marks_memory();
            if marks_bytes > MARKS_BYTES_MAX {
                redacted.draft.raw.forget_marks();
            }
        }
        done.push((place, redacted));
    }
    done
}

impl Ingest<'_> {
    /// One record as rules leave it.
    ///
    /// # Errors
    /// 400 for a record that a rule cannot run on, 503 where the rules cannot run at all.
    pub(crate) async fn redacted(
        self,
        caller: &Caller,
        draft: Draft,
        held: &Arc<Held>,
    ) -> Result<Redacted, Fault> {
        let flat = self.checked(caller, &draft).map_err(Fault::bad)?;
        self.kept(caller, draft, flat, held).await
    }

    /// As [`Ingest::redacted`], of a record that the door has looked at.
    pub(super) async fn kept(
        self,
        caller: &Caller,
        draft: Draft,
        flat: Flat,
        held: &Arc<Held>,
    ) -> Result<Redacted, Fault> {
        if !concerns(held, &draft) {
            let cuts = Vec::new();
            return Ok(Redacted { draft, flat, cuts });
        }
        let done = if draft.raw.len() > LARGE_BYTES {
            let (caller, held) = (caller.clone(), Arc::clone(held));
            let work = move || of_held(&caller, draft, flat, &held);
            let done = self.app.decoders().run(work).await;
            done.map_err(|error| Fault::internal(format!("redaction of a record: {error}")))?
        } else {
            of_held(caller, draft, flat, held)
        };
        done?.map_err(Fault::bad)
    }

    /// The records of a bulk request as their rules leave them, in order.
    pub(super) async fn all_kept(
        self,
        caller: &Caller,
        admitted: Vec<(usize, Admitted)>,
    ) -> Result<Vec<(usize, Result<Redacted, String>)>, Fault> {
        if admitted.iter().all(|(_, one)| one.held.is_none()) {
            let as_it_is = |(place, Admitted { draft, flat, .. })| {
                let cuts = Vec::new();
                (place, Ok(Redacted { draft, flat, cuts }))
            };
            return Ok(admitted.into_iter().map(as_it_is).collect());
        }
        let mut in_work = FuturesOrdered::new();
        let mut rest = admitted.into_iter().peekable();
        while rest.peek().is_some() {
            let these: Vec<_> = rest.by_ref().take(PART_RECORDS).collect();
            let caller = caller.clone();
            in_work.push_back(self.app.decoders().run(move || part(&caller, these)));
        }
        let mut all = Vec::new();
        while let Some(done) = in_work.next().await {
            let done = done.map_err(|error| {
                Fault::internal(format!("redaction of a bulk request: {error}"))
            })?;
            all.extend(done);
        }
        Ok(all)
    }
}

fn of_held(
    caller: &Caller,
    draft: Draft,
    flat: Flat,
    held: &Held,
) -> Result<Result<Redacted, String>, Fault> {
    match held {
        Ok(rules) => Ok(apply(caller, draft, flat, rules)),
        Err(reason) => Err(unavailable(reason)),
    }
}

/// Whether records of the bot can be redacted, where they are kept at all.
///
/// # Errors
/// 503 where not.
pub(super) async fn require(app: &App, caller: &Caller, bot: &str) -> Result<(), Fault> {
    let held = crate::redaction::of_records(app, &caller.instance, Some(bot)).await?;
    let Err(reason) = &*held else {
        return Ok(());
    };
    let mut policies = super::Policies::new(app);
    let policy = policies.of(&caller.instance, Some(bot)).await?;
    match policy.logs {
        true => Err(unavailable(reason)),
        false => Ok(()),
    }
}
