//! What of a turn goes out of the server, under the names that its alias gave.

use convlog_model::record::Draft;

use super::logs::Logs;
use super::session::Session;
use super::turn::{Address, Question};
use crate::aws::{Call, Refusal};
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
