//! Requests for bots and their versions.

use super::common::{
    ANY_TEXT, BOOLEAN, BOT_NAME, DESCRIPTION, LOCALE, NUMBERED_VERSION, PAGE, PROMPT,
    RESOURCE_NAME, STATEMENT, TAGS, VERSION,
};
use crate::aws::shape::{ANY, Shape, between, one_of, optional, required};

/// `PutBot`.
pub static PUT_BOT: Shape = Shape::Structure(&[
    required("name", &BOT_NAME).param("name"),
    optional("description", &DESCRIPTION),
    optional("intents", &INTENTS),
    optional("enableModelImprovements", &BOOLEAN),
    optional("nluIntentConfidenceThreshold", &CONFIDENCE),
    optional("clarificationPrompt", &PROMPT),
    optional("abortStatement", &STATEMENT),
    optional("idleSessionTTLInSeconds", &SESSION_TTL),
    optional("voiceId", &ANY_TEXT),
    optional("checksum", &ANY_TEXT),
    optional("processBehavior", &PROCESS_BEHAVIOR),
    required("locale", &LOCALE),
    required("childDirected", &BOOLEAN),
    optional("detectSentiment", &BOOLEAN),
    optional("createVersion", &BOOLEAN),
    optional("tags", &TAGS),
]);
static INTENTS: Shape = Shape::list(ANY, &INTENT);
static INTENT: Shape = Shape::Structure(&[
    required("intentName", &RESOURCE_NAME),
    required("intentVersion", &VERSION),
]);
static CONFIDENCE: Shape = Shape::Double(between(0, 1));
/// Seconds.
static SESSION_TTL: Shape = Shape::Integer(between(60, 86_400));
static PROCESS_BEHAVIOR: Shape = one_of(&["SAVE", "BUILD"]);

/// `CreateBotVersion`.
pub static CREATE_BOT_VERSION: Shape = Shape::Structure(&[
    required("name", &BOT_NAME).param("name"),
    optional("checksum", &ANY_TEXT),
]);

/// `GetBot`.
pub static GET_BOT: Shape = Shape::Structure(&[
    required("name", &BOT_NAME).param("name"),
    required("versionOrAlias", &ANY_TEXT).param("versionoralias"),
]);

/// `GetBots`.
pub static GET_BOTS: Shape = Shape::Structure(&[
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
    optional("nameContains", &BOT_NAME).param("nameContains"),
]);

/// `GetBotVersions`.
pub static GET_BOT_VERSIONS: Shape = Shape::Structure(&[
    required("name", &BOT_NAME).param("name"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
]);

/// `DeleteBot`.
pub static DELETE_BOT: Shape = Shape::Structure(&[required("name", &BOT_NAME).param("name")]);

/// `DeleteBotVersion`.
pub static DELETE_BOT_VERSION: Shape = Shape::Structure(&[
    required("name", &BOT_NAME).param("name"),
    required("version", &NUMBERED_VERSION).param("version"),
]);
