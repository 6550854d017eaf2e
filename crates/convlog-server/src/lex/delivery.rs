//! What of a turn goes out of the server, under the names that its alias gave.

use convlog_model::record::Draft;

use super::logs::Logs;
use super::session::Session;
use super::turn::{Address, Question};
use crate::aws::{Call, Refusal};
use crate::cloudwatch;
use crate::deliveries::{self, Destination, Owner, Underway};

/// Prepares the delivery of the text of a turn, where its session logs any; see
/// [`deliveries::prepare`].
pub(super) async fn text(
    call: &Call,
    (to, question): (&Address, &Question),
    session: &Session,
    draft: Option<&mut Draft>,
) -> Result<Option<Underway>, Refusal> {
    let group = session.logs.as_ref().and_then(|logs| logs.text.as_deref());
    let (Some(logs), Some(group), Some(draft)) = (&session.logs, group, draft) else {
        return Ok(None);
    };
    let destination = destination(logs, group, question);
    let owner = owner(to, session);
    let turn = (&owner, draft);
    let underway = deliveries::prepare(&call.app, &call.caller, &destination, turn);
    Ok(Some(underway.await?))
}

/// An entry that goes to a group of this server's own: it is there with its record, if the group is.
#[derive(Debug)]
pub(super) struct BuiltIn {
    owner: Owner,
    group: String,
    entry: String,
}

/// The entry of a turn, where log groups are this server's own.
pub(super) fn built_in(
    call: &Call,
    to: &Address,
    session: &Session,
    draft: Option<&Draft>,
) -> Option<BuiltIn> {
    if !call.app.config().aws.builtin_logs {
        return None;
    }
    let group = session.logs.as_ref()?.group()?;
    Some(BuiltIn {
        owner: owner(to, session),
        group: group.to_owned(),
        entry: draft?.raw.as_str().to_owned(),
    })
}

impl BuiltIn {
    /// Counts the entry, once its record is kept: a group that is not there does not show it.
    pub(super) async fn count(&self, call: &Call) {
        let (app, instance) = (&call.app, &call.caller.instance);
        let has_group = cloudwatch::has_group(app, instance, &self.group).await;
        let is_there = has_group.unwrap_or(false);
        deliveries::count_text(app, instance, &self.owner, is_there);
        if is_there {
            cloudwatch::count_turn(app, instance, &self.group, &self.entry).await;
        } else {
            deliveries::tell_missing(app, instance, &self.owner).await;
        }
    }
}

fn destination<'a>(logs: &'a Logs, group: &'a str, question: &Question) -> Destination<'a> {
    Destination {
        group,
        role: &logs.role,
        is_speech: question.audio.is_some(),
    }
}

fn owner(to: &Address, session: &Session) -> Owner {
    Owner {
        bot: to.bot.clone(),
        alias: to.alias.clone(),
        version: session.version.clone(),
    }
}
