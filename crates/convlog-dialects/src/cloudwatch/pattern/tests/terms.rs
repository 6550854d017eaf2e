//! Unstructured patterns.

use super::*;

#[test]
fn terms_stand_anywhere_and_all_of_them() {
    check(&[
        ("", "anything", true),
        ("", "", true),
        ("  \t ", "anything", true),
        ("\" \"", "{\"a\":1}", true),
        ("\"\"", "x", true),
        ("ERROR", "[ERROR] it broke", true),
        ("ERROR", "no ERRORCODE today", true),
        ("ERROR", "error", false),
        ("error", "ERROR", false),
        ("ERROR", "", false),
        ("ERROR late", "late and an ERROR", true),
        ("ERROR late", "ERROR", false),
        ("  ERROR \t late ", "ERROR, late", true),
        ("user_id", "the user_id is 7", true),
        ("404", "status 404", true),
        ("404", "status 405", false),
        ("Größe", "die Größe", true),
        ("ERROR ERROR", "ERROR", true),
    ]);
}

#[test]
fn phrases_are_exact() {
    check(&[
        ("\"bad request\"", "a bad request came", true),
        ("\"bad request\"", "bad  request", false),
        ("\"bad request\"", "request bad", false),
        ("\"it's 4*\"", "it's 4*", true),
        ("\"it's 4*\"", "it's 42", false),
        (r#""say \"hi\"""#, r#"he did say "hi""#, true),
        (r#""say \"hi\"""#, "he did say hi", false),
        (r#""a\\b""#, r"a\b", true),
        (r#""a\\b""#, r"a\\b", false),
        (r#""a\nb""#, r"a\nb", true),
        (r#""a\nb""#, "a\nb", false),
        ("\"[ERROR]\" \"{x}\"", "{x} [ERROR]", true),
        ("\" \" x", "x", false),
        ("\"-x\"", "a-x", true),
        ("\"?x\"", "why?x", true),
        (
            r#""\"missedUtterance\":true""#,
            r#"{"missedUtterance":true}"#,
            true,
        ),
    ]);
}

#[test]
fn excluded_terms_stand_nowhere() {
    check(&[
        ("ERROR -Exiting", "ERROR", true),
        ("ERROR -Exiting", "Exiting with ERROR", false),
        ("ERROR -Exiting", "fine", false),
        ("ERROR - \"Exiting with\"", "Exiting ERROR", true),
        ("ERROR - \"Exiting with\"", "Exiting with ERROR", false),
        ("-DEBUG", "INFO", true),
        ("-DEBUG", "DEBUG", false),
        ("-DEBUG -TRACE", "TRACE", false),
        ("-DEBUG -TRACE", "INFO", true),
        ("-DEBUG ERROR", "ERROR", true),
        ("-\"\"", "anything", false),
    ]);
}

#[test]
fn one_optional_term_is_enough() {
    check(&[
        ("?ERROR ?WARN", "ERROR WARN", true),
        ("?ERROR ?WARN", "ERROR", true),
        ("?ERROR ?WARN", "WARN", true),
        ("?ERROR ?WARN", "INFO", false),
        ("?\"bad request\" ?WARN", "bad request", true),
        ("?ERROR", "INFO", false),
        // Beside other terms they do not count.
        ("?ERROR late", "late", true),
        ("?ERROR late", "ERROR", false),
        ("?ERROR -late", "INFO", true),
        ("?ERROR -late", "ERROR late", false),
    ]);
}

#[test]
fn regular_expressions_are_found_anywhere() {
    check(&[
        ("%AUTHORIZED%", "401 UNAUTHORIZED", true),
        ("%^AUTHORIZED%", "401 UNAUTHORIZED", false),
        ("%colou?r%", "the color", true),
        ("%colou?r%", "the colouur", false),
        (r"%10\.10\.0\.[0-9]+$%", "from 10.10.0.17", true),
        (r"%10\.10\.0\.[0-9]+$%", "from 10.10.0.17 on", false),
        ("%gray|grey%", "grey", true),
        (r"%\d{3}%", "12 345", true),
        (r"%\d{3}%", "12 34", false),
        (r"%5\%%", "at 5%", true),
        (r"%^[\w-]{300}$%", "id-1", false),
        (r"%^[\w-]{2,300}\s\S\W\D$%", "id-1 ä-x", true),
        (r"%^\w$%", "ä", false),
        (r"%^.$%", "ä", true),
        (r"%\x41B%", "AB", true),
        ("-%[45][0-9]+% status", "status 200", true),
        ("-%[45][0-9]+% status", "status 404", false),
        ("?%a+b% ?c", "aaab", true),
    ]);
}

#[test]
fn terms_extract_nothing() {
    assert_eq!(extracted("ERROR", "an ERROR"), pairs(&[]));
    assert_eq!(extracted("", "an ERROR"), pairs(&[]));
}

#[test]
fn a_session_is_found_by_its_quoted_id() {
    let entry = |session: &str| {
        format!(r#"{{"sessionId":"{session}","inputTranscript":"hi","messageVersion":"1.0"}}"#)
    };
    let id = "0b6ff2a1-77c5-4c0a-a5e5-1d1b2f4c9a10";
    let pattern = Pattern::parse(&format!("\"{id}\"")).unwrap();
    assert!(pattern.matches(&entry(id)));
    assert!(!pattern.matches(&entry("0b6ff2a1-77c5-4c0a-a5e5-1d1b2f4c9a11")));
}
