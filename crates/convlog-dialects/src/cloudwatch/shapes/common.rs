//! Shapes that several tables of CloudWatch Logs use.

use crate::aws::shape::{Pattern, Shape, at_least, at_most, between, matching, one_of, text};

static GROUP_NAME_PATTERN: Pattern = Pattern::new(r"[\.\-_/#A-Za-z0-9]+");
static NO_COLON_OR_STAR: Pattern = Pattern::new(r"[^:*]*");
static GROUP_IDENTIFIER_PATTERN: Pattern = Pattern::new(r"[\w#+=/:,.@-]*");
static RESOURCE_IDENTIFIER_PATTERN: Pattern = Pattern::new(r"[\w+=/:,.@\-\*]*");

pub(super) static BOOLEAN: Shape = Shape::Boolean;
pub(super) static GROUP_NAME: Shape = matching(between(1, 512), &GROUP_NAME_PATTERN);
/// The name or the ARN of a group.
pub(super) static GROUP_IDENTIFIER: Shape = matching(between(1, 2048), &GROUP_IDENTIFIER_PATTERN);
pub(super) static RESOURCE_IDENTIFIER: Shape =
    matching(between(1, 2048), &RESOURCE_IDENTIFIER_PATTERN);
pub(super) static STREAM_NAME: Shape = matching(between(1, 512), &NO_COLON_OR_STAR);
pub(super) static FILTER_NAME: Shape = matching(between(1, 512), &NO_COLON_OR_STAR);
pub(super) static FILTER_PATTERN: Shape = text(between(0, 1024));
pub(super) static EVENT_MESSAGE: Shape = text(at_least(1));
pub(super) static NEXT_TOKEN: Shape = text(at_least(1));
/// Most items of a page of descriptions.
pub(super) static DESCRIBE_LIMIT: Shape = Shape::Integer(between(1, 50));
/// Most events of a page.
pub(super) static EVENTS_LIMIT: Shape = Shape::Integer(between(1, 10_000));
/// Milliseconds since 1970; of `StartQuery`, seconds.
pub(super) static TIME: Shape = Shape::Long(at_least(0));
pub(super) static KMS_KEY_ID: Shape = text(at_most(256));
pub(super) static GROUP_CLASS: Shape =
    one_of(&["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]);
