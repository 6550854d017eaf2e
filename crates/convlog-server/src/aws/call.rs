//! A request of an AWS dialect as its handler gets it.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use bytes::Bytes;
use convlog_model::json::Json;

use super::{AwsError, Refusal};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Buffered;
use crate::error::Fault;
use crate::middleware::RequestId;
use crate::sigv4::Signature;

/// One request, its caller known and its body read.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The server.
    pub app: App,
    /// Who calls.
    pub caller: Caller,
    /// Query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as it was sent.
    pub body: Bytes,
    /// The id that the answer shows.
    pub request_id: String,
    /// The signature, where the request was signed.
    pub signature: Option<String>,
}

impl FromRequest<App> for Call {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (parts, _) = request.into_parts();
        let missing = || Fault::internal("an AWS route has no caller");
        let query = parts.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        let extensions = &parts.extensions;
        let signature = extensions.get::<Signature>();
        Ok(Call {
            app: app.clone(),
            caller: extensions.get::<Caller>().cloned().ok_or_else(missing)?,
            query: query.collect(),
            body: extensions
                .get::<Buffered>()
                .map(|Buffered(bytes)| bytes.clone())
                .unwrap_or_default(),
            request_id: extensions
                .get::<RequestId>()
                .map(|RequestId(id)| id.clone())
                .unwrap_or_default(),
            signature: signature.map(|Signature(text)| text.clone()),
            headers: parts.headers,
        })
    }
}

impl Call {
    /// The body as a JSON object; an empty one is an object without members.
    ///
    /// # Errors
    /// 400 `SerializationException` that names the position.
    pub(crate) fn json(&self) -> Result<Json, AwsError> {
        let refused = |message: String| AwsError::new("SerializationException", message);
        if self.body.trim_ascii().is_empty() {
            return Ok(Json::object([]));
        }
        let depth_max = self.app.config().limits.json_depth;
        let body = Json::parse_within(&self.body, depth_max)
            .map_err(|error| refused(format!("the body is not valid JSON: {error}")))?;
        match body {
            Json::Object(_) => Ok(body),
            other => Err(refused(format!(
                "the body must be an object, not {}",
                other.type_name()
            ))),
        }
    }

    /// What tells the same request, sent again, from others.
    pub(crate) fn resend_key(&self) -> Option<String> {
        let id = self.headers.get("amz-sdk-invocation-id");
        let id = id
            .and_then(|value| value.to_str().ok())
            .filter(|id| id.len() <= 128);
        id.map(|id| format!("id {id}")).or_else(|| {
            self.signature
                .as_ref()
                .map(|text| format!("signature {text}"))
        })
    }

    /// The first query parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}
