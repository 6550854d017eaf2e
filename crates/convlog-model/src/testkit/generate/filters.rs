//! Filters over the paths of generated records.

use super::{Choices, NUMBERS, TEXTS};
use crate::fields::{FieldRef, FieldType};
use crate::filter::{Bound, CompareOp, Filter, Literal, Scope, Test, TimeBound};
use crate::time::Timestamp;

const BOUNDS: &[&str] = &[
    "2020-07-01",
    "2020-07-01T10:00:00Z",
    "2020-07-01T10:00:00.5",
    "1970-01-01",
    "2020-07-02",
];

/// Canonical fields that generated records have.
const CANONICAL: &[&str] = &[
    "input.text",
    "customer",
    "user",
    "bot",
    "language",
    "time.request",
    "latency_ms",
    "outcome.missed",
    "intents.name",
    "intents.confidence",
    "kind",
    "dialect",
    "own_id",
    "event.type",
    "event.meta.a",
    "labels.main skill",
    "top_intent",
];

/// Raw paths that generated records have.
const RAW: &[&str] = &[
    "a",
    "b",
    "a.b",
    "a.a",
    "main skill",
    "é.a",
    "items",
    "items.k",
    "items.items.k",
    "text",
    "k",
    "a.b.a",
    "none",
    "intents.confidence",
];

/// A filter over the paths of generated records, at most `depth` levels of connectives deep. Each
/// can be written in the filter language.
pub fn filter(choices: &mut Choices<'_>, depth: usize) -> Filter {
    connected(choices, depth, &|choices, depth| {
        if depth > 0 && choices.once_in(4) {
            return element(choices, depth - 1);
        }
        let field = if choices.once_in(2) {
            FieldRef::canonical(choices.pick(CANONICAL))
        } else {
            FieldRef::Raw(choices.pick(RAW).to_owned())
        };
        let test = test(choices, &field);
        Filter::Test { field, test }
    })
}

type Leaf<'f> = &'f dyn Fn(&mut Choices<'_>, usize) -> Filter;

fn connected(choices: &mut Choices<'_>, depth: usize, leaf: Leaf<'_>) -> Filter {
    let parts = |choices: &mut Choices<'_>| {
        let n_parts = choices.below(4);
        let part = |_| connected(choices, depth - 1, leaf);
        (0..n_parts).map(part).collect::<Vec<Filter>>()
    };
    match choices.below(if depth == 0 { 4 } else { 8 }) {
        4 => Filter::And(parts(choices)),
        5 => Filter::Or(parts(choices)),
        6 => connected(choices, depth - 1, leaf).negate(),
        7 if choices.once_in(4) => Filter::All,
        _ => leaf(choices, depth),
    }
}

fn element(choices: &mut Choices<'_>, depth: usize) -> Filter {
    let (group, members): (FieldRef, &[&str]) = match choices.below(3) {
        0 => (FieldRef::canonical("intents"), &["name", "confidence"]),
        1 => (
            FieldRef::Raw("items".to_owned()),
            &["k", "b", "items.k", "b.a"],
        ),
        _ => (
            FieldRef::Raw("intents".to_owned()),
            &["intent", "confidence"],
        ),
    };
    let leaf = |choices: &mut Choices<'_>, depth: usize| {
        let nests = group == FieldRef::Raw("items".to_owned()) && depth > 0;
        if nests && choices.once_in(3) {
            let field = group.child("items");
            let key = field.child(choices.pick(&["k", "b"]));
            let test = test(choices, &key);
            let inner = Box::new(Filter::Test { field: key, test });
            return Filter::Element { field, inner };
        }
        let field = group.child(choices.pick(members));
        let test = test(choices, &field);
        Filter::Test { field, test }
    };
    Filter::Element {
        inner: Box::new(connected(choices, depth, &leaf)),
        field: group.clone(),
    }
}

/// A test that the type of the field admits.
fn test(choices: &mut Choices<'_>, field: &FieldRef) -> Test {
    let is_raw = matches!(field, FieldRef::Raw(_));
    let own = match field.kind() {
        FieldType::Time => literal(choices, BOUNDS, false),
        FieldType::Number => literal(choices, NUMBERS, false),
        FieldType::Bool => literal(choices, &["true", "false", ""], false),
        FieldType::Keyword | FieldType::Text => {
            let quoted = choices.once_in(2);
            let texts = if is_raw && choices.once_in(3) {
                NUMBERS
            } else {
                TEXTS
            };
            literal(choices, texts, quoted)
        }
    };
    let is_id = matches!(field.path(), "id" | "own_id");
    let takes_patterns = matches!(field.kind(), FieldType::Keyword | FieldType::Text);
    let compared = is_raw && field.kind() == FieldType::Keyword;
    match choices.below(6) {
        0 => Test::Equals(own),
        1 => Test::Matches(own),
        2 if takes_patterns => Test::Glob {
            parts: pattern(choices),
            scope: scope(choices),
        },
        3 if takes_patterns && !is_id => Test::Fuzzy {
            text: choices
                .pick(&[
                    "order",
                    "car",
                    "ordering too",
                    "hasta lugo",
                    "東",
                    "acme",
                    "!",
                ])
                .to_owned(),
            edits: if choices.once_in(2) { 2 } else { 1 },
            scope: scope(choices),
        },
        4 if compared || matches!(field.kind(), FieldType::Number | FieldType::Time) => {
            let ops = [CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge];
            let by_time = match field.kind() {
                FieldType::Number => false,
                FieldType::Time => true,
                _ => choices.once_in(2),
            };
            Test::Compare {
                op: choices.pick(&ops),
                bound: bound(choices, by_time),
            }
        }
        5 => Test::Exists,
        _ => Test::Matches(own),
    }
}

fn literal(choices: &mut Choices<'_>, texts: &[&str], quoted: bool) -> Literal {
    Literal {
        text: choices.pick(texts).to_owned(),
        quoted,
    }
}

fn scope(choices: &mut Choices<'_>) -> Scope {
    if choices.once_in(2) {
        Scope::Whole
    } else {
        Scope::Word
    }
}

fn pattern(choices: &mut Choices<'_>) -> Vec<String> {
    const PARTS: &[&str] = &[
        "", "or", "er", "c", "s", "O", "acme-", "1", "京", " ", "\t", "a*", "!",
    ];
    let n_parts = 2 + choices.below(3);
    let part = |_| choices.pick(PARTS).to_owned();
    (0..n_parts).map(part).collect()
}

fn bound(choices: &mut Choices<'_>, by_time: bool) -> Bound {
    if by_time {
        let text = choices.pick(BOUNDS);
        if let Some(span) = Timestamp::parse_loose(text) {
            return Bound::Time(TimeBound::new(text, span));
        }
    }
    Bound::Number(choices.pick(NUMBERS).to_owned())
}
