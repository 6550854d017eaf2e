//! Queries over hand-made entries.
use super::*;
#[test]
fn smoke() {
    let query =
        Query::parse("fields @timestamp, a.b as x | filter x > 1 | sort x desc | limit 2").unwrap();
    let mut run = query.run();
    for i in 0..5 {
        let message = format!(r#"{{"a":{{"b":{i}}}}}"#);
        run.push(&Event {
            timestamp_ms: 1_767_323_045_678,
            ingestion_ms: 0,
            message: &message,
            log_stream: "s",
            log: "l",
            ptr: "p",
        })
        .unwrap();
    }
    panic!("{:?}", run.finish());
}
