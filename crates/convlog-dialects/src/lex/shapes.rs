//! What requests of the model building API (`lex-models`, 2017-04-19) and of the runtime
//! (`lex-runtime`, 2016-11-28) may hold: one table per operation, with the constraints of the
//! service models as AWS published them last.

pub mod aliases;
pub mod bots;
pub mod builtins;
pub mod channels;
mod common;
pub mod intents;
pub mod runtime;
pub mod slot_types;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod transfers;
pub mod utterances;

use crate::aws::shape::{Operation, Shape};

/// All operations of both APIs, whose names do not overlap.
pub static OPERATIONS: &[Operation] = &[
    Operation::new("PutBot", &bots::PUT_BOT),
    Operation::new("CreateBotVersion", &bots::CREATE_BOT_VERSION),
    Operation::new("GetBot", &bots::GET_BOT),
    Operation::new("GetBots", &bots::GET_BOTS),
    Operation::new("GetBotVersions", &bots::GET_BOT_VERSIONS),
    Operation::new("DeleteBot", &bots::DELETE_BOT),
    Operation::new("DeleteBotVersion", &bots::DELETE_BOT_VERSION),
    Operation::new("PutBotAlias", &aliases::PUT_BOT_ALIAS),
    Operation::new("GetBotAlias", &aliases::GET_BOT_ALIAS),
    Operation::new("GetBotAliases", &aliases::GET_BOT_ALIASES),
    Operation::new("DeleteBotAlias", &aliases::DELETE_BOT_ALIAS),
    Operation::new("PutIntent", &intents::PUT_INTENT),
    Operation::new("CreateIntentVersion", &intents::CREATE_INTENT_VERSION),
    Operation::new("GetIntent", &intents::GET_INTENT),
    Operation::new("GetIntents", &intents::GET_INTENTS),
    Operation::new("GetIntentVersions", &intents::GET_INTENT_VERSIONS),
    Operation::new("DeleteIntent", &intents::DELETE_INTENT),
    Operation::new("DeleteIntentVersion", &intents::DELETE_INTENT_VERSION),
    Operation::new("PutSlotType", &slot_types::PUT_SLOT_TYPE),
    Operation::new(
        "CreateSlotTypeVersion",
        &slot_types::CREATE_SLOT_TYPE_VERSION,
    ),
    Operation::new("GetSlotType", &slot_types::GET_SLOT_TYPE),
    Operation::new("GetSlotTypes", &slot_types::GET_SLOT_TYPES),
    Operation::new("GetSlotTypeVersions", &slot_types::GET_SLOT_TYPE_VERSIONS),
    Operation::new("DeleteSlotType", &slot_types::DELETE_SLOT_TYPE),
    Operation::new(
        "DeleteSlotTypeVersion",
        &slot_types::DELETE_SLOT_TYPE_VERSION,
    ),
    Operation::new(
        "GetBotChannelAssociation",
        &channels::GET_BOT_CHANNEL_ASSOCIATION,
    ),
    Operation::new(
        "GetBotChannelAssociations",
        &channels::GET_BOT_CHANNEL_ASSOCIATIONS,
    ),
    Operation::new(
        "DeleteBotChannelAssociation",
        &channels::DELETE_BOT_CHANNEL_ASSOCIATION,
    ),
    Operation::new("GetBuiltinIntent", &builtins::GET_BUILTIN_INTENT),
    Operation::new("GetBuiltinIntents", &builtins::GET_BUILTINS),
    Operation::new("GetBuiltinSlotTypes", &builtins::GET_BUILTINS),
    Operation::new("ListTagsForResource", &tags::LIST_TAGS_FOR_RESOURCE),
    Operation::new("TagResource", &tags::TAG_RESOURCE),
    Operation::new("UntagResource", &tags::UNTAG_RESOURCE),
    Operation::new("GetUtterancesView", &utterances::GET_UTTERANCES_VIEW),
    Operation::new("DeleteUtterances", &utterances::DELETE_UTTERANCES),
    Operation::new("GetExport", &transfers::GET_EXPORT),
    Operation::new("StartImport", &transfers::START_IMPORT),
    Operation::new("GetImport", &transfers::GET_IMPORT),
    Operation::new("StartMigration", &transfers::START_MIGRATION),
    Operation::new("GetMigration", &transfers::GET_MIGRATION),
    Operation::new("GetMigrations", &transfers::GET_MIGRATIONS),
    Operation::new("PostText", &runtime::POST_TEXT),
    Operation::new("PostContent", &runtime::POST_CONTENT),
    Operation::new("GetSession", &runtime::GET_SESSION),
    Operation::new("PutSession", &runtime::PUT_SESSION),
    Operation::new("DeleteSession", &runtime::DELETE_SESSION),
];

/// What requests of the operation `name` may hold; `None` for one that neither API has.
#[must_use]
pub fn input(name: &str) -> Option<&'static Shape> {
    let found = OPERATIONS.iter().find(|operation| operation.name == name);
    found.map(|operation| operation.input)
}
