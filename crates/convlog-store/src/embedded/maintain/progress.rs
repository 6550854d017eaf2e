//! How far erasures have come, in the ledger.

use convlog_model::store::ErasureState;

use super::{Maintenance, Trouble};

impl Maintenance {
    /// Numbers in the ledger of the erasures that are not done.
    pub(super) fn pending(&self) -> Vec<usize> {
        let erasures = self.shared.erasures();
        let numbered = erasures.iter().enumerate();
        let open = numbered.filter(|(_, erasure)| erasure.state != ErasureState::Done);
        open.map(|(number, _)| number).collect()
    }

    /// Notes how far erasures have come: in the ledger first.
    pub(super) fn advance(&self, numbers: &[usize], state: ErasureState) -> Result<(), Trouble> {
        let now = self.shared.clock.now();
        let mut changed = Vec::new();
        {
            let erasures = self.shared.erasures();
            for number in numbers {
                let Some(mut erasure) = erasures.get(*number).cloned() else {
                    continue;
                };
                if erasure.state >= state {
                    continue;
                }
                erasure.state = state;
                let at = now.max(erasure.hidden_at);
                if state >= ErasureState::Reindexing {
                    erasure.rows_overwritten_at.get_or_insert(at);
                }
                if state == ErasureState::Done {
                    erasure.done_at = Some(at);
                }
                changed.push((*number, erasure));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let noted = self.shared.catalog.change_ledger(&changed);
        noted.map_err(|error| Trouble::Later(error.to_string()))?;
        let mut erasures = self.shared.erasures();
        for (number, erasure) in changed {
            if let Some(known) = erasures.get_mut(number) {
                *known = erasure;
            }
        }
        Ok(())
    }
}
