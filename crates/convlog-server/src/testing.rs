//! A server in memory for the tests of its modules; its engines fail on demand.

use std::sync::{Arc, LazyLock};

use convlog_model::ids::InstanceId;
use convlog_model::seal::Sealer;
use convlog_model::store::faulty::{FaultyControl, FaultyStore};
use convlog_model::store::memory::{MemoryBlobs, MemoryControl, MemoryStore};
use convlog_model::testkit::{SeededIds, TestClock};

use crate::app::{App, Deps};
use crate::auth::Caller;
use crate::config::ServerConfig;

/// A server and the handles of what it stands on.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) control: Arc<FaultyControl>,
    pub(crate) deps: Deps,
}

/// A server with this configuration and empty engines.
pub(crate) fn rig_with(config: ServerConfig) -> Rig {
    let clock = Arc::new(TestClock::default());
    let ids = Arc::new(SeededIds::new(1));
    let store = Arc::new(MemoryStore::new(clock.clone(), ids.clone()));
    let store = Arc::new(FaultyStore::new(store));
    let control = Arc::new(FaultyControl::new(Arc::new(MemoryControl::new())));
    let deps = Deps {
        store: store.clone(),
        control: control.clone(),
        blobs: Arc::new(MemoryBlobs::new()),
        clock: clock.clone(),
        ids,
        sealer: Sealer::new([7; 32]),
        maintenance: None,
    };
    Rig {
        app: App::new(config, deps.clone()),
        clock,
        store,
        control,
        deps,
    }
}

/// A server with the defaults and empty engines.
pub(crate) fn rig() -> Rig {
    rig_with(ServerConfig::default())
}

/// A caller of the instance `default` who may do everything.
pub(crate) static OWNER: LazyLock<Caller> =
    LazyLock::new(|| Caller::system(InstanceId::default_instance()));

/// The same, to be changed.
pub(crate) fn owner() -> Caller {
    OWNER.clone()
}
