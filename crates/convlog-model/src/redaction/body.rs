//! Rewrites a JSON text: what rules cut is replaced or left out, everything else is copied as it
//! stands, but for white space between tokens.

use std::borrow::Cow;
use std::sync::Arc;

use super::lex::{unquoted, value_len};
use super::notes::spelled;
use super::path::{Active, Down};
use super::standing::{Guard, Standing, standing};
use super::work::Work;
use super::{Refusal, Rule, Scope};
use crate::flatten::LeafPath;
use crate::json::{DEPTH_MAX, scan, write_string};

/// Which text is rewritten.
#[derive(Debug)]
pub(super) enum Space<'a> {
    /// The raw body, with the places that fields refer to, and those that rules cut because they
    /// name such a field.
    Raw {
        guard: &'a Guard,
        named: &'a [(LeafPath, usize)],
    },
    /// The value of a canonical field, which is shown under this path.
    Canonical(&'a str),
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// The text; `None` where nothing is left.
    pub(super) text: Option<String>,
    /// Places that fields refer to and that went with what is around them.
    pub(super) detached: Vec<LeafPath>,
    /// Places of numbers, moments and truths that were cut.
    pub(super) dropped: Vec<LeafPath>,
    /// Whether keys have changed.
    pub(super) has_new_keys: bool,
}

/// Rewrites a text that stands at `path`; `active` are paths that lead further down from there.
pub(super) fn rewrite(
    work: &mut Work<'_>,
    space: Space<'_>,
    text: &str,
    path: LeafPath,
    active: &[Active],
) -> Result<Rewritten, Refusal> {
    let has_wholes = work.rules.iter().any(|rule| !rule.is_of_content());
    let mut rewriter = Rewriter {
        work,
        space,
        text,
        at: 0,
        out: String::with_capacity(text.len()),
        path,
        shown: Vec::new(),
        has_wholes,
        done: Rewritten::default(),
    };
    rewriter.space();
    let is_there = rewriter.value(active, DEPTH_MAX)?;
    rewriter.space();
    if rewriter.at < text.len() {
        return Err(rewriter.broken());
    }
    let mut done = rewriter.done;
    done.text = is_there.then_some(rewriter.out);
    Ok(done)
}

struct Rewriter<'a, 'w, 'p> {
    work: &'w mut Work<'p>,
    space: Space<'a>,
    text: &'a str,
    at: usize,
    out: String,
    /// Keys as the text has them.
    path: LeafPath,
    /// Keys below the beginning, as they are kept.
    shown: Vec<String>,
    /// Whether some rule cuts whole values.
    has_wholes: bool,
    done: Rewritten,
}

impl<'a> Rewriter<'a, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Result<(), Refusal> {
        self.space();
        match self.peek() == Some(byte) {
            true => {
                self.at += 1;
                self.space();
                Ok(())
            }
            false => Err(self.broken()),
        }
    }

    /// Goes on behind a comma; whether there was one.
    fn goes_on(&mut self) -> Result<bool, Refusal> {
        self.space();
        match self.peek() {
            Some(b',') => self.eat(b',').map(|()| true),
            _ => Ok(false),
        }
    }

    fn broken(&self) -> Refusal {
        self.refusal("the body is no JSON that can be rewritten")
    }

    fn refusal(&self, reason: &str) -> Refusal {
        match self.work.rules.first() {
            Some(rule) => Refusal::of(rule, reason),
            None => Refusal::of(Rule::event_keys(), reason),
        }
    }

    /// The token or value that is not looked into, from here.
    fn take(&mut self, len: usize) -> &'a str {
        let token = self.text.get(self.at..self.at + len).unwrap_or_default();
        self.at += len;
        token
    }

    fn string(&mut self) -> Result<(&'a str, Cow<'a, str>), Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = scan::string_len(rest).filter(|_| rest.starts_with('"'));
        let token = self.take(len.ok_or_else(|| self.broken())?);
        Ok((token, unquoted(token).ok_or_else(|| self.broken())?))
    }

    /// Copies a value; `false` where nothing of it is left.
    fn value(&mut self, active: &[Active], levels: usize) -> Result<bool, Refusal> {
        let inner = || levels.checked_sub(1);
        let too_deep = format!("the body is nested deeper than {DEPTH_MAX} levels");
        match self.peek() {
            Some(b'{') => {
                let levels = inner().ok_or_else(|| self.refusal(&too_deep))?;
                self.object(active, levels)?;
            }
            Some(b'[') => {
                let levels = inner().ok_or_else(|| self.refusal(&too_deep))?;
                self.array(active, levels)?;
            }
            Some(b'"') => self.text_value()?,
            _ => return self.plain(),
        }
        Ok(true)
    }

    fn object(&mut self, active: &[Active], levels: usize) -> Result<(), Refusal> {
        self.eat(b'{')?;
        self.out.push('{');
        let mut is_first = true;
        while self.peek() != Some(b'}') {
            let (token, key) = self.string()?;
            self.eat(b':')?;
            let before = self.out.len();
            if !is_first {
                self.out.push(',');
            }
            self.key(token, &key)?;
            self.out.push(':');
            let (active, here) = self.work.step(active, Down::Key(&key));
            let outer = self.path.enter(&key);
            let is_kept = match self.cutter(Some(&key), &here) {
                Some(number) => self.whole(number)?,
                None => self.value(&active, levels)?,
            };
            self.path.leave(outer);
            self.shown.pop();
            match is_kept {
                true => is_first = false,
                false => self.out.truncate(before),
            }
            if !self.goes_on()? {
                break;
            }
        }
        self.out.push('}');
        self.eat(b'}')
    }

    fn array(&mut self, active: &[Active], levels: usize) -> Result<(), Refusal> {
        self.eat(b'[')?;
        self.out.push('[');
        let mut is_first = true;
        let mut number = 0;
        while self.peek() != Some(b']') {
            let before = self.out.len();
            if !is_first {
                self.out.push(',');
            }
            let (active, here) = self.work.step(active, Down::Element(number));
            let is_kept = match self.cutter(None, &here) {
                Some(number) => self.whole(number)?,
                None => self.value(&active, levels)?,
            };
            match is_kept {
                true => is_first = false,
                false => self.out.truncate(before),
            }
            number += 1;
            if !self.goes_on()? {
                break;
            }
        }
        self.out.push(']');
        self.eat(b']')
    }

    /// Copies a key, and goes down to it.
    fn key(&mut self, token: &str, key: &str) -> Result<(), Refusal> {
        let Rewriter {
            work, space, shown, ..
        } = self;
        let path = || spelled(start(space), shown.iter().map(String::as_str));
        let changed = work.text(key, true, || true, path)?;
        match changed {
            Some(changed) => {
                write_string(&changed, &mut self.out);
                self.done.has_new_keys = true;
                self.shown.push(changed);
            }
            None => {
                self.out.push_str(token);
                self.shown.push(key.to_owned());
            }
        }
        Ok(())
    }

    fn here(&self) -> String {
        spelled(start(&self.space), self.shown.iter().map(String::as_str))
    }

    /// What rules may do here.
    fn standing(&self) -> Standing {
        match &self.space {
            Space::Raw { guard, .. } => guard.at(&self.path),
            Space::Canonical(_) => standing(&self.path.dotted()),
        }
    }

    /// The first rule that cuts the value here, whatever it is.
    fn cutter(&self, key: Option<&str>, here: &[usize]) -> Option<usize> {
        if !self.has_wholes || self.peek() == Some(b'n') {
            return None;
        }
        let is_flag = !matches!(self.peek(), Some(b'"' | b'{' | b'['));
        let is_scalar = !matches!(self.peek(), Some(b'{' | b'['));
        let named = match &self.space {
            Space::Raw { named, .. } if is_scalar => *named,
            Space::Raw { .. } | Space::Canonical(_) => &[],
        };
        let cuts = |(number, rule): (usize, &&Arc<Rule>)| {
            let by_key = key.is_some_and(|key| rule.cuts_key(key, is_flag));
            let by_path = here.contains(&number)
                || named
                    .iter()
                    .any(|(path, of)| *of == number && *path == self.path);
            ((by_key || by_path) && self.is_in(rule.scope)).then_some(number)
        };
        let found = self.work.rules.iter().enumerate().find_map(cuts)?;
        (self.standing() != Standing::Fixed).then_some(found)
    }

    fn is_in(&self, scope: Scope) -> bool {
        let branch: &[u8] = match (&self.space, scope) {
            (_, Scope::Record) => return true,
            (Space::Raw { .. }, Scope::EventMeta) => b"meta\xFF",
            (Space::Canonical(_), Scope::EventMeta) => b"event\xFFmeta\xFF",
        };
        self.path.as_bytes().starts_with(branch)
    }

    /// Cuts the value here; `false` where nothing stands in its place.
    fn whole(&mut self, number: usize) -> Result<bool, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let token = self.take(value_len(rest).ok_or_else(|| self.broken())?);
        let value = match token.starts_with('"') {
            true => unquoted(token).ok_or_else(|| self.broken())?,
            false => Cow::Borrowed(token),
        };
        let Some(rule) = self.work.rules.get(number).copied() else {
            return Err(self.broken());
        };
        if rule.is_own(&value) {
            self.out.push_str(token);
            return Ok(true);
        }
        let path = self.here();
        self.work.cut(rule, || path)?;
        let is_typed = self.standing() == Standing::Typed;
        if let Space::Raw { guard, .. } = &self.space {
            self.done.detached.extend(guard.below(&self.path).cloned());
            self.done
                .dropped
                .extend(is_typed.then(|| self.path.clone()));
        }
        let is_field = matches!(self.space, Space::Canonical(_));
        match rule.replacement(&value, self.work.key) {
            Some(text) if !(is_typed && is_field) => {
                write_string(&text, &mut self.out);
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    fn text_value(&mut self) -> Result<(), Refusal> {
        let (token, text) = self.string()?;
        let Rewriter {
            work,
            space,
            shown,
            path,
            ..
        } = self;
        let (space, shown, path) = (&*space, &*shown, &*path);
        let may = || match space {
            Space::Raw { guard, .. } => guard.at(path) == Standing::Free,
            Space::Canonical(_) => standing(&path.dotted()) == Standing::Free,
        };
        let here = || spelled(start(space), shown.iter().map(String::as_str));
        match work.text(&text, false, may, here)? {
            Some(changed) => write_string(&changed, &mut self.out),
            None => self.out.push_str(token),
        }
        Ok(())
    }

    /// Copies a number or a word; numbers are cut whole or not at all.
    fn plain(&mut self) -> Result<bool, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let token = self.take(value_len(rest).ok_or_else(|| self.broken())?);
        let is_number = token.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let rule = self
            .work
            .rules
            .iter()
            .copied()
            .find(|rule| is_number && rule.cuts_number(token));
        let Some(rule) = rule.filter(|_| self.standing() == Standing::Free) else {
            self.out.push_str(token);
            return Ok(true);
        };
        let path = self.here();
        self.work.cut(rule, || path)?;
        match rule.replacement(token, self.work.key) {
            Some(text) => write_string(&text, &mut self.out),
            // An element of a list that goes would move those behind it.
            None => self.out.push_str("null"),
        }
        Ok(true)
    }
}

/// What paths in notes begin with.
fn start<'a>(space: &Space<'a>) -> &'a str {
    match space {
        Space::Raw { .. } => "raw",
        Space::Canonical(shown) => shown,
    }
}
