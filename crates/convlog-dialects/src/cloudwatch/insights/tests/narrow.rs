//! What is sure about raw bodies.

use std::collections::BTreeMap;

use convlog_model::filter::{eval, print};
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::record::{Canonical, Dialect, Draft, Kind};
use proptest::prelude::*;

use super::super::*;
use super::event;

fn flat(raw: &str) -> Flat {
    let draft = Draft {
        instance: InstanceId::default_instance(),
        kind: Kind::Turn,
        dialect: Dialect::LexV1,
        own_id: None,
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: raw.into(),
    };
    draft.flat()
}

fn narrow(query: &str) -> String {
    print::print(&Query::parse(query).unwrap().narrow())
}

#[test]
fn conditions_are_narrowed_where_that_is_sure() {
    for (query, expected) in [
        ("fields a", ""),
        ("filter sessionId = 'S1'", "raw.sessionId::S1"),
        (
            "filter 'S1' = sessionId | filter botName = 'B'",
            "raw.sessionId::S1,raw.botName::B",
        ),
        ("fields intent as @i | filter @i = 'x'", "raw.intent::x"),
        (
            "fields a as b, b as c | filter c like 'x y'",
            r"raw.a::*x\ y*",
        ),
        ("filter a = 1", "raw.a::true|raw.a::1|raw.a::1*|raw.a::0.*"),
        (
            "filter nluIntentConfidence < 0.5",
            "raw.nluIntentConfidence:*",
        ),
        ("filter a = 0", "raw.a:*"),
        ("filter a in ['x', 'y']", "raw.a::x|raw.a::y"),
        ("filter a not in ['x']", "raw.a:*"),
        ("filter a like /x/ and b not like 'y'", "raw.a:*,raw.b:*"),
        ("filter a like '1'", "raw.a:*"),
        ("filter ispresent(a) or b = 'x'", "raw.a:*|raw.b::x"),
        ("filter a = 'x' or not b = 'y'", ""),
        ("filter isempty(a)", ""),
        (
            "filter i.0.name = 'x'",
            r#"raw.i.name::x|raw.i."0".name::x"#,
        ),
        ("filter i.0.a.1 = 'x'", ""),
        ("filter @message like 'x'", ""),
        ("filter @@x = 'y'", r#"raw."@x"::y"#),
        ("fields strlen(a) as a | filter a = 'x'", ""),
        ("parse b '*' as a | filter a = 'x' and c = 'y'", "raw.c::y"),
        ("limit 5 | filter a = 'x'", ""),
        ("stats count(*) as a by b | filter b = 'x'", ""),
        (
            "sort a | filter a = 'x' | dedup a | filter b = 'y'",
            "raw.a::x",
        ),
    ] {
        let narrowed = narrow(query);
        assert_eq!(narrowed, expected, "{query}");
    }
}

#[test]
fn a_missed_turn_is_found_however_it_says_so() {
    let filter = Query::parse("filter missedUtterance = 1").unwrap().narrow();
    for value in ["true", "1", "1.0", "\"1\"", "\"1.0\"", "10e-1", "\"0.1e1\""] {
        let raw = format!(r#"{{"missedUtterance":{value}}}"#);
        assert!(eval::matches(&filter, &flat(&raw)), "{value}");
    }
    for raw in [
        r#"{"missedUtterance":false}"#,
        "{}",
        r#"{"missedUtterance":null}"#,
    ] {
        assert!(!eval::matches(&filter, &flat(raw)), "{raw}");
    }
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?(e-?[0-3])?".prop_map(|number| {
            let sound = number.strip_prefix('-').unwrap_or(&number).starts_with('0');
            if sound { "0.5".to_owned() } else { number }
        }),
        "[-01.eax ]{0,4}".prop_map(|text| format!("\"{text}\"")),
        "1e400|\"1\"|\"1\\.0\"".prop_map(|value| value),
    ]
}

fn message() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        4 => scalar(),
        1 => scalar().prop_map(|v| format!("[{v},{{\"a\":{v}}}]")),
        1 => scalar().prop_map(|v| format!("{{\"a\":{v},\"0\":{v}}}")),
    ];
    proptest::collection::vec(("[ab]|@a|a\\.a", value), 0..4).prop_map(|members| {
        let members: Vec<String> = members
            .iter()
            .map(|(k, v)| format!("\"{k}\":{v}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

fn condition() -> impl Strategy<Value = String> {
    let field = "a|b|c|a\\.a|a\\.0|b\\.1\\.a|a\\.0\\.0|@@a|@message";
    let literal = prop_oneof![
        "[01]|1\\.0|-1|0\\.5|10|true|false".prop_map(|number| number),
        "[-01.eax ]{0,3}".prop_map(|text| format!("'{text}'")),
    ];
    let leaf = prop_oneof![
        4 => (field, "=|!=|<|<=|>|>=", literal.clone()).prop_map(|(f, o, l)| format!("{f} {o} {l}")),
        1 => (literal.clone(), "=|<", field).prop_map(|(l, o, f)| format!("{l} {o} {f}")),
        2 => (field, "like|not like", literal.clone()).prop_map(|(f, o, l)| format!("{f} {o} {l}")),
        1 => (field, "like|=~|not like", "[ax01.]{1,2}").prop_map(|(f, o, l)| {
            if o == "=~" { format!("{f} =~ /{l}/") } else { format!("{f} {o} /{l}/") }
        }),
        2 => (field, "in|not in", literal.clone(), literal.clone())
            .prop_map(|(f, o, l, m)| format!("{f} {o} [{l}, {m}]")),
        2 => (field, "ispresent|isempty|strlen|").prop_map(|(f, o)| format!("{o}({f})")),
        1 => (field, literal).prop_map(|(f, l)| format!("strcontains({f}, {l})")),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), "and|or", inner.clone()).prop_map(|(l, o, r)| format!("({l} {o} {r})")),
            inner.prop_map(|inner| format!("not {inner}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_passes_the_filters_passes_what_is_narrowed(
        messages in proptest::collection::vec(message(), 1..6),
        before in "|fields a as c, b as a \\| |fields strlen\\(a\\) as b \\| |parse a '\\*0' as b \\| ",
        condition in condition(),
        second in condition(),
    ) {
        let text = format!("{before}filter {condition} | sort a | filter {second} | stats count(*)");
        let query = Query::parse(&text).unwrap();
        let filter = query.narrow();
        for message in &messages {
            let mut run = query.run_within(ROWS_DEFAULT);
            run.push(&event(message)).unwrap();
            let is_found = run.finish().unwrap().records_matched == 1;
            let is_kept = eval::matches(&filter, &flat(message));
            prop_assert!(is_kept || !is_found, "{} drops {}: {:?}", text, message, filter);
        }
    }
}
