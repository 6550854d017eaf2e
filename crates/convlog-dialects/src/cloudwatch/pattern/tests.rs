//! Truth tables, rejects, acceptance cases, and what narrowing promises.

mod columns;
mod json;
mod narrow;
mod rejects;
mod terms;

use super::*;

/// A pattern, a message, and whether the message passes.
type Row = (&'static str, &'static str, bool);

fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for (pattern, message, expected) in rows {
        let read = match Pattern::parse(pattern) {
            Ok(read) => read,
            Err(error) => {
                wrong.push(format!("{pattern}: {error}"));
                continue;
            }
        };
        let got = read.matches(message);
        if got != *expected {
            wrong.push(format!("{pattern} on {message}: {got}"));
        }
        if !got {
            assert!(read.extracted(message).is_empty(), "{pattern}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn extracted(pattern: &str, message: &str) -> Vec<(String, String)> {
    let read = Pattern::parse(pattern).unwrap();
    assert!(read.matches(message), "{pattern}");
    read.extracted(message).into_iter().collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}
