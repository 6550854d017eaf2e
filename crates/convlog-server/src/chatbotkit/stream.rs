//! All items that match, streamed: JSON lines, CSV or server-sent events.
//!
//! A stream that fails on the way breaks the connection off: both SDKs then raise, where an error
//! in a line would pass for data.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use convlog_dialects::chatbotkit::encode::{self, Shape};
use convlog_dialects::chatbotkit::item::{Item, Place};
use convlog_model::json::Json;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::OwnedSemaphorePermit;

use super::pages::{COUNT, CURSOR, GAP, set};
use super::walk::{Entry, Walk};
use crate::downloads::Download;
use crate::error::Fault;
use crate::query::fitting_step;

/// Records of the first step, so that its first byte comes soon, and of the others.
const STEP_FIRST: usize = 64;
const STEP: usize = 512;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A page.
    Json,
    /// A line an item.
    Jsonl,
    /// A row an item.
    Csv,
    /// An event an item.
    Sse,
}

impl Form {
    /// The first form that `Accept` names and we know; nothing and `*/*` mean a page.
    ///
    /// # Errors
    /// 400 when none is known.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let values = headers.get_all(header::ACCEPT).iter();
        let text: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let text = text.join(",");
        let ranges = text.split(',').map(|range| {
            let kind = range.split(';').next().unwrap_or_default();
            kind.trim().to_ascii_lowercase()
        });
        let mut named = ranges.filter(|kind| !kind.is_empty()).peekable();
        if named.peek().is_none() {
            return Ok(Form::Json);
        }
        let form = named.find_map(|kind| match kind.as_str() {
            "*/*" | "application/*" | "application/json" => Some(Form::Json),
            "application/jsonl" | "application/x-ndjson" => Some(Form::Jsonl),
            "text/csv" => Some(Form::Csv),
            "text/event-stream" => Some(Form::Sse),
            _ => None,
        });
        form.ok_or_else(|| {
            Fault::bad(
                "Accept must name application/json, application/jsonl, text/csv or \
                 text/event-stream",
            )
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Jsonl => "jsonl",
            Form::Csv => "csv",
            Form::Sse => "sse",
        }
    }

    /// Values that are all there, as the body of one answer.
    ///
    /// # Errors
    /// 400 for CSV, whose columns are those of events.
    pub(super) fn whole(self, items: &[Json]) -> Result<Response, Fault> {
        let mut text = String::new();
        for item in items {
            let item = encode::ascii(item.to_string());
            match self {
                Form::Csv => return Err(no_csv()),
                Form::Sse => text.push_str(&format!("event: item\ndata: {item}\n\n")),
                Form::Json | Form::Jsonl => {
                    text.push_str(&format!("{{\"type\":\"item\",\"data\":{item}}}\n"));
                }
            }
        }
        let mut answer = Response::new(Body::from(text));
        let kind = HeaderValue::from_static(self.content_type());
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(answer)
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Jsonl => "application/jsonl",
            Form::Csv => "text/csv",
            Form::Sse => "text/event-stream",
        }
    }

    /// Adds an item; of a page as it would be streamed.
    pub(super) fn push(self, item: &Item, shape: Shape, out: &mut String) {
        out.push_str(&match self {
            Form::Csv => encode::csv_row(item),
            Form::Sse => encode::sse(item, shape),
            Form::Json | Form::Jsonl => encode::line(item, shape),
        });
    }
}

fn no_csv() -> Fault {
    Fault::bad("this list is not offered as CSV")
}

/// A stream under way.
struct Flow {
    walk: Walk,
    form: Form,
    /// Items still to come, `None` for all.
    left: Option<usize>,
    n_sent: usize,
    last: Option<Place>,
    n_next: usize,
    state: State,
    export: Option<Export>,
}

/// What an export holds until it ends, also when the client goes away.
pub(super) struct Export {
    /// Tells of it.
    pub(super) download: Download,
    /// Its place among the exports.
    pub(super) _slot: OwnedSemaphorePermit,
}

enum State {
    /// Found and not sent yet.
    Found(String, bool),
    /// More is to be found.
    Open,
    /// All is sent but the trailers.
    Told,
    Ended,
}

/// The answer that streams what the walk finds, at most `take` items. The first step is taken
/// before the answer begins, so that its errors have a status.
///
/// # Errors
/// What the first step answers.
pub(super) async fn start(
    mut walk: Walk,
    form: Form,
    take: Option<usize>,
    entry: Option<(&str, Entry)>,
    export: Option<Export>,
) -> Result<Response, Fault> {
    if form == Form::Csv && walk.shape() != Shape::Event {
        return Err(no_csv());
    }
    walk.freeze();
    let mut flow = Flow {
        walk,
        form,
        left: take,
        n_sent: 0,
        last: None,
        n_next: STEP_FIRST,
        state: State::Open,
        export,
    };
    let (text, is_done) = flow.find().await?;
    let head = match form {
        Form::Csv => encode::csv_header(),
        Form::Json | Form::Jsonl | Form::Sse => String::new(),
    };
    flow.state = State::Found(head + &text, is_done);
    let to = flow.walk.cursor(false).encode();
    let body = StreamBody::new(stream::try_unfold(flow, next));
    let mut answer = Response::new(Body::new(body));
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static(form.content_type());
    headers.insert(header::CONTENT_TYPE, kind);
    let trailers = HeaderValue::from_static("X-Convlog-Count, X-Convlog-Cursor");
    headers.insert(header::TRAILER, trailers);
    if let Some((from, _)) = entry.filter(|(_, entry)| entry.is_gap) {
        set(headers, GAP, &format!("{from}..{to}"));
    }
    Ok(answer)
}

impl Flow {
    /// The text of the next items, and whether they were the last.
    async fn find(&mut self) -> Result<(String, bool), Fault> {
        let step = match self.walk.step(self.n_next).await {
            Ok(step) => step,
            Err(fault) => {
                if let Some(export) = &mut self.export {
                    export.download.broke_off().await;
                }
                return Err(fault);
            }
        };
        let mut items = step.items;
        let mut is_done = step.is_done;
        if let Some(left) = &mut self.left {
            if items.len() >= *left {
                items.truncate(*left);
                is_done = true;
            }
            *left -= items.len();
        }
        let mut text = String::new();
        for item in &items {
            self.form.push(item, self.walk.shape(), &mut text);
        }
        self.n_sent += items.len();
        if let Some(export) = &mut self.export {
            export.download.gives(items.len());
            if is_done {
                export.download.is_whole();
            }
        }
        self.last = items.last().map(|item| item.place).or(self.last);
        self.n_next = fitting_step(self.n_next, text.len(), STEP);
        Ok((text, is_done))
    }

    fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert(COUNT, HeaderValue::from(self.n_sent));
        let mut cursor = self.walk.cursor(false);
        if let Some(last) = self.last {
            cursor.place = last;
            cursor.is_item = true;
        }
        set(&mut trailers, CURSOR, &cursor.encode());
        trailers
    }
}

/// The next piece of the body, and what finds the one after it.
async fn next(mut flow: Flow) -> io::Result<Option<(Frame<Bytes>, Flow)>> {
    loop {
        match std::mem::replace(&mut flow.state, State::Open) {
            State::Found(text, is_done) => {
                if is_done {
                    flow.state = State::Told;
                }
                if !text.is_empty() {
                    return Ok(Some((Frame::data(text.into()), flow)));
                }
            }
            State::Open => {
                let found = flow.find().await.map_err(|fault| {
                    tracing::warn!(status = fault.status().as_u16(), "a stream was broken off");
                    io::Error::other("the stream was broken off")
                })?;
                flow.state = State::Found(found.0, found.1);
            }
            State::Told => {
                flow.state = State::Ended;
                return Ok(Some((Frame::trailers(flow.trailers()), flow)));
            }
            State::Ended => return Ok(None),
        }
    }
}
