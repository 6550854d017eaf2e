//! Requests for slot types and their versions.

use super::common::{
    ANY_TEXT, BOOLEAN, DESCRIPTION, NUMBERED_VERSION, PAGE, RESOURCE_NAME, SLOT_TYPE_NAME, VERSION,
};
use crate::aws::shape::{ANY, Shape, between, one_of, optional, required, text};

/// `PutSlotType`.
pub static PUT_SLOT_TYPE: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("description", &DESCRIPTION),
    optional("enumerationValues", &VALUES),
    optional("checksum", &ANY_TEXT),
    optional("valueSelectionStrategy", &STRATEGY),
    optional("createVersion", &BOOLEAN),
    optional("parentSlotTypeSignature", &SLOT_TYPE_NAME),
    optional("slotTypeConfigurations", &CONFIGURATIONS),
]);
static VALUES: Shape = Shape::list(between(0, 10_000), &ENUMERATION_VALUE);
static ENUMERATION_VALUE: Shape =
    Shape::Structure(&[required("value", &VALUE), optional("synonyms", &SYNONYMS)]);
static VALUE: Shape = text(between(1, 140));
static SYNONYMS: Shape = Shape::list(ANY, &VALUE);
static STRATEGY: Shape = one_of(&["ORIGINAL_VALUE", "TOP_RESOLUTION"]);
static CONFIGURATIONS: Shape = Shape::list(between(0, 10), &CONFIGURATION);
static CONFIGURATION: Shape =
    Shape::Structure(&[optional("regexConfiguration", &REGEX_CONFIGURATION)]);
static REGEX_CONFIGURATION: Shape = Shape::Structure(&[required("pattern", &REGEX)]);
static REGEX: Shape = text(between(1, 100));

/// `CreateSlotTypeVersion`.
pub static CREATE_SLOT_TYPE_VERSION: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("checksum", &ANY_TEXT),
]);

/// `GetSlotType`.
pub static GET_SLOT_TYPE: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("version", &VERSION).param("version"),
]);

/// `GetSlotTypes`.
pub static GET_SLOT_TYPES: Shape = Shape::Structure(&[
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
    optional("nameContains", &RESOURCE_NAME).param("nameContains"),
]);

/// `GetSlotTypeVersions`.
pub static GET_SLOT_TYPE_VERSIONS: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
]);

/// `DeleteSlotType`.
pub static DELETE_SLOT_TYPE: Shape =
    Shape::Structure(&[required("name", &RESOURCE_NAME).param("name")]);

/// `DeleteSlotTypeVersion`.
pub static DELETE_SLOT_TYPE_VERSION: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("version", &NUMBERED_VERSION).param("version"),
]);
