//! Roles: who may pass one to an alias, and whether destinations can be written with it.

use convlog_dialects::lex::rules::logging::ConversationLogs;

use crate::auth::Role;
use crate::aws::{AwsError, Call, Refusal};
use crate::config::AwsRole;
use crate::deliveries;

/// Refuses settings whose destinations could never be written.
///
/// # Errors
/// 400 for a role that is not known here or that STS refuses, and for audio where no S3 is
/// configured; 403 for a role that the caller may not pass.
pub(super) async fn require(call: &Call, logs: &ConversationLogs) -> Result<(), Refusal> {
    let aws = &call.app.config().aws;
    if logs.audio.is_some() && aws.endpoints.s3.is_none() {
        let message = "Audio cannot be delivered: [aws.endpoints] s3 of the server names no S3.";
        return Err(AwsError::bad(message).into());
    }
    let arn = logs.role.to_string();
    let Some(role) = aws.roles.iter().find(|role| role.arn == arn) else {
        // Without any role there is nothing to be written with but this server's own groups.
        return match aws.roles.is_empty() && aws.builtin_logs && logs.audio.is_none() {
            true => Ok(()),
            false => Err(inaccessible(&arn).into()),
        };
    };
    require_pass(call, role)?;
    match role.assume && deliveries::is_role_refused(&call.app, &arn).await {
        true => Err(inaccessible(&arn).into()),
        false => Ok(()),
    }
}

/// In the words that clients wait for.
fn inaccessible(arn: &str) -> AwsError {
    AwsError::bad(format!("Lex can't access your IAM role {arn}."))
}

fn require_pass(call: &Call, role: &AwsRole) -> Result<(), Refusal> {
    let caller = &call.caller;
    let may = match &role.pass {
        None => caller.roles.has(Role::Admin),
        Some(keys) => keys.contains(&caller.key_id),
    };
    match may {
        true => Ok(()),
        false => {
            let message = format!(
                "The key is not authorized to perform: iam:PassRole on {}",
                role.arn
            );
            Err(AwsError::new("AccessDeniedException", message).into())
        }
    }
}
