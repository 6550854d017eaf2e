//! Random records and filters: what the reference engine finds against a fold over the plain data
//! that the records were made of. Nothing here calls the evaluator or the flattener.

use futures::executor::block_on;
use proptest::prelude::*;

use super::*;
use crate::fields::FieldRef;
use crate::filter::{Bound, CompareOp, Literal, Scope, Test, TimeBound};
use crate::json::Json;
use crate::query::{Sort, SortKey};
use crate::record::Draft;

/// Words with the stem that a dictionary gives.
const WORDS: &[(&str, &str)] = &[
    ("Order", "order"),
    ("ordering", "order"),
    ("orders", "order"),
    ("car", "car"),
    ("Cars", "car"),
    ("cat", "cat"),
    ("coffee", "coffee"),
    ("東", "東"),
];
const USERS: &[&str] = &["ann", "anna", "Ann", "bob", ""];
const NAMES: &[&str] = &["hello", "order", "bye"];
const DAY_US: i64 = 86_400_000_000;

#[derive(Clone, Debug)]
struct Plain {
    user: Option<usize>,
    words: Vec<usize>,
    /// In tenths.
    latency: Option<i16>,
    /// Quarters of a day since the epoch.
    requested: Option<u8>,
    tags: Vec<usize>,
    /// Name and confidence in tenths.
    intents: Vec<(usize, u8)>,
}

#[derive(Clone, Debug)]
enum Ask {
    User(usize),
    UserStarts(usize),
    HasUser,
    Says(usize),
    SaysBoth(usize, usize),
    SaysNear(usize, u8),
    Latency(CompareOp, i16),
    Day(CompareOp, u8),
    Tag(usize),
    Intent(usize, CompareOp, u8),
    NoSuchIntent(usize, u8),
    Not(Box<Ask>),
    All(Vec<Ask>),
    Any(Vec<Ask>),
}

fn plain() -> impl Strategy<Value = Plain> {
    (
        proptest::option::of(0..USERS.len()),
        proptest::collection::vec(0..WORDS.len(), 0..5),
        proptest::option::of(-20_i16..20),
        proptest::option::of(0_u8..20),
        proptest::collection::vec(0..NAMES.len(), 0..3),
        proptest::collection::vec((0..NAMES.len(), 0_u8..4), 0..3),
    )
        .prop_map(|(user, words, latency, requested, tags, intents)| Plain {
            user,
            words,
            latency,
            requested,
            tags,
            intents,
        })
}

fn op() -> impl Strategy<Value = CompareOp> {
    prop_oneof![
        Just(CompareOp::Lt),
        Just(CompareOp::Le),
        Just(CompareOp::Gt),
        Just(CompareOp::Ge),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let (users, words, names) = (0..USERS.len(), 0..WORDS.len(), 0..NAMES.len());
    let leaf = prop_oneof![
        users.clone().prop_map(Ask::User),
        users.prop_map(Ask::UserStarts),
        Just(Ask::HasUser),
        words.clone().prop_map(Ask::Says),
        (words.clone(), words.clone()).prop_map(|(a, b)| Ask::SaysBoth(a, b)),
        (words, 1_u8..3).prop_map(|(word, edits)| Ask::SaysNear(word, edits)),
        (op(), -20_i16..20).prop_map(|(op, tenths)| Ask::Latency(op, tenths)),
        (op(), 0_u8..5).prop_map(|(op, day)| Ask::Day(op, day)),
        names.clone().prop_map(Ask::Tag),
        (names.clone(), op(), 0_u8..4).prop_map(|(name, op, c)| Ask::Intent(name, op, c)),
        (names, 0_u8..4).prop_map(|(name, c)| Ask::NoSuchIntent(name, c)),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            inner.clone().prop_map(|ask| Ask::Not(Box::new(ask))),
            several().prop_map(Ask::All),
            several().prop_map(Ask::Any),
        ]
    })
}

fn holds<T: PartialOrd>(op: CompareOp, value: T, bound: T) -> bool {
    match op {
        CompareOp::Lt => value < bound,
        CompareOp::Le => value <= bound,
        CompareOp::Gt => value > bound,
        CompareOp::Ge => value >= bound,
    }
}

/// The textbook recursion.
fn distance(a: &[char], b: &[char]) -> usize {
    let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_first(), b.split_first()) else {
        return a.len().max(b.len());
    };
    if x == y {
        return distance(a_rest, b_rest);
    }
    let cheapest = distance(a_rest, b).min(distance(a, b_rest));
    1 + cheapest.min(distance(a_rest, b_rest))
}

fn chars(word: usize) -> Vec<char> {
    WORDS[word].0.to_lowercase().chars().collect()
}

/// The answer from the plain data.
fn passes(ask: &Ask, plain: &Plain) -> bool {
    let same_stem = |a: &usize, b: usize| WORDS[*a].1 == WORDS[b].1;
    match ask {
        // A missing user is the empty one.
        Ask::User(user) => USERS[plain.user.unwrap_or(USERS.len() - 1)] == USERS[*user],
        Ask::UserStarts(user) => plain
            .user
            .is_some_and(|mine| USERS[mine].starts_with(USERS[*user])),
        Ask::HasUser => plain.user.is_some(),
        Ask::Says(word) => plain.words.iter().any(|mine| same_stem(mine, *word)),
        Ask::SaysBoth(first, second) => plain
            .words
            .windows(2)
            .any(|pair| same_stem(&pair[0], *first) && same_stem(&pair[1], *second)),
        Ask::SaysNear(word, edits) => plain
            .words
            .iter()
            .any(|mine| distance(&chars(*mine), &chars(*word)) <= usize::from(*edits)),
        Ask::Latency(op, tenths) => plain.latency.is_some_and(|mine| holds(*op, mine, *tenths)),
        Ask::Day(op, day) => plain
            .requested
            .is_some_and(|mine| holds(*op, mine / 4, *day)),
        Ask::Tag(name) => plain.tags.contains(name),
        Ask::Intent(name, op, bound) => plain
            .intents
            .iter()
            .any(|(mine, tenths)| mine == name && holds(*op, tenths, bound)),
        Ask::NoSuchIntent(name, bound) => plain
            .intents
            .iter()
            .any(|(mine, tenths)| mine != name && tenths >= bound),
        Ask::Not(inner) => !passes(inner, plain),
        Ask::All(parts) => parts.iter().all(|part| passes(part, plain)),
        Ask::Any(parts) => parts.iter().any(|part| passes(part, plain)),
    }
}

fn tenths(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let size = tenths.abs();
    format!("{sign}{}.{}", size / 10, size % 10)
}

fn day(quarters: i64) -> Timestamp {
    Timestamp::from_micros(quarters * DAY_US / 4)
}

fn record(plain: &Plain) -> Draft {
    let words: Vec<&str> = plain.words.iter().map(|word| WORDS[*word].0).collect();
    let intents = plain.intents.iter().map(|(name, confidence)| {
        Json::object([
            ("intent", Json::string(NAMES[*name])),
            (
                "confidence",
                Json::Number(tenths((*confidence).into()).into()),
            ),
        ])
    });
    let tags = plain.tags.iter().map(|tag| Json::string(NAMES[*tag]));
    let body = Json::object([
        ("said", Json::string(words.join(" "))),
        ("intents", Json::Array(intents.collect())),
        ("x.tags", Json::Array(tags.collect())),
    ]);
    let mut draft = draft(&body.to_string());
    draft.set_text("language", "en");
    draft.set_ref("input.text", &["said"]);
    draft.set_ref("intents.name", &["intents", "intent"]);
    draft.set_ref("intents.confidence", &["intents", "confidence"]);
    if let Some(user) = plain.user {
        draft.set_text("user", USERS[user]);
    }
    if let Some(latency) = plain.latency {
        draft.set_value("latency_ms", Json::Number(tenths(latency.into()).into()));
    }
    if let Some(requested) = plain.requested {
        draft.set_text("time.request", &day(requested.into()).to_millis_text());
    }
    draft
}

fn test(path: &str, test: Test) -> Filter {
    let field = FieldRef::canonical(path);
    Filter::Test { field, test }
}

fn compare(path: &str, op: CompareOp, bound: Bound) -> Filter {
    test(path, Test::Compare { op, bound })
}

fn filter(ask: &Ask) -> Filter {
    let scope = Scope::Word;
    match ask {
        Ask::User(user) => Filter::equals("user", USERS[*user]),
        Ask::UserStarts(user) => {
            let parts = vec![USERS[*user].to_owned(), String::new()];
            let scope = Scope::Whole;
            test("user", Test::Glob { parts, scope })
        }
        Ask::HasUser => test("user", Test::Exists),
        Ask::Says(word) => test("input.text", Test::Matches(Literal::bare(WORDS[*word].0))),
        Ask::SaysBoth(first, second) => {
            let phrase = format!("{} {}", WORDS[*first].0, WORDS[*second].0);
            test("input.text", Test::Matches(Literal::quoted(phrase)))
        }
        Ask::SaysNear(word, edits) => {
            let (text, edits) = (WORDS[*word].0.to_owned(), *edits);
            test("input.text", Test::Fuzzy { text, edits, scope })
        }
        Ask::Latency(op, bound) => {
            compare("latency_ms", *op, Bound::Number(tenths((*bound).into())))
        }
        Ask::Day(op, bound) => {
            let text = day(i64::from(*bound) * 4).to_millis_text();
            let date: String = text.chars().take(10).collect();
            let span = Timestamp::parse_loose(&date).unwrap();
            compare(
                "time.request",
                *op,
                Bound::Time(TimeBound::new(&date, span)),
            )
        }
        Ask::Tag(name) => Filter::Test {
            field: FieldRef::Raw("x.tags".to_owned()),
            test: Test::Equals(Literal::bare(NAMES[*name])),
        },
        Ask::Intent(name, op, bound) => {
            let named = Filter::equals("intents.name", NAMES[*name]);
            let bound = Bound::Number(tenths((*bound).into()));
            one_intent(named.and(compare("intents.confidence", *op, bound)))
        }
        Ask::NoSuchIntent(name, bound) => {
            let named = Filter::equals("intents.name", NAMES[*name]).negate();
            let bound = Bound::Number(tenths((*bound).into()));
            one_intent(named.and(compare("intents.confidence", CompareOp::Ge, bound)))
        }
        Ask::Not(inner) => filter(inner).negate(),
        Ask::All(parts) => Filter::And(parts.iter().map(filter).collect()),
        Ask::Any(parts) => Filter::Or(parts.iter().map(filter).collect()),
    }
}

fn one_intent(inner: Filter) -> Filter {
    Filter::Element {
        field: FieldRef::canonical("intents"),
        inner: Box::new(inner),
    }
}

/// Plain data in the order in which a search by time of request shows it.
fn expected(ask: &Ask, plains: &[Plain], descending: bool) -> Vec<usize> {
    let hits = (0..plains.len()).filter(|n| passes(ask, &plains[*n]));
    let mut hits: Vec<usize> = hits.collect();
    if descending {
        hits.reverse();
    }
    let key = |n: &usize| match (plains[*n].requested, descending) {
        (None, _) => i64::MAX,
        (Some(requested), true) => -i64::from(requested),
        (Some(requested), false) => i64::from(requested),
    };
    hits.sort_by_key(key);
    hits
}

proptest! {
    #[test]
    fn the_reference_engine_finds_what_a_fold_finds(
        plains in proptest::collection::vec(plain(), 0..12),
        ask in ask(),
        descending: bool,
        limit in 1_usize..5,
    ) {
        let store = store();
        let mut positions = Vec::new();
        for plain in &plains {
            append(&store, record(plain)).unwrap();
            positions.push(store.newest());
        }
        let filter = filter(&ask);
        let expected = expected(&ask, &plains, descending);
        let instance = InstanceId::default_instance();
        let n_counted = block_on(store.count(&instance, &filter)).unwrap();
        prop_assert_eq!(usize::try_from(n_counted).unwrap(), expected.len());
        let mut query = Query::new(instance, filter);
        query.sort = Sort { key: SortKey::Request, descending };
        query.limit = limit;
        let mut shown = Vec::new();
        loop {
            let page = block_on(store.search(&query)).unwrap();
            shown.extend(page.records.iter().map(|record| record.position));
            query.upto = Some(page.upto);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let expected: Vec<Position> = expected.iter().map(|n| positions[*n]).collect();
        prop_assert_eq!(shown, expected);
    }
}
