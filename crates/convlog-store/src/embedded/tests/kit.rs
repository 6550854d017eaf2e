//! What the tests of the engine share.

use std::sync::Arc;
use std::time::Duration;

use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::json::Json;
use convlog_model::query::{Query, Sort, SortKey};
use convlog_model::record::{Canonical, Dialect, Draft, Kind, Record};
use convlog_model::store::{Batch, Erase, Outcome, Selector, StateWrite, Store, Stored};
use convlog_model::testkit::{SeededIds, TestClock};
use convlog_model::time::Timestamp;
use futures::executor::block_on;

use crate::embedded::disk::sim::SimDisk;
use crate::embedded::{Embedded, OpenError, Options};

pub(crate) fn home() -> InstanceId {
    InstanceId::default_instance()
}

/// A draft with this own id, customer and text; the time of its request is `second`.
pub(crate) fn draft(own_id: &str, customer: &str, second: i64) -> Draft {
    let mut draft = Draft {
        instance: home(),
        kind: Kind::Turn,
        dialect: Dialect::WatsonV1,
        own_id: Some(own_id.to_owned()),
        canonical: Canonical::new(),
        labels: Default::default(),
        raw: format!(r#"{{"request":{{"input":{{"text":"hello {own_id}"}}}}}}"#).into(),
    };
    draft.set_ref("input.text", &["request", "input", "text"]);
    draft.set_text("customer", customer);
    let request = Timestamp::from_millis(second * 1000).to_millis_text();
    draft.set_text("time.request", &request);
    draft.set_value("entities_count", Json::integer(0));
    draft
}

pub(crate) fn batch(records: Vec<Draft>) -> Batch {
    Batch {
        records,
        states: Vec::new(),
    }
}

pub(crate) fn state(session: &str, customer: &str, bytes: &[u8], clock: &TestClock) -> StateWrite {
    use convlog_model::clock::Clock;
    StateWrite {
        instance: home(),
        session: session.to_owned(),
        state: bytes.to_vec(),
        customers: vec![customer.to_owned()],
        expires_at: clock.now().plus_micros(3_600_000_000),
    }
}

pub(crate) fn stored(outcome: &Outcome) -> Stored {
    match outcome {
        Outcome::Stored(stored) => *stored,
        other => panic!("not stored: {other:?}"),
    }
}

/// Own ids of everything that is shown, in commit order.
pub(crate) fn shown(store: &dyn Store) -> Vec<String> {
    let records = all(store);
    records.iter().map(|r| r.shown_id()).collect()
}

pub(crate) fn all(store: &dyn Store) -> Vec<Arc<Record>> {
    let mut query = Query::new(home(), Filter::All);
    query.limit = 10_000;
    query.sort = Sort {
        key: SortKey::Position,
        descending: false,
    };
    block_on(store.search(&query)).unwrap().records
}

pub(crate) fn erase_customer(customer: &str, number: u64) -> Erase {
    Erase {
        id: RecordId::from_parts(1, number.into()),
        instance: home(),
        selector: Selector::Customer(customer.to_owned()),
    }
}

/// A directory with a clock and randomness that can be opened again and again.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) ids: Arc<SeededIds>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Place {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(TestClock::default()),
            ids: Arc::new(SeededIds::new(7)),
        }
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(
            self.dir.path(),
            Arc::clone(&self.clock) as _,
            Arc::clone(&self.ids) as _,
        );
        options.limits.step = 64 << 10;
        options.limits.reserve = 0;
        options
    }

    pub(crate) fn try_open(&self) -> Result<Embedded, OpenError> {
        Embedded::open(self.options())
    }

    pub(crate) fn open(&self) -> Embedded {
        self.try_open().unwrap()
    }
}

/// The same on a simulated disk.
#[derive(Clone, Debug)]
pub(crate) struct SimPlace {
    pub(crate) disk: SimDisk,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) ids: Arc<SeededIds>,
    pub(crate) rows_max: usize,
    pub(crate) stop_rows: u32,
    pub(crate) image_reserve: usize,
    /// How long the writer waits before it marks the end of the log.
    pub(crate) idle: Duration,
}

/// Where the directory of a simulated disk is.
pub(crate) const SIM_DIR: &str = "/data";

impl SimPlace {
    pub(crate) fn new() -> Self {
        SimPlace {
            disk: SimDisk::default(),
            clock: Arc::new(TestClock::default()),
            ids: Arc::new(SeededIds::new(7)),
            rows_max: 65_536,
            stop_rows: u32::MAX,
            image_reserve: 0,
            // Never: tests that want marks say so.
            idle: Duration::from_secs(86_400),
        }
    }

    /// The same place with a disk that goes its own way from here.
    pub(crate) fn fork(&self) -> Self {
        SimPlace {
            disk: self.disk.fork(),
            ..self.clone()
        }
    }

    pub(crate) fn try_open(&self) -> Result<Embedded, OpenError> {
        let mut options = Options::new(
            SIM_DIR,
            Arc::clone(&self.clock) as _,
            Arc::clone(&self.ids) as _,
        );
        options.disk = Arc::new(self.disk.clone());
        options.limits.step = 8 << 10;
        options.limits.reserve = 0;
        options.limits.rows_max = self.rows_max;
        options.limits.stop_rows = self.stop_rows;
        options.limits.image_reserve = self.image_reserve;
        options.threads = 1;
        options.idle = self.idle;
        Embedded::open(options)
    }

    pub(crate) fn open(&self) -> Embedded {
        self.try_open().unwrap()
    }
}
