//! `PutLogEvents`.

use convlog_dialects::cloudwatch::{batch, event};
use convlog_model::json::Json;
use convlog_model::store::Outcome;

use super::Answered;
use super::asked::{Asked, STREAM, invalid, missing};
use super::view::View;
use super::{metric_filters, streams};

/// `PutLogEvents`
pub(super) async fn events(asked: &Asked) -> Answered {
    let mut view = View::open(asked, asked.required("logGroupName")).await?;
    let stream = asked.required("logStreamName");
    if !streams::is_there(&mut view, stream).await? {
        return Err(missing(STREAM).into());
    }
    let sent: Vec<(i64, &str)> = asked.list("logEvents").iter().filter_map(of).collect();
    let sizes: Vec<(i64, usize)> = sent.iter().map(|(at, text)| (*at, text.len())).collect();
    let now_ms = asked.app.now().millis();
    let sorted = batch::sort_out(&sizes, now_ms, view.group.retention_days)
        .map_err(|refused| invalid(refused.to_string()))?;
    let kept = sent.get(sorted.start..sorted.end).unwrap_or_default();
    let group = view.group.name.as_str();
    let door = asked.app.ingest();
    let seen = kept.iter().map(|(at, message)| {
        let mut draft = event::draft(&asked.caller.instance, (group, stream), *at, message);
        // An event that comes back from an export is known by it.
        draft.own_id = Some(asked.app.new_id().to_string());
        door.look(&asked.caller, draft)
    });
    let outcomes = door.bulk(&asked.caller, seen.collect()).await?;
    let mut position = asked.app.store().newest();
    let (mut stored, mut refusal) = (Vec::new(), None);
    for (outcome, (_, message)) in outcomes.into_iter().zip(kept) {
        match outcome {
            Ok(Outcome::Stored(at)) => {
                position = position.max(at.position);
                stored.push(*message);
            }
            Ok(Outcome::Duplicate(_) | Outcome::Conflict | Outcome::Erased) => {}
            Err(reason) => refusal = Some(reason),
        }
    }
    metric_filters::count(&asked.app, &asked.caller.instance, &view.group, stored);
    if let Some(reason) = refusal {
        return Err(invalid(format!("A log event is refused: {reason}.")).into());
    }
    let mut answer = Json::object([("nextSequenceToken", Json::string(position.0.to_string()))]);
    if let Some(rejected) = rejected(&sorted) {
        answer.set("rejectedLogEventsInfo", rejected);
    }
    Ok(answer)
}

fn of(event: &Json) -> Option<(i64, &str)> {
    let timestamp = event.get("timestamp").and_then(Json::as_i64)?;
    Some((timestamp, event.get("message").and_then(Json::as_str)?))
}

fn rejected(sorted: &batch::Sorted) -> Option<Json> {
    let all = [
        ("tooOldLogEventEndIndex", sorted.too_old_end),
        ("tooNewLogEventStartIndex", sorted.too_new_start),
        ("expiredLogEventEndIndex", sorted.expired_end),
    ];
    let mut shown = Json::object([]);
    let mut is_any = false;
    for (name, index) in all {
        if let Some(index) = index {
            shown.set(
                name,
                Json::integer(i64::try_from(index).unwrap_or(i64::MAX)),
            );
            is_any = true;
        }
    }
    is_any.then_some(shown)
}
