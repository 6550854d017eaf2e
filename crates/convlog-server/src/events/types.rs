//! Every type of event that the server writes itself. docs/events.md is made of this table.
//!
//! Names follow the type list of ChatBotKit where it has one for the action.

/// What an entry of the audit did to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Create,
    /// It was handed out.
    Read,
    /// It changed.
    Update,
    /// It is gone.
    Delete,
    /// Somebody proved who they are, or failed to.
    Login,
    /// The server did it by itself.
    Run,
}

impl Action {
    /// The name in records and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "CREATE",
            Action::Read => "READ",
            Action::Update => "UPDATE",
            Action::Delete => "DELETE",
            Action::Login => "LOGIN",
            Action::Run => "RUN",
        }
    }
}

/// One type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// Its name, as `bot.create`.
    pub name: &'static str,
    /// What the audit says of it.
    pub action: Action,
    /// Whether it tells of something that went wrong.
    pub is_error: bool,
    /// When it is written, and what `meta` says beside `relations`.
    pub doc: &'static str,
}

use Action::{Create, Delete, Login, Read, Update};

const OK: bool = false;
const ERROR: bool = true;

macro_rules! types {
    ($($constant:ident: $name:literal, $action:expr, $is_error:expr, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub(crate) const $constant: EventType = EventType {
                name: $name,
                action: $action,
                is_error: $is_error,
                doc: $doc,
            };
        )*
        /// Every type.
        pub static TYPES: &[EventType] = &[$($constant),*];
    };
}

types! {
    BOT_CREATE: "bot.create", Create, OK, "a bot was made; `connector` is its kind";
    BOT_UPDATE: "bot.update", Update, OK, "a bot was replaced; `connector` is its kind";
    BOT_DELETE: "bot.delete", Delete, OK, "a bot was deleted; its records stay";
    DATASET_CREATE: "dataset.create", Create, OK, "the definition of a bot was uploaded first";
    DATASET_UPDATE: "dataset.update", Update, OK, "the definition of a bot was uploaded again";
    ERASURE_REQUEST: "erasure.request", Delete, OK,
        "an erasure was asked for and hides its records; `selector` is `customer` or `filter`, `records` their number";
    FILE_DOWNLOAD: "file.download", Read, OK,
        "an export or a backup began; `kind` says which, `format` and `purpose` how";
    INSTANCE_CREATE: "instance.create", Create, OK, "an instance was made";
    INTEGRATION_CONNECT: "integration.connect", Create, OK, "a log webhook was set up";
    INTEGRATION_UPDATE: "integration.update", Update, OK, "a log webhook was changed";
    INTEGRATION_DISCONNECT: "integration.disconnect", Delete, OK, "a log webhook was taken away";
    KEY_CREATE: "key.create", Create, OK, "a key was made; `roles` are its roles";
    KEY_DELETE: "key.delete", Delete, OK, "a key was revoked";
    RETENTION_CONFIRM: "retention.confirm", Update, OK,
        "retention that was held goes on by the clock as it is; `held` is why it was";
    SETTINGS_UPDATE: "settings.update", Update, OK, "the settings of the instance were replaced";
    USER_ERROR: "user.error", Login, ERROR,
        "a login failed: the id of a key came with a wrong secret; at most once a minute and key";
}
