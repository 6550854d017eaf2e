//! `/bots/{name}/utterances`: what users said most, computed from logged turns.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_model::aggregate::{GroupBy, Metric, Row};
use convlog_model::fields::FieldRef;
use convlog_model::filter::{Bound, CompareOp, Filter, Literal, Test};
use convlog_model::json::Json;
use convlog_model::query::{Sort, SortKey};
use convlog_model::record::Dialect;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::shelf::{Kind, Shelf, Shelves};
use super::{answer, done, known, view as views};
use crate::app::scoped_id;
use crate::aws::{AwsError, Call, Refusal};
use crate::entity::{Change, Collection};
use crate::error::Fault;
use crate::events::{self, OwnEvent};

/// How far back it looks.
const DAYS_US: i64 = 15 * 24 * 3600 * 1_000_000;
/// Most utterances of a version, the most frequent.
const UTTERANCES_MAX: usize = 100;
/// Most users of a bot whose utterances were taken out of the count within that time.
const USERS_MAX: usize = 1_000;
/// Whose utterances do not count, and up to when.
const COLLECTION: &str = "lex_unheard";

const UTTERED: &str = "time.request";

/// Users whose turns up to a moment do not count, in microseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Unheard {
    users: BTreeMap<String, i64>,
}

impl Unheard {
    /// The turns that count.
    fn filter(&self) -> Filter {
        let each = self.users.iter().map(|(user, until_us)| {
            let until = Timestamp::from_micros(*until_us);
            Filter::And(vec![
                Filter::equals("user", user),
                compare(CompareOp::Le, until),
            ])
        });
        match self.users.is_empty() {
            true => Filter::All,
            false => Filter::Not(Box::new(Filter::Or(each.collect()))),
        }
    }
}

fn compare(op: CompareOp, moment: Timestamp) -> Filter {
    let bound = Bound::at(moment);
    Filter::test(UTTERED, Test::Compare { op, bound })
}

fn unheard(call: &Call) -> Collection<'_, Unheard> {
    Collection::new(&call.app, COLLECTION)
}

fn shelves(call: &Call) -> Shelves<'_> {
    Shelves::new(&call.app, Kind::Bot, &call.caller.instance)
}

/// `GET /bots/{name}/utterances?view=aggregation&bot_versions=&status_type=`
pub(crate) async fn view(Path(bot): Path<String>, call: Call) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    let path = [("botname", bot.as_str())];
    super::require_shape(&call, "GetUtterancesView", &Json::object([]), &path)?;
    if call.parameter("view") != Some("aggregation") {
        return Err(AwsError::bad("view must be aggregation.").into());
    }
    let shelf = shelves(&call).get(&bot).await?;
    let key = scoped_id(&call.caller.instance, &bot);
    let not_heard = unheard(&call).get(&key).await?;
    let not_heard = not_heard.map(|found| found.doc).unwrap_or_default();
    let since_us = call.app.now().micros().saturating_sub(DAYS_US);
    let is_missed = call.parameter("status_type") == Some("Missed");
    let missed = Test::Equals(Literal::bare(is_missed.to_string()));
    let filter = Filter::And(vec![
        Filter::equals("kind", "turn"),
        Filter::equals("dialect", Dialect::LexV1.as_str()),
        Filter::equals("bot", &bot),
        Filter::test("outcome.missed", missed),
        Filter::exists("input.text"),
        compare(CompareOp::Ge, Timestamp::from_micros(since_us)),
    ]);
    let filter = filter.and(not_heard.filter());
    let mut lists: Vec<Json> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let versions = call.query.iter().filter(|(name, _)| name == "bot_versions");
    for (_, version) in versions {
        if seen.contains(&version.as_str()) {
            continue;
        }
        seen.push(version);
        if may_show(&call, &shelf, version).await? {
            let of_version = filter.clone().and(Filter::equals("version", version));
            lists.push(Json::object([
                ("botVersion", Json::string(version.as_str())),
                ("utterances", utterances(&call, of_version).await?),
            ]));
        }
    }
    let shown = Json::object([
        ("botName", Json::string(bot.as_str())),
        ("utterances", Json::Array(lists)),
    ]);
    Ok(answer(StatusCode::OK, &shown))
}

/// Whether what was said to a version may be shown: nothing of what is hidden in logs, nothing of
/// children.
async fn may_show(call: &Call, shelf: &Shelf, version: &str) -> Result<bool, Refusal> {
    let instance = &call.caller.instance;
    let ready = known::ready(&call.app, instance, shelf, version).await?;
    let hides = ready.hidden.values().any(|slots| !slots.is_empty());
    Ok(!hides && !ready.compiled.bot().child_directed)
}

async fn utterances(call: &Call, filter: Filter) -> Result<Json, Refusal> {
    let by = GroupBy::Terms {
        field: FieldRef::canonical("input.text"),
        limit: UTTERANCES_MAX,
    };
    let users = Metric::Distinct(FieldRef::canonical("user"));
    let table = call
        .app
        .query()
        .aggregate(
            &call.caller,
            filter.clone(),
            vec![by],
            vec![Metric::Count, users],
        )
        .await?;
    let mut shown = Vec::new();
    for row in &table.rows {
        if let Some(text) = row.keys.first().and_then(Json::as_str) {
            shown.push(utterance(call, &filter, text, row).await?);
        }
    }
    Ok(Json::Array(shown))
}

async fn utterance(call: &Call, filter: &Filter, text: &str, row: &Row) -> Result<Json, Refusal> {
    let same = filter.clone().and(Filter::equals("input.text", text));
    let first = moment(call, same.clone(), false).await?;
    let last = match row.count {
        1 => first,
        _ => moment(call, same, true).await?,
    };
    let count = i64::try_from(row.count).unwrap_or(i64::MAX);
    let users = row.metrics.last().cloned();
    let mut shown = Json::object([
        ("utteranceString", Json::string(text)),
        ("count", Json::integer(count)),
        ("distinctUsers", users.unwrap_or(Json::integer(0))),
    ]);
    for (member, moment) in [("firstUtteredDate", first), ("lastUtteredDate", last)] {
        if let Some(moment) = moment {
            shown.set(member, views::seconds(moment.micros()));
        }
    }
    Ok(shown)
}

/// When the first or the last of the matching turns was.
async fn moment(call: &Call, filter: Filter, is_last: bool) -> Result<Option<Timestamp>, Refusal> {
    let sort = Sort {
        key: SortKey::Request,
        descending: is_last,
    };
    let door = call.app.query();
    let page = door.page(&call.caller, filter, sort, 1, None).await?;
    let record = page.records.first();
    let field = FieldRef::canonical(UTTERED);
    Ok(record.and_then(|record| record.flat_of(&[field]).time(UTTERED)))
}

/// `DELETE /bots/{name}/utterances/{userId}`: what the user has said so far counts no more. The
/// records stay.
pub(crate) async fn delete(
    Path((bot, user)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&bot)?;
    let path = [("botName", bot.as_str()), ("userId", user.as_str())];
    super::require_shape(&call, "DeleteUtterances", &Json::object([]), &path)?;
    shelves(&call).get(&bot).await?;
    let now_us = call.app.now().micros();
    let event = OwnEvent::new(&call.app, &call.caller, events::BOT_UPDATE)
        .about("botId", &bot)
        .with("changed", "utterances");
    let key = scoped_id(&call.caller.instance, &bot);
    let changed = unheard(&call).change(&key, |old| {
        let mut doc = old.unwrap_or_default();
        // Turns of before are not looked at by now.
        doc.users
            .retain(|_, until_us| until_us.saturating_add(DAYS_US) >= now_us);
        doc.users.insert(user.clone(), now_us);
        match doc.users.len() <= USERS_MAX {
            true => Ok(Change::to(doc, event.clone())),
            false => Err(Fault::TooManyRequests {
                message: format!("utterances of {USERS_MAX} users are deleted already"),
                retry_after_s: 3600,
            }),
        }
    });
    changed.await?;
    Ok(done())
}
