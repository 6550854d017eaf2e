//! `convlog import`: exports of a vendor, or a live service, into a server, in bounded batches.
//!
//! Correct without any memory of former runs: every log carries an id, its own or one derived from
//! its place and content, so that the server recognises what it has. `--state` only saves time.

mod expiry;
mod live;
mod prepare;
mod progress;
mod reader;
mod sender;
mod state;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Result;
use convlog_model::record::Dialect;
use serde_json::json;
use tokio::sync::mpsc::{self, Receiver};

use self::progress::Progress;
use self::reader::{InputFile, Item};
use self::sender::{Counts, Sender};
use self::state::{Mark, StateFile};
use crate::args::{DialectName, Import};
use crate::client::Client;
use crate::clock::SystemClock;
use crate::out;

/// Items that wait for being sent.
const QUEUE_ITEMS: usize = 2048;
/// Lines named one by one; further ones are counted.
const COMPLAINTS_MAX: usize = 1000;

/// Runs the import.
pub(crate) async fn run(arguments: &Import) -> Result<()> {
    let clock = SystemClock::new();
    let client = Client::new(&arguments.connection)?;
    let mut state = StateFile::open(arguments.state.clone(), client.url())?;
    let source = match &arguments.from {
        Some(url) => Source::Live(live::Service::new(url, arguments)?),
        None => Source::Files(reader::files(&arguments.paths)?),
    };
    let settings = sender::Settings {
        dialect: arguments.dialect.map(DialectName::dialect),
        records_max: usize::try_from(arguments.batch).unwrap_or(usize::MAX),
        is_strict: arguments.strict,
    };
    let start = match state.mark(&source.fingerprint()) {
        Some(mark) if still_there(&client, &source, &settings, &mark).await? => mark,
        Some(_) => {
            out::note("the state file belongs to other data: starting from the beginning");
            Mark::default()
        }
        None => Mark::default(),
    };
    let progress = Progress::new(source.n_bytes());
    let sender = Sender::new(client, settings, &clock, start.counts.clone());
    let result = transfer(&source, sender, &start, &mut state, &progress).await;
    progress.finish();
    let (counts, failure) = result;
    // A run that did not get as far has nothing to report but its error.
    if failure.is_none() || counts.n_done() > 0 {
        report(&counts, clock.elapsed().as_secs_f64(), arguments.json)?;
    }
    match failure {
        Some(error) => Err(error),
        None => state.remove(),
    }
}

/// Where logs come from.
#[derive(Debug)]
enum Source {
    Files(Vec<InputFile>),
    Live(live::Service),
}

impl Source {
    /// Tells whether a state file is about the same import.
    fn fingerprint(&self) -> String {
        match self {
            Source::Live(service) => service.fingerprint(),
            Source::Files(files) => {
                let file = |file: &InputFile| format!("{} {}", file.path.display(), file.n_bytes);
                files.iter().map(file).collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn n_bytes(&self) -> Option<u64> {
        match self {
            Source::Live(_) => None,
            Source::Files(files) if files.iter().any(|file| file.path.as_os_str() == "-") => None,
            Source::Files(files) => Some(files.iter().map(|file| file.n_bytes).sum()),
        }
    }

    /// Begins to read, behind `mark` where the source can do that itself.
    fn start(&self, mark: &Mark, n_bytes_read: &Arc<AtomicU64>) -> Receiver<Result<Item>> {
        let (items, receiver) = mpsc::channel(QUEUE_ITEMS);
        match self {
            Source::Files(files) => {
                let files = files.clone();
                let n_bytes_read = Arc::clone(n_bytes_read);
                std::thread::spawn(move || reader::read_all(&files, &n_bytes_read, &items));
            }
            Source::Live(service) => service.clone().start(mark.time.clone(), items),
        }
        receiver
    }

    /// Items at the beginning that a former run has seen stored.
    fn n_skipped(&self, mark: &Mark) -> u64 {
        match self {
            Source::Files(_) => mark.n_items,
            Source::Live(_) => 0,
        }
    }
}

/// Whether the server still has what the former run stored last. What was erased counts as had.
async fn still_there(
    client: &Client,
    source: &Source,
    settings: &sender::Settings,
    mark: &Mark,
) -> Result<bool> {
    let (Source::Files(_), Some(probe)) = (source, mark.probe) else {
        return Ok(true);
    };
    let clock = SystemClock::new();
    let mut sender = Sender::new(client.clone(), settings.clone(), &clock, Counts::default());
    let mut items = source.start(mark, &Arc::default());
    let mut n_items = 0;
    while let Some(item) = items.recv().await {
        let item = item?;
        n_items += 1;
        if n_items == probe {
            sender.take(item).await?;
            sender.flush().await?;
            return Ok(sender.counts.duplicates + sender.counts.erased == 1);
        }
    }
    Ok(false)
}

/// Everything from the source to the server. The counts are right whatever happens.
async fn transfer(
    source: &Source,
    mut sender: Sender<'_>,
    start: &Mark,
    state: &mut StateFile,
    progress: &Progress,
) -> (Counts, Option<anyhow::Error>) {
    let mut items = source.start(start, progress.n_bytes());
    let mut n_items = 0;
    let n_skipped = source.n_skipped(start);
    let fingerprint = source.fingerprint();
    let mut failure = None;
    while let Some(item) = items.recv().await {
        let result = async {
            let item = item?;
            n_items += 1;
            if n_items <= n_skipped {
                return Ok(());
            }
            let is_flushed = sender.take(item).await?;
            if is_flushed {
                progress.show(&sender.counts);
                state.save(&fingerprint, &sender.mark(n_items))?;
            }
            anyhow::Ok(())
        };
        if let Err(error) = result.await {
            failure = Some(error);
            break;
        }
    }
    if failure.is_none() {
        failure = sender.flush().await.err();
    } else if sender.is_stopped {
        // The good lines before the bad one; what stopped the import stays the reason.
        let _flushed = sender.flush().await;
    }
    progress.show(&sender.counts);
    (sender.counts, failure)
}

fn report(counts: &Counts, seconds: f64, is_json: bool) -> Result<()> {
    for complaint in counts.complaints.iter().filter(|_| !is_json) {
        out::note(&format!(
            "{}:{}: {}",
            complaint.file, complaint.line, complaint.error
        ));
    }
    let n_unnamed = counts.rejected - counts.complaints.len() as u64;
    if n_unnamed > 0 && !is_json {
        out::note(&format!("… and {n_unnamed} further lines"));
    }
    if is_json {
        let summary = json!({
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "erased": counts.erased,
            "rejected": counts.rejected,
            "skipped": counts.skipped,
            "errors": counts.complaints,
            "seconds": seconds,
        });
        return out::line(&summary.to_string());
    }
    let n = |number| out::grouped(number);
    let rate = counts.n_done() as f64 / seconds.max(0.001);
    // Watson's exports have nothing to skip.
    let skipped = match counts.skipped {
        0 => String::new(),
        skipped => format!(", {} other messages skipped", n(skipped)),
    };
    out::line(&format!(
        "{} accepted, {} duplicates, {} erased, {} rejected{skipped} in {seconds:.1} s \
         ({rate:.0} a second)",
        n(counts.accepted),
        n(counts.duplicates),
        n(counts.erased),
        n(counts.rejected),
    ))
}

impl DialectName {
    fn dialect(self) -> Dialect {
        match self {
            DialectName::WatsonV1 => Dialect::WatsonV1,
            DialectName::WatsonV2 => Dialect::WatsonV2,
            DialectName::LexV1 => Dialect::LexV1,
            DialectName::Convlog => Dialect::Convlog,
        }
    }
}
