//! Rules on drafts: what is cut, what stays, and what the record says of it.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fields::FieldRef;
use crate::json::Json;
use crate::record::{Draft, Kind, Source};
use crate::testkit::draft;

const BYTES_MAX: usize = 1 << 20;

/// A rule of what is written in it: `detector:email`, `pattern:…`, `keys:a,b`, `paths:a,b`.
fn rule_of(name: &str, what: &str, action: &str) -> Rule {
    let mut spec = RuleSpec {
        name: name.to_owned(),
        action: action.to_owned(),
        ..RuleSpec::default()
    };
    let (kind, text) = what.split_once(':').unwrap();
    let list = || Some(text.split(',').map(str::to_owned).collect());
    match kind {
        "detector" => spec.detector = Some(text.to_owned()),
        "pattern" => spec.pattern = Some(text.to_owned()),
        "keys" => spec.keys = list(),
        _ => spec.paths = list(),
    }
    Rule::compile(&spec, 3).unwrap()
}

fn policy(rules: Vec<Rule>) -> Policy {
    let rules = rules.into_iter().map(Arc::new).collect();
    Policy::new(rules, HashKey::new([7; 32]))
}

fn one(what: &str) -> Policy {
    policy(vec![rule_of("r", what, "mask")])
}

/// Paths that were cut.
fn apply(policy: &Policy, draft: &mut Draft) -> Vec<String> {
    let cuts = policy.apply(draft, BYTES_MAX).unwrap();
    let again = draft.clone();
    let mut twice = draft.clone();
    let none = policy.apply(&mut twice, BYTES_MAX).unwrap();
    assert_eq!((none, &twice), (Vec::new(), &again), "a second time");
    assert!(Json::of_body(&draft.raw).is_some(), "{}", draft.raw);
    cuts.into_iter().map(|cut| cut.path).collect()
}

fn raw_after(what: &str, action: &str, body: &str) -> String {
    let mut draft = draft(body);
    apply(&policy(vec![rule_of("r", what, action)]), &mut draft);
    draft.raw.to_string()
}

fn canonical<'a>(draft: &'a Draft, path: &str) -> Option<&'a Source> {
    draft.canonical.get(path)
}

fn shown(draft: &Draft, path: &str) -> Option<String> {
    draft.flat().text(path).map(str::to_owned)
}

#[test]
fn everything_but_what_is_cut_stays_as_it_is_written() {
    let body =
        r#"{"b":1.0,"a":"\u00e9\/\n","x":"mail a@b.com now","b":1E+400,"z":[ -0, {"a\"b":null}]}"#;
    assert_eq!(
        raw_after("detector:email", "mask", body),
        r#"{"b":1.0,"a":"\u00e9\/\n","x":"mail [redacted:r] now","b":1E+400,"z":[-0,{"a\"b":null}]}"#
    );
    // What nothing is cut from is not even copied.
    let mut draft = draft(" {\"a\": 1} ");
    assert!(apply(&one("detector:email"), &mut draft).is_empty());
    assert_eq!(draft.raw, " {\"a\": 1} ");
    assert!(!draft.canonical.contains_key("redactions"));
}

#[test]
fn actions_leave_a_mask_a_hash_or_nothing() {
    let body = r#"{"x":"a@b.com, c@d.org","y":{"k":[1]},"z":0}"#;
    for (what, action, expected) in [
        (
            "detector:email",
            "mask",
            r#"{"x":"[redacted:r], [redacted:r]","y":{"k":[1]},"z":0}"#,
        ),
        (
            "detector:email",
            "remove",
            r#"{"x":", ","y":{"k":[1]},"z":0}"#,
        ),
        (
            "keys:y",
            "mask",
            r#"{"x":"a@b.com, c@d.org","y":"[redacted:r]","z":0}"#,
        ),
        ("keys:y", "remove", r#"{"x":"a@b.com, c@d.org","z":0}"#),
        ("keys:x", "remove", r#"{"y":{"k":[1]},"z":0}"#),
        (
            "paths:y.k[0]",
            "remove",
            r#"{"x":"a@b.com, c@d.org","y":{"k":[]},"z":0}"#,
        ),
        (
            "paths:y.k",
            "mask",
            r#"{"x":"a@b.com, c@d.org","y":{"k":"[redacted:r]"},"z":0}"#,
        ),
        (
            "keys:z",
            "mask",
            r#"{"x":"a@b.com, c@d.org","y":{"k":[1]},"z":"[redacted:r]"}"#,
        ),
    ] {
        assert_eq!(raw_after(what, action, body), expected, "{what} {action}");
    }
    let hashed = raw_after("detector:email", "hash", body);
    let json = Json::parse(hashed.as_bytes()).unwrap();
    let text = json.get("x").and_then(Json::as_str).unwrap();
    let (first, second) = text.split_once(", ").unwrap();
    assert_eq!(first.len(), "[hash:r:]".len() + 32);
    assert_ne!(first, second);
    assert_eq!(
        raw_after("keys:x", "hash", r#"{"x":"a@b.com"}"#),
        format!("{{\"x\":\"{first}\"}}")
    );
}

#[test]
fn a_replacement_of_ones_own() {
    let spec = RuleSpec {
        name: "r".to_owned(),
        detector: Some("email".to_owned()),
        action: "mask".to_owned(),
        replacement: Some("x\"@\\".to_owned()),
        ..RuleSpec::default()
    };
    let mut draft = draft(r#"{"a":"to a@b.com"}"#);
    apply(&policy(vec![Rule::compile(&spec, 1).unwrap()]), &mut draft);
    assert_eq!(draft.raw, r#"{"a":"to x\"@\\"}"#);
}

#[test]
fn numbers_are_cut_whole_or_not_at_all() {
    let body = r#"{"n":4111111111111111,"m":123456789,"f":0.123456789}"#;
    assert_eq!(
        raw_after("detector:card", "mask", body),
        r#"{"n":"[redacted:r]","m":123456789,"f":0.123456789}"#
    );
    assert_eq!(
        raw_after(r"pattern:\d{9}", "remove", body),
        r#"{"n":4111111111111111,"m":null,"f":0.123456789}"#
    );
}

#[test]
fn keys_of_the_body_are_looked_at_by_detectors() {
    let mut it = draft(r#"{"a@b.com":{"id":"x"},"text":"text"}"#);
    it.set_ref("input.text", &["a@b.com", "id"]);
    let paths = apply(&one("detector:email"), &mut it);
    assert_eq!(it.raw, r#"{"[redacted:r]":{"id":"x"},"text":"text"}"#);
    assert_eq!(shown(&it, "input.text").as_deref(), Some("x"));
    assert_eq!(paths, ["raw"]);
    assert!(!format!("{it:?}").contains("a@b.com"));
    // Not by patterns, which may be words that bodies are built of.
    assert_eq!(
        raw_after("pattern:text", "mask", r#"{"text":"text"}"#),
        r#"{"text":"[redacted:r]"}"#
    );
}

#[test]
fn references_lead_to_the_redacted_value() {
    let mut draft = draft(r#"{"request":{"input":{"text":"I am a@b.com"}},"n":5}"#);
    draft.set_ref("input.text", &["request", "input", "text"]);
    draft.set_ref("latency_ms", &["n"]);
    assert_eq!(
        apply(&one("detector:email"), &mut draft),
        ["raw.request.input.text"]
    );
    assert_eq!(
        shown(&draft, "input.text").as_deref(),
        Some("I am [redacted:r]")
    );
    // By the name of the field too, wherever it stands.
    let mut draft = draft.clone();
    assert_eq!(
        apply(&one("paths:input.text"), &mut draft),
        ["raw.request.input.text"]
    );
    assert_eq!(shown(&draft, "input.text").as_deref(), Some("[redacted:r]"));
    // A number does not become a text: the field goes.
    apply(&one("paths:latency_ms"), &mut draft);
    assert!(
        draft.raw.ends_with(r#""n":"[redacted:r]"}"#),
        "{}",
        draft.raw
    );
    assert!(canonical(&draft, "latency_ms").is_none());
}

#[test]
fn a_field_whose_list_is_meant_is_cut_element_by_element() {
    let mut draft = draft(r#"{"out":{"text":["one","two"]}}"#);
    draft.set_ref("output.text", &["out", "text"]);
    for (path, expected) in [
        (
            "paths:output.text",
            r#"{"out":{"text":["[redacted:r]","[redacted:r]"]}}"#,
        ),
        (
            "paths:output",
            r#"{"out":{"text":["[redacted:r]","[redacted:r]"]}}"#,
        ),
        (
            "paths:output.text[0]",
            r#"{"out":{"text":["[redacted:r]","[redacted:r]"]}}"#,
        ),
        (
            "paths:raw.out.text[1]",
            r#"{"out":{"text":["one","[redacted:r]"]}}"#,
        ),
        ("paths:out.text", r#"{"out":{"text":"[redacted:r]"}}"#),
    ] {
        let mut draft = draft.clone();
        apply(&one(path), &mut draft);
        assert_eq!(draft.raw, expected, "{path}");
    }
}

#[test]
fn values_of_fields_and_labels_are_cut_as_the_body_is() {
    let mut draft = draft("{}");
    draft.set_text("input.text", "a@b.com");
    let intents = br#"[{"name":"a@b.com","confidence":0.5}]"#;
    draft.set_value("intents", Json::parse(intents).unwrap());
    draft.set_value("latency_ms", Json::integer(5));
    draft.labels.insert("note".to_owned(), "a@b.com".to_owned());
    draft.labels.insert("c@d.com".to_owned(), "x".to_owned());
    let paths = apply(&one("detector:email"), &mut draft);
    assert_eq!(
        paths,
        ["input.text", "intents.name", "labels", "labels.note"]
    );
    assert_eq!(shown(&draft, "input.text").as_deref(), Some("[redacted:r]"));
    assert_eq!(shown(&draft, "intents.confidence").as_deref(), Some("0.5"));
    assert_eq!(draft.labels.get("note").unwrap(), "[redacted:r]");
    assert_eq!(draft.labels.get("[redacted:r]").unwrap(), "x");
    assert!(!format!("{draft:?}").contains("@"));

    apply(&one("keys:name,confidence,note"), &mut draft);
    let Some(Source::Value(intents)) = canonical(&draft, "intents") else {
        panic!("no intents");
    };
    assert_eq!(intents.to_string(), r#"[{"name":"[redacted:r]"}]"#);
    apply(&one("paths:latency_ms,intents,labels.note"), &mut draft);
    assert!(canonical(&draft, "latency_ms").is_none());
    assert_eq!(shown(&draft, "intents").as_deref(), Some("[redacted:r]"));
}

#[test]
fn names_below_open_branches_are_looked_at_too() {
    let mut draft = draft(r#"{"meta":{"a@b.com":"x"}}"#);
    draft.kind = Kind::Event;
    draft.set_ref("event.meta.a@b.com", &["meta", "a@b.com"]);
    draft.set_text("event.meta.c@d.com", "e@f.com");
    apply(&one("detector:email"), &mut draft);
    assert!(!format!("{draft:?}").contains("@"), "{draft:?}");
}

#[test]
fn ids_are_left_to_rules_that_name_them() {
    let body = r#"{"user_id":"a@b.com","text":"I am a@b.com","session_id":"s1"}"#;
    let mut ids = draft(body);
    ids.own_id = Some("a@b.com".to_owned());
    ids.set_ref("user", &["user_id"]);
    ids.set_ref("conversation", &["session_id"]);
    ids.set_text("customer", "a@b.com");
    ids.set_text("bot", "a@b.com");
    let mut it = ids.clone();
    for what in ["detector:email", r"pattern:\S+@\S+"] {
        assert_eq!(
            apply(&one(what), &mut it).len(),
            usize::from(what.starts_with('d'))
        );
    }
    for field in ["user", "customer", "bot"] {
        assert_eq!(shown(&it, field).as_deref(), Some("a@b.com"), "{field}");
    }
    assert!(it.raw.contains("I am [redacted:r]"));
    for (what, field) in [
        ("keys:user_id", "user"),
        ("paths:user", "user"),
        ("paths:user_id", "user"),
        ("paths:customer", "customer"),
        ("keys:customer", "customer"),
        ("paths:bot", "bot"),
        ("paths:conversation", "conversation"),
    ] {
        let mut it = ids.clone();
        assert_eq!(apply(&one(what), &mut it).len(), 1, "{what}");
        assert_eq!(shown(&it, field).as_deref(), Some("[redacted:r]"), "{what}");
        assert_eq!(it.own_id.as_deref(), Some("a@b.com"));
    }
}

#[test]
fn what_the_system_works_with_outlives_the_object_around_it() {
    let body = r#"{"context":{"user_id":"u1","at":"2026-03-02T08:00:00Z","n":7,"other":"x"}}"#;
    let mut whole = draft(body);
    whole.set_ref("user", &["context", "user_id"]);
    whole.set_ref("time.request", &["context", "at"]);
    whole.set_ref("latency_ms", &["context", "n"]);
    whole.set_ref("input.text", &["context", "other"]);
    let mut it = whole.clone();
    apply(&one("keys:context"), &mut it);
    assert_eq!(it.raw, r#"{"context":"[redacted:r]"}"#);
    assert_eq!(shown(&it, "user").as_deref(), Some("u1"));
    assert_eq!(
        shown(&it, "time.request").as_deref(),
        Some("2026-03-02T08:00:00Z")
    );
    assert!(canonical(&it, "latency_ms").is_none());
    assert_eq!(shown(&it, "input.text"), None);
    // A rule that names the id cuts it there too.
    for second in ["keys:user_id", "paths:user", "paths:context.user_id"] {
        let mut it = whole.clone();
        let rules = vec![
            rule_of("one", "keys:context", "remove"),
            rule_of("r", second, "mask"),
        ];
        apply(&policy(rules), &mut it);
        assert_eq!(
            shown(&it, "user").as_deref(),
            Some("[redacted:r]"),
            "{second}"
        );
    }
    // A time is not cut even where a rule names its place.
    let mut it = whole.clone();
    assert!(apply(&one("paths:raw.context.at"), &mut it).is_empty());
    assert_eq!(it, whole);
}

#[test]
fn secrets_of_events_are_cut_by_their_keys_below_meta_alone() {
    let rules = vec![Arc::clone(Rule::event_keys())];
    let events = Policy::new(rules, HashKey::new([0; 32]));
    assert!(events.is_idle(Kind::Turn) && !events.is_idle(Kind::Event));
    let body = r#"{"token":"kept","meta":{"apiKey":"s3cr3t","hasToken":true,"total_tokens":5,"deep":[{"Cookie":{"a":1}}]}}"#;
    let mut turn = draft(body);
    assert!(apply(&events, &mut turn).is_empty());
    let mut event = draft(body);
    event.kind = Kind::Event;
    event.set_ref("event.meta.apiKey", &["meta", "apiKey"]);
    let meta = br#"{"password":"s3cr3t","n":1}"#;
    event.set_value("event.meta", Json::parse(meta).unwrap());
    event.set_text("event.meta.client_secret", "s3cr3t");
    event.set_text("event.refs.token", "kept");
    event.labels.insert("token".to_owned(), "kept".to_owned());
    let paths = apply(&events, &mut event);
    assert_eq!(
        event.raw,
        r#"{"token":"kept","meta":{"apiKey":"[redacted:event-keys]","hasToken":true,"total_tokens":5,"deep":[{"Cookie":"[redacted:event-keys]"}]}}"#
    );
    assert_eq!(
        paths,
        [
            "raw.meta.apiKey",
            "raw.meta.deep.Cookie",
            "event.meta.password",
            "event.meta.client_secret"
        ]
    );
    assert!(!format!("{event:?}").contains("s3cr3t"));
    assert_eq!(shown(&event, "event.refs.token").as_deref(), Some("kept"));
}

#[test]
fn the_record_says_which_rule_has_cut_what() {
    let mut draft = draft(r#"{"x":"a@b.com and c@d.com","main skill":{"y":"10.0.0.1"}}"#);
    let rules = vec![
        rule_of("mail", "detector:email", "mask"),
        rule_of("hosts", "detector:ip", "remove"),
    ];
    apply(&policy(rules), &mut draft);
    let Some(Source::Value(note)) = canonical(&draft, "redactions") else {
        panic!("no note");
    };
    assert_eq!(
        note.to_string(),
        concat!(
            r#"[{"rule":"mail","version":3,"path":"raw.x","action":"mask"},"#,
            r#"{"rule":"hosts","version":3,"path":"raw.\"main skill\".y","action":"remove"}]"#
        )
    );
    let flat = draft.flat();
    let rule = FieldRef::canonical("redactions.rule");
    assert_eq!(flat.values(&rule).count(), 2);
    assert_eq!(flat.group("redactions").len(), 2);
    // A further policy adds its own.
    apply(&one("keys:x"), &mut draft);
    assert_eq!(draft.flat().group("redactions").len(), 3);
}

#[test]
fn rules_work_one_after_the_other() {
    let mut draft = draft(r#"{"x":"a@b.com 10.0.0.1"}"#);
    let rules = vec![
        rule_of("mine", "detector:email", "hash"),
        rule_of("all", r"pattern:b\.com|10\.\S+", "mask"),
    ];
    apply(&policy(rules), &mut draft);
    let text = draft.raw.to_string();
    assert!(text.starts_with(r#"{"x":"[hash:mine:"#), "{text}");
    assert!(text.ends_with(r#"] [redacted:all]"}"#), "{text}");
}

#[test]
fn a_rule_that_cannot_run_refuses_the_record_and_shows_nothing_of_it() {
    let refused = |policy: &Policy, body: &str, bytes_max: usize| {
        let mut it = draft(body);
        let before = it.clone();
        let refusal = policy.apply(&mut it, bytes_max).unwrap_err();
        assert_eq!(it, before);
        refusal.to_string()
    };
    let email = one("detector:email");
    assert_eq!(
        refused(&email, r#"{"x":"a@b.com"}"#, 19),
        "redaction: rule `r` of version 3 cannot run: the body would become longer than 19 bytes"
    );
    let deep = format!("{}\"a@b.com\"{}", "[".repeat(101), "]".repeat(101));
    assert_eq!(
        refused(&email, &deep, BYTES_MAX),
        "redaction: rule `r` of version 3 cannot run: the body is nested deeper than 100 levels"
    );
    for broken in [
        r#"{"a@b.com""#,
        r#"{"x":"a@b.com"} {}"#,
        r#"{"x":"\ud800"}"#,
        "",
        "]",
    ] {
        assert_eq!(
            refused(&email, broken, BYTES_MAX),
            "redaction: rule `r` of version 3 cannot run: the body is no JSON that can be rewritten"
        );
    }
    let many = format!("[{}]", vec!["\"a@b.com\""; CUTS_MAX + 1].join(","));
    assert_eq!(
        refused(&email, &many, BYTES_MAX),
        "redaction: rule `r` of version 3 cannot run: more than 10000 places of the record are to \
         be cut"
    );
    let almost = format!("[{}]", vec!["\"a@b.com\""; CUTS_MAX].join(","));
    assert_eq!(apply(&email, &mut draft(&almost)), ["raw"]);
}

#[test]
fn all_detectors_are_rules_of_their_name() {
    let all = Policy::new(Rule::all_detectors().to_vec(), HashKey::new([0; 32]));
    let mut draft = draft(
        r#"{"a":"a@b.com, +49 30 1234567","b":"4111 1111 1111 1111","c":"DE89 3704 0044 0532 0130 00","d":"10.0.0.1","e":"Bearer abc123def456","f":"AKIAIOSFODNN7EXAMPLE","password":"x"}"#,
    );
    apply(&all, &mut draft);
    assert_eq!(
        draft.raw,
        r#"{"a":"[redacted:email], [redacted:phone]","b":"[redacted:card]","c":"[redacted:iban]","d":"[redacted:ip]","e":"Bearer [redacted:bearer]","f":"[redacted:aws]","password":"[redacted:secret-keys]"}"#
    );
}

/// Cuts by keys on a tree: what the rewriting of a text must come to.
fn cut_tree(tree: &Json, key: &str, remove: bool) -> Json {
    match tree {
        Json::Array(items) => {
            Json::Array(items.iter().map(|it| cut_tree(it, key, remove)).collect())
        }
        Json::Object(members) => Json::Object(
            members
                .iter()
                .filter_map(|(name, value)| match (name == key, value) {
                    (true, Json::Null) => Some((name.clone(), Json::Null)),
                    (true, _) if remove => None,
                    (true, _) => Some((name.clone(), Json::string("[redacted:r]"))),
                    (false, value) => Some((name.clone(), cut_tree(value, key, remove))),
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

fn trees() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?".prop_map(|n: String| Json::Number(n.into())),
        any::<String>().prop_map(Json::string),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let key = prop_oneof![Just("kk".to_owned()), "[ab\"é.]{0,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::vec((key, inner), 0..6).prop_map(|members| {
                Json::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn text_and_tree_come_to_the_same(tree in trees(), remove in any::<bool>()) {
        let action = if remove { "remove" } else { "mask" };
        let policy = policy(vec![rule_of("r", "keys:kk", action)]);
        let mut it = draft(&tree.to_string());
        policy.apply(&mut it, BYTES_MAX).unwrap();
        prop_assert_eq!(it.raw.as_str(), cut_tree(&tree, "kk", remove).to_string());
        prop_assert_eq!(it.raw.read().map(|held| held.value().to_json()), Json::of_body(&it.raw));
    }

    #[test]
    fn no_body_makes_a_policy_panic_or_leak(text in any::<String>(), noise in "[ -~]{0,40}") {
        let all = Policy::new(Rule::all_detectors().to_vec(), HashKey::new([0; 32]));
        let mut broken = draft(&text);
        drop(all.apply(&mut broken, BYTES_MAX));
        let body = Json::object([("x", Json::string(format!("{noise} zq7k@example.com {text}")))]);
        let mut it = draft(&body.to_string());
        all.apply(&mut it, BYTES_MAX).unwrap();
        prop_assert!(!it.raw.contains("zq7k@example.com"), "{}", it.raw);
    }
}
