//! The paths of the records of one index: what is known of each, and which comes next.

use convlog_model::fields::{self, FieldRef, FieldType, RAW_TEXT};
use convlog_model::flatten::Space;

use super::super::path::{self, code};
use super::super::term::Kind;
use super::Builder;
use super::values::ShortNumber;
use crate::embedded::bytes::to_usize;

/// What is known of a path.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PathFacts {
    /// Whether its strings are words whatever refers to them.
    pub(super) is_text: bool,
    /// Row, plus one, in which a text field last referred to it.
    pub(super) text_row: u32,
    /// Row, plus one, in which another field last referred to it.
    pub(super) other_row: u32,
    /// Row, plus one, in which a time that has a column last referred to it.
    pub(super) time_row: u32,
    /// The term of its being there.
    pub(super) present: Option<u32>,
    /// The term of the objects that stand there in an array.
    pub(super) elements: Option<u32>,
    /// The path that last came behind it, and that which came behind the paths between that nobody
    /// guessed.
    next: u32,
    beyond: u32,
    /// The term of the value that last stood there, and its text if it is a short number.
    pub(super) last: Option<u32>,
    pub(super) number: ShortNumber,
}

impl Builder {
    pub(super) fn path(&mut self, space: u8, bytes: &[u8]) -> u32 {
        let mut name = std::mem::take(&mut self.scratch);
        name.clear();
        name.push(space);
        name.extend_from_slice(bytes);
        let (number, is_new) = self.paths.intern(&name);
        self.scratch = name;
        if is_new {
            let dotted = path::name(&path::key(space, bytes));
            let is_text = match space {
                0 => RAW_TEXT.contains(&dotted.as_str()),
                1 => is_text_field(&dotted),
                _ => false,
            };
            self.path_facts.push(PathFacts {
                is_text,
                ..PathFacts::default()
            });
        }
        number
    }

    pub(super) fn facts(&mut self, path: u32) -> &mut PathFacts {
        &mut self.path_facts[to_usize(path.into())]
    }

    pub(super) fn is_path(&self, number: u32, space: Space, bytes: &[u8]) -> bool {
        self.paths.get(number).split_first() == Some((&code(space), bytes))
    }

    /// The term of a kind of which a path has no other, with its place among the facts.
    pub(super) fn only_term(
        &mut self,
        path: u32,
        kind: Kind,
        place: fn(&mut PathFacts) -> &mut Option<u32>,
    ) -> u32 {
        match *place(self.facts(path)) {
            Some(term) => term,
            None => {
                let term = self.intern(path, kind, &[]);
                *place(self.facts(path)) = Some(term);
                term
            }
        }
    }

    /// The path of the next leaf: most often that which came behind the last one before, too; or the
    /// same, in an array; or that which came behind keys that differ from record to record.
    pub(super) fn leaf_path(&mut self, space: Space, bytes: &[u8]) -> u32 {
        let Some(last) = self.last_path else {
            let path = self.path(code(space), bytes);
            self.last_path = Some(path);
            return path;
        };
        let next = self.facts(last).next;
        let beyond = self.anchor.map_or(next, |anchor| self.facts(anchor).beyond);
        let guesses = [next, last, beyond];
        let guess = guesses
            .into_iter()
            .find(|guess| self.is_path(*guess, space, bytes));
        let path = guess.unwrap_or_else(|| self.path(code(space), bytes));
        if let Some(anchor) = self.anchor {
            self.facts(anchor).beyond = path;
        }
        if path != last {
            self.facts(last).next = path;
        }
        match guess {
            Some(_) => self.anchor = None,
            None => self.anchor = self.anchor.or(Some(last)),
        }
        self.last_path = Some(path);
        path
    }
}

fn is_text_field(canonical: &str) -> bool {
    fields::lookup(canonical).is_some() && FieldRef::canonical(canonical).kind() == FieldType::Text
}
