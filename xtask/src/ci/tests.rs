//! Which stages run, and what the summary says.

use super::*;

fn check(only: Option<&str>, from: Option<&str>, expected: &str) {
    let arguments = Arguments {
        only: only.map(Into::into),
        from: from.map(Into::into),
    };
    let names: Vec<&str> = selected(&arguments)
        .iter()
        .map(|stage| stage.name)
        .collect();
    assert_eq!(names.join(" "), expected);
}

#[test]
fn all_stages_run_in_order() {
    check(None, None, "fmt clippy tidy tests clients slow docs");
}

#[test]
fn one_stage_runs_alone() {
    check(Some("tidy"), None, "tidy");
}

#[test]
fn later_stages_run_from_one_on() {
    check(None, Some("clients"), "clients slow docs");
}

#[test]
fn the_summary_has_a_line_a_stage_and_one_for_all() {
    let second = Duration::from_secs(1);
    let done = [("fmt", second, true), ("clippy", second * 61, false)];
    let expected = "\
fmt           1.0s  ok
clippy    1m 01.0s  FAILED
all       1m 02.0s  FAILED";
    assert_eq!(summary(&done, second * 62), expected);
}
