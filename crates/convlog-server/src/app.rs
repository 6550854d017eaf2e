//! What every handler works with: configuration, store, control plane, time, randomness, and the
//! bounded state of this process.

use std::sync::{Arc, OnceLock};

use axum_server::tls_rustls::RustlsConfig;
use convlog_model::blobs::Blobs;
use convlog_model::clock::{Clock, IdSource};
use convlog_model::control::ControlPlane;
use convlog_model::ids::InstanceId;
use convlog_model::maintenance::Maintenance;
use convlog_model::seal::Sealer;
use convlog_model::store::Store;
use convlog_model::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::bots::Known;
use crate::cloudwatch;
use crate::config::ServerConfig;
use crate::connector::Connectors;
use crate::deliveries::Deliveries;
use crate::entity::Pending;
use crate::erasures::{Forwards, Unfinished};
use crate::error::Fault;
use crate::events::Told;
use crate::idempotency::Running;
use crate::ingest::Ingest;
use crate::jobs::Jobs;
use crate::keys::KeyCache;
use crate::lex;
use crate::limits::RateLimits;
use crate::metrics::Metrics;
use crate::query::QueryDoor;
use crate::records::Decoders;
use crate::redaction;
use crate::sessions::Sessions;
use crate::tls::TlsPem;

/// What the server cannot make itself.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Keeps and finds records.
    pub store: Arc<dyn Store>,
    /// Keeps instances, keys, bots and settings.
    pub control: Arc<dyn ControlPlane>,
    /// Keeps audio that waits for its delivery.
    pub blobs: Arc<dyn Blobs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn IdSource>,
    /// Encrypts secrets.
    pub sealer: Sealer,
    /// Makes backups, where the engine can.
    pub maintenance: Option<Arc<dyn Maintenance>>,
}

/// The server without its sockets; clones share everything.
#[derive(Clone, Debug)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ServerConfig,
    deps: Deps,
    jobs: Jobs,
    decoders: Decoders,
    metrics: Metrics,
    keys: KeyCache,
    limits: RateLimits,
    pending: Pending,
    told: Told,
    bots: Known,
    lex: lex::Known,
    cloudwatch: cloudwatch::Known,
    redaction: redaction::Known,
    deliveries: Deliveries,
    forwards: Forwards,
    unfinished: Unfinished,
    running: Running,
    retention: tokio::sync::Mutex<()>,
    exports: Arc<Semaphore>,
    subscriptions: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    connectors: Connectors,
    sessions: Sessions,
    tls: OnceLock<RustlsConfig>,
}

impl App {
    /// A server with this configuration over these engines.
    #[must_use]
    pub fn new(config: ServerConfig, deps: Deps) -> Self {
        let inner = Inner {
            jobs: Jobs::default(),
            decoders: Decoders::default(),
            metrics: Metrics::default(),
            keys: KeyCache::default(),
            limits: RateLimits::new(&config.limits, &deps.clock),
            pending: Pending::default(),
            told: Told::default(),
            bots: Known::default(),
            lex: lex::Known::default(),
            cloudwatch: cloudwatch::Known::default(),
            redaction: redaction::Known::new(&config.redaction),
            deliveries: Deliveries::default(),
            forwards: Forwards::default(),
            unfinished: Unfinished::default(),
            running: Running::default(),
            retention: tokio::sync::Mutex::default(),
            exports: Arc::new(Semaphore::new(config.limits.exports_at_once)),
            subscriptions: Arc::new(Semaphore::new(config.limits.subscriptions_at_once)),
            requests: Arc::new(Semaphore::new(config.limits.concurrent_requests)),
            connectors: Connectors::new(&config),
            sessions: Sessions::new(config.sessions.at_once),
            tls: OnceLock::new(),
            config,
            deps,
        };
        App {
            inner: Arc::new(inner),
        }
    }

    /// Prepares an empty directory: the instance `default` and a key with all roles. `admin_key`
    /// (`ID.SECRET`) is made that key; without it a new one is drawn and returned, to be printed
    /// once. Does nothing when a key exists.
    ///
    /// # Errors
    /// A malformed `admin_key`; what the control plane answers.
    pub async fn first_start(&self, admin_key: Option<String>) -> Result<Option<String>, Fault> {
        crate::instances::first_start(self, admin_key).await
    }

    /// Exchanges certificate and key for connections that begin from now on.
    ///
    /// # Errors
    /// PEM that cannot be used (the old pair stays), or a server without TLS.
    pub async fn reload_tls(&self, pem: TlsPem) -> std::io::Result<()> {
        match self.inner.tls.get() {
            Some(config) => config.reload_from_pem(pem.cert, pem.key).await,
            None => Err(std::io::Error::other("the server listens without TLS")),
        }
    }

    /// Whether it listens with TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.inner.tls.get().is_some()
    }

    pub(crate) fn set_tls(&self, config: RustlsConfig) {
        self.inner.tls.get_or_init(|| config);
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        &self.inner.config
    }

    /// The only door for writing records.
    #[must_use]
    pub fn ingest(&self) -> Ingest<'_> {
        Ingest::new(self)
    }

    /// The only door for reading records.
    #[must_use]
    pub fn query(&self) -> QueryDoor<'_> {
        QueryDoor::new(self)
    }

    /// The store, for what is neither writing nor reading: erasures, dialogue states, statistics.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.inner.deps.store
    }

    /// The control plane; see `entity.rs` for documents with a type.
    #[must_use]
    pub fn control(&self) -> &dyn ControlPlane {
        &*self.inner.deps.control
    }

    /// Audio that waits for its delivery, or is kept.
    #[must_use]
    pub fn blobs(&self) -> &dyn Blobs {
        &*self.inner.deps.blobs
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.deps.clock
    }

    /// The wall clock's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.deps.clock.now()
    }

    /// Randomness.
    #[must_use]
    pub fn ids(&self) -> &dyn IdSource {
        &*self.inner.deps.ids
    }

    /// Encrypts secrets.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.inner.deps.sealer
    }

    /// Makes backups, where the engine can.
    #[must_use]
    pub fn maintenance(&self) -> Option<&Arc<dyn Maintenance>> {
        self.inner.deps.maintenance.as_ref()
    }

    /// Background work.
    #[must_use]
    pub fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    /// Starts the work that a server has in the background, as serving does.
    pub async fn start_jobs(&self) {
        crate::jobs::start(self).await;
    }

    /// The threads that take bulk requests apart.
    pub(crate) fn decoders(&self) -> &Decoders {
        &self.inner.decoders
    }

    /// Counters and gauges.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn connectors(&self) -> &Connectors {
        &self.inner.connectors
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn keys(&self) -> &KeyCache {
        &self.inner.keys
    }

    pub(crate) fn limits(&self) -> &RateLimits {
        &self.inner.limits
    }

    pub(crate) fn pending(&self) -> &Pending {
        &self.inner.pending
    }

    pub(crate) fn told(&self) -> &Told {
        &self.inner.told
    }

    pub(crate) fn deliveries(&self) -> &Deliveries {
        &self.inner.deliveries
    }

    pub(crate) fn forwards(&self) -> &Forwards {
        &self.inner.forwards
    }

    pub(crate) fn unfinished(&self) -> &Unfinished {
        &self.inner.unfinished
    }

    /// Held while rules of retention are gathered and handed over, so that newer ones win.
    pub(crate) fn retention(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.retention
    }

    pub(crate) fn running(&self) -> &Running {
        &self.inner.running
    }

    pub(crate) fn bots(&self) -> &Known {
        &self.inner.bots
    }

    pub(crate) fn lex(&self) -> &lex::Known {
        &self.inner.lex
    }

    pub(crate) fn cloudwatch(&self) -> &cloudwatch::Known {
        &self.inner.cloudwatch
    }

    pub(crate) fn redaction(&self) -> &redaction::Known {
        &self.inner.redaction
    }

    pub(crate) fn request_slots(&self) -> &Arc<Semaphore> {
        &self.inner.requests
    }

    /// A slot among the exports that run at once; it ends when the value is dropped.
    ///
    /// # Errors
    /// 429 when all are taken.
    pub fn export_slot(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let slot = Arc::clone(&self.inner.exports).try_acquire_owned();
        slot.map_err(|_| Fault::TooManyRequests {
            message: "too many exports run at present".to_owned(),
            retry_after_s: 10,
        })
    }

    /// A slot among the subscriptions; it ends when the value is dropped.
    ///
    /// # Errors
    /// 429 when all are taken.
    pub(crate) fn subscription_slot(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let slot = Arc::clone(&self.inner.subscriptions).try_acquire_owned();
        slot.map_err(|_| Fault::TooManyRequests {
            message: "too many subscriptions at present".to_owned(),
            retry_after_s: 10,
        })
    }

    /// Number of subscriptions at present.
    pub(crate) fn n_subscriptions(&self) -> usize {
        let n_free = self.inner.subscriptions.available_permits();
        self.config()
            .limits
            .subscriptions_at_once
            .saturating_sub(n_free)
    }

    /// A lower-case UUIDv7 of now.
    #[must_use]
    pub fn new_id(&self) -> convlog_model::ids::RecordId {
        let millis = u64::try_from(self.now().millis()).unwrap_or_default();
        convlog_model::ids::RecordId::from_parts(millis, self.ids().random_u128())
    }
}

/// Id of a document that belongs to an instance: `INSTANCE/NAME`.
#[must_use]
pub(crate) fn scoped_id(instance: &InstanceId, name: &str) -> String {
    format!("{instance}/{name}")
}

/// Instance and name of such an id.
#[must_use]
pub(crate) fn unscoped(id: &str) -> Option<(InstanceId, &str)> {
    let (instance, name) = id.split_once('/')?;
    Some((InstanceId::new(instance).ok()?, name))
}
