//! Finds log objects among brackets: arrays and those of pages are entered, every other object is
//! a log. Looks at no value; whoever takes an item parses it.

/// Members of pages that hold their logs: of Watson's, of lists of CloudWatch Logs' events, and of
/// what its subscriptions send.
pub(super) const PAGES: [&str; 3] = ["logs", "events", "logEvents"];

/// What one step found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A log object at these bytes.
    Item { start: usize, end: usize },
    /// The bytes are used up; those behind `keep` are needed again.
    More { keep: usize },
    /// Neither an object nor an array stands here.
    Broken { at: usize },
}

/// What is around the place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Around {
    Array,
    /// The object of a page, behind its logs.
    Page,
}

/// An object being read.
#[derive(Clone, Debug)]
struct Open {
    start: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether the object is the rest of a page and no item.
    page: bool,
    /// Start of the last string at depth 1.
    string_start: usize,
    /// Whether the last string at depth 1 is a member that holds logs, and a colon followed.
    logs: Logs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Logs {
    No,
    Key,
    Colon,
}

/// A place among brackets. Offsets count from the bytes of the next step.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    around: Vec<Around>,
    open: Option<Open>,
    /// Bytes of the open object that were looked at.
    seen: usize,
}

/// Lists in lists; real exports have two.
const DEPTH_MAX: usize = 16;

impl Scan {
    /// Whether nothing is open.
    pub(super) fn is_done(&self) -> bool {
        self.around.is_empty() && self.open.is_none()
    }

    /// Says that `by` bytes in front are gone.
    pub(super) fn shift(&mut self, by: usize) {
        if let Some(open) = &mut self.open {
            open.start = open.start.saturating_sub(by);
            open.string_start = open.string_start.saturating_sub(by);
        }
        self.seen = self.seen.saturating_sub(by);
    }

    /// Looks for the next item from `at` on; `at` is left behind it.
    pub(super) fn step(&mut self, bytes: &[u8], at: &mut usize) -> Step {
        loop {
            if self.open.is_some() {
                match self.read_open(bytes, at) {
                    Some(step) => return step,
                    None => continue,
                }
            }
            let Some(byte) = bytes.get(*at) else {
                return Step::More { keep: bytes.len() };
            };
            match (byte, self.around.last()) {
                (b',' | b' ' | b'\t' | b'\r' | b'\n', _) => *at += 1,
                (b'[', _) if self.around.len() < DEPTH_MAX => {
                    self.around.push(Around::Array);
                    *at += 1;
                }
                (b']', Some(Around::Array)) => {
                    self.around.pop();
                    *at += 1;
                    if self.around.last() == Some(&Around::Page) {
                        self.around.pop();
                        self.begin(*at, true);
                    }
                }
                (b'{', _) => {
                    self.begin(*at, false);
                    *at += 1;
                    self.seen = *at;
                }
                _ => return Step::Broken { at: *at },
            }
        }
    }

    fn begin(&mut self, start: usize, page: bool) {
        self.seen = start;
        self.open = Some(Open {
            start,
            depth: 1,
            in_string: false,
            escaped: false,
            page,
            string_start: start,
            logs: Logs::No,
        });
    }

    /// Reads on in the open object. `None` when it turned out to be a page, or the page ended.
    fn read_open(&mut self, bytes: &[u8], at: &mut usize) -> Option<Step> {
        let open = self.open.as_mut()?;
        let mut place = self.seen.max(*at);
        while let Some(byte) = bytes.get(place) {
            place += 1;
            if open.in_string {
                open.string(*byte, bytes, place);
                continue;
            }
            match byte {
                b'"' => {
                    open.in_string = true;
                    open.string_start = place;
                }
                b'[' if open.logs == Logs::Colon && !open.page => {
                    // The array itself is met again, now inside of a page.
                    *at = place - 1;
                    self.around.push(Around::Page);
                    self.open = None;
                    return None;
                }
                b'{' | b'[' => open.depth += 1,
                b'}' | b']' => {
                    open.depth -= 1;
                    if open.depth == 0 {
                        let (start, page) = (open.start, open.page);
                        *at = place;
                        self.open = None;
                        return (!page).then_some(Step::Item { start, end: place });
                    }
                }
                b':' if open.logs == Logs::Key && open.depth == 1 => open.logs = Logs::Colon,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => open.logs = Logs::No,
            }
            if matches!(byte, b'{' | b'}' | b']') {
                open.logs = Logs::No;
            }
        }
        self.seen = place;
        *at = place;
        // Of the rest of a page nothing is needed again.
        let keep = if open.page { place } else { open.start };
        Some(Step::More { keep })
    }
}

impl Open {
    /// One byte of a string, which ends behind `place` at the latest.
    fn string(&mut self, byte: u8, bytes: &[u8], place: usize) {
        match (self.escaped, byte) {
            (true, _) => self.escaped = false,
            (false, b'\\') => self.escaped = true,
            (false, b'"') => {
                self.in_string = false;
                let text = bytes.get(self.string_start..place - 1);
                let is_page = |text| PAGES.iter().any(|key| key.as_bytes() == text);
                let is_key = self.depth == 1 && text.is_some_and(is_page);
                self.logs = if is_key { Logs::Key } else { Logs::No };
            }
            _ => {}
        }
    }
}
