//! The events of exports and backups: that one began, before a byte of it is given out, and that it
//! ended early.

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::events::{self, OwnEvent};

/// A download under way. Dropped on the way, as when its receiver goes away, it tells so.
#[derive(Debug)]
pub(crate) struct Download {
    app: App,
    caller: Caller,
    kind: &'static str,
    /// What is counted: `records` or `bytes`.
    unit: &'static str,
    n_given: u64,
    is_over: bool,
}

impl Download {
    /// Tells of a download that begins; `kind` is `export` or `backup`.
    ///
    /// # Errors
    /// What the store answers: what cannot be told of does not begin.
    pub(crate) async fn begin(
        app: &App,
        caller: &Caller,
        (kind, unit): (&'static str, &'static str),
        details: &[(&str, &str)],
    ) -> Result<Self, Fault> {
        let event = OwnEvent::new(app, caller, events::FILE_DOWNLOAD).with("kind", kind);
        let event = details
            .iter()
            .fold(event, |event, (name, value)| event.with(name, *value));
        events::record(app, event).await?;
        Ok(Download {
            app: app.clone(),
            caller: caller.clone(),
            kind,
            unit,
            n_given: 0,
            is_over: false,
        })
    }

    /// So much more is given out.
    pub(crate) fn gives(&mut self, n_units: usize) {
        let n_units = u64::try_from(n_units).unwrap_or(u64::MAX);
        self.n_given = self.n_given.saturating_add(n_units);
    }

    /// All of it is given out.
    pub(crate) fn is_whole(&mut self) {
        self.is_over = true;
    }

    /// The store has failed; tells so.
    pub(crate) async fn broke_off(&mut self) {
        self.is_over = true;
        events::record_or_warn(&self.app, self.event("store")).await;
    }

    fn event(&self, why: &str) -> OwnEvent {
        OwnEvent::new(&self.app, &self.caller, events::FILE_DOWNLOAD_ERROR)
            .with("kind", self.kind)
            .with("why", why)
            .with(self.unit, self.n_given.to_string())
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if !self.is_over {
            events::record_later(&self.app, self.event("cut"));
        }
    }
}
