//! Records as log objects, and pages of them.

use convlog_model::record::Record;

/// Which log object is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// That of `/v1/…/logs`.
    V1,
    /// That of `/v2/…/logs`.
    V2,
}

/// The log object of a record: unchanged in the shape it was written in, else made of its
/// canonical turn.
#[must_use]
pub fn log(record: &Record, shape: Shape) -> String {
    let _ = (record, shape);
    String::new()
}

/// As [`log`], with `customer_id` also where the list API shows none, so that an import of it
/// knows the customer.
#[must_use]
pub fn export(record: &Record, shape: Shape) -> String {
    log(record, shape)
}

/// Where the next page is.
#[derive(Clone, Debug)]
pub struct Next<'a> {
    /// Path of the list, from the root of the API (`/v1/…`).
    pub path: &'a str,
    /// Every parameter of the request, decoded, in order; `cursor` is replaced.
    pub params: &'a [(String, String)],
    /// The cursor.
    pub cursor: &'a str,
}

/// The answer of a list: `{"logs":[…],"pagination":{…}}`, with `{}` on the last page.
#[must_use]
pub fn page(logs: &[String], next: Option<&Next<'_>>) -> String {
    let _ = (logs, next);
    String::new()
}
