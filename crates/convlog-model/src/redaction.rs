//! Redaction: what a record must not hold is cut from it before it reaches a disk.
//!
//! A [`Rule`] says what is cut and what stands there instead; a [`Policy`] is the rules that hold
//! for a record, in order, and applies them to a draft. What was cut is noted on the record by
//! rule and path, never by value. Rules that cannot run refuse the record.
//!
//! Some fields are what the system works with, and rules respect them:
//!
//! * `own_id`, `kind`, `dialect`, `event.type`, `time.*` and `learning_opt_out` are never changed.
//! * `bot`, `assistant`, `environment`, `version`, `conversation`, `user`, `customer`, `channel`,
//!   `language`, `locale`, `event.actor` and `event.refs.*` are changed only by rules that name
//!   them (by key or path); detectors and patterns pass over them, and so over the place of the
//!   body that they refer to. Where a rule cuts an object around that place, the field keeps its
//!   value.
//! * A canonical number, moment or truth never becomes a text: it goes, where its place is cut.

mod apply;
mod body;
mod detect;
mod hash;
mod keys;
mod lex;
mod notes;
mod path;
mod spec;
mod standing;
mod work;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;

pub use self::apply::Policy;
pub use self::detect::Detector;
pub use self::hash::HashKey;
use self::keys::KeyNames;
pub use self::notes::Cut;
use self::path::PathPattern;
pub use self::spec::{RuleSpec, SpecError};

/// Most rules of one document.
pub const RULES_MAX: usize = 100;
/// Most rules with a pattern in one document, since each takes memory.
pub const PATTERNS_MAX: usize = 16;
/// Most bytes of a pattern.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Most bytes that a pattern may take once it is compiled.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 256 << 10;
/// Most names of keys, or paths, of one rule.
pub const NAMES_MAX: usize = 100;
/// Most bytes of a key's name or of a path.
pub const NAME_BYTES_MAX: usize = 256;
/// Most bytes of a rule's name.
pub const RULE_NAME_BYTES_MAX: usize = 64;
/// Most bytes of a replacement.
pub const REPLACEMENT_BYTES_MAX: usize = 256;
/// Most places of one record that are cut; a record with more is refused.
pub const CUTS_MAX: usize = 10_000;
/// Most notes of one record; what goes beyond is noted by rule alone, with the path `*`.
pub const NOTES_MAX: usize = 64;

/// Name of the rule that cuts secrets from the details of events.
pub const EVENT_KEYS: &str = "event-keys";

/// What stands where something was cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A fixed text.
    Mask,
    /// A keyed hash: the same value gives the same text, which tells nothing without the key.
    Hash,
    /// Nothing.
    Remove,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 3] = [Action::Mask, Action::Hash, Action::Remove];

    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Mask => "mask",
            Action::Hash => "hash",
            Action::Remove => "remove",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// One rule, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    name: String,
    version: u32,
    what: What,
    action: Action,
    /// What a mask leaves.
    mask: String,
    scope: Scope,
}

/// What a rule cuts.
#[derive(Clone, Debug)]
enum What {
    Detector(Detector),
    Pattern(Regex),
    Keys(KeyNames),
    Paths(Vec<PathPattern>),
}

/// Where a rule looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    /// In the whole record.
    Record,
    /// In the details of events: below `meta` of the body and `event.meta` of the fields.
    EventMeta,
}

impl Rule {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version of the document that it stands in.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A detector as a rule of its own name, which masks.
    #[must_use]
    pub fn of_detector(detector: Detector) -> Self {
        Rule {
            name: detector.as_str().to_owned(),
            version: 1,
            what: What::of(detector),
            action: Action::Mask,
            mask: default_mask(detector.as_str()),
            scope: Scope::Record,
        }
    }

    /// Every detector, as a bot with `privacy` has them: whole numbers of cards and accounts before
    /// telephone numbers, which they may look like.
    #[must_use]
    pub fn all_detectors() -> &'static [Arc<Rule>] {
        static ALL: LazyLock<Vec<Arc<Rule>>> = LazyLock::new(|| {
            let rules = Detector::ALL.into_iter().map(Rule::of_detector);
            rules.map(Arc::new).collect()
        });
        &ALL
    }

    /// The rule that cuts secrets by their keys from the details of events.
    #[must_use]
    pub fn event_keys() -> &'static Arc<Rule> {
        static RULE: LazyLock<Arc<Rule>> = LazyLock::new(|| {
            Arc::new(Rule {
                name: EVENT_KEYS.to_owned(),
                version: 1,
                what: What::Keys(KeyNames::Secrets),
                action: Action::Mask,
                mask: default_mask(EVENT_KEYS),
                scope: Scope::EventMeta,
            })
        });
        &RULE
    }

    /// Whether it looks at what texts say, wherever they stand.
    fn is_of_content(&self) -> bool {
        matches!(self.what, What::Detector(_) | What::Pattern(_))
    }

    /// The parts of a text that it cuts, in order.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let found = match &self.what {
            What::Detector(detector) => detector.find(text),
            What::Pattern(pattern) => pattern.find_iter(text).map(|found| found.range()).collect(),
            What::Keys(_) | What::Paths(_) => Vec::new(),
        };
        if found.is_empty() {
            return found;
        }
        // What it has put there itself it leaves, so that a record that comes back is the same.
        let own = self.own_parts(text);
        let is_own = |part: &Range<usize>| {
            own.iter()
                .any(|own| own.start <= part.start && part.end <= own.end)
        };
        found
            .into_iter()
            .filter(|part| !part.is_empty() && !is_own(part))
            .collect()
    }

    /// Whether it cuts a number of this text.
    fn cuts_number(&self, text: &str) -> bool {
        match &self.what {
            What::Detector(detector) => detector.is_number(text),
            What::Pattern(pattern) => pattern
                .find_iter(text)
                .any(|found| found.range() == (0..text.len())),
            What::Keys(_) | What::Paths(_) => false,
        }
    }

    /// Whether it cuts whatever a key of this name holds.
    fn cuts_key(&self, key: &str, is_flag: bool) -> bool {
        match &self.what {
            What::Keys(names) => names.matches(key, is_flag),
            What::Detector(_) | What::Pattern(_) | What::Paths(_) => false,
        }
    }

    /// What stands in place of a value; `None` where nothing does.
    fn replacement(&self, value: &str, key: &HashKey) -> Option<String> {
        match self.action {
            Action::Mask => Some(self.mask.clone()),
            Action::Hash => Some(format!("{}{}]", self.hash_head(), key.hash(value))),
            Action::Remove => None,
        }
    }

    fn hash_head(&self) -> String {
        format!("[hash:{}:", self.name)
    }

    /// Whether a whole value is what the rule puts in place of one.
    fn is_own(&self, value: &str) -> bool {
        self.own_parts(value).contains(&(0..value.len()))
    }

    /// The parts of a text that are what the rule puts in place of others.
    fn own_parts(&self, text: &str) -> Vec<Range<usize>> {
        match self.action {
            Action::Remove => Vec::new(),
            Action::Mask => {
                let found = text.match_indices(&self.mask);
                found.map(|(at, mask)| at..at + mask.len()).collect()
            }
            Action::Hash => {
                let head = self.hash_head();
                let len = head.len() + hash::HEX_LEN + 1;
                let is_whole = |part: &str| {
                    let hex = part.get(head.len()..len - 1).unwrap_or_default();
                    part.ends_with(']') && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
                };
                let found = text.match_indices(&head).map(|(at, _)| at..at + len);
                found
                    .filter(|part| text.get(part.clone()).is_some_and(is_whole))
                    .collect()
            }
        }
    }
}

impl What {
    fn of(detector: Detector) -> Self {
        match detector {
            Detector::SecretKeys => What::Keys(KeyNames::Secrets),
            other => What::Detector(other),
        }
    }
}

fn default_mask(name: &str) -> String {
    format!("[redacted:{name}]")
}

/// Why a record is refused: a rule cannot run on it. Shows nothing of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    rule: String,
    version: u32,
    reason: String,
}

impl Refusal {
    fn of(rule: &Rule, reason: impl Into<String>) -> Self {
        Refusal {
            rule: rule.name.clone(),
            version: rule.version,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal {
            rule,
            version,
            reason,
        } = self;
        write!(
            f,
            "redaction: rule `{rule}` of version {version} cannot run: {reason}"
        )
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
