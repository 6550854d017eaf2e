//! Tests of what the engine gave to a record: its id and when it was accepted.

use convlog_model::filter::{Bound, Literal, Test};
use convlog_model::ids::RecordId;
use convlog_model::text::fold;
use convlog_model::time::Timestamp;

use super::each::{Reading, Take};
use super::value::time_range;
use super::{Domain, Lower, Sets, Trouble};
use crate::embedded::frame::{self, Header};
use crate::embedded::frames::FrameRow;
use crate::embedded::index::build::path_bytes;
use crate::embedded::index::source::Damaged;
use crate::embedded::index::term::{self, Kind};
use crate::embedded::rowset::RowSet;

const ID: &str = "id";
const RECEIVED: &str = "time.received";

impl Lower<'_> {
    /// Adds every row where the name means, or has below it, what every record has.
    pub(super) fn given_exists(
        &self,
        name: &str,
        domain: Domain<'_>,
        into: &mut RowSet,
    ) -> Result<(), Damaged> {
        let Domain::Rows(rows) = domain else {
            return Ok(());
        };
        match name {
            "time" => into.insert_range(0, rows),
            ID | RECEIVED => into.unite(&self.rows_given(name)?),
            _ => {}
        }
        Ok(())
    }

    /// The rows in which the name refers to nothing else.
    fn rows_given(&self, name: &str) -> Result<RowSet, Damaged> {
        let mut rows = RowSet::full(self.index.rows());
        if let Some(path) = self.index.path(1, &path_bytes(name))? {
            for target in self.references(path)? {
                if let Some(only) = &target.only {
                    rows.subtract(only);
                }
            }
        }
        Ok(rows)
    }

    /// Adds where the id or the time of receipt passes.
    pub(super) fn given(
        &self,
        name: &str,
        test: &Test,
        domain: Domain<'_>,
        sets: &mut Sets,
    ) -> Result<(), Trouble> {
        let Domain::Rows(len) = domain else {
            return Ok(());
        };
        let mut found = Sets::none(len);
        match (name, test) {
            (ID, Test::Equals(literal)) => self.with_id(&literal.text, &mut found)?,
            (ID, Test::Matches(literal)) => self.with_id(&fold(&literal.text), &mut found)?,
            (RECEIVED, Test::Equals(literal) | Test::Matches(literal)) => {
                self.received_at(literal, &mut found)?;
            }
            (
                RECEIVED,
                Test::Compare {
                    op,
                    bound: Bound::Time(bound),
                },
            ) => self.received(time_range(*op, bound), &mut found.sure)?,
            (ID | RECEIVED, Test::Glob { .. } | Test::Fuzzy { .. }) => {
                found.possible = RowSet::full(len);
            }
            _ => return Ok(()),
        }
        let mine = self.rows_given(name)?;
        found.possible.unite(&found.sure);
        found.intersect(&Sets::of_sure(mine));
        sets.unite(&found);
        Ok(())
    }

    /// The id, or the time of receipt, of those of `rows` in which the name means it.
    pub(super) fn each_given(
        &self,
        name: &str,
        reading: Reading,
        rows: &RowSet,
        take: &mut Take<'_>,
    ) -> Result<(), Trouble> {
        let is_meant = matches!(
            (name, reading),
            (ID, Reading::Values) | (RECEIVED, Reading::Values | Reading::Moments)
        );
        if !is_meant {
            return Ok(());
        }
        let mut mine = self.rows_given(name)?;
        mine.intersect(rows);
        if name == ID {
            return self.each_id(&mine, take);
        }
        let mut walk = self.part.frames()?.walk();
        for row in mine.iter() {
            let Some(received) = walk.get(self.part.base + row) else {
                continue;
            };
            if reading == Reading::Moments {
                take(Kind::Time, &term::of_time(received), &[row]);
            } else {
                let text = Timestamp::from_micros(received).to_micros_text();
                take(Kind::Text, text.as_bytes(), &[row]);
            }
        }
        Ok(())
    }

    fn each_id(&self, rows: &RowSet, take: &mut Take<'_>) -> Result<(), Trouble> {
        let frames = self.part.frames()?;
        let row_of = |row: u32| row.checked_sub(self.part.base);
        for frame in (0..frames.len()).filter_map(|number| frames.get(number)) {
            let first = row_of(frame.first_row).unwrap_or(0);
            if rows.iter_from(first).next().is_none() {
                break;
            }
            let header = self.header(&frame)?;
            let mut id = header.first_id;
            for row in frame.first_row..frame.first_row + u32::from(header.row_count) {
                if let Some(row) = row_of(row).filter(|row| rows.contains(*row)) {
                    let (kind, value) = term::of_text(&id.to_string());
                    take(kind, &value, &[row]);
                }
                id = id.next();
            }
        }
        Ok(())
    }

    fn received_at(&self, literal: &Literal, found: &mut Sets) -> Result<(), Trouble> {
        match Timestamp::parse_loose(&literal.text) {
            Some(span) => self.received((span.start.micros(), span.end.micros()), &mut found.sure),
            None => Ok(()),
        }
    }

    fn received(&self, (first, last): (i64, i64), into: &mut RowSet) -> Result<(), Trouble> {
        let frames = self.part.frames()?;
        let is_outside = frames
            .received_bounds()
            .is_none_or(|(least, greatest)| greatest < first || last < least);
        if is_outside {
            return Ok(());
        }
        let mut rows = frames.walk();
        for row in 0..self.index.rows() {
            let received = rows.get(self.part.base + row);
            if received.is_some_and(|received| first <= received && received <= last) {
                into.insert(row);
            }
        }
        Ok(())
    }

    fn with_id(&self, text: &str, found: &mut Sets) -> Result<(), Trouble> {
        let id: Option<RecordId> = text.parse().ok();
        let Some(id) = id.filter(|id| id.to_string() == text) else {
            return Ok(());
        };
        let frames = self.part.frames()?;
        // Ids rise with rows, so frames are sorted by them.
        let (mut low, mut high) = (0, frames.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match frames.get(middle) {
                Some(frame) if self.header(&frame)?.first_id <= id => low = middle + 1,
                _ => high = middle,
            }
        }
        let Some(frame) = low.checked_sub(1).and_then(|last| frames.get(last)) else {
            return Ok(());
        };
        let header = self.header(&frame)?;
        let mut of_row = header.first_id;
        for row in frame.first_row..frame.first_row + u32::from(header.row_count) {
            if of_row == id
                && let Some(row) = row.checked_sub(self.part.base)
            {
                found.sure.insert(row);
            }
            of_row = of_row.next();
        }
        Ok(())
    }

    fn header(&self, frame: &FrameRow) -> Result<Header, Trouble> {
        let mut bytes = [0; frame::HEADER_LEN];
        let _held = self.chunk.hold();
        let read = self.chunk.file.read_at(frame.place.offset, &mut bytes);
        read.map_err(|error| crate::embedded::error::failed(&self.chunk.name, &error))?;
        let header = Header::decode(&bytes);
        let (header, _) = header.map_err(|bad| {
            crate::embedded::error::corrupt(&self.chunk.name, frame.place.offset, &bad)
        })?;
        Ok(header)
    }
}
