//! Requests of the runtime.

use super::common::{ANY_TEXT, NAME};
use crate::aws::shape::{ANY, Pattern, Shape, between, matching, one_of, optional, required, text};

/// `PostText`.
pub static POST_TEXT: Shape = Shape::Structure(&[
    required("botName", &ANY_TEXT).param("botName"),
    required("botAlias", &ANY_TEXT).param("botAlias"),
    required("userId", &USER_ID).param("userId"),
    optional("sessionAttributes", &ATTRIBUTES),
    optional("requestAttributes", &ATTRIBUTES),
    required("inputText", &INPUT_TEXT),
    optional("activeContexts", &ACTIVE_CONTEXTS),
]);
static USER_ID: Shape = matching(between(2, 100), &USER_ID_PATTERN);
static USER_ID_PATTERN: Pattern = Pattern::new(r"[0-9a-zA-Z._:-]+");
static ATTRIBUTES: Shape = Shape::map(ANY, &ANY_TEXT, &ANY_TEXT);
static INPUT_TEXT: Shape = text(between(1, 1024));

/// The contexts that a request sets; of a header, once it is decoded.
pub static ACTIVE_CONTEXTS: Shape = Shape::list(between(0, 20), &ACTIVE_CONTEXT);
static ACTIVE_CONTEXT: Shape = Shape::Structure(&[
    required("name", &CONTEXT_NAME),
    required("timeToLive", &TIME_TO_LIVE),
    required("parameters", &PARAMETERS),
]);
static CONTEXT_NAME: Shape = matching(between(1, 100), &NAME);
static TIME_TO_LIVE: Shape = Shape::Structure(&[
    optional("timeToLiveInSeconds", &TTL_SECONDS),
    optional("turnsToLive", &TTL_TURNS),
]);
static TTL_SECONDS: Shape = Shape::Integer(between(5, 86_400));
static TTL_TURNS: Shape = Shape::Integer(between(1, 20));
static PARAMETERS: Shape = Shape::map(between(0, 10), &PARAMETER_NAME, &INPUT_TEXT);
static PARAMETER_NAME: Shape = text(between(1, 100));

/// `PostContent`: its body is the audio or the text. The headers with attributes and contexts hold
/// base64, whose content is checked once it is decoded.
pub static POST_CONTENT: Shape = Shape::Structure(&[
    required("botName", &ANY_TEXT).param("botName"),
    required("botAlias", &ANY_TEXT).param("botAlias"),
    required("userId", &USER_ID).param("userId"),
    optional("sessionAttributes", &ANY_TEXT).param("x-amz-lex-session-attributes"),
    optional("requestAttributes", &ANY_TEXT).param("x-amz-lex-request-attributes"),
    required("contentType", &ANY_TEXT).param("content-type"),
    optional("accept", &ANY_TEXT).param("accept"),
    optional("activeContexts", &ANY_TEXT).param("x-amz-lex-active-contexts"),
]);

/// `GetSession`.
pub static GET_SESSION: Shape = Shape::Structure(&[
    required("botName", &ANY_TEXT).param("botName"),
    required("botAlias", &ANY_TEXT).param("botAlias"),
    required("userId", &USER_ID).param("userId"),
    optional("checkpointLabelFilter", &CHECKPOINT_LABEL).param("checkpointLabelFilter"),
]);
static CHECKPOINT_LABEL: Shape = matching(between(1, 255), &CHECKPOINT_LABEL_PATTERN);
static CHECKPOINT_LABEL_PATTERN: Pattern = Pattern::new(r"[a-zA-Z0-9-]+");

/// `PutSession`.
pub static PUT_SESSION: Shape = Shape::Structure(&[
    required("botName", &ANY_TEXT).param("botName"),
    required("botAlias", &ANY_TEXT).param("botAlias"),
    required("userId", &USER_ID).param("userId"),
    optional("sessionAttributes", &ATTRIBUTES),
    optional("dialogAction", &DIALOG_ACTION),
    optional("recentIntentSummaryView", &INTENT_SUMMARIES),
    optional("accept", &ANY_TEXT).param("accept"),
    optional("activeContexts", &ACTIVE_CONTEXTS),
]);
static DIALOG_ACTION: Shape = Shape::Structure(&[
    required("type", &DIALOG_ACTION_TYPE),
    optional("intentName", &ANY_TEXT),
    optional("slots", &SLOTS),
    optional("slotToElicit", &ANY_TEXT),
    optional("fulfillmentState", &FULFILLMENT_STATE),
    optional("message", &INPUT_TEXT),
    optional("messageFormat", &MESSAGE_FORMAT),
]);
static DIALOG_ACTION_TYPE: Shape = one_of(&[
    "ElicitIntent",
    "ConfirmIntent",
    "ElicitSlot",
    "Close",
    "Delegate",
]);
/// A slot without a value is null.
static SLOTS: Shape = Shape::Map {
    length: ANY,
    key: &ANY_TEXT,
    value: &ANY_TEXT,
    sparse: true,
};
static FULFILLMENT_STATE: Shape = one_of(&["Fulfilled", "Failed", "ReadyForFulfillment"]);
static MESSAGE_FORMAT: Shape = one_of(&["PlainText", "CustomPayload", "SSML", "Composite"]);
static INTENT_SUMMARIES: Shape = Shape::list(between(0, 3), &INTENT_SUMMARY);
static INTENT_SUMMARY: Shape = Shape::Structure(&[
    optional("intentName", &ANY_TEXT),
    optional("checkpointLabel", &CHECKPOINT_LABEL),
    optional("slots", &SLOTS),
    optional("confirmationStatus", &CONFIRMATION_STATUS),
    required("dialogActionType", &DIALOG_ACTION_TYPE),
    optional("fulfillmentState", &FULFILLMENT_STATE),
    optional("slotToElicit", &ANY_TEXT),
]);
static CONFIRMATION_STATUS: Shape = one_of(&["None", "Confirmed", "Denied"]);

/// `DeleteSession`.
pub static DELETE_SESSION: Shape = Shape::Structure(&[
    required("botName", &ANY_TEXT).param("botName"),
    required("botAlias", &ANY_TEXT).param("botAlias"),
    required("userId", &USER_ID).param("userId"),
]);
