//! What a pattern says about the leaves of an event.

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Literal, Test, eval};
use convlog_model::ids::InstanceId;
use convlog_model::record::{Canonical, Dialect, Draft, Kind as RecordKind};
use proptest::prelude::*;

use super::*;

fn narrowed(pattern: &str) -> Filter {
    Pattern::parse(pattern).unwrap().narrow()
}

fn raw(path: &str, test: Test) -> Filter {
    Filter::Test {
        field: FieldRef::Raw(path.to_owned()),
        test,
    }
}

/// Whether an event, as the raw body of a record, passes a filter.
fn passes(filter: &Filter, event: &str) -> bool {
    let draft = Draft {
        instance: InstanceId::default_instance(),
        kind: RecordKind::Turn,
        dialect: Dialect::LexV1,
        own_id: None,
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: event.into(),
    };
    eval::matches(filter, &draft.flat())
}

#[test]
fn conditions_become_tests_of_raw_paths() {
    let equals = |text: &str| Test::Equals(Literal::bare(text));
    assert_eq!(
        narrowed("{ ($.botName = \"OrderFlowers\") && ($.missedUtterance IS TRUE) }"),
        Filter::And(vec![
            raw("botName", equals("OrderFlowers")),
            raw("missedUtterance", equals("true")),
        ])
    );
    // A canonical field of that name is not meant.
    assert_eq!(
        narrowed("{ $.intents[0]['a.b'] = 5 }"),
        raw("intents.a.b", equals("5"))
    );
    assert_eq!(narrowed("{ $.a != x }"), raw("a", Test::Exists));
    assert_eq!(narrowed("{ $.a = * }"), raw("a", Test::Exists));
    for pattern in [
        "",
        "ERROR -late",
        "[a=1, ...]",
        "{ $.a NOT EXISTS }",
        "{ $.a IS NULL }",
        "{ $.a = 1 || $.a IS NULL }",
        "{ $[''] = 1 }",
    ] {
        assert_eq!(narrowed(pattern), Filter::All, "{pattern}");
    }
}

#[test]
fn a_narrow_filter_cuts() {
    for (pattern, event) in [
        ("{ $.a = x }", r#"{"a":"y"}"#),
        ("{ $.a = x* }", r#"{"a":"yx"}"#),
        ("{ $.a = *x }", r#"{"a":"xy"}"#),
        ("{ $.a = *x* }", r#"{"a":"y"}"#),
        ("{ $.a = 5 }", r#"{"a":6}"#),
        ("{ $.a > 5 }", r#"{"a":5}"#),
        ("{ $.a > +5 }", r#"{"a":"6"}"#),
        ("{ $.a = %x% }", r#"{"b":"x"}"#),
        ("{ $.a IS FALSE }", r#"{"a":true}"#),
    ] {
        assert!(!passes(&narrowed(pattern), event), "{pattern} {event}");
    }
}

/// Values and tests from the same short list, so that both answers are frequent.
const SCALARS: &[&str] = &[
    "\"x\"", "\"xy\"", "\"x*y\"", "\"\"", "\"true\"", "\"1\"", "\"+1\"", "1", "1.0", "10e-1", "-2",
    "2e5", "true", "false", "null",
];
const TESTS: &[&str] = &[
    "= x",
    "= \"x\"",
    "= x*",
    "= *y",
    "= *x*",
    "= *",
    "= \"\"",
    "= x*y",
    "= true",
    "= \"true\"",
    "= 1",
    "= +1",
    "= \"1\"",
    "= 1*",
    "= 2e+5",
    "= \"2e+5\"",
    "!= x",
    "!= 1",
    "!= *x",
    "= %x%",
    "!= %x%",
    "< 1",
    "<= +1",
    "> -2",
    ">= 1.0",
    "IS NULL",
    "IS TRUE",
    "IS FALSE",
    "NOT EXISTS",
];

#[test]
fn every_value_that_passes_a_test_passes_the_narrow_filter() {
    let mut n_found = 0;
    for test in TESTS {
        let pattern = format!("{{ $.a {test} || $.a[0] {test} }}");
        let read = Pattern::parse(&pattern).unwrap();
        for value in SCALARS {
            for event in [format!("{{\"a\":{value}}}"), format!("{{\"a\":[{value}]}}")] {
                let found = read.matches(&event);
                n_found += usize::from(found);
                assert!(
                    !found || passes(&read.narrow(), &event),
                    "{pattern} {event}"
                );
            }
        }
    }
    assert!(n_found > 200, "{n_found}");
}

fn event() -> impl Strategy<Value = String> {
    let value = prop::sample::select(SCALARS)
        .prop_map(str::to_owned)
        .boxed();
    let value = value.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(","))),
            members(inner),
        ]
    });
    members(value)
}

/// An object, now and then with the same key twice.
fn members(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["a", "b", "a.b", ""]);
    let member = (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn condition() -> impl Strategy<Value = String> {
    let step = prop::sample::select(vec![".a", ".b", "['a.b']", "['']", "[0]", "[1]"]);
    let first = prop::sample::select(vec![".a", ".b", "['a.b']", "['']"]);
    let selector = (first, prop::collection::vec(step, 0..2))
        .prop_map(|(first, steps)| format!("${first}{}", steps.concat()));
    let text = prop::sample::select(TESTS);
    (selector, text).prop_map(|(selector, text)| format!("{selector} {text}"))
}

fn pattern() -> impl Strategy<Value = String> {
    let join = prop::sample::select(vec!["&&", "||"]);
    let expr = condition().prop_recursive(3, 8, 2, move |inner| {
        (inner.clone(), join.clone(), inner).prop_map(|(a, join, b)| format!("({a} {join} {b})"))
    });
    expr.prop_map(|expr| format!("{{ {expr} }}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn what_matches_passes_the_narrow_filter(
        pattern in pattern(),
        events in prop::collection::vec(event(), 8),
    ) {
        // More regular expressions than a pattern may have say nothing about narrowing.
        let Ok(read) = Pattern::parse(&pattern) else {
            return Ok(());
        };
        let filter = read.narrow();
        for event in events {
            let found = read.matches(&event);
            prop_assert!(!found || passes(&filter, &event), "{} {} {:?}", pattern, event, filter);
        }
    }
}
