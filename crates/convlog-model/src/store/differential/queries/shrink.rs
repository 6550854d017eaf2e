//! Makes a failing case smaller: fewer records, a smaller filter, as long as it goes on failing.

use super::plan::{Plan, Step};
use super::{Asked, Case, Failure, Makes, Pair};
use crate::filter::Filter;
use crate::json::Json;
use crate::query::{Sort, SortKey};

/// Most attempts; each makes its engines anew.
const ATTEMPTS_MAX: usize = 2_000;

/// One way to make a case smaller.
#[derive(Clone, Debug)]
enum Change {
    /// Without so many records from this one on.
    Records(usize, usize),
    /// Without this erasure.
    Erasure(usize),
    Filter(Filter),
    /// In commit order, on one page.
    Plainly,
    /// This record without its n-th part.
    Part(usize, usize),
}

/// The smallest case found that fails, too.
pub(super) async fn shrink(makes: Makes<'_>, failure: Failure) -> Failure {
    let mut n_attempts = 0;
    let Some(mut failure) = replay(makes, &failure.case).await else {
        let difference = format!("{} (not seen again when repeated)", failure.difference);
        return Failure {
            difference,
            ..failure
        };
    };
    loop {
        let mut smaller = None;
        for change in changes(&failure.case) {
            if n_attempts == ATTEMPTS_MAX {
                return failure;
            }
            n_attempts += 1;
            smaller = replay(makes, &changed(&failure.case, &change)).await;
            if smaller.is_some() {
                break;
            }
        }
        match smaller {
            Some(smaller) => failure = smaller,
            None => return failure,
        }
    }
}

/// Does all that leads to a case and asks it alone; `None` when the answers agree.
pub(super) async fn replay(makes: Makes<'_>, case: &Case) -> Option<Failure> {
    let failed = |difference| {
        Some(Failure {
            case: case.clone(),
            difference,
        })
    };
    let mut pair = Pair::new(makes, case.walk.rows_max(&case.plan));
    for step in case.walk.steps().iter().take(case.step + 1) {
        if let Err(difference) = pair.take(&case.plan, *step).await {
            return failed(difference);
        }
    }
    let last = case.walk.steps().get(case.step);
    if !matches!(last, Some(Step::Ask(..))) {
        return None;
    }
    match pair.ask(&case.asked).await {
        Ok(_) => None,
        Err(difference) => failed(difference),
    }
}

/// Ways to make a case smaller, the boldest first.
fn changes(case: &Case) -> Vec<Change> {
    let mut changes = Vec::new();
    let n_records = n_records(&case.plan);
    let mut size = n_records.div_ceil(2);
    while size > 0 {
        let starts = (0..n_records).step_by(size);
        changes.extend(starts.map(|start| Change::Records(start, size)));
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    changes.extend((0..case.plan.erasures.len()).map(Change::Erasure));
    changes.extend(smaller(&case.asked.filter).into_iter().map(Change::Filter));
    if case.asked != plainly(case.asked.clone()) {
        changes.push(Change::Plainly);
    }
    // Parts of records are many: they are looked at when there are few records.
    if n_records <= 4 {
        let each = |record| (0..n_parts(&case.plan, record)).map(move |n| Change::Part(record, n));
        changes.extend((0..n_records).flat_map(each));
    }
    changes
}

fn changed(case: &Case, change: &Change) -> Case {
    let mut case = case.clone();
    match change {
        Change::Records(start, n) => {
            let mut index = 0;
            for sent in case.plan.halves.iter_mut().flatten() {
                sent.records.retain(|_| {
                    index += 1;
                    !(*start < index && index <= start + n)
                });
            }
            for half in &mut case.plan.halves {
                half.retain(|sent| !sent.records.is_empty());
            }
        }
        Change::Erasure(index) => {
            case.plan.erasures.remove(*index);
        }
        Change::Filter(filter) => case.asked.filter = filter.clone(),
        Change::Plainly => case.asked = plainly(case.asked),
        Change::Part(record, part) => without_part(&mut case.plan, *record, *part),
    }
    case
}

fn plainly(asked: Asked) -> Asked {
    Asked {
        sort: Sort {
            key: SortKey::Position,
            descending: false,
        },
        limit: 100,
        ..asked
    }
}

/// Filters with one thing less.
fn smaller(filter: &Filter) -> Vec<Filter> {
    let mut found = Vec::new();
    match filter {
        Filter::All => return found,
        Filter::And(parts) | Filter::Or(parts) => {
            let again = |parts| match filter {
                Filter::And(_) => Filter::And(parts),
                _ => Filter::Or(parts),
            };
            found.extend(parts.iter().cloned());
            for (i, part) in parts.iter().enumerate() {
                let mut fewer = parts.clone();
                fewer.remove(i);
                found.push(again(fewer));
                for part in smaller(part) {
                    let mut simpler = parts.clone();
                    if let Some(place) = simpler.get_mut(i) {
                        *place = part;
                    }
                    found.push(again(simpler));
                }
            }
        }
        Filter::Not(inner) => {
            found.push(inner.as_ref().clone());
            found.extend(smaller(inner).into_iter().map(Filter::negate));
        }
        Filter::Element { field, inner } => {
            found.push(inner.as_ref().clone());
            let again = |inner| Filter::Element {
                field: field.clone(),
                inner: Box::new(inner),
            };
            found.extend(smaller(inner).into_iter().map(again));
        }
        Filter::Test { .. } => {}
    }
    found.push(Filter::All);
    found
}

fn n_records(plan: &Plan) -> usize {
    let all = plan.halves.iter().flatten();
    all.map(|sent| sent.records.len()).sum()
}

/// Members of the body, canonical fields, labels, the own id.
fn n_parts(plan: &Plan, record: usize) -> usize {
    let mut all = plan.halves.iter().flatten().flat_map(|it| &it.records);
    let Some((_, draft)) = all.nth(record) else {
        return 0;
    };
    let body = Json::of_body(&draft.raw);
    let n_members = body
        .as_ref()
        .and_then(Json::as_object)
        .map_or(0, <[_]>::len);
    let n_fields = draft.canonical.len() + draft.labels.len();
    n_members + n_fields + usize::from(draft.own_id.is_some())
}

fn without_part(plan: &mut Plan, record: usize, part: usize) {
    let all = plan.halves.iter_mut().flatten();
    let mut all = all.flat_map(|sent| &mut sent.records);
    let Some((_, draft)) = all.nth(record) else {
        return;
    };
    let mut part = part;
    if let Some(Json::Object(mut members)) = Json::of_body(&draft.raw) {
        if part < members.len() {
            members.remove(part);
            draft.raw = Json::Object(members).to_string().into();
            return;
        }
        part -= members.len();
    }
    let field = draft.canonical.keys().nth(part).cloned();
    if let Some(field) = field {
        draft.canonical.remove(&field);
        return;
    }
    part -= draft.canonical.len();
    let label = draft.labels.keys().nth(part).cloned();
    match label {
        Some(label) => drop(draft.labels.remove(&label)),
        None => draft.own_id = None,
    }
}
