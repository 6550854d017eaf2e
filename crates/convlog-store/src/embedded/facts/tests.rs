//! Bodies are hashed as their key-sorted text.

use super::*;

#[test]
fn the_sorted_text_is_that_of_the_key_sorted_value() {
    for text in [
        r#"{"b":[{"z":1.0,"a":null},true],"a":"q\"\u0001","b":false}"#,
        "[]",
        "{}",
        r#""text""#,
        "1e400",
    ] {
        let value = Json::parse(text.as_bytes()).unwrap();
        assert_eq!(
            Value::from(&value).key_sorted_text(),
            value.key_sorted().to_string()
        );
    }
}

#[test]
fn bodies_whose_members_come_in_another_order_have_the_same_hash() {
    let hasher = Hasher::new(&Sealer::new([3; 32]));
    assert_eq!(
        hasher.body(r#"{"a":1,"b":[2]}"#),
        hasher.body(r#"{ "b":[2], "a":1 }"#)
    );
    assert_ne!(hasher.body(r#"{"a":1}"#), hasher.body(r#"{"a":1.0}"#));
}
