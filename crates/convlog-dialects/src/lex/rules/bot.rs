//! Rules of bots.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{Refused, at_most, item, messages, refuse};
use crate::lex::model::Bot;

/// Intents that a bot may have.
pub const INTENTS_MAX: usize = 250;

/// Checks a bot: no intent twice, not too many, and wordings whose braces are closed.
///
/// # Errors
/// [`Refused`] for the first rule that is broken.
pub fn check(bot: &Bot) -> Result<(), Refused> {
    at_most(
        INTENTS_MAX,
        bot.intents.len(),
        "intents in a bot",
        "intents",
    )?;
    let mut seen = BTreeSet::new();
    for (i, intent) in bot.intents.iter().enumerate() {
        if !seen.insert(&intent.intent_name) {
            let path = format!("{}.intentName", item("intents", i));
            return refuse(path, "must be in the bot once, in one version");
        }
    }
    if let Some(prompt) = &bot.clarification_prompt {
        messages(&prompt.messages, "clarificationPrompt")?;
    }
    if let Some(statement) = &bot.abort_statement {
        messages(&statement.messages, "abortStatement")?;
    }
    Ok(())
}
