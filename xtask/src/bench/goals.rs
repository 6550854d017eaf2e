//! The speeds that section 7.9 of the design asks for and the floors below which they must not fall:
//! what a run has reached of them.

/// One figure that has to be reached.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) bound: Bound,
    pub(super) target: f64,
    pub(super) floor: Option<f64>,
    /// None when the run has not measured it.
    pub(super) measured: Option<f64>,
}

/// Which side of the target is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    AtLeast,
    AtMost,
}

impl Bound {
    fn is_kept(self, measured: f64, limit: f64) -> bool {
        match self {
            Self::AtLeast => measured >= limit,
            Self::AtMost => measured <= limit,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
        }
    }
}

impl Goal {
    pub(super) fn at_most(
        name: impl Into<String>,
        unit: &'static str,
        limits: (f64, Option<f64>),
        measured: Option<f64>,
    ) -> Self {
        Self::new(name, unit, Bound::AtMost, limits, measured)
    }

    pub(super) fn at_least(
        name: impl Into<String>,
        unit: &'static str,
        limits: (f64, Option<f64>),
        measured: Option<f64>,
    ) -> Self {
        Self::new(name, unit, Bound::AtLeast, limits, measured)
    }

    fn new(
        name: impl Into<String>,
        unit: &'static str,
        bound: Bound,
        (target, floor): (f64, Option<f64>),
        measured: Option<f64>,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            bound,
            target,
            floor,
            measured,
        }
    }

    /// Whether it lies below its floor.
    pub(super) fn is_below_floor(&self) -> bool {
        let pair = self.measured.zip(self.floor);
        pair.is_some_and(|(measured, floor)| !self.bound.is_kept(measured, floor))
    }

    /// Name, figure, target and floor with whether they are kept and by how much.
    pub(super) fn cells(&self) -> Vec<String> {
        let limit = |limit: f64| format!("{} {} {}", self.bound.words(), plain(limit), self.unit);
        let Some(measured) = self.measured else {
            let floor = self.floor.map_or_else(String::new, limit);
            return vec![
                self.name.clone(),
                "not measured".to_owned(),
                limit(self.target),
                floor,
            ];
        };
        let judged = |value: f64| {
            let share = (measured - value).abs() / value * 100.0;
            let by = if self.bound.is_kept(measured, value) {
                format!("met with {share:.0} % to spare")
            } else if share < 200.0 {
                format!("MISSED by {share:.0} %")
            } else {
                format!("MISSED, {} times as much", plain(measured / value))
            };
            format!("{}: {by}", limit(value))
        };
        vec![
            self.name.clone(),
            format!("{} {}", plain(measured), self.unit),
            judged(self.target),
            self.floor.map_or_else(String::new, judged),
        ]
    }
}

/// A number with as many digits as one reads.
pub(super) fn plain(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_met_says_how_much_is_to_spare() {
        let goal = Goal::at_least("ingest", "x", (6.0, Some(4.0)), Some(7.5));
        assert!(!goal.is_below_floor());
        assert_eq!(
            goal.cells(),
            [
                "ingest",
                "7.5 x",
                "at least 6 x: met with 25 % to spare",
                "at least 4 x: met with 88 % to spare"
            ]
        );
    }

    #[test]
    fn a_goal_between_target_and_floor_is_missed_and_not_below_the_floor() {
        let goal = Goal::at_most("disk", "of raw", (0.40, Some(0.45)), Some(0.42));
        assert!(!goal.is_below_floor());
        let cells = goal.cells();
        assert_eq!(cells[2], "at most 0.4 of raw: MISSED by 5 %");
        assert_eq!(cells[3], "at most 0.45 of raw: met with 7 % to spare");
    }

    #[test]
    fn a_goal_below_its_floor_is_told() {
        let goal = Goal::at_most("pause", "ms", (250.0, Some(500.0)), Some(1_000.0));
        assert!(goal.is_below_floor());
        assert_eq!(goal.cells()[3], "at most 500 ms: MISSED by 100 %");
        let equal = Goal::at_most("pause", "ms", (250.0, Some(500.0)), Some(500.0));
        assert!(!equal.is_below_floor());
        assert_eq!(goal.cells()[2], "at most 250 ms: MISSED, 4 times as much");
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let goal = Goal::at_least("ingest", "x", (6.0, Some(4.0)), None);
        assert!(!goal.is_below_floor());
        assert_eq!(
            goal.cells(),
            ["ingest", "not measured", "at least 6 x", "at least 4 x"]
        );
    }

    #[test]
    fn numbers_have_the_digits_that_one_reads() {
        assert_eq!(plain(12_345.6), "12346");
        assert_eq!(plain(12.34), "12.3");
        assert_eq!(plain(0.404), "0.4");
        assert_eq!(plain(0.0123), "0.0123");
        assert_eq!(plain(250.0), "250");
    }
}
