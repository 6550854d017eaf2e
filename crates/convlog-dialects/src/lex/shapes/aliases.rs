//! Requests for aliases of bots, with their conversation logs.

use super::common::{
    ANY_TEXT, BOT_NAME, DESCRIPTION, IAM_ROLE, PAGE, RESOURCE_NAME, TAGS, VERSION,
};
use crate::aws::shape::{ANY, Pattern, Shape, between, matching, one_of, optional, required};

/// `PutBotAlias`.
pub static PUT_BOT_ALIAS: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("description", &DESCRIPTION),
    required("botVersion", &VERSION),
    required("botName", &BOT_NAME).param("botName"),
    optional("checksum", &ANY_TEXT),
    optional("conversationLogs", &CONVERSATION_LOGS),
    optional("tags", &TAGS),
]);
static CONVERSATION_LOGS: Shape = Shape::Structure(&[
    required("logSettings", &LOG_SETTINGS),
    required("iamRoleArn", &IAM_ROLE),
]);
static LOG_SETTINGS: Shape = Shape::list(ANY, &LOG_SETTING);
static LOG_SETTING: Shape = Shape::Structure(&[
    required("logType", &LOG_TYPE),
    required("destination", &DESTINATION),
    optional("kmsKeyArn", &KMS_KEY),
    required("resourceArn", &RESOURCE),
]);
static LOG_TYPE: Shape = one_of(&["AUDIO", "TEXT"]);
static DESTINATION: Shape = one_of(&["CLOUDWATCH_LOGS", "S3"]);
static KMS_KEY: Shape = matching(between(20, 2048), &KMS_KEY_ARN);
static KMS_KEY_ARN: Pattern = Pattern::new(
    r"^arn:[\w\-]+:kms:[\w\-]+:[\d]{12}:(?:key\/[\w\-]+|alias\/[a-zA-Z0-9:\/_\-]{1,256})$",
);
static RESOURCE: Shape = matching(between(1, 2048), &RESOURCE_ARN);
static RESOURCE_ARN: Pattern = Pattern::new(concat!(
    r"^arn:[\w\-]+:(?:logs:[\w\-]+:[\d]{12}:log-group:[\.\-_/#A-Za-z0-9]{1,512}(?::\*)?",
    r"|s3:::[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9])$",
));

/// `GetBotAlias`.
pub static GET_BOT_ALIAS: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("botName", &BOT_NAME).param("botName"),
]);

/// `GetBotAliases`.
pub static GET_BOT_ALIASES: Shape = Shape::Structure(&[
    required("botName", &BOT_NAME).param("botName"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
    optional("nameContains", &RESOURCE_NAME).param("nameContains"),
]);

/// `DeleteBotAlias`.
pub static DELETE_BOT_ALIAS: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("botName", &BOT_NAME).param("botName"),
]);
