//! Requests for tags of bots, aliases and channels.

use super::common::{TAG_KEY, TAGS};
use crate::aws::shape::{Shape, between, required, text};

static RESOURCE_ARN: Shape = text(between(1, 1011));

/// `ListTagsForResource`.
pub static LIST_TAGS_FOR_RESOURCE: Shape =
    Shape::Structure(&[required("resourceArn", &RESOURCE_ARN).param("resourceArn")]);

/// `TagResource`.
pub static TAG_RESOURCE: Shape = Shape::Structure(&[
    required("resourceArn", &RESOURCE_ARN).param("resourceArn"),
    required("tags", &TAGS),
]);

/// `UntagResource`.
pub static UNTAG_RESOURCE: Shape = Shape::Structure(&[
    required("resourceArn", &RESOURCE_ARN).param("resourceArn"),
    required("tagKeys", &TAG_KEYS).param("tagKeys"),
]);
static TAG_KEYS: Shape = Shape::list(between(0, 200), &TAG_KEY);
