//! Tests of values: by look-up where the value is known, by a walk over the dictionary of a path
//! where it is described.

use convlog_model::fields::{FieldRef, FieldType};
use convlog_model::filter::eval::ValueTest;
use convlog_model::filter::{Bound, CompareOp, Literal, Scope, Test, TimeBound};
use convlog_model::number::Decimal;
use convlog_model::text::fold;
use convlog_model::time::Timestamp;

use super::{Domain, Lower, Sets, Target, Trouble};
use crate::embedded::index::Section;
use crate::embedded::index::build::path_bytes;
use crate::embedded::index::dict::Found;
use crate::embedded::index::source::Damaged;
use crate::embedded::index::term::{self, Kind};
use crate::embedded::rowset::RowSet;

/// Collects what one test finds at one target.
pub(super) struct Hits<'a> {
    pub(super) target: &'a Target,
    pub(super) domain: Domain<'a>,
    pub(super) sure: RowSet,
    /// Besides `sure`.
    pub(super) maybe: RowSet,
}

impl Lower<'_> {
    /// Where some value of the field passes.
    pub(super) fn values(
        &self,
        field: &FieldRef,
        test: &Test,
        domain: Domain<'_>,
    ) -> Result<Sets, Trouble> {
        let mut sets = Sets::none(domain.len());
        for target in self.targets(field)? {
            if target.path == u32::MAX {
                continue;
            }
            let mut hits = Hits {
                target: &target,
                domain,
                sure: RowSet::empty(domain.len()),
                maybe: RowSet::empty(domain.len()),
            };
            self.values_at(field, test, &mut hits)?;
            sets.sure.unite(&hits.sure);
            sets.possible.unite(&hits.sure);
            sets.possible.unite(&hits.maybe);
        }
        if let FieldRef::Canonical(name) = field {
            self.given(name, test, domain, &mut sets)?;
        }
        Ok(sets)
    }

    fn values_at(&self, field: &FieldRef, test: &Test, hits: &mut Hits<'_>) -> Result<(), Trouble> {
        let kind = field.kind();
        match test {
            Test::Matches(literal) if literal.text.is_empty() => {
                self.equals(literal, kind, hits)?
            }
            Test::Equals(literal) => self.equals(literal, kind, hits)?,
            Test::Matches(literal) if kind == FieldType::Text => self.says(literal, hits)?,
            Test::Matches(literal) => self.folded(literal, hits)?,
            Test::Glob { scope, .. } | Test::Fuzzy { scope, .. } => {
                match (scope, kind) {
                    (Scope::Word, FieldType::Text) => self.described_words(field, test, hits)?,
                    _ => self.described_values(field, test, hits)?,
                };
            }
            Test::Compare { op, bound } => match bound {
                Bound::Number(text) => self.numbers(*op, text, hits)?,
                Bound::Time(bound) => self.moments(time_range(*op, bound), hits)?,
            },
            Test::Exists => {}
        }
        Ok(())
    }

    /// Adds where an exact term stands.
    pub(super) fn look_up(
        &self,
        kind: Kind,
        value: &[u8],
        is_sure: bool,
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        let found = self.index.find(hits.target.path, kind, value)?;
        self.add_all(found, is_sure, hits)
    }

    /// Adds where terms stand.
    fn add_all<'f>(
        &self,
        found: impl IntoIterator<Item = Found<'f>>,
        is_sure: bool,
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        let into = match is_sure {
            true => &mut hits.sure,
            false => &mut hits.maybe,
        };
        for found in found {
            self.add(found, hits.target, hits.domain, into)?;
        }
        Ok(())
    }

    fn text(&self, text: &str, hits: &mut Hits<'_>) -> Result<(), Damaged> {
        let (kind, value) = term::of_text(text);
        self.look_up(kind, &value, kind != Kind::Hashed, hits)
    }

    fn equals(
        &self,
        literal: &Literal,
        kind: FieldType,
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        self.text(&literal.text, hits)?;
        self.no_strings(literal, &literal.text, hits)?;
        match Timestamp::parse_loose(&literal.text) {
            Some(span) if kind == FieldType::Time => {
                self.moments((span.start.micros(), span.end.micros()), hits)
            }
            _ => Ok(()),
        }
    }

    fn folded(&self, literal: &Literal, hits: &mut Hits<'_>) -> Result<(), Damaged> {
        let folded = fold(&literal.text);
        self.text(&folded, hits)?;
        let (value, is_sure) = term::of_folded(&folded);
        self.look_up(Kind::Folded, &value, is_sure, hits)?;
        self.no_strings(literal, &folded, hits)?;
        match Timestamp::parse_loose(&literal.text) {
            Some(span) => self.moments((span.start.micros(), span.end.micros()), hits),
            None => Ok(()),
        }
    }

    /// The number or boolean that a literal without quotes may mean.
    pub(super) fn no_strings(
        &self,
        literal: &Literal,
        truth_text: &str,
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        if literal.quoted {
            return Ok(());
        }
        match truth_text {
            "true" => self.look_up(Kind::Bool, &[1], true, hits)?,
            "false" => self.look_up(Kind::Bool, &[0], true, hits)?,
            _ => {}
        }
        if let Some(number) = Decimal::parse(&literal.text) {
            self.walk(Kind::Number, &number.sort_key(), hits, |_| true)?;
        }
        Ok(())
    }

    fn numbers(&self, op: CompareOp, bound: &str, hits: &mut Hits<'_>) -> Result<(), Damaged> {
        let Some(bound) = Decimal::parse(bound) else {
            return Ok(());
        };
        let bound = bound.sort_key();
        let from = match op {
            CompareOp::Lt | CompareOp::Le => &[] as &[u8],
            CompareOp::Gt | CompareOp::Ge => &bound,
        };
        let mut found = Vec::new();
        self.index
            .each_from(hits.target.path, Kind::Number, from, |value, at| {
                let order = match value.starts_with(&bound) {
                    true => std::cmp::Ordering::Equal,
                    false => value.cmp(&bound),
                };
                let holds = op.holds(order);
                found.extend(holds.then_some(at));
                // Behind the last that is small enough no other is.
                holds || order.is_le()
            })?;
        self.add_all(found, true, hits)
    }

    /// Adds the terms of a kind that begin with `prefix` and pass.
    pub(super) fn walk(
        &self,
        kind: Kind,
        prefix: &[u8],
        hits: &mut Hits<'_>,
        passes: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Damaged> {
        let mut found = Vec::new();
        self.index
            .each(hits.target.path, kind, prefix, |value, at| {
                found.extend(passes(value).then_some(at));
                true
            })?;
        self.add_all(found, true, hits)
    }

    /// Adds every term of a kind as a possible match.
    pub(super) fn any_of(&self, kind: Kind, hits: &mut Hits<'_>) -> Result<(), Damaged> {
        let mut found = Vec::new();
        self.index.each(hits.target.path, kind, &[], |_, at| {
            found.push(at);
            true
        })?;
        self.add_all(found, false, hits)
    }

    /// Whole values under a pattern, or near to a text.
    fn described_values(
        &self,
        field: &FieldRef,
        test: &Test,
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        let prefix = match test {
            Test::Glob {
                parts,
                scope: Scope::Whole,
            } => parts.first().map_or("", String::as_str),
            _ => "",
        };
        let passes = ValueTest::new(field, test, None);
        let passes = |kind: Kind| {
            let passes = &passes;
            move |value: &[u8]| term::value(kind, value).is_some_and(|v| passes.passes(&v))
        };
        self.walk(Kind::Text, prefix.as_bytes(), hits, passes(Kind::Text))?;
        for kind in [Kind::Uuid, Kind::Number, Kind::Bool] {
            self.walk(kind, &[], hits, passes(kind))?;
        }
        self.any_of(Kind::LongWord, hits)?;
        self.any_of(Kind::Hashed, hits)
    }

    /// Moments from the first to the last.
    pub(super) fn moments(
        &self,
        (first, last): (i64, i64),
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        if first > last {
            return Ok(());
        }
        let end = term::of_time(last);
        let mut found = Vec::new();
        let start = term::of_time(first);
        self.index
            .each_from(hits.target.path, Kind::Time, &start, |value, at| {
                let is_inside = value <= end.as_slice();
                found.extend(is_inside.then_some(at));
                is_inside
            })?;
        self.add_all(found, true, hits)?;
        if let Domain::Rows(_) = hits.domain {
            self.moments_in_columns((first, last), hits)?;
        }
        Ok(())
    }

    /// Times of the record itself have no terms where a column holds them.
    fn moments_in_columns(
        &self,
        (first, last): (i64, i64),
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        for (name, section) in [
            ("time.request", Section::Request),
            ("time.response", Section::Response),
        ] {
            let Some(rows) = self.rows_in_column(name, hits.target)? else {
                continue;
            };
            let column = self.index.column(section)?;
            let Some((least, greatest)) = column.bounds() else {
                continue;
            };
            if greatest < first || last < least || rows.is_empty() {
                continue;
            }
            let is_inside = |row: &u32| {
                column
                    .get(*row)
                    .is_some_and(|micros| first <= micros && micros <= last)
            };
            for row in rows.iter().filter(is_inside) {
                hits.sure.insert(row);
            }
        }
        Ok(())
    }

    /// The rows in which the column of a canonical time holds the one moment at a target; `None`
    /// when the time is nowhere.
    pub(super) fn rows_in_column(
        &self,
        name: &str,
        target: &Target,
    ) -> Result<Option<RowSet>, Damaged> {
        let Some(canonical) = self.index.path(1, &path_bytes(name))? else {
            return Ok(None);
        };
        let mut rows = match target.path == canonical {
            true => RowSet::full(self.index.rows()),
            false => self.rows_referring(canonical, target.path)?,
        };
        if let Some(only) = &target.only {
            rows.intersect(only);
        }
        rows.subtract(&self.index.engine_rows(Kind::OddTimes, &[])?);
        Ok(Some(rows))
    }

    /// The rows in which a canonical path refers to a raw one.
    fn rows_referring(&self, canonical: u32, raw: u32) -> Result<RowSet, Damaged> {
        let mut rows = RowSet::empty(self.index.rows());
        for target in self.references(canonical)? {
            if target.path == raw
                && let Some(only) = &target.only
            {
                rows.unite(only);
            }
        }
        Ok(rows)
    }
}

/// The moments, first and last, that a comparison lets pass.
pub(super) fn time_range(op: CompareOp, bound: &TimeBound) -> (i64, i64) {
    match op {
        CompareOp::Lt => (i64::MIN, bound.start_us.saturating_sub(1)),
        CompareOp::Le => (i64::MIN, bound.end_us),
        CompareOp::Gt => (bound.end_us.saturating_add(1), i64::MAX),
        CompareOp::Ge => (bound.start_us, i64::MAX),
    }
}
