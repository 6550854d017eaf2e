//! What a turn leaves for delivery, while it is kept.

use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::record::Draft;

use super::audio;
use super::keep::{AudioOrder, keep};
use super::lane::{self, Destination, Hold};
use super::{AUDIO, DELIVERY, LANE, Owner, QUEUE_FULL, STREAM, count_text, proof, tell_lost};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;

/// Class of what is dropped since text goes to too many destinations.
const TOO_MANY: &str = "too_many_destinations";

/// The deliveries of one turn. Unless [`Underway::go`] is called, nothing is delivered that is not
/// in the log: audio is removed again.
#[derive(Debug)]
#[must_use]
pub(crate) struct Underway {
    app: App,
    instance: InstanceId,
    owner: Owner,
    audio: Option<RecordId>,
    text: Option<Hold>,
}

impl Underway {
    /// Of a turn of which nothing is to be delivered yet.
    pub(crate) fn new(app: &App, caller: &Caller, owner: Owner) -> Self {
        Underway {
            app: app.clone(),
            instance: caller.instance.clone(),
            owner,
            audio: None,
            text: None,
        }
    }

    /// Keeps audio, durable before this returns; whether it will be delivered. Where the bot keeps
    /// nothing it is not, nor beyond the bound of the queue, which is a failure that is counted.
    ///
    /// # Errors
    /// 507 without room; what blobs and control plane answer.
    pub(crate) async fn keep_audio(
        &mut self,
        caller: &Caller,
        order: &AudioOrder<'_>,
    ) -> Result<bool, Fault> {
        self.audio = keep(&self.app, caller, &self.owner, order).await?;
        Ok(self.audio.is_some())
    }

    /// Marks a turn for the delivery of its text, where the log group is not this server's. Beyond
    /// the bounds of the queue and of destinations the turn is kept all the same, and not delivered:
    /// a failure that is counted.
    ///
    /// # Errors
    /// What the control plane answers.
    pub(crate) async fn mark(
        &mut self,
        to: &Destination<'_>,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        let app = &self.app;
        if let Some(id) = self.audio {
            draft.labels.insert(AUDIO.to_owned(), id.to_string());
        }
        if app.config().aws.builtin_logs {
            return Ok(());
        }
        let (Some(own_id), Some(stream)) = (&draft.own_id, draft.labels.get(STREAM)) else {
            return Ok(());
        };
        let Some(lane) = lane::of(app, &self.instance, to).await? else {
            self.lose_text(TOO_MANY).await;
            return Ok(());
        };
        let proof = proof(app, &lane.id, own_id, stream);
        let n_bytes = u64::try_from(draft.raw.as_str().len()).unwrap_or(u64::MAX);
        let waiting = app.deliveries().waiting_bytes();
        if waiting.saturating_add(n_bytes) > app.config().aws.queue_bytes {
            self.lose_text(QUEUE_FULL).await;
            return Ok(());
        }
        draft.labels.insert(LANE.to_owned(), lane.key().to_owned());
        draft.labels.insert(DELIVERY.to_owned(), proof);
        self.text = Some(Hold::new(lane, n_bytes));
        Ok(())
    }

    async fn lose_text(&self, class: &str) {
        count_text(&self.app, &self.instance, &self.owner, false);
        tell_lost(&self.app, &self.instance, &self.owner, ("text", class)).await;
    }

    /// The turn is kept: what it leaves goes on its way.
    pub(crate) fn go(mut self) {
        if let Some(id) = self.audio.take() {
            audio::send(&self.app, &self.instance, &self.owner, id);
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let Some(id) = self.audio.take() else { return };
        let (app, instance) = (self.app.clone(), self.instance.clone());
        let work = async move { audio::drop_quietly(&app, &instance, id).await };
        self.app.jobs().spawn(work);
    }
}
