//! Requests for what users said.

use super::common::{BOT_NAME, VERSION};
use crate::aws::shape::{Shape, between, one_of, required, text};

/// `GetUtterancesView`.
pub static GET_UTTERANCES_VIEW: Shape = Shape::Structure(&[
    required("botName", &BOT_NAME).param("botname"),
    required("botVersions", &BOT_VERSIONS).param("bot_versions"),
    required("statusType", &STATUS_TYPE).param("status_type"),
]);
static BOT_VERSIONS: Shape = Shape::list(between(1, 5), &VERSION);
static STATUS_TYPE: Shape = one_of(&["Detected", "Missed"]);

/// `DeleteUtterances`. This API sets no pattern for ids of users.
pub static DELETE_UTTERANCES: Shape = Shape::Structure(&[
    required("botName", &BOT_NAME).param("botName"),
    required("userId", &USER_ID).param("userId"),
]);
static USER_ID: Shape = text(between(2, 100));
