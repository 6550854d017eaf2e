//! Every operator on small records.

use super::*;
use crate::filter::{Bound, CompareOp, Literal, Scope, TimeBound};
use crate::record::Draft;
use crate::testkit;
use crate::time::Timestamp;

fn test(path: &str, test: Test) -> Filter {
    let field = match path.strip_prefix("raw.") {
        Some(raw) => FieldRef::Raw(raw.to_owned()),
        None => FieldRef::canonical(path),
    };
    Filter::Test { field, test }
}

/// A term as a dialect's parser hands it over: in quotes when it stands in quotes.
fn literal(text: &str) -> Literal {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) => Literal::quoted(inner),
        None => Literal::bare(text),
    }
}

fn equals(path: &str, text: &str) -> Filter {
    test(path, Test::Equals(literal(text)))
}

fn has(path: &str, text: &str) -> Filter {
    test(path, Test::Matches(literal(text)))
}

fn glob(path: &str, pattern: &str, scope: Scope) -> Filter {
    let parts = pattern.split('*').map(str::to_owned).collect();
    test(path, Test::Glob { parts, scope })
}

fn fuzzy(path: &str, text: &str, edits: u8, scope: Scope) -> Filter {
    let text = text.to_owned();
    test(path, Test::Fuzzy { text, edits, scope })
}

fn compare(path: &str, op: CompareOp, text: &str) -> Filter {
    let bound = match Timestamp::parse_loose(text) {
        Some(span) => Bound::Time(TimeBound::new(text, span)),
        None => Bound::Number(text.to_owned()),
    };
    test(path, Test::Compare { op, bound })
}

fn element(path: &str, inner: Filter) -> Filter {
    let Filter::Test { field, .. } = test(path, Test::Exists) else {
        unreachable!("made a test");
    };
    let inner = Box::new(inner);
    Filter::Element { field, inner }
}

fn passes(draft: &Draft, filter: &Filter) -> bool {
    matches(filter, &draft.flat())
}

fn said(text: &str, filter: &Filter) -> bool {
    passes(&testkit::said(text), filter)
}

#[test]
fn exact_is_the_whole_string_byte_for_byte() {
    assert!(said("Order", &equals("input.text", "Order")));
    assert!(!said("Order", &equals("input.text", "order")));
    assert!(!said("Order now", &equals("input.text", "Order")));
    assert!(said("é", &equals("input.text", "é")));
    assert!(!said("e\u{301}", &equals("input.text", "é")));
}

#[test]
fn a_bare_number_is_that_number_and_that_string() {
    for raw in [
        r#"{"a":1}"#,
        r#"{"a":1.0}"#,
        r#"{"a":"1"}"#,
        r#"{"a":[2,10e-1]}"#,
    ] {
        assert!(passes(&testkit::draft(raw), &equals("raw.a", "1")), "{raw}");
    }
    for raw in [r#"{"a":"1.0"}"#, r#"{"a":true}"#, r#"{"a":[[2]]}"#] {
        assert!(
            !passes(&testkit::draft(raw), &equals("raw.a", "1")),
            "{raw}"
        );
    }
    let number = testkit::draft(r#"{"a":1}"#);
    assert!(!passes(&number, &equals("raw.a", "\"1\"")));
    assert!(!passes(&number, &has("raw.a", "\"1\"")));
    assert!(passes(&number, &has("raw.a", "1.00")));
}

#[test]
fn a_bare_truth_is_that_boolean_and_that_string() {
    for raw in [r#"{"a":true}"#, r#"{"a":"true"}"#] {
        assert!(
            passes(&testkit::draft(raw), &equals("raw.a", "true")),
            "{raw}"
        );
        assert!(passes(&testkit::draft(raw), &has("raw.a", "TRUE")), "{raw}");
    }
    let truth = testkit::draft(r#"{"a":true}"#);
    for filter in [
        equals("raw.a", "\"true\""),
        equals("raw.a", "TRUE"),
        equals("raw.a", "1"),
    ] {
        assert!(!passes(&truth, &filter), "{filter:?}");
    }
}

#[test]
fn the_empty_text_also_stands_for_a_missing_field() {
    let empty = equals("raw.a", "\"\"");
    for raw in [
        "{}",
        r#"{"a":null}"#,
        r#"{"a":""}"#,
        r#"{"a":[]}"#,
        r#"{"a":["x",""]}"#,
    ] {
        assert!(passes(&testkit::draft(raw), &empty), "{raw}");
        assert!(passes(&testkit::draft(raw), &has("raw.a", "")), "{raw}");
    }
    for raw in [r#"{"a":" "}"#, r#"{"a":0}"#, r#"{"a":{"b":1}}"#] {
        assert!(!passes(&testkit::draft(raw), &empty), "{raw}");
    }
}

#[test]
fn a_match_finds_folded_stemmed_words_in_order() {
    let text = "I was ORDERING two large Coffees";
    for found in [
        "order",
        "Ordered",
        "\"large coffee\"",
        "\"two larges coffee\"",
        "i",
    ] {
        assert!(said(text, &has("input.text", found)), "{found}");
    }
    for absent in ["ord", "\"coffee large\"", "\"order large\"", "tea", " "] {
        assert!(!said(text, &has("input.text", absent)), "{absent}");
    }
    assert!(said("die STRASSE", &has("input.text", "straße")));
}

#[test]
fn words_are_stemmed_by_the_language_of_the_record() {
    let mut draft = testkit::said("ordering");
    assert!(passes(&draft, &has("input.text", "order")));
    for language in ["es", "cs", "xx"] {
        draft.set_text("language", language);
        assert!(!passes(&draft, &has("input.text", "order")), "{language}");
    }
    draft.set_text("language", "en-GB");
    assert!(passes(&draft, &has("input.text", "order")));
}

#[test]
fn ideographs_are_found_inside_of_longer_text() {
    assert!(said("東京に行きたい", &has("input.text", "東京")));
    assert!(said("東京に行きたい", &has("input.text", "行きたい")));
    assert!(!said("東京に行きたい", &has("input.text", "京東")));
}

#[test]
fn symbols_of_a_match_must_be_there_literally() {
    assert!(said("!Hello there", &has("input.text", "!hello")));
    assert!(!said("hello there", &has("input.text", "!hello")));
    assert!(!said("hello!", &has("input.text", "!hello")));
    assert!(said("ok 😀", &has("input.text", "😀")));
    assert!(said("3 < 4", &has("input.text", " < ")));
    assert!(!said("3 4", &has("input.text", "<")));
}

#[test]
fn outside_of_text_a_match_is_the_whole_folded_value() {
    let draft = testkit::draft(r#"{"a":"Two Words","t":"2020-07-01T12:00:00+02:00"}"#);
    assert!(passes(&draft, &has("raw.a", "two words")));
    assert!(!passes(&draft, &has("raw.a", "two")));
    assert!(passes(&draft, &has("raw.t", "2020-07-01T10:00:00Z")));
    assert!(passes(&draft, &has("raw.t", "2020-07-01")));
    assert!(!passes(&draft, &equals("raw.t", "2020-07-01T10:00:00Z")));
}

#[test]
fn times_of_time_fields_are_equal_by_value() {
    let mut draft = testkit::draft("{}");
    draft.set_text("time.request", "2020-07-01T10:00:00.5Z");
    for same in [
        "2020-07-01T12:00:00.500+02:00",
        "\"2020-07-01T10:00:00.5\"",
        "2020-07-01",
    ] {
        assert!(passes(&draft, &equals("time.request", same)), "{same}");
    }
    assert!(!passes(
        &draft,
        &equals("time.request", "2020-07-01T10:00:00Z")
    ));
}

#[test]
fn a_pattern_is_laid_over_single_unstemmed_words_of_text() {
    let text = "Comments about communications";
    for found in ["comm*s", "*ABOUT*", "c*t*s", "comments", "*"] {
        assert!(
            said(text, &glob("input.text", found, Scope::Word)),
            "{found}"
        );
    }
    for absent in ["comment", "comments*communications", "ab*ab*"] {
        assert!(
            !said(text, &glob("input.text", absent, Scope::Word)),
            "{absent}"
        );
    }
}

#[test]
fn a_pattern_on_the_whole_value_minds_case() {
    assert!(said(
        "Order now",
        &glob("input.text", "Order*", Scope::Whole)
    ));
    assert!(!said(
        "Order now",
        &glob("input.text", "order*", Scope::Whole)
    ));
    assert!(!said("ab", &glob("input.text", "ab*b", Scope::Whole)));
    let draft = testkit::draft(r#"{"a":"Acme-1","n":123}"#);
    assert!(passes(&draft, &glob("raw.a", "acme*", Scope::Word)));
    assert!(passes(&draft, &glob("raw.a", "Acme*", Scope::Whole)));
    assert!(!passes(&draft, &glob("raw.a", "acme*", Scope::Whole)));
    assert!(passes(&draft, &glob("raw.n", "12*", Scope::Whole)));
}

#[test]
fn fuzzy_counts_edits_of_each_word() {
    assert!(said(
        "cats and cars",
        &fuzzy("input.text", "car", 1, Scope::Word)
    ));
    assert!(!said("cats", &fuzzy("input.text", "car", 1, Scope::Word)));
    assert!(said("cats", &fuzzy("input.text", "CAR", 2, Scope::Word)));
    assert!(said(
        "is IBN Watsn up",
        &fuzzy("input.text", "ibm watson", 1, Scope::Word)
    ));
    assert!(!said(
        "Watsn IBN",
        &fuzzy("input.text", "ibm watson", 1, Scope::Word)
    ));
    assert!(!said("a b", &fuzzy("input.text", "!?", 2, Scope::Word)));
    assert!(said("naïve", &fuzzy("input.text", "naive", 1, Scope::Word)));
}

#[test]
fn fuzzy_on_the_whole_value_minds_case() {
    assert!(said(
        "Order now",
        &fuzzy("input.text", "Order nov", 1, Scope::Whole)
    ));
    assert!(!said(
        "Order now",
        &fuzzy("input.text", "order nov", 1, Scope::Whole)
    ));
    let draft = testkit::draft(r#"{"a":"Acme 1"}"#);
    assert!(passes(&draft, &fuzzy("raw.a", "acme", 2, Scope::Word)));
    assert!(!passes(&draft, &fuzzy("raw.a", "acme", 1, Scope::Word)));
}

#[test]
fn numbers_compare_by_exact_value() {
    let draft = testkit::draft(r#"{"a":9007199254740993,"s":"5"}"#);
    assert!(passes(
        &draft,
        &compare("raw.a", CompareOp::Gt, "9007199254740992")
    ));
    assert!(!passes(
        &draft,
        &compare("raw.a", CompareOp::Le, "9007199254740992")
    ));
    assert!(passes(
        &draft,
        &compare("raw.a", CompareOp::Ge, "9007199254740993.0")
    ));
    assert!(!passes(&draft, &compare("raw.s", CompareOp::Lt, "6")));
    assert!(!passes(&draft, &compare("raw.none", CompareOp::Lt, "6")));
}

#[test]
fn a_day_is_compared_at_its_near_edge() {
    let at = |time: &str| testkit::draft(&format!(r#"{{"t":"{time}"}}"#));
    let holds = |time: &str, op: CompareOp| passes(&at(time), &compare("raw.t", op, "2020-07-01"));
    for inside in ["2020-07-01T00:00:00Z", "2020-07-01T23:59:59.999999Z"] {
        assert!(holds(inside, CompareOp::Ge) && holds(inside, CompareOp::Le));
        assert!(!holds(inside, CompareOp::Lt) && !holds(inside, CompareOp::Gt));
    }
    assert!(holds("2020-06-30T23:59:59Z", CompareOp::Lt));
    assert!(holds("2020-07-02T00:00:00Z", CompareOp::Gt));
    assert!(!holds("on 2020-07-02T00:00:00Z", CompareOp::Gt));
}

#[test]
fn existence_is_a_value_here_or_below() {
    let draft = testkit::draft(r#"{"a":{"b":[{"c":1}]},"n":null,"x.y":2,"e":{}}"#);
    for there in ["raw.a", "raw.a.b", "raw.a.b.c", "raw.x.y", "raw.x", "kind"] {
        assert!(passes(&draft, &test(there, Test::Exists)), "{there}");
    }
    for missing in ["raw.n", "raw.e", "raw.c", "raw.a.b.c.d", "user", "intents"] {
        assert!(!passes(&draft, &test(missing, Test::Exists)), "{missing}");
    }
}

#[test]
fn a_negation_holds_where_the_field_is_missing() {
    let not = |filter: Filter| filter.negate();
    assert!(passes(&testkit::draft("{}"), &not(equals("raw.a", "1"))));
    assert!(!passes(
        &testkit::draft(r#"{"a":[1,2]}"#),
        &not(equals("raw.a", "1"))
    ));
}

#[test]
fn and_or_of_nothing() {
    let draft = testkit::draft("{}");
    assert!(passes(&draft, &Filter::And(Vec::new())) && passes(&draft, &Filter::All));
    assert!(!passes(&draft, &Filter::Or(Vec::new())));
}

fn intents() -> Draft {
    let mut draft = testkit::draft(
        r#"{"response":{"intents":[{"intent":"hello","confidence":0.2},
            {"intent":"order","confidence":0.9},{"confidence":1}]}}"#,
    );
    draft.set_ref("intents.name", &["response", "intents", "intent"]);
    draft.set_ref("intents.confidence", &["response", "intents", "confidence"]);
    draft
}

#[test]
fn ungrouped_tests_may_be_passed_by_different_elements() {
    let high = compare("intents.confidence", CompareOp::Ge, "0.9");
    assert!(passes(
        &intents(),
        &equals("intents.name", "hello").and(high)
    ));
}

#[test]
fn a_group_is_passed_by_one_element_negations_included() {
    let and = |a: Filter, b: Filter| element("intents", a.and(b));
    let confident = |op| compare("intents.confidence", op, "0.9");
    let named = |name| equals("intents.name", name);
    assert!(passes(
        &intents(),
        &and(named("order"), confident(CompareOp::Ge))
    ));
    assert!(!passes(
        &intents(),
        &and(named("hello"), confident(CompareOp::Ge))
    ));
    assert!(passes(
        &intents(),
        &and(named("hello"), confident(CompareOp::Ge).negate())
    ));
    assert!(!passes(
        &intents(),
        &and(named("order"), confident(CompareOp::Ge).negate())
    ));
    let unnamed = test("intents.name", Test::Exists).negate();
    assert!(passes(&intents(), &and(unnamed, confident(CompareOp::Gt))));
    assert!(passes(
        &intents(),
        &element("intents", equals("intents.name", ""))
    ));
    let nowhere = element("entities", Filter::All);
    assert!(!passes(&intents(), &nowhere));
}

#[test]
fn groups_may_hold_groups() {
    let draft = testkit::draft(
        r#"{"a":[{"k":1,"b":[{"x":1,"y":1},{"x":2,"y":2}]},{"k":2,"b":[{"x":1,"y":2}]}]}"#,
    );
    let inner = |x: &str, y: &str| {
        element(
            "raw.a.b",
            equals("raw.a.b.x", x).and(equals("raw.a.b.y", y)),
        )
    };
    let outer = |k: &str, inner: Filter| element("raw.a", equals("raw.a.k", k).and(inner));
    assert!(passes(&draft, &outer("1", inner("2", "2"))));
    assert!(passes(&draft, &outer("2", inner("1", "2"))));
    assert!(!passes(&draft, &outer("1", inner("1", "2"))));
    assert!(passes(&draft, &outer("2", inner("1", "1").negate())));
    // What lies in an inner element lies in the outer one too.
    assert!(passes(&draft, &outer("2", equals("raw.a.b.y", "2"))));
    assert!(!passes(&draft, &outer("2", equals("raw.a.b.x", "2"))));
}
