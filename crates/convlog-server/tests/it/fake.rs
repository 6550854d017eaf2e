//! A server on a free port of this machine that a test scripts: what connectors talk to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What the server does with every request.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Answers this status, content type and body.
    Answer(u16, &'static str, String),
    /// Sends the caller to another address.
    Redirect(String),
    /// Never answers.
    Silence,
    /// Answers this JSON once it may.
    Waits(Arc<tokio::sync::Notify>, String),
    /// Answers a body without end.
    Flood,
}

#[derive(Clone, Debug)]
pub(crate) struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

impl Fake {
    pub(crate) async fn start(script: Script) -> Fake {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Fake {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            script: Arc::new(Mutex::new(script)),
        };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        background(async move { axum::serve(listener, router).await.unwrap() });
        fake
    }

    pub(crate) async fn json(body: &str) -> Fake {
        Self::start(Script::Answer(200, "application/json", body.to_owned())).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn now_does(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server of a test ends with the runtime of the test"
)]
pub(crate) fn background(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

async fn answer(State(fake): State<Fake>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let seen = Seen {
        uri,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    fake.seen.lock().unwrap().push(seen);
    let script = fake.script.lock().unwrap().clone();
    match script {
        Script::Answer(status, kind, body) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("content-type", kind)], body).into_response()
        }
        Script::Redirect(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Script::Silence => std::future::pending().await,
        Script::Waits(may, body) => {
            may.notified().await;
            ([("content-type", "application/json")], body).into_response()
        }
        Script::Flood => {
            let chunk = Bytes::from(vec![b' '; 64 << 10]);
            let endless =
                futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
            axum::body::Body::from_stream(endless).into_response()
        }
    }
}
