//! `Idempotency-Key` on the creating POSTs of the own API: for 24 hours the same key means the
//! same request, and is answered as the first time.
//!
//! The document that stands for a request is written before it runs and gets its answer after it.
//! A request that ended without an answer (the process died, the client went away) may run again;
//! then [`Seed`] gives the same ids as the first time, so that nothing is made twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::clock::IdSource;
use convlog_model::ids::RecordId;
use convlog_model::seal::Sealer;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::entity::{Change, Collection};
use crate::error::Fault;
use crate::hex::hex;

const COLLECTION: &str = "idempotency";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_BYTES_MAX: usize = 255;
const LIFE_US: i64 = 24 * 3600 * 1_000_000;
/// Largest answer that is kept.
const ANSWER_BYTES_MAX: usize = 512 << 10;
const PURPOSE: &str = "answer to a request with an idempotency key";

/// What is kept of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Method, path and query.
    question: String,
    /// When the key was first used, in microseconds.
    began_us: i64,
    answer: Option<KeptAnswer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptAnswer {
    /// Keyed hash of the request's body.
    body: String,
    status: u16,
    content_type: String,
    /// Sealed: the answer may hold a new key's secret.
    sealed: String,
}

/// Keys whose requests run in this process at present.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<BTreeSet<String>>>);

impl Running {
    fn enter(&self, id: &str) -> Option<Entered> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(id.to_owned()).then(|| Entered {
            running: self.clone(),
            id: id.to_owned(),
        })
    }
}

/// Ends with the request, however that ends.
struct Entered {
    running: Running,
    id: String,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut running = self
            .running
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.id);
    }
}

/// Gives ids that are the same whenever the same request runs again.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    sealer: Sealer,
    millis: u64,
}

impl Seed {
    /// The id for `purpose`.
    #[must_use]
    pub(crate) fn id(&self, purpose: &str) -> RecordId {
        let hash = self.sealer.hash(purpose.as_bytes());
        let random = hash.first_chunk::<16>().copied().unwrap_or_default();
        RecordId::from_parts(self.millis, u128::from_be_bytes(random))
    }
}

/// Fills as the first time; for handlers that draw more than ids.
impl IdSource for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        for (i, chunk) in bytes.chunks_mut(32).enumerate() {
            let hash = self
                .sealer
                .hash(format!("fill {i} {}", chunk.len()).as_bytes());
            for (to, from) in chunk.iter_mut().zip(hash) {
                *to = from;
            }
        }
    }
}

/// Around every creating POST of the own API, inside of the guard that finds the caller.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    match request.headers().contains_key(&HEADER) {
        true => match keyed(&app, request, next).await {
            Ok(answer) => answer,
            Err(fault) => fault.into_response(),
        },
        false => next.run(request).await,
    }
}

async fn keyed(app: &App, request: Request, next: Next) -> Result<Response, Fault> {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or(Fault::Unauthorized)?;
    let id = document_id(app, &caller, &request)?;
    let query = request.uri().query().unwrap_or_default();
    let question = format!("{} {}?{query}", request.method(), request.uri().path());
    let Some(_entered) = app.running().enter(&id) else {
        return Err(Fault::conflict(
            "a request with this Idempotency-Key is still running",
        ));
    };
    let began_us = match begin(app, &id, &question).await? {
        Begun::Run { began_us } => began_us,
        Begun::Answered(answer) => return replay(app, request, &answer).await,
    };
    let seed = Seed {
        sealer: app.sealer().derive(&format!("seed {id} {began_us}")),
        millis: u64::try_from(began_us / 1000).unwrap_or_default(),
    };
    let (request, digest) = digesting(request, seed);
    let answer = next.run(request).await;
    finish(app, &id, &question, began_us, &digest, answer).await
}

enum Begun {
    Run { began_us: i64 },
    Answered(KeptAnswer),
}

async fn begin(app: &App, id: &str, question: &str) -> Result<Begun, Fault> {
    let now_us = app.now().micros();
    let kept = Collection::<Kept>::new(app, COLLECTION);
    let found = kept.get(id).await?.map(|entity| entity.doc);
    if let Some(found) = found.filter(|found| found.began_us + LIFE_US > now_us) {
        if found.question != question {
            return Err(Fault::conflict(
                "this Idempotency-Key was used for another request",
            ));
        }
        return Ok(match found.answer {
            Some(answer) => Begun::Answered(answer),
            None => Begun::Run {
                began_us: found.began_us,
            },
        });
    }
    let begun = kept.change(id, |_| {
        Ok(Change::silent(Kept {
            question: question.to_owned(),
            began_us: now_us,
            answer: None,
        }))
    });
    begun.await?;
    Ok(Begun::Run { began_us: now_us })
}

/// A success is kept. After a failure the request may run again, with the same seed: it may have
/// done a part of its work.
async fn finish(
    app: &App,
    id: &str,
    question: &str,
    began_us: i64,
    digest: &BodyDigest,
    answer: Response,
) -> Result<Response, Fault> {
    let kept = Collection::<Kept>::new(app, COLLECTION);
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let whole = body.collect().await;
    let whole = whole.map_err(|_| Fault::internal("an answer of our own could not be read"))?;
    let bytes = whole.to_bytes();
    if bytes.len() <= ANSWER_BYTES_MAX {
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let sealed = app.sealer().seal(app.ids(), PURPOSE, &bytes);
        let answered = KeptAnswer {
            body: digest.finish(app),
            status: parts.status.as_u16(),
            content_type: content_type.unwrap_or_default().to_owned(),
            sealed: STANDARD.encode(sealed),
        };
        let doc = Kept {
            question: question.to_owned(),
            began_us,
            answer: Some(answered),
        };
        kept.change(id, |_| Ok(Change::silent(doc.clone()))).await?;
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The first answer again, if the body is the same too.
async fn replay(app: &App, request: Request, answer: &KeptAnswer) -> Result<Response, Fault> {
    let max = app.config().limits.bulk_bytes;
    let digest = BodyDigest::default();
    let mut stream = request.into_body().into_data_stream();
    let mut n_bytes = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Fault::bad("the body ends early"))?;
        n_bytes += chunk.len();
        if n_bytes > max {
            return Err(Fault::too_large(format!(
                "the body is larger than {max} bytes"
            )));
        }
        digest.add(&chunk);
    }
    if digest.finish(app) != answer.body {
        return Err(Fault::conflict(
            "this Idempotency-Key was used for another request",
        ));
    }
    let opened = STANDARD.decode(&answer.sealed).ok();
    let opened = opened.and_then(|sealed| app.sealer().open(PURPOSE, &sealed).ok());
    let bytes = opened.ok_or_else(|| Fault::internal("a kept answer does not open"))?;
    let mut shown = Response::new(Body::from(bytes));
    *shown.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    if let Ok(kind) = HeaderValue::from_str(&answer.content_type) {
        shown.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    shown
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(shown)
}

/// SHA-256 of a body while it passes.
#[derive(Clone, Debug, Default)]
struct BodyDigest(Arc<Mutex<Sha256>>);

impl BodyDigest {
    fn add(&self, chunk: &Bytes) {
        let mut digest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        digest.update(chunk);
    }

    /// Keyed, since a short body (a customer's id) could be guessed from its hash.
    fn finish(&self, app: &App) -> String {
        let digest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plain = digest.clone().finalize();
        STANDARD.encode(app.sealer().derive(PURPOSE).hash(&plain))
    }
}

fn digesting(request: Request, seed: Seed) -> (Request, BodyDigest) {
    let digest = BodyDigest::default();
    let passing = digest.clone();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(seed);
    let stream = body.into_data_stream();
    let stream = stream.inspect_ok(move |chunk| passing.add(chunk));
    (
        Request::from_parts(parts, Body::from_stream(stream)),
        digest,
    )
}

fn document_id(app: &App, caller: &Caller, request: &Request) -> Result<String, Fault> {
    let mut values = request.headers().get_all(&HEADER).iter();
    let text = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    };
    let legal = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if text.is_empty() || text.len() > KEY_BYTES_MAX || !legal {
        let message = format!("must be one value of 1 to {KEY_BYTES_MAX} ASCII characters");
        return Err(Fault::bad_at("Idempotency-Key", message));
    }
    // Hashed, because clients put names of people and customers into such keys.
    let place = format!("{} {}", caller.key_id, text);
    let hash = app.sealer().derive(COLLECTION).hash(place.as_bytes());
    Ok(scoped_id(&caller.instance, &hex(&hash)))
}

/// Removes what is older than its 24 hours.
pub(crate) async fn forget_old(app: &App) {
    if let Err(fault) = remove_old(app).await {
        let status = fault.status().as_u16();
        tracing::warn!(status, "old idempotency keys stay for now");
    }
}

async fn remove_old(app: &App) -> Result<(), Fault> {
    let now_us = app.now().micros();
    let kept = Collection::<Kept>::new(app, COLLECTION);
    let mut after = String::new();
    loop {
        let (step, next) = kept.step("", &after).await?;
        for old in step
            .into_iter()
            .filter(|e| e.doc.began_us + LIFE_US <= now_us)
        {
            // A request that has taken the key anew meanwhile wins.
            match app.control().delete(COLLECTION, &old.id, old.version).await {
                Ok(()) => {}
                Err(error) => tracing::debug!(error = error.log_text(), "not removed"),
            }
        }
        match next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
