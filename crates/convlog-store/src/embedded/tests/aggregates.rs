//! Aggregates out of the index, compared with the definition over the records that are shown.

use convlog_model::aggregate::{Aggregate, GroupBy, Metric, fold::fold};
use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::filter::eval::matches;
use convlog_model::flatten::Flat;
use convlog_model::json::Json;
use convlog_model::record::Draft;
use convlog_model::store::{Erase, ErrorKind, Selector};
use convlog_model::testkit::generate::{self, Choices};
use convlog_model::time::DAY_US;
use futures::executor::block_on;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::kit::{Place, all, batch, erase_customer, home};
use crate::embedded::Embedded;

const CANONICAL: &[&str] = &[
    "id",
    "kind",
    "own_id",
    "customer",
    "user",
    "channel",
    "time.request",
    "time.response",
    "time.received",
    "input.text",
    "intents.name",
    "intents.confidence",
    "entities.value",
    "entities.confidence",
    "entities.location",
    "latency_ms",
    "outcome.missed",
    "labels.env",
    "event.type",
    "event.meta.a",
    "nothing",
];

const RAW: &[&str] = &[
    "a",
    "b",
    "a.b",
    "items.k",
    "items.items.k",
    "context.n",
    "context.when",
    "context.mixed",
    "context.mixed.k",
    "context.long",
    "context.session",
    "slots.location",
    "t",
    "t.at",
    "n",
    "big",
];

const TIMES: &[&str] = &[
    r#""2020-07-01T10:00:00Z""#,
    r#"["2020-07-01T10:00:00Z","2020-07-02T10:00:00Z"]"#,
    r#"[{"at":"2020-07-03T10:00:00Z"},{"at":"2020-07-04T10:00:00Z"}]"#,
    r#"["soon","2020-07-05T10:00:00Z"]"#,
    r#"[{"at":"2020-07-06T10:00:00Z"}]"#,
    r#"{"at":"2020-07-07T10:00:00+12:00"}"#,
    r#"[17,null,"2020-07-08T10:00:00Z"]"#,
    "null",
];

const NUMBERS: &[&str] = &[
    "[5,5,5]",
    "[5,5.0,50e-1,1]",
    "[[1,2],[2,1.0]]",
    "0.1",
    "0.2",
    "[0.3,1e16,-1e16]",
    "[1e400]",
    r#"["1",true,1,null]"#,
];

fn bytes(seed: u64, len: u64) -> Vec<u8> {
    let words = (0..len).map(|n| xxh3_64_with_seed(&n.to_le_bytes(), seed));
    words.flat_map(u64::to_le_bytes).collect()
}

fn field(choices: &mut Choices<'_>) -> FieldRef {
    match choices.once_in(3) {
        true => FieldRef::Raw(choices.pick(RAW).to_owned()),
        false => FieldRef::canonical(choices.pick(CANONICAL)),
    }
}

/// A messy record, at times with references to times, odd arrays of numbers, or too much to index.
fn draft(choices: &mut Choices<'_>) -> Draft {
    let mut draft = generate::rich(choices);
    let mut body = Json::of_body(&draft.raw).unwrap();
    let json = |text: &str| Json::of_body(text).unwrap();
    if choices.once_in(2) {
        body.set("t", json(choices.pick(TIMES)));
        let path: &[&str] = choices.pick(&[&["t"], &["t", "at"]]);
        let named = choices.pick(&["time.request", "time.response", "time.received", "id"]);
        draft.canonical.remove(named);
        draft.set_ref(named, path);
    }
    if choices.once_in(2) {
        body.set("n", json(choices.pick(NUMBERS)));
    }
    if choices.once_in(8) {
        let digits = choices.pick(&["1", "2"]).repeat(5_000);
        body.set(
            "n",
            Json::Array(vec![Json::Number(digits.as_str().into()), json("3")]),
        );
        body.set("a", Json::string(digits));
    }
    if choices.once_in(32) {
        let numbers = (0..20_001).map(|number| Json::integer(number % 7));
        body.set("big", Json::Array(numbers.collect()));
    }
    draft.raw = body.to_string().into();
    draft
}

fn request(choices: &mut Choices<'_>) -> Aggregate {
    let by = |choices: &mut Choices<'_>| match choices.below(3) {
        0 => GroupBy::Interval {
            field: match choices.below(5) {
                0 => FieldRef::canonical("time.request"),
                1 => FieldRef::canonical("time.response"),
                2 => FieldRef::canonical("time.received"),
                3 => FieldRef::Raw("t".to_owned()),
                _ => field(choices),
            },
            every_us: choices.pick(&[1, 3_600_000_000, DAY_US, 7 * DAY_US, i64::MAX]),
        },
        _ => GroupBy::Terms {
            field: field(choices),
            limit: choices.pick(&[1, 2, 5, 1_000]),
        },
    };
    let metric = |choices: &mut Choices<'_>| match choices.below(4) {
        0 => Metric::Count,
        1 => Metric::Distinct(field(choices)),
        2 => Metric::Average(field(choices)),
        _ => Metric::Percentiles(field(choices)),
    };
    let n_levels = choices.below(4);
    let n_metrics = choices.below(4);
    Aggregate {
        instance: home(),
        filter: match choices.once_in(2) {
            true => generate::filter(choices, 1),
            false => Filter::All,
        },
        by: (0..n_levels).map(|_| by(choices)).collect(),
        metrics: (0..n_metrics).map(|_| metric(choices)).collect(),
    }
}

/// Asks questions; gives back how many answers had several rows.
fn check(embedded: &Embedded, seed: u64, n_requests: u64) -> usize {
    let store = embedded.store();
    let records = all(store.as_ref());
    let whole: Vec<Flat> = records.iter().map(|record| record.flat()).collect();
    let mut n_rich = 0;
    for number in 0..n_requests {
        let bytes = bytes(seed * 10_000 + number, 16);
        let request = request(&mut Choices::new(&bytes));
        let by = request.by.iter().map(GroupBy::field);
        let fields = by.chain(request.metrics.iter().filter_map(Metric::field));
        let fields: Vec<FieldRef> = fields.cloned().collect();
        let matching = records.iter().zip(&whole);
        let matching = matching.filter(|(_, whole)| matches(&request.filter, whole));
        let flats: Vec<Flat> = matching
            .map(|(record, _)| record.flat_of(&fields))
            .collect();
        let expected = fold(&request, &flats).unwrap();
        let table = block_on(store.aggregate(&request)).unwrap();
        assert_eq!(table, expected, "set {seed}, request {number}: {request:?}");
        n_rich += usize::from(table.rows.len() > 1);
    }
    n_rich
}

fn in_every_state(seed: u64, rows_max: usize) -> usize {
    let place = Place::new();
    let open = || {
        let mut options = place.options();
        options.limits.rows_max = rows_max;
        options.threads = 1;
        Embedded::open(options).unwrap()
    };
    let mut embedded = open();
    let mut n_rich = 0;
    for part in 0..6 {
        let bytes = bytes(seed * 10 + part, 400);
        let mut choices = Choices::new(&bytes);
        let n_records = 1 + choices.below(12);
        let records = (0..n_records).map(|_| draft(&mut choices)).collect();
        place.clock.step(40_000_000_000);
        block_on(embedded.store().append(batch(records))).unwrap();
    }
    n_rich += check(&embedded, seed, 60);
    block_on(embedded.store().settle()).unwrap();
    n_rich += check(&embedded, seed + 1_000, 60);
    let by_filter = Erase {
        selector: Selector::Filter(Filter::Test {
            field: FieldRef::canonical("channel"),
            test: convlog_model::filter::Test::Exists,
        }),
        ..erase_customer("", 2)
    };
    for erase in [erase_customer("order", 1), by_filter] {
        block_on(embedded.store().erase(&erase)).unwrap();
        n_rich += check(&embedded, seed + 2_000, 30);
    }
    block_on(embedded.store().settle()).unwrap();
    n_rich += check(&embedded, seed + 3_000, 30);
    drop(embedded);
    embedded = open();
    n_rich + check(&embedded, seed + 4_000, 30)
}

#[test]
fn aggregates_are_those_of_the_records_in_every_state() {
    let n_rich: usize = (1..=12)
        .map(|seed| in_every_state(seed, [5, 40, 65_536][seed as usize % 3]))
        .sum();
    // Of 240 questions a set.
    assert!(n_rich > 12 * 100, "only {n_rich} answers had several rows");
}

#[test]
fn groups_beyond_the_limit_are_refused_by_the_name_of_their_field() {
    let place = Place::new();
    let embedded = Embedded::open(place.options()).unwrap();
    for half in 0..2 {
        let values = (0..50_001).map(|n| Json::integer(half * 50_001 + n));
        let mut record = super::kit::draft("a", "acme", half);
        let body = Json::object([("v", Json::Array(values.collect()))]);
        record.own_id = None;
        record.canonical.remove("input.text");
        record.raw = body.to_string().into();
        block_on(embedded.store().append(batch(vec![record]))).unwrap();
    }
    let request = |limit| Aggregate {
        instance: home(),
        filter: Filter::All,
        by: vec![
            GroupBy::Interval {
                field: FieldRef::canonical("time.request"),
                every_us: DAY_US,
            },
            GroupBy::Terms {
                field: FieldRef::Raw("v".to_owned()),
                limit,
            },
        ],
        metrics: Vec::new(),
    };
    let error = block_on(embedded.store().aggregate(&request(3))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let expected = "more than 100000 groups by v: narrow the filter";
    assert_eq!(error.client_text(), expected);
    let error = block_on(embedded.store().aggregate(&request(0))).unwrap_err();
    assert_eq!(error.client_text(), "the limit of groups by v is below 1");
}
