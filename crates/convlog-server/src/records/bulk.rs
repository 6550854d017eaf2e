//! `POST /records`: NDJSON in, one answer about every line out.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use convlog_model::record::Draft;
use convlog_model::store::Outcome;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use serde::{Deserialize, Serialize};

use super::decoders::give_way;
use super::importer::Importer;
use super::upload::Upload;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Line, Lines, Params};
use crate::bots::Channels;
use crate::error::{Fault, Problem};
use crate::idempotency::Seed;
use crate::ingest::Seen;

/// Lines that are handed to the store together.
const STEP_LINES: usize = 1000;
/// Bytes of lines that are handed to the store together.
const STEP_BYTES: usize = 8 << 20;
/// Lines, and about how many bytes of them, that one thread takes apart at a time.
const PART_LINES: usize = 125;
const PART_BYTES: usize = 512 << 10;
/// Lines that are taken apart before others may have the core.
const LINES_AT_ONCE: usize = 60;
/// Most parts of one request that are in work at once.
const PARTS_MAX: usize = 4;
/// Most bytes of marks of bodies that go on from one part to the store; of what is beyond, the store
/// reads the text again.
const MARKS_BYTES_MAX: usize = 4 << 20;
/// Most lines of one request.
const LINES_MAX: usize = 1_000_000;
/// Most lines of one request that are named as rejected.
const REJECTED_MAX: usize = 100_000;

/// Parameters of `POST /records`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BulkParams {
    /// Form of the lines: `watson-v1`, `watson-v2`, `chatbotkit`, `convlog`, or `lex-v1`, which
    /// are entries of conversation logs by themselves: events and envelopes that hold them are
    /// opened by `convlog import`.
    dialect: String,
}

/// What became of the lines; the four numbers add up to the lines that are not empty.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct BulkAnswer {
    /// Stored now.
    pub(super) accepted: u64,
    /// Stored before.
    pub(super) duplicates: u64,
    /// Of customers who were erased after the time of the record; not stored.
    pub(super) erased: u64,
    /// Not stored.
    pub(super) rejected: Vec<Rejected>,
}

/// A line that was not stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Rejected {
    /// Its number, counted from 1.
    line: usize,
    /// Why, naming the field.
    error: String,
}

/// Takes records in, one a line. Good lines are durable and visible when the answer comes, also
/// where others are bad.
#[utoipa::path(post, path = "/convlog/v1/records", tag = "records", params(BulkParams),
    request_body(content = String, content_type = "application/x-ndjson",
        description = "one record a line; also gzip or zstd encoded"),
    responses(
        (status = 200, body = BulkAnswer),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    seed: Option<Extension<Seed>>,
    Params(params): Params<BulkParams>,
    mut lines: Lines,
) -> Result<Json<BulkAnswer>, Fault> {
    let reading = Arc::new(Reading {
        app: app.clone(),
        caller: caller.clone(),
        importer: Importer::of(&params.dialect)?,
        channels: Channels::of(&app, &caller.instance).await?,
        seed: seed.map(|Extension(seed)| seed),
        line_bytes_max: app.config().limits.record_bytes,
    });
    let mut upload = Upload::new(&app, &caller, &params.dialect, reading.seed.as_ref());
    let ended = take(&reading, &mut lines, &mut upload).await;
    upload.end(ended).await.map(Json)
}

/// Keeps line after line until the body ends.
async fn take(reading: &Arc<Reading>, lines: &mut Lines, upload: &mut Upload) -> Result<(), Fault> {
    let mut n_lines = 0;
    let mut step = reading.step(lines).await;
    loop {
        n_lines += step.n_lines;
        if n_lines > LINES_MAX {
            let message = format!("more than {LINES_MAX} lines; those before are stored");
            return Err(Fault::too_large(message));
        }
        let end = step.end.take();
        let is_last = matches!(end, Some(Ok(())));
        let stored = store(reading, step, upload, is_last);
        // While the store makes one step durable, the next is read.
        let next = async {
            match end {
                None => Ok(reading.step(lines).await),
                Some(end) => Err(end),
            }
        };
        let (stored, next) = futures::join!(stored, next);
        stored?;
        if upload.answer.rejected.len() > REJECTED_MAX {
            let message = format!(
                "more than {REJECTED_MAX} lines are rejected; good lines before are stored"
            );
            return Err(Fault::too_large(message));
        }
        match next {
            Ok(next) => step = next,
            Err(end) => return end,
        }
    }
}

/// What lines are read with.
struct Reading {
    app: App,
    caller: Caller,
    importer: Importer,
    channels: Channels,
    seed: Option<Seed>,
    line_bytes_max: usize,
}

/// Some lines, read.
#[derive(Default)]
struct Step {
    n_lines: usize,
    /// Numbers of the lines of `records`.
    numbers: Vec<usize>,
    records: Vec<Seen>,
    rejected: Vec<Rejected>,
    /// How the body ended, once it has. What was read before a broken end is kept all the same.
    end: Option<Result<(), Fault>>,
}

/// Some lines that one thread takes apart.
#[derive(Default)]
struct Part {
    lines: Vec<Line>,
    n_bytes: usize,
}

impl Step {
    fn extend(&mut self, part: Result<Step, tokio::task::JoinError>) {
        match part {
            Ok(part) => {
                self.numbers.extend(part.numbers);
                self.records.extend(part.records);
                self.rejected.extend(part.rejected);
            }
            Err(error) => {
                let fault = Fault::internal(format!("lines of a bulk request: {error}"));
                self.end = Some(Err(fault));
            }
        }
    }
}

impl Reading {
    /// Lines until a step is full or the body ends, taken apart in threads of their own.
    async fn step(self: &Arc<Self>, lines: &mut Lines) -> Step {
        let mut step = Step::default();
        let mut in_work = FuturesOrdered::new();
        let mut n_bytes = 0;
        while step.end.is_none() && n_bytes < STEP_BYTES {
            let n_left = STEP_LINES.saturating_sub(step.n_lines);
            // A body that is all there already must not keep others from their turn.
            tokio::task::yield_now().await;
            if n_left == 0 {
                step.end = lines.ended();
                break;
            }
            let (part, end) = read_part(lines, n_left.min(PART_LINES)).await;
            n_bytes += part.n_bytes;
            step.n_lines += part.lines.len();
            step.end = end;
            if in_work.len() >= PARTS_MAX
                && let Some(done) = in_work.next().await
            {
                step.extend(done);
            }
            let reading = Arc::clone(self);
            in_work.push_back(self.app.decoders().run(move || reading.part(part)));
        }
        while let Some(done) = in_work.next().await {
            step.extend(done);
        }
        step
    }

    fn part(&self, part: Part) -> Step {
        let mut step = Step::default();
        let mut marks_bytes = 0;
        for (i, line) in part.lines.into_iter().enumerate() {
            if i % LINES_AT_ONCE == LINES_AT_ONCE - 1 {
                give_way();
            }
            match self.draft(&line) {
                Ok(mut draft) => {
                    marks_bytes += draft.raw.marks_memory();
                    if marks_bytes > MARKS_BYTES_MAX {
                        draft.raw.forget_marks();
                    }
                    step.numbers.push(line.number);
                    step.records
                        .push(self.app.ingest().look(&self.caller, draft));
                }
                Err(error) => step.rejected.push(Rejected {
                    line: line.number,
                    error,
                }),
            }
        }
        step
    }

    fn draft(&self, line: &Line) -> Result<Draft, String> {
        let Some(bytes) = &line.bytes else {
            return Err(format!("longer than {} bytes", self.line_bytes_max));
        };
        let bytes = match line.number {
            1 => bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes),
            _ => bytes,
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("not UTF-8 at column {}", error.valid_up_to() + 1))?;
        let text = text.trim_ascii();
        let instance = &self.caller.instance;
        let mut draft = self
            .importer
            .decode(instance, text)
            .map_err(|error| error.to_string())?;
        let lex = &self.app.config().lex;
        self.importer
            .complete(&mut draft, &self.channels, &lex.customer_attribute);
        // Without an id of its own a line that is sent again could not be recognised.
        if let (None, Some(seed)) = (&draft.own_id, &self.seed) {
            draft.own_id = Some(seed.id(&line.number.to_string()).to_string());
        }
        Ok(draft)
    }
}

/// The next lines, at most `n_max`, and how the body ended, once it has.
async fn read_part(lines: &mut Lines, n_max: usize) -> (Part, Option<Result<(), Fault>>) {
    let mut part = Part::default();
    while part.lines.len() < n_max && part.n_bytes < PART_BYTES {
        match lines.next().await {
            Ok(Some(line)) => {
                part.n_bytes += line.bytes.as_ref().map_or(0, Vec::len);
                part.lines.push(line);
            }
            Ok(None) => return (part, Some(Ok(()))),
            Err(fault) => return (part, Some(Err(fault))),
        }
    }
    (part, None)
}

async fn store(
    reading: &Reading,
    step: Step,
    upload: &mut Upload,
    is_last: bool,
) -> Result<(), Fault> {
    upload.answer.rejected.extend(step.rejected);
    if step.records.is_empty() {
        return Ok(());
    }
    upload.n_waiting = step.records.len();
    let ingest = reading.app.ingest();
    let n_lines = step.records.len();
    let told = |n_records| match is_last {
        true => Some(upload.whole(n_records, n_lines - n_records)),
        false => None,
    };
    let outcomes = ingest.bulk_told(&reading.caller, step.records, told);
    let outcomes = outcomes.await?;
    upload.n_waiting = 0;
    upload.is_told = is_last && outcomes.iter().any(Result::is_ok);
    let answer = &mut upload.answer;
    for (line, outcome) in step.numbers.into_iter().zip(outcomes) {
        match outcome {
            Ok(Outcome::Stored(_)) => answer.accepted += 1,
            Ok(Outcome::Duplicate(_)) => answer.duplicates += 1,
            Ok(Outcome::Erased) => answer.erased += 1,
            Ok(Outcome::Conflict) => answer.rejected.push(Rejected {
                line,
                error: "another body is stored under the same id".to_owned(),
            }),
            Err(error) => answer.rejected.push(Rejected { line, error }),
        }
    }
    answer.rejected.sort_by_key(|rejected| rejected.line);
    Ok(())
}

#[cfg(test)]
mod tests;
