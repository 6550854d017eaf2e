//! Headers of a message: customer id and learning opt-out.

/// Longest customer id, in characters.
pub const CUSTOMER_ID_MAX: usize = 256;

/// Why `X-Watson-Metadata` is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("customer_id can not be longer than {CUSTOMER_ID_MAX} characters")]
pub struct CustomerIdTooLong;

/// The first customer id of an `X-Watson-Metadata` header; parts that cannot be read are ignored,
/// since no client should lose a message to them.
///
/// # Errors
/// [`CustomerIdTooLong`].
pub fn customer_id(header: &str) -> Result<Option<String>, CustomerIdTooLong> {
    let pairs = header.split(';').filter_map(|part| part.split_once('='));
    let mut ids = pairs
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("customer_id"))
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty());
    match ids.next() {
        None => Ok(None),
        Some(id) if id.chars().count() > CUSTOMER_ID_MAX => Err(CustomerIdTooLong),
        Some(id) => Ok(Some(id.to_owned())),
    }
}

/// Whether `X-Watson-Learning-Opt-Out` or `X-WDC-PL-OPT-OUT` opts out: `true` and nothing else,
/// but the older header is also sent as `1`.
#[must_use]
pub fn opts_out(header: &str) -> bool {
    let header = header.trim();
    header.eq_ignore_ascii_case("true") || header == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_customer_id_counts_in_odd_forms_too() {
        for (header, id) in [
            ("customer_id=abc", Some("abc")),
            (" x=1 ; Customer_ID = abc ;customer_id=xyz", Some("abc")),
            ("customer_id=;customer_id=xyz", Some("xyz")),
            ("customer_id=a=b", Some("a=b")),
            ("customer_id", None),
            ("", None),
            (";;=;", None),
        ] {
            assert_eq!(customer_id(header), Ok(id.map(str::to_owned)), "{header}");
        }
    }

    #[test]
    fn a_long_customer_id_is_refused() {
        let header = format!("customer_id={}", "é".repeat(257));
        let error = customer_id(&header).unwrap_err();
        assert_eq!(
            error.to_string(),
            "customer_id can not be longer than 256 characters"
        );
        assert!(customer_id(&format!("customer_id={}", "é".repeat(256))).is_ok());
    }

    #[test]
    fn only_true_opts_out() {
        assert!(opts_out("true") && opts_out(" TRUE ") && opts_out("1"));
        assert!(!opts_out("false") && !opts_out("yes") && !opts_out(""));
    }
}
