//! What the scanner takes is what the visitor makes of it, whatever the text.

use proptest::prelude::*;

use super::super::{DEPTH_MAX, Json, Text};
use super::*;

/// Takes a text as the visitor does, or leaves it to it.
fn check(text: &[u8], depth_max: usize) -> bool {
    let told = Json::visited(text, depth_max);
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let scanned = scan(text, depth_max, true);
    if let Some(scanned) = &scanned {
        let value = scanned.value(text);
        assert_eq!(Ok(&value.to_json()), told.as_ref());
        let compact = scanned.compact.as_deref().unwrap_or(text);
        let again = scan(compact, depth_max, false).unwrap();
        assert!(again.compact.is_none());
        assert_eq!(again.value(compact).to_json(), value.to_json());
        if let Value::Object(members) = value {
            let parts = scanned
                .members
                .iter()
                .map(|span| compact.get(span.clone()).unwrap());
            let joined = parts.collect::<Vec<_>>().join(",");
            assert_eq!(compact, format!("{{{joined}}}"));
            assert_eq!(members.count(), scanned.members.len());
        }
    }
    scanned.is_some()
}

#[test]
fn ordinary_texts_are_taken() {
    for text in [
        "{}",
        "[]",
        " null ",
        "\"a\"",
        "true",
        "-0.0",
        "1E5",
        "[1e-7,2e+9,0,-1,1.50,123456789012345678901234567890]",
        "{ \"a b\" : [ 1.0 , \"x \\\" y\\\\\" ] ,\n\t\"a b\":1e+2 }\r\n",
        r#"{"":"","\u00e9\ud83d\ude00":"\u0000\n/\/","long enough for words":"żółć żółć żółć"}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"{"$serde_json::private::Number":"1},{"}"#,
        r#"[[[{"a":[{}]}]]]"#,
        "\"\u{7f}\u{80}\u{2028}\"",
    ] {
        assert!(check(text.as_bytes(), DEPTH_MAX), "{text}");
    }
}

#[test]
fn what_is_wrong_or_deep_is_left_to_the_visitor() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "00",
        "tru",
        "nulll",
        "nan",
        "1 2",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\n\"",
        "\"a",
        "\"\\",
        "'a'",
        "[1}",
        "{\"a\":1]",
        "\u{feff}1",
        r#"{"$serde_json::private::Number":"1","a":2}"#,
        "[[[[1]]]]",
    ] {
        assert!(!check(text.as_bytes(), 3), "{text}");
    }
    assert!(!check(b"\"\xff\"", 3));
    assert!(scan(&"[".repeat(200_000), usize::MAX, true).is_none());
}

#[test]
fn a_string_ends_at_the_first_quote_wherever_it_stands() {
    for special in ["\"", "\\", "\u{0}", "\u{1f}", "\n"] {
        for before in 0..20 {
            for filler in ["a", "\u{20}", "\u{7f}", "ÿ", "!", "#", "[", "]"] {
                let mut text = filler.repeat(before);
                let len = text.len();
                text.push_str(special);
                text.push_str("\u{1}\"!\u{20}\"\\");
                assert_eq!(plain_len(text.as_bytes()), len, "{text:?}");
                assert_eq!(plain_len(filler.repeat(before).as_bytes()), len);
            }
        }
    }
}

/// Texts of JSON's own characters, most of them wrong.
fn noise() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "0",
        "12",
        "-",
        ".",
        "e",
        "E+",
        "true",
        "null",
        " ",
        "\n",
        "\"a\"",
        "\"b\":",
        "é",
        "\\u0041",
        "\\n",
        "{\"k\":1}",
        "[2]",
    ]);
    proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Json> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?(e[+-][0-9]{1,3})?";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number.prop_map(|text| Json::Number(text.into())),
        any::<String>().prop_map(Json::string),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            proptest::collection::vec((any::<String>().prop_map(Text::from), inner), 0..6)
                .prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn noise_is_read_as_the_visitor_reads_it(text in noise()) {
        check(text.as_bytes(), 4);
    }

    #[test]
    fn bytes_are_read_as_the_visitor_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
        check(&bytes, 4);
    }

    #[test]
    fn every_value_is_taken_and_cut_texts_are_left(value in json(), cut in any::<prop::sample::Index>()) {
        let text = value.to_string();
        prop_assert!(check(text.as_bytes(), DEPTH_MAX));
        let scanned = scan(&text, DEPTH_MAX, false).unwrap();
        prop_assert_eq!(scanned.value(&text).to_json(), value);
        let mut bytes = text.into_bytes();
        let at = cut.index(bytes.len());
        check(&bytes[..at], DEPTH_MAX);
        bytes[at] ^= 0x01;
        check(&bytes, DEPTH_MAX);
    }
}
