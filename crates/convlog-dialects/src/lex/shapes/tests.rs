//! The tables of Lex: every constraint broken in turn, and requests written by hand.

use super::OPERATIONS;
use crate::aws::shape::tests::walk;

#[test]
fn every_constraint_is_reported_where_it_is_broken() {
    walk::sane(OPERATIONS);
    assert_eq!(walk::walk(OPERATIONS), 866);
}
