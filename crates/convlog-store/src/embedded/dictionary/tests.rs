//! Dictionaries hold what many customers share and nothing else.

use super::*;
use convlog_model::json::Json;

/// A row of one of `customers`; every row has a secret of its own, and one that 49 customers have
/// often.
fn row(i: usize, customers: usize) -> RecordRow {
    let customer = i % customers;
    let rare = if customer < 49 { "MostlyPrivate" } else { "x" };
    let raw = format!(
        r#"{{"greeting":"SharedByEverybody","secret{i}":"Secret-{i}-only","rare":"{rare}",
        "answer":{{"kind":"KnownToAll","customer":"customer-{customer}"}}}}"#
    );
    let mut draft = Draft {
        instance: InstanceId::default_instance(),
        kind: Kind::Turn,
        dialect: Dialect::Convlog,
        own_id: Some(format!("Own-{i}")),
        canonical: Canonical::new(),
        labels: [("team".to_owned(), "EveryTeam".to_owned())].into(),
        raw: Json::parse(raw.as_bytes()).unwrap().to_string().into(),
    };
    draft.set_text("customer", &format!("customer-{customer}"));
    RecordRow {
        draft,
        body_hash: [0; 16],
    }
}

fn holds(codec: &Codec, text: &str) -> bool {
    let mut windows = codec.dictionary().windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

#[test]
fn a_trained_dictionary_holds_what_enough_customers_share() {
    let rows: Vec<RecordRow> = (0..ROWS_MIN).map(|i| row(i, 64)).collect();
    let plain = Codec::new(Vec::new());
    let trained = train(&rows, &plain, &AtomicBool::new(false)).unwrap();
    assert!(holds(&trained, "SharedByEverybody") && holds(&trained, "KnownToAll"));
    for private in ["Secret-", "MostlyPrivate", "customer-", "Own-", "secret1"] {
        assert!(!holds(&trained, private), "{private}");
    }
}

#[test]
fn too_few_rows_train_none() {
    let rows: Vec<RecordRow> = (0..ROWS_MIN - 1).map(|i| row(i, 64)).collect();
    let plain = Codec::new(Vec::new());
    assert!(train(&rows, &plain, &AtomicBool::new(false)).is_none());
}

#[test]
fn too_few_customers_share_nothing() {
    let rows: Vec<RecordRow> = (0..ROWS_MIN).map(|i| row(i, 49)).collect();
    let vocabulary = Vocabulary::of(&rows, &AtomicBool::new(false));
    let filtered = vocabulary.filtered(&rows[0].draft);
    assert_eq!(filtered.raw, "{}");
    assert_eq!(filtered.own_id, None);
    assert!(filtered.labels.is_empty());
}

#[test]
fn a_dictionary_is_kept_until_another_saves_three_percent() {
    let rows: Vec<RecordRow> = (0..ROWS_MIN).map(|i| row(i, 64)).collect();
    let stop = AtomicBool::new(false);
    let trained = train(&rows, &Codec::new(Vec::new()), &stop).unwrap();
    assert!(train(&rows, &trained, &stop).is_none());
}

#[test]
fn the_first_dictionary_fits_and_shortens_small_rows() {
    let dictionary = builtin();
    assert!(dictionary.len() < super::super::log::DICTIONARY_LEN_MAX);
    let first = Codec::new(dictionary);
    let mut draft = row(0, 64).draft;
    draft.raw = r#"{"request":{"input":{"text":"hello"}},"response":{"intents":[]}}"#.into();
    let mut bytes = Vec::new();
    row::encode_record(&mut bytes, &draft, &[7; 16]);
    let short = first.compress(&bytes).unwrap();
    assert!(short.len() < Codec::new(Vec::new()).compress(&bytes).unwrap().len());
    assert_eq!(first.decompress(&short, bytes.len()).unwrap(), bytes);
}
