//! Rows come back as they were written, and no bytes make the decoder panic.

use proptest::prelude::*;

use super::*;
use convlog_model::json::{Json, Text};

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::integer),
        ".{0,12}".prop_map(Json::string),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec((".{0,6}".prop_map(Text::from), inner), 0..4)
                .prop_map(Json::Object),
        ]
    })
}

fn source() -> impl Strategy<Value = Source> {
    let path = prop::collection::vec(".{1,8}", 1..4);
    prop_oneof![
        json().prop_map(Source::Value),
        path.prop_map(|parts| {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            Source::Raw(LeafPath::of(&parts))
        }),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let own_id = prop::option::of(".{0,20}");
    let labels = prop::collection::btree_map(".{0,6}", ".{0,6}", 0..3);
    let canonical =
        prop::collection::btree_map("[a-z.]{1,12}".prop_map(Text::from), source(), 0..6);
    let fixed = (any::<bool>(), 0..Dialect::ALL.len(), "[a-zA-Z0-9_-]{1,64}");
    (fixed, own_id, labels, canonical, json()).prop_map(
        |((turn, dialect, instance), own_id, labels, canonical, raw)| Draft {
            instance: InstanceId::new(&instance).unwrap(),
            kind: if turn { Kind::Turn } else { Kind::Event },
            dialect: Dialect::ALL[dialect],
            own_id,
            canonical: canonical.into_iter().collect(),
            labels,
            raw: raw.to_string().into(),
        },
    )
}

proptest! {
    #[test]
    fn records_come_back(draft in draft(), body_hash in any::<[u8; 16]>()) {
        let mut bytes = Vec::new();
        encode_record(&mut bytes, &draft, &body_hash);
        let row = RecordRow { draft, body_hash };
        prop_assert_eq!(decode(&bytes), Ok(Row::Record(Box::new(row))));
    }

    #[test]
    fn states_and_deliveries_come_back(
        session_hash in any::<[u8; 16]>(),
        slot in any::<u32>(),
        number in any::<u64>(),
        sealed in prop::collection::vec(any::<u8>(), 0..64),
        names in (".{0,9}", ".{0,9}"),
    ) {
        let state = StateRow { session_hash, slot, number, sealed };
        let mut bytes = Vec::new();
        encode_state(&mut bytes, &state);
        prop_assert_eq!(decode(&bytes), Ok(Row::State(state)));
        let delivery = DeliveryRow {
            instance: InstanceId::default_instance(),
            destination: names.0,
            blob: names.1,
        };
        let mut bytes = Vec::new();
        encode_delivery(&mut bytes, &delivery);
        prop_assert_eq!(decode(&bytes), Ok(Row::Delivery(delivery)));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), n in 0..5u16) {
        let _row = decode(&bytes);
        let _rows = split(&bytes, n);
        let _state = SealedState::decode(&bytes);
    }

    #[test]
    fn damaged_rows_never_panic(draft in draft(), at in any::<usize>(), bit in 0..8u8) {
        let mut bytes = Vec::new();
        encode_record(&mut bytes, &draft, &[0; 16]);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let _row = decode(&bytes);
        let _row = decode(&bytes[..at]);
    }
}

#[test]
fn no_bytes_are_an_erased_row() {
    assert_eq!(decode(&[]), Ok(Row::Erased));
    assert_eq!(split(&[0, 1, 9, 0], 3), Ok(vec![&[] as &[u8], &[9], &[]]));
}

#[test]
fn unknown_kinds_are_a_newer_format() {
    let error = decode(&[77, 1, 2]).unwrap_err();
    assert_eq!(error.to_string(), "row of a newer format (kind 77)");
    let error = decode(&[TURN, 99]).unwrap_err();
    assert_eq!(error.to_string(), "row of a newer format (dialect 99)");
}

#[test]
fn canonical_values_may_not_be_too_deep() {
    let mut value = Json::Null;
    for _ in 0..128 {
        value = Json::Array(vec![value]);
    }
    assert!(json::fits(&value));
    assert!(!json::fits(&Json::Array(vec![value])));
}
