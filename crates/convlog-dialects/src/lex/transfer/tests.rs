//! Files taken apart, and what is refused.

use super::*;

const BOUNDS: Bounds = Bounds {
    bytes: 64 << 10,
    depth: 32,
};

fn document(resource: &str) -> String {
    format!(
        r#"{{"metadata":{{"schemaVersion":"1.0","importType":"LEX","importFormat":"JSON"}},
            "resource":{resource}}}"#
    )
}

const BOT: &str = r#"{"name":"Shop","version":"4","locale":"en-US","childDirected":false,
    "voiceId":null,"intents":[{"name":"Order","version":"2","slots":[
        {"name":"kind","slotType":"Kinds","slotTypeVersion":"7"},
        {"name":"day","slotType":"AMAZON.DATE"},
        {"name":"other","slotType":"Elsewhere","slotTypeVersion":"3"}],
        "slotTypes":[{"name":"Kinds","version":"7","enumerationValues":[]}]}],
    "slotTypes":[{"version":"7","enumerationValues":[],"name":"Kinds"}]}"#;

fn parts(resource: &str, kind: Resource) -> Result<Parts, String> {
    let read = Document::read(document(resource).as_bytes(), BOUNDS);
    let taken = read.and_then(|document| document.parts(kind));
    taken.map_err(|error| error.to_string())
}

#[test]
fn a_bot_brings_its_parts_in_their_latest_versions() {
    let parts = parts(BOT, Resource::Bot).unwrap();
    assert_eq!(parts.name, "Shop");
    let bot = parts.bot.unwrap().to_string();
    assert!(!bot.contains("voiceId"), "nulls are left out: {bot}");
    assert!(!bot.contains("slotTypes"), "{bot}");
    assert!(
        bot.contains(r#""intents":[{"intentName":"Order","intentVersion":"$LATEST"}]"#),
        "{bot}"
    );
    assert_eq!(parts.slot_types.len(), 1, "the same one stands there twice");
    let intent = parts.intents[0].to_string();
    assert!(
        intent.contains(r#""slotType":"Kinds","slotTypeVersion":"$LATEST""#),
        "{intent}"
    );
    assert!(
        intent.contains(r#""slotType":"Elsewhere","slotTypeVersion":"3""#),
        "what does not come along keeps its version: {intent}"
    );
    assert!(!intent.contains("slotTypes"), "{intent}");
}

#[test]
fn a_file_tells_what_it_is_about() {
    for (resource, kind) in [
        (BOT, Resource::Bot),
        (
            r#"{"name":"a","sampleUtterances":[],"slotTypes":[]}"#,
            Resource::Intent,
        ),
        (r#"{"name":"a","enumerationValues":[]}"#, Resource::SlotType),
    ] {
        let read = Document::read(document(resource).as_bytes(), BOUNDS).unwrap();
        assert_eq!(read.kind(), kind, "{resource}");
        for other in [Resource::Bot, Resource::Intent, Resource::SlotType] {
            let is_ok = read.clone().parts(other).is_ok();
            assert_eq!(is_ok, other == kind, "{resource}");
        }
    }
}

#[test]
fn an_archive_holds_the_document() {
    let text = document(BOT);
    let file = write("Shop_4.json", &text).unwrap();
    assert!(file.starts_with(b"PK"));
    let plain = Document::read(text.as_bytes(), BOUNDS).unwrap();
    assert_eq!(Document::read(&file, BOUNDS).unwrap(), plain);
}

#[test]
fn a_bomb_is_given_up_at_its_bound() {
    let file = write("big.json", &" ".repeat(1 << 20)).unwrap();
    assert!(file.len() < 8 << 10);
    let refused = Document::read(&file, BOUNDS).unwrap_err().to_string();
    assert_eq!(refused, "the document is larger than 65536 bytes");
    let text = " ".repeat(BOUNDS.bytes + 1);
    let refused = Document::read(text.as_bytes(), BOUNDS).unwrap_err();
    assert!(refused.to_string().contains("larger"), "{refused}");
}

#[test]
fn what_is_no_file_of_definitions_is_refused() {
    let no_json = write("readme.txt", "hello").unwrap();
    for (file, error) in [
        (b"PK\x03\x04nothing".to_vec(), "the archive cannot be read"),
        (no_json, "the archive must hold one JSON file"),
        (b"hello".to_vec(), "the file is not valid JSON: "),
        (b"[]".to_vec(), "metadata.schemaVersion: must be 1.0"),
        (
            br#"{"metadata":{"schemaVersion":"1.0","importType":"ASK"}}"#.to_vec(),
            "metadata.importType: must be LEX",
        ),
        (
            document("7").into_bytes(),
            "resource: must be an object, not a number",
        ),
    ] {
        let refused = Document::read(&file, BOUNDS).unwrap_err().to_string();
        assert!(refused.starts_with(error), "{refused}");
    }
    let twice = r#"{"name":"a","locale":"x","childDirected":false,
        "slotTypes":[{"name":"k"},{"name":"k","description":"d"}]}"#;
    let refused = parts(twice, Resource::Bot).unwrap_err();
    assert_eq!(
        refused,
        "resource.slotTypes: holds 'k' twice, and not the same"
    );
    let nameless = r#"{"childDirected":false}"#;
    let refused = parts(nameless, Resource::Bot).unwrap_err();
    assert_eq!(refused, "resource.name: must be a string");
}
