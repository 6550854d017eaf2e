//! `cargo xtask bench`: the whole server, over HTTP, on seeded records; prints what it measured.
//!
//! The machines are shared and noisy: compare figures of one run, not of two.

mod fsync;
mod generate;
mod load;
mod report;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::generate::Generator;
use self::load::Http;
use self::report::Latencies;
use crate::server::{self, Server};
use crate::{out, shell};

/// What is measured, and with how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Records of the bulk ingest
    #[arg(long, default_value_t = 200_000)]
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
    /// Seed of the generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const CLIENT_COUNTS: [usize; 3] = [1, 16, 64];
const BOT: &str = "bench-shop";

/// Builds the release program, starts it on an empty directory and measures.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let target = shell::target_dir()?;
    let program = server::build(&target, true)?;
    let dir = target.join("bench/run");
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    let server = Server::start(&program, &dir, &[])?;
    let http = Http::new(&server.url, server::ADMIN_KEY);
    let generator = Generator::new(arguments.seed, BOT);
    out::line(&format!(
        "seed {}, {} records of bulk ingest",
        arguments.seed, arguments.records
    ));
    fsync::measure(&dir)?.print("disk: write 4 KiB and sync");
    ingest(&http, &generator, arguments)?;
    disk_and_memory(&server, &dir, &generator, arguments)?;
    queries(&http, &generator, arguments)?;
    export(&http, arguments.records)?;
    messages(&http, arguments)?;
    report::memory(&server)?;
    server.stop()?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn ingest(http: &Http, generator: &Generator, arguments: &Arguments) -> Result<()> {
    let mut latencies = Latencies::default();
    let mut n_bytes = 0_u64;
    let mut busy = Duration::ZERO;
    let mut first = 0;
    while first < arguments.records {
        let last = (first + arguments.batch).min(arguments.records);
        let body = generator.lines(first..last);
        n_bytes += body.len() as u64;
        let start = Instant::now();
        let answer = http.post("/convlog/v1/records?dialect=watson-v1", body.as_bytes())?;
        latencies.push(start.elapsed());
        busy += start.elapsed();
        let accepted = answer
            .get("accepted")
            .and_then(serde_json::Value::as_u64)
            .context("the answer to an ingest has no `accepted`")?;
        if accepted != (last - first) as u64 {
            bail!("of {} records {accepted} were accepted", last - first);
        }
        first = last;
    }
    let seconds = busy.as_secs_f64();
    out::line(&format!(
        "bulk ingest, batches of {}: {:.0} records/s, {:.1} MB/s",
        arguments.batch,
        arguments.records as f64 / seconds,
        n_bytes as f64 / 1e6 / seconds
    ));
    latencies.print("bulk ingest: acknowledgement of a batch");
    Ok(())
}

fn disk_and_memory(
    server: &Server,
    dir: &Path,
    generator: &Generator,
    arguments: &Arguments,
) -> Result<()> {
    let n_raw = generator.bytes(0..arguments.records);
    let n_disk = report::used_bytes(&dir.join("data"))?;
    out::line(&format!(
        "disk: {n_disk} bytes allocated for {n_raw} raw bytes, {:.2} of raw (the open chunk's \
         preallocation included)",
        n_disk as f64 / n_raw as f64
    ));
    report::memory(server)
}

/// The list queries of design section 7.9, and phrase, fuzzy and wildcard.
fn queries(http: &Http, generator: &Generator, arguments: &Arguments) -> Result<()> {
    let middle = generator.record(arguments.records / 2);
    let cases = [
        ("newest 100", String::new()),
        (
            "nested",
            "response.intents:(intent::place_order,confidence>0.95)".to_owned(),
        ),
        ("customer", format!("customer_id::{}", middle.customer)),
        ("common word", "request.input.text:coffee".to_owned()),
        (
            "rare word",
            format!("request.input.text:{}", middle.rare_word),
        ),
        ("own id", format!("log_id::{}", middle.log_id)),
        ("phrase", "request.input.text:\"large coffee\"".to_owned()),
        ("fuzzy", "request.input.text:cofee~1".to_owned()),
        ("wildcard", "request.input.text:coff*".to_owned()),
    ];
    for (name, filter) in cases {
        let mut latencies = Latencies::default();
        let mut n_found = 0;
        let mut refusal = None;
        for _ in 0..arguments.queries {
            let start = Instant::now();
            match http.list(BOT, &filter) {
                Ok(n_logs) => n_found = n_logs,
                Err(error) => {
                    refusal = Some(error);
                    break;
                }
            }
            latencies.push(start.elapsed());
        }
        match refusal {
            None => latencies.print(&format!("query {name} ({n_found} logs of a page of 100)")),
            Some(error) => out::line(&format!("query {name}: refused, {error:#}")),
        }
    }
    Ok(())
}

fn export(http: &Http, n_records: usize) -> Result<()> {
    let start = Instant::now();
    let (n_lines, n_bytes) = http.count_lines("/convlog/v1/export?format=jsonl")?;
    if n_lines < n_records {
        bail!("the export has {n_lines} lines of {n_records}");
    }
    let seconds = start.elapsed().as_secs_f64();
    out::line(&format!(
        "export jsonl: {:.0} records/s, {:.1} MB/s",
        n_lines as f64 / seconds,
        n_bytes as f64 / 1e6 / seconds
    ));
    Ok(())
}

fn messages(http: &Http, arguments: &Arguments) -> Result<()> {
    let bot = "bench-echo";
    let body = br#"{"name":"bench","language":"en","connector":{"kind":"echo"}}"#;
    http.put(&format!("/convlog/v1/bots/{bot}"), body)?;
    for n_clients in CLIENT_COUNTS {
        let start = Instant::now();
        let latencies = load::messages(http, bot, n_clients, arguments.messages)?;
        let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
        out::line(&format!(
            "single messages, {n_clients} clients: {rate:.0} messages/s"
        ));
        latencies.print(&format!("single messages, {n_clients} clients"));
    }
    Ok(())
}
