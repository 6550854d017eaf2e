//! Bots, intents and slot types as the model building API writes them, read from documents that
//! have been checked before. Members that nothing here looks at are left out; the documents keep
//! them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A version of a bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bot {
    /// Its name.
    pub name: String,
    /// Its version: `$LATEST` or a number.
    #[serde(default = "latest")]
    pub version: String,
    /// Its locale, such as `en-US`.
    pub locale: String,
    /// Whether it is directed to children: then nothing of it is logged.
    pub child_directed: bool,
    /// The intents that it knows, each in one version.
    #[serde(default)]
    pub intents: Vec<IntentRef>,
    /// Confidence below which an intent counts as not understood.
    #[serde(default)]
    pub nlu_intent_confidence_threshold: Option<f64>,
    /// What it says when it did not understand.
    #[serde(default)]
    pub clarification_prompt: Option<Prompt>,
    /// What it says when it gives up.
    #[serde(default)]
    pub abort_statement: Option<Statement>,
    /// Idle seconds after which a session ends.
    #[serde(default = "idle_session_ttl")]
    #[serde(rename = "idleSessionTTLInSeconds")]
    pub idle_session_ttl_s: u32,
    /// Whether answers tell the sentiment of the user.
    #[serde(default)]
    pub detect_sentiment: bool,
}

const fn idle_session_ttl() -> u32 {
    300
}

fn latest() -> String {
    "$LATEST".to_owned()
}

/// An intent that a bot uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntentRef {
    /// Its name.
    pub intent_name: String,
    /// Its version: `$LATEST` or a number.
    pub intent_version: String,
}

/// A version of an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Its name.
    pub name: String,
    /// The built-in intent that it extends, such as `AMAZON.FallbackIntent`.
    #[serde(default)]
    pub parent_intent_signature: Option<String>,
    /// What users say, slots in braces.
    #[serde(default)]
    pub sample_utterances: Vec<String>,
    /// What it needs to know.
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// Asks whether it is to be done.
    #[serde(default)]
    pub confirmation_prompt: Option<Prompt>,
    /// What it says when that is denied.
    #[serde(default)]
    pub rejection_statement: Option<Statement>,
    /// Asks what else there is, once it is done.
    #[serde(default)]
    pub follow_up_prompt: Option<FollowUp>,
    /// What it says once it is done, where nothing follows up.
    #[serde(default)]
    pub conclusion_statement: Option<Statement>,
    /// The function that is asked at each turn.
    #[serde(default)]
    pub dialog_code_hook: Option<CodeHook>,
    /// What does it.
    #[serde(default)]
    pub fulfillment_activity: Option<Fulfillment>,
    /// Contexts that must be active for it to be recognised.
    #[serde(default)]
    pub input_contexts: Vec<InputContext>,
    /// Contexts that become active once it is done.
    #[serde(default)]
    pub output_contexts: Vec<OutputContext>,
}

/// One thing that an intent needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Whether the intent waits for it.
    pub slot_constraint: SlotConstraint,
    /// What values it takes: a name of a slot type of the account's own, or of a built-in one.
    #[serde(default)]
    pub slot_type: Option<String>,
    /// Version of a slot type of the account's own.
    #[serde(default)]
    pub slot_type_version: Option<String>,
    /// Asks for it.
    #[serde(default)]
    pub value_elicitation_prompt: Option<Prompt>,
    /// Its place in the order of asking; smaller ones come first.
    #[serde(default)]
    pub priority: Option<u32>,
    /// What users say when they are asked for it, with its name in braces.
    #[serde(default)]
    pub sample_utterances: Vec<String>,
    /// A card that is shown with the question, a JSON text.
    #[serde(default)]
    pub response_card: Option<String>,
    /// Whether logs show its name in place of its values.
    #[serde(default)]
    pub obfuscation_setting: Obfuscation,
    /// Values that it starts with.
    #[serde(default)]
    pub default_value_spec: Option<DefaultValues>,
}

/// Whether an intent waits for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotConstraint {
    /// It does.
    Required,
    /// It does not.
    Optional,
}

/// Whether logs hide a slot's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Obfuscation {
    /// They show them.
    #[default]
    None,
    /// They show `{name}` instead.
    DefaultObfuscation,
}

/// Values that a slot starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultValues {
    /// The first that leads to a value is taken.
    pub default_value_list: Vec<DefaultValue>,
}

/// A value, or the place of one: `#context.parameter` or `[attribute]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultValue {
    /// It.
    pub default_value: String,
}

/// A question with the number of times that it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    /// Its wordings.
    pub messages: Vec<Message>,
    /// Times that it is asked.
    pub max_attempts: u32,
    /// A card that is shown with it, a JSON text.
    #[serde(default)]
    pub response_card: Option<String>,
}

/// Something that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Its wordings.
    pub messages: Vec<Message>,
    /// A card that is shown with it, a JSON text.
    #[serde(default)]
    pub response_card: Option<String>,
}

/// One wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its form.
    pub content_type: MessageFormat,
    /// Its text; `{slot}` and `[attribute]` stand for values.
    pub content: String,
    /// Messages of one group are wordings of the same; of each group one is said.
    #[serde(default)]
    pub group_number: Option<u32>,
}

/// Form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageFormat {
    /// Text.
    PlainText,
    /// Speech markup.
    #[serde(rename = "SSML")]
    Ssml,
    /// Whatever the client makes of it.
    CustomPayload,
    /// Several messages of several groups, as the JSON text `{"messages":[{"type","group","value"}]}`.
    Composite,
}

impl MessageFormat {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MessageFormat::PlainText => "PlainText",
            MessageFormat::Ssml => "SSML",
            MessageFormat::CustomPayload => "CustomPayload",
            MessageFormat::Composite => "Composite",
        }
    }
}

/// What follows once an intent is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowUp {
    /// Asks.
    pub prompt: Prompt,
    /// What it says when that is denied.
    pub rejection_statement: Statement,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeHook {
    /// Its ARN.
    pub uri: String,
    /// Version of the event that it takes.
    pub message_version: String,
}

/// What does an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fulfillment {
    /// Who.
    #[serde(rename = "type")]
    pub kind: FulfillmentKind,
    /// The function.
    #[serde(default)]
    pub code_hook: Option<CodeHook>,
}

/// Who does an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FulfillmentKind {
    /// The client, which gets what it needs to know.
    ReturnIntent,
    /// A function.
    CodeHook,
}

/// A context that must be active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputContext {
    /// Its name.
    pub name: String,
}

/// A context that becomes active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputContext {
    /// Its name.
    pub name: String,
    /// Seconds that it lives.
    pub time_to_live_in_seconds: u32,
    /// Turns that it lives.
    pub turns_to_live: u32,
}

/// A context of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveContext {
    /// Its name.
    pub name: String,
    /// How long it lives.
    pub time_to_live: TimeToLive,
    /// Its values.
    pub parameters: BTreeMap<String, String>,
}

/// How long a context lives: until one of both has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeToLive {
    /// Seconds.
    #[serde(default)]
    pub time_to_live_in_seconds: Option<u32>,
    /// Turns.
    #[serde(default)]
    pub turns_to_live: Option<u32>,
}

/// A version of a slot type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotType {
    /// Its name.
    pub name: String,
    /// The values that are known.
    #[serde(default)]
    pub enumeration_values: Vec<EnumerationValue>,
    /// What a slot gets.
    #[serde(default)]
    pub value_selection_strategy: Selection,
    /// A built-in slot type that it extends.
    #[serde(default)]
    pub parent_slot_type_signature: Option<String>,
    /// What it adds to that, such as a pattern.
    #[serde(default)]
    pub slot_type_configurations: Vec<SlotTypeConfiguration>,
}

/// A value of a slot type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumerationValue {
    /// It.
    pub value: String,
    /// Other words for it.
    #[serde(default)]
    pub synonyms: Vec<String>,
}

/// What a slot gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Selection {
    /// The user's own words, also such as the list does not know.
    #[default]
    OriginalValue,
    /// The first value of the list that they stand for, else nothing.
    TopResolution,
}

/// What a slot type adds to its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotTypeConfiguration {
    /// A pattern that values match.
    #[serde(default)]
    pub regex_configuration: Option<RegexConfiguration>,
}

/// A pattern of values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegexConfiguration {
    /// It.
    pub pattern: String,
}
