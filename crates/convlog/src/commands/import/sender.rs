//! Batches of lines on their way to `POST /convlog/v1/records`, and what became of each line.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use convlog_model::record::Dialect;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::COMPLAINTS_MAX;
use super::expiry::Expiry;
use super::prepare::{self, Line};
use super::reader::{Content, Item};
use super::state::Mark;
use crate::client::{Client, Refused};
use crate::clock::SystemClock;

/// Bytes of a request; a longer line goes alone.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// How lines are treated.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// What the files hold, when the user says so.
    pub(super) dialect: Option<Dialect>,
    /// Records of a request.
    pub(super) records_max: usize,
    /// Whether a line that is no good ends the import.
    pub(super) is_strict: bool,
}

/// What became of the lines so far; the five numbers add up to all of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) erased: u64,
    pub(super) rejected: u64,
    /// Messages of log groups that are nothing of a conversation; nobody sends them.
    #[serde(default)]
    pub(super) skipped: u64,
    /// The first lines that were rejected.
    pub(super) complaints: Vec<Complaint>,
}

/// A line that was rejected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Complaint {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    pub(super) error: String,
}

impl Counts {
    /// All lines that something became of.
    pub(super) fn n_done(&self) -> u64 {
        self.accepted + self.duplicates + self.erased + self.rejected + self.skipped
    }
}

/// Answer to a batch.
#[derive(Debug, Deserialize)]
struct Answer {
    accepted: u64,
    duplicates: u64,
    erased: u64,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Deserialize)]
struct Rejected {
    line: u64,
    error: String,
}

#[derive(Debug)]
struct Waiting {
    file: Arc<str>,
    line: u64,
    number: u64,
    text: String,
}

/// Gathers lines and sends them.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    client: Client,
    settings: Settings,
    clock: &'a SystemClock,
    expiry: Expiry,
    waiting: Vec<(Dialect, Vec<Waiting>)>,
    n_waiting: usize,
    n_waiting_bytes: usize,
    n_items: u64,
    probe: Option<u64>,
    time: Option<String>,
    /// Whether a line that is no good has ended the import.
    pub(super) is_stopped: bool,
    pub(super) counts: Counts,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        client: Client,
        settings: Settings,
        clock: &'a SystemClock,
        counts: Counts,
    ) -> Self {
        Sender {
            expiry: Expiry::default(),
            n_items: counts.n_done(),
            client,
            settings,
            clock,
            waiting: Vec::new(),
            n_waiting: 0,
            n_waiting_bytes: 0,
            probe: None,
            time: None,
            is_stopped: false,
            counts,
        }
    }

    /// Takes the next log; says whether everything taken so far is stored now.
    pub(super) async fn take(&mut self, item: Item) -> Result<bool> {
        self.n_items += 1;
        let prepared = match &item.content {
            Content::Other => {
                self.counts.skipped += 1;
                return Ok(false);
            }
            Content::Broken(error) => Err(error.clone()),
            Content::Log(text) => prepare::line(&item, text, self.settings.dialect),
        };
        match prepared {
            Err(error) => {
                self.reject(&item.file, item.line, error)?;
                Ok(false)
            }
            Ok(line) => {
                let place = (&*item.file, item.line);
                self.expiry
                    .look(&self.client, self.clock, place, &line)
                    .await;
                self.wait(&item, line);
                let is_full = self.n_waiting >= self.settings.records_max
                    || self.n_waiting_bytes >= BATCH_BYTES_MAX;
                if is_full {
                    self.flush().await?;
                }
                Ok(is_full)
            }
        }
    }

    fn wait(&mut self, item: &Item, line: Line) {
        if let Some(time) = line.requested {
            self.time = Some(time.to_millis_text());
        }
        self.n_waiting += 1;
        self.n_waiting_bytes += line.text.len();
        let waiting = Waiting {
            file: Arc::clone(&item.file),
            line: item.line,
            number: self.n_items,
            text: line.text,
        };
        let same = |(dialect, _): &&mut (Dialect, Vec<Waiting>)| *dialect == line.dialect;
        match self.waiting.iter_mut().find(same) {
            Some((_, lines)) => lines.push(waiting),
            None => self.waiting.push((line.dialect, vec![waiting])),
        }
    }

    /// Where a later run may go on: everything up to `n_items` is stored.
    pub(super) fn mark(&self, n_items: u64) -> Mark {
        Mark {
            n_items,
            probe: self.probe,
            time: self.time.clone(),
            counts: self.counts.clone(),
        }
    }

    /// Sends everything that waits.
    pub(super) async fn flush(&mut self) -> Result<()> {
        (self.n_waiting, self.n_waiting_bytes) = (0, 0);
        for (dialect, lines) in std::mem::take(&mut self.waiting) {
            // Halved while the server finds it too large; a single line is rejected.
            let mut parts = vec![lines];
            while let Some(mut lines) = parts.pop() {
                match self.post(dialect, &lines).await? {
                    Some(answer) => self.count(&lines, answer)?,
                    None if lines.len() > 1 => {
                        let rest = lines.split_off(lines.len() / 2);
                        parts.push(rest);
                        parts.push(lines);
                    }
                    None => {
                        for line in &lines {
                            let error = "larger than the server takes".to_owned();
                            self.reject(&line.file, line.line, error)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The answer, `None` when the request is too large.
    async fn post(&self, dialect: Dialect, lines: &[Waiting]) -> Result<Option<Answer>> {
        let n_bytes = lines.iter().map(|line| line.text.len() + 1).sum();
        let mut body = String::with_capacity(n_bytes);
        for line in lines {
            body.push_str(&line.text);
            body.push('\n');
        }
        let query = [("dialect", dialect.as_str())];
        let path = ["convlog", "v1", "records"];
        let request = self.client.request(Method::POST, &path, &query);
        let request = request
            .header(CONTENT_TYPE, "application/x-ndjson")
            .body(body);
        let answer = match self.client.send(&request).await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = error.downcast_ref::<Refused>();
                return match refused.map(|refused| refused.status) {
                    Some(StatusCode::PAYLOAD_TOO_LARGE) => Ok(None),
                    _ => Err(error),
                };
            }
        };
        let body = answer.bytes().await.context("the answer broke off")?;
        let answer = serde_json::from_slice(&body).context("the answer is not convlog's")?;
        Ok(Some(answer))
    }

    fn count(&mut self, lines: &[Waiting], answer: Answer) -> Result<()> {
        let n_rejected = answer.rejected.len() as u64;
        let n_answered = answer.accepted + answer.duplicates + answer.erased + n_rejected;
        let n_lines = lines.len() as u64;
        if n_answered != n_lines {
            bail!("the server answered for {n_answered} of {n_lines} lines");
        }
        self.counts.accepted += answer.accepted;
        self.counts.duplicates += answer.duplicates;
        self.counts.erased += answer.erased;
        let is_rejected = |at: usize| answer.rejected.iter().any(|it| it.line == at as u64 + 1);
        if let Some(at) = (0..lines.len()).rev().find(|at| !is_rejected(*at)) {
            self.probe = lines.get(at).map(|line| line.number);
        }
        for Rejected { line, error } in answer.rejected {
            let at = usize::try_from(line).unwrap_or_default().wrapping_sub(1);
            let line = lines
                .get(at)
                .context("the server names a line that was not sent")?;
            self.reject(&line.file, line.line, error)?;
        }
        Ok(())
    }

    fn reject(&mut self, file: &Arc<str>, line: u64, error: String) -> Result<()> {
        self.counts.rejected += 1;
        if self.counts.complaints.len() < COMPLAINTS_MAX {
            self.counts.complaints.push(Complaint {
                file: Arc::clone(file),
                line,
                error,
            });
        }
        if self.settings.is_strict {
            self.is_stopped = true;
            bail!("stopped at the first line that is no good (--strict)");
        }
        Ok(())
    }
}
