//! Filters that ask for what records hold, so that most of them find some records and not all.

mod lists;
mod literals;

use std::collections::BTreeMap;

pub use self::lists::LEADS;
use self::lists::{FIELDS, LEAVES, RARE};
use super::conditions::{Condition, conditions};
use super::{Choices, filter};
use crate::fields::{FieldRef, FieldType};
use crate::filter::{Filter, Literal, Test};
use crate::flatten::{Flat, Leaf, Scalar, Space};
use crate::ids::InstanceId;
use crate::json::Json;
use crate::record::Draft;
use crate::time::Timestamp;

/// A value of a record.
#[derive(Clone, Debug)]
struct Value {
    record: usize,
    field: FieldRef,
    /// The array element that it lies in, and the name of that array.
    element: Option<(u32, FieldRef)>,
    scalar: Scalar,
}

/// The values of a number of records.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// What each record is called.
    names: Vec<String>,
    values: Vec<Value>,
    /// Values that a condition of this kind can be made of.
    fitting: BTreeMap<Condition, Vec<usize>>,
    of_record: BTreeMap<usize, Vec<usize>>,
    of_element: BTreeMap<(usize, u32), Vec<usize>>,
    /// The element around an element.
    outer: BTreeMap<(usize, u32), u32>,
}

/// A record to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Stands for its id in filters.
    pub name: &'a str,
    /// When it is accepted.
    pub received: Timestamp,
    /// What it is.
    pub draft: &'a Draft,
}

impl Pool {
    /// The values of those of the records that the instance `default` has.
    pub fn of<'a>(records: impl Iterator<Item = Known<'a>>) -> Self {
        let mut pool = Pool::default();
        let home = InstanceId::default_instance();
        let mine = records.filter(|known| known.draft.instance == home);
        for (record, known) in mine.enumerate() {
            pool.names.push(known.name.to_owned());
            let mut flat = known.draft.flat();
            let received = Json::string(known.received.to_micros_text());
            flat.push_canonical("time.received", &received);
            pool.add(record, &flat);
        }
        pool
    }

    fn add(&mut self, record: usize, flat: &Flat) {
        for (number, element) in (0..).zip(flat.elements()).skip(1) {
            self.outer.insert((record, number), element.parent);
        }
        for leaf in flat.leaves() {
            if leaf.value == Scalar::Null {
                continue;
            }
            let element = flat
                .elements()
                .get(usize::try_from(leaf.element).unwrap_or(0));
            let array = element.map(|it| it.path.dotted()).unwrap_or_default();
            let (field, array) = match leaf.space {
                Space::Raw => (FieldRef::Raw(leaf.path.dotted()), FieldRef::Raw(array)),
                Space::Canonical => (
                    FieldRef::Canonical(leaf.path.dotted()),
                    FieldRef::Canonical(array),
                ),
            };
            self.add_value(record, field, leaf, array);
            let referring = flat.references().iter();
            for (name, _) in
                referring.filter(|(_, raw)| leaf.space == Space::Raw && **raw == leaf.path)
            {
                let group = name.rsplit_once('.').map_or("", |(group, _)| group);
                let array = FieldRef::canonical(group);
                self.add_value(record, FieldRef::canonical(name), leaf, array);
            }
        }
    }

    fn add_value(&mut self, record: usize, field: FieldRef, leaf: &Leaf, array: FieldRef) {
        let index = self.values.len();
        let value = Value {
            record,
            field,
            element: (leaf.element > 0).then_some((leaf.element, array)),
            scalar: leaf.value.clone(),
        };
        self.of_record.entry(record).or_default().push(index);
        if leaf.element > 0 {
            let key = (record, leaf.element);
            self.of_element.entry(key).or_default().push(index);
        }
        for kind in LEAVES.iter().filter(|kind| literals::fits(**kind, &value)) {
            self.fitting.entry(*kind).or_default().push(index);
        }
        let there = Filter::Test {
            field: value.field.clone(),
            test: Test::Exists,
        };
        for kind in conditions(&there)
            .iter()
            .filter(|kind| FIELDS.contains(kind))
        {
            self.fitting.entry(*kind).or_default().push(index);
        }
        if let Some((element, _)) = value.element {
            self.fitting
                .entry(Condition::Element)
                .or_default()
                .push(index);
            let outer = self.outer.get(&(record, element));
            if outer.is_some_and(|outer| *outer > 0) {
                let nested = self.fitting.entry(Condition::ElementNested);
                nested.or_default().push(index);
            }
        }
        self.values.push(value);
    }

    /// A value that a condition of this kind can be made of; any when there is none.
    fn pick(&self, choices: &mut Choices<'_>, kind: Condition) -> Option<&Value> {
        let all: Vec<usize>;
        let fitting = match self.fitting.get(&kind) {
            Some(fitting) => fitting,
            None => {
                all = (0..self.values.len()).collect();
                &all
            }
        };
        let index = fitting.get(choices.below_wide(fitting.len()))?;
        self.values.get(*index)
    }

    /// Another value of the same record, or of the same element of it.
    fn beside(&self, choices: &mut Choices<'_>, value: &Value) -> Option<&Value> {
        let mine = match &value.element {
            Some((element, _)) => self.of_element.get(&(value.record, *element)),
            None => self.of_record.get(&value.record),
        }?;
        self.values.get(*mine.get(choices.below_wide(mine.len()))?)
    }
}

/// A filter with something of this kind in it, over what the records of the pool hold.
pub fn question(choices: &mut Choices<'_>, pool: &Pool, lead: Condition) -> Filter {
    if pool.values.is_empty() {
        return filter(choices, 3);
    }
    let found = pool.pick(choices, lead);
    let Some(value) = found else {
        return Filter::All;
    };
    let first = led(choices, pool, lead, value);
    let also = |choices: &mut Choices<'_>| {
        let of_record = pool.of_record.get(&value.record);
        let same = of_record.and_then(|mine| mine.get(choices.below_wide(mine.len())));
        let other = same.and_then(|index| pool.values.get(*index));
        leaf(choices, other.unwrap_or(value))
    };
    match choices.below(10) {
        0 => Filter::And(vec![first, also(choices), another(choices, pool).negate()]),
        1 => Filter::And(vec![also(choices), also(choices), first]),
        2 => Filter::And(vec![first, another(choices, pool).negate()]),
        3 => Filter::Or(vec![first, another(choices, pool), another(choices, pool)]),
        4 => first.negate(),
        5 => Filter::Or(vec![
            Filter::And(vec![also(choices), first]),
            another(choices, pool),
        ]),
        6 => Filter::And(vec![
            first,
            Filter::Or(vec![also(choices), another(choices, pool)]),
        ]),
        7 => Filter::Or(vec![filter(choices, 2), first]),
        _ => first,
    }
}

fn another(choices: &mut Choices<'_>, pool: &Pool) -> Filter {
    let kind = choices.pick(RARE);
    match pool.pick(choices, kind) {
        Some(value) => led(choices, pool, kind, value),
        None => Filter::All,
    }
}

/// A condition of this kind that holds for the record of `value`, most of the time.
fn led(choices: &mut Choices<'_>, pool: &Pool, kind: Condition, value: &Value) -> Filter {
    match kind {
        Condition::Id => {
            let name = pool.names.get(value.record).cloned().unwrap_or_default();
            let literal = Literal {
                text: name,
                quoted: choices.once_in(2),
            };
            Filter::Test {
                field: FieldRef::canonical("id"),
                test: match choices.once_in(2) {
                    true => Test::Matches(literal),
                    false => Test::Equals(literal),
                },
            }
        }
        Condition::NotPhrase => {
            let kind = choices.pick(&[
                Condition::Phrase,
                Condition::Phrase,
                Condition::Symbol,
                Condition::Stem,
            ]);
            let phrase = pool.pick(choices, kind).unwrap_or(value);
            of_kind(choices, kind, phrase).negate()
        }
        Condition::Element | Condition::ElementNot | Condition::ElementNested => {
            let value = match value.element {
                Some(_) => value,
                None => pool.pick(choices, Condition::Element).unwrap_or(value),
            };
            element(choices, pool, kind, value)
        }
        kind if LEAVES.contains(&kind) && literals::fits(kind, value) => {
            of_kind(choices, kind, value)
        }
        _ => leaf(choices, value),
    }
}

/// The element of an array that holds `value`, with what else is in it.
fn element(choices: &mut Choices<'_>, pool: &Pool, kind: Condition, value: &Value) -> Filter {
    let Some((number, array)) = &value.element else {
        return leaf(choices, value);
    };
    let of_array = |other: &Value| {
        let theirs = other.element.as_ref().map(|(_, theirs)| theirs);
        theirs == Some(array)
    };
    let sibling = pool.beside(choices, value).filter(|it| of_array(it));
    let own = leaf(choices, value);
    let inner = match choices.below(4) {
        _ if kind == Condition::ElementNot => {
            let of_other = pool.pick(choices, Condition::Element);
            let of_other = of_other.filter(|it| of_array(it)).or(sibling);
            let not = leaf(choices, of_other.unwrap_or(value)).negate();
            match choices.below(3) {
                0 => not,
                1 => Filter::And(vec![own, not]),
                _ => Filter::Or(vec![not, own]),
            }
        }
        0 => own,
        1 => Filter::Or(vec![own, leaf(choices, sibling.unwrap_or(value))]),
        _ => Filter::And(vec![own, leaf(choices, sibling.unwrap_or(value))]),
    };
    let inner = Filter::Element {
        field: array.clone(),
        inner: Box::new(inner),
    };
    let outer = pool.outer.get(&(value.record, *number));
    let around = outer.and_then(|outer| pool.of_element.get(&(value.record, *outer)));
    let around = around.and_then(|mine| mine.get(choices.below_wide(mine.len())));
    let around = around.and_then(|index| pool.values.get(*index));
    let Some((around, (_, array))) = around.and_then(|it| Some((it, it.element.as_ref()?))) else {
        return inner;
    };
    if kind != Condition::ElementNested {
        return inner;
    }
    let inner = match choices.below(3) {
        0 => Filter::And(vec![leaf(choices, around), inner]),
        1 => Filter::And(vec![leaf(choices, around), inner.negate()]),
        _ => inner,
    };
    Filter::Element {
        field: array.clone(),
        inner: Box::new(inner),
    }
}

/// A condition of any kind that fits.
fn leaf(choices: &mut Choices<'_>, value: &Value) -> Filter {
    let fitting: Vec<Condition> = LEAVES
        .iter()
        .copied()
        .filter(|kind| literals::fits(*kind, value))
        .collect();
    let is_rare = |kind: &Condition| RARE.contains(kind);
    let rare: Vec<Condition> = fitting.iter().copied().filter(is_rare).collect();
    let kind = match rare.is_empty() || choices.once_in(4) {
        true => choices.pick(&fitting),
        false => choices.pick(&rare),
    };
    of_kind(choices, kind, value)
}

fn of_kind(choices: &mut Choices<'_>, kind: Condition, value: &Value) -> Filter {
    let test = literals::test(choices, kind, value);
    let field = match (&value.field, kind) {
        (FieldRef::Raw(path), Condition::Exists)
            if value.element.is_none() && choices.once_in(4) =>
        {
            let above = path
                .rsplit_once('.')
                .map_or(path.as_str(), |(above, _)| above);
            FieldRef::Raw(above.to_owned())
        }
        (field, _) => field.clone(),
    };
    Filter::Test { field, test }
}

/// Whether words count in a field.
fn is_text(field: &FieldRef) -> bool {
    field.kind() == FieldType::Text
}
