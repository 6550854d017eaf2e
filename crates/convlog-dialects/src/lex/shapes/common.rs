//! Shapes that several tables of the model building API use.

use crate::aws::shape::{ANY, Pattern, Shape, between, matching, one_of, optional, required, text};

/// Letters with single underscores between or after them; no digits anywhere.
pub(super) static NAME: Pattern = Pattern::new(r"^([A-Za-z]_?)+$");
static NUMBER: Pattern = Pattern::new(r"[0-9]+");
static NUMBER_OR_LATEST: Pattern = Pattern::new(r"\$LATEST|[0-9]+");
static NAME_OR_DASH: Pattern = Pattern::new(r"^(-|^([A-Za-z]_?)+$)$");
static BUILT_IN_OR_OWN: Pattern = Pattern::new(r"^((AMAZON\.)_?|[A-Za-z]_?)+");
static ROLE: Pattern = Pattern::new(r"^arn:[\w\-]+:iam::[\d]{12}:role/.+$");

pub(super) static ANY_TEXT: Shape = text(ANY);
pub(super) static BOOLEAN: Shape = Shape::Boolean;
pub(super) static BOT_NAME: Shape = matching(between(2, 50), &NAME);
/// Of aliases, intents, slot types, channels and contexts.
pub(super) static RESOURCE_NAME: Shape = matching(between(1, 100), &NAME);
pub(super) static NAME_OR_ALL: Shape = matching(between(1, 100), &NAME_OR_DASH);
pub(super) static SLOT_TYPE_NAME: Shape = matching(between(1, 100), &BUILT_IN_OR_OWN);
pub(super) static VERSION: Shape = matching(between(1, 64), &NUMBER_OR_LATEST);
pub(super) static NUMBERED_VERSION: Shape = matching(between(1, 64), &NUMBER);
pub(super) static DESCRIPTION: Shape = text(between(0, 200));
pub(super) static IAM_ROLE: Shape = matching(between(20, 2048), &ROLE);
pub(super) static PAGE: Shape = Shape::Integer(between(1, 50));
pub(super) static LOCALE: Shape = one_of(&[
    "de-DE", "en-AU", "en-GB", "en-IN", "en-US", "es-419", "es-ES", "es-US", "fr-FR", "fr-CA",
    "it-IT", "ja-JP", "ko-KR",
]);

/// A question with the number of times that it is asked.
pub(super) static PROMPT: Shape = Shape::Structure(&[
    required("messages", &MESSAGES),
    required("maxAttempts", &MAX_ATTEMPTS),
    optional("responseCard", &RESPONSE_CARD),
]);
/// Something that is said.
pub(super) static STATEMENT: Shape = Shape::Structure(&[
    required("messages", &MESSAGES),
    optional("responseCard", &RESPONSE_CARD),
]);
pub(super) static RESPONSE_CARD: Shape = text(between(1, 50_000));
static MAX_ATTEMPTS: Shape = Shape::Integer(between(1, 5));
static MESSAGES: Shape = Shape::list(between(1, 15), &MESSAGE);
static MESSAGE: Shape = Shape::Structure(&[
    required("contentType", &CONTENT_TYPE),
    required("content", &CONTENT),
    optional("groupNumber", &GROUP_NUMBER),
]);
static CONTENT_TYPE: Shape = one_of(&["PlainText", "SSML", "CustomPayload"]);
static CONTENT: Shape = text(between(1, 1000));
static GROUP_NUMBER: Shape = Shape::Integer(between(1, 5));

pub(super) static TAGS: Shape = Shape::list(between(0, 200), &TAG);
static TAG: Shape = Shape::Structure(&[required("key", &TAG_KEY), required("value", &TAG_VALUE)]);
pub(super) static TAG_KEY: Shape = text(between(1, 128));
static TAG_VALUE: Shape = text(between(0, 256));
