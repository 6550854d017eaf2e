//! Groups and metrics where the contract leaves nothing open.

use super::*;
use crate::filter::Filter;
use crate::ids::InstanceId;
use crate::testkit::draft;

fn request(by: Vec<GroupBy>, metrics: Vec<Metric>) -> Aggregate {
    Aggregate {
        instance: InstanceId::default_instance(),
        filter: Filter::All,
        by,
        metrics,
    }
}

fn raw(path: &str) -> FieldRef {
    FieldRef::Raw(path.to_owned())
}

fn terms_of(path: &str, limit: usize) -> GroupBy {
    GroupBy::Terms {
        field: raw(path),
        limit,
    }
}

fn rows(request: &Aggregate, bodies: &[&str]) -> Vec<String> {
    let flats: Vec<Flat> = bodies.iter().map(|body| draft(body).flat()).collect();
    let table = fold(request, &flats).unwrap();
    let text = |row: Row| {
        let (keys, metrics) = (Json::Array(row.keys), Json::Array(row.metrics));
        format!("{keys} {} {metrics}", row.count)
    };
    table.rows.into_iter().map(text).collect()
}

#[test]
fn a_record_counts_once_in_each_group_that_it_names() {
    let by = request(vec![terms_of("a", 9)], Vec::new());
    let bodies = [
        r#"{"a":["x","y","x"]}"#,
        r#"{"a":"y"}"#,
        r#"{"a":null}"#,
        "{}",
    ];
    let expected = [r#"["y"] 2 []"#, "[null] 2 []", r#"["x"] 1 []"#];
    assert_eq!(rows(&by, &bodies), expected);
}

#[test]
fn values_are_apart_by_type_and_numbers_together_by_value() {
    let by = request(vec![terms_of("a", 9)], Vec::new());
    let bodies = [
        r#"{"a":1.0}"#,
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":true}"#,
        r#"{"a":[10e-1,2]}"#,
    ];
    let expected = ["[1] 3 []", "[true] 1 []", "[2] 1 []", r#"["1"] 1 []"#];
    assert_eq!(rows(&by, &bodies), expected);
}

#[test]
fn a_limit_cuts_each_level_by_count_then_value() {
    let by = request(
        vec![terms_of("a", 2), terms_of("b", 1)],
        vec![Metric::Count],
    );
    let bodies = [
        r#"{"a":"x","b":2}"#,
        r#"{"a":"x","b":1}"#,
        r#"{"a":"z","b":1}"#,
        r#"{"a":"y"}"#,
        r#"{"a":"x","b":2}"#,
    ];
    assert_eq!(
        rows(&by, &bodies),
        [r#"["x",2] 2 [2]"#, r#"["y",null] 1 [1]"#]
    );
}

#[test]
fn intervals_rise_from_the_epoch_and_other_values_come_last() {
    let field = raw("t");
    let every_us = 3_600_000_000;
    let by = request(vec![GroupBy::Interval { field, every_us }], Vec::new());
    let bodies = [
        r#"{"t":"2020-07-01T10:59:59.999Z"}"#,
        r#"{"t":"yesterday"}"#,
        r#"{"t":"1969-12-31T23:30:00Z"}"#,
        r#"{"t":"2020-07-01T12:00:00+02:00"}"#,
    ];
    let expected = [
        r#"["1969-12-31T23:00:00.000000Z"] 1 []"#,
        r#"["2020-07-01T10:00:00.000000Z"] 2 []"#,
        "[null] 1 []",
    ];
    assert_eq!(rows(&by, &bodies), expected);
}

#[test]
fn metrics_look_at_all_values_of_the_group() {
    let metrics = vec![
        Metric::Distinct(raw("a")),
        Metric::Average(raw("a")),
        Metric::Percentiles(raw("a")),
    ];
    let bodies = [r#"{"a":[1,2.0,"x"]}"#, r#"{"a":[2,null,4]}"#];
    let percentiles = r#"{"p50":2,"p90":4,"p95":4,"p99":4}"#;
    let expected = format!("[] 2 [4,2.25,{percentiles}]");
    assert_eq!(
        rows(&request(Vec::new(), metrics.clone()), &bodies),
        [expected]
    );
    assert_eq!(
        rows(&request(Vec::new(), metrics), &[]),
        ["[] 0 [0,null,null]"]
    );
}

#[test]
fn limits_and_intervals_below_one_are_refused() {
    let error = fold(&request(vec![terms_of("a", 0)], Vec::new()), &[]).unwrap_err();
    assert_eq!(error.client_text(), "the limit of groups by a is below 1");
    let (field, every_us) = (raw("t"), 0);
    let by = request(vec![GroupBy::Interval { field, every_us }], Vec::new());
    let error = fold(&by, &[]).unwrap_err();
    assert_eq!(
        error.client_text(),
        "the interval of t is below 1 microsecond"
    );
}

#[test]
fn equal_numbers_of_one_object_count_once() {
    let field = raw("a.b");
    let metrics = vec![Metric::Average(field.clone()), Metric::Percentiles(field)];
    let bodies = [
        r#"{"a":[{"b":[1,1.0,1]},{"b":1.0}],"a.b":1}"#,
        r#"{"a":{"b":[9,5]}}"#,
    ];
    let percentiles = r#"{"p50":1.0,"p90":9,"p95":9,"p99":9}"#;
    assert_eq!(
        rows(&request(Vec::new(), metrics), &bodies),
        [format!("[] 2 [3.4,{percentiles}]")]
    );
}

#[test]
fn groups_that_a_limit_cuts_count_on_their_level_only() {
    let values = |n: usize, from: usize| {
        let values: Vec<String> = (from..from + n).map(|value| value.to_string()).collect();
        values.join(",")
    };
    let half = GROUPS_MAX / 2 + 1;
    let body = |a: &str, from: usize| format!(r#"{{"a":{a},"b":[{}]}}"#, values(half, from));
    let bodies = [body("1", 0), body("1", 0), body("2", half)];
    let flats: Vec<Flat> = bodies.iter().map(|body| draft(body).flat()).collect();
    let kept = request(vec![terms_of("a", 1), terms_of("b", 3)], Vec::new());
    assert_eq!(fold(&kept, &flats).unwrap().rows.len(), 3);
    let all = request(vec![terms_of("a", 2), terms_of("b", 3)], Vec::new());
    let error = fold(&all, &flats).unwrap_err();
    let expected = "more than 100000 groups by b: narrow the filter";
    assert_eq!(error.client_text(), expected);
}
