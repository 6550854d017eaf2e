//! What a change of a document wants.

use crate::events::OwnEvent;

/// What a change wants: the new document, and the events that tell of it.
#[derive(Debug)]
pub(crate) struct Change<T> {
    /// The new document; `None` deletes it.
    pub doc: Option<T>,
    /// Events that become records with it.
    pub events: Vec<OwnEvent>,
}

impl<T> Change<T> {
    /// The document becomes this.
    #[must_use]
    pub(crate) fn to(doc: T, event: OwnEvent) -> Self {
        Change {
            doc: Some(doc),
            events: vec![event],
        }
    }

    /// The document goes.
    #[must_use]
    pub(crate) fn delete(event: OwnEvent) -> Self {
        Change {
            doc: None,
            events: vec![event],
        }
    }

    /// The document goes, and nobody is told.
    #[must_use]
    pub(crate) fn gone() -> Self {
        Change {
            doc: None,
            events: Vec::new(),
        }
    }

    /// The document becomes this, and nobody is told.
    #[must_use]
    pub(crate) fn silent(doc: T) -> Self {
        Change {
            doc: Some(doc),
            events: Vec::new(),
        }
    }
}
