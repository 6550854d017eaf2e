//! A walk over items: the one way in which lists, exports and subscriptions read the log.

use convlog_dialects::chatbotkit::cursor::{self, Cursor, Seen};
use convlog_dialects::chatbotkit::encode::Shape;
use convlog_dialects::chatbotkit::filter::EventFilter;
use convlog_dialects::chatbotkit::item::{Item, Place};
use convlog_dialects::chatbotkit::params::Order;
use convlog_dialects::chatbotkit::project;
use convlog_model::filter::{Bound, CompareOp, Filter, Test};
use convlog_model::ids::{Position, RecordId};
use convlog_model::query::{Sort, SortKey};
use convlog_model::record::Record;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::{events, own_filter};

/// Where a reader goes on, and what is gone in between.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Behind this place, or before it when the walk goes back.
    pub(super) place: Place,
    /// What the reader named is no longer there: events in between may be gone as well.
    pub(super) is_gap: bool,
}

/// Some items, in order.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) items: Vec<Item>,
    /// Whether there is nothing more: for good, or up to now when the walk has no end.
    pub(super) is_done: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    app: App,
    caller: Caller,
    shape: Shape,
    filter: EventFilter,
    records: Filter,
    order: Order,
    /// Everything up to here (or from here on, going back) has been seen.
    at: Place,
    /// Where a walk in commit order ends; `None` for one that waits for more.
    upto: Option<Position>,
}

impl Walk {
    /// A walk of a caller, who sees entries of the audit only as an administrator.
    pub(super) fn new(
        (app, caller): (&App, &Caller),
        shape: Shape,
        filter: EventFilter,
        order: Order,
        from: Option<Place>,
    ) -> Self {
        let records = filter.records();
        let records = match own_filter::may_see_audit(caller) {
            true => records,
            false => records.and(events::is_audit().negate()),
        };
        let begin = match order {
            Order::Asc => Place::START,
            Order::Desc => Place::END,
        };
        Walk {
            app: app.clone(),
            caller: caller.clone(),
            shape,
            filter,
            records,
            order,
            at: from.unwrap_or(begin),
            upto: None,
        }
    }

    /// Ends the walk at what is there now, or begins it there when it goes back.
    pub(super) fn freeze(&mut self) {
        let newest = self.app.store().newest();
        match self.order {
            Order::Asc => self.upto = self.upto.or(Some(newest)),
            Order::Desc => self.at = self.at.min(Place::behind(newest)),
        }
    }

    /// The order in which it finds items.
    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// What its items are shown as.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Where it has come to.
    pub(super) fn at(&self) -> Place {
        self.at
    }

    /// Goes on from elsewhere.
    pub(super) fn rewind(&mut self, at: Place) {
        self.at = at;
    }

    /// The cursor behind what has been seen.
    pub(super) fn cursor(&self, is_item: bool) -> Cursor {
        Cursor {
            place: self.at,
            is_item,
            timeline: self.app.store().timeline(),
        }
    }

    /// The next items, out of about `n` records.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub(super) async fn step(&mut self, n: usize) -> Result<Step, Fault> {
        match self.order {
            Order::Asc => self.forward(n).await,
            Order::Desc => self.back(n).await,
        }
    }

    async fn forward(&mut self, n: usize) -> Result<Step, Fault> {
        let newest = self.app.store().newest();
        let end = self.upto.unwrap_or(newest);
        if self.at >= Place::behind(end) {
            return Ok(Step {
                items: Vec::new(),
                is_done: true,
            });
        }
        // Of the record that was seen last, items may be left.
        let after = match self.at.ordinal {
            u8::MAX => self.at.position,
            _ => Position(self.at.position.0.saturating_sub(1)),
        };
        let query = self.app.query();
        let filter = self.records.clone();
        let found = query
            .scan(&self.caller, filter, after, self.upto, n)
            .await?;
        let items = found.records.iter().flat_map(|record| self.items(record));
        let items: Vec<Item> = items.filter(|item| item.place > self.at).collect();
        self.at = Place::behind(found.reached);
        Ok(Step {
            items,
            is_done: found.done,
        })
    }

    async fn back(&mut self, n: usize) -> Result<Step, Fault> {
        let before = match self.at.ordinal {
            0 => self.at.position,
            _ => Position(self.at.position.0.saturating_add(1)),
        };
        let query = self.app.query();
        let found = query.scan_back(&self.caller, self.records.clone(), before, n);
        let (records, is_done) = found.await?;
        let items = records.iter().flat_map(|record| {
            let mut items = self.items(record);
            items.reverse();
            items
        });
        let items: Vec<Item> = items.filter(|item| item.place < self.at).collect();
        self.at = match (records.last(), is_done) {
            (_, true) | (None, _) => Place::START,
            (Some(last), false) => Place::first(last.position),
        };
        Ok(Step { items, is_done })
    }

    fn items(&self, record: &Record) -> Vec<Item> {
        let mut items = project::items(record);
        items.retain(|item| self.filter.passes(item));
        items
    }
}

/// Where a reader that sends this `cursor` goes on.
///
/// # Errors
/// 400 for a cursor that we did not give, and for the id of no event.
pub(super) async fn enter(app: &App, caller: &Caller, text: &str) -> Result<Entry, Fault> {
    let seen = cursor::parse(text).map_err(|bad| Fault::bad_at("cursor", bad.to_string()))?;
    match seen {
        Seen::Cursor(cursor) => enter_at(app, caller, cursor).await,
        Seen::Record(id, ordinal) => {
            let id_text = id.to_string();
            let wanted = Filter::equals("id", &id_text).and(Filter::Or(vec![
                Filter::equals("kind", "turn"),
                Filter::equals("dialect", "chatbotkit").negate(),
                Filter::equals("dialect", "chatbotkit").and(Filter::exists("own_id").negate()),
            ]));
            match find(app, caller, wanted).await? {
                Some(position) => Ok(entry(Place { position, ordinal }, false)),
                None => match find(app, caller, shown_as(text)).await? {
                    Some(position) => Ok(entry(Place::first(position), false)),
                    None => purged(app, caller, id).await,
                },
            }
        }
        Seen::Own(id) => match find(app, caller, shown_as(&id)).await? {
            Some(position) => Ok(entry(Place::first(position), false)),
            None => Err(Fault::bad_at(
                "cursor",
                "is neither a cursor nor the id of an event",
            )),
        },
    }
}

async fn enter_at(app: &App, caller: &Caller, cursor: Cursor) -> Result<Entry, Fault> {
    let place = cursor.place;
    if cursor.timeline != app.store().timeline() {
        // Positions before a restore are still in order with those behind it.
        return Ok(entry(place, true));
    }
    if place.position > app.store().newest() && place != Place::END {
        return Err(Fault::bad_at("cursor", "is not a cursor"));
    }
    if !cursor.is_item {
        return Ok(entry(place, false));
    }
    let whole = Caller::system(caller.instance.clone());
    let before = Position(place.position.0.saturating_sub(1));
    let upto = Some(place.position);
    let found = app
        .query()
        .scan(&whole, Filter::All, before, upto, 1)
        .await?;
    Ok(entry(place, found.records.is_empty()))
}

/// The entry at the id of a record that is gone: ids increase with positions.
async fn purged(app: &App, caller: &Caller, id: RecordId) -> Result<Entry, Fault> {
    let whole = Caller::system(caller.instance.clone());
    let not_before = Test::Compare {
        op: CompareOp::Ge,
        bound: Bound::at(id.time()),
    };
    let not_before = Filter::test("time.received", not_before);
    let sort = Sort {
        key: SortKey::Position,
        descending: false,
    };
    let mut cursor = None;
    loop {
        let query = app.query();
        let page = query.page(&whole, not_before.clone(), sort, 1000, cursor);
        let page = page.await?;
        if let Some(next) = page.records.iter().find(|record| record.id > id) {
            return Ok(entry(Place::first(next.position).just_before(), true));
        }
        if page.records.is_empty() {
            return Ok(entry(Place::behind(app.store().newest()), true));
        }
        cursor = page.next;
    }
}

fn entry(place: Place, is_gap: bool) -> Entry {
    Entry { place, is_gap }
}

/// A foreign event is shown by its own id.
fn shown_as(id: &str) -> Filter {
    let filter = Filter::equals("own_id", id);
    let filter = filter.and(Filter::equals("dialect", "chatbotkit"));
    filter.and(Filter::equals("kind", "event"))
}

async fn find(app: &App, caller: &Caller, filter: Filter) -> Result<Option<Position>, Fault> {
    let found = app.query().first(caller, filter).await?;
    Ok(found.map(|record| record.position))
}
