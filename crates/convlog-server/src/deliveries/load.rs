//! How much a lane has to do.

/// A number of entries with their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Load {
    pub(super) fn add(&mut self, bytes: u64) {
        self.entries = self.entries.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) fn plus(self, other: Load) -> Load {
        Load {
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(super) fn minus(self, other: Load) -> Load {
        Load {
            entries: self.entries.saturating_sub(other.entries),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    pub(super) fn most(self, other: Load) -> Load {
        Load {
            entries: self.entries.max(other.entries),
            bytes: self.bytes.max(other.bytes),
        }
    }

    pub(super) fn least(self, other: Load) -> Load {
        Load {
            entries: self.entries.min(other.entries),
            bytes: self.bytes.min(other.bytes),
        }
    }
}
