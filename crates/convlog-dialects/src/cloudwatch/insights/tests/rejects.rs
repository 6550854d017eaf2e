//! What is refused, and where.

use proptest::prelude::*;

use super::super::*;

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let rejects = [
        ("", 0, 0),
        ("  # nothing", 11, 11),
        ("explain x", 0, 7),
        ("filter", 6, 6),
        ("| fields a", 0, 1),
        ("fields a |", 10, 10),
        ("fields a | | limit 1", 11, 12),
        ("fields a,", 9, 9),
        ("fields a as", 11, 11),
        ("fields a as 'b'", 12, 15),
        ("fields a b c", 11, 12),
        ("fields a as in", 12, 14),
        ("filter a = ", 11, 11),
        ("filter a == 1", 10, 11),
        ("filter a = 1 b", 13, 14),
        ("filter (a = 1", 13, 13),
        ("filter a = 1)", 12, 13),
        ("filter a in 1", 12, 13),
        ("filter a in []", 13, 14),
        ("filter a in [1", 14, 14),
        ("filter a not 1", 13, 14),
        ("filter a like", 13, 13),
        ("filter a like /x", 14, 15),
        ("filter a like /(/", 14, 17),
        ("filter a =~ b", 12, 13),
        ("filter a = 'x", 11, 12),
        ("filter `a = 1", 7, 8),
        ("filter `` = 1", 7, 9),
        ("filter a = 1 & b = 2", 13, 14),
        ("filter and", 7, 10),
        ("filter nofunction(a)", 7, 17),
        ("filter strlen() > 1", 7, 15),
        ("filter replace(a, b) = 1", 7, 20),
        ("filter count(*) > 1", 7, 15),
        ("filter strlen(a = 1", 19, 19),
        ("fields bin(5)", 12, 13),
        ("fields bin(5x)", 11, 13),
        ("fields bin(0m)", 11, 13),
        ("fields bin(1.5m)", 11, 15),
        ("fields datefloor(a)", 18, 19),
        ("stats a by b", 6, 7),
        ("stats count(*) by", 17, 17),
        ("stats count(count(*))", 12, 20),
        ("stats pct(a)", 11, 12),
        ("stats pct(a, 101)", 13, 16),
        ("stats count(*) by count(*)", 18, 26),
        ("limit 0", 6, 7),
        ("limit 10001", 6, 11),
        ("limit 1.5", 6, 9),
        ("limit x", 6, 7),
        ("limit 5m", 7, 8),
        ("sort", 4, 4),
        ("sort a down b", 7, 11),
        ("parse 'x *' as a", 6, 11),
        ("parse a b", 8, 9),
        ("parse a 'x' as b", 8, 11),
        ("parse a '* *' as b", 8, 18),
        ("parse a '*'", 11, 11),
        ("parse a /(x)/", 8, 13),
        ("SOURCE lex", 7, 10),
        ("SOURCE ''", 7, 9),
        ("SOURCE 'a' |", 12, 12),
        ("SOURCE 'a' fields x", 11, 17),
        ("fields a | SOURCE 'a'", 11, 17),
        ("filter a = 1e999", 11, 16),
    ];
    for (text, start, end) in rejects {
        let error = Query::parse(text).map(|_| ()).unwrap_err();
        assert_eq!((error.start, error.end), (start, end), "{text}: {error}");
    }
}

#[test]
fn lines_and_columns_are_counted_in_characters() {
    let error = Query::parse("filter a = 'äöü' # é\n| filter b = ").unwrap_err();
    assert_eq!(error.to_string(), "expected a value at line 2 column 14");
    assert_eq!((error.start, error.end), (34, 34));
    let error = Query::parse("filter secret like /pass(word/").unwrap_err();
    assert!(!error.message.contains("pass"), "{error}");
}

#[test]
fn sizes_are_bounded() {
    let too_much = [
        ("a".repeat(10_001), "at most 10000 characters"),
        (format!("filter {}a", "(".repeat(60)), "nested deeper"),
        (format!("filter {}a", "not ".repeat(60)), "nested deeper"),
        (format!("fields {}1", "-".repeat(60)), "nested deeper"),
        (format!("fields {}1", "2^".repeat(60)), "nested deeper"),
        (
            format!("fields {}1", "1+".repeat(101)),
            "operators in a row",
        ),
        (
            format!("fields {}1", "a,".repeat(1_001)),
            "fields and values",
        ),
        (format!("{}limit 1", "limit 1|".repeat(64)), "64 commands"),
        (
            format!("filter {}a", "a like /x/ or ".repeat(21)),
            "20 patterns",
        ),
        (r"filter a like /\w{500}{500}/".to_owned(), "too large"),
        (
            format!("stats count(*){}", ",count(*)".repeat(50)),
            "50 aggregates",
        ),
        (format!("SOURCE 'g'{}", ",'g'".repeat(50)), "50 log groups"),
    ];
    for (text, message) in too_much {
        let error = Query::parse(&text).map(|_| ()).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert!(error.start <= error.end && error.end <= text.chars().count());
    }
}

#[test]
fn sources_are_listed() {
    let query = Query::parse("SOURCE 'a', \"b\" | source `c` | limit 3").unwrap();
    assert_eq!(query.sources(), ["a", "b", "c"]);
    assert!(Query::parse("limit 3").unwrap().sources().is_empty());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        if let Err(error) = Query::parse(&text) {
            prop_assert!(error.end <= text.chars().count());
        }
    }

    #[test]
    fn no_text_of_the_language_panics(
        words in proptest::collection::vec(
            "fields|filter|stats|sort|limit 5|parse|dedup|display|by|as|\\||,|a\\.b|@t|1|'x\\*'|/x/|/\\(\\?<g>x\\)/|count\\(\\*\\)|bin\\(5m\\)|strlen\\(a\\)|in \\[1\\]|like|not|and|=|[-+*/%^()]|`q`|#|\n",
            0..12,
        )
    ) {
        if let Ok(query) = Query::parse(&words.join(" ")) {
            drop(query.narrow());
            let mut run = query.run_within(ROWS_DEFAULT);
            for message in ["{\"a\":{\"b\":1},\"q\":\"x\"}", "x"] {
                run.push(&super::event(message)).unwrap();
            }
            run.finish().unwrap();
        }
    }
}
