//! Words of utterances and samples, with their places.

use std::ops::Range;

use convlog_model::text::{fold, stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// Most words of a text that count: more than the characters of any utterance.
const WORDS_MAX: usize = 1024;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Without case, apostrophes straight.
    pub(super) fold: String,
    /// What words are compared by.
    pub(super) stem: String,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// Whether it is a character in the midst of a text without spaces.
    pub(super) glued: bool,
}

/// A text and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

impl Said {
    /// The words of `text`, stemmed by `language`. Characters of scripts that write without
    /// spaces, and of Korean, where endings stick to words, are a word each.
    pub(super) fn new(text: &str, language: &str) -> Self {
        let stemmer = stemmer(language);
        let mut tokens: Vec<Token> = Vec::new();
        let pieces = text
            .unicode_word_indices()
            .flat_map(|(at, word)| pieces(at, word));
        for (start, piece) in pieces.take(WORDS_MAX) {
            let fold = fold(piece).replace('’', "'");
            let stem = match &stemmer {
                Some(stemmer) => stemmer.stem(&fold).into_owned(),
                None => fold.clone(),
            };
            let span = start..start + piece.len();
            let alone = !piece.chars().all(is_close);
            let before = tokens.last().map(|token| token.span.end);
            let glued = !alone && before == Some(start);
            tokens.push(Token {
                fold,
                stem,
                span,
                glued,
            });
        }
        Said {
            text: text.to_owned(),
            tokens,
        }
    }

    /// Number of words.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The word at an index, without case.
    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.tokens.get(at).map(|token| token.fold.as_str())
    }

    /// The bytes from one word to before another.
    pub(super) fn span(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.tokens.get(from).map_or(0, |token| token.span.start);
        let last = to.checked_sub(1).and_then(|at| self.tokens.get(at));
        let end = last.map_or(start, |token| token.span.end);
        start..end.max(start)
    }

    /// What stands there.
    pub(super) fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The text from a word on.
    pub(super) fn rest(&self, at: usize) -> &str {
        let start = self.tokens.get(at).map(|token| token.span.start);
        start
            .and_then(|start| self.text.get(start..))
            .unwrap_or_default()
    }

    /// The first word that begins at or after a byte.
    pub(super) fn after(&self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.span.start < byte)
    }

    /// Whether these words stand from `at` on.
    pub(super) fn has(&self, at: usize, phrase: &[String]) -> bool {
        let here = self.tokens.get(at..at + phrase.len());
        here.is_some_and(|here| here.iter().zip(phrase).all(|(a, b)| a.fold == *b))
    }
}

/// The words of a phrase without case.
pub(super) fn folded(text: &str) -> Vec<String> {
    let tokens = Said::new(text, "").tokens.into_iter();
    tokens.map(|token| token.fold).collect()
}

/// A word cut where scripts without spaces begin and end, each of their characters alone.
fn pieces(start: usize, word: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let mut open: Option<usize> = None;
    for (at, character) in word.char_indices() {
        if is_close(character) {
            if let Some(from) = open.take() {
                pieces.push((start + from, word.get(from..at).unwrap_or_default()));
            }
            let end = at + character.len_utf8();
            pieces.push((start + at, word.get(at..end).unwrap_or_default()));
        } else {
            open = open.or(Some(at));
        }
    }
    if let Some(from) = open {
        pieces.push((start + from, word.get(from..).unwrap_or_default()));
    }
    pieces
}

/// Whether a character is of Chinese, Japanese or Korean writing.
fn is_close(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x11FF | 0x3040..=0x30FF | 0x3130..=0x318F | 0x31F0..=0x31FF | 0x3400..=0x9FFF
        | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF66..=0xFF9D | 0x2_0000..=0x3_FFFF)
}
