//! What is done to one record: its rules, what they have cut so far, and the notes of it.

use std::ops::Range;
use std::sync::Arc;

use super::notes::Notes;
use super::path::{Active, Down, Next};
use super::{CUTS_MAX, HashKey, Refusal, Rule, What};

/// What is done to one record.
#[derive(Debug)]
pub(super) struct Work<'p> {
    pub(super) rules: Vec<&'p Arc<Rule>>,
    pub(super) key: &'p HashKey,
    pub(super) notes: Notes,
    pub(super) n_cuts: usize,
}

impl Work<'_> {
    /// Counts and notes a cut.
    pub(super) fn cut(
        &mut self,
        rule: &Rule,
        path: impl FnOnce() -> String,
    ) -> Result<(), Refusal> {
        self.n_cuts += 1;
        if self.n_cuts > CUTS_MAX {
            let reason = format!("more than {CUTS_MAX} places of the record are to be cut");
            return Err(Refusal::of(rule, reason));
        }
        self.notes.add(rule, path);
        Ok(())
    }

    /// A text as rules of content leave it; `None` where they leave it as it is, or `may` says
    /// that they must.
    pub(super) fn text(
        &mut self,
        text: &str,
        is_key: bool,
        may: impl Fn() -> bool,
        path: impl Fn() -> String,
    ) -> Result<Option<String>, Refusal> {
        let mut changed: Option<String> = None;
        for i in 0..self.rules.len() {
            let Some(rule) = self.rules.get(i).copied() else {
                continue;
            };
            let Some((parts, now)) = parts(rule, is_key, changed.as_deref().unwrap_or(text)) else {
                continue;
            };
            if changed.is_none() && !may() {
                return Ok(None);
            }
            let mut out = String::with_capacity(now.len());
            let mut copied = 0;
            for part in parts {
                self.cut(rule, &path)?;
                out.push_str(now.get(copied..part.start).unwrap_or_default());
                let found = now.get(part.clone()).unwrap_or_default();
                out.push_str(&rule.replacement(found, self.key).unwrap_or_default());
                copied = part.end;
            }
            out.push_str(now.get(copied..).unwrap_or_default());
            changed = Some(out);
        }
        Ok(changed)
    }

    /// A key as detectors leave it, where that is another one. Nothing is noted.
    pub(super) fn new_key(&self, key: &str) -> Option<String> {
        let mut quiet = Work {
            rules: self.rules.clone(),
            key: self.key,
            notes: Notes::default(),
            n_cuts: 0,
        };
        let here = String::new;
        // The bound of cuts has held when the key was rewritten where it stands.
        quiet.text(key, true, || true, here).unwrap_or_default()
    }

    /// The paths of the rules, at their beginning.
    pub(super) fn begin(&self, in_raw: bool) -> Vec<Active> {
        let mut active = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            if let What::Paths(paths) = &rule.what {
                let begun = paths.iter().enumerate();
                active.extend(begun.filter_map(|(i, path)| path.begin(number, i, in_raw)));
            }
        }
        active
    }

    /// One step down: the paths that lead on, and the rules whose paths lead here.
    pub(super) fn step(&self, active: &[Active], down: Down<'_>) -> (Vec<Active>, Vec<usize>) {
        let (mut on, mut here) = (Vec::new(), Vec::new());
        for at in active {
            let Some(What::Paths(paths)) = self.rules.get(at.rule).map(|rule| &rule.what) else {
                continue;
            };
            match at.of(paths).map(|path| at.step(path, down)) {
                Some(Next::On(next)) => on.push(next),
                Some(Next::Here) => here.push(at.rule),
                Some(Next::Lost) | None => {}
            }
        }
        (on, here)
    }
}

/// What a rule cuts from a text, if it looks at it: keys are looked at by detectors alone, whose
/// finds are no words that bodies are built of.
fn parts<'t>(rule: &Rule, is_key: bool, text: &'t str) -> Option<(Vec<Range<usize>>, &'t str)> {
    if !rule.is_of_content() || (is_key && !matches!(rule.what, What::Detector(_))) {
        return None;
    }
    let parts = rule.find(text);
    (!parts.is_empty()).then_some((parts, text))
}
