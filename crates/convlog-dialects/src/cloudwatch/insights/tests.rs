//! Queries over hand-made entries, with results counted by hand.

mod lex;
mod narrow;
mod rejects;
mod values;

use super::*;

/// 2026-01-02 03:04:05.678.
pub(super) const MOMENT: i64 = 1_767_323_045_678;

/// An event with this message.
pub(super) fn event(message: &str) -> Event<'_> {
    Event {
        timestamp_ms: MOMENT,
        ingestion_ms: MOMENT + 1000,
        message,
        log_stream: "aws/lex/OrderFlowers/PROD/1/x",
        log: "000000000000:lex-logs",
        ptr: "p1",
    }
}

/// Fields and values of the rows; `a=1 b=2` each.
pub(super) fn shown(results: &Results) -> Vec<String> {
    let row = |row: &Vec<(String, String)>| {
        let cells: Vec<String> = row.iter().map(|(k, v)| format!("{k}={v}")).collect();
        cells.join(" ")
    };
    results.rows.iter().map(row).collect()
}

pub(super) fn run<'a>(query: &str, events: impl IntoIterator<Item = Event<'a>>) -> Results {
    let mut run = Query::parse(query).unwrap().run_within(ROWS_DEFAULT);
    for event in events {
        run.push(&event).unwrap();
    }
    run.finish().unwrap()
}

/// What `query` makes of events with these messages, all of one moment.
pub(super) fn rows(query: &str, messages: &[&str]) -> Vec<String> {
    shown(&run(query, messages.iter().map(|message| event(message))))
}

#[test]
fn rows_end_with_the_pointer_and_default_to_time_and_message() {
    let row = "@timestamp=2026-01-02 03:04:05.678 @message=hi @ptr=p1";
    for query in [
        "limit 5",
        "filter @message like 'h'",
        "sort x",
        "SOURCE 'g'",
    ] {
        assert_eq!(rows(query, &["hi"]), [row], "{query}");
    }
    assert_eq!(
        rows(
            "fields @logStream, @log | fields @ingestionTime, @ptr",
            &["hi"]
        ),
        [
            "@logStream=aws/lex/OrderFlowers/PROD/1/x @log=000000000000:lex-logs \
          @ingestionTime=2026-01-02 03:04:06.678 @ptr=p1"
        ]
    );
    assert_eq!(
        rows("fields a, b | display b", &[r#"{"a":1,"b":2}"#]),
        ["b=2 @ptr=p1"]
    );
    assert_eq!(rows("fields a, b", &[r#"{"b":null}"#]), ["@ptr=p1"]);
    assert_eq!(rows("stats count(*)", &[]), [""; 0]);
}

#[test]
fn messages_are_flattened_up_to_a_hundred_keys() {
    let message = r#"{"a":[{"b":1.50},[true]],"c":{"d.e":"x","f":false},"@g":1e3,"odd name":"y"}"#;
    assert_eq!(
        rows(
            "display a.0.b, a.1.0, c.d.e, c.f, @@g, `odd name`, a",
            &[message]
        ),
        ["a.0.b=1.5 a.1.0=1 c.d.e=x c.f=0 @@g=1000 odd name=y @ptr=p1"]
    );
    let keys: Vec<String> = (1..=101).map(|i| format!("\"k{i}\":{i}")).collect();
    let message = format!("{{{}}}", keys.join(","));
    assert_eq!(
        rows("display k100, k101", &[&message]),
        ["k100=100 @ptr=p1"]
    );
    assert_eq!(rows("display a", &["[1]"]), ["@ptr=p1"]);
    assert_eq!(rows("display a", &["{\"a\":1"]), ["@ptr=p1"]);
}

#[test]
fn order_and_limits_choose_rows() {
    let messages: Vec<String> = ["5", "\"a10\"", "\"a9\"", "null", "-1", "40"]
        .iter()
        .map(|value| format!("{{\"x\":{value}}}"))
        .collect();
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let found = |query: &str| {
        let all = rows(query, &messages);
        let values = all
            .iter()
            .map(|row| row.trim_end_matches("@ptr=p1").trim().replace("x=", ""));
        values.collect::<Vec<String>>().join(",")
    };
    assert_eq!(found("display x"), "5,a10,a9,,-1,40");
    assert_eq!(found("display x | sort x"), ",a9,a10,-1,5,40");
    assert_eq!(found("display x | SORT BY x DESC"), "40,5,-1,a10,a9,");
    assert_eq!(found("display x | sort x desc | limit 2"), "40,5");
    assert_eq!(found("display x | limit 3 | sort x asc"), "a9,a10,5");
    assert_eq!(
        found("display x | sort x desc | limit 3 | sort x | limit 2"),
        "-1,5"
    );
    assert_eq!(found("display x | sort x * 0, x desc | limit 1"), "a10");
    assert_eq!(found("display x | limit 2 | stats count(*) as x"), "2");
}

#[test]
fn the_default_limit_and_the_callers_hold() {
    let query = Query::parse("fields x").unwrap();
    let run = |run: Run| {
        let mut run = run;
        for _ in 0..1200 {
            run.push(&event("{}")).unwrap();
        }
        let full = run.is_full();
        let results = run.finish().unwrap();
        assert_eq!(results.records_scanned, 1200);
        assert_eq!(results.bytes_scanned, 2400);
        (results.rows.len(), results.records_matched, full)
    };
    assert_eq!(run(query.run_within(ROWS_DEFAULT)), (1000, 1200, true));
    assert_eq!(run(query.run_within(7)), (7, 1200, true));
    assert_eq!(run(query.run_within(50_000)), (1200, 1200, false));
    let query = Query::parse("fields x | filter x = 1 | limit 1100").unwrap();
    assert_eq!(run(query.run_within(ROWS_DEFAULT)), (0, 0, false));
    let query = Query::parse("sort x | limit 1100").unwrap();
    assert_eq!(run(query.run_within(ROWS_DEFAULT)), (1100, 1200, false));
}

#[test]
fn dedup_keeps_the_first_of_each() {
    let messages = [
        r#"{"a":"x","n":1}"#,
        r#"{"a":"y","n":2}"#,
        r#"{"a":"x","n":3}"#,
    ];
    let found = |query| rows(query, &messages);
    assert_eq!(
        found("display a, n | dedup a"),
        ["a=x n=1 @ptr=p1", "a=y n=2 @ptr=p1"]
    );
    assert_eq!(
        found("display a, n | sort n desc | dedup a | limit 5"),
        ["a=x n=3 @ptr=p1", "a=y n=2 @ptr=p1"]
    );
    assert_eq!(found("dedup a, n | stats count(*)"), ["count(*)=3"]);
}

#[test]
fn parse_takes_parts_out_of_text() {
    let messages = ["user=u1, method:get, latency := 12", "nothing"];
    assert_eq!(
        rows(
            "parse @message 'user=*, method:*, latency := *' as @u, m, l | display @u, m, l + 1",
            &messages
        ),
        ["@u=u1 m=get l + 1=13 @ptr=p1", "@ptr=p1"]
    );
    assert_eq!(
        rows(
            r"PARSE @message /user=(?<u>\w+), (?P<rest>.*)\s:=\s(?<n>\d+)/ | DISPLAY u, rest, n",
            &messages
        ),
        ["u=u1 rest=method:get, latency n=12 @ptr=p1", "@ptr=p1"]
    );
    assert_eq!(
        rows(
            r"parse p /^\/(?<first>[^\/]*)/ | display first",
            &[r#"{"p":"/ab/c"}"#]
        ),
        ["first=ab @ptr=p1"]
    );
}

#[test]
fn stats_can_be_counted_again_and_repeated_by_later_commands() {
    let messages = [
        r#"{"a":"x","b":1}"#,
        r#"{"a":"x","b":2}"#,
        r#"{"a":"y","b":1}"#,
        "{}",
    ];
    assert_eq!(
        rows(
            "stats count(*) as n by a | stats max(n) as most, count(*) as kinds",
            &messages
        ),
        ["most=2 kinds=3"]
    );
    assert_eq!(
        rows(
            "STATS COUNT(*), sum(b)/count(b) by a | sort count(*) desc, a",
            &messages
        ),
        [
            "a=x COUNT(*)=2 sum(b)/count(b)=1.5",
            "COUNT(*)=1",
            "a=y COUNT(*)=1 sum(b)/count(b)=1"
        ]
    );
    assert_eq!(
        rows(
            "stats count(*) by bin(1h) | sort bin(1h) | display bin(1h)",
            &messages
        ),
        ["bin(1h)=2026-01-02 03:00:00.000"]
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let mut run = Query::parse("stats count(*) by n")
        .unwrap()
        .run_within(ROWS_DEFAULT);
    let mut last = Ok(());
    for n in 0..=groups::GROUPS_MAX {
        last = run.push(&event(&format!("{{\"n\":{n}}}")));
        assert_eq!(last.is_err(), n == groups::GROUPS_MAX);
    }
    assert_eq!(last, Err(RunError::TooManyGroups));
    assert!(run.finish().is_ok());

    let mut budget = budget::Budget::new();
    let mut tally = aggregate::Tally::new(aggregate::AggregateKind::Percentile(50.0));
    for _ in 0..budget::VALUES_MAX {
        tally
            .add(value::Value::Number(1.0), 0, &mut budget)
            .unwrap();
    }
    let more = tally.add(value::Value::Number(1.0), 0, &mut budget);
    assert!(matches!(
        more,
        Err(RunError::TooManyValues | RunError::TooLarge)
    ));

    let long = "x".repeat(1_000_000);
    let mut run = Query::parse("fields @message")
        .unwrap()
        .run_within(ROWS_DEFAULT);
    let pushed: Result<Vec<()>, RunError> = (0..200).map(|_| run.push(&event(&long))).collect();
    assert_eq!(pushed, Err(RunError::TooLarge));
}

#[test]
fn texts_grow_no_further_than_an_event() {
    let doubled = "| fields concat(x, x) as x ".repeat(40);
    let query =
        format!("fields 'ab' as x {doubled} | fields strlen(replace(x, 'a', x)) as n | display n");
    assert_eq!(rows(&query, &["{}"]), ["n=1048576 @ptr=p1"]);
}

#[test]
fn the_deepest_query_is_read_and_run() {
    let chain = "1+".repeat(90);
    let query = format!(
        "fields {}1{} as x",
        format!("{chain}(").repeat(10),
        ")".repeat(10)
    );
    let negated = format!("filter {}0 = 1{}", "not (".repeat(24), ")".repeat(24));
    assert_eq!(rows(&query, &["{}"]), ["x=901 @ptr=p1"]);
    assert_eq!(rows(&negated, &["{}"]), [""; 0]);
}
