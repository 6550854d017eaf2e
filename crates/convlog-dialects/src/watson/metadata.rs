//! Headers of a message: customer id and learning opt-out.

/// Longest customer id.
pub const CUSTOMER_ID_MAX: usize = 256;

/// Why `X-Watson-Metadata` is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("customer_id can not be longer than {CUSTOMER_ID_MAX} characters")]
pub struct CustomerIdTooLong;

/// The first customer id of an `X-Watson-Metadata` header; parts that cannot be read are ignored.
///
/// # Errors
/// [`CustomerIdTooLong`].
pub fn customer_id(header: &str) -> Result<Option<String>, CustomerIdTooLong> {
    let _ = header;
    Ok(None)
}

/// Whether `X-Watson-Learning-Opt-Out` or `X-WDC-PL-OPT-OUT` opts out.
#[must_use]
pub fn opts_out(header: &str) -> bool {
    let _ = header;
    false
}
