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

use Action::{Create, Delete, Login, Read, Run, Update};

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

/// A type of event that no record has: readers of events see it in the record of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projected {
    /// Its name, as `message.create`.
    pub name: &'static str,
    /// What it tells.
    pub doc: &'static str,
}

/// Every type of that kind.
pub static PROJECTED: &[Projected] = &[
    Projected {
        name: "conversation.create",
        doc: "a conversation began: the first turn of one",
    },
    Projected {
        name: "message.create",
        doc: "somebody said something: the question of a turn, and its answer; `type` is `user` or \
              `bot`, `text` what was said, cut at 64 KiB",
    },
    Projected {
        name: "response.time",
        doc: "a metric: how many milliseconds a bot took for the answer, in `value`",
    },
];

types! {
    ALIAS_CREATE: "alias.create", Create, OK,
        "an alias of a Lex bot was made; `alias` is its name, `logs` what it logs: `text`, `audio`, both or `none`";
    ALIAS_DELETE: "alias.delete", Delete, OK, "an alias of a Lex bot was deleted; `alias` is its name";
    ALIAS_UPDATE: "alias.update", Update, OK,
        "an alias of a Lex bot was replaced, as for `alias.create`; where `changed` is `tags`, they alone";
    BOT_CREATE: "bot.create", Create, OK,
        "a bot was made; `connector` is its kind, `seen` is `import` for one that records named first";
    BOT_DELETE: "bot.delete", Delete, OK, "a bot was deleted; its records stay";
    BOT_UPDATE: "bot.update", Update, OK, "a bot was replaced; `connector` is its kind; of a Lex bot `version` is the version that was made or deleted, `changed` is `tags` where they alone changed, `utterances` where what a user has said counts no more";
    DATASET_CREATE: "dataset.create", Create, OK, "the definition of a bot was uploaded first";
    DATASET_DELETE: "dataset.delete", Delete, OK, "the definition of a bot went with the bot";
    DATASET_UPDATE: "dataset.update", Update, OK, "the definition of a bot was uploaded again";
    DELIVERY_FAILED: "delivery.failed", Run, ERROR,
        "a try to pass an erasure on failed, and is repeated; `class` says how, `attempts` is the number of tries so far";
    DELIVERY_SENT: "delivery.sent", Run, OK,
        "an upstream server has accepted an erasure that was passed on to it; `attempts` is the number of tries";
    ERASURE_DONE: "erasure.done", Run, OK,
        "the last trace of what an erasure hid is gone from every file; `records` is their number, `requested_at`, `hidden_at`, `rows_overwritten_at` and `done_at` are when each step ended";
    ERASURE_REQUEST: "erasure.request", Delete, OK,
        "an erasure was asked for and hides its records; `selector` is `customer` or `filter`, `records` their number";
    FILE_DOWNLOAD: "file.download", Read, OK,
        "an export or a backup began; `kind` says which, `format` and `purpose` how";
    FILE_DOWNLOAD_ERROR: "file.download.error", Read, ERROR,
        "an export or a backup ended early; `kind` says which, `why` is `store`, or `cut` for a receiver that has gone, `records` or `bytes` is how much was handed out";
    FILE_UPLOAD: "file.upload", Create, OK,
        "an import, one request of `POST /convlog/v1/records`, has handed all its records to the store; `dialect` is the form of its lines, `records` their number, with those that were known already, `rejected` the number of lines that were refused before";
    FILE_UPLOAD_ERROR: "file.upload.error", Create, ERROR,
        "an import ended early, and what it had stored before stays; `dialect` is the form of its lines, `accepted`, `duplicates`, `erased` and `rejected` are their numbers so far, `why` is the status or `cut`, `unknown` the number of lines that may be stored or not";
    INSTANCE_CREATE: "instance.create", Create, OK, "an instance was made";
    INTEGRATION_CONNECT: "integration.connect", Create, OK, "a log webhook was set up";
    INTEGRATION_DISCONNECT: "integration.disconnect", Delete, OK, "a log webhook was taken away";
    INTEGRATION_ERROR: "integration.error", Login, ERROR,
        "a delivery to a log webhook was refused; `why` is `proof` for a wrong signature or header, `body` for what is no log; at most once a minute, hook and reason";
    INTEGRATION_SENTIMENT_FAILED: "integration.sentiment.failed", Run, ERROR,
        "the service that tells the sentiment of users of a Lex bot did not answer, and a turn went on without; `class` says how; at most once a minute and class";
    INTEGRATION_UPDATE: "integration.update", Update, OK, "a log webhook was changed";
    INTEGRATION_UPSTREAM_FAILED: "integration.upstream.failed", Run, ERROR,
        "the upstream server of a bot did not answer a message; `class` says how, `status` is its status; erased with the customer";
    INTEGRATION_WEBHOOK_FAILED: "integration.webhook.failed", Run, ERROR,
        "the webhook of a bot did not answer a message; as for `integration.upstream.failed`";
    INTENT_CREATE: "intent.create", Create, OK, "an intent of Lex was made; `intent` is its name";
    INTENT_DELETE: "intent.delete", Delete, OK, "an intent of Lex was deleted with its versions, as for `intent.create`";
    INTENT_UPDATE: "intent.update", Update, OK,
        "an intent of Lex was replaced; where `version` is given, that version was made or deleted";
    KEY_CREATE: "key.create", Create, OK, "a key was made; `roles` are its roles";
    KEY_DELETE: "key.delete", Delete, OK, "a key was revoked";
    LOG_DELIVERY_DEAD: "log_delivery.dead", Run, ERROR,
        "conversation logs could not be delivered and are tried no more until somebody asks for it; `kind` is `text` or `audio`, `class` says why, `attempts` how often it was tried, `entries` the number of entries or objects; at most once a minute, destination and class";
    LOG_DELIVERY_FAILED: "log_delivery.failed", Run, ERROR,
        "a try to deliver conversation logs failed and is repeated; as for `log_delivery.dead`, and for `kind` = `subscription` with `log_group` and `filter`";
    LOG_DELIVERY_RETRY: "log_delivery.retry", Update, OK,
        "somebody asked to try conversation logs again that were given up; `entries` is their number";
    LOG_DELIVERY_SENT: "log_delivery.sent", Run, OK,
        "a destination of conversation logs takes them again after failures; `kind` as for `log_delivery.failed`, `attempts` is the number of tries";
    LOG_GROUP_CREATE: "log_group.create", Create, OK, "a log group was made; `log_group` is its name";
    LOG_GROUP_DELETE: "log_group.delete", Delete, OK,
        "a log group was deleted with what `PutLogEvents` had brought, as for `log_group.create`; turns of Lex stay records";
    LOG_GROUP_UPDATE: "log_group.update", Update, OK,
        "a log group was changed, as for `log_group.create`; `changed` is `retention`, `tags`, `metric_filters` or `subscription_filters`";
    REDACTION_UPDATE: "redaction.update", Update, OK,
        "a policy of redaction was replaced, or a bot's `privacy` switched; of the instance unless it names a bot";
    RETENTION_CONFIRM: "retention.confirm", Update, OK,
        "retention that was held goes on by the clock as it is; `held` is why it was";
    RETENTION_PURGE: "retention.purge", Run, OK,
        "a pass of retention has taken records of the instance out of every file; `records` is their number, `from` and `to` are the first and the last time of receipt among them";
    SETTINGS_UPDATE: "settings.update", Update, OK, "the settings of the instance were replaced";
    SLOT_TYPE_CREATE: "slot_type.create", Create, OK, "a slot type of Lex was made; `slot_type` is its name";
    SLOT_TYPE_DELETE: "slot_type.delete", Delete, OK,
        "a slot type of Lex was deleted with its versions, as for `slot_type.create`";
    SLOT_TYPE_UPDATE: "slot_type.update", Update, OK,
        "a slot type of Lex was replaced; where `version` is given, that version was made or deleted";
    SYSTEM_START: "system.start", Run, OK,
        "the server takes requests; `version` is its version, `clean` says whether it was stopped in order before, where that is known";
    SYSTEM_STOP: "system.stop", Run, OK,
        "the server takes no requests any more and ends in order; `started_at` is when it began";
    USER_ERROR: "user.error", Login, ERROR,
        "a login failed: the id of a key came with a wrong secret (`why` is `secret`), or the key has expired (`expired`); at most once a minute and key";
    USER_LOGIN: "user.login", Login, OK, "a key was exchanged for a token; `via` is `iam` or `cp4d`";
}
