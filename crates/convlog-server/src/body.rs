//! Request bodies: the only place that reads them, with bounds before and after decompression.

pub(crate) mod linger;

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use convlog_model::json::{Json as Tree, JsonError};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio_util::io::StreamReader;

use crate::app::App;
use crate::error::Fault;

/// Bounds of one body.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    sent: usize,
    decompressed: usize,
}

/// The bytes of an ordinary body, decompressed.
#[derive(Clone, Debug)]
pub(crate) struct RawBody(pub Bytes);

impl FromRequest<App> for RawBody {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let limits = &app.config().limits;
        let bounds = Bounds {
            sent: limits.body_bytes,
            decompressed: limits.body_bytes_decompressed,
        };
        let mut source = open(request, bounds)?;
        let mut bytes = Vec::new();
        source
            .read_to_end(&mut bytes)
            .await
            .map_err(|error| broken(&error))?;
        Ok(RawBody(bytes.into()))
    }
}

/// The bytes of a body that was read before its handler, as they were sent.
#[derive(Clone, Debug)]
pub(crate) struct Buffered(pub Bytes);

/// Reads a body that its request's signature may cover: as it was sent.
///
/// # Errors
/// 413 beyond the bound, 400 when it ends early.
pub(crate) async fn buffered(app: &App, request: Request) -> Result<(Request, Buffered), Fault> {
    let max = app.config().limits.body_bytes_decompressed;
    let (parts, body) = request.into_parts();
    if content_length(&parts.headers).is_some_and(|length| length > max as u64) {
        return Err(Beyond(max, "").fault());
    }
    let mut bytes = Vec::new();
    let mut source = counted(body, max);
    let read = source.read_to_end(&mut bytes).await;
    read.map_err(|error| broken(&error))?;
    let request = Request::from_parts(parts, Body::empty());
    Ok((request, Buffered(bytes.into())))
}

/// A JSON body of a type; errors name the field and the position and show nothing of the text.
#[derive(Clone, Debug)]
pub(crate) struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let RawBody(bytes) = RawBody::from_request(request, app).await?;
        parse_json(&bytes, app.config().limits.json_depth).map(JsonBody)
    }
}

/// Parses a JSON text.
///
/// # Errors
/// 400 that names the position.
pub(crate) fn tree(bytes: &[u8], depth_max: usize) -> Result<Tree, Fault> {
    Tree::parse_within(bytes, depth_max)
        .map_err(|error| Fault::bad(format!("the body is not valid JSON: {error}")))
}

/// Parses a JSON text into a type.
///
/// # Errors
/// 400 that names position or field.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8], depth_max: usize) -> Result<T, Fault> {
    tree(bytes, depth_max)?;
    let mut source = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        field_fault(&path, &JsonError::from_serde(&inner).message)
    })
}

/// The fault of a field, without the value that the parsing library quotes.
fn field_fault(path: &str, message: &str) -> Fault {
    let inside = |prefix: &str| message.strip_prefix(prefix)?.split('`').next();
    let below = |name: &str| match path {
        "." | "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    if let Some(name) = inside("missing field `") {
        return Fault::bad_at(below(name), "is missing");
    }
    if let Some(name) = inside("duplicate field `") {
        return Fault::bad_at(below(name), "stands there twice");
    }
    let expected = message.split_once(", expected ").map(|(_, rest)| rest);
    // The library names our types; who sends JSON knows objects.
    let expected = match expected {
        Some(rest) if rest.starts_with("struct ") => Some("an object"),
        other => other,
    };
    if path == "." && expected == Some("an object") {
        return Fault::bad("the body must be an object");
    }
    let text = match expected {
        Some(rest) if message.starts_with("unknown field") => {
            format!("unknown field, expected {rest}")
        }
        Some(rest) => format!("wrong value, expected {rest}"),
        None if message.starts_with("unknown field") => "unknown field".to_owned(),
        None => "wrong value".to_owned(),
    };
    Fault::bad_at(path, text)
}

/// Query parameters of a type; errors name the parameter.
#[derive(Clone, Debug)]
pub(crate) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let parsed = Query::<T>::try_from_uri(&parts.uri);
        parsed
            .map(|Query(params)| Params(params))
            .map_err(|rejection| {
                let text = rejection.body_text();
                let text = text
                    .rsplit_once("query string: ")
                    .map_or("", |(_, rest)| rest);
                match text.split_once(": ") {
                    Some((path, message)) => field_fault(path, message),
                    None => field_fault("", text),
                }
            })
    }
}

/// The lines of a bulk body, read as they arrive.
pub(crate) struct Lines {
    source: Source,
    number: usize,
    line_bytes_max: usize,
}

type Source = Pin<Box<dyn AsyncBufRead + Send>>;

/// One line that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, counted from 1.
    pub number: usize,
    /// Its bytes without the line end; `None` when it is longer than a record may be.
    pub bytes: Option<Vec<u8>>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines(at {})", self.number)
    }
}

impl FromRequest<App> for Lines {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let limits = &app.config().limits;
        let bounds = Bounds {
            sent: limits.bulk_bytes,
            decompressed: limits.bulk_bytes_decompressed,
        };
        Ok(Lines {
            source: open(request, bounds)?,
            number: 0,
            line_bytes_max: limits.record_bytes,
        })
    }
}

impl Lines {
    /// How the body has ended, if it is known by now that nothing comes any more.
    pub(crate) fn ended(&mut self) -> Option<Result<(), Fault>> {
        match self.source.fill_buf().now_or_never()? {
            Ok([]) => Some(Ok(())),
            Ok(_) => None,
            Err(error) => Some(Err(broken(&error))),
        }
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// 400 for a broken body, 413 beyond the bounds; the lines before were read whole.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, Fault> {
        loop {
            let mut bytes = Vec::new();
            let mut is_too_long = false;
            let mut is_end = true;
            loop {
                let chunk = self.source.fill_buf().await.map_err(|e| broken(&e))?;
                if chunk.is_empty() {
                    break;
                }
                is_end = false;
                let newline = memchr::memchr(b'\n', chunk);
                let taken = newline.map_or(chunk.len(), |at| at + 1);
                let text = chunk.get(..newline.unwrap_or(taken)).unwrap_or_default();
                is_too_long |= bytes.len() + text.len() > self.line_bytes_max;
                if !is_too_long {
                    bytes.extend_from_slice(text);
                }
                self.source.consume(taken);
                if newline.is_some() {
                    break;
                }
            }
            if is_end {
                return Ok(None);
            }
            self.number += 1;
            if is_too_long || !bytes.trim_ascii().is_empty() {
                return Ok(Some(Line {
                    number: self.number,
                    bytes: (!is_too_long).then_some(bytes),
                }));
            }
        }
    }
}

/// A body's bytes, decompressed, failing with [`Beyond`] where a bound is passed.
fn open(request: Request, bounds: Bounds) -> Result<Source, Fault> {
    let (parts, body) = request.into_parts();
    let encoding = encoding(&parts.headers)?;
    if let Some(length) = content_length(&parts.headers)
        && length > bounds.sent as u64
    {
        return Err(Beyond(bounds.sent, "").fault());
    }
    let sent = counted(body, bounds.sent);
    let max = bounds.decompressed;
    let plain: Source = match encoding {
        Encoding::Identity => return Ok(sent),
        Encoding::Gzip => {
            let mut decoder = GzipDecoder::new(sent);
            decoder.multiple_members(true);
            Box::pin(BufReader::new(decoder))
        }
        Encoding::Zstd => {
            let mut decoder = ZstdDecoder::with_params(sent, &[window_max()]);
            decoder.multiple_members(true);
            Box::pin(BufReader::new(decoder))
        }
    };
    let stream = tokio_util::io::ReaderStream::new(plain);
    Ok(capped(stream, max, " after decompression"))
}

/// RFC 9659: receivers need not support windows of more than 8 MiB.
fn window_max() -> async_compression::zstd::DParameter {
    async_compression::zstd::DParameter::window_log_max(23)
}

fn counted(body: Body, max: usize) -> Source {
    let stream = body.into_data_stream().map_err(io::Error::other);
    capped(stream, max, "")
}

fn capped(
    stream: impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static,
    max: usize,
    what: &'static str,
) -> Source {
    let mut left = max;
    let capped = stream.map(move |chunk| {
        let chunk = chunk?;
        left = left
            .checked_sub(chunk.len())
            .ok_or_else(|| io::Error::other(Beyond(max, what)))?;
        Ok::<_, io::Error>(chunk)
    });
    Box::pin(StreamReader::new(Box::pin(capped)))
}

/// A bound was passed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body is larger than {0} bytes{1}")]
struct Beyond(usize, &'static str);

impl Beyond {
    fn fault(self) -> Fault {
        Fault::too_large(self.to_string())
    }
}

/// The fault of a body that could not be read to its end.
fn broken(error: &io::Error) -> Fault {
    let mut source: Option<&(dyn std::error::Error + 'static)> =
        error.get_ref().map(|inner| inner as _);
    while let Some(inner) = source {
        if let Some(beyond) = inner.downcast_ref::<Beyond>() {
            return beyond.fault();
        }
        if let Some(inner) = inner.downcast_ref::<io::Error>() {
            return broken(inner);
        }
        source = inner.source();
    }
    Fault::bad("the body ends early or its compression is broken")
}

enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Fault> {
    let mut names = headers.get_all(header::CONTENT_ENCODING).iter();
    let name = match (names.next(), names.next()) {
        (None, _) => return Ok(Encoding::Identity),
        (Some(name), None) => name
            .to_str()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
        (Some(_), Some(_)) => String::new(),
    };
    match name.as_str() {
        "identity" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(Fault::UnsupportedMedia {
            message: "Content-Encoding must be gzip, zstd or identity".to_owned(),
        }),
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests;
