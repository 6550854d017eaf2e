//! convlog while it takes records at full speed: its lists, its acknowledgements, and both while
//! customers are erased.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};

use super::convlog::{self, Ingested};
use super::data::Batches;
use super::load::{self, Http};
use super::questions::Question;
use super::report::Latencies;
use crate::out;

const ERASE_EVERY: Duration = Duration::from_millis(100);
/// The most that the erasures' list shows on one page.
const ERASURES_MAX: usize = 900;

/// Lists asked one after the other by one reader while one writer sends batches.
pub(super) fn lists(
    http: &Http,
    batches: &Batches,
    questions: &[Question],
    bot: &str,
) -> Result<(Ingested, Vec<(String, Latencies)>)> {
    let mut times: Vec<Latencies> = questions.iter().map(|_| Latencies::default()).collect();
    let mut pages = vec![String::new(); questions.len()];
    let mut n_refused = 0;
    let ingested = meanwhile(http, batches, batches.asked.clone(), |is_over| {
        while !is_over() {
            for ((question, times), page) in questions.iter().zip(&mut times).zip(&mut pages) {
                let start = std::time::Instant::now();
                let answer = load::unless_refused(http.list(bot, &question.list))?;
                // A refusal counts with the time that it took.
                times.push(start.elapsed());
                match answer {
                    Some(text) => *page = text,
                    None => n_refused += 1,
                }
            }
        }
        Ok(())
    })?;
    if n_refused > 0 {
        out::line(&format!(
            "convlog while ingesting: {n_refused} lists refused"
        ));
    }
    let mut named = Vec::new();
    for ((question, times), page) in questions.iter().zip(times).zip(pages) {
        let n_logs = match page.as_str() {
            "" => 0,
            page => load::log_ids(page)?.len(),
        };
        if n_logs == 0 && n_refused == 0 {
            bail!("while ingesting, `{}` finds nothing", question.name);
        }
        times.print(&format!(
            "convlog while ingesting: {}, {n_logs} logs",
            question.name
        ));
        named.push((question.name.to_owned(), times));
    }
    Ok((ingested, named))
}

/// Customers erased ten a second while one writer sends batches; waits for the end of the erasures.
pub(super) fn erasures(
    http: &Http,
    batches: &Batches,
    kept: &str,
    n_customers: usize,
) -> Result<Ingested> {
    let mut n_erased = 0;
    let ingested = meanwhile(http, batches, batches.erased.clone(), |is_over| {
        let customers = (0..n_customers.min(ERASURES_MAX)).map(|n| format!("customer-{n}"));
        for customer in customers.filter(|customer| customer != kept) {
            if is_over() {
                break;
            }
            http.delete(&format!(
                "/v1/user_data?version=2021-11-27&customer_id={customer}"
            ))?;
            n_erased += 1;
            std::thread::sleep(ERASE_EVERY);
        }
        Ok(())
    })?;
    convlog::all_erased(http)?;
    out::line(&format!(
        "convlog: {n_erased} customers erased while ingesting"
    ));
    Ok(ingested)
}

/// Does `work` until a writer with a connection of its own has sent the batches.
fn meanwhile(
    http: &Http,
    batches: &Batches,
    range: Range<usize>,
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<()>,
) -> Result<Ingested> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let own = http.fresh();
            let ingested = convlog::ingest(&own, batches, range, |_| Ok(()));
            is_over.store(true, Ordering::Relaxed);
            ingested
        });
        let worked = work(&|| is_over.load(Ordering::Relaxed));
        match writer.join() {
            Ok(ingested) => worked.and(ingested),
            Err(_) => bail!("the writer panicked"),
        }
    })
}
