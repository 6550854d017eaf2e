//! Log groups: made, deleted, described, how long they keep their events, and keys, which nothing
//! here is encrypted with.

use std::collections::BTreeMap;

use convlog_dialects::cloudwatch::event;
use convlog_dialects::cloudwatch::names;
use convlog_model::filter::Filter;
use convlog_model::ids::Position;
use convlog_model::json::Json;
use convlog_model::store::{Erase, Selector};
use convlog_model::time::Timestamp;

use super::Answered;
use super::asked::{Asked, GROUP, exists, invalid, limit, listed, missing, nothing, page};
use super::documents::{Documents, LogGroup, told, told_change};
use super::missed;
use super::tags;
use super::view::View;
use crate::aws::{AwsError, Refusal, set_aside, unless_refused};
use crate::entity::Change;
use crate::error::Fault;
use crate::events::{LOG_GROUP_CREATE, LOG_GROUP_DELETE};

/// Most groups of an instance.
const GROUPS_MAX: usize = 10_000;
/// Events that one erasure names.
const ERASED_STEP: usize = 200;
/// Groups of a page.
const PAGE: usize = 50;
const STANDARD: &str = "STANDARD";

fn no_key() -> AwsError {
    invalid("kmsKeyId is refused unless convlog encrypts with that key.")
}

/// `CreateLogGroup`
pub(super) async fn create(asked: &Asked) -> Answered {
    let name = asked.required("logGroupName");
    if !names::is_group_name(name) {
        return Err(invalid("Log groups starting with aws/ are reserved for AWS.").into());
    }
    if asked.get("kmsKeyId").is_some() {
        return Err(no_key().into());
    }
    if asked
        .text("logGroupClass")
        .is_some_and(|class| class != STANDARD)
    {
        return Err(invalid("The only logGroupClass here is STANDARD.").into());
    }
    if asked.flag("deletionProtectionEnabled") == Some(true) {
        return Err(invalid("deletionProtectionEnabled is not supported here.").into());
    }
    let tags = match asked.get("tags") {
        Some(sent) => tags::of(sent)?,
        None => BTreeMap::new(),
    };
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    if documents.all("").await?.len() >= GROUPS_MAX {
        return Err(limit(format!("There are {GROUPS_MAX} log groups.")).into());
    }
    let (since, since_us) = documents.end().await?;
    let group = LogGroup {
        name: name.to_owned(),
        id: asked.app.new_id().to_string(),
        created_us: asked.app.now().micros(),
        since,
        since_us,
        retention_days: None,
        tags,
        metric_filters: BTreeMap::new(),
        subscription_filters: BTreeMap::new(),
        revision: 0,
        has_cuts: false,
    };
    let event = told(&asked.app, &asked.caller, LOG_GROUP_CREATE, name);
    let mut refusal = None;
    let made = documents
        .groups()
        .change(&documents.group_id(name), |old| match old {
            None => {
                // What an older group of that name got until it was gone is not shown.
                let since = asked.app.store().newest();
                let group = group.clone();
                Ok(Change::to(LogGroup { since, ..group }, event.clone()))
            }
            Some(_) => Err(set_aside(&mut refusal, exists(GROUP))),
        });
    unless_refused(made.await, refusal)?;
    Ok(nothing())
}

/// `DeleteLogGroup`
pub(super) async fn delete(asked: &Asked) -> Answered {
    let name = asked.required("logGroupName");
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    documents.group(name).await?;
    let of_group = Filter::equals(event::GROUP_FIELD, name).and(event::put());
    erase(asked, of_group.clone()).await?;
    let event = told(&asked.app, &asked.caller, LOG_GROUP_DELETE, name);
    let mut was_there = true;
    let gone = documents
        .groups()
        .change(&documents.group_id(name), |old: Option<LogGroup>| {
            was_there = old.is_some();
            Ok(Change::delete(event.clone()))
        });
    gone.await?;
    if !was_there {
        return Err(missing(GROUP).into());
    }
    erase_rest(asked, name, &of_group).await?;
    missed::forget(&asked.app, &asked.caller.instance, name).await?;
    let app = asked.app.clone();
    asked
        .app
        .jobs()
        .spawn(async move { super::documents::sweep(&app).await });
    apply_retention(asked).await;
    Ok(nothing())
}

/// Erases what came into a group while it was deleted. A new group of its name may be there
/// already; what is put into that one stays.
pub(super) async fn erase_rest(asked: &Asked, name: &str, filter: &Filter) -> Result<(), Fault> {
    // In this order: a group that is made after the second look begins behind the first.
    let newest = asked.app.store().newest();
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let anew = documents.groups().get(&documents.group_id(name)).await?;
    let upto = anew.map_or(newest, |anew| anew.doc.since.min(newest));
    erase_upto(asked, filter, upto).await
}

/// Erases events that `PutLogEvents` has brought up to a place: the rest of them, one by one.
pub(super) async fn erase_upto(
    asked: &Asked,
    filter: &Filter,
    upto: Position,
) -> Result<(), Fault> {
    let mut after = Position::START;
    loop {
        let query = asked.app.query();
        let scanned = query.scan(
            &asked.caller,
            filter.clone(),
            after,
            Some(upto),
            ERASED_STEP,
        );
        let scanned = scanned.await?;
        // By id, since several may have one time of receipt.
        let ids = scanned.records.iter().map(|record| record.id.to_string());
        let ids: Vec<Filter> = ids.map(|id| Filter::equals("id", &id)).collect();
        if !ids.is_empty() {
            erase(asked, filter.clone().and(Filter::Or(ids))).await?;
        }
        if scanned.done {
            return Ok(());
        }
        after = scanned.reached;
    }
}

/// Erases events that `PutLogEvents` has brought; turns are records of their own and stay.
pub(super) async fn erase(asked: &Asked, filter: Filter) -> Result<(), Fault> {
    if asked
        .app
        .query()
        .count(&asked.caller, filter.clone())
        .await?
        == 0
    {
        return Ok(());
    }
    let erase = Erase {
        id: asked.app.new_id(),
        instance: asked.caller.instance.clone(),
        selector: Selector::Filter(filter),
    };
    asked.app.store().erase(&erase).await?;
    Ok(())
}

/// `DescribeLogGroups`
pub(super) async fn describe(asked: &Asked) -> Answered {
    let prefix = asked.text("logGroupNamePrefix");
    let pattern = asked.text("logGroupNamePattern");
    if prefix.is_some() && pattern.is_some() {
        return Err(
            invalid("logGroupNamePrefix and logGroupNamePattern exclude each other.").into(),
        );
    }
    let account = &asked.app.config().aws.account;
    if asked
        .texts("accountIdentifiers")
        .iter()
        .any(|other| other != account)
    {
        return Err(invalid("There are no log groups of other accounts here.").into());
    }
    let mut wanted = Vec::new();
    for identifier in asked.texts("logGroupIdentifiers") {
        wanted.push(asked.identified(&identifier)?);
    }
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let class = asked.text("logGroupClass").unwrap_or(STANDARD);
    let groups = documents.all(prefix.unwrap_or_default()).await?;
    let groups = groups.into_iter().filter(|group| {
        let fits = pattern.is_none_or(|pattern| group.name.contains(pattern));
        let is_wanted = wanted.is_empty() || wanted.contains(&group.name);
        fits && is_wanted && class == STANDARD
    });
    let after = asked.after()?;
    let groups = groups.map(|group| (group.name.clone(), group));
    let (groups, token) = page(groups, after.as_deref(), asked.limit(PAGE));
    let mut shown = Vec::with_capacity(groups.len());
    for (_, group) in groups {
        shown.push(show(asked, group).await?);
    }
    Ok(listed("logGroups", shown, token))
}

async fn show(asked: &Asked, group: LogGroup) -> Result<Json, Refusal> {
    let arn = asked.arn(&group.name);
    let n_filters = i64::try_from(group.metric_filters.len()).unwrap_or(i64::MAX);
    let created = Timestamp::from_micros(group.created_us).millis();
    let mut shown = Json::object([
        ("logGroupName", Json::string(group.name.as_str())),
        ("creationTime", Json::integer(created)),
        ("metricFilterCount", Json::integer(n_filters)),
        ("arn", Json::string(format!("{arn}:*"))),
        ("logGroupArn", Json::string(arn)),
        ("logGroupClass", Json::string(STANDARD)),
    ]);
    if let Some(days) = group.retention_days {
        shown.set("retentionInDays", Json::integer(i64::from(days)));
    }
    let bytes = View::new(asked, group).bytes().await?;
    shown.set("storedBytes", Json::integer(bytes));
    Ok(shown)
}

/// `PutRetentionPolicy`
pub(super) async fn put_retention(asked: &Asked) -> Answered {
    let days = asked.number("retentionInDays").unwrap_or_default();
    if !names::is_retention(days) {
        let legal: Vec<String> = names::RETENTION_DAYS
            .iter()
            .map(ToString::to_string)
            .collect();
        let message = format!("retentionInDays must be one of {}.", legal.join(", "));
        return Err(invalid(message).into());
    }
    set_retention(asked, u32::try_from(days).ok()).await
}

/// `DeleteRetentionPolicy`
pub(super) async fn delete_retention(asked: &Asked) -> Answered {
    set_retention(asked, None).await
}

async fn set_retention(asked: &Asked, days: Option<u32>) -> Answered {
    let name = asked.required("logGroupName");
    let event = told_change(&asked.app, &asked.caller, name, "retention");
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let changed = documents.change(name, Some(event), |group| {
        group.retention_days = days;
        Ok(())
    });
    changed.await?;
    apply_retention(asked).await;
    Ok(nothing())
}

/// Lets the store know at once; should it fail, the next pass of retention does.
async fn apply_retention(asked: &Asked) {
    crate::retention::pass(&asked.app).await;
}

/// `AssociateKmsKey`
pub(super) async fn associate_key(asked: &Asked) -> Answered {
    let name = asked.group_name("resourceIdentifier")?;
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    documents.group(&name).await?;
    Err(no_key().into())
}

/// `DisassociateKmsKey`: no group has one.
pub(super) async fn disassociate_key(asked: &Asked) -> Answered {
    let name = asked.group_name("resourceIdentifier")?;
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    documents.group(&name).await?;
    Ok(nothing())
}
