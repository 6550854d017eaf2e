//! The connections of AWS's clients: our one HTTP client, behind the seam that they have for it.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::connector::outbound::{CallError, Outbound};

/// How long one call may take. Longer than the time in which a service of AWS gives up.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
struct Connection(Outbound);

/// A client of AWS's that connects as `outbound` does.
pub(super) fn client(outbound: &Outbound) -> SharedHttpClient {
    let connection = SharedHttpConnector::new(Connection(outbound.clone()));
    http_client_fn(move |_, _| connection.clone())
}

impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let outbound = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&outbound, request).await })
    }
}

async fn exchange(
    outbound: &Outbound,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let method = reqwest::Method::from_bytes(request.method().as_bytes());
    let method = method.map_err(|error| ConnectorError::user(error.into()))?;
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        let name = HeaderName::try_from(name).map_err(|error| ConnectorError::user(error.into()));
        let value = HeaderValue::try_from(value);
        let value = value.map_err(|error| ConnectorError::user(error.into()))?;
        headers.append(name?, value);
    }
    // Whatever is sent is in memory as a whole; a body of another kind would go out empty.
    let Some(body) = request.body().bytes().map(<[u8]>::to_vec) else {
        return Err(ConnectorError::user("a body that is a stream".into()));
    };
    let answered = outbound.call(method, request.uri(), headers, Some(body), TIMEOUT);
    let answered = answered.await.map_err(|error| match error {
        CallError::Timeout(_) => ConnectorError::timeout(error.into()),
        CallError::Forbidden | CallError::BadUrl => ConnectorError::user(error.into()),
        other => ConnectorError::io(other.into()),
    })?;
    let status = StatusCode::try_from(answered.status);
    let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, answered.body.into());
    for (name, value) in &answered.headers {
        if let Ok(value) = value.to_str() {
            response
                .headers_mut()
                .append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}
