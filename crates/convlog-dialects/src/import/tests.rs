//! Every shape of an export, whole and in pieces, sound and broken.

use convlog_model::record::Dialect;

use super::*;

/// All items of an export that arrives in pieces of `piece` bytes.
fn split(export: &str, piece: usize) -> Vec<(u64, Result<String, String>)> {
    let mut splitter = Splitter::new();
    let mut items = Vec::new();
    let mut drain = |splitter: &mut Splitter| {
        while let Some(item) = splitter.next_item() {
            let text = match item.found {
                Found::Log(text) => Ok(text),
                Found::Other => Err("another message".to_owned()),
                Found::Packed(bytes) => Err(format!("{} packed bytes", bytes.len())),
                Found::Broken(error) => Err(error.to_string()),
            };
            items.push((item.line, text));
        }
    };
    for bytes in export.as_bytes().chunks(piece) {
        splitter.push(bytes);
        drain(&mut splitter);
    }
    splitter.finish();
    drain(&mut splitter);
    items
}

fn check(export: &str, expected: &[(u64, &str)]) {
    for piece in [1, 2, 3, 7, export.len().max(1)] {
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, text)| (*line, Ok((*text).to_owned())))
            .collect();
        assert_eq!(split(export, piece), expected, "{export} by {piece}");
    }
}

#[test]
fn every_shape_gives_the_same_logs() {
    let logs = [(1, r#"{"a":1}"#), (1, r#"{"b":"]}\"","c":{"logs":[]}}"#)];
    let [(_, a), (_, b)] = logs;
    check(&format!("[{a},{b}]"), &logs);
    check(&format!("[[{a}],[{b}]]"), &logs);
    check(&format!(r#"{{"logs":[{a},{b}],"pagination":{{}}}}"#), &logs);
    check(
        &format!("{{\"pagination\":{{\"next_url\":\"x\"}},\"logs\":[{a}]}}\n{{\"logs\":[{b}]}}"),
        &[(1, a), (2, b)],
    );
    check(&format!(r#"[{{"logs":[{a}]}},{{"logs":[{b}]}}]"#), &logs);
    check(&format!("{a}\n\n{b}\n"), &[(1, a), (3, b)]);
    check(&format!("\u{feff}{a}\r\n{b}"), &[(1, a), (2, b)]);
}

#[test]
fn an_export_over_many_lines_is_one_value() {
    check(
        "{\n \"logs\": [\n  {\"a\":\n1},\n{}\n]\n}\n",
        &[(3, "{\"a\":\n1}"), (5, "{}")],
    );
    check("[\n{},\n\n{}]", &[(2, "{}"), (4, "{}")]);
    check("{\n\"a\":1\n}", &[(1, "{\n\"a\":1\n}")]);
}

#[test]
fn a_line_that_is_no_log_is_an_item_of_its_own() {
    let bad = |line| (line, Err(NO_LOG.to_owned()));
    let good = |line, text: &str| (line, Ok(text.to_owned()));
    let export = "{\"a\":1}\n42\n[]\n\"text\"\n[{\"b\":2},3]\n{\"logs\":[]}\nnull\n{}";
    let expected = [
        good(1, "{\"a\":1}"),
        bad(2),
        bad(3),
        bad(4),
        good(5, "{\"b\":2}"),
        bad(5),
        bad(7),
        good(8, "{}"),
    ];
    for piece in [1, 5, 100] {
        assert_eq!(split(export, piece), expected);
    }
    let garbage = split("garbage\n{\"a\":1}", 3);
    assert_eq!(garbage.len(), 2);
    assert_eq!(garbage[1], good(2, "{\"a\":1}"));
}

#[test]
fn nothing_is_an_export_without_logs() {
    for export in ["", " \n ", "[]", "[[],[]]", "{\"logs\":[]}"] {
        check(export, &[]);
    }
}

#[test]
fn a_broken_line_is_named_and_the_next_one_read() {
    let items = split("{\"a\":1}\n{\"b\":\nnonsense\n{\"c\":3}\n", 4);
    let shown: Vec<_> = items
        .iter()
        .map(|(line, text)| (*line, text.is_ok()))
        .collect();
    assert_eq!(shown, [(1, true), (2, false), (3, false), (4, true)]);
    assert_eq!(items[2].1, Err("expected ident at column 2".to_owned()));
}

#[test]
fn a_broken_first_line_is_no_reason_to_give_up() {
    let items = split("{\"a\":\n{\"b\":2}\n", 100);
    let shown: Vec<_> = items
        .iter()
        .map(|(line, text)| (*line, text.is_ok()))
        .collect();
    assert_eq!(shown, [(1, false), (2, true)]);
}

#[test]
fn a_list_that_breaks_off_says_so_behind_its_good_logs() {
    let items = split("[{\"a\":1},\n{\"b\":", 5);
    assert_eq!(items.len(), 2);
    assert_eq!(
        items[1],
        (2, Err("the export ends in the middle of a log".to_owned()))
    );
    let items = split("[{\"a\":1}", 5);
    assert_eq!(
        items[1],
        (1, Err("the export ends in the middle of a log".to_owned()))
    );
    let items = split("[{},7,{}]", 100);
    let expected = "a log object, a list of them or a page of them is expected";
    assert_eq!(items[1], (1, Err(expected.to_owned())));
    assert_eq!(items.len(), 2);
}

#[test]
fn shapes_are_told_apart() {
    for (log, dialect) in [
        (
            r#"{"request":{},"response":{},"workspace_id":"w"}"#,
            Dialect::WatsonV1,
        ),
        (
            r#"{"request":{},"response":{"intents":[]}}"#,
            Dialect::WatsonV1,
        ),
        (
            r#"{"request":{},"response":{"output":{"intents":[]}}}"#,
            Dialect::WatsonV2,
        ),
        (r#"{"response":{},"session_id":"s"}"#, Dialect::WatsonV2),
        (
            r#"{"botName":"b","inputTranscript":"hi","requestId":"r"}"#,
            Dialect::LexV1,
        ),
        (
            r#"{"kind":"turn","dialect":"watson-v1","raw":{}}"#,
            Dialect::Convlog,
        ),
    ] {
        assert_eq!(shape(log), Ok(dialect), "{log}");
    }
    let error = shape("{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a log object: it has no request and no response, and no botName"
    );
    assert_eq!(
        shape("[]").unwrap_err().to_string(),
        "a log must be an object, not an array"
    );
}

mod random {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_splitter_panic_and_pieces_do_not_matter(
            export in "([\\[\\]{}:,\\\\\" \n1]|\"logs\":|\"events\":|\\{\\}|logs){0,40}", piece in 1..9_usize
        ) {
            prop_assert_eq!(split(&export, piece), split(&export, export.len().max(1)));
        }

        #[test]
        fn bytes_that_are_no_text_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut splitter = Splitter::new();
            splitter.push(&bytes);
            splitter.finish();
            while splitter.next_item().is_some() {}
        }
    }
}
