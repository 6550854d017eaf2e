//! Requests for the channels of bots.

use super::common::{ANY_TEXT, BOT_NAME, NAME_OR_ALL, PAGE, RESOURCE_NAME};
use crate::aws::shape::{Shape, optional, required};

/// `GetBotChannelAssociation`.
pub static GET_BOT_CHANNEL_ASSOCIATION: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("botName", &BOT_NAME).param("botName"),
    required("botAlias", &RESOURCE_NAME).param("aliasName"),
]);

/// `GetBotChannelAssociations`; the alias `-` stands for all.
pub static GET_BOT_CHANNEL_ASSOCIATIONS: Shape = Shape::Structure(&[
    required("botName", &BOT_NAME).param("botName"),
    required("botAlias", &NAME_OR_ALL).param("aliasName"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
    optional("nameContains", &RESOURCE_NAME).param("nameContains"),
]);

/// `DeleteBotChannelAssociation`.
pub static DELETE_BOT_CHANNEL_ASSOCIATION: Shape = Shape::Structure(&[
    required("name", &RESOURCE_NAME).param("name"),
    required("botName", &BOT_NAME).param("botName"),
    required("botAlias", &RESOURCE_NAME).param("aliasName"),
]);
