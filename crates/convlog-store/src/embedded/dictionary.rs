//! Dictionaries: what stands in one is known to everybody, so that erasing needs not look there.
//!
//! The first one is part of the program and holds names only. A trained one holds keys and values
//! that at least 50 different customers share and that occur in 1 % of the rows: its samples are
//! rows from which everything else was removed.

#[cfg(test)]
mod tests;
mod vocabulary;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use convlog_model::fields;
use convlog_model::ids::InstanceId;
use convlog_model::record::{Canonical, Dialect, Draft, Kind};

use self::vocabulary::Vocabulary;
use super::bytes::{put_bytes, to_u64};
use super::codec::Codec;
use super::frame::ROWS_MAX;
use super::row::{self, RecordRow};

/// Fewer rows train none.
pub(crate) const ROWS_MIN: usize = 4096;
/// More rows are not looked at.
pub(crate) const ROWS_SAMPLED: usize = 12_288;
/// Bytes of a trained dictionary.
const TRAINED_LEN: usize = 64 << 10;
/// Bytes of samples: a hundred times the dictionary, as zstd advises.
const SAMPLE_BYTES_MAX: usize = 100 * TRAINED_LEN;

/// Raw paths that most logs of Watson Assistant have.
const WATSON_KEYS: &str = r#"{"request":{"alternate_intents":false,"input":{"message_type":"text","text":"","options":{"return_context":true,"debug":false}},"context":{"conversation_id":"","system":{"dialog_stack":[{"dialog_node":"root"}],"dialog_turn_counter":1,"dialog_request_counter":1,"assistant_id":""},"metadata":{"deployment":"","user_id":""},"global":{"system":{"turn_count":1,"user_id":"","session_start_time":""},"session_id":""},"skills":{"main skill":{"user_defined":{},"system":{"state":""}},"actions skill":{}},"integrations":{"channel":{"name":""}}},"user_id":""},"response":{"intents":[{"intent":"","confidence":0.9}],"entities":[{"entity":"","location":[0,1],"value":"","confidence":1}],"input":{"text":""},"output":{"generic":[{"response_type":"text","text":""}],"text":[""],"nodes_visited":["node_1"],"log_messages":[],"intents":[],"entities":[],"debug":{"turn_events":[],"nodes_visited":[{"dialog_node":"","title":"","conditions":""}]},"user_defined":{}},"context":{},"user_id":"","session_id":"","top_intent":""},"customer_id":"","assistant_id":"","session_id":"","skill_id":"","snapshot":"","environment":"","environment_id":"","workspace_id":"","request_timestamp":"2026-01-01T00:00:00.000Z","response_timestamp":"2026-01-01T00:00:00.000Z","language":"en","log_id":""}"#;

/// The dictionary that a log begins with before there is one to train.
pub(crate) fn builtin() -> Vec<u8> {
    let mut canonical = Canonical::new();
    let named = fields::FIELDS.iter().map(|field| field.path);
    for path in named.filter(|path| !path.ends_with('*')) {
        canonical.insert(path.into(), reference(path));
    }
    for (path, raw) in [
        ("bot", "workspace_id"),
        ("conversation", "response.context.conversation_id"),
        ("input.text", "request.input.text"),
        ("output.type", "response.output.generic.response_type"),
        ("output.text", "response.output.generic.text"),
        ("intents.name", "response.intents.intent"),
        ("intents.confidence", "response.intents.confidence"),
        ("entities.entity", "response.entities.entity"),
        ("entities.value", "response.entities.value"),
        ("entities.location", "response.entities.location"),
        ("steps.name", "response.output.nodes_visited"),
        ("language", "language"),
        ("time.request", "request_timestamp"),
        ("time.response", "response_timestamp"),
        ("user", "request.user_id"),
    ] {
        canonical.insert(path.into(), reference(raw));
    }
    let draft = Draft {
        instance: InstanceId::default_instance(),
        kind: Kind::Turn,
        dialect: Dialect::WatsonV1,
        own_id: None,
        canonical,
        labels: Default::default(),
        raw: WATSON_KEYS.into(),
    };
    let mut out = Vec::new();
    row::encode_record(&mut out, &draft, &[0; 16]);
    out
}

fn reference(dotted: &str) -> convlog_model::record::Source {
    let segments: Vec<&str> = dotted.split('.').collect();
    convlog_model::record::Source::Raw(convlog_model::flatten::LeafPath::of(&segments))
}

/// A dictionary trained on rows that saves at least 3 % against `current`; `None` when there is
/// none or `stop` was set.
pub(crate) fn train(rows: &[RecordRow], current: &Codec, stop: &AtomicBool) -> Option<Arc<Codec>> {
    if rows.len() < ROWS_MIN {
        return None;
    }
    let vocabulary = Vocabulary::of(rows, stop);
    let mut samples = Vec::new();
    let mut bytes = 0;
    for row in rows {
        if stop.load(Ordering::Relaxed) || bytes > SAMPLE_BYTES_MAX {
            break;
        }
        let mut sample = Vec::new();
        row::encode_record(&mut sample, &vocabulary.filtered(&row.draft), &[0; 16]);
        bytes += sample.len();
        samples.push(sample);
    }
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    let trained = match zstd::dict::from_samples(&samples, TRAINED_LEN) {
        Ok(trained) => Codec::new(trained),
        Err(error) => {
            // Rows that share nothing give nothing to train on.
            tracing::debug!(%error, "no dictionary was trained");
            return None;
        }
    };
    let held_out: Vec<&RecordRow> = rows.iter().step_by(16).collect();
    let (before, after) = (size(&held_out, current)?, size(&held_out, &trained)?);
    let is_better = u128::from(after) * 100 <= u128::from(before) * 97;
    is_better.then(|| Arc::new(trained))
}

/// Bytes of rows in blocks as the log would have them.
fn size(rows: &[&RecordRow], codec: &Codec) -> Option<u64> {
    let mut sum = 0;
    for block in rows.chunks(ROWS_MAX) {
        let mut plain = Vec::new();
        for row in block {
            let mut bytes = Vec::new();
            row::encode_record(&mut bytes, &row.draft, &row.body_hash);
            put_bytes(&mut plain, &bytes);
        }
        sum += to_u64(codec.compress(&plain).ok()?.len());
    }
    Some(sum)
}
