//! A turn of the sample as a log object of v1 or v2.

use serde_json::{Value, json};

use super::{Conversation, Turn};
use crate::demo::scripts::End;

fn intents(turn: &Turn<'_>) -> Value {
    match turn.say.intent {
        "" => json!([]),
        intent => json!([{"intent": intent, "confidence": turn.confidence}]),
    }
}

fn entity_list(turn: &Turn<'_>) -> Value {
    let entity = |(entity, value, from, to): &(&str, &str, usize, usize)| json!({"entity": entity, "value": value, "location": [from, to], "confidence": 1});
    // A turn that the bot did not understand has neither.
    let understood = turn.entities.iter().filter(|_| !turn.say.intent.is_empty());
    understood.map(entity).collect()
}

fn generic(turn: &Turn<'_>) -> Value {
    let mut generic = Vec::new();
    if !turn.reply.is_empty() {
        generic.push(json!({"response_type": "text", "text": turn.reply}));
    }
    if turn.say.end == End::Escalated {
        generic.push(json!({
            "response_type": "connect_to_agent",
            "message_to_human_agent": "asked for a person",
            "agent_available": {"message": "One moment please."},
        }));
    }
    Value::Array(generic)
}

fn exit_reason(turn: &Turn<'_>) -> Option<&'static str> {
    match turn.say.end {
        End::Open => turn.say.intent.is_empty().then_some("fallback"),
        End::Completed | End::Escalated => Some("completed"),
        End::Failed => Some("error"),
    }
}

fn node(turn: &Turn<'_>) -> String {
    match turn.say.intent {
        "" => "anything_else".to_owned(),
        intent => format!("node_{intent}"),
    }
}

fn log_messages(turn: &Turn<'_>) -> Value {
    match turn.say.end {
        End::Failed => json!([{
            "level": "error",
            "code": "DIALOG_WEBHOOK_FAILED",
            "msg": "the account service answered 503",
        }]),
        _ => json!([]),
    }
}

/// As v1 lists it.
pub(super) fn v1(conversation: &Conversation<'_>, turn: &Turn<'_>) -> Value {
    let bot = conversation.bot;
    let (environment, _, channel) = bot.environment;
    let context = |turn_counter: u64| {
        let mut system = json!({
            "assistant_id": bot.assistant,
            "dialog_turn_counter": turn_counter,
            "dialog_request_counter": turn_counter,
        });
        if let Some(reason) = exit_reason(turn) {
            system["branch_exited"] = true.into();
            system["branch_exited_reason"] = reason.into();
        }
        json!({
            "conversation_id": conversation.id,
            "metadata": {"deployment": environment, "user_id": conversation.user},
            "integrations": {"channel": {"name": channel}},
            "system": system,
        })
    };
    let texts: Vec<&str> = Some(turn.reply.as_str())
        .filter(|text| !text.is_empty())
        .into_iter()
        .collect();
    let mut log = json!({
        "log_id": turn.id,
        "workspace_id": bot.id,
        "language": bot.language,
        "request_timestamp": turn.request.to_millis_text(),
        "response_timestamp": turn.response.to_millis_text(),
        "request": {"input": {"text": turn.text}, "context": context(turn.number - 1)},
        "response": {
            "input": {"text": turn.text},
            "intents": intents(turn),
            "entities": entity_list(turn),
            "output": {
                "text": texts,
                "generic": generic(turn),
                "nodes_visited": [node(turn)],
                "log_messages": log_messages(turn),
            },
            "context": context(turn.number),
            "user_id": conversation.user,
        },
    });
    if let Some(customer) = conversation.customer {
        log["customer_id"] = customer.into();
    }
    log
}

/// As v2 lists it.
pub(super) fn v2(conversation: &Conversation<'_>, turn: &Turn<'_>) -> Value {
    let bot = conversation.bot;
    let (environment, _, channel) = bot.environment;
    let context = json!({
        "global": {
            "session_id": conversation.id,
            "system": {"turn_count": turn.number, "user_id": conversation.user},
        },
        "skills": {"main skill": {"user_defined": {}}},
        "integrations": {"channel": {"name": channel}},
    });
    let mut log = json!({
        "log_id": turn.id,
        "assistant_id": bot.assistant,
        "environment_id": environment,
        "skill_id": bot.id,
        "snapshot": "1",
        "session_id": conversation.id,
        "language": bot.language,
        "request_timestamp": turn.request.to_millis_text(),
        "response_timestamp": turn.response.to_millis_text(),
        "request": {
            "input": {"message_type": "text", "text": turn.text},
            "context": context,
            "user_id": conversation.user,
        },
        "response": {
            "output": {
                "generic": generic(turn),
                "intents": intents(turn),
                "entities": entity_list(turn),
                "debug": {
                    "nodes_visited": [{"dialog_node": node(turn), "conditions": "true"}],
                    "log_messages": log_messages(turn),
                    "branch_exited": exit_reason(turn).is_some(),
                    "branch_exited_reason": exit_reason(turn).unwrap_or_default(),
                },
            },
            "context": context,
            "user_id": conversation.user,
        },
    });
    if let Some(customer) = conversation.customer {
        log["customer_id"] = customer.into();
    }
    log
}
