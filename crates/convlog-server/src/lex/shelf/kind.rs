//! Bots, intents, slot types: how they are named, how many there may be, and what tells of them.

use serde::{Deserialize, Serialize};

use crate::events::{self, EventType};

/// Most bots and intents of an account, as the guide limits them; slot types likewise.
const NAMES_MAX: usize = 1_000;
const BOTS_MAX: usize = 250;

/// What is kept under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A bot.
    Bot,
    /// An intent.
    Intent,
    /// A slot type.
    SlotType,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Bot => "bot",
            Kind::Intent => "intent",
            Kind::SlotType => "slottype",
        }
    }

    /// Its name in the details of events.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Kind::Bot => "bot",
            Kind::Intent => "intent",
            Kind::SlotType => "slot_type",
        }
    }

    pub(super) fn most(self) -> usize {
        match self {
            Kind::Bot => BOTS_MAX,
            Kind::Intent | Kind::SlotType => NAMES_MAX,
        }
    }

    /// The types of the events that tell of one that is new, changed, gone; a bot's own document
    /// tells of it, but for its versions.
    pub(super) fn events(self) -> [Option<EventType>; 3] {
        match self {
            Kind::Bot => [None, None, None],
            Kind::Intent => [
                Some(events::INTENT_CREATE),
                Some(events::INTENT_UPDATE),
                Some(events::INTENT_DELETE),
            ],
            Kind::SlotType => [
                Some(events::SLOT_TYPE_CREATE),
                Some(events::SLOT_TYPE_UPDATE),
                Some(events::SLOT_TYPE_DELETE),
            ],
        }
    }

    /// The type of the event that tells of a version that is new or gone.
    pub(super) fn event_of_version(self) -> Option<EventType> {
        match self {
            Kind::Bot => Some(events::BOT_UPDATE),
            Kind::Intent | Kind::SlotType => self.events()[1],
        }
    }
}
