//! The text of each kind of condition. That parsing gives them back is shown beside the parser.

use super::*;
use crate::filter::{CompareOp, TimeBound};
use crate::time::Timestamp;

fn name(path: &str) -> FieldRef {
    match path.strip_prefix("raw.") {
        Some(raw) => FieldRef::Raw(raw.to_owned()),
        None => FieldRef::canonical(path),
    }
}

fn test(path: &str, test: Test) -> Filter {
    let field = name(path);
    Filter::Test { field, test }
}

fn is(path: &str, text: &str) -> Filter {
    test(path, Test::Equals(Literal::bare(text)))
}

fn has(path: &str, literal: Literal) -> Filter {
    test(path, Test::Matches(literal))
}

fn glob(parts: &[&str], scope: Scope) -> Filter {
    let parts = parts.iter().map(|part| (*part).to_owned()).collect();
    test("user", Test::Glob { parts, scope })
}

fn element(path: &str, inner: Filter) -> Filter {
    let inner = Box::new(inner);
    Filter::Element {
        field: name(path),
        inner,
    }
}

#[track_caller]
fn check(filter: &Filter, text: &str) {
    assert_eq!(print(filter), text);
}

#[test]
fn leaves() {
    check(&is("bot", "W1"), "bot::W1");
    check(&is("bot", "W1").negate(), "bot::!W1");
    check(
        &has("input.text", Literal::quoted("a b")),
        r#"input.text:"a b""#,
    );
    check(
        &has("input.text", Literal::bare("a b")),
        r#"input.text:"a b""#,
    );
    check(&has("raw.a", Literal::quoted("1")), r#"raw.a:"1""#);
    check(&is("raw.a", "-1.5e+3"), "raw.a::-1.5e+3");
    check(&is("user", ""), r#"user::"""#);
    check(&test("user", Test::Exists), "user:*");
    check(&test("user", Test::Exists).negate(), "user:!*");
    check(&Filter::All, "");
}

#[test]
fn comparisons_have_no_negated_operator() {
    let bound = Bound::Number("0.8".to_owned());
    let op = CompareOp::Le;
    let low = test("intents.confidence", Test::Compare { op, bound });
    check(&low, "intents.confidence<=0.8");
    check(&low.negate(), "!(intents.confidence<=0.8)");
    let day = "2020-07-01T00:00:00";
    let bound = Bound::Time(TimeBound::new(day, Timestamp::parse_loose(day).unwrap()));
    let early = test(
        "time.request",
        Test::Compare {
            op: CompareOp::Gt,
            bound,
        },
    );
    check(&early, "time.request>2020-07-01T00:00:00");
}

#[test]
fn what_has_a_meaning_is_quoted_or_escaped() {
    check(&is("user", "a,b|c"), r#"user::"a,b|c""#);
    check(&is("user", r#"say "x" \ y"#), r#"user::"say \"x\" \\ y""#);
    check(&is("user", r"a b\"), r#"user::"a b\\""#);
    check(&is("user", "!x*"), r#"user::"!x*""#);
    check(&glob(&["a*", " ü", ""], Scope::Word), r"user:a\**\ ü*");
    check(&glob(&["", ""], Scope::Whole), "user::**");
    let fuzzy = |text: &str, scope| {
        let text = text.to_owned();
        test(
            "input.text",
            Test::Fuzzy {
                text,
                edits: 2,
                scope,
            },
        )
    };
    check(&fuzzy("watson", Scope::Word), "input.text:watson~2");
    check(
        &fuzzy("ibm ~ watson", Scope::Whole),
        r#"input.text::"ibm ~ watson"~2"#,
    );
}

#[test]
fn segments_that_are_no_names_are_quoted() {
    check(
        &is(r#"raw.skills.main skill.x-1.1a.é.a"b\"#, "1"),
        r#"raw.skills."main skill".x-1."1a"."é"."a\"b\\"::1"#,
    );
    check(&is("raw.", "1"), r#"raw.""::1"#);
    check(&is("raw.raw.x", "1"), "raw.raw.x::1");
}

#[test]
fn brackets_stand_where_parts_have_parts() {
    let (a, b, c) = (is("bot", "a"), is("bot", "b"), is("bot", "c"));
    let and = Filter::And(vec![a.clone(), b.clone()]);
    let or = Filter::Or(vec![a.clone(), b.clone()]);
    check(&and, "bot::a,bot::b");
    check(
        &Filter::Or(vec![and.clone(), c.clone()]),
        "(bot::a,bot::b)|bot::c",
    );
    check(&Filter::And(vec![or.clone(), c]), "(bot::a|bot::b),bot::c");
    check(&or.negate(), "!(bot::a|bot::b)");
    check(
        &Filter::And(vec![Filter::All, a, Filter::Or(Vec::new())]),
        "(),bot::a,!()",
    );
    check(&Filter::All.negate(), "!()");
}

#[test]
fn names_in_a_group_lie_below_it() {
    let both = is("intents.name", "x").and(test("intents.confidence", Test::Exists).negate());
    check(&element("intents", both), "intents:(name::x,confidence:!*)");
    let inner = element("raw.a.b", is("raw.a.b.raw.c", "1"));
    check(&element("raw.a", inner.negate()), "raw.a:(!(b:(raw.c::1)))");
    check(&element("intents", Filter::All), "intents:()");
}
