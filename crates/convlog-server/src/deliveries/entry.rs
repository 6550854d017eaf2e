//! What is sent of a record.

use convlog_model::ids::{Position, RecordId};
use convlog_model::record::{Dialect, Draft, ReadBody, Record};
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

/// A record that a lane is to deliver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proven<'a> {
    record: &'a Record,
    stream: &'a str,
}

/// Whether a record is to be delivered by this lane. Nothing else of its labels counts before: an
/// imported record may carry any.
pub(super) fn prove<'a>(app: &App, lane: &Lane, record: &'a Record) -> Option<Proven<'a>> {
    let draft = &record.draft;
    let (own_id, stream) = (draft.own_id.as_ref()?, draft.labels.get(STREAM)?);
    let proven = draft.labels.get(DELIVERY)?;
    let is_own = draft.dialect == Dialect::LexV1 && *proven == proof(app, &lane.id, own_id, stream);
    is_own.then_some(Proven { record, stream })
}

impl Proven<'_> {
    /// What is sent of it.
    pub(super) fn entry(self, app: &App) -> Entry {
        let draft = &self.record.draft;
        let text = match link(app, self.record) {
            Link::Broken => without_link(draft.raw.as_str()),
            Link::Holds | Link::Waits => draft.raw.as_str().to_owned(),
        };
        Entry {
            position: self.record.position,
            id: self.record.id,
            stream: self.stream.to_owned(),
            at_ms: time(self.record).millis(),
            text,
            n_bytes: n_bytes(&draft.raw),
            owner: owner(draft),
        }
    }
}

/// When a turn happened, as its entry says.
pub(super) fn time(record: &Record) -> Timestamp {
    let flat = record.draft.flat();
    flat.time("time.request").unwrap_or(record.received)
}

/// Whose entry a turn is.
pub(super) fn owner(turn: &Draft) -> Owner {
    let flat = turn.flat();
    let name = |field: &str| flat.text(field).unwrap_or_default().to_owned();
    Owner {
        bot: name("bot"),
        alias: name("environment"),
        version: name("version"),
    }
}

/// What holds for the audio of a turn.
pub(super) fn link(app: &App, record: &Record) -> Link {
    let id = record.draft.labels.get(AUDIO);
    let id: Option<RecordId> = id.and_then(|id| id.parse().ok());
    id.map_or(Link::Holds, |id| app.deliveries().audio.link(id))
}

/// The entry without the link to its audio, else byte for byte the same.
pub(super) fn without_link(text: &str) -> String {
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
