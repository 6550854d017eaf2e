//! Policies, and what they do to a draft.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::body::{self, Rewritten, Space};
use super::notes::{self, Notes, spelled};
use super::path::{Active, Down};
use super::standing::{Guard, Standing, standing};
use super::work::Work;
use super::{Cut, HashKey, Refusal, Rule, Scope, What};
use crate::fields::FieldRef;
use crate::flatten::{Flat, LeafPath};
use crate::json::{Json, Text};
use crate::record::{Body, Canonical, Draft, Kind, ReadBody, Source};

/// The rules that hold for a record, in order.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<Arc<Rule>>,
    key: HashKey,
}

/// Branches whose names are the clients' own.
const OPEN: [&str; 2] = ["event.meta.", "event.refs."];
const LABELS: &str = "labels";
const NOTE: &str = "redactions";

impl Policy {
    /// These rules; hashes are made with this key.
    #[must_use]
    pub fn new(rules: Vec<Arc<Rule>>, key: HashKey) -> Self {
        Policy { rules, key }
    }

    /// Whether it has nothing to say about records of this kind.
    #[must_use]
    pub fn is_idle(&self, kind: Kind) -> bool {
        !self.rules.iter().any(|rule| concerns(rule, kind))
    }

    /// Cuts from a draft what its rules say, and notes it on the draft. What was cut now is
    /// returned; when nothing was, the draft is as it was. A body that becomes longer than
    /// `bytes_max` is refused.
    ///
    /// # Errors
    /// [`Refusal`]: a rule cannot run, and nothing of the draft may be kept. The draft is as it was.
    pub fn apply(&self, draft: &mut Draft, bytes_max: usize) -> Result<Vec<Cut>, Refusal> {
        let rules: Vec<&Arc<Rule>> = self
            .rules
            .iter()
            .filter(|rule| concerns(rule, draft.kind))
            .collect();
        let Some(first) = rules.first().copied() else {
            return Ok(Vec::new());
        };
        let mut work = Work {
            rules,
            key: &self.key,
            notes: Notes::default(),
            n_cuts: 0,
        };
        let guard = Guard::of(draft);
        let named = named_places(&work, &draft.canonical);
        let space = Space::Raw {
            guard: &guard,
            named: &named,
        };
        let begin = work.begin(true);
        let raw = body::rewrite(&mut work, space, &draft.raw, LeafPath::default(), &begin)?;
        let canonical = canonical(&mut work, draft, &raw)?;
        let labels = labels(&mut work, &draft.labels)?;
        if work.n_cuts == 0 {
            return Ok(Vec::new());
        }
        let text = raw.text.unwrap_or_default();
        if text.len() > bytes_max {
            let reason = format!("the body would become longer than {bytes_max} bytes");
            return Err(Refusal::of(first, reason));
        }
        if draft.raw != *text {
            draft.raw = read(first, &text)?;
        }
        let cuts = work.notes.into_cuts();
        let known = match draft.canonical.get(NOTE) {
            Some(Source::Value(known)) => Some(known),
            Some(Source::Raw(_)) | None => None,
        };
        let note = notes::field(known, &cuts);
        draft.canonical = canonical;
        draft.labels = labels;
        draft.set_value(NOTE, note);
        Ok(cuts)
    }
}

/// The body that is kept; what the rules made is read before it is.
fn read(rule: &Rule, text: &str) -> Result<Body, Refusal> {
    let read = ReadBody::read(text);
    let read = read.map_err(|_| Refusal::of(rule, "the body cannot be rewritten"))?;
    Ok(read.whole())
}

fn concerns(rule: &Rule, kind: Kind) -> bool {
    match rule.scope {
        Scope::Record => true,
        Scope::EventMeta => kind == Kind::Event,
    }
}

/// What paths and keys say of a canonical path.
struct Along {
    /// The first rule that names it, or a branch that it lies on.
    cutter: Option<usize>,
    /// Paths that lead further down.
    active: Vec<Active>,
}

/// Goes along a canonical path.
fn along(work: &Work<'_>, path: &str) -> Along {
    let mut active = work.begin(false);
    let mut found: Option<usize> = None;
    for segment in path.split('.') {
        let (on, here) = work.step(&active, Down::Key(segment));
        found = found.into_iter().chain(here).min();
        active = on;
    }
    Along {
        cutter: found,
        active,
    }
}

/// Places of the body that rules cut because they name a field that refers there.
fn named_places(work: &Work<'_>, canonical: &Canonical) -> Vec<(LeafPath, usize)> {
    let mut named = Vec::new();
    if work.begin(false).is_empty() {
        return named;
    }
    for (path, source) in canonical {
        let Source::Raw(raw) = source else { continue };
        if standing(path) == Standing::Fixed {
            continue;
        }
        let Along { cutter, active } = along(work, path);
        // A field's values are the elements of a list that it refers to: any of them is meant.
        let of_elements = active.iter().filter_map(|at| {
            let What::Paths(paths) = &work.rules.get(at.rule)?.what else {
                return None;
            };
            at.of(paths)
                .is_some_and(|path| at.asks_for_elements(path))
                .then_some(at.rule)
        });
        let found = cutter.into_iter().chain(of_elements).min();
        named.extend(found.map(|number| (raw.clone(), number)));
    }
    named
}

/// The canonical fields as they are kept.
fn canonical(work: &mut Work<'_>, draft: &Draft, raw: &Rewritten) -> Result<Canonical, Refusal> {
    let mut kept = Canonical::new();
    for (path, source) in &draft.canonical {
        let shown = name(work, path)?;
        let at = Place {
            path,
            shown: &shown,
            standing: standing(path),
        };
        let source = match source {
            Source::Raw(place) if raw.detached.contains(place) => {
                detached(work, draft, at, place)?.map(Source::Value)
            }
            Source::Raw(place) if at.standing == Standing::Typed && raw.dropped.contains(place) => {
                None
            }
            Source::Raw(place) if raw.has_new_keys => Some(Source::Raw(renamed(work, place))),
            Source::Raw(place) => Some(Source::Raw(place.clone())),
            Source::Value(value) => field(work, at, value)?.map(Source::Value),
        };
        if let Some(source) = source {
            kept.insert(shown, source);
        }
    }
    Ok(kept)
}

/// A canonical field while it is looked at.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    /// The path without what rules cut from it.
    shown: &'a str,
    standing: Standing,
}

/// A field whose place went with what is around it: what the system works with stays as a value,
/// unless a rule names it.
fn detached(
    work: &mut Work<'_>,
    draft: &Draft,
    at: Place<'_>,
    place: &LeafPath,
) -> Result<Option<Json>, Refusal> {
    if !matches!(at.standing, Standing::Fixed | Standing::Id) {
        return Ok(None);
    }
    let wanted = FieldRef::canonical(at.path);
    let flat = Flat::of_fields(draft, std::slice::from_ref(&wanted));
    let Some(leaf) = flat.values(&wanted).next() else {
        return Ok(None);
    };
    let value = leaf.value.to_json();
    match names_place(work, place).filter(|_| at.standing == Standing::Id) {
        Some(number) => cut_field(work, number, at, &value),
        None => field(work, at, &value),
    }
}

/// The first rule that names exactly this place of the body.
fn names_place(work: &Work<'_>, place: &LeafPath) -> Option<usize> {
    let mut active = work.begin(true);
    let mut here = Vec::new();
    let mut last = "";
    for segment in place.segments() {
        (active, here) = work.step(&active, Down::Key(segment));
        last = segment;
    }
    let names = |number: usize, rule: &Rule| rule.cuts_key(last, false) || here.contains(&number);
    let mut numbered = work.rules.iter().enumerate();
    numbered.find_map(|(number, rule)| names(number, rule).then_some(number))
}

/// The value of a field as it is kept; `None` where nothing is left.
fn field(work: &mut Work<'_>, at: Place<'_>, value: &Json) -> Result<Option<Json>, Refusal> {
    if at.standing == Standing::Fixed || *value == Json::Null {
        return Ok(Some(value.clone()));
    }
    let Along { cutter, active } = along(work, at.path);
    let is_flag = matches!(value, Json::Bool(_) | Json::Number(_));
    let by_key = work.rules.iter().position(|rule| {
        let is_in = rule.scope == Scope::Record || at.path.starts_with("event.meta.");
        is_in && at.path.split('.').any(|key| rule.cuts_key(key, is_flag))
    });
    if let Some(number) = cutter.into_iter().chain(by_key).min() {
        return cut_field(work, number, at, value);
    }
    let place = LeafPath::spelled(at.path);
    let text = value.to_string();
    let done = body::rewrite(work, Space::Canonical(at.shown), &text, place, &active)?;
    Ok(match done.text {
        Some(new) if new == text => Some(value.clone()),
        Some(new) => Json::of_body(&new),
        None => None,
    })
}

/// Cuts the whole value of a field.
fn cut_field(
    work: &mut Work<'_>,
    number: usize,
    at: Place<'_>,
    value: &Json,
) -> Result<Option<Json>, Refusal> {
    let Some(rule) = work.rules.get(number).copied() else {
        return Ok(None);
    };
    let text = match value {
        Json::String(text) => text.to_string(),
        other => other.to_string(),
    };
    if rule.is_own(&text) {
        return Ok(Some(value.clone()));
    }
    work.cut(rule, || at.shown.to_owned())?;
    let replacement = rule.replacement(&text, work.key);
    let fits = at.standing != Standing::Typed;
    Ok(replacement.filter(|_| fits).map(Json::string))
}

/// A reference whose keys have changed.
fn renamed(work: &Work<'_>, place: &LeafPath) -> LeafPath {
    let mut path = LeafPath::default();
    for key in place.segments() {
        path.enter(work.new_key(key).as_deref().unwrap_or(key));
    }
    path
}

/// The path of a field, whose last part may be a client's own.
fn name(work: &mut Work<'_>, path: &Text) -> Result<Text, Refusal> {
    for branch in OPEN {
        if let Some(own) = path.strip_prefix(branch) {
            let here = || branch.trim_end_matches('.').to_owned();
            let new = work.text(own, true, || true, here)?;
            return Ok(match new {
                Some(new) => format!("{branch}{new}").into(),
                None => path.clone(),
            });
        }
    }
    Ok(path.clone())
}

/// The labels as they are kept.
fn labels(
    work: &mut Work<'_>,
    labels: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut kept = BTreeMap::new();
    for (label, value) in labels {
        let name = work.text(label, true, || true, || LABELS.to_owned())?;
        let name = name.unwrap_or_else(|| label.clone());
        let shown = spelled(LABELS, std::iter::once(name.as_str()));
        let (active, whole) = work.step(&work.begin(false), Down::Key(LABELS));
        let (_, by_path) = work.step(&active, Down::Key(label));
        let by_key = work
            .rules
            .iter()
            .position(|rule| rule.scope == Scope::Record && rule.cuts_key(label, false));
        let named = whole.into_iter().chain(by_path).chain(by_key).min();
        let at = Place {
            path: LABELS,
            shown: &shown,
            standing: Standing::Free,
        };
        let value = match named {
            Some(number) => cut_field(work, number, at, &Json::string(value.as_str()))?,
            None => {
                let changed = work.text(value, false, || true, || shown.clone())?;
                Some(Json::string(changed.as_deref().unwrap_or(value)))
            }
        };
        if let Some(text) = value.as_ref().and_then(Json::as_str) {
            kept.insert(name, text.to_owned());
        }
    }
    Ok(kept)
}
