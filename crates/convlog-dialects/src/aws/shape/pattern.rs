//! Patterns of texts, as the service models write them.

use std::sync::OnceLock;

use regex::Regex;

/// A pattern that the whole of a text must match. The models are written for an engine whose
/// `\w` and `\d` are ASCII and whose `.` ends at a line; so they are read here.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern `text`; it is compiled when it is first asked.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Pattern {
            text,
            compiled: OnceLock::new(),
        }
    }

    /// The pattern as the model writes it, for error texts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.text
    }

    /// Whether it matches the whole of `text`. One that does not compile matches nothing; the
    /// tests compile each that a table has.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| {
            // Not by `(?-u)`: under it `.` would be a byte and `\p{L}` an error.
            let ascii = self.text.replace(r"\w", "[[:word:]]");
            let ascii = ascii.replace(r"\d", "[[:digit:]]");
            Regex::new(&format!(r"\A(?R:{ascii})\z")).ok()
        });
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}
