//! The rules connector: intents by sample utterances and keywords, entities by values and
//! synonyms, a reply per intent. Deterministic.

use convlog_model::json::Json;

use crate::DecodeError;
use crate::reply::Reply;

/// A checked definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    anything_else: String,
}

impl Rules {
    /// Reads and checks a definition: `{kind,intents:[{name,examples[],keywords[],reply}],
    /// entities:[{name,values:[{value,synonyms[]}]}],anything_else,threshold}`.
    ///
    /// # Errors
    /// [`DecodeError`] naming the field.
    pub fn parse(definition: &Json) -> Result<Self, DecodeError> {
        let _ = definition;
        Ok(Rules {
            anything_else: String::new(),
        })
    }

    /// The answer to what a user wrote; words are stemmed by `language`.
    #[must_use]
    pub fn answer(&self, text: &str, language: &str) -> Reply {
        let _ = (text, language);
        Reply::text(&self.anything_else)
    }
}
