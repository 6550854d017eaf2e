//! `POST /backup`: everything that the engine holds, of all instances, streamed as a tar file.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use convlog_model::maintenance::{BackupOrder, BackupStream};
use futures::stream;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::auth::{Caller, Role};
use crate::body::{RawBody, parse_json};
use crate::downloads::Download;
use crate::error::{Fault, Problem};
use crate::instances;

const PASSPHRASE_BYTES_MAX: usize = 4096;

/// What a backup is to hold. An empty body asks for everything, with the key in the clear.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupRequest {
    /// Only the ledger of erasures, which holds no record, no key and no settings.
    #[serde(default)]
    ledger_only: bool,
    /// Seals the key of the data; without it whoever has the backup can read all of it.
    #[serde(default)]
    passphrase: Option<String>,
}

/// A backup under way.
struct Giving {
    pieces: Box<dyn BackupStream>,
    download: Download,
    /// Ends with the stream, also when the client goes away.
    _slot: OwnedSemaphorePermit,
}

/// A consistent copy of the whole server while it goes on working: a tar stream whose last file
/// holds the checksums of all others. It holds every instance, so that on a server with several of
/// them the key needs the role `operator`, too. A backup that fails on the way breaks the
/// connection off.
#[utoipa::path(post, path = "/convlog/v1/backup", tag = "backup",
    request_body(content = BackupRequest, description = "may be empty"),
    responses(
        (status = 200, content_type = "application/x-tar", body = String),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn start(
    State(app): State<App>,
    caller: Caller,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    let request: BackupRequest = match body.is_empty() {
        true => BackupRequest::default(),
        false => parse_json(&body, app.config().limits.json_depth)?,
    };
    let order = order(request)?;
    let unable = || Fault::bad("the engine of this server cannot be backed up");
    let maintenance = app.maintenance().map(Arc::clone).ok_or_else(unable)?;
    if instances::are_several(&app).await? && !caller.roles.has(Role::Operator) {
        let why = "a backup holds every instance of the server: the key needs the role operator";
        return Err(Fault::forbidden(why));
    }
    let slot = app.export_slot()?;
    let kind = if order.ledger_only { "ledger" } else { "full" };
    let sealed = if order.passphrase.is_some() {
        "yes"
    } else {
        "no"
    };
    let details = [("scope", kind), ("sealed", sealed)];
    let mut download = Download::begin(&app, &caller, ("backup", "bytes"), &details).await?;
    let pieces = match maintenance.backup(&order).await {
        Ok(pieces) => pieces,
        Err(error) => {
            download.broke_off().await;
            return Err(error.into());
        }
    };
    let giving = Giving {
        pieces,
        download,
        _slot: slot,
    };
    let mut answer = Response::new(Body::from_stream(stream::try_unfold(giving, step)));
    let kind = HeaderValue::from_static("application/x-tar");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}

fn order(request: BackupRequest) -> Result<BackupOrder, Fault> {
    if let Some(passphrase) = &request.passphrase {
        if passphrase.is_empty() {
            return Err(Fault::bad_at("passphrase", "must not be empty"));
        }
        if passphrase.len() > PASSPHRASE_BYTES_MAX {
            let text = format!("must have at most {PASSPHRASE_BYTES_MAX} bytes");
            return Err(Fault::bad_at("passphrase", text));
        }
        if request.ledger_only {
            let text = "is of no use for a ledger, which holds no key";
            return Err(Fault::bad_at("passphrase", text));
        }
    }
    Ok(BackupOrder {
        ledger_only: request.ledger_only,
        passphrase: request.passphrase,
    })
}

async fn step(mut giving: Giving) -> io::Result<Option<(Bytes, Giving)>> {
    match giving.pieces.next().await {
        Ok(Some(piece)) => {
            giving.download.gives(piece.len());
            Ok(Some((piece.into(), giving)))
        }
        Ok(None) => {
            giving.download.is_whole();
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(error = error.log_text(), "a backup was broken off");
            giving.download.broke_off().await;
            Err(io::Error::other("the backup was broken off"))
        }
    }
}
