//! The folder with rules of retention by log group, and with a blob, that every later build must
//! open and obey. A test makes it when it is missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use convlog_model::clock::Clock as _;
use convlog_model::ids::RecordId;
use convlog_model::record::Draft;
use convlog_model::store::retention::{InstanceRetention, LOG_GROUP};
use convlog_model::store::{Retention, Store};
use convlog_model::testkit::TestClock;
use convlog_model::time::DAY_US;
use futures::executor::block_on;

use super::fixture::{copy_files, small_options};
use super::kit::{batch, draft, home, shown};
use crate::embedded::blobs::BLOBS_DIR;
use crate::embedded::disk::{Disk, RealDisk};
use crate::embedded::verify::verify;
use crate::embedded::{Embedded, Options};

/// The files of the directory but for the blob, in the order in which a copy is made.
const FILES: [&str; 4] = [
    "key",
    "sessions.keys",
    "catalog.redb",
    "chunks/0000000001.log",
];

const BLOB: &[u8] = b"\x00\x01what somebody said aloud\xff";

fn blob_id() -> RecordId {
    RecordId::from_parts(1, 1)
}

fn files() -> Vec<String> {
    let blob = format!("{BLOBS_DIR}/{}", blob_id());
    FILES
        .iter()
        .map(|&file| file.to_owned())
        .chain([blob])
        .collect()
}

fn copy(from: &Path, to: &Path) {
    RealDisk.create_dir(&to.join(BLOBS_DIR)).unwrap();
    let files = files();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    copy_files(&names, from, to);
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data-dirs/v3")
}

fn options(dir: &Path, clock: &Arc<TestClock>) -> Options {
    small_options(dir, clock, 3)
}

/// A record of a log group, or of none.
fn logged(name: &str, group: Option<&str>, second: i64) -> Draft {
    let mut logged = draft(name, "ann", second);
    let at = TestClock::default().now();
    logged.set_text("time.request", &at.to_micros_text());
    if let Some(group) = group {
        logged.labels.insert(LOG_GROUP.to_owned(), group.to_owned());
    }
    logged
}

fn rules() -> Retention {
    let own = InstanceRetention {
        days: Some(30),
        bots: [("b".to_owned(), 20)].into(),
        log_groups: [
            ("/aws/lex/short".to_owned(), 1),
            ("/aws/lex/long".to_owned(), 3),
        ]
        .into(),
        type_prefixes: [("conversation.".to_owned(), 10)].into(),
    };
    Retention {
        instances: [(home(), own)].into(),
        ..Default::default()
    }
}

fn write(dir: &Path) {
    let clock = Arc::new(TestClock::default());
    let embedded = Embedded::open(options(dir, &clock)).unwrap();
    let store = embedded.store();
    let records = vec![
        logged("short", Some("/aws/lex/short"), 1),
        logged("long", Some("/aws/lex/long"), 2),
        logged("other", Some("/aws/lex/other"), 3),
        logged("none", None, 4),
    ];
    block_on(store.append(batch(records))).unwrap();
    assert_eq!(block_on(store.expire(&rules())).unwrap(), 0);
    block_on(embedded.blobs().put(blob_id(), BLOB.to_vec())).unwrap();
    embedded.close();
}

/// What is left so many days after the records came.
fn left(days: i64) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture(), dir.path());
    let clock = Arc::new(TestClock::default());
    clock.step(days * DAY_US + 1);
    let embedded = Embedded::open(options(dir.path(), &clock)).unwrap();
    let store: Arc<dyn Store> = embedded.store();
    let blob = block_on(embedded.blobs().get(blob_id())).unwrap();
    assert_eq!(blob.as_deref(), Some(BLOB));
    shown(store.as_ref())
}

#[test]
fn a_directory_with_rules_of_log_groups_and_a_blob_is_opened_and_obeyed() {
    let fixture = fixture();
    if RealDisk.open_read(&fixture.join("key")).is_err() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        copy(dir.path(), &fixture);
    }
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture, dir.path());
    let report = verify(dir.path());
    assert_eq!((report.problems, report.notes), (vec![], vec![]));
    assert_eq!((report.chunks, report.records), (1, 4));
    assert_eq!(left(0), ["short", "long", "other", "none"]);
    assert_eq!(left(1), ["long", "other", "none"]);
    assert_eq!(left(3), ["other", "none"]);
    assert_eq!(left(30), Vec::<String>::new());
}
