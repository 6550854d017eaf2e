//! One item of the event log, as all forms of answers show it.

use convlog_model::ids::Position;
use convlog_model::json::Json;

/// The place of an item: that of its record, and which of the record's items it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The record's position.
    pub position: Position,
    /// Which of its items, from 0.
    pub ordinal: u8,
}

impl Place {
    /// Before every item.
    pub const START: Place = Place::first(Position::START);
    /// Behind every item.
    pub const END: Place = Place::behind(Position::END);

    /// The first item of the record at a position.
    #[must_use]
    pub const fn first(position: Position) -> Self {
        Place {
            position,
            ordinal: 0,
        }
    }

    /// Behind every item of the record at a position.
    #[must_use]
    pub const fn behind(position: Position) -> Self {
        Place {
            position,
            ordinal: u8::MAX,
        }
    }

    /// The place right before this one, where an item may stand or not.
    #[must_use]
    pub const fn just_before(self) -> Self {
        match self.ordinal.checked_sub(1) {
            Some(ordinal) => Place { ordinal, ..self },
            None => Place::behind(Position(self.position.0.saturating_sub(1))),
        }
    }
}

/// An event, or what a turn shows as one.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Where it stands in the log.
    pub place: Place,
    /// Its id.
    pub id: String,
    /// What happened, as `message.create`.
    pub kind: String,
    /// A name for people; mostly empty.
    pub name: String,
    /// A description for people; mostly empty.
    pub description: String,
    /// The resources that it is about, by names of [`super::ids::IDS`], in that order.
    pub ids: Vec<(&'static str, String)>,
    /// Details; always an object, with the ids again under `relations`.
    pub meta: Json,
    /// When it happened, in milliseconds since the epoch.
    pub created_ms: i64,
    /// What a metric measured, as the text of a number.
    pub value: Option<String>,
    /// `ok` or `error`, where that is known.
    pub outcome: Option<String>,
    /// Who did it, where that is known.
    pub actor: Option<String>,
    /// What an entry of the audit did, as `CREATE`.
    pub action: Option<String>,
    /// Which rules have cut something from its record, as `{rule, version, action}`; empty for
    /// none.
    pub redactions: Vec<Json>,
    /// What else is known of what was created: the properties of a conversation, `meta` of a
    /// message; `null` of others. No part of the item as events show it.
    pub properties: Json,
    /// The text of a message that `meta` shows cut.
    pub full_text: Option<String>,
}

impl Item {
    /// The id of a resource that it is about.
    #[must_use]
    pub fn id_of(&self, name: &str) -> Option<&str> {
        let found = self.ids.iter().find(|(id, _)| *id == name);
        found.map(|(_, value)| value.as_str())
    }
}
