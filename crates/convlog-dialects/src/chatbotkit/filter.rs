//! Which items a list shows: the conditions on one item, and the filter over records that finds
//! all records with such an item, and few others.

use convlog_model::fields::FieldRef;
use convlog_model::filter::eval::glob;
use convlog_model::filter::{Bound, CompareOp, Filter, Literal, Scope, Test};
use convlog_model::time::Timestamp;

use super::ids;
use super::item::Item;
use super::meta::MetaTest;
use super::project;

/// Conditions on an item; all of them hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// One of these; none is any type.
    pub types: Vec<TypePattern>,
    /// Each id is one of these values.
    pub ids: Vec<(&'static str, Vec<String>)>,
    /// Each passes.
    pub meta: Vec<MetaTest>,
    /// It happened at or after this moment.
    pub from: Option<Timestamp>,
    /// It happened before this moment.
    pub to: Option<Timestamp>,
    /// It is a metric.
    pub has_value: bool,
    /// It is an entry of the audit.
    pub has_action: bool,
    /// What it did as an entry of the audit, in upper case; an empty list is anything.
    pub actions: Vec<String>,
}

/// A type as a filter writes it: exact, or with `*` for any text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypePattern(Vec<String>);

impl TypePattern {
    /// The pattern of a text. The documentation's `conversation.message.create` is what the server
    /// calls `message.create`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = match text {
            "conversation.message.create" => "message.create",
            other => other,
        };
        TypePattern(text.split('*').map(str::to_owned).collect())
    }

    /// Whether a type fits, byte for byte.
    #[must_use]
    pub fn fits(&self, kind: &str) -> bool {
        glob(&self.0, kind)
    }

    fn test(&self) -> Test {
        match self.0.as_slice() {
            [exact] => Test::Equals(Literal::quoted(exact)),
            parts => Test::Glob {
                parts: parts.to_vec(),
                scope: Scope::Whole,
            },
        }
    }
}

impl EventFilter {
    /// Whether an item passes.
    #[must_use]
    pub fn passes(&self, item: &Item) -> bool {
        let one_of = |(name, values): &(&'static str, Vec<String>)| {
            item.id_of(name)
                .is_some_and(|id| values.iter().any(|value| value == id))
        };
        let created = Timestamp::from_millis(item.created_ms);
        (self.types.is_empty() || self.types.iter().any(|one| one.fits(&item.kind)))
            && self.ids.iter().all(one_of)
            && self.from.is_none_or(|from| created >= from)
            && self.to.is_none_or(|to| created < to)
            && (!self.has_value || item.value.is_some())
            && (!self.has_action || item.action.is_some())
            && (self.actions.is_empty()
                || item
                    .action
                    .as_ref()
                    .is_some_and(|action| self.actions.contains(&action.to_ascii_uppercase())))
            && self.meta.iter().all(|test| test.passes(&item.meta))
    }

    /// A filter that every record with an item that passes matches.
    #[must_use]
    pub fn records(&self) -> Filter {
        let events = Filter::equals("kind", "event").and(self.events());
        match self.turns() {
            Some(turns) => {
                let turns = Filter::equals("kind", "turn").and(turns);
                Filter::Or(vec![turns, events])
            }
            None => events,
        }
    }

    fn events(&self) -> Filter {
        let mut filter = Filter::All;
        if !self.types.is_empty() {
            let types = self.types.iter();
            filter = filter.and(Filter::Or(
                types
                    .map(|one| Filter::test("event.type", one.test()))
                    .collect(),
            ));
        }
        for (id, values) in &self.ids {
            let mut places = vec![any_of(&format!("event.refs.{id}"), values)];
            // Of an event in another form, which has no such reference.
            places.extend(ids::of_turn(id).map(|field| any_of(field, values)));
            filter = filter.and(Filter::Or(places));
        }
        if self.has_value {
            filter = filter.and(Filter::exists("event.value"));
        }
        for one in &self.meta {
            if let Some(path) = one.spelled()
                && one.text() != "null"
            {
                let equals = |field| Filter::Test {
                    field,
                    test: Test::Equals(Literal::bare(one.text())),
                };
                let mut places = vec![
                    FieldRef::Raw(format!("meta.{path}")),
                    FieldRef::canonical(&format!("event.meta.{path}")),
                ];
                // Every item shows its ids there, whether its record does or not.
                if let Some(id) = path.strip_prefix("relations.") {
                    places.push(FieldRef::canonical(&format!("event.refs.{id}")));
                }
                if let Some(field) = one.relation().and_then(ids::of_turn) {
                    places.push(FieldRef::canonical(field));
                }
                filter = filter.and(Filter::Or(places.into_iter().map(equals).collect()));
            }
        }
        if self.has_action || !self.actions.is_empty() {
            filter = filter.and(Filter::exists("event.action"));
        }
        filter.and(self.happened())
    }

    /// `None` when no turn shows an item that passes.
    fn turns(&self) -> Option<Filter> {
        let fits = |kind: &str| {
            let is_asked = self.types.is_empty() || self.types.iter().any(|one| one.fits(kind));
            is_asked && (!self.has_value || kind == project::RESPONSE_TIME)
        };
        let mut filter = match (
            fits(project::MESSAGE_CREATE) || fits(project::RESPONSE_TIME),
            fits(project::CONVERSATION_CREATE),
        ) {
            (true, _) => Filter::All,
            (false, true) => Filter::test("conversation_turn", Test::Equals(Literal::bare("1"))),
            (false, false) => return None,
        };
        if self.has_action || !self.actions.is_empty() {
            return None;
        }
        for (id, values) in &self.ids {
            filter = filter.and(any_of(ids::of_turn(id)?, values));
        }
        for one in &self.meta {
            if let Some(id) = one.relation() {
                filter = filter.and(any_of(ids::of_turn(id)?, &[one.text().to_owned()]));
            }
        }
        Some(filter.and(self.happened()))
    }

    /// `from` and `to` over the time that counts: the record's own, or else that of receipt.
    fn happened(&self) -> Filter {
        if self.from.is_none() && self.to.is_none() {
            return Filter::All;
        }
        let within = |field: &str| {
            let compare = |op, moment: Option<Timestamp>| match moment {
                Some(moment) => {
                    let bound = Bound::at(moment);
                    Filter::test(field, Test::Compare { op, bound })
                }
                None => Filter::All,
            };
            compare(CompareOp::Ge, self.from).and(compare(CompareOp::Lt, self.to.map(whole)))
        };
        let by_request = project::keeps_its_time();
        Filter::Or(vec![
            by_request.clone().and(within("time.request")),
            by_request.negate().and(within("time.received")),
        ])
    }
}

/// The moment, or the next whole millisecond: items tell milliseconds and records microseconds, so
/// that a record may come up to one later than its item says.
fn whole(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis(moment.plus_micros(999).millis())
}

fn any_of(field: &str, values: &[String]) -> Filter {
    Filter::Or(
        values
            .iter()
            .map(|value| Filter::equals(field, value))
            .collect(),
    )
}
