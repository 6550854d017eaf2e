//! Requests for log groups: names, retention, keys and tags.

use super::common::{
    BOOLEAN, DESCRIBE_LIMIT, GROUP_CLASS, GROUP_IDENTIFIER, GROUP_NAME, KMS_KEY_ID, NEXT_TOKEN,
    RESOURCE_IDENTIFIER,
};
use crate::aws::shape::{ANY, Pattern, Shape, at_most, between, matching, optional, required};

/// `CreateLogGroup`.
pub static CREATE_LOG_GROUP: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    optional("kmsKeyId", &KMS_KEY_ID),
    optional("tags", &TAGS),
    optional("logGroupClass", &GROUP_CLASS),
    optional("deletionProtectionEnabled", &BOOLEAN),
]);
static TAGS: Shape = Shape::map(between(1, 50), &TAG_KEY, &TAG_VALUE);
static TAG_KEY: Shape = matching(between(1, 128), &TAG_KEY_PATTERN);
static TAG_KEY_PATTERN: Pattern = Pattern::new(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$");
static TAG_VALUE: Shape = matching(at_most(256), &TAG_VALUE_PATTERN);
static TAG_VALUE_PATTERN: Pattern = Pattern::new(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");

/// `DeleteLogGroup`, `DeleteRetentionPolicy` and `ListTagsLogGroup`: the name of a group.
pub static ONE_LOG_GROUP: Shape = Shape::Structure(&[required("logGroupName", &GROUP_NAME)]);

/// `DescribeLogGroups`.
pub static DESCRIBE_LOG_GROUPS: Shape = Shape::Structure(&[
    optional("accountIdentifiers", &ACCOUNTS),
    optional("logGroupNamePrefix", &GROUP_NAME),
    optional("logGroupNamePattern", &GROUP_NAME_PART),
    optional("nextToken", &NEXT_TOKEN),
    optional("limit", &DESCRIBE_LIMIT),
    optional("includeLinkedAccounts", &BOOLEAN),
    optional("logGroupClass", &GROUP_CLASS),
    optional("logGroupIdentifiers", &GROUP_IDENTIFIERS),
]);
static ACCOUNTS: Shape = Shape::list(between(0, 20), &ACCOUNT);
static ACCOUNT: Shape = matching(between(12, 12), &ACCOUNT_PATTERN);
static ACCOUNT_PATTERN: Pattern = Pattern::new(r"^\d{12}$");
static GROUP_NAME_PART: Shape = matching(between(0, 512), &GROUP_NAME_PART_PATTERN);
static GROUP_NAME_PART_PATTERN: Pattern = Pattern::new(r"[\.\-_/#A-Za-z0-9]*");
static GROUP_IDENTIFIERS: Shape = Shape::list(between(1, 50), &GROUP_IDENTIFIER);

/// `PutRetentionPolicy`. The model bounds no days; which ones AWS takes is a rule of its own.
pub static PUT_RETENTION_POLICY: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    required("retentionInDays", &DAYS),
]);
static DAYS: Shape = Shape::Integer(ANY);

/// `AssociateKmsKey`.
pub static ASSOCIATE_KMS_KEY: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    required("kmsKeyId", &KMS_KEY_ID),
    optional("resourceIdentifier", &RESOURCE_IDENTIFIER),
]);

/// `DisassociateKmsKey`.
pub static DISASSOCIATE_KMS_KEY: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    optional("resourceIdentifier", &RESOURCE_IDENTIFIER),
]);

static RESOURCE_ARN: Shape = matching(between(1, 1011), &RESOURCE_ARN_PATTERN);
static RESOURCE_ARN_PATTERN: Pattern = Pattern::new(r"[\w+=/:,.@-]*");

/// `ListTagsForResource`.
pub static LIST_TAGS_FOR_RESOURCE: Shape =
    Shape::Structure(&[required("resourceArn", &RESOURCE_ARN)]);

/// `TagResource`.
pub static TAG_RESOURCE: Shape = Shape::Structure(&[
    required("resourceArn", &RESOURCE_ARN),
    required("tags", &TAGS),
]);

/// `UntagResource`.
pub static UNTAG_RESOURCE: Shape = Shape::Structure(&[
    required("resourceArn", &RESOURCE_ARN),
    required("tagKeys", &TAG_KEYS),
]);
static TAG_KEYS: Shape = Shape::list(between(0, 50), &TAG_KEY);
