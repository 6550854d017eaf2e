//! Tags of log groups.

use std::collections::BTreeMap;

use convlog_model::json::Json;

use super::Answered;
use super::asked::{Asked, invalid, nothing};
use super::documents::{Documents, told_change};
use crate::aws::{AwsError, Refusal};

/// Most tags of a group.
const TAGS_MAX: usize = 50;

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// The tags of a request.
///
/// # Errors
/// A key that is reserved.
pub(super) fn of(sent: &Json) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for (key, value) in sent.as_object().unwrap_or_default() {
        if key.as_str().to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Keys of tags must not begin with aws:."));
        }
        let value = value.as_str().unwrap_or_default();
        tags.insert(key.as_str().to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn group(asked: &Asked) -> Result<String, AwsError> {
    let arn = asked.required("resourceArn");
    match arn.starts_with("arn:") {
        true => asked.identified(arn),
        false => Err(invalid("resourceArn must be the ARN of a log group.")),
    }
}

fn show(tags: &Tags) -> Json {
    let tags = tags.iter();
    let tags = tags.map(|(key, value)| (key.as_str().into(), Json::string(value.as_str())));
    Json::object([("tags", Json::Object(tags.collect()))])
}

async fn shown(asked: &Asked, name: &str) -> Answered {
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    Ok(show(&documents.group(name).await?.tags))
}

/// `ListTagsForResource`
pub(super) async fn list(asked: &Asked) -> Answered {
    shown(asked, &group(asked)?).await
}

/// `ListTagsLogGroup`
pub(super) async fn list_of_group(asked: &Asked) -> Answered {
    shown(asked, asked.required("logGroupName")).await
}

async fn change(
    asked: &Asked,
    mut decide: impl FnMut(&mut Tags) -> Result<(), AwsError> + Send,
) -> Result<(), Refusal> {
    let name = group(asked)?;
    let event = told_change(&asked.app, &asked.caller, &name, "tags");
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let changed = documents.change(&name, Some(event), |group| decide(&mut group.tags));
    changed.await?;
    Ok(())
}

/// `TagResource`
pub(super) async fn add(asked: &Asked) -> Answered {
    let new = of(asked.get("tags").unwrap_or(&Json::Null))?;
    let changed = change(asked, |tags| {
        tags.extend(new.clone());
        match tags.len() <= TAGS_MAX {
            true => Ok(()),
            false => Err(AwsError::new(
                "TooManyTagsException",
                format!("A resource has at most {TAGS_MAX} tags."),
            )),
        }
    });
    changed.await?;
    Ok(nothing())
}

/// `UntagResource`
pub(super) async fn remove(asked: &Asked) -> Answered {
    let keys = asked.texts("tagKeys");
    let changed = change(asked, |tags| {
        tags.retain(|key, _| !keys.contains(key));
        Ok(())
    });
    changed.await?;
    Ok(nothing())
}
