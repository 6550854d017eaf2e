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
    is_told: bool,
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

    /// Tells of an import that has ended, and gives the answer to it.
    ///
    /// # Errors
    /// How it ended, if it ended early; what the store answers.
    pub(super) async fn end(mut self, ended: Result<(), Fault>) -> Result<BulkAnswer, Fault> {
        let event = match &ended {
            Ok(()) => self.event(None),
            Err(fault) => self.event(Some(fault.status().as_str())),
        };
        self.is_told = true;
        if let Some(event) = event {
            match &ended {
                Ok(()) => events::record(&self.app, event).await?,
                // How it ended is what the client has to know.
                Err(_) => events::record_or_warn(&self.app, event).await,
            }
        }
        ended.map(|()| std::mem::take(&mut self.answer))
    }

    /// `None` when nothing was stored.
    fn event(&self, why: Option<&str>) -> Option<OwnEvent> {
        let answer = &self.answer;
        let may_be_again = self.id.is_some() && answer.duplicates > 0;
        if answer.accepted == 0 && self.n_waiting == 0 && !may_be_again {
            return None;
        }
        let kind = match why {
            None => events::FILE_UPLOAD,
            Some(_) => events::FILE_UPLOAD_ERROR,
        };
        let mut event = OwnEvent::new(&self.app, &self.caller, kind)
            .with("dialect", &self.dialect)
            .with("accepted", answer.accepted.to_string())
            .with("duplicates", answer.duplicates.to_string())
            .with("erased", answer.erased.to_string())
            .with("rejected", answer.rejected.len().to_string());
        if let (Some(id), None) = (&self.id, why) {
            event = event.again(id, self.app.now());
        }
        if let Some(why) = why {
            event = event.with("why", why);
        }
        if self.n_waiting > 0 {
            event = event.with("unknown", self.n_waiting.to_string());
        }
        Some(event)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        if let Some(event) = self.event(Some("cut")) {
            events::record_later(&self.app, event);
        }
    }
}
