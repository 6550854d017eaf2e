//! A server in memory whose time the test moves, and requests to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::json::Json;
use convlog_model::seal::Sealer;
use convlog_model::store::memory::{MemoryBlobs, MemoryControl, MemoryStore};
use convlog_model::testkit::{SeededIds, TestClock};
use convlog_server::{App, Deps, ServerConfig};
use futures::{FutureExt as _, StreamExt as _};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// The key with all roles that every test server has.
pub(crate) const ADMIN: &str = "ADMINADMINADMIN1.admin_secret-admin_secret-admin_secret-42";

/// A server of the instance `default` with the key [`ADMIN`].
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) deps: Deps,
    router: Router,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// With the defaults.
    pub(crate) async fn start() -> Self {
        Self::with(ServerConfig::default()).await
    }

    /// With this configuration.
    pub(crate) async fn with(config: ServerConfig) -> Self {
        let server = Self::empty_with(config);
        let printed = server.app.first_start(Some(ADMIN.to_owned())).await;
        assert_eq!(printed.unwrap(), None);
        server
    }

    /// Before its first start.
    pub(crate) fn empty() -> Self {
        Self::empty_with(ServerConfig::default())
    }

    fn empty_with(config: ServerConfig) -> Self {
        let clock = Arc::new(TestClock::default());
        let ids = Arc::new(SeededIds::new(1));
        let deps = Deps {
            store: Arc::new(MemoryStore::new(clock.clone(), ids.clone())),
            control: Arc::new(MemoryControl::new()),
            blobs: Arc::new(MemoryBlobs::new()),
            clock: clock.clone(),
            ids,
            sealer: Sealer::new([7; 32]),
            maintenance: None,
        };
        Self::over(config, deps, clock)
    }

    /// With the defaults, and its store, which the test can close.
    pub(crate) async fn closable() -> (Self, Arc<MemoryStore>) {
        let clock = Arc::new(TestClock::default());
        let ids = Arc::new(SeededIds::new(1));
        let store = Arc::new(MemoryStore::new(clock.clone(), ids.clone()));
        let deps = Deps {
            store: store.clone(),
            control: Arc::new(MemoryControl::new()),
            blobs: Arc::new(MemoryBlobs::new()),
            clock: clock.clone(),
            ids,
            sealer: Sealer::new([7; 32]),
            maintenance: None,
        };
        let server = Self::over(ServerConfig::default(), deps, clock);
        server
            .app
            .first_start(Some(ADMIN.to_owned()))
            .await
            .unwrap();
        (server, store)
    }

    /// Over engines that are there already, as after a restart.
    pub(crate) fn over(config: ServerConfig, deps: Deps, clock: Arc<TestClock>) -> Self {
        let app = App::new(config, deps.clone());
        Server {
            router: convlog_server::router(app.clone()),
            app,
            clock,
            deps,
        }
    }

    /// Sends any request; the body of the answer is still to come.
    pub(crate) async fn response(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.response(request).await;
        let (parts, body) = answer.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// Sends a request as the holder of `key`; an empty key sends none, an empty body neither.
    pub(crate) async fn call(&self, key: &str, method: &str, uri: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        if !key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    /// Sends a request whose answer may have no end: what of it is there at once.
    pub(crate) async fn begun(&self, key: &str, uri: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, answer) = self.response(request).await.into_parts();
        let mut pieces = answer.into_data_stream();
        let mut body = Vec::new();
        while let Some(Some(piece)) = pieces.next().now_or_never() {
            body.extend_from_slice(&piece.unwrap());
        }
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// `GET` with the first key.
    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.call(ADMIN, "GET", uri, "").await
    }

    /// `POST` with the first key.
    pub(crate) async fn post(&self, uri: &str, body: &str) -> Answer {
        self.call(ADMIN, "POST", uri, body).await
    }

    /// `PUT` with the first key.
    pub(crate) async fn put(&self, uri: &str, body: &str) -> Answer {
        self.call(ADMIN, "PUT", uri, body).await
    }

    /// A new key with these roles (`"read","write"`), limited to `bots` unless it is empty.
    pub(crate) async fn key(&self, roles: &str, bots: &str) -> String {
        let bots = match bots {
            "" => String::new(),
            bots => format!(r#","bots":[{bots}]"#),
        };
        let body = format!(r#"{{"name":"test","roles":[{roles}]{bots}}}"#);
        let answer = self.post("/convlog/v1/keys", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.text_at("key")
    }

    /// A new instance; returns its id and its first key.
    pub(crate) async fn instance(&self) -> (String, String) {
        let answer = self
            .post("/convlog/v1/instances", r#"{"name":"second"}"#)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        (answer.text_at("id"), answer.text_at("key"))
    }
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Json {
        Json::parse(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A text member of the body.
    pub(crate) fn text_at(&self, key: &str) -> String {
        let json = self.json();
        let text = json.get(key).and_then(Json::as_str);
        text.unwrap_or_else(|| panic!("no {key} in {json}"))
            .to_owned()
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// The value of `Authorization` for Basic.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
