//! The bounds that hold for every record. Reasons name the field and show nothing of its text.

use convlog_model::flatten::Flat;
use convlog_model::record::{Draft, Kind};

use crate::auth::{Caller, Role};
use crate::events;

/// Most bytes of a dialect's own id.
const OWN_ID_BYTES_MAX: usize = 512;
/// Most bytes of a customer's id.
const CUSTOMER_BYTES_MAX: usize = 256;
/// Most labels of a record, and most bytes of each.
const LABELS_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 1024;

/// What can be told before the body is looked into.
pub(super) fn envelope(caller: &Caller, draft: &Draft, bytes_max: usize) -> Result<(), String> {
    if draft.instance != caller.instance {
        return Err("belongs to another instance".to_owned());
    }
    if draft.raw.len() > bytes_max {
        return Err(format!("longer than {bytes_max} bytes"));
    }
    if draft.own_id.as_deref() == Some("") {
        return Err("own_id: must not be empty".to_owned());
    }
    text("own_id", draft.own_id.as_deref(), OWN_ID_BYTES_MAX)?;
    if draft.labels.len() > LABELS_MAX {
        return Err(format!("labels: more than {LABELS_MAX}"));
    }
    for (name, value) in &draft.labels {
        text("labels", Some(name), LABEL_BYTES_MAX)?;
        text("labels", Some(value), LABEL_BYTES_MAX)?;
    }
    Ok(())
}

/// What the canonical fields must keep.
pub(super) fn leaves(caller: &Caller, draft: &Draft, flat: &Flat) -> Result<(), String> {
    text("customer", flat.text("customer"), CUSTOMER_BYTES_MAX)?;
    match (flat.text("bot"), &caller.bots) {
        (Some(bot), _) if !caller.sees_bot(bot) => {
            return Err("bot: outside of the key's scope".to_owned());
        }
        (None, Some(_)) => {
            return Err("bot: missing, and the key is limited to some bots".to_owned());
        }
        _ => {}
    }
    let is_own = events::is_entry(flat.text("event.type"), flat.text("event.action"));
    match is_own && draft.kind == Kind::Event && !caller.roles.has(Role::Admin) {
        true => Err("event.action: entries of the audit need a key with the role admin".to_owned()),
        false => Ok(()),
    }
}

fn text(field: &str, value: Option<&str>, bytes_max: usize) -> Result<(), String> {
    match value {
        Some(text) if text.len() > bytes_max => {
            Err(format!("{field}: longer than {bytes_max} bytes"))
        }
        Some(text) if text.chars().any(char::is_control) => {
            Err(format!("{field}: control characters are not allowed"))
        }
        _ => Ok(()),
    }
}
