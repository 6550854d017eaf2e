//! `GET /event/log/list` and `/export`, and the same of metrics and of the audit.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use convlog_dialects::chatbotkit::encode::Shape;
use convlog_dialects::chatbotkit::params::{BadParam, Params};

use super::stream::{self, Export, Form};
use super::walk::{self, Entry, Walk};
use super::{FormQuery, pages, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::downloads::Download;
use crate::error::Fault;

/// Which of the streams of items is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Everything that happened.
    Log,
    /// Events with a number.
    Metric,
    /// What the server itself wrote.
    Audit,
}

/// What is asked for, with its answer's form.
struct Asked {
    params: Params,
    form: Form,
    entry: Option<(String, Entry)>,
    walk: Walk,
    export: Option<Export>,
}

impl Asked {
    async fn new(
        app: &App,
        caller: &Caller,
        headers: &HeaderMap,
        params: Params,
        shape: Shape,
    ) -> Result<Self, Fault> {
        require_self(caller, headers)?;
        let form = Form::of(headers)?;
        let entry = match &params.cursor {
            Some(text) => Some((text.clone(), walk::enter(app, caller, text).await?)),
            None => None,
        };
        let from = entry.as_ref().map(|(_, entry)| entry.place);
        let walk = Walk::new(
            (app, caller),
            shape,
            params.filter.clone(),
            params.order,
            from,
        );
        Ok(Asked {
            params,
            form,
            entry,
            walk,
            export: None,
        })
    }

    async fn answer(self, app: &App) -> Result<Response, Fault> {
        let entry = self.entry.as_ref();
        let entry = entry.map(|(text, entry)| (text.as_str(), entry.clone()));
        match self.form {
            Form::Json => pages::page(app, self.walk, self.params.take, entry).await,
            form => stream::start(self.walk, form, self.params.take, entry, self.export).await,
        }
    }
}

pub(super) fn bad(bad: BadParam) -> Fault {
    Fault::bad_at(bad.name, bad.message)
}

/// What a list answers with these parameters, its items shown as `shape`.
///
/// # Errors
/// 400 for a cursor or form that is none, 401 for who acts for somebody else, 503 when it takes
/// too long.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    params: Params,
    shape: Shape,
) -> Result<Response, Fault> {
    let asked = Asked::new(app, caller, headers, params, shape).await?;
    asked.answer(app).await
}

fn params(query: &FormQuery, of: Of) -> Result<Params, Fault> {
    let mut params = Params::parse(&query.0).map_err(bad)?;
    match of {
        Of::Log => {}
        Of::Metric => params.filter.has_value = true,
        Of::Audit => params.filter.has_action = true,
    }
    Ok(params)
}

async fn list(
    app: App,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
    of: Of,
) -> Result<Response, Fault> {
    let params = params(&query, of)?;
    answer(&app, &caller, &headers, params, Shape::Event).await
}

/// As a list, but its beginning is an event, and a stream takes a slot among the exports.
async fn exported(
    app: App,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
    of: Of,
) -> Result<Response, Fault> {
    let params = params(&query, of)?;
    let mut asked = Asked::new(&app, &caller, &headers, params, Shape::Event).await?;
    let slot = match asked.form {
        Form::Json => None,
        _ => Some(app.export_slot()?),
    };
    // What tells of the export is not in it.
    asked.walk.freeze();
    if slot.is_some() || asked.entry.is_none() {
        let details = [("format", asked.form.name())];
        let mut download = Download::begin(&app, &caller, ("export", "events"), &details).await?;
        match slot {
            Some(_slot) => asked.export = Some(Export { download, _slot }),
            // A page is whole when it is given out.
            None => download.is_whole(),
        }
    }
    asked.answer(&app).await
}

macro_rules! handlers {
    ($($(#[$doc:meta])* $name:ident: $act:ident $of:expr;)*) => {
        $($(#[$doc])*
        pub(crate) async fn $name(
            State(app): State<App>,
            caller: Caller,
            headers: HeaderMap,
            query: FormQuery,
        ) -> Result<Response, Fault> {
            $act(app, caller, headers, query, $of).await
        })*
    };
}

handlers! {
    /// `GET /event/log/list`
    log_list: list Of::Log;
    /// `GET /event/log/export`
    log_export: exported Of::Log;
    /// `GET /event/metric/list`
    metric_list: list Of::Metric;
    /// `GET /event/metric/export`
    metric_export: exported Of::Metric;
    /// `GET /audit/log/list`
    audit_list: list Of::Audit;
    /// `GET /audit/log/export`
    audit_export: exported Of::Audit;
}

/// Answers `HEAD` without doing anything.
pub(crate) async fn head() -> Response {
    let mut answer = Response::default();
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
