//! `GET /export`: everything that matches, streamed from one consistent snapshot.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use convlog_dialects::native;
use convlog_dialects::watson::encode::{self, Shape};
use convlog_model::filter::{Filter, Literal, Test};
use convlog_model::ids::Position;
use convlog_model::query::Scanned;
use convlog_model::record::Record;
use futures::stream;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::auth::Caller;
use crate::body::Params;
use crate::downloads::Download;
use crate::error::{Fault, Problem};
use crate::own_filter;
use crate::query::fitting_step;

/// Records that are read at once, at first and at most.
const STEP_RECORDS: usize = 64;
const STEP_RECORDS_MAX: usize = 512;

/// Parameters of `GET /export`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// `jsonl` (canonical form), `csv` (the columns of the Watson export script) or
    /// `watson-json` (one array of logs); `jsonl` by default.
    format: Option<String>,
    /// Which records.
    filter: Option<String>,
    /// Of `watson-json`: `v1` (the default) or `v2`.
    shape: Option<String>,
    /// `improvement` leaves out what is not to be used for improvement.
    purpose: Option<String>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Jsonl,
    Csv,
    WatsonJson(Shape),
}

impl Format {
    fn of(params: &ExportParams) -> Result<Self, Fault> {
        let format = params.format.as_deref().unwrap_or("jsonl");
        if params.shape.is_some() && format != "watson-json" {
            return Err(Fault::bad_at("shape", "is for the format watson-json only"));
        }
        match format {
            "jsonl" => Ok(Format::Jsonl),
            "csv" => Ok(Format::Csv),
            "watson-json" => match params.shape.as_deref() {
                None | Some("v1") => Ok(Format::WatsonJson(Shape::V1)),
                Some("v2") => Ok(Format::WatsonJson(Shape::V2)),
                Some(_) => Err(Fault::bad_at("shape", "must be v1 or v2")),
            },
            "parquet" => Err(Fault::bad_at("format", "parquet is not supported yet")),
            _ => Err(Fault::bad_at("format", "must be jsonl, csv or watson-json")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::WatsonJson(_) => "watson-json",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::Jsonl => "application/x-ndjson",
            Format::Csv => "text/csv; charset=utf-8",
            Format::WatsonJson(_) => "application/json",
        }
    }

    /// What this form can show: logs and tables are of turns.
    fn scope(self) -> Filter {
        match self {
            Format::Jsonl => Filter::All,
            Format::Csv | Format::WatsonJson(_) => Filter::equals("kind", "turn"),
        }
    }

    fn head(self) -> String {
        match self {
            Format::Jsonl => String::new(),
            Format::Csv => native::csv_header(),
            Format::WatsonJson(_) => "[".to_owned(),
        }
    }

    fn push(self, record: &Record, is_first: bool, out: &mut String) {
        match self {
            Format::Jsonl => {
                out.push_str(&native::encode(record));
                out.push('\n');
            }
            Format::Csv => out.push_str(&native::csv_row(record)),
            Format::WatsonJson(shape) => {
                out.push_str(if is_first { "\n" } else { ",\n" });
                out.push_str(&encode::export(record, shape));
            }
        }
    }

    fn tail(self) -> &'static str {
        match self {
            Format::Jsonl | Format::Csv => "",
            Format::WatsonJson(_) => "\n]\n",
        }
    }
}

/// An export under way.
struct Walk {
    app: App,
    caller: Caller,
    filter: Filter,
    format: Format,
    /// Found and not sent yet.
    found: Option<Scanned>,
    /// How many records the next step asks for.
    n_next: usize,
    has_head: bool,
    has_records: bool,
    download: Download,
    /// Ends with the stream, also when the client goes away.
    _slot: OwnedSemaphorePermit,
}

/// Everything that matches, as it was when the export began, in commit order. An export that
/// fails on the way breaks the connection off, so that it never looks complete.
#[utoipa::path(get, path = "/convlog/v1/export", tag = "records", params(ExportParams), responses(
    (status = 200, content_type = "application/x-ndjson", body = String),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn start(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ExportParams>,
) -> Result<Response, Fault> {
    let format = Format::of(&params)?;
    let filter = own_filter::readable(&caller, params.filter.as_deref())?.and(format.scope());
    let (filter, purpose) = match params.purpose.as_deref() {
        None => (filter, "any"),
        Some("improvement") => (filter.and(opted_out().negate()), "improvement"),
        Some(_) => return Err(Fault::bad_at("purpose", "must be improvement or left out")),
    };
    let slot = app.export_slot()?;
    let details = [("format", format.name()), ("purpose", purpose)];
    let mut download = Download::begin(&app, &caller, ("export", "records"), &details).await?;
    // The first step is taken before the answer begins, so that its errors have a status.
    let first = app
        .query()
        .scan(&caller, filter.clone(), Position::START, None, STEP_RECORDS);
    let first = match first.await {
        Ok(first) => first,
        Err(fault) => {
            download.broke_off().await;
            return Err(fault);
        }
    };
    let walk = Walk {
        app,
        caller,
        filter,
        format,
        found: Some(first),
        n_next: STEP_RECORDS,
        has_head: false,
        has_records: false,
        download,
        _slot: slot,
    };
    let mut answer = Response::new(Body::from_stream(stream::try_unfold(walk, step)));
    let kind = HeaderValue::from_static(format.content_type());
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}

fn opted_out() -> Filter {
    Filter::test("learning_opt_out", Test::Equals(Literal::bare("true")))
}

/// The next piece of the body, and what finds the one after it.
async fn step(mut walk: Walk) -> io::Result<Option<(Bytes, Walk)>> {
    let Some(found) = walk.found.take() else {
        return Ok(None);
    };
    let mut text = String::new();
    if !walk.has_head {
        text.push_str(&walk.format.head());
        walk.has_head = true;
    }
    for record in &found.records {
        walk.format.push(record, !walk.has_records, &mut text);
        walk.has_records = true;
    }
    walk.download.gives(found.records.len());
    if found.done {
        walk.download.is_whole();
        text.push_str(walk.format.tail());
        return Ok(Some((text.into(), walk)));
    }
    walk.n_next = fitting_step(walk.n_next, text.len(), STEP_RECORDS_MAX);
    let next = walk.app.query().scan(
        &walk.caller,
        walk.filter.clone(),
        found.reached,
        Some(found.upto),
        walk.n_next,
    );
    match next.await {
        Ok(next) => {
            walk.found = Some(next);
            Ok(Some((text.into(), walk)))
        }
        Err(fault) => {
            tracing::warn!(status = fault.status().as_u16(), "an export was broken off");
            walk.download.broke_off().await;
            Err(io::Error::other("the export was broken off"))
        }
    }
}
