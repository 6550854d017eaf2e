//! Requests for intents and their versions.

use super::common::{
    ANY_TEXT, BOOLEAN, DESCRIPTION, NUMBERED_VERSION, PAGE, PROMPT, RESOURCE_NAME, RESPONSE_CARD,
    SLOT_TYPE_NAME, STATEMENT, VERSION,
};
use crate::aws::shape::{
    Pattern, Shape, at_least, between, matching, one_of, optional, required, text,
};

/// `PutIntent`.
pub static PUT_INTENT: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("description", &DESCRIPTION),
    optional("slots", &SLOTS),
    optional("sampleUtterances", &INTENT_UTTERANCES),
    optional("confirmationPrompt", &PROMPT),
    optional("rejectionStatement", &STATEMENT),
    optional("followUpPrompt", &FOLLOW_UP_PROMPT),
    optional("conclusionStatement", &STATEMENT),
    optional("dialogCodeHook", &CODE_HOOK),
    optional("fulfillmentActivity", &FULFILLMENT_ACTIVITY),
    optional("parentIntentSignature", &ANY_TEXT),
    optional("checksum", &ANY_TEXT),
    optional("createVersion", &BOOLEAN),
    optional("kendraConfiguration", &KENDRA_CONFIGURATION),
    optional("inputContexts", &INPUT_CONTEXTS),
    optional("outputContexts", &OUTPUT_CONTEXTS),
]);
static INTENT_UTTERANCES: Shape = Shape::list(between(0, 1500), &UTTERANCE);
static UTTERANCE: Shape = text(between(1, 200));
static FOLLOW_UP_PROMPT: Shape = Shape::Structure(&[
    required("prompt", &PROMPT),
    required("rejectionStatement", &STATEMENT),
]);

static SLOTS: Shape = Shape::list(between(0, 100), &SLOT);
static SLOT: Shape = Shape::Structure(&[
    required("name", &SLOT_NAME),
    optional("description", &DESCRIPTION),
    required("slotConstraint", &SLOT_CONSTRAINT),
    optional("slotType", &SLOT_TYPE_NAME),
    optional("slotTypeVersion", &VERSION),
    optional("valueElicitationPrompt", &PROMPT),
    optional("priority", &PRIORITY),
    optional("sampleUtterances", &SLOT_UTTERANCES),
    optional("responseCard", &RESPONSE_CARD),
    optional("obfuscationSetting", &OBFUSCATION),
    optional("defaultValueSpec", &DEFAULT_VALUES),
]);
static SLOT_NAME: Shape = matching(between(1, 100), &SLOT_NAME_PATTERN);
// The dot is the model's: any character may follow a letter.
static SLOT_NAME_PATTERN: Pattern = Pattern::new(r"^([A-Za-z](-|_|.)?)+$");
static SLOT_CONSTRAINT: Shape = one_of(&["Required", "Optional"]);
static PRIORITY: Shape = Shape::Integer(between(0, 100));
static SLOT_UTTERANCES: Shape = Shape::list(between(0, 10), &UTTERANCE);
static OBFUSCATION: Shape = one_of(&["NONE", "DEFAULT_OBFUSCATION"]);
static DEFAULT_VALUES: Shape =
    Shape::Structure(&[required("defaultValueList", &DEFAULT_VALUE_LIST)]);
static DEFAULT_VALUE_LIST: Shape = Shape::list(between(0, 10), &DEFAULT_VALUE);
static DEFAULT_VALUE: Shape = Shape::Structure(&[required("defaultValue", &DEFAULT_VALUE_TEXT)]);
static DEFAULT_VALUE_TEXT: Shape = text(between(1, 202));

static CODE_HOOK: Shape = Shape::Structure(&[
    required("uri", &LAMBDA),
    required("messageVersion", &MESSAGE_VERSION),
]);
static LAMBDA: Shape = matching(between(20, 2048), &LAMBDA_ARN);
static LAMBDA_ARN: Pattern = Pattern::new(concat!(
    r"arn:aws[a-zA-Z-]*:lambda:[a-z]+-[a-z]+(-[a-z]+)*-[0-9]:[0-9]{12}",
    r":function:[a-zA-Z0-9-_]+",
    r"(\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?",
    r"(:[a-zA-Z0-9-_]+)?",
));
static MESSAGE_VERSION: Shape = text(between(1, 5));
static FULFILLMENT_ACTIVITY: Shape = Shape::Structure(&[
    required("type", &FULFILLMENT_TYPE),
    optional("codeHook", &CODE_HOOK),
]);
static FULFILLMENT_TYPE: Shape = one_of(&["ReturnIntent", "CodeHook"]);
static KENDRA_CONFIGURATION: Shape = Shape::Structure(&[
    required("kendraIndex", &KENDRA_INDEX),
    optional("queryFilterString", &QUERY_FILTER),
    required("role", &KENDRA_ROLE),
]);
static KENDRA_INDEX: Shape = matching(between(20, 2048), &KENDRA_INDEX_ARN);
static KENDRA_INDEX_ARN: Pattern =
    Pattern::new(r"arn:aws:kendra:[a-z]+-[a-z]+-[0-9]:[0-9]{12}:index\/[a-zA-Z0-9][a-zA-Z0-9_-]*");
static QUERY_FILTER: Shape = text(at_least(0));
static KENDRA_ROLE: Shape = matching(between(20, 2048), &KENDRA_ROLE_ARN);
static KENDRA_ROLE_ARN: Pattern = Pattern::new(r"arn:aws:iam::[0-9]{12}:role/.*");

static INPUT_CONTEXTS: Shape = Shape::list(between(0, 5), &INPUT_CONTEXT);
static INPUT_CONTEXT: Shape = Shape::Structure(&[required("name", &RESOURCE_NAME)]);
static OUTPUT_CONTEXTS: Shape = Shape::list(between(0, 10), &OUTPUT_CONTEXT);
static OUTPUT_CONTEXT: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME),
    required("timeToLiveInSeconds", &TTL_SECONDS),
    required("turnsToLive", &TTL_TURNS),
]);
static TTL_SECONDS: Shape = Shape::Integer(between(5, 86_400));
static TTL_TURNS: Shape = Shape::Integer(between(1, 20));

/// `CreateIntentVersion`.
pub static CREATE_INTENT_VERSION: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("checksum", &ANY_TEXT),
]);

/// `GetIntent`.
pub static GET_INTENT: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("version", &VERSION).param("version"),
]);

/// `GetIntents`.
pub static GET_INTENTS: Shape = Shape::Structure(&[
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
    optional("nameContains", &RESOURCE_NAME).param("nameContains"),
]);

/// `GetIntentVersions`.
pub static GET_INTENT_VERSIONS: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
]);

/// `DeleteIntent`.
pub static DELETE_INTENT: Shape =
    Shape::Structure(&[required("name", &RESOURCE_NAME).param("name")]);

/// `DeleteIntentVersion`.
pub static DELETE_INTENT_VERSION: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("version", &NUMBERED_VERSION).param("version"),
]);
