//! Space-delimited patterns.

use super::*;

const ACCESS: &str =
    r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;

fn on_access(rows: &[(&'static str, bool)]) {
    let rows: Vec<Row> = rows
        .iter()
        .map(|(p, expected)| (*p, ACCESS, *expected))
        .collect();
    check(&rows);
}

#[test]
fn fields_are_counted() {
    on_access(&[
        ("[ip, user, name, time, request, status, bytes]", true),
        ("[ip,user,name,time,request,status,bytes]", true),
        ("[ip, user, name, time, request, status]", false),
        (
            "[ip, user, name, time, request, status, bytes, more]",
            false,
        ),
        ("[..., status, bytes]", true),
        ("[ip, user, ..., status, bytes]", true),
        ("[ip, ...]", true),
        ("[...]", true),
        ("[a, b, c, d, e, f, g, ...]", true),
        ("[a, b, c, d, e, f, g, h, ...]", false),
        ("[,,,,,,]", true),
        ("[,,,,,]", false),
        ("[..., status=404,]", true),
        ("[..., status=404]", false),
    ]);
    check(&[
        ("[a]", "", false),
        ("[...]", "", true),
        ("[a]", "  one  ", true),
        ("[a, b]", "one\ttwo", true),
        ("[a]", "\"one two\"", true),
        ("[a, b]", "\"one two", true),
        ("[a, b]", "[one two", true),
        ("[a]", "[one two]", true),
        ("[a, b]", "\"\" []", true),
        ("[a, b]", "say\"one two\"", true),
        ("[a, b]", "\"one two\"three", true),
        ("[a=\"[x\"]", "[x", true),
    ]);
}

#[test]
fn conditions_are_on_one_field() {
    on_access(&[
        ("[..., status=404, bytes]", true),
        ("[..., status = 404, bytes]", true),
        ("[..., status=4*, bytes]", true),
        ("[..., status=5*, bytes]", false),
        ("[..., status!=4*, bytes]", false),
        ("[..., status=\"404\", bytes]", true),
        ("[..., request=*html*, status=4*, bytes]", true),
        ("[..., request=\"GET *\", , ]", true),
        ("[..., request=GET, , ]", false),
        ("[ip=127.0.0.1, ...]", true),
        ("[ip=%^127\\.%, ...]", true),
        ("[ip!=%^127\\.%, ...]", false),
        ("[..., bytes > 1000]", true),
        ("[..., bytes >= 1534]", true),
        ("[..., bytes > 1534]", false),
        ("[..., bytes < 1.534e3]", false),
        ("[..., bytes <= 1.534e3]", true),
        ("[..., bytes = 1534.0]", true),
        ("[..., bytes != 1534.0]", false),
        ("[ip, user > 1, ...]", false),
        ("[..., status = 4* && status != 403, bytes]", true),
        ("[..., status = 4* && status != 404, bytes]", false),
        ("[..., status = 5* || status = 404, bytes]", true),
        (
            "[..., status = 1 || status = 4* && status != 404, bytes]",
            false,
        ),
        (
            "[..., (status = 404 || status = 1) && status != 1, bytes]",
            true,
        ),
        ("[..., status =! 403, bytes]", true),
        (
            "[..., request=*html* && request!=\"POST*\", status, bytes > 1 && bytes < 2e3]",
            true,
        ),
    ]);
    check(&[
        ("[w1=ERROR, w2]", "ERROR message", true),
        ("[w1=ERROR, w2]", "ERROR WARN message", false),
        ("[w1=ERROR || w1=WARN, w2]", "WARN message", true),
        ("[w1=ERROR || w1=WARN, w2]", "INFO message", false),
        ("[w1!=ERROR && w1!=WARN, w2]", "INFO message", true),
        ("[w1!=ERROR && w1!=WARN, w2]", "WARN message", false),
        (
            "[timestamp=*Z, request_id=\"*-*\", event]",
            "2026-01-02T03:04:05Z 1-2 {}",
            true,
        ),
        (
            "[timestamp=*Z, request_id=\"*-*\", event]",
            "2026-01-02 1-2 {}",
            false,
        ),
        ("[a=+5]", "+5", true),
        ("[a=5]", "+5", true),
        ("[a=+5]", "5.0", true),
    ]);
}

#[test]
fn fields_are_extracted_by_name_or_number() {
    assert_eq!(
        extracted("[..., request=*.html*, status_code=4*,]", ACCESS),
        pairs(&[
            ("$1", "127.0.0.1"),
            ("$2", "-"),
            ("$3", "frank"),
            ("$4", "10/Oct/2000:13:25:15 -0700"),
            ("$7", "1534"),
            ("$request", "GET /index.html HTTP/1.0"),
            ("$status_code", "404"),
        ])
    );
    assert_eq!(extracted("[a, a, ...]", "1 2"), pairs(&[("$a", "2")]));
    assert_eq!(extracted("[...]", ""), pairs(&[]));
}

#[test]
fn what_never_closes_is_searched_once() {
    let opened = "[ \" ".repeat(250_000);
    let pattern = Pattern::parse("[a, ..., b=x]").unwrap();
    assert!(!pattern.matches(&opened));
}
