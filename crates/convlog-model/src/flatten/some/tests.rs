//! A filter answers the same on the leaves that it needs as on all leaves.

use proptest::prelude::*;

use super::*;
use crate::filter::eval::matches;
use crate::record::ReadBody;
use crate::testkit::generate::{self, Choices};
use crate::testkit::said;

#[test]
fn what_no_field_means_is_not_kept() {
    let mut draft = said("hello");
    draft.raw = r#"{"a":{"b":[{"c":1,"d":2},{},{"c":[3,{"e":4}]}]},"a.b":5,"f":{"g":6}}"#.into();
    let flat = Flat::of_fields(&draft, &[FieldRef::Raw("a.b.c".into())]);
    let raw = flat.leaves().iter().filter(|leaf| leaf.space == Space::Raw);
    let found: Vec<String> = raw.map(|leaf| leaf.path.dotted()).collect();
    assert_eq!(found, ["a.b.c", "a.b.c", "a.b.c.e"]);
    let group = FieldRef::Raw("a.b".into());
    let elements = flat.group_elements(&group);
    assert_eq!(
        elements.len(),
        3,
        "an element without the field is one all the same"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_filter_answers_the_same_on_the_leaves_that_it_needs(
        record in proptest::collection::vec(any::<u8>(), 0..400),
        filter in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let draft = generate::draft(&mut Choices::new(&record));
        let filter = generate::filter(&mut Choices::new(&filter), 3);
        let few = Flat::of_fields(&draft, &filter.fields());
        prop_assert_eq!(matches(&filter, &few), matches(&filter, &Flat::of(&draft)));
        let mut known = draft.clone();
        known.raw = ReadBody::read(&draft.raw).unwrap().whole();
        prop_assert_eq!(Flat::of_fields(&known, &filter.fields()), few);
    }
}
