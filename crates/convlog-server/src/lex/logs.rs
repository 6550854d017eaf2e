//! Settings of conversation logs: what a request may ask for, and what holds for a session.

use convlog_dialects::aws::arn::{BucketArn, LogGroupArn};
use convlog_dialects::lex::rules::logging::{Home, conversation_logs};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::aliases::Alias;
use crate::aws::{Call, Refusal};

/// What is logged of a session: taken when it begins, and kept until it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logs {
    /// Role by which destinations are written.
    pub role: String,
    /// Where streams and keys begin.
    pub prefix: String,
    /// ARN of the log group for text, without `:*` at its end.
    pub text: Option<String>,
    /// Where audio goes.
    pub audio: Option<AudioLogs>,
}

/// Where audio goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AudioLogs {
    pub bucket: String,
    pub kms_key: Option<String>,
}

impl Logs {
    /// What an alias logs, `None` when it logs nothing.
    pub(crate) fn of_alias(bot: &str, alias: &Alias) -> Option<Self> {
        let settings = alias.conversation_logs.as_ref()?;
        let mut logs = Logs {
            role: super::text(settings, "iamRoleArn").unwrap_or_default(),
            prefix: alias.resource_prefix(bot),
            ..Logs::default()
        };
        let each = settings.get("logSettings").and_then(Json::as_array);
        for setting in each.unwrap_or_default() {
            let arn = super::text(setting, "resourceArn").unwrap_or_default();
            match super::text(setting, "logType").as_deref() {
                Some("TEXT") => {
                    logs.text = LogGroupArn::parse(&arn).map(|group| group.to_string());
                }
                Some("AUDIO") => {
                    logs.audio = BucketArn::parse(&arn).map(|arn| AudioLogs {
                        bucket: arn.bucket,
                        kms_key: super::text(setting, "kmsKeyArn"),
                    });
                }
                _ => {}
            }
        }
        Some(logs)
    }

    /// Name of the log group for text.
    pub(super) fn group(&self) -> Option<&str> {
        LogGroupArn::name_in(self.text.as_deref()?)
    }

    /// The stream of an utterance: one a day and instance, and one more for speech, whose entries
    /// wait for their audio.
    pub(super) fn stream(&self, at: Timestamp, instance: &InstanceId, is_speech: bool) -> String {
        let day = at.to_millis_text();
        let day = day.split('T').next().unwrap_or_default();
        let speech = if is_speech { "/speech" } else { "" };
        format!("{}{day}/{instance}{speech}", self.prefix)
    }
}

/// The settings of a request: `None` where it asks for none.
///
/// # Errors
/// 400 for settings that contradict each other or the account, and for a role that cannot be
/// taken on.
pub(super) async fn of_request(call: &Call, sent: &Json) -> Result<Option<Json>, Refusal> {
    let Some(logs) = sent
        .get("conversationLogs")
        .filter(|logs| **logs != Json::Null)
    else {
        return Ok(None);
    };
    let aws = &call.app.config().aws;
    let home = Home {
        region: &aws.region,
        account: &aws.account,
    };
    let found = conversation_logs(sent, home).map_err(|broken| super::refused(&broken))?;
    let Some(found) = found else {
        return Ok(None);
    };
    super::roles::require(call, &found).await?;
    Ok(Some(super::kept(logs, &["iamRoleArn", "logSettings"])))
}

/// The kinds of logs of an alias, for the event that tells of it.
pub(super) fn kinds(logs: Option<&Json>) -> String {
    let settings = logs.and_then(|logs| logs.get("logSettings")?.as_array());
    let kinds = settings.unwrap_or_default().iter();
    let kinds: Vec<String> = kinds
        .filter_map(|setting| super::text(setting, "logType"))
        .collect();
    match kinds.is_empty() {
        true => "none".to_owned(),
        false => kinds.join(" ").to_lowercase(),
    }
}
