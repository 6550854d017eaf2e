//! convlog's own figures that a peer has as well: ingest, lists, counts, histogram, disk, export and
//! the erasure of one customer.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::data::Batches;
use super::figures::{Asked, Day, Figures};
use super::load::{self, Http};
use super::process::{Cpu, Sampler};
use super::questions::Question;
use super::report::{self, Latencies};
use crate::out;
use crate::server::Server;

const BULK: &str = "/convlog/v1/records?dialect=watson-v1";
const COUNT_TIMES: usize = 20;
const POLL_EVERY: Duration = Duration::from_millis(10);
/// As long as the figures of the store change, sealing goes on.
const CALM: Duration = Duration::from_secs(2);
const CALM_WAIT_MAX: Duration = Duration::from_secs(300);
const ERASURE_WAIT_MAX: Duration = Duration::from_secs(3_600);
/// Costs are told at each.
pub(super) const MILLION: usize = 1_000_000;

/// How a stream of batches went.
#[derive(Debug, Default)]
pub(super) struct Ingested {
    pub(super) time: Duration,
    pub(super) acknowledged: Latencies,
    /// Longest time between two acknowledgements.
    pub(super) pause: Duration,
    pub(super) n_records: usize,
}

/// Records so far, and what each of the last million of them cost the server's processor.
pub(super) type Cost = (usize, f64);

/// Sends the batches one after the other over one connection. `seen` is called after each with the
/// number of records so far.
pub(super) fn ingest(
    http: &Http,
    batches: &Batches,
    range: Range<usize>,
    mut seen: impl FnMut(usize) -> Result<()>,
) -> Result<Ingested> {
    let mut ingested = Ingested::default();
    let begin = Instant::now();
    let mut last = begin;
    for n in range {
        let body = batches.read(n)?;
        let start = Instant::now();
        let answer = http.post(BULK, &body)?;
        let end = Instant::now();
        ingested.acknowledged.push(end - start);
        ingested.pause = ingested.pause.max(end - last);
        last = end;
        // A record of a customer that has been erased is refused, which is an answer too.
        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        let n_taken = number("accepted") + number("erased");
        if n_taken != batches.batch as u64 {
            bail!("of {} records {n_taken} were accepted", batches.batch);
        }
        ingested.n_records += batches.batch;
        seen(ingested.n_records)?;
    }
    ingested.time = begin.elapsed();
    Ok(ingested)
}

/// The bulk ingest of the base, with its memory at peak and its cost at each million.
pub(super) fn bulk(
    server: &Server,
    http: &Http,
    batches: &Batches,
    figures: &mut Figures,
) -> Result<(Ingested, Vec<Cost>)> {
    let sampler = Sampler::start(server.id());
    let cpu = Cpu::of(server.id())?;
    let own = Cpu::of(std::process::id())?;
    let own_before = own.seconds()?;
    let n_total = batches.n_records();
    let mut costs = Vec::new();
    let (mut n_before, mut seconds_before) = (0, cpu.seconds()?);
    let ingested = ingest(http, batches, batches.base.clone(), |n_records| {
        if n_records.is_multiple_of(MILLION) || n_records == n_total {
            let seconds = cpu.seconds()?;
            let us = (seconds - seconds_before) * 1e6 / (n_records - n_before) as f64;
            out::line(&format!(
                "{n_records} records: {us:.1} us of processor time for each since {n_before}, \
                 memory so far {:.0} MiB at peak",
                sampler.peak() as f64 / f64::from(1 << 20)
            ));
            costs.push((n_records, us));
            (n_before, seconds_before) = (n_records, seconds);
        }
        Ok(())
    })?;
    let us = (own.seconds()? - own_before) * 1e6 / ingested.n_records as f64;
    out::line(&format!("the load generator itself: {us:.1} us a record"));
    figures.n_records = ingested.n_records;
    figures.ingest = Some(ingested.time);
    figures.memory = sampler.peak();
    Ok((ingested, costs))
}

/// Waits until sealing has caught up: the store's own figures stand still.
pub(super) fn settle(http: &Http) -> Result<Duration> {
    let start = Instant::now();
    let (mut seen, mut since) = (Value::Null, start);
    while since.elapsed() < CALM {
        if start.elapsed() > CALM_WAIT_MAX {
            out::line("sealing has not come to rest; the figures go on while it works");
            break;
        }
        let stats = http.get("/convlog/v1/stats")?;
        let now = json!([stats.get("bytes"), stats.get("segments"), stats.get("tail")]);
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        std::thread::sleep(POLL_EVERY * 20);
    }
    Ok(since.duration_since(start))
}

/// Disk, lists, counts, histogram and export of a server at rest.
pub(super) fn reads(
    http: &Http,
    dir: &Path,
    questions: &[Question],
    (bot, n_times): (&str, usize),
    figures: &mut Figures,
) -> Result<()> {
    figures.n_disk = report::used_bytes(&dir.join("data"))?;
    for question in questions {
        let asked = ask(http, question, bot, n_times)
            .with_context(|| format!("question `{}`", question.name))?;
        print_asked(&figures.name, &asked);
        figures.questions.push(asked);
    }
    let days = load::timed(COUNT_TIMES, || histogram(http, bot));
    if let Some((days, times)) = load::unless_refused(days)? {
        times.print(&format!("convlog: histogram of {} days", days.len()));
        (figures.histogram, figures.histogram_times) = (days, times);
    }
    let start = Instant::now();
    let (n_lines, _) = http.count_lines("/convlog/v1/export?format=jsonl", "*/*")?;
    if n_lines < figures.n_records {
        bail!("the export has {n_lines} lines of {}", figures.n_records);
    }
    figures.export = Some(start.elapsed());
    Ok(())
}

/// The export of the same records as events: how many, and how long it took.
pub(super) fn events(http: &Http, n_records: usize) -> Result<(usize, Duration)> {
    let start = Instant::now();
    let path = "/api/v1/event/log/export?order=asc";
    let (n_events, _) = http.count_lines(path, "application/jsonl")?;
    if n_events < n_records {
        bail!("the export has {n_events} events of {n_records} records");
    }
    let time = start.elapsed();
    out::line(&format!(
        "convlog: {n_events} events exported in {:.1} s",
        time.as_secs_f64()
    ));
    Ok((n_events, time))
}

/// What the server refuses stays empty, which no peer agrees with.
fn ask(http: &Http, question: &Question, bot: &str, n_times: usize) -> Result<Asked> {
    let mut asked = Asked {
        name: question.name.to_owned(),
        ..Asked::default()
    };
    let page = load::timed(n_times, || http.list(bot, &question.list));
    if let Some((page, times)) = load::unless_refused(page)? {
        asked.ids = load::log_ids(&page)?;
        asked.list = times;
    }
    let total = load::timed(COUNT_TIMES, || count(http, &question.count));
    if let Some((total, times)) = load::unless_refused(total)? {
        asked.total = total;
        asked.count = times;
    }
    Ok(asked)
}

/// One line about a question.
pub(super) fn print_asked(engine: &str, asked: &Asked) {
    let name = format!(
        "{engine}: {}, {} of {}",
        asked.name,
        asked.ids.len(),
        asked.total
    );
    asked.list.print(&name);
}

fn count(http: &Http, filter: &str) -> Result<u64> {
    let body = json!({"filter": filter, "metrics": ["count"]}).to_string();
    let answer = http.post("/convlog/v1/aggregate", body.as_bytes())?;
    let rows = answer.get("rows").and_then(Value::as_array);
    let row = rows.and_then(|rows| rows.first());
    // No record, no row.
    Ok(row
        .and_then(|row| row.get("count"))
        .and_then(Value::as_u64)
        .unwrap_or_default())
}

fn histogram(http: &Http, bot: &str) -> Result<Vec<Day>> {
    let body = json!({
        "filter": format!("bot::{bot}"),
        "by": [{"field": "time.request", "every": "1d", "zone": "UTC"}],
        "metrics": ["count", {"distinct": "user"}]
    });
    let answer = http.post("/convlog/v1/aggregate", body.to_string().as_bytes())?;
    let rows = answer.get("rows").and_then(Value::as_array);
    let day = |row: &Value| {
        let time = row.get("keys")?.get("time.request")?.as_str()?;
        let day = time.split('T').next()?.to_owned();
        let n_users = row.get("distinct")?.get("user")?.as_u64()?;
        Some((day, row.get("count")?.as_u64()?, n_users))
    };
    let rows = rows.context("an aggregate without rows")?;
    let days = rows
        .iter()
        .map(|row| day(row).context("a row of an aggregate has another form"));
    days.collect()
}

/// Erases a customer and waits until it is gone from every file.
pub(super) fn erase(http: &Http, customer: &str, figures: &mut Figures) -> Result<()> {
    let start = Instant::now();
    let body = json!({"customer_id": customer}).to_string();
    let erasure = http.post("/convlog/v1/erasures", body.as_bytes())?;
    let id = erasure.get("id").and_then(Value::as_str);
    let path = format!(
        "/convlog/v1/erasures/{}",
        id.context("an erasure without id")?
    );
    loop {
        let erasure = http.get(&path)?;
        if is_done(&erasure) {
            figures.erase = Some(start.elapsed());
            figures.n_erased = erasure
                .get("records")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            return Ok(());
        }
        if start.elapsed() > ERASURE_WAIT_MAX {
            bail!("the erasure has not ended: {erasure}");
        }
        std::thread::sleep(POLL_EVERY);
    }
}

/// Waits until every erasure of the instance has ended.
pub(super) fn all_erased(http: &Http) -> Result<()> {
    let start = Instant::now();
    loop {
        let page = http.get("/convlog/v1/erasures?limit=1000")?;
        let erasures = page.get("erasures").and_then(Value::as_array);
        if erasures
            .context("a page without erasures")?
            .iter()
            .all(is_done)
        {
            return Ok(());
        }
        if start.elapsed() > ERASURE_WAIT_MAX {
            bail!("erasures have not ended");
        }
        std::thread::sleep(POLL_EVERY * 10);
    }
}

fn is_done(erasure: &Value) -> bool {
    erasure.get("state").and_then(Value::as_str) == Some("done")
}
