//! The event of an import: one a request, when it has ended, however it did.

use super::bulk::BulkAnswer;
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::events::{self, OwnEvent};
use crate::idempotency::Seed;

/// An import under way, and what has become of its lines so far. Dropped on the way, as when its
/// client goes away, it still tells what it has stored.
#[derive(Debug)]
pub(super) struct Upload {
    app: App,
    caller: Caller,
    dialect: String,
    /// Of a request that may be sent again: it is told of once.
    id: Option<String>,
    /// What has become of the lines so far.
    pub(super) answer: BulkAnswer,
    /// Records that the store was given and has not answered yet.
    pub(super) n_waiting: usize,
    /// Whether its event is kept.
    pub(super) is_told: bool,
}

impl Upload {
    pub(super) fn new(app: &App, caller: &Caller, dialect: &str, seed: Option<&Seed>) -> Self {
        Upload {
            app: app.clone(),
            caller: caller.clone(),
            dialect: dialect.to_owned(),
            id: seed.map(|seed| seed.id("upload").to_string()),
            answer: BulkAnswer::default(),
            n_waiting: 0,
            is_told: false,
        }
    }

    /// Tells of an import that has ended, if that did not ride on its last records, and gives the
    /// answer to it.
    ///
    /// # Errors
    /// How it ended, if it ended early; what the store answers.
    pub(super) async fn end(mut self, ended: Result<(), Fault>) -> Result<BulkAnswer, Fault> {
        let is_told = std::mem::replace(&mut self.is_told, true);
        match &ended {
            Ok(()) if is_told || self.n_handed() == 0 => {}
            Ok(()) => events::record(&self.app, self.whole(0, 0)).await?,
            Err(fault) => {
                // How it ended is what the client has to know.
                if let Some(event) = self.early(fault.status().as_str()) {
                    events::record_or_warn(&self.app, event).await;
                }
            }
        }
        ended.map(|()| std::mem::take(&mut self.answer))
    }

    /// Records that the store has been handed and has answered.
    fn n_handed(&self) -> usize {
        let answer = &self.answer;
        let n_handed = answer.accepted + answer.duplicates + answer.erased;
        usize::try_from(n_handed).unwrap_or(usize::MAX)
    }

    /// The event of an import of which the store is handed so many records more, and so many lines
    /// more are refused.
    pub(super) fn whole(&self, n_records: usize, n_refused: usize) -> OwnEvent {
        let n_rejected = self.answer.rejected.len() + n_refused;
        let event = OwnEvent::new(&self.app, &self.caller, events::FILE_UPLOAD)
            .with("dialect", &self.dialect)
            .with("records", (self.n_handed() + n_records).to_string())
            .with("rejected", n_rejected.to_string());
        match &self.id {
            Some(id) => event.again(id, self.app.now()),
            None => event,
        }
    }

    /// The event of an import that ended early; `None` when nothing was stored.
    fn early(&self, why: &str) -> Option<OwnEvent> {
        let answer = &self.answer;
        if answer.accepted == 0 && self.n_waiting == 0 {
            return None;
        }
        let event = OwnEvent::new(&self.app, &self.caller, events::FILE_UPLOAD_ERROR)
            .with("dialect", &self.dialect)
            .with("accepted", answer.accepted.to_string())
            .with("duplicates", answer.duplicates.to_string())
            .with("erased", answer.erased.to_string())
            .with("rejected", answer.rejected.len().to_string())
            .with("why", why);
        Some(match self.n_waiting {
            0 => event,
            n_unknown => event.with("unknown", n_unknown.to_string()),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        if let Some(event) = self.early("cut") {
            events::record_later(&self.app, event);
        }
    }
}
