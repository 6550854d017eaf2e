//! The same work on other engines: starts the programs of `xtask/peers` and collects what they say.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::convlog;
use super::data::Batches;
use super::figures::{Asked, Day, Figures};
use super::generate::Sample;
use super::postgres::Cluster;
use super::process::Sampler;
use super::report::Latencies;
use crate::provision::{self, Environment};
use crate::{out, shell};

/// Another engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Peer {
    /// PostgreSQL 15: jsonb with GIN and btree indexes
    Postgres,
    /// SQLite with FTS5
    Sqlite,
    /// ClickHouse, embedded
    Clickhouse,
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::Clickhouse => "ClickHouse",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Postgres => "postgres.py",
            Self::Sqlite => "sqlite.py",
            Self::Clickhouse => "clickhouse.py",
        }
    }
}

/// What a peer says about itself, one a line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Version {
        text: String,
    },
    Ingest {
        seconds: f64,
        times_ms: Vec<f64>,
    },
    Settled {
        seconds: f64,
    },
    Disk {
        bytes: u64,
    },
    List {
        name: String,
        ids: Vec<String>,
        times_ms: Vec<f64>,
    },
    Count {
        name: String,
        total: u64,
        times_ms: Vec<f64>,
    },
    Histogram {
        rows: Vec<Day>,
        times_ms: Vec<f64>,
    },
    Export {
        records: usize,
        seconds: f64,
    },
    Erased {
        records: u64,
        seconds: f64,
    },
}

/// What all peers get.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) target: &'a Path,
    pub(super) dir: &'a Path,
    pub(super) batches: &'a Batches,
    pub(super) bot: &'a str,
    pub(super) sample: &'a Sample,
    pub(super) queries: usize,
}

/// Runs one peer on an empty directory and removes what it has written.
pub(super) fn measure(peer: Peer, work: &Work<'_>) -> Result<Figures> {
    out::heading(peer.name());
    provision::ensure(Environment::Peers, work.target)?;
    let dir = work.dir.join(peer.name());
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let cluster = match peer {
        Peer::Postgres => Some(Cluster::start(&dir.join("cluster"))?),
        Peer::Sqlite | Peer::Clickhouse => None,
    };
    let figures = converse(peer, work, &dir, cluster.as_ref())
        .with_context(|| format!("{} failed", peer.name()))?;
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }
    fs::remove_dir_all(&dir)?;
    Ok(figures)
}

fn converse(peer: Peer, work: &Work<'_>, dir: &Path, cluster: Option<&Cluster>) -> Result<Figures> {
    let plan_file = dir.join("plan.json");
    let files = dir.join("files");
    fs::create_dir_all(&files)?;
    let plan = json!({
        "batches": work.batches.dir,
        "n_batches": work.batches.base.len(),
        "work": files,
        "bot": work.bot,
        "queries": work.queries,
        "customer": work.sample.customer,
        "rare_word": work.sample.rare_word,
        "log_id": work.sample.log_id,
        "connection": cluster.map(Cluster::connection),
    });
    fs::write(&plan_file, plan.to_string())?;
    let python = Environment::Peers.dir(work.target).join("bin/python");
    let child = Command::new(python)
        .arg("-B")
        .arg(scripts_dir().join(peer.script()))
        .arg(&plan_file)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut child = Running(child);
    let sampler = Sampler::start(cluster.map_or(child.0.id(), Cluster::id));
    let mut figures = Figures {
        name: peer.name().to_owned(),
        n_records: work.batches.n_records(),
        ..Figures::default()
    };
    let stdout = child.0.stdout.take().context("the peer has no stdout")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        let event = serde_json::from_str(&line)
            .with_context(|| format!("the peer says `{line}`, which is no event"))?;
        take(event, &mut figures, &sampler)?;
    }
    let status = child.0.wait()?;
    if !status.success() {
        bail!("its program ended with {status}");
    }
    Ok(figures)
}

fn take(event: Event, figures: &mut Figures, sampler: &Sampler) -> Result<()> {
    let name = figures.name.clone();
    match event {
        Event::Version { text } => figures.version = text,
        Event::Ingest { seconds, times_ms } => {
            figures.ingest = Some(Duration::from_secs_f64(seconds));
            figures.memory = sampler.peak();
            figures.acknowledged = Latencies::from_millis(&times_ms);
            let rate = figures.rate().unwrap_or_default();
            out::line(&format!("{name}: {rate:.0} records/s"));
        }
        Event::Settled { seconds } => {
            out::line(&format!("{name}: settled after {seconds:.1} s more"));
        }
        Event::Disk { bytes } => figures.n_disk = bytes,
        Event::List {
            name,
            ids,
            times_ms,
        } => figures.questions.push(Asked {
            name,
            ids,
            list: Latencies::from_millis(&times_ms),
            ..Asked::default()
        }),
        Event::Count {
            name: question,
            total,
            times_ms,
        } => {
            let asked = figures.questions.last_mut();
            let asked = asked.filter(|asked| asked.name == question);
            let asked = asked.context("a count without its list")?;
            asked.total = total;
            asked.count = Latencies::from_millis(&times_ms);
            convlog::print_asked(&name, asked);
        }
        Event::Histogram { rows, times_ms } => {
            figures.histogram = rows;
            figures.histogram_times = Latencies::from_millis(&times_ms);
        }
        Event::Export { records, seconds } => {
            if records != figures.n_records {
                bail!("the export has {records} logs of {}", figures.n_records);
            }
            figures.export = Some(Duration::from_secs_f64(seconds));
        }
        Event::Erased { records, seconds } => {
            figures.n_erased = records;
            figures.erase = Some(Duration::from_secs_f64(seconds));
        }
    }
    Ok(())
}

/// A program that ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn scripts_dir() -> PathBuf {
    shell::root().join("xtask/peers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(lines: &[&str]) -> Result<Figures> {
        let sampler = Sampler::start(std::process::id());
        let mut figures = Figures {
            name: "peer".to_owned(),
            n_records: 10,
            ..Figures::default()
        };
        for line in lines {
            take(serde_json::from_str(line)?, &mut figures, &sampler)?;
        }
        Ok(figures)
    }

    #[test]
    fn what_a_peer_says_becomes_figures() {
        let figures = taken(&[
            r#"{"version": {"text": "15.1"}}"#,
            r#"{"ingest": {"seconds": 2.5, "times_ms": [1.5, 2.0]}}"#,
            r#"{"disk": {"bytes": 77}}"#,
            r#"{"list": {"name": "customer", "ids": ["b", "a"], "times_ms": [0.5]}}"#,
            r#"{"count": {"name": "customer", "total": 2, "times_ms": [0.25]}}"#,
            r#"{"histogram": {"rows": [["2026-01-01", 10, 3]], "times_ms": [9]}}"#,
            r#"{"export": {"records": 10, "seconds": 1}}"#,
            r#"{"erased": {"records": 2, "seconds": 4.5}}"#,
        ])
        .unwrap();
        assert_eq!(figures.rate(), Some(4.0));
        let asked = figures.question("customer").unwrap();
        assert_eq!((asked.total, asked.ids.len()), (2, 2));
        assert_eq!(asked.count.p50(), Some(0.25));
        assert_eq!(figures.histogram, [("2026-01-01".to_owned(), 10, 3)]);
        assert_eq!((figures.n_disk, figures.n_erased), (77, 2));
        assert_eq!(figures.erase, Some(Duration::from_millis(4_500)));
    }

    #[test]
    fn an_export_of_other_length_and_a_count_without_list_are_errors() {
        let error = taken(&[r#"{"export": {"records": 9, "seconds": 1}}"#]).unwrap_err();
        assert_eq!(error.to_string(), "the export has 9 logs of 10");
        let error = taken(&[r#"{"count": {"name": "customer", "total": 2, "times_ms": []}}"#]);
        assert_eq!(error.unwrap_err().to_string(), "a count without its list");
    }
}
