//! How the model building API shows what is kept.

use convlog_model::json::Json;
use convlog_model::time::Timestamp;

use super::shelf::{Edition, Shelf};
use crate::aws::{AwsError, Call};

/// Most things of a page, and as many as there are without a limit.
const PAGE_MAX: usize = 50;

/// Seconds since 1970 with milliseconds, as AWS writes moments.
pub(super) fn seconds(micros: i64) -> Json {
    let millis = Timestamp::from_micros(micros).millis();
    let text = format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000));
    Json::Number(text.into())
}

/// A version whole: its body and what the server says of it.
pub(super) fn whole(body: &Json, edition: &Edition, version: &str) -> Json {
    let mut shown = body.clone();
    shown.set("lastUpdatedDate", seconds(edition.updated_us));
    shown.set("createdDate", seconds(edition.created_us));
    shown.set("version", Json::string(version));
    shown.set("checksum", Json::string(edition.checksum.as_str()));
    shown
}

/// A version in a list.
pub(super) fn summary(name: &str, edition: &Edition, version: &str) -> Json {
    let mut shown = Json::object([
        ("name", Json::string(name)),
        ("lastUpdatedDate", seconds(edition.updated_us)),
        ("createdDate", seconds(edition.created_us)),
        ("version", Json::string(version)),
    ]);
    if let Some(description) = &edition.description {
        shown.set("description", Json::string(description.as_str()));
    }
    shown
}

/// Every version of a name in a list.
pub(super) fn versions(shelf: &Shelf, more: impl Fn(&str, &mut Json)) -> Vec<(String, Json)> {
    let each = shelf.editions().map(|(version, edition)| {
        let mut shown = summary(&shelf.name, edition, &version);
        more(&version, &mut shown);
        (version, shown)
    });
    each.collect()
}

/// A page of a list: `maxResults`, `nextToken` and `nameContains` of the request. A token is the
/// key of the last thing shown.
///
/// # Errors
/// 400 for a number out of range.
pub(super) fn page(call: &Call, member: &str, all: Vec<(String, Json)>) -> Result<Json, AwsError> {
    let limit = match call.parameter("maxResults") {
        None => PAGE_MAX,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE_MAX).contains(limit))
            .ok_or_else(|| AwsError::bad(format!("maxResults must be from 1 to {PAGE_MAX}")))?,
    };
    let after = call.parameter("nextToken").map(decode_token).transpose()?;
    let wanted = call.parameter("nameContains").unwrap_or_default();
    let mut left = all.into_iter().filter(|(_, shown)| {
        let name = shown.get("name").and_then(Json::as_str);
        name.is_none_or(|name| name.contains(wanted))
    });
    let mut items = Vec::new();
    let mut last = None;
    let mut has_more = false;
    for (key, shown) in left.by_ref() {
        if after.as_ref().is_some_and(|after| !is_behind(&key, after)) {
            continue;
        }
        if items.len() == limit {
            has_more = true;
            break;
        }
        items.push(shown);
        last = Some(key);
    }
    let mut answer = Json::object([(member, Json::Array(items))]);
    if let Some(last) = last.filter(|_| has_more) {
        answer.set("nextToken", Json::string(encode_token(&last)));
    }
    Ok(answer)
}

/// Versions are in order of number, `$LATEST` first; names in order of text.
fn is_behind(key: &str, after: &str) -> bool {
    let number = |text: &str| match text {
        super::shelf::LATEST => Some(0),
        text => text.parse::<u32>().ok(),
    };
    match (number(key), number(after)) {
        (Some(key), Some(after)) => key > after,
        _ => key > after,
    }
}

fn encode_token(key: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key)
}

fn decode_token(token: &str) -> Result<String, AwsError> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token);
    bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| AwsError::bad("nextToken is not one of a page before"))
}
