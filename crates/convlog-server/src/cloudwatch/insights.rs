//! Queries of Logs Insights: started, asked for, stopped, listed; run in the background, and
//! remembered for a while.

mod job;
mod shelf;

use convlog_dialects::cloudwatch::event;
use convlog_dialects::cloudwatch::insights::{Query, QueryError, ROWS_DEFAULT};
use convlog_model::ids::RecordId;
use convlog_model::json::{Json, Text, Value};

pub(super) use self::shelf::Queries;
use self::shelf::{Asked as Wanted, State};
use super::Answered;
use super::asked::{Asked, bad_token, encode, invalid, listed, missing};
use super::documents::Documents;
use super::view::{View, shown};
use crate::aws::{AwsError, Refusal};

/// Most groups of a query.
const GROUPS_MAX: usize = 50;
/// Times beyond this are milliseconds: as seconds they are thousands of years ahead.
const SECONDS_MAX: i64 = 100_000_000_000;
/// Rows and queries of a page.
const PAGE: usize = 10_000;
const QUERIES: usize = 1000;
/// Most values of a record that `GetLogRecord` shows.
const FIELDS_MAX: usize = 1000;

fn malformed(error: &QueryError) -> AwsError {
    let at = |n: usize| Json::integer(i64::try_from(n).unwrap_or(i64::MAX));
    let location = Json::object([
        ("startCharOffset", at(error.start)),
        ("endCharOffset", at(error.end)),
    ]);
    let compile = Json::object([
        ("location", location),
        ("message", Json::string(error.to_string())),
    ]);
    AwsError::new("MalformedQueryException", error.to_string()).with("queryCompileError", compile)
}

/// The groups that a query is about, by exactly one way to say so.
fn groups(asked: &Asked, query: &Query) -> Result<Vec<String>, AwsError> {
    let mut ways = Vec::new();
    ways.extend(asked.text("logGroupName").map(|name| vec![name.to_owned()]));
    ways.extend(
        asked
            .get("logGroupNames")
            .map(|_| asked.texts("logGroupNames")),
    );
    if asked.get("logGroupIdentifiers").is_some() {
        let all = asked.texts("logGroupIdentifiers");
        let all: Result<Vec<String>, AwsError> =
            all.iter().map(|one| asked.identified(one)).collect();
        ways.push(all?);
    }
    if !query.sources().is_empty() {
        ways.push(query.sources().to_vec());
    }
    let mut ways = ways.into_iter();
    let (Some(mut groups), None) = (ways.next(), ways.next()) else {
        return Err(invalid(
            "Exactly one of logGroupName, logGroupNames, logGroupIdentifiers and SOURCE is needed.",
        ));
    };
    groups.sort();
    groups.dedup();
    match (1..=GROUPS_MAX).contains(&groups.len()) {
        true => Ok(groups),
        false => Err(invalid(format!(
            "A query is about 1 to {GROUPS_MAX} log groups."
        ))),
    }
}

/// `StartQuery`
pub(super) async fn start(asked: &Asked) -> Answered {
    if asked
        .text("queryLanguage")
        .is_some_and(|language| language != "CWLI")
    {
        return Err(invalid("The only queryLanguage here is CWLI.").into());
    }
    let text = asked.required("queryString");
    let query = Query::parse(text).map_err(|error| malformed(&error))?;
    let millis = |member: &str, more: i64| match asked.number(member).unwrap_or_default() {
        at if at > SECONDS_MAX => (at, 1),
        at => (at.saturating_mul(1000), more),
    };
    let ((from_ms, _), (to_ms, more)) = (millis("startTime", 0), millis("endTime", 1000));
    if from_ms > to_ms {
        return Err(invalid("startTime must not be after endTime.").into());
    }
    let mut views = Vec::new();
    for group in groups(asked, &query)? {
        views.push(View::open(asked, &group).await?);
    }
    let limit = asked.number("limit");
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let wanted = Wanted {
        id: asked.app.new_id().to_string(),
        instance: asked.caller.instance.clone(),
        bots: asked.caller.bots.clone(),
        groups: views.iter().map(|view| view.group.name.clone()).collect(),
        text: text.to_owned(),
        created_us: asked.app.now().micros(),
    };
    let id = wanted.id.clone();
    let entry = asked.app.cloudwatch().queries().add(wanted)?;
    let job = job::Job {
        run: query.run_within(limit.unwrap_or(ROWS_DEFAULT)),
        narrow: query.narrow(),
        from_ms,
        before_ms: to_ms.saturating_add(more),
        views,
    };
    let app = asked.app.clone();
    asked
        .app
        .jobs()
        .spawn(async move { job::run(&app, job, &entry).await });
    Ok(Json::object([("queryId", Json::string(id))]))
}

/// `StopQuery`
pub(super) async fn stop(asked: &Asked) -> Answered {
    let entry = asked.app.cloudwatch().queries().get(asked)?;
    let was_running = entry.cancel();
    Ok(Json::object([("success", Json::Bool(was_running))]))
}

/// `GetQueryResults`
pub(super) async fn results(asked: &Asked) -> Answered {
    let entry = asked.app.cloudwatch().queries().get(asked)?;
    let from = match asked.text("nextToken") {
        None => 0,
        Some(_) => {
            let after = asked.after()?.unwrap_or_default();
            after.parse().map_err(|_| bad_token())?
        }
    };
    let n_max = asked.number("maxItems").filter(|n| *n > 0);
    let n_max = n_max.and_then(|n| usize::try_from(n).ok()).unwrap_or(PAGE);
    Ok(entry.with(|state| {
        let rows = match state {
            State::Complete(results) => results.rows.as_slice(),
            _ => &[],
        };
        let page = rows.iter().skip(from).take(n_max);
        let shown: Vec<Json> = page.map(|row| fields(row)).collect();
        let end = from.saturating_add(shown.len());
        let token = (end < rows.len()).then(|| encode(&end.to_string()));
        let mut answer = listed("results", shown, token);
        answer.set("queryLanguage", Json::string("CWLI"));
        answer.set("statistics", state.statistics());
        answer.set("status", Json::string(state.name()));
        answer
    }))
}

fn fields(row: &[(String, String)]) -> Json {
    let fields = row.iter().map(|(field, value)| {
        Json::object([
            ("field", Json::string(field.as_str())),
            ("value", Json::string(value.as_str())),
        ])
    });
    Json::Array(fields.collect())
}

/// `DescribeQueries`
pub(super) async fn describe(asked: &Asked) -> Answered {
    let (group, status) = (asked.text("logGroupName"), asked.text("status"));
    let after = asked.after()?;
    let n_max = asked.number("maxResults");
    let n_max = n_max
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(QUERIES);
    let all = asked.app.cloudwatch().queries().all(asked);
    let mut shown = Vec::new();
    let mut token = None;
    for entry in all {
        let of = &entry.asked;
        let name = entry.with(State::name);
        let is_of = group.is_none_or(|group| of.groups.iter().any(|name| name == group));
        let is_behind = after.as_ref().is_none_or(|after| of.id < *after);
        if !is_of || !is_behind || status.is_some_and(|status| status != name) {
            continue;
        }
        if shown.len() == n_max {
            token = shown.last().map(|(id, _): &(String, Json)| encode(id));
            break;
        }
        let created = convlog_model::time::Timestamp::from_micros(of.created_us).millis();
        let mut query = Json::object([
            ("queryLanguage", Json::string("CWLI")),
            ("queryId", Json::string(of.id.as_str())),
            ("queryString", Json::string(of.text.as_str())),
            ("status", Json::string(name)),
            ("createTime", Json::integer(created)),
        ]);
        if let [group] = of.groups.as_slice() {
            query.set("logGroupName", Json::string(group.as_str()));
        }
        shown.push((of.id.clone(), query));
    }
    let shown = shown.into_iter().map(|(_, query)| query).collect();
    Ok(listed("queries", shown, token))
}

/// `GetLogRecord`: everything of the event that a row's `@ptr` points to.
pub(super) async fn record(asked: &Asked) -> Answered {
    let gone = || Refusal::from(missing("log record"));
    let id: RecordId = asked
        .required("logRecordPointer")
        .parse()
        .map_err(|_| invalid("logRecordPointer is no pointer."))?;
    let record = asked.app.query().get(&asked.caller, id).await?;
    let record = record.ok_or_else(gone)?;
    let group = record.draft.labels.get(event::GROUP).ok_or_else(gone)?;
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let mut view = View::new(asked, documents.group(group).await?);
    let flat = record.flat();
    if !convlog_model::filter::eval::matches(&view.filter(), &flat) {
        return Err(gone());
    }
    let shown = shown(&asked.app, &record);
    if !view.shows(&record, &shown).await? {
        return Err(gone());
    }
    let account = &asked.app.config().aws.account;
    let mut fields: Vec<(Text, Json)> = Vec::new();
    if let Ok(body @ Json::Object(_)) = Json::parse(shown.message.as_bytes()) {
        flatten(Value::from(&body), &mut String::new(), &mut fields);
    }
    for (name, value) in [
        ("@message", shown.message.clone()),
        ("@logStream", shown.stream.clone()),
        ("@log", format!("{account}:{group}")),
        ("@timestamp", shown.time.millis().to_string()),
        ("@ingestionTime", shown.received.millis().to_string()),
        ("@ptr", id.to_string()),
    ] {
        fields.push((name.into(), Json::string(value)));
    }
    Ok(Json::object([("logRecord", Json::Object(fields))]))
}

/// The values of a message by their dotted names; as deep as the parser lets it be.
fn flatten(value: Value<'_>, path: &mut String, fields: &mut Vec<(Text, Json)>) {
    let below = |path: &mut String, key: &str| {
        let len = path.len();
        if len > 0 {
            path.push('.');
        }
        path.push_str(key);
        len
    };
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let len = below(path, key);
                flatten(member, path, fields);
                path.truncate(len);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.enumerate() {
                let len = below(path, &i.to_string());
                flatten(item, path, fields);
                path.truncate(len);
            }
        }
        Value::Null => {}
        _ if fields.len() >= FIELDS_MAX => {}
        Value::String(text) => fields.push((path.as_str().into(), Json::string(text))),
        other => fields.push((
            path.as_str().into(),
            Json::string(other.to_json().to_string()),
        )),
    }
}
