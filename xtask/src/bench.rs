//! `cargo xtask bench`: the whole server, over HTTP, on seeded records, and with `--peers` other
//! engines on the same records in the same run.
//!
//! The machines are shared and noisy: compare figures of one run, not of two.

mod busy;
mod convlog;
mod data;
mod deliveries;
mod figures;
mod fsync;
mod generate;
mod goals;
mod load;
mod peers;
mod postgres;
mod process;
mod questions;
mod ratios;
mod report;
mod result;
mod start;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use self::data::Batches;
use self::figures::Figures;
use self::generate::Generator;
use self::load::Http;
use self::peers::{Peer, Work};
use self::process::Cpu;
use self::report::Latencies;
use self::result::{Messages, Own};
use crate::server::{self, Server};
use crate::{out, shell};

/// What is measured, and with how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Records of the bulk ingest
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// Records of one bulk request
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    /// Single messages for each number of clients
    #[arg(long, default_value_t = 4_000)]
    messages: usize,
    /// Times that each list query is asked
    #[arg(long, default_value_t = 200)]
    queries: usize,
    /// Turns of Lex whose delivery to CloudWatch Logs is timed
    #[arg(long, default_value_t = 4_000)]
    deliveries: usize,
    /// Measures these deliveries and nothing else
    #[arg(long)]
    only_deliveries: bool,
    /// Seed of the generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Measures other engines too: all, or those named behind `=`
    #[arg(long, value_enum, num_args = 0.., require_equals = true, value_delimiter = ',',
        default_missing_values = ["postgres", "sqlite", "clickhouse"])]
    peers: Vec<Peer>,
}

const CLIENT_COUNTS: [usize; 3] = [1, 16, 64];
const BOT: &str = "bench-shop";

/// Builds the release program, starts it on an empty directory and measures; then the peers.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.only_deliveries {
        return deliveries::run(arguments.deliveries);
    }
    let target = shell::target_dir()?;
    let program = server::build(&target, true)?;
    let dir = target.join("bench/run");
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    let generator = Generator::new(arguments.seed, BOT, arguments.records);
    let data = target.join("bench/records");
    let batches = Batches::write(&data, &generator, arguments.records, arguments.batch)?;
    out::line(&format!(
        "seed {}, {} records of {} bytes, {} queries each",
        arguments.seed,
        batches.n_records(),
        batches.n_raw / batches.n_records() as u64,
        arguments.queries
    ));
    let sample = generator.record(batches.n_records() / 2);
    let (first, own) = measure(&program, &dir, &batches, (&generator, &sample), arguments)?;
    let work = Work {
        target: &target,
        dir: &dir,
        batches: &batches,
        bot: BOT,
        sample: &sample,
        queries: arguments.queries,
    };
    // A peer that fails must not cost the figures of the others.
    let (mut others, mut failures) = (Vec::new(), Vec::new());
    for peer in &arguments.peers {
        match peers::measure(*peer, &work) {
            Ok(figures) => others.push(figures),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    result::print(&first, &others, &own, batches.n_raw);
    std::fs::remove_dir_all(&dir)?;
    failures.extend(figures::differences(&first, &others));
    if !failures.is_empty() {
        bail!("the figures above do not count:\n{}", failures.join("\n"));
    }
    Ok(())
}

/// Everything about convlog.
fn measure(
    program: &Path,
    dir: &Path,
    batches: &Batches,
    (generator, sample): (&Generator, &generate::Sample),
    arguments: &Arguments,
) -> Result<(Figures, Own)> {
    out::heading("convlog");
    let fsync = fsync::measure(dir)?;
    fsync.print("disk: write 4 KiB and sync");
    let server = Server::start(program, dir, &[])?;
    let http = Http::new(&server.url, server::ADMIN_KEY);
    let mut figures = Figures {
        name: "convlog".to_owned(),
        ..Figures::default()
    };
    let (mut bulk, costs) = convlog::bulk(&server, &http, batches, &mut figures)?;
    out::line(&format!(
        "convlog: {:.0} records/s",
        figures.rate().unwrap_or_default()
    ));
    figures.acknowledged = std::mem::take(&mut bulk.acknowledged);
    let settled = convlog::settle(&http)?;
    out::line(&format!(
        "convlog: settled after {:.1} s more",
        settled.as_secs_f64()
    ));
    let questions = questions::all(BOT, sample);
    let how = (BOT, arguments.queries);
    convlog::reads(&http, dir, &questions, how, &mut figures)?;
    let events = convlog::events(&http, figures.n_records)?;
    let (asked, busy_lists) = busy::lists(&http, batches, &questions, BOT)?;
    convlog::erase(&http, &sample.customer, &mut figures)?;
    let erased = busy::erasures(&http, batches, &sample.customer, generator.n_customers())?;
    let messages = messages(&http, arguments)?;
    let fsync_after = fsync::measure(dir)?;
    fsync_after.print("disk: write 4 KiB and sync");
    let (server, starts) = start::measure(server, program, dir, batches)?;
    server.stop()?;
    std::fs::remove_dir_all(dir.join("data"))?;
    deliveries::measure(program, &dir.join("deliveries"), arguments.deliveries)?;
    let mut all_fsync = fsync;
    all_fsync.append(fsync_after);
    let own = Own {
        fsync: all_fsync,
        bulk,
        costs,
        goal_names: questions
            .iter()
            .filter(|question| question.is_goal)
            .map(|question| question.name.to_owned())
            .collect(),
        busy_lists,
        asked,
        erased,
        events,
        messages,
        starts,
    };
    Ok((figures, own))
}

fn messages(http: &Http, arguments: &Arguments) -> Result<Vec<Messages>> {
    let bot = "bench-echo";
    let body = br#"{"name":"bench","language":"en","connector":{"kind":"echo"}}"#;
    http.put(&format!("/convlog/v1/bots/{bot}"), body)?;
    let mut all = Vec::new();
    for n_clients in CLIENT_COUNTS {
        let own = Cpu::of(std::process::id())?;
        let (own_before, start) = (own.seconds()?, Instant::now());
        let times: Latencies = load::messages(http, bot, n_clients, arguments.messages)?;
        let rate = times.len() as f64 / start.elapsed().as_secs_f64();
        times.print(&format!("single messages, {n_clients} clients"));
        let us = (own.seconds()? - own_before) * 1e6 / times.len() as f64;
        out::line(&format!("the load generator itself: {us:.0} us a message"));
        all.push(Messages {
            n_clients,
            rate,
            times,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn check(words: &[&str], expected: &[Peer]) {
        let line = CommandLine::parse_from(std::iter::once(&"bench").chain(words));
        assert_eq!(line.arguments.peers, expected);
    }

    #[test]
    fn peers_are_none_or_all_or_those_named() {
        check(&[], &[]);
        check(
            &["--peers", "--records", "5"],
            &[Peer::Postgres, Peer::Sqlite, Peer::Clickhouse],
        );
        check(
            &["--peers=sqlite,postgres"],
            &[Peer::Sqlite, Peer::Postgres],
        );
    }
}
