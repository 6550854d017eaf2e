//! The only door for reading: adds the instance and the key's scope, caps page and time.

use std::future::Future;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use convlog_model::aggregate::{Aggregate, GroupBy, Metric, Table};
use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::ids::{Position, RecordId, Timeline};
use convlog_model::json::Json;
use convlog_model::query::{After, PAGE_MAX, Page, Query, Scan, Scanned, Sort, SortKey};
use convlog_model::record::Record;
use convlog_model::store::StoreError;
use convlog_model::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;

/// Where a list goes on; stateless, and worth nothing for another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorState {
    /// The last record shown.
    pub after: After,
    /// Where the match set is frozen; `None` when it takes in new arrivals.
    pub upto: Option<Position>,
    /// The history that the positions belong to.
    pub timeline: Timeline,
    /// What was asked, as a hash.
    pub question: u64,
}

/// A page for a caller.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The records, in order.
    pub records: Vec<Arc<Record>>,
    /// Where the next page begins. `None` on the last; always present in commit order, where the
    /// next page takes in new arrivals.
    pub next: Option<CursorState>,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct QueryDoor<'a> {
    app: &'a App,
}

impl<'a> QueryDoor<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        QueryDoor { app }
    }

    /// One page. `limit` is cut to the configured maximum.
    ///
    /// # Errors
    /// 400 for a limit of 0 and for a cursor of another question or history; 503 when it takes
    /// too long.
    pub async fn page(
        self,
        caller: &Caller,
        filter: Filter,
        sort: Sort,
        limit: usize,
        cursor: Option<CursorState>,
    ) -> Result<Listed, Fault> {
        let filter = filter.and(caller.scope_filter());
        let question = question_hash(caller, &filter, sort);
        let timeline = self.app.store().timeline();
        if let Some(cursor) = &cursor {
            check_cursor(cursor, timeline, question)?;
        }
        if limit == 0 {
            return Err(Fault::bad_at("limit", "must be at least 1"));
        }
        let is_endless = sort.key == SortKey::Position && !sort.descending;
        let query = Query {
            instance: caller.instance.clone(),
            filter,
            sort,
            limit: limit.min(self.page_max()),
            after: cursor.as_ref().map(|cursor| cursor.after),
            upto: cursor.as_ref().and_then(|cursor| cursor.upto),
        };
        let page = self.bounded(self.app.store().search(&query)).await?;
        let last = page.records.last().map(|record| After {
            value: None,
            id: record.id,
            position: record.position,
        });
        let after = match is_endless {
            true => Some(last.or(query.after).unwrap_or(BEFORE_ALL)),
            false => page.next,
        };
        let next = after.map(|after| CursorState {
            after,
            upto: (!is_endless).then_some(page.upto),
            timeline,
            question,
        });
        Ok(Listed {
            records: page.records,
            next,
        })
    }

    /// The record of that id, whatever its dialect; also under the id that its dialect shows.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn get(self, caller: &Caller, id: RecordId) -> Result<Option<Arc<Record>>, Fault> {
        let filter = Filter::equals("id", &id.to_string());
        self.first(caller, filter).await
    }

    /// The newest record that matches.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn first(
        self,
        caller: &Caller,
        filter: Filter,
    ) -> Result<Option<Arc<Record>>, Fault> {
        let filter = filter.and(caller.scope_filter());
        let mut query = Query::new(caller.instance.clone(), filter);
        query.limit = 1;
        let page = self.bounded(self.app.store().search(&query)).await?;
        Ok(page.records.into_iter().next())
    }

    /// Number of matching records.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn count(self, caller: &Caller, filter: Filter) -> Result<u64, Fault> {
        let filter = filter.and(caller.scope_filter());
        let counted = self.app.store().count(&caller.instance, &filter);
        self.bounded(counted).await
    }

    /// One step of a walk in commit order, behind `after`, up to `upto` (`None`: the newest).
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn scan(
        self,
        caller: &Caller,
        filter: Filter,
        after: Position,
        upto: Option<Position>,
        limit: usize,
    ) -> Result<Scanned, Fault> {
        let scan = Scan {
            instance: caller.instance.clone(),
            filter: filter.and(caller.scope_filter()),
            after,
            upto,
            limit: limit.clamp(1, PAGE_MAX),
        };
        self.bounded(self.app.store().scan(&scan)).await
    }

    /// One step of a walk against commit order: the last matching records before a position, latest
    /// first, and whether there are none before them.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn scan_back(
        self,
        caller: &Caller,
        filter: Filter,
        before: Position,
        limit: usize,
    ) -> Result<(Vec<Arc<Record>>, bool), Fault> {
        let upto = Position(before.0.saturating_sub(1));
        let query = Query {
            instance: caller.instance.clone(),
            filter: filter.and(caller.scope_filter()),
            sort: Sort {
                key: SortKey::Position,
                descending: true,
            },
            limit: limit.clamp(1, PAGE_MAX),
            after: None,
            upto: Some(upto.min(self.app.store().newest())),
        };
        let page = self.bounded(self.app.store().search(&query)).await?;
        Ok((page.records, page.next.is_none()))
    }

    /// One step of a walk in any order: what comes behind `after`, among what was there at `upto`
    /// (`None`: now).
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub(crate) async fn ordered(
        self,
        caller: &Caller,
        filter: Filter,
        sort: Sort,
        (after, upto): (Option<After>, Option<Position>),
        limit: usize,
    ) -> Result<Page, Fault> {
        let query = Query {
            instance: caller.instance.clone(),
            filter: filter.and(caller.scope_filter()),
            sort,
            limit: limit.clamp(1, PAGE_MAX),
            after,
            upto,
        };
        self.bounded(self.app.store().search(&query)).await
    }

    /// Groups and metrics.
    ///
    /// # Errors
    /// 400 for too many groups, 503 when it takes too long.
    pub async fn aggregate(
        self,
        caller: &Caller,
        filter: Filter,
        by: Vec<GroupBy>,
        metrics: Vec<Metric>,
    ) -> Result<Table, Fault> {
        let request = Aggregate {
            instance: caller.instance.clone(),
            filter: filter.and(caller.scope_filter()),
            by,
            metrics,
        };
        self.bounded(self.app.store().aggregate(&request)).await
    }

    /// The values of a field among matching records, the most frequent first; at most `n_max`.
    ///
    /// # Errors
    /// As [`QueryDoor::aggregate`].
    pub async fn values(
        self,
        caller: &Caller,
        filter: Filter,
        field: &str,
        n_max: usize,
    ) -> Result<Vec<String>, Fault> {
        let by = GroupBy::Terms {
            field: FieldRef::canonical(field),
            limit: n_max,
        };
        let table = self.aggregate(caller, filter, vec![by], Vec::new()).await?;
        let keys = table.rows.iter().filter_map(|row| row.keys.first());
        Ok(keys
            .filter_map(Json::as_str)
            .map(ToOwned::to_owned)
            .collect())
    }

    /// Waits until something is visible behind `after`; it may belong to another instance.
    ///
    /// # Errors
    /// 503 when the engine stops.
    pub async fn watch(self, after: Position) -> Result<Position, Fault> {
        Ok(self.app.store().watch(after).await?)
    }

    fn page_max(self) -> usize {
        self.app.config().limits.page_max.clamp(1, PAGE_MAX)
    }

    async fn bounded<T>(
        self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Fault> {
        match tokio::time::timeout(self.app.config().limits.query_time, work).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Fault::Unavailable {
                message: "this takes too long: narrow the filter".to_owned(),
                retry_after_s: None,
            }),
        }
    }
}

/// Bytes that one step of a stream should bring.
const STEP_BYTES: usize = 1 << 20;

/// Records of the next step of a stream, after one of `n_records` brought `n_bytes`; at most
/// `n_max`.
#[must_use]
pub(crate) fn fitting_step(n_records: usize, n_bytes: usize, n_max: usize) -> usize {
    let fitting = n_records.saturating_mul(STEP_BYTES) / n_bytes.max(1);
    fitting.clamp(1, n_max)
}

const BEFORE_ALL: After = After {
    value: None,
    id: RecordId::from_bytes([0; 16]),
    position: Position::START,
};

fn check_cursor(cursor: &CursorState, timeline: Timeline, question: u64) -> Result<(), Fault> {
    if cursor.timeline != timeline {
        return Err(Fault::bad_at(
            "cursor",
            "belongs to data from before a restore: begin again",
        ));
    }
    match cursor.question == question {
        true => Ok(()),
        false => Err(Fault::bad_at("cursor", "belongs to another question")),
    }
}

fn question_hash(caller: &Caller, filter: &Filter, sort: Sort) -> u64 {
    let text = format!("{}\u{0}{sort:?}\u{0}{filter:?}", caller.instance);
    let digest = Sha256::digest(text.as_bytes());
    let head = digest.first_chunk::<8>().copied();
    u64::from_be_bytes(head.unwrap_or_default())
}

impl CursorState {
    /// The text that clients send back.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![1];
        bytes.extend(self.question.to_be_bytes());
        bytes.extend(self.timeline.0.to_be_bytes());
        bytes.extend(self.after.id.to_bytes());
        bytes.extend(self.after.position.0.to_be_bytes());
        bytes.push(u8::from(self.after.value.is_some()) | u8::from(self.upto.is_some()) << 1);
        if let Some(value) = self.after.value {
            bytes.extend(value.micros().to_be_bytes());
        }
        if let Some(upto) = self.upto {
            bytes.extend(upto.0.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The state of a text that [`CursorState::encode`] made.
    ///
    /// # Errors
    /// 400 at `cursor` for any other text.
    pub fn decode(text: &str) -> Result<Self, Fault> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        Self::from_bytes(&bytes).ok_or_else(|| Fault::bad_at("cursor", "is not a cursor"))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (question, rest) = rest.split_first_chunk::<8>()?;
        let (timeline, rest) = rest.split_first_chunk::<8>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (position, rest) = rest.split_first_chunk::<16>()?;
        let (flags, mut rest) = rest.split_first()?;
        let mut value = None;
        if flags & 1 != 0 {
            let (micros, tail) = rest.split_first_chunk::<8>()?;
            value = Some(Timestamp::from_micros(i64::from_be_bytes(*micros)));
            rest = tail;
        }
        let mut upto = None;
        if flags & 2 != 0 {
            let (position, tail) = rest.split_first_chunk::<16>()?;
            upto = Some(Position(u128::from_be_bytes(*position)));
            rest = tail;
        }
        let after = After {
            value,
            id: RecordId::from_bytes(*id),
            position: Position(u128::from_be_bytes(*position)),
        };
        let state = CursorState {
            after,
            upto,
            timeline: Timeline(u64::from_be_bytes(*timeline)),
            question: u64::from_be_bytes(*question),
        };
        (*version == 1 && *flags < 4 && rest.is_empty()).then_some(state)
    }
}

#[cfg(test)]
mod tests;
