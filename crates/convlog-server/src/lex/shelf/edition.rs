//! What is known of a name and of its versions, and what a put makes of it.

use std::collections::BTreeMap;

use convlog_model::json::Json;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Kind, LATEST};
use crate::aws::AwsError;
use crate::hex::hex;
use crate::lex::aliases::Alias;

/// A thing in a version that another uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Use {
    pub kind: Kind,
    pub name: String,
    pub version: String,
}

/// What is known of one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edition {
    pub checksum: String,
    pub created_us: i64,
    pub updated_us: i64,
    /// What it uses, so that nothing that is used is deleted.
    pub uses: Vec<Use>,
    /// Hash of the body, which tells whether a version would be new.
    pub content: String,
    pub description: Option<String>,
}

/// All that is kept under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shelf {
    pub name: String,
    /// What was known of `$LATEST` when it was last put.
    pub latest: Edition,
    /// The body of `$LATEST`.
    pub body: Json,
    /// The greatest number ever given; none is given twice.
    pub last_version: u32,
    pub versions: BTreeMap<u32, Edition>,
    /// A bot's aliases.
    pub aliases: BTreeMap<String, Alias>,
    /// A bot's tags.
    pub tags: BTreeMap<String, String>,
}

impl Shelf {
    /// Every version with what is known of it, `$LATEST` first.
    pub(crate) fn editions(&self) -> impl Iterator<Item = (String, &Edition)> {
        let numbered = self.versions.iter();
        let numbered = numbered.map(|(number, edition)| (number.to_string(), edition));
        std::iter::once((LATEST.to_owned(), &self.latest)).chain(numbered)
    }

    /// What is known of a version.
    ///
    /// # Errors
    /// 404.
    pub(crate) fn edition(&self, version: &str) -> Result<&Edition, AwsError> {
        if version == LATEST {
            return Ok(&self.latest);
        }
        let number = version.parse().ok();
        number
            .and_then(|number: u32| self.versions.get(&number))
            .ok_or_else(|| AwsError::not_found(&self.name))
    }
}

/// What a put brings.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub name: String,
    pub body: Json,
    pub checksum: Option<String>,
    pub uses: Vec<Use>,
    /// Kept when the name is new.
    pub tags: BTreeMap<String, String>,
}

impl Put {
    pub(super) fn onto(&self, old: Option<Shelf>, checksum: &str, now_us: i64) -> Shelf {
        let description = self.body.get("description").and_then(Json::as_str);
        let latest = Edition {
            checksum: checksum.to_owned(),
            created_us: old.as_ref().map_or(now_us, |old| old.latest.created_us),
            updated_us: now_us,
            uses: self.uses.clone(),
            content: content(&self.body),
            description: description.map(ToOwned::to_owned),
        };
        match old {
            Some(old) => Shelf {
                latest,
                body: self.body.clone(),
                ..old
            },
            None => Shelf {
                name: self.name.clone(),
                latest,
                body: self.body.clone(),
                last_version: 0,
                versions: BTreeMap::new(),
                aliases: BTreeMap::new(),
                tags: self.tags.clone(),
            },
        }
    }
}

fn content(body: &Json) -> String {
    hex(&Sha256::digest(body.key_sorted().to_string().as_bytes()))
}

/// Whether the checksum of a put fits what is there.
///
/// # Errors
/// 400 for one of something new, 412 for another or none of something that exists.
pub(crate) fn check_checksum(old: Option<&Edition>, sent: &Option<String>) -> Result<(), AwsError> {
    match (old, sent) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(AwsError::bad(
            "A checksum cannot be sent for a resource that does not exist yet.",
        )),
        (Some(old), Some(sent)) if *sent == old.checksum => Ok(()),
        (Some(_), _) => Err(stale()),
    }
}

/// 412 for a checksum that is not the last one.
pub(crate) fn stale() -> AwsError {
    AwsError::new(
        "PreconditionFailedException",
        "The checksum is not the one of the last change: get the resource and try again.",
    )
}

/// 409
pub(super) fn busy() -> AwsError {
    AwsError::new(
        "ConflictException",
        "Somebody else changes the resource at the same time: try again.",
    )
}

/// 400 of something that something else uses.
pub(super) fn in_use(what: &str, name: &str, version: Option<&str>) -> AwsError {
    let mut example = Json::object([("name", Json::string(name))]);
    if let Some(version) = version {
        example.set("version", Json::string(version));
    }
    AwsError::new("ResourceInUseException", "")
        .with("referenceType", Json::string(what))
        .with("exampleReference", example)
}
