//! The query table of the facts, its rejects, names, escapes, and printing and parsing.

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Literal, Test, eval};
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::Dialect;

use super::*;
use crate::watson::decode;

const LOGS: &str = include_str!("../../../../../fixtures/watson/filter-logs.ndjson");
const QUERIES: &str = include_str!("../../../../../fixtures/watson/filter-queries.ndjson");
const REJECTS: &str = include_str!("../../../../../fixtures/watson/filter-rejects.ndjson");

pub(super) fn logs() -> Vec<(String, Flat)> {
    let instance = InstanceId::default_instance();
    let read = |line: &str| {
        let draft = decode::log(&instance, Dialect::WatsonV1, line).unwrap();
        (draft.own_id.clone().unwrap(), draft.flat())
    };
    LOGS.lines().map(read).collect()
}

pub(super) fn found(filter: &Filter, logs: &[(String, Flat)]) -> Vec<String> {
    let hits = logs.iter().filter(|(_, flat)| eval::matches(filter, flat));
    hits.map(|(id, _)| id.clone()).collect()
}

fn table(text: &str) -> Vec<Json> {
    let read = |line: &str| Json::parse(line.as_bytes()).unwrap();
    text.lines().map(read).collect()
}

fn text<'a>(row: &'a Json, key: &str) -> &'a str {
    row.get(key).and_then(Json::as_str).unwrap()
}

#[test]
fn the_query_table_finds_what_it_says() {
    let logs = logs();
    let mut wrong = Vec::new();
    for row in table(QUERIES) {
        let filter = text(&row, "filter");
        let expected = row.get("ids").and_then(Json::as_array).unwrap();
        let expected: Vec<&str> = expected.iter().filter_map(|id| id.as_str()).collect();
        let tree = parse(filter, Names::V1, true).unwrap();
        let got = found(&tree, &logs);
        if got != expected {
            wrong.push(format!(
                "{filter}: {got:?} instead of {expected:?}\n{tree:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_is_refused_with_its_column() {
    let mut wrong = Vec::new();
    for row in table(REJECTS) {
        let filter = text(&row, "filter");
        let column = row.get("column").and_then(Json::as_i64);
        let got = parse(filter, Names::V1, false).map_err(|error| error.column as i64);
        if got.as_ref().err() != column.as_ref() {
            let shown = parse(filter, Names::V1, false);
            wrong.push(format!("{filter}: {shown:?} instead of column {column:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn mandatory_terms_may_stand_anywhere_in_the_outermost_conjunction() {
    for filter in [
        "language::en,workspace_id::W1",
        "([request.context.metadata.deployment::p,(language::en,log_id:*)])",
        "language::(en|es),request.context.system.assistant_id::\"a b\",response.top_intent::x",
    ] {
        assert_eq!(check_mandatory(filter), Ok(()), "{filter}");
    }
}

#[test]
fn what_is_missing_of_the_mandatory_terms_is_said() {
    let ids = "one of request.context.system.assistant_id::, workspace_id::, \
               request.context.metadata.deployment::";
    for (filter, missing) in [
        ("", format!("language:: and {ids}")),
        ("language::en", ids.to_owned()),
        ("workspace_id::W1,language:en", "language::".to_owned()),
        ("language::!en,workspace_id::W1", "language::".to_owned()),
        (
            "language::en|workspace_id::W1",
            format!("language:: and {ids}"),
        ),
        (
            "(language::en|language::es),workspace_id::W1",
            "language::".to_owned(),
        ),
    ] {
        let error = check_mandatory(filter).unwrap_err();
        assert_eq!(
            error.message,
            format!("the filter must contain {missing}"),
            "{filter}"
        );
    }
}

#[test]
fn names_of_either_version_and_our_own_mean_the_same() {
    let same = |vendor: &str, own: &str| {
        let ours = parse(own, Names::Own, false).unwrap();
        for names in [Names::V1, Names::V2] {
            assert_eq!(parse(vendor, names, false).unwrap(), ours, "{vendor}");
        }
    };
    same("response.intents:intent::a", "intents:name::a");
    same("response.output.intents:intent::a", "intents.name::a");
    same(
        "response.intents:(intent::a,confidence>0.5)",
        "intents:(name::a,confidence>0.5)",
    );
    same("session_id::c", "conversation::c");
    same("response.context.conversation_id::c", "conversation::c");
    same("skill_id::w|workspace_id::w", "bot::w|bot::w");
    same("request.header.metadata.user_id::u", "user::u");
    same("response.output:nodes_visited::[n,m]", "steps.name::(n,m)");
    same("log_id::x", "own_id::x|id::x");
    same("log_id::!x", "!(own_id::x|id::x)");
}

#[test]
fn unknown_paths_address_the_raw_body() {
    let same = |vendor: &str, raw: &str| {
        let fallen = parse(vendor, Names::V2, true).unwrap();
        assert_eq!(fallen, parse(raw, Names::Own, false).unwrap(), "{vendor}");
    };
    same(
        "response.context.skills.\"main skill\".user_defined.x>=3",
        "raw.response.context.skills.\"main skill\".user_defined.x>=3",
    );
    same(
        "request.intents:intent::a",
        "raw.request.intents.intent::a|raw.request.input.intents.intent::a",
    );
    same(
        "response.entities:(entity::date,role.type::date_from)",
        "raw.response.entities:(entity::date,role.type::date_from)\
         |raw.response.output.entities:(entity::date,role.type::date_from)",
    );
    let error = parse("request.context.x::1", Names::V1, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown field `request.context.x` at column 1"
    );
}

#[test]
fn escapes_and_symbols_stand_for_themselves() {
    let term = |text: &str| parse(&format!("user::{text}"), Names::Own, false);
    let literal = |text: &str| {
        Ok(Filter::Test {
            field: FieldRef::canonical("user"),
            test: Test::Equals(Literal::bare(text)),
        })
    };
    for (written, meant) in [
        (r"slack:T1", "slack:T1"),
        (r"\!a\,b\|\(c\)\~1", "!a,b|(c)~1"),
        (r"\::\<=x", "::<=x"),
        ("  a  b  ", "a  b"),
        (r"\ a\ ", " a "),
        (r"a~b", "a~b"),
        (r#""a\"b\\,c*""#, r#"a"b\,c*"#),
        ("日本 x", "日本 x"),
    ] {
        assert_eq!(term(written), literal(meant), "{written}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}user::a{}", "(".repeat(51), ")".repeat(51));
    let error = parse(&deep, Names::Own, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "groups are nested deeper than 50 levels at column 51"
    );
    let long = format!("user::{}", "a".repeat(LENGTH_MAX));
    let error = parse(&long, Names::Own, false).unwrap_err();
    assert_eq!(error.message, "a filter has at most 16384 characters");
    let long = format!("a{}::1", ":a".repeat(600));
    let error = parse(&long, Names::Own, false).unwrap_err();
    assert_eq!(error.message, "the name of a field has at most 1024 bytes");
}

mod random {
    use convlog_model::filter::{Bound, CompareOp, Scope, TimeBound, print};
    use convlog_model::time::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9 ]{1,8}",
            "[-+.:,|()\\[\\]\"\\\\~*!<>=^ äß東x1]{1,8}",
            "true|false|12|1.50|-3e2|~1|x~2",
        ]
    }

    fn literal() -> impl Strategy<Value = Literal> {
        (text(), any::<bool>()).prop_map(|(text, quoted)| Literal { text, quoted })
    }

    fn scope() -> impl Strategy<Value = Scope> {
        prop_oneof![Just(Scope::Word), Just(Scope::Whole)]
    }

    fn op() -> impl Strategy<Value = CompareOp> {
        use CompareOp::{Ge, Gt, Le, Lt};
        prop_oneof![Just(Lt), Just(Le), Just(Gt), Just(Ge)]
    }

    fn number() -> impl Strategy<Value = Test> {
        (op(), "-?[1-9][0-9]{0,3}(\\.5)?").prop_map(|(op, text)| Test::Compare {
            op,
            bound: Bound::Number(text),
        })
    }

    fn time() -> impl Strategy<Value = Test> {
        let written = prop_oneof![
            Just("2020-07-01"),
            Just("2020-07-01T09:00:00"),
            Just("2020-07-01T09:00:00.100Z"),
        ];
        (op(), written).prop_map(|(op, text)| {
            let span = Timestamp::parse_loose(text).unwrap();
            let bound = Bound::Time(TimeBound::new(text, span));
            Test::Compare { op, bound }
        })
    }

    fn word_test() -> impl Strategy<Value = Test> {
        let parts = prop::collection::vec(prop_oneof![Just(String::new()), text()], 2..4);
        prop_oneof![
            literal().prop_map(Test::Equals),
            literal().prop_map(Test::Matches),
            (parts, scope()).prop_map(|(parts, scope)| Test::Glob { parts, scope }),
            (text(), 1..=2_u8, scope()).prop_map(|(text, edits, scope)| Test::Fuzzy {
                text,
                edits,
                scope
            }),
            Just(Test::Exists),
        ]
    }

    /// A test below `prefix`, or anywhere.
    fn leaf(prefix: &'static str) -> impl Strategy<Value = Filter> {
        let own = move |name: &str| match prefix {
            "" => FieldRef::canonical(name),
            "raw" => FieldRef::Raw(format!("a.b.{name}")),
            group => FieldRef::canonical(&format!("{group}.{name}")),
        };
        let (words, numbers, times): (Vec<&str>, Vec<&str>, Vec<&str>) = match prefix {
            "" => (
                vec!["bot", "input.text", "labels.x y", "event.meta.a"],
                vec!["latency_ms"],
                vec!["time.request"],
            ),
            "raw" => (vec!["x", "y z.\"q"], vec!["x"], vec!["x"]),
            _ => (vec!["name"], vec!["confidence"], vec![]),
        };
        let test = |names: Vec<&'static str>, test: BoxedStrategy<Test>| {
            (prop::sample::select(names), test)
        };
        let mut all = vec![
            test(words, word_test().boxed()).boxed(),
            test(numbers, number().boxed()).boxed(),
        ];
        if !times.is_empty() {
            all.push(test(times, time().boxed()).boxed());
        }
        prop::strategy::Union::new(all).prop_map(move |(name, test)| Filter::Test {
            field: own(name),
            test,
        })
    }

    fn tree(leaf: impl Strategy<Value = Filter> + 'static) -> BoxedStrategy<Filter> {
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
                inner.prop_map(Filter::negate),
            ]
        })
        .boxed()
    }

    fn element(field: FieldRef, inner: BoxedStrategy<Filter>) -> impl Strategy<Value = Filter> {
        inner.prop_map(move |inner| Filter::Element {
            field: field.clone(),
            inner: Box::new(inner),
        })
    }

    fn filter() -> BoxedStrategy<Filter> {
        let intents = element(FieldRef::canonical("intents"), tree(leaf("intents")));
        let raw = element(FieldRef::Raw("a.b".to_owned()), tree(leaf("raw")));
        tree(prop_oneof![4 => leaf(""), 2 => leaf("raw"), 1 => intents, 1 => raw])
    }

    proptest! {
        #[test]
        fn parsing_what_was_printed_gives_the_same_filter(filter in filter()) {
            let printed = print::print(&filter);
            let parsed = parse(&printed, Names::Own, false);
            prop_assert_eq!(parsed, Ok(filter.normal()), "{}", printed);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            for names in [Names::V1, Names::V2, Names::Own] {
                if let Err(error) = parse(&text, names, true) {
                    prop_assert!(error.column <= text.chars().count() + 1);
                }
            }
            drop(check_mandatory(&text));
        }

        #[test]
        fn no_text_of_the_language_makes_the_parser_panic(
            text in "(request\\.input\\.text|response\\.intents|intent|a\\.b|::|:|!|[<>=,|()\\[\\]\"\\\\*~ 1x]){0,30}"
        ) {
            for names in [Names::V1, Names::Own] {
                drop(parse(&text, names, true));
            }
        }
    }
}
