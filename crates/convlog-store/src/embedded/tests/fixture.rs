//! The folder of format 1 that every later build must open. A test makes it when it is missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use convlog_model::control::Expect;
use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft, Kind};
use convlog_model::store::{Batch, Erase, Outcome};
use convlog_model::testkit::{SeededIds, TestClock};
use futures::executor::block_on;

use super::kit::{all, batch, draft, erase_customer, home, shown, state};
use crate::embedded::disk::{Disk, RealDisk, read_all};
use crate::embedded::frame::{self, Header, OVERWRITTEN};
use crate::embedded::log::Chunk;
use crate::embedded::recover::{KnownEnd, scan};
use crate::embedded::verify::verify;
use crate::embedded::{Embedded, Options};

/// The files of a data directory, in the order in which a copy is made.
const FILES: [&str; 5] = [
    "key",
    "sessions.keys",
    "catalog.redb",
    "chunks/0000000001.log",
    "chunks/0000000002.log",
];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data-dirs/v1")
}

fn options(dir: &Path, clock: &Arc<TestClock>) -> Options {
    small_options(dir, clock, 1)
}

/// Options of which a few records fill a chunk.
pub(super) fn small_options(dir: &Path, clock: &Arc<TestClock>, seed: u64) -> Options {
    let ids = Arc::new(SeededIds::new(seed));
    let mut options = Options::new(dir, Arc::clone(clock) as _, ids);
    options.limits.step = 4 << 10;
    options.limits.reserve = 0;
    options.limits.rows_max = 12;
    options
}

fn copy(from: &Path, to: &Path) {
    copy_files(&FILES, from, to);
}

/// Copies files of a data directory.
pub(super) fn copy_files(names: &[&str], from: &Path, to: &Path) {
    RealDisk.create_dir(&to.join("chunks")).unwrap();
    for name in names {
        let file = RealDisk.open_read(&from.join(name)).unwrap();
        let bytes = read_all(file.as_ref(), 64 << 20).unwrap();
        RealDisk
            .create(&to.join(name))
            .unwrap()
            .write_at(0, &bytes)
            .unwrap();
    }
}

fn event() -> Draft {
    let mut event = draft("an event", "ann", 3);
    event.kind = Kind::Event;
    event.dialect = Dialect::ChatBotKit;
    event.set_text("event.type", "conversation.create");
    event.labels.insert("team".to_owned(), "blue".to_owned());
    let refs = Json::object([("botId", Json::string("b-1"))]);
    event.set_value("event.refs", refs);
    event
}

fn write(dir: &Path) {
    let clock = Arc::new(TestClock::default());
    let embedded = Embedded::open(options(dir, &clock)).unwrap();
    let (store, control) = (embedded.store(), embedded.control());
    let mut without_id = draft("x", "bob", 4);
    without_id.own_id = None;
    let records = vec![
        draft("first", "ann", 1),
        draft("second", "bob", 2),
        event(),
        without_id,
    ];
    let states = vec![
        state("alive", "ann", b"state of alive", &clock),
        state("ended", "bob", b"state of ended", &clock),
    ];
    block_on(store.append(Batch { records, states })).unwrap();
    block_on(store.drop_state(&home(), "ended")).unwrap();
    block_on(store.append(batch(vec![draft("overwritten", "cid", 5)]))).unwrap();
    block_on(store.append(batch(vec![draft("hidden", "cid", 6)]))).unwrap();
    block_on(store.erase(&erase_customer("cid", 1))).unwrap();
    // A dictionary of another kind for the second log; it need not be a trained one.
    let words = b"hello hello request input text entities_count time.request".to_vec();
    let codec = crate::embedded::codec::Codec::new(words);
    embedded.engine.shared.offer_codec(Arc::new(codec));
    for i in 0..6 {
        let name = format!("later {i}");
        block_on(store.append(batch(vec![draft(&name, "ann", 10 + i)]))).unwrap();
    }
    block_on(control.put("bots", "default/b", b"{}", Expect::Absent)).unwrap();
    embedded.close();
    overwrite_frame(dir, 2);
}

/// Leaves of a frame what the physical part of an erasure leaves: rows without bytes, zeros.
fn overwrite_frame(dir: &Path, index: usize) {
    let name = "chunks/0000000001.log";
    let file = RealDisk.open(&dir.join(name)).unwrap();
    let chunk = Chunk::open(name, file).unwrap();
    let (place, header) = scan(&chunk, KnownEnd::Unknown).unwrap().frames[index];
    assert_eq!(header.row_count, 1);
    let plain = [0];
    let payload = chunk.codec.compress(&plain).unwrap();
    let header = Header {
        flags: header.flags | OVERWRITTEN,
        plain_len: 1,
        ..header
    };
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, &header, &payload);
    assert_eq!(bytes.len(), place.len as usize);
    chunk.file.write_at(place.offset, &bytes).unwrap();
}

#[test]
fn a_directory_of_format_1_is_opened() {
    let fixture = fixture();
    if RealDisk.open_read(&fixture.join("key")).is_err() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        copy(dir.path(), &fixture);
    }
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture, dir.path());
    let report = verify(dir.path());
    assert_eq!(report.problems, []);
    assert_eq!(
        (report.chunks, report.records, report.notes),
        (2, 11, vec![])
    );
    let clock = Arc::new(TestClock::default());
    let embedded = Embedded::open(options(dir.path(), &clock)).unwrap();
    let store = embedded.store();
    let names = shown(store.as_ref());
    let without_id = names[3].clone();
    let mut expected = vec!["first", "second", "an event", &without_id];
    let later: Vec<String> = (0..6).map(|i| format!("later {i}")).collect();
    expected.extend(later.iter().map(String::as_str));
    assert_eq!(names, expected);
    let records = all(store.as_ref());
    assert_eq!(records[2].draft, event());
    assert_eq!(records[3].draft.own_id, None);
    let load = |session: &str| block_on(store.load_state(&home(), session)).unwrap();
    assert_eq!(load("alive").unwrap().state, b"state of alive");
    assert_eq!(load("ended"), None);
    let erase: Erase = erase_customer("cid", 1);
    let erasures = block_on(store.erasures(&home())).unwrap();
    assert_eq!((erasures[0].id, erasures[0].records), (erase.id, 2));
    let document = block_on(embedded.control().get("bots", "default/b"));
    assert_eq!(document.unwrap().unwrap().body, b"{}");
    let again = vec![draft("second", "bob", 2), draft("hidden", "cid", 6)];
    let outcomes = block_on(store.append(batch(again))).unwrap().outcomes;
    assert!(matches!(
        outcomes[..],
        [Outcome::Duplicate(_), Outcome::Erased]
    ));
    block_on(store.settle()).unwrap();
    drop((embedded, store));
    let report = verify(dir.path());
    assert_eq!((report.problems, report.indexes), (vec![], 1));
}
