//! Conversation logs of an alias: which kind goes where.

#[cfg(test)]
mod tests;

use convlog_model::json::Json;

use super::{Refused, item, refuse};
use crate::aws::arn::{BucketArn, KmsKeyArn, LogGroupArn, RoleArn};

const LOGS: &str = "conversationLogs";
const SETTINGS: &str = "conversationLogs.logSettings";

/// Where a bot lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Home<'a> {
    /// Region, such as `us-east-1`.
    pub region: &'a str,
    /// Account, 12 digits.
    pub account: &'a str,
}

/// Where conversations are logged. At least one of both kinds is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConversationLogs {
    /// The role that writes them.
    pub role: RoleArn,
    /// Where text goes.
    pub text: Option<LogGroupArn>,
    /// Where audio goes.
    pub audio: Option<AudioLogs>,
}

/// Where audio goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioLogs {
    /// The bucket.
    pub bucket: BucketArn,
    /// The key that encrypts it there.
    pub kms_key: Option<KmsKeyArn>,
}

/// What the body of `PutBotAlias` says about logs; `None` where they are off: without
/// `conversationLogs`, and with an empty list of settings. AWS does not say what the latter
/// means; a role without a place to write to asks for nothing.
///
/// # Errors
/// [`Refused`] for a kind that does not go with its destination, a kind that is set twice, a key
/// for text, and what lies in another account or region than the bot.
pub fn conversation_logs(body: &Json, home: Home<'_>) -> Result<Option<ConversationLogs>, Refused> {
    let Some(logs) = body.get(LOGS).filter(|logs| **logs != Json::Null) else {
        return Ok(None);
    };
    let mut text = None;
    let mut audio = None;
    let settings = logs.get("logSettings").and_then(Json::as_array);
    for (i, setting) in settings.unwrap_or_default().iter().enumerate() {
        let setting = Setting {
            members: setting,
            path: item(SETTINGS, i),
        };
        let is_second = match setting.text("logType") {
            "TEXT" => text.replace(setting.text_logs(home)?).is_some(),
            _ => audio.replace(setting.audio_logs()?).is_some(),
        };
        if is_second {
            return setting.refuse("logType", "must be in one setting only");
        }
    }
    let role = role(logs, home)?;
    let is_on = text.is_some() || audio.is_some();
    Ok(is_on.then_some(ConversationLogs { role, text, audio }))
}

fn role(logs: &Json, home: Home<'_>) -> Result<RoleArn, Refused> {
    let path = format!("{LOGS}.iamRoleArn");
    let arn = logs.get("iamRoleArn").and_then(Json::as_str);
    match arn.and_then(RoleArn::parse) {
        None => refuse(path, "must be the ARN of a role"),
        Some(role) if role.account != home.account => {
            refuse(path, "must be a role of the account of the bot")
        }
        Some(role) => Ok(role),
    }
}

struct Setting<'a> {
    members: &'a Json,
    path: String,
}

impl Setting<'_> {
    fn text(&self, member: &str) -> &str {
        let text = self.members.get(member).and_then(Json::as_str);
        text.unwrap_or_default()
    }

    fn refuse<T>(&self, member: &str, message: &str) -> Result<T, Refused> {
        refuse(format!("{}.{member}", self.path), message)
    }

    fn text_logs(&self, home: Home<'_>) -> Result<LogGroupArn, Refused> {
        if self.text("destination") != "CLOUDWATCH_LOGS" {
            return self.refuse("destination", "must be CLOUDWATCH_LOGS for text");
        }
        if self
            .members
            .get("kmsKeyArn")
            .is_some_and(|key| *key != Json::Null)
        {
            let message = "goes with S3 only; text is encrypted by the key of its log group";
            return self.refuse("kmsKeyArn", message);
        }
        match LogGroupArn::parse(self.text("resourceArn")) {
            None => self.refuse("resourceArn", "must be the ARN of a log group for text"),
            Some(group) if group.region != home.region => self.refuse(
                "resourceArn",
                "must be a log group in the region of the bot",
            ),
            Some(group) if group.account != home.account => self.refuse(
                "resourceArn",
                "must be a log group of the account of the bot",
            ),
            Some(group) => Ok(group),
        }
    }

    fn audio_logs(&self) -> Result<AudioLogs, Refused> {
        if self.text("destination") != "S3" {
            return self.refuse("destination", "must be S3 for audio");
        }
        let Some(bucket) = BucketArn::parse(self.text("resourceArn")) else {
            return self.refuse("resourceArn", "must be the ARN of a bucket for audio");
        };
        // A key may lie in another account; whether the role may use it shows when it is used.
        let kms_key = match self.members.get("kmsKeyArn") {
            None | Some(Json::Null) => None,
            Some(key) => match key.as_str().and_then(KmsKeyArn::parse) {
                None => return self.refuse("kmsKeyArn", "must be the ARN of a key or of an alias"),
                key => key,
            },
        };
        Ok(AudioLogs { bucket, kms_key })
    }
}
