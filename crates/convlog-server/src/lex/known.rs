//! Bots as the runtime talks to them: made ready once a version.

/// What is kept in memory; all of it can be made again.
#[derive(Debug, Default)]
pub(crate) struct Known {}

impl Known {
    /// To be called after anything of the model was changed.
    pub(super) fn changed(&self) {}
}
