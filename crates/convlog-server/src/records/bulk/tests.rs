//! How much goes on from reading to the store.

use convlog_model::ids::InstanceId;
use convlog_model::record::ReadBody;

use super::super::importer::Missing;
use super::*;
use crate::testing::rig;

fn reading() -> Reading {
    Reading {
        app: rig().app,
        caller: Caller::system(InstanceId::default_instance()),
        importer: Importer {
            decode: |_, line| {
                let mut draft = convlog_model::testkit::draft("{}");
                draft.raw = ReadBody::read(line)?.whole();
                Ok(draft)
            },
            missing: Missing::Nothing,
        },
        channels: Channels::default(),
        seed: None,
        line_bytes_max: 1 << 20,
    }
}

#[test]
fn values_that_take_much_more_than_their_text_do_not_go_on_by_the_hundred() {
    let dense = format!("[{}0]", "[],".repeat(40_000));
    let lines = [
        dense.as_str(),
        "{}",
        dense.as_str(),
        &dense,
        &dense,
        "{}",
        &dense,
    ];
    let line = |(i, text): (usize, &&str)| Line {
        number: i + 1,
        bytes: Some(text.as_bytes().to_vec()),
    };
    let part = Part {
        lines: lines.iter().enumerate().map(line).collect(),
        n_bytes: 0,
    };
    let step = reading().part(part);
    let drafts = || step.records.iter().map(Seen::draft);
    let is_known: Vec<bool> = drafts().map(|d| d.raw.known().is_some()).collect();
    assert_eq!(is_known, [true, true, true, true, false, false, false]);
    for (draft, text) in drafts().zip(lines) {
        assert_eq!(draft.raw, text);
        assert!(draft.raw.read().is_some());
    }
}
