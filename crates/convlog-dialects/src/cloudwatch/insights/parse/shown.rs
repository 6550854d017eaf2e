//! Which columns a query shows.

use crate::cloudwatch::insights::Output;
use crate::cloudwatch::insights::syntax::{MESSAGE, Slot, TIMESTAMP};

/// What a command changes about the columns that are shown.
pub(super) enum Effect {
    None,
    More(Vec<Slot>),
    Only(Vec<Slot>),
    /// Rows are no events any more.
    Rows(Vec<Slot>),
}

/// The columns that are shown after some commands.
#[derive(Default)]
pub(super) struct Shown {
    columns: Vec<Slot>,
    /// Whether a `display` has chosen them.
    is_final: bool,
    is_aggregated: bool,
}

impl Shown {
    pub(super) fn note(&mut self, effect: Effect) {
        let (slots, is_final) = match effect {
            Effect::None => return,
            Effect::More(_) if self.is_final => return,
            Effect::More(slots) => (slots, false),
            Effect::Only(slots) => {
                self.columns.clear();
                (slots, true)
            }
            Effect::Rows(slots) => {
                self.columns.clear();
                self.is_aggregated = true;
                (slots, false)
            }
        };
        self.is_final = is_final;
        for slot in slots {
            if !self.columns.contains(&slot) {
                self.columns.push(slot);
            }
        }
    }

    pub(super) fn output(self) -> Output {
        let columns = match self.columns.is_empty() {
            true => vec![TIMESTAMP, MESSAGE],
            false => self.columns,
        };
        Output {
            columns,
            with_ptr: !self.is_aggregated,
        }
    }
}
