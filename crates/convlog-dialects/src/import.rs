//! Exports in every shape seen in the wild, split into log objects while their bytes arrive: an
//! array of logs, pages `{"logs":[…]}`, lists of pages or of lists, one log a line, and any of
//! these one after the other. Pages may be those of CloudWatch Logs, whose events hold entries of
//! Lex; what is in them is opened in [`crate::lex::import`].
//!
//! A broken line of an export with one log a line is an item of its own, and the next line begins
//! anew. In the other shapes nothing tells where the next log begins: the first broken one ends
//! the export.

mod scan;
mod shape;

use convlog_model::json::Json;

use self::scan::{Scan, Step};
pub use self::shape::shape;
use crate::DecodeError;
use crate::lex::import as events;

/// Longest log object, in bytes.
pub const ITEM_MAX: usize = 16 << 20;

const NO_LOG: &str = "a log object, a list of them or a page of them is expected";

/// Bytes by which it is known whether a line begins with a time.
const STAMP_MAX: usize = 48;

/// What some editors put in front of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One log object of an export, or what stands in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// What it is.
    pub found: Found,
}

/// What stands at a place of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// A log object, its text as it stands there.
    Log(String),
    /// A message of a log group that is no entry of a conversation.
    Other,
    /// A gzip that holds an export of its own.
    Packed(Vec<u8>),
    /// Nothing of these.
    Broken(DecodeError),
}

/// How the items of an export are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Layout {
    /// Not enough bytes yet.
    #[default]
    Unknown,
    /// One value a line.
    Lines,
    /// One message a line, behind its time.
    Stamped,
    /// By brackets.
    Nested,
    /// Nothing follows.
    Ended,
}

/// Splits an export into its log objects.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Bytes of the buffer that were handed out.
    taken: usize,
    /// Bytes of the buffer in which no line end was found.
    searched: usize,
    line: u64,
    layout: Layout,
    finished: bool,
    scan: Scan,
    ready: std::collections::VecDeque<Item>,
}

impl Splitter {
    /// Ready for the first byte.
    #[must_use]
    pub fn new() -> Self {
        Splitter {
            line: 1,
            ..Splitter::default()
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.searched = self.searched.saturating_sub(self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that no bytes follow.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// The next item that is complete; `None` asks for more bytes.
    pub fn next_item(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            match self.layout {
                Layout::Ended => return None,
                Layout::Unknown => self.layout = self.find_layout()?,
                Layout::Lines => {
                    let line = self.take_line()?;
                    self.split_line(&line);
                }
                Layout::Stamped => {
                    let (line, text) = self.take_line()?;
                    self.take_message(line, &text);
                }
                Layout::Nested => return self.next_nested(),
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// One log a line or not: an object whose first line is whole, or broken but followed by a
    /// line that begins another object, stands alone on its line.
    fn find_layout(&mut self) -> Option<Layout> {
        self.skip_blanks();
        let rest = self.rest();
        if BYTE_ORDER_MARK.starts_with(rest) && !self.finished {
            return None;
        }
        match rest.first() {
            None if self.finished => return Some(Layout::Ended),
            None => return None,
            Some(b'{') => {}
            Some(b'[') => return Some(Layout::Nested),
            Some(_) => {
                let head = rest.get(..STAMP_MAX).unwrap_or(rest);
                let is_enough = head.len() == STAMP_MAX || head.contains(&b'\n');
                let has_time = events::stamped(head).is_some();
                let layout = if has_time {
                    Layout::Stamped
                } else {
                    Layout::Lines
                };
                return (is_enough || self.finished).then_some(layout);
            }
        }
        let mut lines = rest.split(|byte| *byte == b'\n');
        let (first, second) = (lines.next().unwrap_or_default(), lines.next());
        if second.is_none() && !self.finished && rest.len() <= ITEM_MAX {
            return None;
        }
        if second.is_none() && !self.finished {
            // Too long for one log: a page or a list on a single line.
            return Some(Layout::Nested);
        }
        let whole = Json::parse(first).is_ok();
        let opens =
            first.trim_ascii_end().ends_with(b"{") || first.trim_ascii_end().ends_with(b"[");
        let goes_on = first.trim_ascii_end().ends_with(b",");
        let alone = whole || second.is_none() || !(opens || goes_on);
        Some(if alone { Layout::Lines } else { Layout::Nested })
    }

    /// Takes white space and a mark of the byte order.
    fn skip_blanks(&mut self) {
        if self.rest().starts_with(BYTE_ORDER_MARK) {
            self.taken += 3;
        }
        while let Some(byte) = self
            .rest()
            .first()
            .filter(|byte| byte.is_ascii_whitespace())
        {
            self.line += u64::from(*byte == b'\n');
            self.taken += 1;
        }
    }

    /// The next line without its end, and its number.
    fn take_line(&mut self) -> Option<(u64, Vec<u8>)> {
        self.searched = self.searched.max(self.taken);
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        let end = match fresh.iter().position(|byte| *byte == b'\n') {
            Some(at) => self.searched + at,
            None if self.finished && !self.rest().is_empty() => self.buffer.len(),
            None => {
                self.searched = self.buffer.len();
                if self.buffer.len() - self.taken > ITEM_MAX {
                    self.fail(self.line, too_long());
                    return Some((self.line, Vec::new()));
                }
                return None;
            }
        };
        let line = self
            .buffer
            .get(self.taken..end)
            .unwrap_or_default()
            .to_vec();
        let number = self.line;
        self.taken = (end + 1).min(self.buffer.len());
        self.searched = self.taken;
        self.line += 1;
        Some((number, line))
    }

    /// The items of one line: a log, or a page or list of them, or several of these.
    fn split_line(&mut self, (number, line): &(u64, Vec<u8>)) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let n_before = self.ready.len();
        let (items, end) = objects(line);
        match (Json::parse(line), end) {
            (Ok(value), end) => {
                let is_alone = value.as_object().is_some();
                for item in items {
                    let is_line = is_alone && item.len() == line.trim_ascii().len();
                    self.give(*number, found_in(item, is_line.then_some(&value)));
                }
                let is_page = scan::PAGES.iter().any(|key| value.get(key).is_some());
                let is_empty = self.ready.len() == n_before && !is_page;
                if end == LineEnd::Broken || is_empty {
                    self.refuse(*number, NO_LOG);
                }
            }
            // Firehose writes one object behind the other, without line ends.
            (Err(_), LineEnd::Done) => {
                for item in items {
                    self.give(*number, found_in(item, None));
                }
            }
            (Err(error), _) => {
                let message = format!("{} at column {}", error.message, error.column);
                self.refuse(*number, &message);
            }
        }
    }

    /// The message of a line. One of several lines has a time on the first alone.
    fn take_message(&mut self, number: u64, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let message = text_of(events::stamped(line).unwrap_or(line));
        let found = message.map(|message| events::message(&message));
        self.give(number, found.unwrap_or_else(Found::Broken));
    }

    fn give(&mut self, line: u64, found: Found) {
        self.ready.push_back(Item { line, found });
    }

    /// A line that is no good; the next one begins anew.
    fn refuse(&mut self, line: u64, message: &str) {
        self.give(line, Found::Broken(DecodeError::new(message, None)));
    }

    fn next_nested(&mut self) -> Option<Item> {
        let mut at = 0;
        let start = self.taken;
        let rest = self.buffer.get(start..).unwrap_or_default();
        match self.scan.step(rest, &mut at) {
            Step::Item { start, end } => {
                let item = rest.get(start..end).unwrap_or_default();
                let found = found_in(item, None);
                let before = rest.get(..start).unwrap_or_default();
                let line = self.line + line_ends(before);
                self.line = line + line_ends(item);
                self.taken += end;
                Some(Item { line, found })
            }
            Step::More { keep } => {
                let passed = rest.get(..keep).unwrap_or_default();
                self.line += line_ends(passed);
                self.taken += keep;
                self.scan.shift(keep);
                if self.rest().len() > ITEM_MAX {
                    self.fail(self.line, too_long());
                } else if self.finished && !(self.rest().is_empty() && self.scan.is_done()) {
                    let message = "the export ends in the middle of a log";
                    self.fail(self.line, DecodeError::new(message, None));
                } else if self.finished {
                    self.layout = Layout::Ended;
                }
                self.ready.pop_front()
            }
            Step::Broken { at } => {
                let line = self.line + line_ends(rest.get(..at).unwrap_or_default());
                self.fail(line, DecodeError::new(NO_LOG, None));
                self.ready.pop_front()
            }
        }
    }

    /// Ends the export with an error.
    fn fail(&mut self, line: u64, error: DecodeError) {
        self.layout = Layout::Ended;
        self.give(line, Found::Broken(error));
    }
}

/// How the objects of a line end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineEnd {
    /// With the line.
    Done,
    /// Not on this line.
    Open,
    /// With something else.
    Broken,
}

/// The objects of a line, as far as there are any.
fn objects(line: &[u8]) -> (Vec<&[u8]>, LineEnd) {
    let mut items = Vec::new();
    let mut scan = Scan::default();
    let mut at = 0;
    loop {
        match scan.step(line, &mut at) {
            Step::Item { start, end } => items.push(line.get(start..end).unwrap_or_default()),
            Step::Broken { .. } => return (items, LineEnd::Broken),
            Step::More { .. } if scan.is_done() => return (items, LineEnd::Done),
            Step::More { .. } => return (items, LineEnd::Open),
        }
    }
}

/// What an object is; `value` is its value, where that is known.
fn found_in(item: &[u8], value: Option<&Json>) -> Found {
    let opened = text_of(item).and_then(|text| {
        let opened = match value {
            Some(value) => events::open(value),
            None => events::open(&Json::parse(text.as_bytes())?),
        };
        Ok(opened.unwrap_or(Found::Log(text)))
    });
    opened.unwrap_or_else(Found::Broken)
}

fn too_long() -> DecodeError {
    DecodeError::new(format!("longer than {ITEM_MAX} bytes"), None)
}

fn line_ends(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX)
}

fn text_of(bytes: &[u8]) -> Result<String, DecodeError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(DecodeError::new("not UTF-8", None)),
    }
}

#[cfg(test)]
mod tests;
