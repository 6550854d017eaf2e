//! The channel of what comes from elsewhere: that of the bot's environment, where it has one, goes
//! before what the record itself names.

use std::collections::BTreeMap;
use std::sync::Arc;

use convlog_dialects::watson::channel;
use convlog_model::ids::InstanceId;
use convlog_model::record::Draft;

use super::known;
use crate::app::App;
use crate::error::Fault;

/// Channels of an instance's environments, by id of the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channels(pub(super) Arc<BTreeMap<String, String>>);

impl Channels {
    /// Those that the bots of the instance define.
    ///
    /// # Errors
    /// What the control plane answers.
    pub(crate) async fn of(app: &App, instance: &InstanceId) -> Result<Self, Fault> {
        known::channels(app, instance).await.map(Channels)
    }

    /// Fills a log's channel, and its customer where the channel tells who that is.
    pub(crate) fn apply(&self, draft: &mut Draft) {
        let channel = match self.0.is_empty() {
            true => None,
            false => {
                let flat = draft.flat();
                flat.text("environment").and_then(|id| self.0.get(id))
            }
        };
        channel::apply(draft, channel.map(String::as_str));
    }
}
