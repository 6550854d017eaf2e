//! Settings of conversation logs: what a request may ask for, and what holds for a session.

use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use super::aliases::Alias;
use crate::aws::{AwsError, Call, Refusal};

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
                Some("TEXT") => logs.text = Some(arn.trim_end_matches(":*").to_owned()),
                Some("AUDIO") => {
                    logs.audio = Some(AudioLogs {
                        bucket: arn.rsplit(':').next().unwrap_or_default().to_owned(),
                        kms_key: super::text(setting, "kmsKeyArn"),
                    });
                }
                _ => {}
            }
        }
        Some(logs)
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
    let settings = logs.get("logSettings").and_then(Json::as_array);
    let settings = settings.unwrap_or_default();
    if settings.is_empty() {
        return Ok(None);
    }
    let aws = &call.app.config().aws;
    let group = format!("logs:{}:{}:log-group:", aws.region, aws.account);
    for (i, setting) in settings.iter().enumerate() {
        let member = |name: &str| super::text(setting, name).unwrap_or_default();
        let wrong = |message: &str| {
            let at = format!("conversationLogs.logSettings[{i}]");
            Err(Refusal::from(AwsError::bad(format!("{at}: {message}"))))
        };
        let arn = member("resourceArn");
        let rest = arn.splitn(3, ':').nth(2).unwrap_or_default();
        let kind = member("logType");
        match (kind.as_str(), member("destination").as_str()) {
            ("TEXT", "CLOUDWATCH_LOGS") if !rest.starts_with("logs:") => {
                return wrong("resourceArn must be that of a log group");
            }
            ("TEXT", "CLOUDWATCH_LOGS") if !rest.starts_with(&group) => {
                return wrong("the log group must be in the region and account of the bot");
            }
            ("TEXT", "CLOUDWATCH_LOGS") if setting.get("kmsKeyArn").is_some() => {
                return wrong("kmsKeyArn is for audio only: text is encrypted by its log group");
            }
            ("AUDIO", "S3") if !rest.starts_with("s3:") => {
                return wrong("resourceArn must be that of an S3 bucket");
            }
            ("TEXT", "CLOUDWATCH_LOGS") | ("AUDIO", "S3") => {}
            _ => return wrong("text goes to CLOUDWATCH_LOGS, and audio to S3"),
        }
        let same = settings
            .iter()
            .filter(|other| super::text(other, "logType").as_deref() == Some(kind.as_str()));
        if same.count() > 1 {
            return wrong("logType stands there twice");
        }
    }
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
