//! `/exports`: definitions as a file, which is fetched from a URL of its own for a short time, and
//! migrations, which there are none of.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use convlog_dialects::lex::transfer::{self, Resource};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use super::answer;
use super::shelf::{Kind, Shelves, Use};
use crate::app::App;
use crate::auth::Role;
use crate::aws::{AwsError, Call, Refusal};
use crate::keys;
use crate::router::SentUri;

/// How long a file can be fetched.
const TICKET_US: i64 = 15 * 60 * 1_000_000;
const PURPOSE: &str = "file of definitions";

/// What a URL stands for; the URL is unreadable and dies with the key that asked for it.
#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    key: String,
    resource: Resource,
    name: String,
    version: String,
    ends_us: i64,
}

impl Ticket {
    fn seal(&self, app: &App) -> String {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(app.sealer().seal(app.ids(), PURPOSE, &plain))
    }

    fn open(app: &App, text: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = app.sealer().open(PURPOSE, &sealed).ok()?;
        let ticket: Ticket = serde_json::from_slice(&plain).ok()?;
        (ticket.ends_us > app.now().micros()).then_some(ticket)
    }
}

/// `GET /exports?name=&version=&resourceType=&exportType=`
pub(crate) async fn get(sent: Option<Extension<SentUri>>, call: Call) -> Result<Response, Refusal> {
    super::require_shape(&call, "GetExport", &Json::object([]), &[])?;
    let parameter = |name: &str| call.parameter(name).unwrap_or_default();
    let (name, version) = (parameter("name"), parameter("version"));
    let resource = Resource::parse(parameter("resourceType"))
        .ok_or_else(|| AwsError::bad("resourceType is missing."))?;
    if resource == Resource::Bot {
        call.caller.require_bot(name)?;
    }
    if parameter("exportType") != "LEX" {
        let message = "Only files of the type LEX can be made, not such for the Alexa Skills Kit.";
        return Err(AwsError::bad(message).into());
    }
    let shelves = Shelves::new(&call.app, kind(resource), &call.caller.instance);
    shelves.get(name).await?.edition(version)?;
    let ticket = Ticket {
        key: call.caller.key_id.clone(),
        resource,
        name: name.to_owned(),
        version: version.to_owned(),
        ends_us: call.app.now().micros().saturating_add(TICKET_US),
    };
    let base = base_url(&call.app, &call.headers, sent.as_ref());
    let url = format!("{base}/exports/{}", ticket.seal(&call.app));
    let shown = Json::object([
        ("name", Json::string(name)),
        ("version", Json::string(version)),
        ("resourceType", Json::string(resource.as_str())),
        ("exportType", Json::string("LEX")),
        ("exportStatus", Json::string("READY")),
        ("url", Json::string(url)),
    ]);
    Ok(answer(StatusCode::OK, &shown))
}

/// `GET /exports/{ticket}`: the file. The ticket is all that it takes, as SDKs fetch it without a
/// signature.
pub(crate) async fn fetch(
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Response, Refusal> {
    let unknown = || AwsError::not_found("export");
    let ticket = Ticket::open(&app, &text).ok_or_else(unknown)?;
    let caller = keys::caller_of(&app, &ticket.key).await;
    let caller = caller.map_err(|_| unknown())?;
    let is_bot = ticket.resource == Resource::Bot;
    if !caller.roles.has(Role::Read) || (is_bot && !caller.sees_bot(&ticket.name)) {
        return Err(unknown().into());
    }
    let (name, version) = (ticket.name.as_str(), ticket.version.as_str());
    let instance = &caller.instance;
    let resource = match ticket.resource {
        Resource::SlotType => {
            part(&app, instance, Kind::SlotType, (name, version))
                .await?
                .0
        }
        Resource::Intent => intent(&app, instance, (name, version)).await?,
        Resource::Bot => bot(&app, instance, (name, version)).await?,
    };
    let kind = ticket.resource.as_str().to_lowercase();
    let file = format!("{name}_{version}_{kind}_LEX_V1");
    let archive = transfer::write(&format!("{file}.json"), &transfer::text(resource))?;
    let disposition = format!("attachment; filename=\"{file}.zip\"");
    let disposition = HeaderValue::try_from(disposition).map_err(|_| unknown())?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/zip"),
        ),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, archive).into_response())
}

/// `GET /migrations`
pub(crate) async fn migrations(call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "GetMigrations", &[])?;
    Err(no_migrations())
}

/// `POST /migrations`
pub(crate) async fn migrate(call: Call) -> Result<Response, Refusal> {
    super::checked(&call, "StartMigration", &[])?;
    Err(no_migrations())
}

/// `GET /migrations/{id}`
pub(crate) async fn migration(Path(id): Path<String>, call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "GetMigration", &[("migrationId", &id)])?;
    Err(no_migrations())
}

fn no_migrations() -> Refusal {
    let message = "Migrations to the second version of Lex are not supported.";
    AwsError::bad(message).into()
}

fn kind(resource: Resource) -> Kind {
    match resource {
        Resource::Bot => Kind::Bot,
        Resource::Intent => Kind::Intent,
        Resource::SlotType => Kind::SlotType,
    }
}

/// The address under which the caller has found the server.
fn base_url(app: &App, headers: &HeaderMap, sent: Option<&Extension<SentUri>>) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authority = sent.and_then(|Extension(SentUri(uri))| uri.authority());
    let host = match text("host") {
        Some(host) => host.to_owned(),
        None => authority.map(ToString::to_string).unwrap_or_default(),
    };
    let is_https = app.has_tls() || text("x-forwarded-proto") == Some("https");
    let scheme = if is_https { "https" } else { "http" };
    match host.is_empty() {
        true => String::new(),
        false => format!("{scheme}://{host}"),
    }
}

/// A version as it is kept, and what it uses.
async fn part(
    app: &App,
    instance: &InstanceId,
    kind: Kind,
    (name, version): (&str, &str),
) -> Result<(Json, Vec<Use>), Refusal> {
    let shelves = Shelves::new(app, kind, instance);
    let shelf = shelves.get(name).await?;
    let uses = shelf.edition(version)?.uses.clone();
    let mut body = shelves.body(&shelf, version).await?;
    body.set("version", Json::string(version));
    Ok((body, uses))
}

/// The versions of slot types that something uses, each once.
async fn slot_types(app: &App, instance: &InstanceId, uses: &[Use]) -> Result<Json, Refusal> {
    let mut seen: Vec<&Use> = Vec::new();
    let mut found = Vec::new();
    for of in uses {
        if !seen.contains(&of) {
            let (body, _) = part(app, instance, of.kind, (&of.name, &of.version)).await?;
            found.push(body);
            seen.push(of);
        }
    }
    Ok(Json::Array(found))
}

async fn intent(app: &App, instance: &InstanceId, of: (&str, &str)) -> Result<Json, Refusal> {
    let (mut body, uses) = part(app, instance, Kind::Intent, of).await?;
    body.set("slotTypes", slot_types(app, instance, &uses).await?);
    Ok(body)
}

async fn bot(app: &App, instance: &InstanceId, of: (&str, &str)) -> Result<Json, Refusal> {
    let (mut body, uses) = part(app, instance, Kind::Bot, of).await?;
    let mut intents = Vec::new();
    let mut of_intents = Vec::new();
    for of in &uses {
        let (intent, uses) = part(app, instance, of.kind, (&of.name, &of.version)).await?;
        intents.push(intent);
        of_intents.extend(uses);
    }
    body.set("intents", Json::Array(intents));
    body.set("slotTypes", slot_types(app, instance, &of_intents).await?);
    body.take("processBehavior");
    Ok(body)
}
