//! The rules connector: intents by sample utterances and keywords, entities by values and
//! synonyms, a reply per intent. Deterministic: the same text always has the same answer.
//!
//! An utterance scores, per intent, its best example: the weighted share of words that both have
//! (twice the common weight over the sum of both weights; a word weighs less the more intents use
//! it). A keyword or key phrase in the text scores at least 0.7. Words count by their stems.

mod definition;
mod matching;
mod words;

use convlog_model::json::Json;

use crate::DecodeError;
use crate::reply::{Reply, text_item};

/// A checked definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    intents: Vec<Intent>,
    entities: Vec<Entity>,
    anything_else: Vec<Json>,
    welcome: Option<Vec<Json>>,
    threshold: Threshold,
}

/// Least confidence of an intent, in ten-thousandths: an integer, so that definitions compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Threshold(u32);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Intent {
    name: String,
    examples: Vec<String>,
    keywords: Vec<String>,
    reply: Vec<Json>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entity {
    name: String,
    values: Vec<EntityValue>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct EntityValue {
    value: String,
    /// The value itself and its synonyms.
    spellings: Vec<String>,
}

impl Rules {
    /// Reads and checks a definition: `{kind,intents:[{name,examples[],keywords[],reply}],
    /// entities:[{name,values:[{value,synonyms[]}]}],anything_else,threshold}`. A reply is a text
    /// or a list of messages; `welcome`, when given, answers the empty text that begins a
    /// conversation; `threshold` is 0.3 unless given.
    ///
    /// # Errors
    /// [`DecodeError`] naming the field.
    pub fn parse(definition: &Json) -> Result<Self, DecodeError> {
        definition::parse(definition)
    }

    /// The answer to what a user wrote; words are stemmed by `language`.
    #[must_use]
    pub fn answer(&self, text: &str, language: &str) -> Reply {
        if text.trim().is_empty() {
            let output = self.welcome.as_ref().unwrap_or(&self.anything_else);
            return Reply {
                output: output.clone(),
                nodes_visited: vec!["welcome".to_owned()],
                ..Reply::default()
            };
        }
        let words = words::tokens(text, language);
        let scored = matching::intents(&self.intents, &words, language);
        let scored: Vec<_> = scored
            .into_iter()
            .filter(|(_, score)| *score >= self.threshold)
            .collect();
        let entities = matching::entities(&self.entities, &words, language);
        let intents = scored.iter().map(|(intent, score)| {
            Json::object([
                ("intent", Json::string(intent.name.as_str())),
                ("confidence", Json::Number(score.decimal().into())),
            ])
        });
        let (output, node, fallback) = match scored.first() {
            Some((intent, _)) => (&intent.reply, intent.name.as_str(), false),
            None => (&self.anything_else, "anything_else", true),
        };
        Reply {
            output: output.clone(),
            intents: intents.collect(),
            entities,
            nodes_visited: vec![node.to_owned()],
            fallback: Some(fallback),
            ..Reply::default()
        }
    }
}

impl Threshold {
    /// A share between 0 and 1.
    fn of(part: f64) -> Self {
        let scaled = (part.clamp(0.0, 1.0) * 10_000.0).round();
        // Whole and at most 10,000 by the line above; text is the conversion that cannot cut.
        Threshold(format!("{scaled:.0}").parse().unwrap_or(0))
    }

    /// As JSON writes it, without needless zeros.
    fn decimal(self) -> String {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return whole.to_string();
        }
        let fraction = format!("{rest:04}");
        format!("{whole}.{}", fraction.trim_end_matches('0'))
    }
}

/// A reply of one text.
fn text_reply(text: &str) -> Vec<Json> {
    vec![text_item(text)]
}

#[cfg(test)]
mod tests;
