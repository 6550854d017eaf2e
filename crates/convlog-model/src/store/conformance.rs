//! The conformance suite: one case for each sentence of the contracts, named as the sentence.
//!
//! An engine's test says how to make an empty engine and runs [`CASES`], each on a new one. The
//! cases need no particular executor, and call `settle` where an engine is eventual.

mod append;
mod blobs;
mod control;
mod erase;
mod expire;
mod figures;
mod read;
mod session;
mod walk;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use super::{Batch, Outcome, Receipt, Store, Stored};
use crate::blobs::Blobs;
use crate::control::ControlPlane;
use crate::filter::Filter;
use crate::ids::{InstanceId, RecordId};
use crate::json::Json;
use crate::query::{Query, Scan, Sort, SortKey};
use crate::record::{Draft, Record};
use crate::testkit::{self, TestClock};
use crate::time::Timestamp;

/// A future of a case.
pub type CaseFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An empty engine, and the clock that it was made with.
#[derive(Debug)]
pub struct Rig {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<TestClock>,
    /// Lives as long as the engine, for instance its directory.
    _keep: Option<Box<dyn KeepAlive>>,
}

/// What must live as long as an engine.
pub trait KeepAlive: Any + Debug + Send + Sync {}

impl<T: Any + Debug + Send + Sync> KeepAlive for T {}

/// One sentence of [`Store`].
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The sentence.
    pub name: &'static str,
    /// Panics when the engine does not keep it.
    pub run: fn(Rig) -> CaseFuture,
}

/// One sentence of [`ControlPlane`].
#[derive(Clone, Copy, Debug)]
pub struct ControlCase {
    /// The sentence.
    pub name: &'static str,
    /// Panics when the control plane does not keep it.
    pub run: fn(Arc<dyn ControlPlane>) -> CaseFuture,
}

/// One sentence of [`Blobs`].
#[derive(Clone, Copy, Debug)]
pub struct BlobCase {
    /// The sentence.
    pub name: &'static str,
    /// Panics when what keeps the blobs does not keep it.
    pub run: fn(Arc<dyn Blobs>) -> CaseFuture,
}

macro_rules! cases {
    ($kind:ident: $($module:ident::$name:ident,)*) => {
        &[$($kind {
            name: stringify!($name),
            run: |engine| Box::pin($module::$name(engine)),
        },)*]
    };
}

/// Every sentence of [`Store`].
pub const CASES: &[Case] = cases! { Case:
    append::positions_are_a_total_order_of_commit,
    append::ids_increase_with_positions_also_when_the_clock_steps_back,
    append::times_of_receipt_never_decrease_along_positions,
    append::a_record_is_immutable,
    append::a_batch_is_visible_when_append_returns,
    append::all_stored_records_and_states_of_one_append_are_there_together_or_not_at_all,
    append::there_is_one_outcome_a_record_in_order,
    append::a_record_whose_own_id_is_stored_is_a_duplicate_of_the_first,
    append::own_ids_are_apart_by_instance_and_dialect,
    append::the_same_own_id_with_another_body_is_a_conflict_and_the_first_is_kept,
    append::the_same_own_id_twice_in_one_batch_counts_as_sent_one_after_the_other,
    append::bodies_are_compared_as_json_values_whose_members_may_come_in_any_order,
    append::a_record_of_an_erased_customer_not_later_than_the_erasure_is_refused_as_erased,
    append::a_record_with_an_own_id_that_a_filter_erased_is_refused_like_one_of_an_erased_customer,
    append::a_batch_beyond_the_limits_is_invalid_and_nothing_is_stored,
    read::no_method_shows_records_of_another_instance_than_the_one_asked_for,
    read::sees_every_batch_whose_append_returned_before_the_call,
    read::the_order_is_total_and_missing_values_come_last_both_ways,
    read::the_match_set_is_frozen,
    read::pages_that_follow_each_other_show_every_match_once,
    read::a_next_page_is_promised_only_if_a_further_record_exists,
    read::a_limit_out_of_range_is_invalid,
    figures::count_is_the_number_of_matching_records,
    figures::aggregate_groups_and_measures_matching_records,
    figures::too_many_groups_are_invalid_and_name_the_field,
    walk::a_walk_shows_every_record_that_existed_at_its_first_step_and_still_exists_once,
    walk::a_walk_is_in_commit_order_and_ends_at_its_bounds,
    walk::a_walk_with_a_limit_out_of_range_is_invalid,
    walk::watch_waits_until_something_is_visible_behind,
    figures::stats_tell_what_is_held_for_an_instance,
    figures::the_newest_position_is_that_of_the_last_record,
    erase::on_return_no_read_shows_the_records,
    erase::on_return_no_cursor_under_way_shows_the_records,
    erase::a_filter_selects_what_matches_at_the_moment_of_the_request,
    erase::records_appended_later_stay,
    erase::the_same_id_again_changes_nothing_and_answers_the_same_erasure,
    erase::dialogue_sessions_of_the_customer_are_gone,
    erase::an_erasure_keeps_to_its_instance,
    erase::erasures_are_listed_oldest_first,
    erase::settle_ends_every_erasure_requested_before,
    expire::no_method_shows_or_counts_erased_and_expired_records,
    expire::on_return_no_read_shows_a_record_that_has_expired,
    expire::a_record_that_expires_later_is_hidden_from_that_moment_on,
    expire::the_most_special_rule_wins,
    expire::a_purge_counts_the_records_of_an_instance_that_a_pass_of_retention_took_away,
    expire::a_purge_is_listed_until_it_is_forgotten,
    expire::nothing_is_a_purge_that_an_erasure_took_away,
    session::a_state_is_there_until_it_is_dropped,
    session::a_state_is_there_until_it_is_replaced,
    session::a_state_is_there_until_it_has_expired,
    session::states_are_apart_by_instance,
    session::a_state_may_come_without_a_record,
};

/// Every sentence of [`ControlPlane`].
pub const CONTROL_CASES: &[ControlCase] = cases! { ControlCase:
    control::a_document_is_what_was_put_last,
    control::absent_expects_that_there_is_none,
    control::a_version_expects_exactly_that_one,
    control::versions_grow_and_are_never_used_twice_for_one_id,
    control::a_delete_expects_the_version,
    control::a_list_is_in_order_of_id_behind_after_and_within_prefix,
    control::collections_are_apart,
    control::a_body_beyond_the_limit_is_invalid,
};

/// Every sentence of [`Blobs`].
pub const BLOB_CASES: &[BlobCase] = cases! { BlobCase:
    blobs::a_blob_is_what_was_put,
    blobs::an_id_is_put_once,
    blobs::a_removed_blob_is_gone,
    blobs::a_list_shows_ids_and_lengths_in_order_of_id_behind_after,
    blobs::a_blob_beyond_the_limit_is_invalid_and_nothing_is_kept,
};

/// Runs all cases of [`Store`], each on an engine that `make` makes.
///
/// # Panics
/// When the engine breaks the contract.
pub async fn run_all(make: impl Fn() -> Rig) {
    for case in CASES {
        (case.run)(make()).await;
    }
}

/// Runs all cases of [`ControlPlane`], each on one that `make` makes.
///
/// # Panics
/// When it breaks the contract.
pub async fn run_all_control(make: impl Fn() -> Arc<dyn ControlPlane>) {
    for case in CONTROL_CASES {
        (case.run)(make()).await;
    }
}

/// Runs all cases of [`Blobs`], each on what `make` makes.
///
/// # Panics
/// When it breaks the contract.
pub async fn run_all_blobs(make: impl Fn() -> Arc<dyn Blobs>) {
    for case in BLOB_CASES {
        (case.run)(make()).await;
    }
}

impl Rig {
    /// An empty engine that reads the time from `clock`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<TestClock>) -> Self {
        Rig {
            store,
            clock,
            _keep: None,
        }
    }

    /// The same; `keep` is dropped after the engine.
    #[must_use]
    pub fn keeping(mut self, keep: impl KeepAlive) -> Self {
        self._keep = Some(Box::new(keep));
        self
    }

    pub(super) fn now(&self) -> Timestamp {
        use crate::clock::Clock;
        self.clock.now()
    }

    pub(super) async fn append_batch(&self, batch: Batch) -> Receipt {
        let n_records = batch.records.len();
        let receipt = ok(self.store.append(batch).await);
        assert_eq!(receipt.outcomes.len(), n_records, "one outcome a record");
        if self.store.capability().eventual {
            ok(self.store.settle().await);
        }
        receipt
    }

    async fn append(&self, records: Vec<Draft>) -> Vec<Outcome> {
        let states = Vec::new();
        self.append_batch(Batch { records, states }).await.outcomes
    }

    /// Appends what must be stored.
    async fn store(&self, records: Vec<Draft>) -> Vec<Stored> {
        let outcomes = self.append(records).await;
        outcomes.iter().map(stored).collect()
    }

    async fn store_one(&self, draft: Draft) -> Stored {
        self.store(vec![draft]).await.remove(0)
    }

    /// All matching records in commit order.
    async fn find(&self, filter: Filter) -> Vec<Arc<Record>> {
        let mut query = Query::new(home(), filter);
        query.limit = 1_000;
        query.sort = Sort {
            key: SortKey::Position,
            descending: false,
        };
        ok(self.store.search(&query).await).records
    }

    async fn count(&self, filter: &Filter) -> u64 {
        ok(self.store.count(&home(), filter).await)
    }

    /// Names of everything that is left, in commit order: through `search`, and the same through
    /// the other methods.
    async fn left(&self) -> Vec<String> {
        let found = names(&self.find(Filter::All).await);
        let n_found = u64::try_from(found.len()).unwrap_or(u64::MAX);
        assert_eq!(self.count(&Filter::All).await, n_found, "count");
        let stats = ok(self.store.stats(&home()).await);
        assert_eq!(stats.records, n_found, "stats");
        assert_eq!(names(&self.walk(3).await), found, "scan");
        found
    }

    /// Everything of the instance, by steps of `limit` records.
    async fn walk(&self, limit: usize) -> Vec<Arc<Record>> {
        let mut scan = Scan {
            instance: home(),
            filter: Filter::All,
            after: crate::ids::Position::START,
            upto: None,
            limit,
        };
        let mut records = Vec::new();
        loop {
            let step = ok(self.store.scan(&scan).await);
            assert!(step.records.len() <= limit, "at most so many records");
            records.extend(step.records);
            if step.done {
                assert_eq!(step.reached, step.upto, "done is at the end");
                return records;
            }
            assert!(step.reached > scan.after, "each step gets on");
            scan.after = step.reached;
            scan.upto = Some(step.upto);
        }
    }
}

#[track_caller]
pub(super) fn ok<T, E: Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}

#[track_caller]
fn failed<T: Debug, E>(result: Result<T, E>) -> E {
    match result {
        Ok(value) => panic!("should have failed: {value:?}"),
        Err(error) => error,
    }
}

#[track_caller]
fn stored(outcome: &Outcome) -> Stored {
    match outcome {
        Outcome::Stored(stored) => *stored,
        other => panic!("{other:?}"),
    }
}

/// The instance that cases use unless they need two.
fn home() -> InstanceId {
    InstanceId::default_instance()
}

fn other() -> InstanceId {
    testkit::instance("other")
}

/// A small turn whose body names it.
fn turn(name: &str) -> Draft {
    let mut draft = testkit::draft(&Json::object([("name", Json::string(name))]).to_string());
    draft.set_text("bot", "b");
    draft
}

fn turn_of(name: &str, customer: &str) -> Draft {
    let mut draft = turn(name);
    draft.set_text("customer", customer);
    draft
}

fn turn_at(name: &str, requested: Timestamp) -> Draft {
    let mut draft = turn(name);
    draft.set_text("time.request", &requested.to_micros_text());
    draft
}

fn owned(mut draft: Draft, own_id: &str) -> Draft {
    draft.own_id = Some(own_id.to_owned());
    draft
}

fn name(record: &Record) -> String {
    let body = ok(Json::parse(record.draft.raw.as_bytes()));
    let name = body.get("name").and_then(Json::as_str);
    name.unwrap_or_default().to_owned()
}

fn names(records: &[Arc<Record>]) -> Vec<String> {
    records.iter().map(|record| name(record)).collect()
}

fn erasure_id(n: u64) -> RecordId {
    RecordId::from_parts(n, 0)
}

/// Polls once: the answer, or `None` when the future waits.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
