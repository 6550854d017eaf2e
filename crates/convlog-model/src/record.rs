//! Records: a turn or an event, with envelope and canonical turn as fields, and the raw body.

mod body;
mod canonical;

use std::collections::BTreeMap;
use std::fmt;

pub use self::body::{Body, Holding, ReadBody};
pub use self::canonical::{Canonical, Fields};
use crate::fields::FieldRef;
use crate::flatten::{Flat, LeafPath};
use crate::ids::{InstanceId, Position, RecordId};
use crate::json::Json;
use crate::time::Timestamp;

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Kind {
    /// One request of a user and the bot's answer.
    Turn,
    /// Something that happened on the platform.
    Event,
}

impl Kind {
    /// `turn` or `event`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Turn => "turn",
            Kind::Event => "event",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Kind::Turn, Kind::Event]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// The form in which a record's raw body is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Dialect {
    /// A log object of Watson Assistant v1.
    WatsonV1,
    /// A log object of Watson Assistant v2.
    WatsonV2,
    /// A conversation log entry of Amazon Lex V1.
    LexV1,
    /// An event log item of ChatBotKit.
    ChatBotKit,
    /// An OpenTelemetry span or log record with GenAI attributes.
    Otlp,
    /// convlog's own events and canonical records.
    Convlog,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 6] = [
        Dialect::WatsonV1,
        Dialect::WatsonV2,
        Dialect::LexV1,
        Dialect::ChatBotKit,
        Dialect::Otlp,
        Dialect::Convlog,
    ];

    /// The name in the own API and on disk.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::WatsonV1 => "watson-v1",
            Dialect::WatsonV2 => "watson-v2",
            Dialect::LexV1 => "lex-v1",
            Dialect::ChatBotKit => "chatbotkit",
            Dialect::Otlp => "otlp",
            Dialect::Convlog => "convlog",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == text)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a canonical field's value stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// It equals what the raw body holds at this path (arrays on the way are passed through).
    Raw(LeafPath),
    /// It is given here. Objects and arrays spread over the paths below the field.
    Value(Json),
}

/// A record as a dialect hands it to the ingest door: without id, position and time of receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The tenant.
    pub instance: InstanceId,
    /// Turn or event.
    pub kind: Kind,
    /// Form of `raw`.
    pub dialect: Dialect,
    /// The dialect's own id, when the record came with one; recognises a resend.
    pub own_id: Option<String>,
    /// Envelope and canonical turn.
    pub canonical: Canonical,
    /// Free labels that no dialect's raw body holds.
    pub labels: BTreeMap<String, String>,
    /// The body exactly as the client sent or saw it: one JSON value, without the own id.
    pub raw: Body,
}

impl Draft {
    /// Sets a canonical field to a value.
    pub fn set_value(&mut self, path: &str, value: Json) {
        self.canonical.insert(path.into(), Source::Value(value));
    }

    /// Sets a canonical field to a text.
    pub fn set_text(&mut self, path: &str, text: &str) {
        self.set_value(path, Json::string(text));
    }

    /// Sets a canonical field to a reference to where a dotted name leads, no key of which has a dot.
    pub fn set_ref_spelled(&mut self, path: &str, raw: &str) {
        self.canonical
            .insert(path.into(), Source::Raw(LeafPath::spelled(raw)));
    }

    /// Sets a canonical field to a reference into the raw body.
    pub fn set_ref(&mut self, path: &str, raw: &[&str]) {
        self.canonical
            .insert(path.into(), Source::Raw(LeafPath::of(raw)));
    }

    /// All leaves of the record; parses the raw body unless its value is known.
    #[must_use]
    pub fn flat(&self) -> Flat {
        Flat::of(self)
    }
}

/// An accepted record. Immutable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// Its place in commit order.
    pub position: Position,
    /// When it was accepted (`time.received`).
    pub received: Timestamp,
    /// What was accepted.
    pub draft: Draft,
}

impl Record {
    /// The id that the dialect shows: its own, else the record's.
    #[must_use]
    pub fn shown_id(&self) -> String {
        self.draft
            .own_id
            .clone()
            .unwrap_or_else(|| self.id.to_string())
    }

    /// All leaves of the record, with those that the engine gave: `id`, `time.received`.
    #[must_use]
    pub fn flat(&self) -> Flat {
        self.with_own(Flat::of(&self.draft))
    }

    /// The leaves that these fields can mean; see [`Flat::of_fields`].
    #[must_use]
    pub fn flat_of(&self, fields: &[FieldRef]) -> Flat {
        self.with_own(Flat::of_fields(&self.draft, fields))
    }

    fn with_own(&self, mut flat: Flat) -> Flat {
        flat.push_canonical("id", &Json::string(self.id.to_string()));
        flat.push_canonical(
            "time.received",
            &Json::string(self.received.to_micros_text()),
        );
        flat
    }
}
