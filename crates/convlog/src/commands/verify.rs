//! `convlog verify`: every checksum of a data directory.

use anyhow::{Result, bail};
use convlog_store::embedded::{VerifyReport, verify};
use serde_json::json;

use crate::args::Verify;
use crate::out::{self, wrong_use};

/// Checks it; damage is a failure.
pub(crate) fn run(arguments: &Verify) -> Result<()> {
    let dir = &arguments.data_dir;
    if !dir.is_dir() {
        let text = format!("there is no data directory {}", dir.display());
        return Err(wrong_use(text));
    }
    let report = verify(dir);
    match arguments.json {
        true => out::line(&to_json(&report).to_string())?,
        false => print(&report)?,
    }
    match report.problems.len() {
        0 => Ok(()),
        1 => bail!("one thing is broken"),
        n_problems => bail!("{n_problems} things are broken"),
    }
}

fn print(report: &VerifyReport) -> Result<()> {
    for problem in &report.problems {
        out::line(&problem.to_string())?;
    }
    for note in &report.notes {
        out::line(&format!("note: {note}"))?;
    }
    if report.is_running {
        out::line("note: a server has it open: its catalog was not looked at")?;
    }
    let n = out::grouped;
    let VerifyReport {
        chunks,
        indexes,
        frames,
        records,
        bytes,
        ..
    } = report;
    out::line(&format!(
        "{} logs, {} indexes, {} frames, {} records, {} bytes checked",
        n(*chunks),
        n(*indexes),
        n(*frames),
        n(*records),
        n(*bytes),
    ))
}

fn to_json(report: &VerifyReport) -> serde_json::Value {
    let problem = |problem: &convlog_store::embedded::Problem| json!({"file": problem.file, "offset": problem.offset, "what": problem.what});
    json!({
        "running": report.is_running,
        "chunks": report.chunks,
        "indexes": report.indexes,
        "frames": report.frames,
        "records": report.records,
        "bytes": report.bytes,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "notes": report.notes,
    })
}
