//! What generated records and filters are good for, and laws that hold for all of them.

use std::cell::Cell;

use futures::executor::block_on;
use proptest::prelude::*;

use super::*;
use crate::filter::eval::matches;
use crate::flatten::LeafPath;
use crate::number::Decimal;
use crate::store::memory::MemoryStore;
use crate::store::{Batch, Outcome, Store};
use crate::testkit::{SeededIds, TestClock};

fn bytes(n: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..n)
}

#[test]
fn engines_take_what_is_generated() {
    let (clock, ids) = (TestClock::default(), SeededIds::new(1));
    let store = MemoryStore::new(std::sync::Arc::new(clock), std::sync::Arc::new(ids));
    proptest!(|(bytes in bytes(200))| {
        let records = vec![draft(&mut Choices::new(&bytes))];
        let states = Vec::new();
        let receipt = block_on(store.append(Batch { records, states })).unwrap();
        prop_assert!(receipt.outcomes.iter().all(|outcome| *outcome != Outcome::Erased));
    });
}

/// Filters that all records pass, or none, would show nothing.
#[test]
fn both_answers_are_frequent() {
    let n_passed = [Cell::new(0_u32), Cell::new(0_u32)];
    proptest!(|(record in bytes(200), wanted in bytes(40))| {
        let flat = draft(&mut Choices::new(&record)).flat();
        let passes = matches(&filter(&mut Choices::new(&wanted), 3), &flat);
        let counter = &n_passed[usize::from(passes)];
        counter.set(counter.get() + 1);
    });
    assert!(n_passed.iter().all(|n| n.get() > 20), "{n_passed:?}");
}

proptest! {
    #[test]
    fn the_normal_form_means_the_same_and_is_its_own(record in bytes(200), wanted in bytes(60)) {
        let flat = draft(&mut Choices::new(&record)).flat();
        let filter = filter(&mut Choices::new(&wanted), 4);
        let normal = filter.normal();
        prop_assert_eq!(matches(&filter, &flat), matches(&normal, &flat));
        prop_assert_eq!(normal.normal(), normal);
    }

    #[test]
    fn json_is_read_as_it_was_written(bytes in bytes(300)) {
        let value = json(&mut Choices::new(&bytes), 6);
        let read = Json::parse(value.to_string().as_bytes()).unwrap();
        // The sign of an exponent is the one thing that reading may add.
        let unsigned = |value: &Json| value.to_string().replace("e+", "e");
        prop_assert_eq!(unsigned(&read), unsigned(&value));
        prop_assert_eq!(Json::parse(read.to_string().as_bytes()).unwrap(), read);
    }

    #[test]
    fn any_string_survives_json(text: String, key: String) {
        let value = Json::Object(vec![(key.into(), Json::string(text))]);
        prop_assert_eq!(Json::parse(value.to_string().as_bytes()).unwrap(), value);
    }

    #[test]
    fn decimals_are_ordered_as_whole_numbers(a: (i64, u8), b: (i64, u8)) {
        // Up to 19 digits and 18 zeros fit into 128 bits.
        let scale = |(mantissa, exponent): (i64, u8)| {
            let exponent = u32::from(exponent % 19);
            let number = Decimal::parse(&format!("{mantissa}e{exponent}")).unwrap();
            (i128::from(mantissa) * 10_i128.pow(exponent), number)
        };
        let (a, b) = (scale(a), scale(b));
        prop_assert_eq!(a.0.cmp(&b.0), a.1.cmp(&b.1));
        let plain = Decimal::parse(&a.0.to_string()).unwrap();
        prop_assert_eq!(plain, a.1);
    }

    #[test]
    fn decimals_are_ordered_as_floats(a: f64, b: f64) {
        prop_assume!(a.is_finite() && b.is_finite());
        let number = |float: f64| Decimal::parse(&format!("{float:e}")).unwrap();
        prop_assert_eq!(a.partial_cmp(&b), Some(number(a).cmp(&number(b))));
        prop_assert_eq!(Decimal::parse(&format!("{a}")), Some(number(a)));
    }

    #[test]
    fn paths_give_their_keys_back(keys in proptest::collection::vec(".+", 1..5), last: String) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let path = LeafPath::of(&keys);
        prop_assert_eq!(path.segments().collect::<Vec<_>>(), keys.clone());
        prop_assert_eq!(LeafPath::from_bytes(path.as_bytes()), Some(path.clone()));
        prop_assert_eq!(path.dotted(), keys.join("."));
        prop_assert_eq!(path.child(&last).parent(), path);
    }
}
