//! Exports in every shape seen in the wild, split into log objects while their bytes arrive: an
//! array of logs, pages `{"logs":[…]}`, lists of pages or of lists, one log a line, and any of
//! these one after the other.
//!
//! A broken line of an export with one log a line is an item of its own, and the next line begins
//! anew. In the other shapes nothing tells where the next log begins: the first broken one ends
//! the export.

mod scan;

use convlog_model::json::Json;
use convlog_model::record::Dialect;

use self::scan::{Scan, Step};
use crate::DecodeError;

/// Longest log object, in bytes.
pub const ITEM_MAX: usize = 16 << 20;

const NO_LOG: &str = "a log object, a list of them or a page of them is expected";

/// What some editors put in front of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One log object of an export, or what stands in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Its text, as it stands there.
    pub text: Result<String, DecodeError>,
}

/// How the items of an export are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Layout {
    /// Not enough bytes yet.
    #[default]
    Unknown,
    /// One value a line.
    Lines,
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
            Some(_) => return Some(Layout::Lines),
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

    /// The items of one line: a log, or a page or list of them.
    fn split_line(&mut self, (number, line): &(u64, Vec<u8>)) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let value = match Json::parse(line) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("{} at column {}", error.message, error.column);
                return self.refuse(*number, &message);
            }
        };
        let n_before = self.ready.len();
        let mut scan = Scan::default();
        let mut at = 0;
        loop {
            match scan.step(line, &mut at) {
                Step::Item { start, end } => self.ready.push_back(Item {
                    line: *number,
                    text: text_of(line.get(start..end).unwrap_or_default()),
                }),
                Step::Broken { .. } => return self.refuse(*number, NO_LOG),
                Step::More { .. } => break,
            }
        }
        let is_page = value.get("logs").is_some();
        if self.ready.len() == n_before && !is_page {
            self.refuse(*number, NO_LOG);
        }
    }

    /// A line that is no good; the next one begins anew.
    fn refuse(&mut self, line: u64, message: &str) {
        self.ready.push_back(Item {
            line,
            text: Err(DecodeError::new(message, None)),
        });
    }

    fn next_nested(&mut self) -> Option<Item> {
        let mut at = 0;
        let start = self.taken;
        let rest = self.buffer.get(start..).unwrap_or_default();
        match self.scan.step(rest, &mut at) {
            Step::Item { start, end } => {
                let item = rest.get(start..end).unwrap_or_default();
                let text = text_of(item).and_then(|text| {
                    Json::parse(text.as_bytes())?;
                    Ok(text)
                });
                let before = rest.get(..start).unwrap_or_default();
                let line = self.line + line_ends(before);
                self.line = line + line_ends(item);
                self.taken += end;
                Some(Item { line, text })
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
        self.ready.push_back(Item {
            line,
            text: Err(error),
        });
    }
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

/// Whether a log object is of v1, of v2, or a record in convlog's own form.
///
/// # Errors
/// [`DecodeError`] when it is none of them.
pub fn shape(text: &str) -> Result<Dialect, DecodeError> {
    let body = Json::parse(text.as_bytes())?;
    let has = |path: &[&str]| body.at(path).is_some_and(|value| *value != Json::Null);
    if body.as_object().is_none() {
        let message = format!("a log must be an object, not {}", body.type_name());
        return Err(DecodeError::new(message, None));
    }
    if has(&["kind"]) && has(&["dialect"]) {
        return Ok(Dialect::Convlog);
    }
    if !has(&["response"]) && !has(&["request"]) {
        return Err(DecodeError::new(
            "not a log object: it has no request and no response",
            None,
        ));
    }
    let of_v2 = [
        has(&["session_id"]) && !has(&["workspace_id"]),
        has(&["skill_id"]),
        has(&["response", "context", "global"]),
        has(&["response", "output", "intents"]) && !has(&["response", "intents"]),
    ];
    Ok(if of_v2.contains(&true) {
        Dialect::WatsonV2
    } else {
        Dialect::WatsonV1
    })
}

#[cfg(test)]
mod tests;
