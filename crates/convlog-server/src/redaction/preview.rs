//! `POST /redaction/preview`: what would be cut from a record. Nothing is stored.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use convlog_dialects::native;
use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft, Kind, ReadBody};
use convlog_model::redaction::Cut;

use super::document::Layer;
use super::{Instead, assembled, document, of_records};
use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::bots::ID_BYTES_MAX;
use crate::error::{Fault, Problem};
use crate::object::Reader;
use crate::records;

/// How the record was written, and so how it is shown.
enum Form {
    /// As one of the own API, by its fields.
    Canonical,
    /// As a body.
    Body,
}

/// Shows what would be kept of a record, and what would be cut from it by which rule. `bot` says
/// whose rules hold, else the record does. A `policy` takes the place of the bot's where `bot` is
/// given, else of the instance's. `dialect` is as for `POST /records`; without it the record is
/// one in canonical form or, where it is none, the body of a turn.
#[utoipa::path(post, path = "/convlog/v1/redaction/preview", tag = "redaction",
    request_body(content = Object, description = "`{bot, policy: {rules}, record, dialect}`"),
    responses(
        (status = 200, content_type = "application/json", body = Object,
            description = "`{\"record\": …, \"redactions\": [{rule, version, path, action}]}`"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn preview(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Json>,
) -> Result<Response, Fault> {
    let mut reader = Reader::new(&body, "")?;
    let bot = reader.text("bot", ID_BYTES_MAX)?;
    if let Some(bot) = &bot {
        super::require(&app, &caller, bot).await?;
    }
    let layer = match bot {
        Some(_) => Layer::Bot,
        None => Layer::Instance,
    };
    let instead = match reader.value("policy") {
        Some(policy) => Some(Instead {
            layer,
            document: document::parse(policy, "policy", layer)?,
        }),
        None => None,
    };
    let dialect = reader.text("dialect", 32)?;
    let record = reader.value("record");
    let record = record.ok_or_else(|| Fault::bad_at("record", "record is required"))?;
    reader.finish()?;
    let (mut draft, form) = read(&caller, dialect.as_deref(), record)?;
    if let (Form::Body, Some(bot)) = (&form, &bot) {
        draft.set_text("bot", bot);
    }
    let of_record = app.ingest().bot_of(&caller, &draft);
    let of_record = of_record.map_err(|reason| Fault::bad_at("record", reason))?;
    let bot = bot.or(of_record);
    let held = match &instead {
        Some(_) => {
            let held = assembled(&app, &caller.instance, bot.as_deref(), instead.as_ref());
            held.await?.into()
        }
        None => of_records(&app, &caller.instance, bot.as_deref()).await?,
    };
    let shown = app.ingest().redacted(&caller, draft, &held).await?;
    Ok(answer(&shown.draft, &form, &shown.cuts))
}

fn read(caller: &Caller, dialect: Option<&str>, record: &Json) -> Result<(Draft, Form), Fault> {
    let instance = &caller.instance;
    let text = record.to_string();
    let wrong = |reason: String| Fault::bad_at("record", reason);
    if let Some(name) = dialect {
        let draft = records::decode(name, instance, &text)?;
        let form = match Dialect::parse(name) {
            Some(Dialect::Convlog) => Form::Canonical,
            _ => Form::Body,
        };
        return Ok((draft.map_err(wrong)?, form));
    }
    if let Ok(draft) = native::decode(instance, &text) {
        return Ok((draft, Form::Canonical));
    }
    let raw = ReadBody::read(&text).map_err(|error| wrong(error.to_string()))?;
    let draft = Draft {
        instance: instance.clone(),
        kind: Kind::Turn,
        dialect: Dialect::Convlog,
        own_id: None,
        canonical: Default::default(),
        labels: Default::default(),
        raw: raw.whole(),
    };
    Ok((draft, Form::Body))
}

fn answer(draft: &Draft, form: &Form, cuts: &[Cut]) -> Response {
    let record = match form {
        Form::Canonical => native::encode_draft(draft),
        Form::Body => draft.raw.to_string(),
    };
    let cuts = Json::Array(cuts.iter().map(Cut::to_json).collect());
    let body = format!("{{\"record\":{record},\"redactions\":{cuts}}}");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
