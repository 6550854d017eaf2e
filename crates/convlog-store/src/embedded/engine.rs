//! The engine behind the contract: each method hands its work to the thread that may do it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use convlog_model::aggregate::{Aggregate, Table};
use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, Position, RecordId, Timeline};
use convlog_model::query::{Page, Query, Scan, Scanned};
use convlog_model::store::{
    Batch, Capability, Erase, Erasure, Health, Purge, Receipt, Retention, Selector, StateWrite,
    Stats, Store, StoreError, Upkeep,
};
use tokio::sync::oneshot;

use super::catalog::{Documents, Hidden};
use super::error::{failed, stopped};
use super::indexer::Indexer;
use super::maintain::Maintenance;
use super::pool::{Pool, step_back_a_little};
use super::prepare::{Prepared, check, prepare};
use super::queue::Queue;
use super::shared::Shared;
use super::writer::{Command, EraseJob, Reply, WriteError, Writer};

/// Batches up to so many bytes are prepared where they are; larger ones on threads of their own.
const PREPARE_HERE_BYTES: usize = 32 << 10;

/// A thread gets at least so many bytes.
const PIECE_BYTES_MIN: usize = 256 << 10;

/// Threads of that kind: more would only take the cores from the readers.
const PREPARERS_MAX: usize = 4;

/// One a core, as far as there are threads at all.
fn n_preparers(threads: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    threads.min(cores).clamp(1, PREPARERS_MAX)
}

/// An open data directory.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(super) documents: Arc<Documents>,
    queue: Arc<Queue<Command>>,
    readers: Pool,
    preparers: Pool,
    n_preparers: usize,
    pub(super) catalog_thread: Pool,
    writer: Mutex<Option<JoinHandle<()>>>,
    indexer: Mutex<Option<JoinHandle<()>>>,
    maintainer: Mutex<Option<JoinHandle<()>>>,
}

/// Answers those who wait for the writer also when it ends by a panic.
struct WriterGuard {
    queue: Arc<Queue<Command>>,
    shared: Arc<Shared>,
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared
                .set_broken("the writing thread ended by a panic");
            self.queue.abandon();
        }
    }
}

impl Engine {
    /// Starts the threads.
    pub(crate) fn start(
        shared: Arc<Shared>,
        documents: Documents,
        queue: Arc<Queue<Command>>,
        (writer, indexer, maintenance): (Writer, Indexer, Maintenance),
        threads: usize,
        idle: Duration,
    ) -> std::io::Result<Self> {
        let guard = WriterGuard {
            queue: Arc::clone(&queue),
            shared: Arc::clone(&shared),
        };
        let builder = std::thread::Builder::new().name("convlog-writer".to_owned());
        let handle = builder.spawn(move || writer.run(&guard.queue, idle))?;
        let builder = std::thread::Builder::new().name("convlog-index".to_owned());
        let indexer = builder.spawn(move || {
            step_back_a_little();
            indexer.run();
        })?;
        // What an earlier run left goes on.
        shared.indexing.want();
        shared.want_retention();
        let builder = std::thread::Builder::new().name("convlog-maintain".to_owned());
        let maintainer = builder.spawn(move || {
            step_back_a_little();
            maintenance.run();
        })?;
        Ok(Engine {
            shared,
            documents: Arc::new(documents),
            queue,
            readers: Pool::new("convlog-read", threads, false)?,
            preparers: Pool::new("convlog-prepare", n_preparers(threads), true)?,
            n_preparers: n_preparers(threads),
            catalog_thread: Pool::new("convlog-catalog", 1, false)?,
            writer: Mutex::new(Some(handle)),
            indexer: Mutex::new(Some(indexer)),
            maintainer: Mutex::new(Some(maintainer)),
        })
    }

    /// Takes nothing more in, finishes what waits and records the end of the log.
    pub(crate) fn close(&self) {
        self.queue.close();
        join(&self.writer, "the writing thread ended by a panic");
        self.shared.indexing.close();
        join(&self.indexer, "the indexing thread ended by a panic");
        self.shared.maintenance.close();
        join(&self.maintainer, "the maintenance thread ended by a panic");
        // Whoever watches is told that nothing more comes.
        self.shared.newest.send_replace(Position::END);
        self.readers.close();
        self.preparers.close();
        self.catalog_thread.close();
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
        bytes: usize,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(command(reply), bytes)?;
        answer.await.map_err(|_| stopped())?
    }

    /// Prepares a large batch on several threads, each some records.
    async fn prepare_apart(&self, mut batch: Batch, bytes: usize) -> Result<Prepared, StoreError> {
        let codec = self.shared.codec();
        let n_pieces = (bytes / PIECE_BYTES_MIN).clamp(1, self.n_preparers);
        let step = batch.records.len().div_ceil(n_pieces).max(1);
        let mut pieces = Vec::with_capacity(n_pieces);
        while batch.records.len() > step {
            let records = batch.records.split_off(batch.records.len() - step);
            pieces.push(Batch {
                records,
                states: Vec::new(),
            });
        }
        pieces.push(batch);
        let work = pieces.into_iter().rev().map(|piece| {
            let (shared, codec) = (Arc::clone(&self.shared), Arc::clone(&codec));
            self.preparers.run(move || {
                shared.hold_back(bytes / n_pieces);
                prepare(piece, &shared.tools(&codec))
            })
        });
        let mut pieces = futures::future::try_join_all(work).await?.into_iter();
        let mut all = pieces.next().ok_or_else(stopped)?;
        pieces.for_each(|piece| all.extend(piece));
        Ok(all)
    }

    /// Does it on one of the threads for reads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        self.readers.run(move || work(&shared)).await
    }
}

fn join(thread: &Mutex<Option<JoinHandle<()>>>, on_panic: &str) {
    let mut thread = thread.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(Err(_)) = thread.take().map(JoinHandle::join) {
        tracing::error!("{on_panic}");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl Store for Engine {
    async fn append(&self, batch: Batch) -> Result<Receipt, StoreError> {
        check(&batch)?;
        if let Some(why) = self.shared.broken() {
            return Err(WriteError::Broken(why).to_store_error());
        }
        if batch.records.is_empty() && batch.states.is_empty() {
            return Ok(Receipt::default());
        }
        let bytes: usize = batch.records.iter().map(|draft| draft.raw.len()).sum();
        let prepared = if bytes <= PREPARE_HERE_BYTES {
            prepare(batch, &self.shared.tools(&self.shared.codec()))?
        } else {
            self.prepare_apart(batch, bytes).await?
        };
        let weight = prepared.weight().max(1);
        self.ask(|reply| Command::Append(prepared, reply), weight)
            .await
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        let (shared, query) = (Arc::clone(&self.shared), query.clone());
        let search = move || shared.search(&query);
        self.readers.run_here(search).await
    }

    async fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        let (instance, filter) = (instance.clone(), filter.clone());
        self.read(move |shared| shared.count(&instance, &filter))
            .await
    }

    async fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        let request = request.clone();
        self.read(move |shared| shared.aggregate(&request)).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        let scan = scan.clone();
        self.read(move |shared| shared.scan(&scan)).await
    }

    async fn watch(&self, after: Position) -> Result<Position, StoreError> {
        let mut newest = self.shared.newest.subscribe();
        let found = newest.wait_for(|newest| *newest > after || *newest == Position::END);
        let found = found.await.map(|newest| *newest);
        match found {
            Ok(newest) if newest != Position::END => Ok(newest),
            _ => Err(stopped()),
        }
    }

    async fn erase(&self, request: &Erase) -> Result<Erasure, StoreError> {
        let requested_at = self.shared.clock.now();
        let instance = request.instance.clone();
        let hidden = match &request.selector {
            Selector::Customer(customer) => {
                Hidden::Customer(self.shared.hasher.customer(&instance, customer))
            }
            Selector::Filter(filter) => {
                let (instance, filter) = (instance.clone(), filter.clone());
                let hidden = self.read(move |shared| {
                    let at = shared.positions(&instance, &filter)?;
                    let own = shared.own_keys_of(&at)?;
                    Ok(Hidden::Rows { at, own })
                });
                hidden.await?
            }
        };
        let job = EraseJob {
            id: request.id,
            instance,
            hidden,
            requested_at,
        };
        self.ask(|reply| Command::Erase(job, reply), 0).await
    }

    async fn erasures(&self, instance: &InstanceId) -> Result<Vec<Erasure>, StoreError> {
        let erasures = self.shared.erasures();
        let mine = erasures
            .iter()
            .filter(|erasure| erasure.instance == *instance);
        let mut mine: Vec<Erasure> = mine.cloned().collect();
        mine.sort_by_key(|erasure| (erasure.requested_at, erasure.id));
        Ok(mine)
    }

    async fn expire(&self, rules: &Retention) -> Result<u64, StoreError> {
        let (shared, rules) = (Arc::clone(&self.shared), rules.clone());
        let work = move || {
            if *shared.rules() != rules {
                let kept = shared.catalog.put_retention(&rules);
                kept.map_err(|error| failed("catalog", &error))?;
                shared.set_rules(rules.clone());
            }
            let hidden = shared.expire(&rules)?;
            shared.want_retention();
            Ok(hidden)
        };
        self.catalog_thread.run(work).await
    }

    async fn purges(&self) -> Result<Vec<Purge>, StoreError> {
        let purges = self.shared.catalog.purges();
        purges.map_err(|error| failed("catalog", &error))
    }

    async fn forget_purges(&self, told: &[RecordId]) -> Result<(), StoreError> {
        let (shared, told) = (Arc::clone(&self.shared), told.to_vec());
        let work = move || {
            let forgotten = shared.catalog.forget_purges(&told);
            forgotten.map_err(|error| failed("catalog", &error))
        };
        self.catalog_thread.run(work).await
    }

    async fn load_state(
        &self,
        instance: &InstanceId,
        session: &str,
    ) -> Result<Option<StateWrite>, StoreError> {
        self.shared.load_state(instance, session)
    }

    async fn drop_state(&self, instance: &InstanceId, session: &str) -> Result<(), StoreError> {
        let hash = self.shared.hasher.session(instance, session);
        self.ask(|reply| Command::DropState(hash, reply), 0).await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.ask(Command::Settle, 0).await?;
        for settle in [Shared::settle_indexes, Shared::settle_maintenance] {
            let (reply, answer) = oneshot::channel();
            settle(&self.shared, reply);
            answer.await.map_err(|_| stopped())??;
        }
        Ok(())
    }

    async fn stats(&self, instance: &InstanceId) -> Result<Stats, StoreError> {
        let instance = instance.clone();
        self.read(move |shared| shared.stats(&instance)).await
    }

    fn upkeep(&self) -> Upkeep {
        self.shared.upkeep()
    }

    async fn confirm_retention(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let work = move || shared.confirm_retention();
        self.catalog_thread.run(work).await
    }

    fn timeline(&self) -> Timeline {
        self.shared.timeline
    }

    fn newest(&self) -> Position {
        self.shared.view().newest
    }

    fn health(&self) -> Health {
        let broken = self.shared.broken();
        Health {
            writable: broken.is_none(),
            reason: broken.unwrap_or_default(),
        }
    }

    fn capability(&self) -> Capability {
        Capability {
            eventual: false,
            gapless: true,
            physical_erasure: true,
        }
    }
}
