//! The validator on small tables of its own; `walk` breaks each constraint of a whole API.

pub(crate) mod walk;

use super::*;
use convlog_model::json::Json;
