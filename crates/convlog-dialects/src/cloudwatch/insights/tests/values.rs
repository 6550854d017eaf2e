//! Functions, operators and aggregates, one by one.

use super::super::*;
use super::{event, rows, run, shown};

const MESSAGE: &str = r#"{"s":" Ab ","e":"","n":5,"d":"2.5","t":true,"f":false,"big":12345678901234567890,"id":"007"}"#;

/// The value of an expression; `-` where it is absent.
fn value(expr: &str) -> String {
    let found = rows(&format!("display {expr} as x"), &[MESSAGE]);
    let shown = found[0]
        .strip_suffix("@ptr=p1")
        .unwrap()
        .trim_end_matches(' ');
    shown.strip_prefix("x=").unwrap_or("-").to_owned()
}

#[test]
fn functions() {
    for (expr, expected) in [
        ("ispresent(n)", "1"),
        ("ispresent(missing)", "0"),
        ("ISPRESENT(e)", "1"),
        ("isempty(e)", "1"),
        ("isempty(missing)", "1"),
        ("isempty(s)", "0"),
        ("isblank(replace(s, 'Ab', ''))", "1"),
        ("isblank(missing)", "1"),
        ("isblank(n)", "0"),
        ("coalesce(missing, n, s)", "5"),
        ("coalesce(missing)", "-"),
        ("concat('<', trim(s), missing, n, '>')", "<Ab5>"),
        ("strlen('äöü€')", "4"),
        ("strlen(missing)", "-"),
        ("toLower('ÄB')", "äb"),
        ("toupper('äb')", "ÄB"),
        ("trim(s)", "Ab"),
        ("concat('|', ltrim(s), '|')", "|Ab |"),
        ("concat('|', rtrim(s), '|')", "| Ab|"),
        ("trim('xxaxbxx', 'x')", "axb"),
        ("substr('conversation', 3)", "versation"),
        ("substr('conversation', 3, 4)", "vers"),
        ("substr('äöü', 1, 1)", "ö"),
        ("substr('abc', -1, 2)", "ab"),
        ("substr('abc', 9)", ""),
        ("replace('a-b-c', '-', '+')", "a+b+c"),
        ("replace('abc', '', '+')", "abc"),
        ("strcontains('roses', 'ose')", "1"),
        ("strcontains('roses', 'OSE')", "0"),
        ("strcontains(missing, 'a')", "-"),
        ("abs(-3)", "3"),
        ("ceil(2.1)", "3"),
        ("floor(-2.1)", "-3"),
        ("sqrt(16)", "4"),
        ("sqrt(-1)", "-"),
        ("log(1)", "0"),
        ("greatest(1, d, 2)", "2.5"),
        ("least(10, '9', missing)", "9"),
        ("tomillis(@timestamp)", "1767323045678"),
        ("fromMillis(1767323045678)", "2026-01-02 03:04:05.678"),
        ("fromMillis('x')", "-"),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn periods() {
    for (period, floor, ceil) in [
        (
            "100ms",
            "2026-01-02 03:04:05.600",
            "2026-01-02 03:04:05.700",
        ),
        ("30s", "2026-01-02 03:04:00.000", "2026-01-02 03:04:30.000"),
        ("5m", "2026-01-02 03:00:00.000", "2026-01-02 03:05:00.000"),
        ("2h", "2026-01-02 02:00:00.000", "2026-01-02 04:00:00.000"),
        ("1d", "2026-01-02 00:00:00.000", "2026-01-03 00:00:00.000"),
        ("1w", "2025-12-29 00:00:00.000", "2026-01-05 00:00:00.000"),
        ("1mo", "2026-01-01 00:00:00.000", "2026-02-01 00:00:00.000"),
        (
            "3 months",
            "2026-01-01 00:00:00.000",
            "2026-04-01 00:00:00.000",
        ),
        ("1y", "2026-01-01 00:00:00.000", "2027-01-01 00:00:00.000"),
    ] {
        assert_eq!(value(&format!("bin({period})")), floor, "{period}");
        assert_eq!(value(&format!("datefloor(@timestamp, {period})")), floor);
        assert_eq!(value(&format!("dateceil(@timestamp, {period})")), ceil);
        assert_eq!(value(&format!("dateceil(bin({period}), {period})")), floor);
    }
    assert_eq!(value("datefloor(missing, 1h)"), "-");
    assert_eq!(value("datefloor(-1, 1d)"), "1969-12-31 00:00:00.000");
    let far = Event {
        timestamp_ms: i64::MIN,
        ..event("{}")
    };
    assert_eq!(
        run("display bin(100000d), bin(1w), bin(5mo)", [far])
            .rows
            .len(),
        1
    );
    let far = Event {
        timestamp_ms: i64::MAX,
        ..event("{}")
    };
    assert_eq!(
        run("display dateceil(@timestamp, 100000w)", [far])
            .rows
            .len(),
        1
    );
}

#[test]
fn arithmetic_and_printing() {
    for (expr, expected) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 % 4 - -1", "4"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "-4"),
        ("n / 2", "2.5"),
        ("d * 2", "5"),
        ("t + t", "2"),
        ("1 / 3", "0.3333"),
        ("2 / 3", "0.6667"),
        ("1 / 32000", "0.00003125"),
        ("0.1 + 0.2", "0.3"),
        ("10 / 0", "-"),
        ("s + 1", "-"),
        ("0 * -1", "0"),
        ("1e3", "1000"),
        ("big", "12345678901234567890"),
        ("id", "007"),
        ("t", "1"),
        ("f", "0"),
        ("true", "1"),
        ("False", "0"),
        ("10 - 4 - 3", "3"),
        ("@timestamp - 678", "1767323045000"),
        (r#""a\"b\\c\d""#, r#"a"b\c\d"#),
        (r"'it\'s'", "it's"),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn conditions() {
    let passes = |condition: &str| rows(&format!("filter {condition}"), &[MESSAGE]).len() == 1;
    for condition in [
        "n = 5",
        "n = '5.0'",
        "n != 6 AND d > 2",
        "d <= 2.5 and d >= 2.5 and d < 10",
        "t = 1 and f = 0 and t = true",
        "t and not f and not missing",
        "not (missing = 1)",
        "not missing in [1]",
        "n in [1, 'x', 5]",
        "id not in [7]",
        "id = '007'",
        "trim(s) = 'Ab' and trim(s) != 'ab'",
        "'b' > 'a' and 'B' < 'a'",
        "s like 'Ab' and s like /^ A/ and s =~ /b\\s$/",
        "s =~ 'A[a-c]'",
        "s like /(?i)aB/",
        "s not like 'x' and s not like /x/",
        "n = 1 or n = 5 and d = 2.5",
        "`n` = 5 OR missing > 1",
        "@timestamp > 1767323045677 and @timestamp = 1767323045678",
        "@timestamp like '2026-01-02 03'",
        "@message like 'big'",
        "@logStream like /PROD/",
        "strcontains(s, 'b')",
        "strcontains(s, 'b') = 1",
    ] {
        assert!(passes(condition), "{condition}");
    }
    for condition in [
        "missing = 1",
        "missing != 1",
        "missing < 1",
        "missing not in [1]",
        "missing not like 'a'",
        "missing not like /a/",
        "missing = missing",
        "s like missing",
        "id = 7",
        "t = 'true'",
        "s like /x/",
    ] {
        assert!(!passes(condition), "{condition}");
    }
}

#[test]
fn aggregates() {
    // Newest first: times 3, 2, 1, 1.
    let events = [
        (3, r#"{"v":"10","w":"b"}"#),
        (2, r#"{"v":2}"#),
        (1, r#"{"v":"x","w":"a10"}"#),
        (1, r#"{"v":6,"w":"a9"}"#),
    ];
    let found = |expr: &str| {
        let events = events.iter().map(|(seconds, message)| Event {
            timestamp_ms: seconds * 1000,
            ..event(message)
        });
        shown(&run(&format!("stats {expr} as x"), events))[0].replace("x=", "")
    };
    for (expr, expected) in [
        ("count(*)", "4"),
        ("count()", "4"),
        ("count(w)", "3"),
        ("count_distinct(w)", "3"),
        ("count_distinct(strlen(w))", "3"),
        ("sum(v)", "18"),
        ("avg(v)", "6"),
        ("min(v)", "2"),
        ("max(v)", "10"),
        ("median(v)", "6"),
        ("pct(v, 50)", "6"),
        ("pct(v, 33)", "2"),
        ("pct(v, 95)", "10"),
        ("pct(v, 0)", "2"),
        // Distances from 6: 4, -4 and 0; the root of 32 / 3.
        ("stddev(v)", "3.266"),
        ("earliest(w)", "a9"),
        ("latest(w)", "b"),
        ("earliest(v)", "6"),
        ("sortsFirst(w)", "a9"),
        ("sortsLast(w)", "b"),
        ("sum(v) / count(v) + max(v)", "14.5"),
        ("sum(missing)", ""),
        ("count(missing)", "0"),
        ("max(@timestamp)", "3000"),
        ("fromMillis(max(@timestamp))", "1970-01-01 00:00:03.000"),
        ("latest(@timestamp)", "1970-01-01 00:00:03.000"),
        ("sum(v > 5)", "3"),
    ] {
        assert_eq!(found(expr), expected, "{expr}");
    }
}
