//! Rules of names and numbers that no shape holds.

/// The days that a retention may have.
pub const RETENTION_DAYS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// Most bytes of the name of a stream, which is a label of its events.
pub const STREAM_BYTES_MAX: usize = 1024;

/// Whether a group may have this name, as far as its shape leaves that open: AWS keeps `aws/` for
/// itself.
#[must_use]
pub fn is_group_name(name: &str) -> bool {
    !name.starts_with("aws/")
}

/// Whether a stream may have this name, as far as its shape leaves that open.
#[must_use]
pub fn is_stream_name(name: &str) -> bool {
    name.len() <= STREAM_BYTES_MAX && !name.chars().any(char::is_control)
}

/// Whether retention may be that long.
#[must_use]
pub fn is_retention(days: i64) -> bool {
    RETENTION_DAYS.iter().any(|legal| i64::from(*legal) == days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_aws_are_kept_for_aws() {
        assert!(!is_group_name("aws/lex"));
        assert!(is_group_name("/aws/lex") && is_group_name("aws"));
    }

    #[test]
    fn a_month_has_thirty_days() {
        assert!(is_retention(30) && !is_retention(31) && !is_retention(0) && !is_retention(-1));
    }

    #[test]
    fn names_of_streams_fit_a_label() {
        assert!(is_stream_name(&"s".repeat(1024)) && !is_stream_name(&"s".repeat(1025)));
        assert!(!is_stream_name("a\nb"));
    }
}
