//! The validator on a small table of its own; `walk` breaks each constraint of a whole API.

pub(crate) mod walk;

use super::*;
use convlog_model::json::Json;

static LETTERS: Pattern = Pattern::new(r"^([A-Za-z]_?)+$|#");
static WORD: Pattern = Pattern::new(r"[\w\-]+\d");
static LINE: Pattern = Pattern::new("a.b");
static BROKEN: Pattern = Pattern::new("(");

static ROOT: Shape = Shape::Structure(&[
    required("name", &NAME).param("wire-name"),
    optional("names", &NAMES).param("n"),
    optional("count", &COUNT).param("count"),
    optional("deep", &DEEP).param("deep"),
    optional("items", &ITEMS),
    optional("map", &MAP),
    optional("sparse", &SPARSE),
    optional("share", &SHARE),
    optional("size", &SIZE),
    optional("when", &WHEN),
    optional("bytes", &BYTES),
]);
static NAME: Shape = matching(between(2, 5), &LETTERS);
static NAMES: Shape = Shape::list(between(1, 2), &NAME);
static COUNT: Shape = Shape::Integer(between(1, 50));
static DEEP: Shape = Shape::Boolean;
static ITEMS: Shape = Shape::list(at_most(20), &ITEM);
static ITEM: Shape = Shape::Structure(&[required("kind", &KIND), optional("word", &NAME)]);
static KIND: Shape = one_of(&["A", "B"]);
static MAP: Shape = Shape::map(between(1, 2), &NAME, &PLAIN);
static PLAIN: Shape = text(ANY);
static SPARSE: Shape = Shape::Map {
    length: ANY,
    key: &PLAIN,
    value: &PLAIN,
    sparse: true,
};
static SHARE: Shape = Shape::Double(between(0, 1));
static SIZE: Shape = Shape::Long(at_least(0));
static WHEN: Shape = Shape::Timestamp;
static BYTES: Shape = Shape::Blob;

fn told(body: &str, params: &[(&str, &str)]) -> String {
    let body = Json::parse(body.as_bytes()).unwrap();
    match check(&ROOT, &body, params) {
        Ok(()) => "ok".to_owned(),
        Err(invalid) => invalid.to_string(),
    }
}

const NAMED: (&str, &str) = ("wire-name", "ab");

#[test]
fn patterns_match_the_whole_and_ascii_only() {
    assert!(LETTERS.matches("a_b") && LETTERS.matches("#"));
    assert!(!LETTERS.matches("a_b#") && !LETTERS.matches("a\n") && !LETTERS.matches("x#"));
    assert!(WORD.matches("a-1") && !WORD.matches("\u{e9}-1"));
    assert!(!WORD.matches("a-\u{0661}"));
    assert!(LINE.matches("a\u{e9}b") && !LINE.matches("a\nb") && !LINE.matches("a\rb"));
    assert!(!BROKEN.matches("("));
}

#[test]
fn what_fits() {
    for (body, params) in [
        ("{}", vec![NAMED]),
        ("null", vec![NAMED]),
        (
            r#"{"unknown":[{}],"items":null}"#,
            vec![NAMED, ("other", "x")],
        ),
        (
            r#"{"items":[{"kind":"A","word":null,"x":1}],"map":{"ab":""}}"#,
            vec![NAMED],
        ),
        (
            r#"{"sparse":{"":null,"x":"y"},"share":1,"size":9223372036854775807}"#,
            vec![NAMED],
        ),
        (
            r#"{"share":0.5e0,"when":1763668800.123,"bytes":"YQ=="}"#,
            vec![NAMED],
        ),
        // Duplicate keys: the last counts, and a map has it once.
        (
            r#"{"items":1,"items":[],"map":{"ab":"1","ab":"2","abc":"3"}}"#,
            vec![NAMED],
        ),
        // A member of a parameter is not looked for in the body.
        (r#"{"name":1,"count":"x"}"#, vec![NAMED, ("wire-name", "1")]),
        (
            "{}",
            vec![
                NAMED,
                ("n", "ab"),
                ("n", "cd"),
                ("count", "50"),
                ("deep", "false"),
            ],
        ),
    ] {
        assert_eq!(told(body, &params), "ok", "{body}");
    }
}

#[test]
fn what_breaks_constraints() {
    let at = |path: &str, constraint: &str| {
        format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: \
             {constraint}"
        )
    };
    let not_null = "Member must not be null";
    let name = "[Member must have length less than or equal to 5, Member must have length \
                greater than or equal to 2, Member must satisfy regular expression pattern: \
                ^([A-Za-z]_?)+$|#]";
    for (body, params, expected) in [
        ("{}", vec![], at("name", not_null)),
        (
            "{}",
            vec![("wire-name", "abcdef")],
            at("name", "Member must have length less than or equal to 5"),
        ),
        (
            "{}",
            vec![("wire-name", "a")],
            at("name", "Member must have length greater than or equal to 2"),
        ),
        (
            "{}",
            vec![("wire-name", "a1")],
            at(
                "name",
                "Member must satisfy regular expression pattern: ^([A-Za-z]_?)+$|#",
            ),
        ),
        (
            "{}",
            vec![NAMED, ("n", "ab"), ("n", "1")],
            at("names", &format!("Member must satisfy constraint: {name}")),
        ),
        (
            "{}",
            vec![NAMED, ("count", "51")],
            at("count", "Member must have value less than or equal to 50"),
        ),
        (
            r#"{"items":[{"kind":"A"},{"kind":"C"}]}"#,
            vec![NAMED],
            at(
                "items.2.member.kind",
                "Member must satisfy enum value set: [A, B]",
            ),
        ),
        (
            r#"{"items":[null]}"#,
            vec![NAMED],
            at("items.1.member", not_null),
        ),
        (
            r#"{"items":[{"kind":null}]}"#,
            vec![NAMED],
            at("items.1.member.kind", not_null),
        ),
        (
            r#"{"map":{}}"#,
            vec![NAMED],
            at("map", "Member must have length greater than or equal to 1"),
        ),
        (
            r#"{"map":{"secret1":"x"}}"#,
            vec![NAMED],
            at("map", &format!("Map keys must satisfy constraint: {name}")),
        ),
        (
            r#"{"map":{"ab":null}}"#,
            vec![NAMED],
            at(
                "map",
                "Map value must satisfy constraint: [Member must not be null]",
            ),
        ),
        (
            r#"{"share":1.01}"#,
            vec![NAMED],
            at("share", "Member must have value less than or equal to 1"),
        ),
        (
            r#"{"size":-9223372036854775808}"#,
            vec![NAMED],
            at("size", "Member must have value greater than or equal to 0"),
        ),
    ] {
        assert_eq!(told(body, &params), expected, "{body}");
    }
}

#[test]
fn types_that_cannot_be_read_come_first() {
    for (body, expected) in [
        ("[]", "Expected structure or null"),
        (r#"{"items":{}}"#, "items: Expected list or null"),
        (
            r#"{"items":[1]}"#,
            "items.1.member: Expected structure or null",
        ),
        (r#"{"map":[]}"#, "map: Expected map or null"),
        (
            r#"{"map":{"secret":1}}"#,
            "map: NUMBER_VALUE can not be converted to a String",
        ),
        (
            r#"{"items":[{},{"kind":true}]}"#,
            "items.2.member.kind: TRUE_VALUE can not be converted to a String",
        ),
        (
            r#"{"items":[{"kind":["A"]}]}"#,
            "items.1.member.kind: Start of list found where not expected",
        ),
        (
            r#"{"items":[{"kind":{}}]}"#,
            "items.1.member.kind: Start of structure or map found where not expected",
        ),
        (
            r#"{"size":1.0}"#,
            "size: NUMBER_VALUE can not be converted to a Long",
        ),
        (
            r#"{"size":9223372036854775808}"#,
            "size: NUMBER_VALUE can not be converted to a Long",
        ),
        (
            r#"{"share":1e999}"#,
            "share: NUMBER_VALUE can not be converted to a Double",
        ),
        (
            r#"{"when":"now"}"#,
            "when: STRING_VALUE can not be converted to a Timestamp",
        ),
        (
            r#"{"bytes":"%"}"#,
            "bytes: STRING_VALUE can not be converted to a Blob",
        ),
    ] {
        assert_eq!(told(body, &[]), expected);
    }
    for (param, expected) in [
        (
            ("count", "x"),
            "count: STRING_VALUE can not be converted to an Integer",
        ),
        (
            ("count", ""),
            "count: STRING_VALUE can not be converted to an Integer",
        ),
        (
            ("count", "1.5"),
            "count: NUMBER_VALUE can not be converted to an Integer",
        ),
        (
            ("count", "4294967296"),
            "count: NUMBER_VALUE can not be converted to an Integer",
        ),
        (
            ("deep", "yes"),
            "deep: STRING_VALUE can not be converted to a Boolean",
        ),
    ] {
        assert_eq!(told("{}", &[param]), expected);
    }
}

#[test]
fn ten_violations_are_listed_and_all_are_counted() {
    let items = vec![r#"{"word":"1"}"#; 30].join(",");
    let body = Json::parse(format!(r#"{{"items":[{items}]}}"#).as_bytes()).unwrap();
    let Err(Invalid::Violations { n_all, listed }) = check(&ROOT, &body, &[NAMED]) else {
        panic!("is refused")
    };
    // Too many items; of each the kind, the length and the pattern.
    assert_eq!(n_all, 1 + 30 * 3);
    assert_eq!(listed.len(), VIOLATIONS_LISTED_MAX);
    let text = told(&body.to_string(), &[NAMED]);
    assert!(text.starts_with("91 validation errors detected: Value at 'items' failed"));
    assert_eq!(text.matches("; Value at '").count(), 9);
}

#[test]
fn nothing_of_the_values_is_told() {
    let secret = "Secret9";
    let item = format!(r#"{{"kind":"{secret}","word":"{secret}"}}"#);
    let body = format!(r#"{{"items":[{item}],"map":{{"{secret}":null}},"{secret}":1}}"#);
    let text = told(
        &body,
        &[("wire-name", secret), ("n", secret), ("count", "999")],
    );
    assert!(text.starts_with("9 validation errors"), "{text}");
    assert!(!text.contains(secret) && !text.contains("999"), "{text}");
}
