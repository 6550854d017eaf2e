//! Trees and their normal forms.

use super::*;
use crate::fields::FieldRef;
use crate::filter::Scope;

fn a() -> Filter {
    Filter::equals("bot", "a")
}

fn normal_a() -> Filter {
    a().normal()
}

#[test]
fn parts_are_flat_and_lonely_parts_stand_alone() {
    let nested = Filter::And(vec![Filter::And(vec![a(), a()]), Filter::All, a()]);
    let flat = Filter::And(vec![normal_a(), normal_a(), normal_a()]);
    assert_eq!(nested.normal(), flat);
    assert_eq!(
        Filter::Or(vec![Filter::And(vec![a()])]).normal(),
        normal_a()
    );
    assert_eq!(a().negate().negate().normal(), normal_a());
}

#[test]
fn everything_and_nothing_absorb() {
    let nothing = Filter::Or(Vec::new());
    assert_eq!(Filter::Or(vec![a(), Filter::All]).normal(), Filter::All);
    assert_eq!(Filter::And(vec![a(), nothing.clone()]).normal(), nothing);
    assert_eq!(Filter::All.negate().normal(), nothing);
    assert_eq!(nothing.negate().normal(), Filter::All);
    assert_eq!(Filter::And(Vec::new()).normal(), Filter::All);
}

#[test]
fn quotes_stay_where_they_matter() {
    let test = |literal: Literal| normal_test(&Test::Matches(literal));
    for text in ["1.5", "True"] {
        let quoted = Literal::quoted(text);
        assert_eq!(test(quoted.clone()), Test::Matches(quoted));
    }
    assert_eq!(
        test(Literal::quoted("x")),
        Test::Matches(Literal::bare("x"))
    );
}

#[test]
fn stars_side_by_side_are_one() {
    let glob = |parts: &[&str]| Filter::Test {
        field: FieldRef::canonical("bot"),
        test: Test::Glob {
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            scope: Scope::Word,
        },
    };
    assert_eq!(glob(&["", "", "", ""]).normal(), glob(&["", ""]));
    assert_eq!(glob(&["a", "", "b"]).normal(), glob(&["a", "b"]));
}
