//! Which connectors hold copies of what an erasure is about.

use std::collections::BTreeSet;

use convlog_model::store::Selector;

use super::order::{Forward, ForwardState, Holder};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::bots::{Bot, ConnectorConfig};
use crate::entity::Collection;
use crate::error::Fault;

/// Bots whose connectors an erasure by filter looks at.
const HOLDER_BOTS_MAX: usize = 10_000;

/// The connectors that have got what is to be erased. What a customer said may have gone to any
/// of the instance's; what a filter selects went to those of the bots that it finds.
pub(super) async fn holders(
    app: &App,
    caller: &Caller,
    selector: &Selector,
) -> Result<Vec<Holder>, Fault> {
    let all = Collection::<Bot>::new(app, "bots");
    let all = all.list(&scoped_id(&caller.instance, "")).await?;
    let mut found: Vec<Holder> = all.into_iter().filter_map(|bot| holder(bot.doc)).collect();
    if let Selector::Filter(filter) = selector
        && !found.is_empty()
    {
        let query = app.query();
        let concerned = query.values(caller, filter.clone(), "bot", HOLDER_BOTS_MAX);
        let concerned: BTreeSet<String> = concerned.await?.into_iter().collect();
        found.retain(|holder| concerned.contains(&holder.bot));
        for holder in &mut found {
            // Upstream knows customers, not our filters.
            holder.forward = None;
        }
    }
    Ok(found)
}

fn holder(bot: Bot) -> Option<Holder> {
    let forwards = match &bot.connector {
        ConnectorConfig::None
        | ConnectorConfig::Lex
        | ConnectorConfig::Echo
        | ConnectorConfig::Rules(_) => return None,
        ConnectorConfig::Webhook(_) => false,
        ConnectorConfig::Upstream(upstream) => upstream.forward_erasure,
    };
    let forward = Forward {
        state: ForwardState::Pending,
        attempts: 0,
        last_error: None,
    };
    Some(Holder {
        kind: bot.connector.kind().to_owned(),
        bot: bot.id,
        forward: forwards.then_some(forward),
    })
}
