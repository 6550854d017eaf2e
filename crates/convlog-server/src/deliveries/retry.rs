//! Another try of dead letters of text, those that somebody asked for.

use super::entry::{Entry, cut, prove};
use super::failure::Failure;
use super::lane::Lane;
use super::text::{bury, send};
use super::{count_text, dead};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;

/// Most letters of one step, and most bytes of their entries, but for the last.
const LETTERS_MAX: usize = 1000;
const BYTES_MAX: usize = 4 << 20;

/// Tries some letters once more; whether others are left. What is not tried since our own store
/// fails stays in its place.
pub(super) async fn retry(app: &App, lane: &Lane, caller: &Caller) -> Result<bool, Fault> {
    let tried = match take(app, lane, caller).await {
        Ok(entries) => try_all(app, lane, &entries).await,
        Err(fault) => Err(fault),
    };
    lane.put_back_retries();
    tried.map(|()| lane.has_retries())
}

/// Takes the next letters. From then on an erasure counts them as on their way.
async fn take(app: &App, lane: &Lane, caller: &Caller) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    let mut n_bytes = 0;
    while entries.len() < LETTERS_MAX && n_bytes < BYTES_MAX {
        let looking = app.deliveries().take_up().await;
        let Some(id) = lane.next_retry() else { break };
        let record = app.query().get(caller, id).await?;
        let proven = record
            .as_deref()
            .and_then(|record| prove(app, lane, record));
        let Some(proven) = proven else {
            // Erased or expired: nothing is left to be sent.
            dead::remove(app, lane, id).await?;
            lane.end_retry(id);
            continue;
        };
        lane.begin_retry(id);
        drop(looking);
        let entry = proven.entry(app);
        n_bytes += entry.text.len();
        entries.push(entry);
    }
    Ok(entries)
}

async fn try_all(app: &App, lane: &Lane, entries: &[Entry]) -> Result<(), Fault> {
    for batch in cut(entries) {
        match send(app, lane, &batch).await {
            Ok(rejected) => {
                for (index, entry) in batch.iter().enumerate() {
                    let refused = rejected.iter().find(|(refused, _)| *refused == index);
                    if let Some((_, class)) = refused {
                        bury(app, lane, &[entry], &Failure::permanent(class), 1).await?;
                    } else {
                        dead::remove(app, lane, entry.id).await?;
                        count_text(app, &lane.instance, &entry.owner, true);
                    }
                    lane.end_retry(entry.id);
                }
            }
            Err(failure) => {
                bury(app, lane, &batch, &failure, 1).await?;
                for entry in &batch {
                    lane.end_retry(entry.id);
                }
            }
        }
    }
    Ok(())
}
