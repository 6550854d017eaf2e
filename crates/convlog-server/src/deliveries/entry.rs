//! What is sent of a record.

use convlog_model::ids::{Position, RecordId};
use convlog_model::record::{Dialect, ReadBody, Record};
use convlog_model::time::Timestamp;

use super::audio::Link;
use super::batch::{self, Item};
use super::lane::Lane;
use super::{AUDIO, DELIVERY, Owner, STREAM, proof};
use crate::app::App;

/// The key of an entry that links to its audio.
const LINK_KEY: &str = "s3PathForAudio";

/// An entry on its way.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) position: Position,
    pub(super) id: RecordId,
    pub(super) stream: String,
    pub(super) at_ms: i64,
    pub(super) text: String,
    /// Bytes as the queue counts them.
    pub(super) n_bytes: u64,
    pub(super) owner: Owner,
}

/// What is sent of a record; `None` for one that was not to be delivered by this lane.
pub(super) fn of_record(app: &App, lane: &Lane, record: &Record) -> Option<Entry> {
    let draft = &record.draft;
    let (own_id, stream) = (draft.own_id.as_ref()?, draft.labels.get(STREAM)?);
    let proven = draft.labels.get(DELIVERY)?;
    if draft.dialect != Dialect::LexV1 || *proven != proof(app, &lane.id, own_id, stream) {
        return None;
    }
    let text = match link(app, record) {
        Link::Broken => without_link(draft.raw.as_str()),
        Link::Holds | Link::Waits => draft.raw.as_str().to_owned(),
    };
    let flat = draft.flat();
    let name = |field: &str| flat.text(field).unwrap_or_default().to_owned();
    Some(Entry {
        position: record.position,
        id: record.id,
        stream: stream.clone(),
        at_ms: at(record).millis(),
        text,
        n_bytes: n_bytes(&draft.raw),
        owner: Owner {
            bot: name("bot"),
            alias: name("environment"),
            version: name("version"),
        },
    })
}

/// The time of the event: that which the entry itself names.
pub(super) fn at(record: &Record) -> Timestamp {
    let requested = record.draft.flat().time("time.request");
    requested.unwrap_or(record.received)
}

/// What holds for the audio of a turn.
pub(super) fn link(app: &App, record: &Record) -> Link {
    let id = record.draft.labels.get(AUDIO);
    let id: Option<RecordId> = id.and_then(|id| id.parse().ok());
    id.map_or(Link::Holds, |id| app.deliveries().audio.link(id))
}

/// The entry without the link to its audio, else byte for byte the same.
fn without_link(text: &str) -> String {
    let read = ReadBody::read(text);
    read.map_or_else(
        |_| text.to_owned(),
        |read| read.without(&[LINK_KEY]).as_str().to_owned(),
    )
}

/// Bytes of a body, as the queue counts them.
pub(super) fn n_bytes(body: &convlog_model::record::Body) -> u64 {
    u64::try_from(body.as_str().len()).unwrap_or(u64::MAX)
}

/// Entries as calls; see [`batch::cut`].
pub(super) fn cut(entries: &[Entry]) -> Vec<Vec<&Entry>> {
    let items: Vec<Item<'_>> = entries
        .iter()
        .map(|entry| Item {
            stream: &entry.stream,
            at_ms: entry.at_ms,
            n_bytes: entry.text.len(),
        })
        .collect();
    let of = |indexes: Vec<usize>| -> Vec<&Entry> {
        indexes
            .into_iter()
            .filter_map(|index| entries.get(index))
            .collect()
    };
    batch::cut(&items).into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_loses_its_link_and_nothing_else() {
        let with =
            r#"{"a":"\u00e4 \/ x","s3PathForAudio":"s3://b/k","n":1.50,"z":{"s3PathForAudio":1}}"#;
        let without = r#"{"a":"\u00e4 \/ x","n":1.50,"z":{"s3PathForAudio":1}}"#;
        assert_eq!(without_link(with), without);
        assert_eq!(without_link(without), without);
    }
}
