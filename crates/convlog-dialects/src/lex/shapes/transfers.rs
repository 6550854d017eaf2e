//! Requests that move definitions: imports, exports, and migrations to the second version of Lex.

use super::common::{ANY_TEXT, BOT_NAME, IAM_ROLE, NUMBERED_VERSION, PAGE, TAGS, VERSION};
use crate::aws::shape::{Pattern, Shape, between, matching, one_of, optional, required};

static RESOURCE_TYPE: Shape = one_of(&["BOT", "INTENT", "SLOT_TYPE"]);

/// `GetExport`.
pub static GET_EXPORT: Shape = Shape::Structure(&[
    required("name", &EXPORT_NAME).param("name"),
    required("version", &NUMBERED_VERSION).param("version"),
    required("resourceType", &RESOURCE_TYPE).param("resourceType"),
    required("exportType", &EXPORT_TYPE).param("exportType"),
]);
static EXPORT_NAME: Shape = matching(between(1, 100), &EXPORT_NAME_PATTERN);
static EXPORT_NAME_PATTERN: Pattern = Pattern::new(r"[a-zA-Z_]+");
static EXPORT_TYPE: Shape = one_of(&["ALEXA_SKILLS_KIT", "LEX"]);

/// `StartImport`.
pub static START_IMPORT: Shape = Shape::Structure(&[
    required("payload", &PAYLOAD),
    required("resourceType", &RESOURCE_TYPE),
    required("mergeStrategy", &MERGE_STRATEGY),
    optional("tags", &TAGS),
]);
static PAYLOAD: Shape = Shape::Blob;
static MERGE_STRATEGY: Shape = one_of(&["OVERWRITE_LATEST", "FAIL_ON_CONFLICT"]);

/// `GetImport`.
pub static GET_IMPORT: Shape =
    Shape::Structure(&[required("importId", &ANY_TEXT).param("importId")]);

/// `StartMigration`.
pub static START_MIGRATION: Shape = Shape::Structure(&[
    required("v1BotName", &BOT_NAME),
    required("v1BotVersion", &VERSION),
    required("v2BotName", &V2_BOT_NAME),
    required("v2BotRole", &IAM_ROLE),
    required("migrationStrategy", &MIGRATION_STRATEGY),
]);
static V2_BOT_NAME: Shape = matching(between(1, 100), &V2_BOT_NAME_PATTERN);
static V2_BOT_NAME_PATTERN: Pattern = Pattern::new(r"^([0-9a-zA-Z][_-]?)+$");
static MIGRATION_STRATEGY: Shape = one_of(&["CREATE_NEW", "UPDATE_EXISTING"]);

/// `GetMigration`.
pub static GET_MIGRATION: Shape =
    Shape::Structure(&[required("migrationId", &MIGRATION_ID).param("migrationId")]);
static MIGRATION_ID: Shape = matching(between(10, 10), &MIGRATION_ID_PATTERN);
static MIGRATION_ID_PATTERN: Pattern = Pattern::new(r"^[0-9a-zA-Z]+$");

/// `GetMigrations`.
pub static GET_MIGRATIONS: Shape = Shape::Structure(&[
    optional("sortByAttribute", &SORT_ATTRIBUTE).param("sortByAttribute"),
    optional("sortByOrder", &SORT_ORDER).param("sortByOrder"),
    optional("v1BotNameContains", &BOT_NAME).param("v1BotNameContains"),
    optional("migrationStatusEquals", &MIGRATION_STATUS).param("migrationStatusEquals"),
    optional("maxResults", &PAGE).param("maxResults"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
]);
static SORT_ATTRIBUTE: Shape = one_of(&["V1_BOT_NAME", "MIGRATION_DATE_TIME"]);
static SORT_ORDER: Shape = one_of(&["ASCENDING", "DESCENDING"]);
static MIGRATION_STATUS: Shape = one_of(&["IN_PROGRESS", "COMPLETED", "FAILED"]);
