//! The one thread that writes: it gathers what waits, writes once, syncs once, answers all.

mod chunk;
mod erase;
mod group;
mod trainer;

use std::sync::Arc;
use std::time::Duration;

use convlog_model::ids::{Position, RecordId};
use convlog_model::store::{Erasure, ErrorKind, Receipt, StoreError};
use convlog_model::time::Timestamp;
use tokio::sync::oneshot;

pub(crate) use self::chunk::{Limits, Log, OpenChunk};
pub(crate) use self::erase::EraseJob;
use self::group::{Group, NewPart};
use self::trainer::Trainer;
use super::catalog::CleanStop;
use super::frames::FrameRow;
use super::prepare::Prepared;
use super::queue::Queue;
use super::row::Hash16;
use super::shared::Shared;
use super::view::{Part, position};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Give places to records and make them durable.
    Append(Prepared, Reply<Receipt>),
    /// Hide records for good.
    Erase(EraseJob, Reply<Erasure>),
    /// End a dialogue session.
    DropState(Hash16, Reply<()>),
    /// End this chunk, if it is the open one.
    End(u64, Reply<()>),
    /// Answer when everything before is done.
    Settle(Reply<()>),
}

/// How long the writer waits before it marks the end of the log.
pub(crate) const IDLE: Duration = Duration::from_secs(1);
/// How often ended sessions are looked for.
const SWEEP_US: u64 = 1_000_000;
/// Bytes of appends that are gathered at once.
const GROUP_BYTES: usize = 16 << 20;

/// Why a group was not written.
#[derive(Debug, Clone)]
pub(crate) enum WriteError {
    /// No room; nothing was written and the next may succeed.
    Full,
    /// A disk call failed; nothing is written until a restart.
    Broken(String),
}

impl WriteError {
    pub(crate) fn to_store_error(&self) -> StoreError {
        match self {
            WriteError::Full => super::error::full(),
            WriteError::Broken(why) => {
                let text = "the store writes nothing until it is restarted";
                StoreError::new(ErrorKind::Unavailable, text).with_log(why.clone())
            }
        }
    }
}

/// The writing thread's own state.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    log: Log,
    last_id: Option<RecordId>,
    trainer: Trainer,
    /// When to look next for sessions whose time is over.
    sweep_us: u64,
}

impl Writer {
    /// Behind the record with `last_id`.
    pub(crate) fn new(shared: Arc<Shared>, log: Log, last_id: Option<RecordId>) -> Self {
        Writer {
            shared,
            log,
            last_id,
            trainer: Trainer::default(),
            sweep_us: 0,
        }
    }

    /// Works until the queue is closed and empty, then records the end of the log.
    pub(crate) fn run(mut self, queue: &Queue<Command>, idle: Duration) {
        while let Some(commands) = queue.take(GROUP_BYTES, idle) {
            self.sweep();
            if commands.is_empty() {
                self.idle();
                continue;
            }
            let mut group = Group::default();
            for command in commands {
                group = self.handle(command, group);
            }
            self.commit(group);
        }
        self.stop();
    }

    fn handle(&mut self, command: Command, group: Group) -> Group {
        match command {
            Command::Append(prepared, reply) => return self.append(prepared, reply, group),
            Command::Erase(job, reply) => {
                self.commit(group);
                answer(reply, self.erase(job));
            }
            Command::DropState(session, reply) => {
                self.commit(group);
                let dropped = self.shared.sessions.drop_one(&session);
                answer(
                    reply,
                    dropped.map_err(|e| super::error::failed("sessions", &e)),
                );
            }
            Command::End(chunk, reply) => {
                self.commit(group);
                answer(reply, self.end(chunk));
            }
            Command::Settle(reply) => {
                self.commit(group);
                answer(reply, Ok(()));
            }
        }
        Group::default()
    }

    /// The time of receipt of what comes next: that of the clock, unless it has stepped back.
    fn receipt_time(&self, last_id: Option<RecordId>) -> Timestamp {
        let now = self.shared.clock.now();
        let last_id = last_id.or(self.last_id);
        last_id.map_or(now, |last| now.max(last.time()))
    }

    fn append(&mut self, prepared: Prepared, reply: Reply<Receipt>, mut group: Group) -> Group {
        if let Some(why) = self.shared.broken() {
            answer(reply, Err(WriteError::Broken(why).to_store_error()));
            return group;
        }
        let now = self.receipt_time(group.last_id);
        let rows = prepared.rows.len() + prepared.states.len();
        let raw = prepared.rows.iter().map(|row| row.facts.raw_len).sum();
        if !self.log.fits(group.rows() + rows, group.raw + raw, now) {
            self.commit(std::mem::take(&mut group));
            let is_full = !self.log.fits(rows, raw, now);
            if is_full && self.shared.is_behind() {
                answer(reply, Err(super::error::behind()));
                return group;
            }
            if is_full && let Err(error) = self.log.roll(&self.shared, now) {
                self.note(&error);
                answer(reply, Err(error.to_store_error()));
                return group;
            }
        }
        match self.add(&mut group, prepared, now) {
            Ok(receipt) => group.replies.push((reply, receipt)),
            Err(error) => answer(reply, Err(error)),
        }
        group
    }

    /// Writes, syncs, publishes, answers.
    fn commit(&mut self, mut group: Group) {
        let replies = std::mem::take(&mut group.replies);
        let result = if group.frames.is_empty() {
            Ok(())
        } else {
            self.write(group)
        };
        for (reply, receipt) in replies {
            match &result {
                Ok(()) => answer(reply, Ok(receipt)),
                Err(error) => answer(reply, Err(error.to_store_error())),
            }
        }
    }

    fn write(&mut self, group: Group) -> Result<(), WriteError> {
        if let Some(why) = self.shared.broken() {
            return Err(WriteError::Broken(why));
        }
        let synced = match group.new_slots.is_empty() {
            true => Ok(()),
            false => self.shared.sessions.sync(),
        };
        let written = synced
            .map_err(|error| WriteError::Broken(format!("sessions.keys: {error}")))
            .and_then(|()| self.log.write_group(&group));
        match written {
            Ok(frames) => {
                self.publish(group, frames);
                if let Some(open) = &self.log.open {
                    let rows_max = self.log.limits.rows_max;
                    self.trainer.consider(&self.shared, open, rows_max);
                }
                Ok(())
            }
            Err(error) => {
                self.note(&error);
                // Their states were not written. A slot that cannot be wiped now is at the start.
                drop(self.shared.sessions.give_back(&group.new_slots));
                Err(error)
            }
        }
    }

    fn publish(&mut self, group: Group, frames: Vec<FrameRow>) {
        let mut replaced = Vec::new();
        for session in group.sessions {
            replaced.extend(self.shared.sessions.put(session));
        }
        if let Err(error) = self.shared.sessions.give_back(&replaced) {
            self.note(&WriteError::Broken(format!("sessions.keys: {error}")));
        }
        let Some((chunk, _)) = self.log.next_row() else {
            return;
        };
        self.shared.note_own(chunk, group.own);
        self.shared
            .publish(chunk, parts(group.parts, frames), group.newest);
        self.last_id = group.last_id.or(self.last_id);
    }

    /// Remembers an error after which nothing may be written.
    fn note(&mut self, error: &WriteError) {
        match error {
            WriteError::Full => tracing::warn!("no room left on the disk, writes are refused"),
            WriteError::Broken(why) => {
                if self.shared.broken().is_none() {
                    tracing::error!(error = %why, "a write failed, writes are refused");
                    self.shared.set_broken(why);
                    self.log.close_broken(&self.shared);
                }
            }
        }
    }

    /// Ends sessions whose time is over, once a second.
    fn sweep(&mut self) {
        let now_us = self.shared.clock.monotonic_us();
        if now_us < self.sweep_us {
            return;
        }
        self.sweep_us = now_us + SWEEP_US;
        let dropped = self.shared.sessions.drop_expired(self.shared.clock.now());
        if let Err(error) = dropped {
            self.note(&WriteError::Broken(format!("sessions.keys: {error}")));
        }
    }

    fn idle(&mut self) {
        if self.shared.broken().is_none()
            && let Err(error) = self.log.mark(self.shared.clock.now())
        {
            self.note(&error);
        }
    }

    fn end(&mut self, chunk: u64) -> Result<(), StoreError> {
        if let Some(why) = self.shared.broken() {
            return Err(WriteError::Broken(why).to_store_error());
        }
        if self.log.end().is_none_or(|(open, _)| open != chunk) {
            return Ok(());
        }
        let ended = self.log.close(&self.shared, self.shared.clock.now());
        ended.map_err(|error| {
            self.note(&error);
            error.to_store_error()
        })
    }

    fn stop(&mut self) {
        self.trainer.stop();
        if self.shared.broken().is_some() {
            return;
        }
        let now = self.shared.clock.now();
        if self.log.is_long()
            && let Err(error) = self.log.close(&self.shared, now)
        {
            self.note(&error);
        }
        let Some((chunk, end)) = self.log.end() else {
            return;
        };
        let mark = CleanStop { chunk, end };
        if let Err(error) = self.shared.catalog.set_clean_stop(Some(mark)) {
            tracing::warn!(%error, "the clean stop could not be recorded");
        }
    }

    /// The position behind everything that was or may have been written.
    fn next_position(&self) -> Position {
        match self.log.next_row() {
            Some((chunk, row)) if self.shared.broken().is_none() => position(chunk, row),
            _ => position(self.log.next_number(), 0),
        }
    }

    fn next_id(&self, last: Option<RecordId>, now: Timestamp) -> RecordId {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        match last {
            Some(last) if last.millis() >= millis => last.next(),
            _ => RecordId::from_parts(millis, self.shared.ids.random_u128()),
        }
    }
}

/// The parts with their frames, both in the order of rows.
fn parts(parts: Vec<NewPart>, frames: Vec<FrameRow>) -> Vec<Arc<Part>> {
    let mut frames = frames.into_iter().peekable();
    let with_frames = parts.into_iter().map(|part| {
        let end = part.base + part.index.rows();
        let mut held = Vec::new();
        while let Some(frame) = frames.next_if(|frame| frame.first_row < end) {
            held.push(frame);
        }
        Arc::new(Part {
            base: part.base,
            index: part.index,
            held: Some(held),
        })
    });
    with_frames.collect()
}

/// Answers; whoever asked may have gone.
pub(crate) fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>) {
    drop(reply.send(result));
}
