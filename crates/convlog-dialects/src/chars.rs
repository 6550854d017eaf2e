//! A place in a text: what the lexers of filters, patterns and queries have in common.

/// A place in a text, counted in characters.
#[derive(Debug)]
pub(crate) struct Chars {
    chars: Vec<char>,
    at: usize,
}

impl Chars {
    pub(crate) fn new(text: &str) -> Self {
        Chars {
            chars: text.chars().collect(),
            at: 0,
        }
    }

    /// Characters of the whole text.
    pub(crate) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Characters before this place.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Column of the next character.
    pub(crate) fn column(&self) -> usize {
        self.at + 1
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.peek_nth(0)
    }

    /// The character behind `n` others.
    pub(crate) fn peek_nth(&self, n: usize) -> Option<char> {
        self.chars.get(self.at + n).copied()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    /// Goes to a place.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at.min(self.len());
    }

    pub(crate) fn skip_spaces(&mut self) {
        self.skip_while(char::is_whitespace);
    }

    /// Takes `wanted` if it stands here.
    pub(crate) fn take(&mut self, wanted: &str) -> bool {
        let mut ahead = self.chars.iter().skip(self.at);
        let stands = wanted.chars().all(|c| ahead.next() == Some(&c));
        if stands {
            self.at += wanted.chars().count();
        }
        stands
    }

    /// Takes what stands here as long as it is `wanted`; perhaps nothing.
    pub(crate) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let start = self.at;
        self.skip_while(wanted);
        self.slice(start, self.at)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// What stands between two places.
    pub(crate) fn slice(&self, start: usize, end: usize) -> String {
        let chars = self.chars.get(start..end).unwrap_or_default();
        chars.iter().collect()
    }

    /// Line and column of a place, from 1.
    pub(crate) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = self.chars.get(..at).unwrap_or(&self.chars);
        let line_start = before.iter().rposition(|c| *c == '\n').map_or(0, |i| i + 1);
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        (line, at.saturating_sub(line_start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters() {
        let mut chars = Chars::new("ä \n b::c");
        assert_eq!((chars.len(), chars.column()), (8, 1));
        assert_eq!((chars.peek(), chars.peek_nth(2)), (Some('ä'), Some('\n')));
        assert_eq!(chars.bump(), Some('ä'));
        chars.skip_spaces();
        assert_eq!(chars.at(), 4);
        assert_eq!(chars.line_and_column(4), (2, 2));
        assert_eq!(chars.take_while(char::is_alphabetic), "b");
        assert!(!chars.take(":!"));
        assert!(chars.take("::"));
        assert_eq!(chars.slice(4, chars.at()), "b::");
        chars.go_to(100);
        assert_eq!(
            (chars.peek(), chars.bump(), chars.take("")),
            (None, None, true)
        );
    }
}
