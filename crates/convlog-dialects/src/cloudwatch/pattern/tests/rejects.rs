//! What is refused, and where.

use super::*;

const REJECTS: &[(&str, usize, &str)] = &[
    (
        "foo-bar",
        4,
        "expected a space; signs in a term need quotes around it",
    ),
    (
        "a,b",
        2,
        "expected a space; signs in a term need quotes around it",
    ),
    (
        "a*",
        2,
        "expected a space; signs in a term need quotes around it",
    ),
    (
        "\"a\"b",
        4,
        "expected a space; signs in a term need quotes around it",
    ),
    (
        "a\"b\"",
        2,
        "expected a space; signs in a term need quotes around it",
    ),
    ("a :", 3, "expected a term; signs need quotes"),
    ("-", 2, "expected a term; signs need quotes"),
    ("--a", 2, "expected a term; signs need quotes"),
    ("a ?", 4, "expected a term; signs need quotes"),
    ("ä \"b", 3, "this quote is not closed"),
    ("\"a\\\"", 1, "this quote is not closed"),
    ("a %b", 3, "this regular expression is not closed"),
    ("%%", 1, "expected a regular expression between `%`"),
    (
        "%something!%",
        11,
        "this sign is not supported in regular expressions",
    ),
    (
        "%(a)%",
        2,
        "this sign is not supported in regular expressions",
    ),
    (
        "%a b%",
        3,
        "this sign is not supported in regular expressions",
    ),
    (
        "%ä%",
        2,
        "this sign is not supported in regular expressions",
    ),
    (
        "%\\b%",
        2,
        "this sign is not supported in regular expressions",
    ),
    ("%[a%", 1, "this is no regular expression"),
    ("x %*a%", 3, "this is no regular expression"),
    ("%a{1000}{1000}%", 1, "this regular expression is too big"),
    (
        "%a% %b% %c%",
        9,
        "a pattern has at most 2 regular expressions",
    ),
    ("{", 2, "expected a selector, which begins with `$`"),
    ("{}", 2, "expected a selector, which begins with `$`"),
    ("{ a = 1 }", 3, "expected a selector, which begins with `$`"),
    (
        "{ $ = 1 }",
        4,
        "expected `.` or `[` and the name of a field",
    ),
    (
        "{ $a = 1 }",
        4,
        "expected `.` or `[` and the name of a field",
    ),
    ("{ $. = 1 }", 5, "expected the name of a field"),
    ("{ $.a..b = 1 }", 7, "expected the name of a field"),
    ("{ $.* = 1 }", 5, "expected the name of a field"),
    ("{ $[0] = 1 }", 5, "expected a name in quotes"),
    (
        "{ $.a[*] = 1 }",
        7,
        "expected a number from 0 or a name in quotes",
    ),
    (
        "{ $.a[-1] = 1 }",
        7,
        "expected a number from 0 or a name in quotes",
    ),
    ("{ $.a[0 = 1 }", 8, "expected `]`"),
    ("{ $.a['b] = 1 }", 7, "this quote is not closed"),
    ("{ $.a[99999999999] = 1 }", 7, "expected a smaller number"),
    ("{ $.a }", 7, "expected an operator such as `=` or `!=`"),
    (
        "{ $.a == 1 }",
        8,
        "expected a value; other signs need quotes",
    ),
    ("{ $.a ! 1 }", 7, "expected an operator such as `=` or `!=`"),
    ("{ $.a = }", 9, "expected a value; other signs need quotes"),
    (
        "{ $.a = $x }",
        9,
        "expected a value; other signs need quotes",
    ),
    (
        "{ $.a = 'x' }",
        9,
        "expected a value; other signs need quotes",
    ),
    ("{ $.a = \"x }", 9, "this quote is not closed"),
    ("{ $.a > x }", 9, "expected a number"),
    ("{ $.a > \"1\" }", 9, "expected a number"),
    ("{ $.a > 1* }", 9, "expected a number"),
    ("{ $.a > +-1 }", 9, "expected a number"),
    ("{ $.a < %1% }", 9, "expected a number"),
    (
        "{ $.a IS NOT NULL }",
        7,
        "expected `IS NULL`, `IS TRUE` or `IS FALSE`",
    ),
    (
        "{ $.a IS }",
        7,
        "expected `IS NULL`, `IS TRUE` or `IS FALSE`",
    ),
    (
        "{ $.a EXISTS }",
        7,
        "expected an operator, `IS` or `NOT EXISTS`",
    ),
    (
        "{ $.a NOT NULL }",
        7,
        "expected an operator, `IS` or `NOT EXISTS`",
    ),
    ("{ $.a = 1", 1, "this brace is not closed"),
    ("{ $.a = 1 } x", 13, "expected the end"),
    ("{ $.a = 1 & $.b = 1 }", 11, "expected `&&`, `||` or `}`"),
    ("{ $.a = a b }", 11, "expected `&&`, `||` or `}`"),
    (
        "{ $.a = 1 && }",
        14,
        "expected a selector, which begins with `$`",
    ),
    ("{ ($.a = 1 }", 12, "expected `&&`, `||` or `)`"),
    ("{ ($.a = 1", 3, "this parenthesis is not closed"),
    ("{ $.a = 1) }", 10, "expected `&&`, `||` or `}`"),
    ("[]", 2, "expected the name of a field or `...`"),
    ("[", 2, "expected the name of a field"),
    ("[a", 1, "this bracket is not closed"),
    ("[a, b=1", 1, "this bracket is not closed"),
    ("[a b]", 4, "expected an operator such as `=` or `!=`"),
    ("[a=1 b]", 6, "expected `,`, `]`, `&&` or `||`"),
    ("[=1]", 2, "expected the name of a field"),
    ("[a=]", 4, "expected a value; other signs need quotes"),
    ("[a>x]", 4, "expected a number"),
    ("[..., a, ...]", 13, "expected one `...` at most"),
    (
        "[a=1 && b=2]",
        9,
        "expected the same name: conditions in one place are on one field",
    ),
    ("[a] b", 5, "expected the end"),
];

#[test]
fn what_is_wrong_is_refused_with_its_column() {
    let mut wrong = Vec::new();
    for (pattern, column, message) in REJECTS {
        let got = Pattern::parse(pattern).map(|read| format!("{read:?}"));
        let expected = PatternError::new(*message, *column);
        if got.as_ref() != Err(&expected) {
            wrong.push(format!("{pattern}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let shown = Pattern::parse("foo-secret").unwrap_err().to_string();
    assert_eq!(
        shown,
        "expected a space; signs in a term need quotes around it at column 4"
    );
}

#[test]
fn length_depth_and_terms_are_bounded() {
    let refused = |pattern: String| {
        let error = Pattern::parse(&pattern).unwrap_err();
        (error.column, error.message)
    };
    assert!(Pattern::parse(&"ä".repeat(LENGTH_MAX)).is_ok());
    let long = refused("ä".repeat(LENGTH_MAX + 1));
    assert_eq!(
        long,
        (1_025, "a pattern has at most 1024 characters".to_owned())
    );

    let nested = |n: usize| format!("{{{}$.a=1{}}}", "(".repeat(n), ")".repeat(n));
    assert!(Pattern::parse(&nested(DEPTH_MAX)).is_ok());
    let deep = refused(nested(DEPTH_MAX + 1));
    assert_eq!(
        deep,
        (
            52,
            "parentheses are nested deeper than 50 levels".to_owned()
        )
    );

    let terms = |n: usize| "a ".repeat(n);
    assert!(Pattern::parse(&terms(TERMS_MAX)).is_ok());
    let many = (257, "a pattern has at most 128 terms".to_owned());
    assert_eq!(refused(terms(TERMS_MAX + 1)), many);
    let commas = |n: usize| format!("[{}]", ",".repeat(n));
    assert!(Pattern::parse(&commas(TERMS_MAX - 1)).is_ok());
    assert_eq!(refused(commas(TERMS_MAX)).1, many.1);
    let conditions = vec!["$.a=1"; TERMS_MAX + 1].join("&&");
    assert_eq!(refused(format!("{{{conditions}}}")).1, many.1);
}

proptest::proptest! {
    #[test]
    fn every_text_is_read_or_refused_within_itself(text in "[\\[{]?[a\"%$.*=!<>&|()\\[\\]{}?, 1-]{0,40}") {
        match Pattern::parse(&text) {
            Ok(pattern) => {
                let got = pattern.matches(&text);
                assert!(got || pattern.extracted(&text).is_empty());
            }
            Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.column)),
        }
    }
}
