//! Files that move definitions: one JSON document with a bot, an intent or a slot type and all that
//! it uses, mostly in an archive of its own.

mod archive;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

pub use self::archive::write;
use crate::DecodeError;

/// Version of the form of files.
const SCHEMA_VERSION: &str = "1.0";
/// The version that an import makes.
const LATEST: &str = "$LATEST";

/// Most bytes of a document, taken out of its archive.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// Most levels of nesting of a document, unless something else is configured.
pub const DEPTH_MAX: usize = 64;
/// Most slot types of a file, and most intents.
pub const PARTS_MAX: usize = 1_000;

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Resource {
    /// A bot with its intents and slot types.
    Bot,
    /// An intent with its slot types.
    Intent,
    /// A slot type.
    SlotType,
}

impl Resource {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Resource::Bot => "BOT",
            Resource::Intent => "INTENT",
            Resource::SlotType => "SLOT_TYPE",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Resource::Bot, Resource::Intent, Resource::SlotType]
            .into_iter()
            .find(|resource| resource.as_str() == text)
    }
}

/// Bounds of a file.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes of its document, taken out of its archive.
    pub bytes: usize,
    /// Most levels of nesting of its document.
    pub depth: usize,
}

/// The document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    resource: Json,
}

/// What a document holds, each as the API's requests have it. What uses another thing of the same
/// document uses its `$LATEST`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Name of what the document is about.
    pub name: String,
    /// Slot types, each once.
    pub slot_types: Vec<Json>,
    /// Intents, each once.
    pub intents: Vec<Json>,
    /// The bot.
    pub bot: Option<Json>,
}

impl Document {
    /// The document of a file: an archive with one JSON file, or that file by itself.
    ///
    /// # Errors
    /// [`DecodeError`] for anything else, also beyond `bounds`.
    pub fn read(file: &[u8], bounds: Bounds) -> Result<Self, DecodeError> {
        let unpacked;
        let text = match archive::is_one(file) {
            true => {
                unpacked = archive::read(file, bounds.bytes)?;
                unpacked.as_slice()
            }
            false if file.len() > bounds.bytes => return Err(archive::too_large(bounds.bytes)),
            false => file,
        };
        let parsed = Json::parse_within(text, bounds.depth).map_err(|error| {
            DecodeError::new(format!("the file is not valid JSON: {error}"), None)
        })?;
        let mut document = without_nulls(parsed);
        metadata(&document)?;
        match document.take("resource") {
            Some(resource @ Json::Object(_)) => Ok(Document { resource }),
            Some(other) => Err(DecodeError::new(
                format!("must be an object, not {}", other.type_name()),
                Some("resource"),
            )),
            None => Err(DecodeError::new("is missing", Some("resource"))),
        }
    }

    /// What the document is about, as its members tell.
    #[must_use]
    pub fn kind(&self) -> Resource {
        let has = |member: &str| self.resource.get(member).is_some();
        let of_slot_types = ["enumerationValues", "valueSelectionStrategy"];
        match has("childDirected") || has("intents") {
            true => Resource::Bot,
            false if of_slot_types.iter().any(|member| has(member)) => Resource::SlotType,
            false => Resource::Intent,
        }
    }

    /// Takes the document apart.
    ///
    /// # Errors
    /// [`DecodeError`] for a document about something else than `kind`, for one that has a name
    /// twice, and for members of a wrong type where others are found.
    pub fn parts(self, kind: Resource) -> Result<Parts, DecodeError> {
        let found = self.kind();
        if found != kind {
            let message = format!("is a {}, not a {}", found.as_str(), kind.as_str());
            return Err(DecodeError::new(message, Some("resource")));
        }
        let mut resource = self.resource;
        let name = name_of(&resource, "resource")?;
        let mut parts = Parts {
            name,
            slot_types: Vec::new(),
            intents: Vec::new(),
            bot: None,
        };
        match kind {
            Resource::SlotType => parts.slot_type(resource, "resource")?,
            Resource::Intent => parts.intent(resource, "resource")?,
            Resource::Bot => {
                for slot_type in list(&mut resource, "slotTypes", "resource")? {
                    parts.slot_type(slot_type, "resource.slotTypes")?;
                }
                for intent in list(&mut resource, "intents", "resource")? {
                    parts.intent(intent, "resource.intents")?;
                }
                parts.take_bot(resource);
            }
        }
        parts.use_latest();
        Ok(parts)
    }
}

impl Parts {
    fn slot_type(&mut self, mut slot_type: Json, path: &str) -> Result<(), DecodeError> {
        slot_type.take("version");
        add(&mut self.slot_types, slot_type, path)
    }

    fn intent(&mut self, mut intent: Json, path: &str) -> Result<(), DecodeError> {
        for slot_type in list(&mut intent, "slotTypes", path)? {
            self.slot_type(slot_type, &format!("{path}.slotTypes"))?;
        }
        intent.take("version");
        add(&mut self.intents, intent, path)
    }

    fn take_bot(&mut self, mut bot: Json) {
        let each = self.intents.iter().filter_map(|intent| {
            let name = intent.get("name")?.as_str()?;
            Some(Json::object([
                ("intentName", Json::string(name)),
                ("intentVersion", Json::string(LATEST)),
            ]))
        });
        let intents = Json::Array(each.collect());
        bot.take("version");
        bot.set("intents", intents);
        self.bot = Some(bot);
    }

    /// Slots whose types come along take these.
    fn use_latest(&mut self) {
        let names = self.slot_types.iter().filter_map(|each| each.get("name"));
        let names: BTreeSet<String> = names
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect();
        for intent in &mut self.intents {
            let Some(Json::Array(mut slots)) = intent.take("slots") else {
                continue;
            };
            for slot in &mut slots {
                let of = slot.get("slotType").and_then(Json::as_str);
                if of.is_some_and(|of| names.contains(of)) {
                    slot.set("slotTypeVersion", Json::string(LATEST));
                }
            }
            intent.set("slots", Json::Array(slots));
        }
    }
}

/// The document of a resource as text.
#[must_use]
pub fn text(resource: Json) -> String {
    let metadata = Json::object([
        ("schemaVersion", Json::string(SCHEMA_VERSION)),
        ("importType", Json::string("LEX")),
        ("importFormat", Json::string("JSON")),
    ]);
    let document = Json::object([("metadata", metadata), ("resource", resource)]);
    document.to_string()
}

/// The form that is known.
fn metadata(document: &Json) -> Result<(), DecodeError> {
    for (member, known) in [
        ("schemaVersion", SCHEMA_VERSION),
        ("importType", "LEX"),
        ("importFormat", "JSON"),
    ] {
        let written = document.at(&["metadata", member]).and_then(Json::as_str);
        if written != Some(known) {
            let path = format!("metadata.{member}");
            return Err(DecodeError::new(format!("must be {known}"), Some(&path)));
        }
    }
    Ok(())
}

fn name_of(thing: &Json, path: &str) -> Result<String, DecodeError> {
    let name = thing.get("name").and_then(Json::as_str);
    let path = format!("{path}.name");
    name.map(ToOwned::to_owned)
        .ok_or_else(|| DecodeError::new("must be a string", Some(&path)))
}

fn list(of: &mut Json, member: &str, path: &str) -> Result<Vec<Json>, DecodeError> {
    let path = format!("{path}.{member}");
    let items = match of.take(member) {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return Err(DecodeError::new("must be an array", Some(&path))),
    };
    match items.iter().all(|item| item.as_object().is_some()) {
        true => Ok(items),
        false => Err(DecodeError::new("must hold objects", Some(&path))),
    }
}

/// Adds a thing that may be there already, if it is the same.
fn add(all: &mut Vec<Json>, new: Json, path: &str) -> Result<(), DecodeError> {
    let name = name_of(&new, path)?;
    let is_same_name = |old: &&Json| old.get("name").and_then(Json::as_str) == Some(&name);
    match all.iter().find(is_same_name) {
        None if all.len() >= PARTS_MAX => {
            let message = format!("holds more than {PARTS_MAX}");
            return Err(DecodeError::new(message, Some(path)));
        }
        None => all.push(new),
        Some(old) if old.key_sorted() == new.key_sorted() => {}
        Some(_) => {
            let message = format!("holds '{name}' twice, and not the same");
            return Err(DecodeError::new(message, Some(path)));
        }
    }
    Ok(())
}

/// Files write what does not apply as `null`; requests leave it out.
fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let kept = members.into_iter();
            let kept = kept.filter(|(_, value)| *value != Json::Null);
            Json::Object(
                kept.map(|(name, value)| (name, without_nulls(value)))
                    .collect(),
            )
        }
        Json::Array(items) => Json::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
