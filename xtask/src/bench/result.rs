//! What a run ends with: the table of ratios, convlog's own figures, and the goals.

use std::time::Duration;

use super::convlog::{self, Cost, Ingested};
use super::figures::Figures;
use super::goals::{Goal, plain};
use super::ratios;
use super::report::Latencies;
use super::start::Starts;
use crate::out;

const MIB: f64 = 1024.0 * 1024.0;
const TEN_CHUNKS: usize = 10 * 65_536;

/// Figures that only convlog has.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) fsync: Latencies,
    pub(super) bulk: Ingested,
    pub(super) costs: Vec<Cost>,
    /// Questions that the goals speak of.
    pub(super) goal_names: Vec<String>,
    pub(super) busy_lists: Vec<(String, Latencies)>,
    pub(super) asked: Ingested,
    pub(super) erased: Ingested,
    /// Number and time of the export as events.
    pub(super) events: (usize, Duration),
    pub(super) messages: Vec<Messages>,
    pub(super) starts: Starts,
}

/// Single messages of so many clients.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) n_clients: usize,
    pub(super) rate: f64,
    pub(super) times: Latencies,
}

/// Prints all of it.
pub(super) fn print(first: &Figures, peers: &[Figures], own: &Own, n_raw: u64) {
    out::heading("convlog alone");
    let heads = ["", "figure", "p50, ms", "p99, ms", "longest, ms"].map(str::to_owned);
    out::line(&ratios::markdown(&heads, &own_lines(first, own)));
    out::heading("goals");
    let heads = ["", "measured", "target", "floor"].map(str::to_owned);
    let goals = goals(first, peers, own, n_raw);
    let lines: Vec<_> = goals.iter().map(Goal::cells).collect();
    out::line(&ratios::markdown(&heads, &lines));
    if first.n_records < TEN_CHUNKS {
        out::line("fewer records than ten chunks: the goals are meant for more");
    }
    let n_below = goals.iter().filter(|goal| goal.is_below_floor()).count();
    out::line(&format!("{n_below} figures are below their floor"));
    out::heading("ratios (above 1: convlog is ahead)");
    out::line(&ratios::table(first, peers, n_raw));
}

fn own_lines(first: &Figures, own: &Own) -> Vec<Vec<String>> {
    let line = |label: &str, figure: String, times: Option<&Latencies>| {
        let shown = |value: Option<f64>| value.map_or_else(String::new, plain);
        vec![
            label.to_owned(),
            figure,
            shown(times.and_then(Latencies::p50)),
            shown(times.and_then(Latencies::p99)),
            shown(times.and_then(Latencies::max)),
        ]
    };
    let mut lines = vec![line(
        "disk: 4 KiB written and synced",
        String::new(),
        Some(&own.fsync),
    )];
    let phases = [
        ("bulk ingest", &own.bulk, &first.acknowledged),
        (
            "ingest while lists are asked",
            &own.asked,
            &own.asked.acknowledged,
        ),
        (
            "ingest while customers are erased",
            &own.erased,
            &own.erased.acknowledged,
        ),
    ];
    for (label, ingested, times) in phases {
        let rate = ingested.n_records as f64 / ingested.time.as_secs_f64();
        let pause = millis(ingested);
        let figure = format!("{rate:.0} records/s, longest pause {} ms", plain(pause));
        lines.push(line(label, figure, Some(times)));
    }
    for (name, times) in &own.busy_lists {
        let figure = format!("{} times", times.len());
        lines.push(line(
            &format!("{name}, while ingesting"),
            figure,
            Some(times),
        ));
    }
    let (n_events, time) = own.events;
    let rate = n_events as f64 / time.as_secs_f64();
    lines.push(line(
        "export as events",
        format!("{rate:.0} events/s"),
        None,
    ));
    for messages in &own.messages {
        let label = format!("single messages, {} clients", messages.n_clients);
        let figure = format!("{:.0} messages/s", messages.rate);
        lines.push(line(&label, figure, Some(&messages.times)));
    }
    for (n_records, us) in &own.costs {
        let label = format!("processor time a record, up to {n_records}");
        lines.push(line(&label, format!("{us:.1} us"), None));
    }
    let starts = [
        ("clean stop", own.starts.clean),
        ("kill", own.starts.killed),
    ];
    for (after, time) in starts {
        let label = format!("ready again after a {after}");
        lines.push(line(&label, format!("{:.2} s", time.as_secs_f64()), None));
    }
    lines
}

fn millis(ingested: &Ingested) -> f64 {
    ingested.pause.as_secs_f64() * 1e3
}

/// Targets of section 7.9 of the design; floors as they were set for the engine.
fn goals(first: &Figures, peers: &[Figures], own: &Own, n_raw: u64) -> Vec<Goal> {
    let postgres = peers.iter().find(|peer| peer.name == "PostgreSQL");
    let rates = first.rate().zip(postgres.and_then(Figures::rate));
    let times = rates.and_then(|(ours, theirs)| ratios::ratio(ours, theirs, true));
    let many = own
        .messages
        .iter()
        .max_by_key(|messages| messages.n_clients);
    let single = many.and_then(|messages| messages.times.p99());
    let single = single.zip(own.fsync.p99());
    let single = single.and_then(|(ours, disk)| ratios::ratio(ours, disk, true));
    let disk = first.n_disk as f64 / n_raw as f64;
    let memory = first.memory as f64 / MIB;
    let phases = [&own.bulk, &own.asked, &own.erased];
    let pause = phases.map(millis).into_iter().reduce(f64::max);
    let growth = growth(&own.costs);
    let mut goals = vec![
        Goal::at_least("ingest against PostgreSQL", "x", (6.0, Some(4.0)), times),
        Goal::at_most("longest pause", "ms", (250.0, Some(500.0)), pause),
        Goal::at_most("memory at peak", "MiB", (512.0, Some(640.0)), Some(memory)),
        Goal::at_most("disk", "of raw", (0.40, Some(0.45)), Some(disk)),
        Goal::at_most(
            "single message at 64 clients p99",
            "x fsync p99",
            (3.0, None),
            single,
        ),
        Goal::at_most(
            "cost a record, last against first million",
            "x",
            (1.1, None),
            growth,
        ),
    ];
    for name in &own.goal_names {
        let p99 = first.question(name).and_then(|asked| asked.list.p99());
        goals.push(Goal::at_most(format!("{name} p99"), "ms", (5.0, None), p99));
    }
    for (name, times) in &own.busy_lists {
        if own.goal_names.contains(name) {
            let name = format!("{name} p99 while ingesting");
            goals.push(Goal::at_most(name, "ms", (5.0, Some(10.0)), times.p99()));
        }
    }
    goals.push(as_events(first, own));
    goals.extend(of_upkeep(first, own));
    goals
}

fn as_events(first: &Figures, own: &Own) -> Goal {
    let measured = first.export.map(|own_form| {
        let (_, as_events) = own.events;
        own_form.as_secs_f64() / as_events.as_secs_f64()
    });
    let name = "export as events against the own form";
    Goal::at_least(name, "x", (1.0, Some(0.9)), measured)
}

fn of_upkeep(first: &Figures, own: &Own) -> Vec<Goal> {
    let seconds = |time: Duration| Some(time.as_secs_f64());
    let starts = &own.starts;
    vec![
        Goal::at_most(
            "ready after a clean stop",
            "s",
            (1.0, None),
            seconds(starts.clean),
        ),
        Goal::at_most(
            "ready after a kill",
            "s",
            (6.0, None),
            seconds(starts.killed),
        ),
        Goal::at_most(
            "one customer erased",
            "s",
            (60.0, None),
            first.erase.and_then(seconds),
        ),
    ]
}

/// The last whole million against the first; none of a single one.
fn growth(costs: &[Cost]) -> Option<f64> {
    let mut whole = costs
        .iter()
        .filter(|(n_records, _)| n_records.is_multiple_of(convlog::MILLION));
    let (_, first) = whole.next()?;
    let (_, last) = whole.next_back()?;
    Some(last / first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_compares_whole_millions_and_needs_two() {
        assert_eq!(growth(&[(1_000_000, 40.0)]), None);
        assert_eq!(growth(&[(1_000_000, 40.0), (1_500_000, 80.0)]), None);
        let costs = [(1_000_000, 40.0), (2_000_000, 90.0), (3_000_000, 50.0)];
        assert_eq!(growth(&costs), Some(1.25));
    }
}
