//! Entries of conversation logs: one JSON object for each utterance, with the keys of the
//! developer guide of Lex V1. A key that does not apply is absent, never `null`.

use std::collections::{BTreeMap, BTreeSet};

use convlog_model::json::Json;
use convlog_model::time::Timestamp;

use super::dialog::{Answer, DialogState};
use super::obfuscate::{self, Said, Slots};
use super::sentiment::Sentiment;

/// All that an entry tells of a turn.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// Name of the bot.
    pub bot: &'a str,
    /// The alias.
    pub alias: &'a str,
    /// The version that serves the session.
    pub version: &'a str,
    /// The bot's locale.
    pub locale: &'a str,
    /// What the user said; empty for audio without a transcript.
    pub utterance: &'a str,
    /// Whether it was spoken.
    pub is_speech: bool,
    /// What the bot answered.
    pub answer: &'a Answer,
    /// Slots of the recognised intent, of each alternative, and of the intent that was going on,
    /// whose values are hidden, by intent.
    pub hidden: &'a BTreeMap<String, BTreeSet<String>>,
    /// Id of the request, as in the answer.
    pub request_id: &'a str,
    /// The user.
    pub user: &'a str,
    /// The session.
    pub session: &'a str,
    /// When the request came.
    pub time: Timestamp,
    /// Session attributes of the request.
    pub session_attributes: Option<&'a BTreeMap<String, String>>,
    /// Request attributes.
    pub request_attributes: Option<&'a BTreeMap<String, String>>,
    /// What the user felt, where the bot asks for it.
    pub sentiment: Option<&'a Sentiment>,
    /// Where the audio goes, where it does.
    pub audio: Option<&'a str>,
}

impl Turn<'_> {
    /// The entry.
    #[must_use]
    pub fn entry(&self) -> Json {
        let text = |text: &str| Json::string(text);
        let mut entry = Json::object([
            ("messageVersion", text("1.0")),
            ("botName", text(self.bot)),
            ("botAlias", text(self.alias)),
            ("botVersion", text(self.version)),
            ("inputTranscript", text(&self.transcript())),
            ("botResponse", text(self.said())),
        ]);
        self.understood(&mut entry);
        let answer = self.answer;
        let mode = if self.is_speech { "Speech" } else { "Text" };
        let is_override = answer.developer_override.to_string();
        entry.set("developerOverride", text(&is_override));
        entry.set("missedUtterance", Json::Bool(answer.missed));
        entry.set("inputDialogMode", text(mode));
        entry.set("requestId", text(self.request_id));
        if let Some(audio) = self.audio {
            entry.set("s3PathForAudio", text(audio));
        }
        entry.set("userId", text(self.user));
        entry.set("sessionId", text(self.session));
        if let Some(sentiment) = self.sentiment {
            entry.set("sentimentResponse", sentiment.json());
        }
        if let Some(slot) = self.slot_to_elicit() {
            entry.set("slotToElicit", text(slot));
        }
        entry.set("dialogState", text(answer.dialog_state.as_str()));
        if let Some(card) = &answer.response_card {
            let mut card = card.clone();
            // The API writes a text here, logs a number.
            card.set("version", Json::integer(1));
            entry.set("responseCard", card);
        }
        entry.set("locale", text(self.locale));
        entry.set("timestamp", text(&self.time.to_millis_text()));
        for (key, attributes) in [
            ("sessionAttributes", self.session_attributes),
            ("requestAttributes", self.request_attributes),
        ] {
            if let Some(attributes) = attributes {
                entry.set(key, self::attributes(attributes));
            }
        }
        entry
    }

    /// What was made of the utterance: nothing of a missed one.
    fn understood(&self, entry: &mut Json) {
        let answer = self.answer;
        if !answer.missed {
            if let Some(intent) = self.intent() {
                entry.set("intent", Json::string(intent));
            }
            let slots = obfuscate::slots(&answer.slots, &self.hidden_of(self.intent()));
            entry.set("slots", self::slots(&slots));
        }
        let Some(confidence) = answer.nlu_confidence else {
            return;
        };
        entry.set("nluIntentConfidence", Json::string(number(confidence)));
        let alternatives = answer.alternatives.iter().map(|other| {
            let hidden = self.hidden_of(Some(&other.name));
            Json::object([
                ("name", Json::string(other.name.as_str())),
                (
                    "nluIntentConfidence",
                    Json::string(number(other.confidence)),
                ),
                (
                    "slots",
                    self::slots(&obfuscate::slots(&other.slots, &hidden)),
                ),
            ])
        });
        entry.set("alternativeIntents", Json::Array(alternatives.collect()));
    }

    fn intent(&self) -> Option<&str> {
        let answer = self.answer;
        answer
            .intent_name
            .as_deref()
            .or(answer.recognised.as_deref())
    }

    fn slot_to_elicit(&self) -> Option<&str> {
        let is_asking = self.answer.dialog_state == DialogState::ElicitSlot;
        let slot = self.answer.slot_to_elicit.as_deref();
        slot.filter(|_| is_asking && !self.answer.missed)
    }

    fn said(&self) -> &str {
        let message = self.answer.message.as_ref();
        message.map_or("", |(_, text)| text.as_str())
    }

    fn transcript(&self) -> String {
        let answer = self.answer;
        let mut hidden = self.hidden_of(answer.recognised.as_deref());
        hidden.extend(self.hidden_of(answer.intent_name.as_deref()));
        // The slot that was asked for may be one of an intent that the answer names no more.
        let elicited = answer.elicited.as_deref();
        let is_hidden = |slot: &str| self.hidden.values().any(|slots| slots.contains(slot));
        if let Some(slot) = elicited.filter(|slot| is_hidden(slot)) {
            hidden.insert(slot.to_owned());
        }
        obfuscate::transcript(Said {
            utterance: self.utterance,
            heard: &answer.heard,
            elicited,
            hidden: &hidden,
        })
    }

    fn hidden_of(&self, intent: Option<&str>) -> BTreeSet<String> {
        let found = intent.and_then(|intent| self.hidden.get(intent));
        found.cloned().unwrap_or_default()
    }
}

/// A confidence as its shortest decimal text.
fn number(value: f64) -> String {
    format!("{value}")
}

/// Values by slot; a slot without one is `null`.
#[must_use]
pub fn slots(slots: &Slots) -> Json {
    let each = slots.iter().map(|(slot, value)| {
        let value = value.as_ref().map_or(Json::Null, Json::string);
        (slot.as_str().into(), value)
    });
    Json::Object(each.collect())
}

/// Attributes by name.
#[must_use]
pub fn attributes(attributes: &BTreeMap<String, String>) -> Json {
    let each = attributes.iter();
    let each = each.map(|(name, value)| (name.as_str().into(), Json::string(value.as_str())));
    Json::Object(each.collect())
}

#[cfg(test)]
mod tests;
