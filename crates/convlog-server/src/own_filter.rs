//! Filters of the own API: Watson's language over canonical and raw paths.
//!
//! Audit entries are records, but a key that may read records may not read the audit: they are
//! shown only where the filter asks for `event.type` or `event.action` and the key has the role `admin`, and no
//! erasure removes them.

use convlog_dialects::watson::filter::{Names, parse};
use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;

use crate::auth::{Caller, Role};
use crate::error::Fault;
use crate::events::is_audit;

/// Most bytes of a filter.
const FILTER_BYTES_MAX: usize = 64 << 10;

/// The filter of a text, without audit entries unless it may and does ask for them.
pub(crate) fn readable(caller: &Caller, text: Option<&str>) -> Result<Filter, Fault> {
    let filter = parsed(text.unwrap_or_default())?;
    match may_see_audit(caller) && asks_for_type(&filter) {
        true => Ok(filter),
        false => Ok(filter.and(is_audit().negate())),
    }
}

/// Whether the caller may see entries of the audit among other records.
pub(crate) fn may_see_audit(caller: &Caller) -> bool {
    caller.roles.has(Role::Admin) && caller.bots.is_none()
}

/// The filter of a text, never with audit entries. One that asks for nothing is refused: what
/// was left blank by mistake must not erase everything.
pub(crate) fn erasable(text: &str) -> Result<Filter, Fault> {
    match parsed(text)? {
        Filter::All => Err(Fault::bad_at("filter", "filter must not be blank")),
        filter => Ok(filter.and(is_audit().negate())),
    }
}

fn parsed(text: &str) -> Result<Filter, Fault> {
    if text.len() > FILTER_BYTES_MAX {
        let message = format!("must have at most {FILTER_BYTES_MAX} bytes");
        return Err(Fault::bad_at("filter", message));
    }
    parse(text, Names::Own, true).map_err(|error| Fault::bad_at("filter", error.to_string()))
}

fn asks_for_type(filter: &Filter) -> bool {
    match filter {
        Filter::All => false,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(asks_for_type),
        Filter::Not(inner) => asks_for_type(inner),
        Filter::Test { field, .. } => ["event.type", "event.action"]
            .map(FieldRef::canonical)
            .contains(field),
        Filter::Element { inner, .. } => asks_for_type(inner),
    }
}
