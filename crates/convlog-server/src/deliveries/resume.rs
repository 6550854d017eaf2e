//! Audio that an earlier process has left.

use std::collections::BTreeSet;

use convlog_model::ids::RecordId;

use super::audio::{self, State};
use super::copies;
use crate::app::App;
use crate::error::Fault;

/// Goes on with what waits since before the process began, and removes blobs without a document.
pub(super) async fn start_all(app: &App) -> Result<(), Fault> {
    let mut known = BTreeSet::new();
    let mut after = String::new();
    loop {
        let (step, next) = audio::all(app).step("", &after).await?;
        for one in step {
            let Some((instance, id)) = audio::parse_id(&one.id) else {
                continue;
            };
            known.insert(id);
            let (doc, held) = (one.doc, &app.deliveries().audio);
            match doc.state {
                // One that came with a request of this process is in its line already.
                State::Waiting if held.is_held(id) => {}
                State::Waiting => {
                    held.hold(id, doc.n_bytes, false);
                    audio::send(app, &instance, &doc.owner, id);
                }
                State::Dead => held.hold(id, doc.n_bytes, true),
                State::Kept { .. } => {}
                State::Erased { .. } if held.is_held(id) => {}
                State::Erased { order } => {
                    // It was being sent when the process ended, and may have arrived.
                    let copy = copies::Object {
                        bucket: doc.bucket,
                        key: doc.key,
                        at_us: doc.at_us,
                    };
                    crate::erasures::add_copy(app, &order, copy.into()).await?;
                    audio::drop_quietly(app, &instance, id).await;
                }
            }
        }
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    sweep(app, &known).await
}

/// Blobs of one step of a list.
const STEP: usize = 1000;

async fn sweep(app: &App, known: &BTreeSet<RecordId>) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let step = app.blobs().list(after, STEP).await?;
        for blob in &step {
            if !known.contains(&blob.id) && !app.deliveries().audio.is_held(blob.id) {
                app.blobs().remove(blob.id).await?;
            }
        }
        match step.last() {
            Some(last) if step.len() == STEP => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}
