//! A filter as sets of rows of one part: those that surely match, and those that possibly do and
//! must be looked at. `not` turns both over and swaps them.

pub(crate) mod each;
mod given;
mod value;
mod words;

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Filter, Test};
use convlog_model::flatten::{LeafPath, Space};
use convlog_model::store::StoreError;

use super::index::Index;
use super::index::build::path_bytes;
use super::index::dict::Found;
use super::index::postings::{Extent, row_of};
use super::index::source::Damaged;
use super::index::term::Kind;
use super::log::Chunk;
use super::rowset::RowSet;
use super::view::Part;
use crate::embedded::bytes::{to_u32, to_usize};

/// Why a filter could not be lowered.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The index must be made again.
    Damaged(Damaged),
    /// The log could not be read.
    Store(StoreError),
}

impl From<Damaged> for Trouble {
    fn from(damaged: Damaged) -> Self {
        Trouble::Damaged(damaged)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Store(error)
    }
}

/// The answer for one part: `sure` lies inside of `possible`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sets {
    pub(crate) sure: RowSet,
    pub(crate) possible: RowSet,
}

impl Sets {
    fn none(len: u32) -> Self {
        Sets {
            sure: RowSet::empty(len),
            possible: RowSet::empty(len),
        }
    }

    fn all(len: u32) -> Self {
        Sets {
            sure: RowSet::full(len),
            possible: RowSet::full(len),
        }
    }

    fn of_sure(rows: RowSet) -> Self {
        Sets {
            possible: rows.clone(),
            sure: rows,
        }
    }

    fn intersect(&mut self, other: &Sets) {
        self.sure.intersect(&other.sure);
        self.possible.intersect(&other.possible);
    }

    fn unite(&mut self, other: &Sets) {
        self.sure.unite(&other.sure);
        self.possible.unite(&other.possible);
    }

    fn complement(&mut self) {
        self.sure.complement();
        self.possible.complement();
        std::mem::swap(&mut self.sure, &mut self.possible);
    }
}

/// What a set counts: the rows, or the elements of some arrays.
#[derive(Clone, Copy)]
enum Domain<'a> {
    Rows(u32),
    /// Rising, none inside of another.
    Elements(&'a [Extent]),
}

impl Domain<'_> {
    fn len(&self) -> u32 {
        match self {
            Domain::Rows(rows) => *rows,
            Domain::Elements(extents) => to_u32(extents.len()),
        }
    }

    /// Where a posting counts.
    fn place(&self, posting: u32) -> Option<u32> {
        match self {
            Domain::Rows(_) => Some(row_of(posting)),
            Domain::Elements(extents) => {
                let begun = extents.partition_point(|extent| extent.first <= posting);
                let last = begun.checked_sub(1)?;
                (posting <= extents.get(last)?.last).then(|| to_u32(last))
            }
        }
    }
}

/// A path that a field means, in some rows or in all.
struct Target {
    path: u32,
    only: Option<RowSet>,
}

/// Lowers filters to the rows of one part.
pub(crate) struct Lower<'a> {
    part: &'a Part,
    chunk: &'a Chunk,
    index: &'a Index,
}

/// The rows of a part that surely and that possibly pass a filter.
pub(crate) fn lower(filter: &Filter, part: &Part, chunk: &Chunk) -> Result<Sets, Trouble> {
    let lower = Lower {
        part,
        chunk,
        index: &part.index,
    };
    let mut sets = lower.filter(filter, Domain::Rows(part.index.rows()))?;
    let unknown = lower.index.engine_rows(Kind::Overflow, &[])?;
    sets.sure.subtract(&unknown);
    sets.possible.unite(&unknown);
    Ok(sets)
}

impl Lower<'_> {
    fn filter(&self, filter: &Filter, domain: Domain<'_>) -> Result<Sets, Trouble> {
        match filter {
            Filter::All => Ok(Sets::all(domain.len())),
            Filter::And(parts) => {
                let mut sets = Sets::all(domain.len());
                for part in parts {
                    if sets.possible.is_empty() {
                        break;
                    }
                    sets.intersect(&self.filter(part, domain)?);
                }
                Ok(sets)
            }
            Filter::Or(parts) => {
                let mut sets = Sets::none(domain.len());
                for part in parts {
                    sets.unite(&self.filter(part, domain)?);
                }
                Ok(sets)
            }
            Filter::Not(inner) => {
                let mut sets = self.filter(inner, domain)?;
                sets.complement();
                Ok(sets)
            }
            Filter::Test { field, test } => self.test(field, test, domain),
            Filter::Element { field, inner } => self.element(field, inner, domain),
        }
    }

    fn test(&self, field: &FieldRef, test: &Test, domain: Domain<'_>) -> Result<Sets, Trouble> {
        match test {
            Test::Exists => Ok(Sets::of_sure(self.exists(field, domain)?)),
            Test::Equals(literal) | Test::Matches(literal) if literal.text.is_empty() => {
                let mut sets = Sets::of_sure(self.exists(field, domain)?);
                sets.complement();
                sets.unite(&self.values(field, test, domain)?);
                Ok(sets)
            }
            _ => self.values(field, test, domain),
        }
    }

    /// Where the field, or anything below it, has a value.
    fn exists(&self, field: &FieldRef, domain: Domain<'_>) -> Result<RowSet, Trouble> {
        let mut rows = RowSet::empty(domain.len());
        let mut targets = self.targets(field)?;
        match field {
            FieldRef::Raw(name) => {
                let below = self.index.below(Space::Raw, name)?;
                targets.extend(below.into_iter().map(everywhere));
            }
            FieldRef::Canonical(name) => {
                for path in self.index.below(Space::Canonical, name)? {
                    targets.extend(self.references(path)?);
                    targets.push(everywhere(path));
                }
                self.given_exists(name, domain, &mut rows)?;
            }
        }
        for target in targets {
            if let Some(found) = self.index.find(target.path, Kind::Present, &[])? {
                self.add(found, &target, domain, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// The paths that a field means.
    fn targets(&self, field: &FieldRef) -> Result<Vec<Target>, Damaged> {
        let name = match field {
            FieldRef::Raw(name) => {
                let spelled = self.index.spelled(Space::Raw, name)?;
                return Ok(spelled.into_iter().map(everywhere).collect());
            }
            FieldRef::Canonical(name) => name,
        };
        let mut targets = Vec::new();
        let mut others = RowSet::full(self.index.rows());
        let mut is_referred = false;
        if let Some(path) = self.index.path(1, &path_bytes(name))? {
            for target in self.references(path)? {
                is_referred = true;
                if let Some(only) = &target.only {
                    others.subtract(only);
                }
                targets.push(target);
            }
        }
        for path in self.index.spelled(Space::Canonical, name)? {
            targets.push(Target {
                path,
                only: is_referred.then(|| others.clone()),
            });
        }
        Ok(targets)
    }

    /// The raw paths that a canonical one refers to, each with its rows.
    fn references(&self, path: u32) -> Result<Vec<Target>, Damaged> {
        let mut found = Vec::new();
        self.index.each(path, Kind::Reference, &[], |raw, rows| {
            found.push((raw.to_vec(), rows));
            true
        })?;
        let mut targets = Vec::new();
        for (raw, rows) in found {
            let mut only = RowSet::empty(self.index.rows());
            self.index.rows_of(rows, &mut only)?;
            // A path that no row holds is still what the field means in these rows.
            let path = self.index.path(0, &raw)?.unwrap_or(u32::MAX);
            targets.push(Target {
                path,
                only: Some(only),
            });
        }
        Ok(targets)
    }

    /// Adds where a term of a target stands.
    fn add(
        &self,
        found: Found<'_>,
        target: &Target,
        domain: Domain<'_>,
        into: &mut RowSet,
    ) -> Result<(), Damaged> {
        match (domain, &target.only) {
            (Domain::Rows(_), None) => self.index.rows_of(found, into),
            (Domain::Rows(rows), Some(only)) => {
                let mut mine = RowSet::empty(rows);
                self.index.rows_of(found, &mut mine)?;
                mine.intersect(only);
                into.unite(&mine);
                Ok(())
            }
            (Domain::Elements(_), only) => self.index.postings(found, |posting| {
                if only
                    .as_ref()
                    .is_none_or(|only| only.contains(row_of(posting)))
                    && let Some(place) = domain.place(posting)
                {
                    into.insert(place);
                }
            }),
        }
    }

    /// Where some single element of an array passes.
    fn element(
        &self,
        field: &FieldRef,
        inner: &Filter,
        domain: Domain<'_>,
    ) -> Result<Sets, Trouble> {
        let mut sets = Sets::none(domain.len());
        for array in self.arrays(field)? {
            if array.path == u32::MAX {
                continue;
            }
            let mut extents = self.index.elements(array.path)?;
            if let Some(only) = &array.only {
                extents.retain(|extent| only.contains(row_of(extent.first)));
            }
            if let Domain::Elements(_) = domain {
                extents.retain(|extent| domain.place(extent.first).is_some());
            }
            let passing = self.filter(inner, Domain::Elements(&extents))?;
            for (from, into) in [
                (&passing.sure, &mut sets.sure),
                (&passing.possible, &mut sets.possible),
            ] {
                for place in from.iter() {
                    let extent = extents.get(to_usize(place.into()));
                    if let Some(outer) = extent.and_then(|extent| domain.place(extent.first)) {
                        into.insert(outer);
                    }
                }
            }
        }
        Ok(sets)
    }

    /// The arrays that a field means.
    fn arrays(&self, field: &FieldRef) -> Result<Vec<Target>, Damaged> {
        let name = match field {
            FieldRef::Raw(name) => {
                let spelled = self.index.spelled(Space::Raw, name)?;
                return Ok(spelled.into_iter().map(everywhere).collect());
            }
            FieldRef::Canonical(name) => name,
        };
        let spelled = self.index.spelled(Space::Canonical, name)?;
        let mut arrays: Vec<Target> = spelled.into_iter().map(everywhere).collect();
        let own = arrays.len();
        for path in self.index.below(Space::Canonical, name)? {
            let mut found = Vec::new();
            self.index.each(path, Kind::Reference, &[], |raw, rows| {
                found.push((LeafPath::from_bytes(raw), rows));
                true
            })?;
            for (raw, found) in found {
                let Some(raw) = raw else { continue };
                let Some(path) = self.index.path(0, raw.parent().as_bytes())? else {
                    continue;
                };
                let mut only = RowSet::empty(self.index.rows());
                self.index.rows_of(found, &mut only)?;
                match arrays.iter_mut().skip(own).find(|array| array.path == path) {
                    Some(Target {
                        only: Some(known), ..
                    }) => known.unite(&only),
                    _ => arrays.push(Target {
                        path,
                        only: Some(only),
                    }),
                }
            }
        }
        Ok(arrays)
    }
}

fn everywhere(path: u32) -> Target {
    Target { path, only: None }
}
