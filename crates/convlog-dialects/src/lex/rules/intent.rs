//! Rules of intents and their slots.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{Refused, at_most, braces, item, messages, refuse};
use crate::lex::model::{FulfillmentKind, Intent, Slot, SlotConstraint};

/// Slots that an intent may have.
pub const SLOTS_MAX: usize = 100;
/// What an intent extends that is taken when no other was understood.
pub const FALLBACK: &str = "AMAZON.FallbackIntent";
/// How the names of built-in slot types begin.
const BUILT_IN: &str = "AMAZON.";

/// Checks an intent: its slots, what its utterances refer to, and which members exclude or need
/// each other.
///
/// # Errors
/// [`Refused`] for the first rule that is broken.
pub fn check(intent: &Intent) -> Result<(), Refused> {
    at_most(SLOTS_MAX, intent.slots.len(), "slots in an intent", "slots")?;
    if intent.parent_intent_signature.as_deref() == Some(FALLBACK) {
        fallback(intent)?;
    }
    let mut names = BTreeSet::new();
    for (i, slot) in intent.slots.iter().enumerate() {
        if !names.insert(slot.name.as_str()) {
            let path = format!("{}.name", item("slots", i));
            return refuse(path, "must be the name of one slot only");
        }
    }
    for (i, one) in intent.slots.iter().enumerate() {
        let path = item("slots", i);
        slot(one, &path)?;
        let path = format!("{path}.sampleUtterances");
        utterances(&one.sample_utterances, &names, &path)?;
    }
    utterances(&intent.sample_utterances, &names, "sampleUtterances")?;
    together(intent)?;
    wordings(intent)
}

/// What is taken when nothing was understood has nothing to be understood by.
fn fallback(intent: &Intent) -> Result<(), Refused> {
    for (has, member) in [
        (!intent.slots.is_empty(), "slots"),
        (!intent.sample_utterances.is_empty(), "sampleUtterances"),
        (intent.confirmation_prompt.is_some(), "confirmationPrompt"),
        (intent.rejection_statement.is_some(), "rejectionStatement"),
        (intent.dialog_code_hook.is_some(), "dialogCodeHook"),
    ] {
        if has {
            return refuse(member, "must not be in an intent that extends the fallback");
        }
    }
    Ok(())
}

fn slot(slot: &Slot, path: &str) -> Result<(), Refused> {
    let is_own = |name: &String| !name.starts_with(BUILT_IN);
    if slot.slot_type.as_ref().is_some_and(is_own) && slot.slot_type_version.is_none() {
        let path = format!("{path}.slotTypeVersion");
        return refuse(path, "must be there for a slot type that is not built in");
    }
    let prompt = slot.value_elicitation_prompt.as_ref();
    if slot.slot_constraint == SlotConstraint::Required && prompt.is_none() {
        let path = format!("{path}.valueElicitationPrompt");
        return refuse(path, "must be there for a slot that is required");
    }
    match prompt {
        Some(prompt) => messages(&prompt.messages, &format!("{path}.valueElicitationPrompt")),
        None => Ok(()),
    }
}

/// Utterances: braces are closed and hold names of slots.
fn utterances(all: &[String], slots: &BTreeSet<&str>, path: &str) -> Result<(), Refused> {
    for (i, utterance) in all.iter().enumerate() {
        let Some(names) = braces::names(utterance) else {
            return refuse(item(path, i), braces::UNBALANCED);
        };
        if !names.iter().all(|name| slots.contains(name)) {
            return refuse(
                item(path, i),
                "must name in braces only slots of the intent",
            );
        }
    }
    Ok(())
}

/// Members that go together, and members that do not.
fn together(intent: &Intent) -> Result<(), Refused> {
    if intent.follow_up_prompt.is_some() && intent.conclusion_statement.is_some() {
        return refuse("conclusionStatement", "must not be beside followUpPrompt");
    }
    match (&intent.confirmation_prompt, &intent.rejection_statement) {
        (Some(_), None) => {
            return refuse(
                "rejectionStatement",
                "must be there with confirmationPrompt",
            );
        }
        (None, Some(_)) => {
            return refuse(
                "confirmationPrompt",
                "must be there with rejectionStatement",
            );
        }
        _ => {}
    }
    match &intent.fulfillment_activity {
        Some(activity)
            if activity.kind == FulfillmentKind::CodeHook && activity.code_hook.is_none() =>
        {
            refuse(
                "fulfillmentActivity.codeHook",
                "must be there for the type CodeHook",
            )
        }
        _ => Ok(()),
    }
}

fn wordings(intent: &Intent) -> Result<(), Refused> {
    if let Some(prompt) = &intent.confirmation_prompt {
        messages(&prompt.messages, "confirmationPrompt")?;
    }
    if let Some(statement) = &intent.rejection_statement {
        messages(&statement.messages, "rejectionStatement")?;
    }
    if let Some(follow_up) = &intent.follow_up_prompt {
        messages(&follow_up.prompt.messages, "followUpPrompt.prompt")?;
        let rejection = &follow_up.rejection_statement;
        messages(&rejection.messages, "followUpPrompt.rejectionStatement")?;
    }
    match &intent.conclusion_statement {
        Some(statement) => messages(&statement.messages, "conclusionStatement"),
        None => Ok(()),
    }
}
