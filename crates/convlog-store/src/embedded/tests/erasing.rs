//! An erasure reaches the bytes: nothing of a customer is left in any file, whatever fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use convlog_model::filter::Filter;
use convlog_model::json::Json;
use convlog_model::query::Query;
use convlog_model::record::{Draft, Record};
use convlog_model::store::{Batch, Erase, Erasure, ErasureState, Outcome, Selector, Store};
use futures::executor::block_on;

use super::kit::{Place, SIM_DIR, SimPlace, all, batch, draft, erase_customer, home, shown, state};
use crate::embedded::Embedded;
use crate::embedded::disk::sim::Fault;
use crate::embedded::disk::{Disk, RealDisk};
use crate::embedded::index::file::{self, index_number};
use crate::embedded::log::{CHUNKS_DIR, Chunk, log_name, log_number};
use crate::embedded::maintain::redo;
use crate::embedded::recover::{KnownEnd, scan};
use crate::embedded::verify::verify_on;

/// Stands in every part of the records of the customer.
pub(super) const MARK: &str = "qZ7mark";
pub(super) const CUSTOMER: &str = "qZ7mark-customer";

pub(super) fn marked(i: i64) -> Draft {
    let mut marked = draft(&format!("{MARK}-own-{i}"), CUSTOMER, i);
    marked.raw = format!(
        r#"{{"request":{{"input":{{"text":"{MARK} said {i}"}}}},"context":{{"{MARK}-key":{i}}}}}"#
    )
    .into();
    marked.set_text("user", &format!("{MARK}-user"));
    marked.set_text("conversation", &format!("{MARK}-conversation-{i}"));
    marked.set_value("intents", Json::string(format!("{MARK}-intent")));
    let labels = &mut marked.labels;
    labels.insert(format!("{MARK}-label"), format!("{MARK}-value"));
    marked
}

/// Records of two customers side by side in the same blocks, over several chunks.
pub(super) fn fill(place: &SimPlace, store: &dyn Store) {
    for i in 0..8 {
        let records = vec![
            draft(&format!("bob-{i}"), "bob", i),
            marked(i),
            draft(&format!("cid-{i}"), "cid", i),
        ];
        let states = vec![state("s", CUSTOMER, MARK.as_bytes(), &place.clock)];
        block_on(store.append(Batch { records, states })).unwrap();
    }
    block_on(store.append(batch(vec![marked(100), marked(101)]))).unwrap();
}

pub(super) fn small() -> SimPlace {
    SimPlace {
        rows_max: 12,
        ..SimPlace::new()
    }
}

pub(super) fn logs(disk: &dyn Disk, dir: &Path) -> Vec<(PathBuf, Chunk)> {
    let names = disk.list(&dir.join(CHUNKS_DIR)).unwrap();
    let numbers = names.iter().filter_map(|name| log_number(name));
    let logs = numbers.map(|number| {
        let path = dir.join(log_name(number));
        let file = disk.open_read(&path).unwrap();
        (path, Chunk::open(&log_name(number), file).unwrap())
    });
    logs.collect()
}

/// Payload and decompressed bytes of every frame of every log.
pub(super) fn payloads(disk: &dyn Disk, dir: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut out = Vec::new();
    for (path, chunk) in logs(disk, dir) {
        let whole = scan(&chunk, KnownEnd::Unknown).unwrap();
        assert_eq!(whole.torn_at, None, "{}", path.display());
        for (place, header) in whole.frames {
            let mut bytes = vec![0; header.payload_len as usize];
            let at = place.offset + crate::embedded::frame::HEADER_LEN as u64;
            chunk.file.read_at(at, &mut bytes).unwrap();
            out.push((bytes, chunk.read_frame(place).unwrap().1));
        }
    }
    out
}

pub(super) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Without blocks of zeros, of which most files have many.
pub(super) fn dense(bytes: &[u8]) -> Vec<u8> {
    let blocks = bytes
        .chunks(512)
        .filter(|block| block[..] != [0; 512][..block.len()]);
    blocks.collect::<Vec<_>>().concat()
}

pub(super) fn holds_mark(bytes: &[u8]) -> bool {
    holds(bytes, MARK.as_bytes())
}

/// Compressed bytes of everything that the customer said.
pub(super) fn marked_payloads(place: &SimPlace) -> Vec<Vec<u8>> {
    let all = payloads(&place.disk, Path::new(SIM_DIR));
    let marked = all.into_iter().filter(|(_, plain)| holds_mark(plain));
    marked.map(|(payload, _)| payload).collect()
}

pub(super) fn check_no_trace(place: &SimPlace, before: &[Vec<u8>], when: &str) {
    for bytes in place.disk.everything() {
        let bytes = dense(&bytes);
        assert!(!holds_mark(&bytes), "{when}: in the clear");
        let kept = before.iter().filter(|payload| holds(&bytes, payload));
        assert_eq!(kept.count(), 0, "{when}: compressed");
    }
    for (_, plain) in payloads(&place.disk, Path::new(SIM_DIR)) {
        assert!(!holds_mark(&plain), "{when}: in a frame");
    }
    let names = place.disk.list(&Path::new(SIM_DIR).join(CHUNKS_DIR));
    for name in names.unwrap() {
        if let Some(number) = index_number(&name) {
            let index = file::open(&place.disk, Path::new(SIM_DIR), number).unwrap();
            assert!(!index.holds(MARK.as_bytes()), "{when}: in an index");
        } else {
            assert!(log_number(&name).is_some(), "{when}: another file {name}");
        }
    }
    let report = verify_on(&place.disk, Path::new(SIM_DIR));
    assert_eq!((report.problems, report.notes), (vec![], vec![]), "{when}");
}

pub(super) fn others(store: &dyn Store) -> Vec<Arc<Record>> {
    let mut all = all(store);
    all.retain(|record| !record.shown_id().starts_with(MARK));
    all
}

pub(super) fn erasure(store: &dyn Store) -> Erasure {
    block_on(store.erasures(&home())).unwrap().remove(0)
}

/// No index, whether in memory or in its file, holds the mark: entries are told apart first, since
/// each shares what it can with the one before.
pub(super) fn check_no_term(embedded: &Embedded) {
    let view = embedded.engine.shared.view();
    let parts = view.segments.iter().flat_map(|segment| &segment.parts);
    for part in parts {
        assert!(
            !part.index.holds(MARK.as_bytes()),
            "rows from {}",
            part.base
        );
    }
}

#[test]
fn nothing_of_a_customer_is_left_in_any_byte() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let before = marked_payloads(&place);
    assert!(before.len() > 8 && logs(&place.disk, Path::new(SIM_DIR)).len() > 2);
    let rest = others(store.as_ref());
    let asked = block_on(store.erase(&erase_customer(CUSTOMER, 1))).unwrap();
    assert_eq!((asked.state, asked.records), (ErasureState::Hidden, 10));
    place.clock.step(1_000_000_000);
    block_on(store.settle()).unwrap();
    let done = erasure(store.as_ref());
    assert_eq!(done.state, ErasureState::Done);
    assert!(done.rows_overwritten_at >= Some(done.hidden_at) && done.done_at.is_some());
    assert_eq!(all(store.as_ref()), rest);
    let again = block_on(store.append(batch(vec![marked(3)]))).unwrap();
    assert_eq!(again.outcomes, [Outcome::Erased]);
    check_no_term(&embedded);
    drop((embedded, store));
    check_no_trace(&place, &before, "after a clean stop");
    let embedded = place.open();
    check_no_term(&embedded);
    let store = embedded.store();
    assert_eq!(all(store.as_ref()), rest);
    assert_eq!(erasure(store.as_ref()), done);
    let again = block_on(store.append(batch(vec![marked(3)]))).unwrap();
    assert_eq!(again.outcomes, [Outcome::Erased]);
    assert_eq!(block_on(store.load_state(&home(), "s")).unwrap(), None);
}

#[test]
fn what_a_customer_says_later_stays() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    block_on(store.erase(&erase_customer(CUSTOMER, 1))).unwrap();
    let later = marked(3_000_000_000);
    let outcomes = block_on(store.append(batch(vec![later.clone()]))).unwrap();
    assert!(matches!(outcomes.outcomes[..], [Outcome::Stored(_)]));
    block_on(store.settle()).unwrap();
    assert_eq!(all(store.as_ref()).last().unwrap().draft, later);
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    block_on(store.settle()).unwrap();
    assert_eq!(all(store.as_ref()).last().unwrap().draft, later);
}

#[test]
fn an_erasure_by_filter_overwrites_what_matched() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let before = marked_payloads(&place);
    let rest = others(store.as_ref());
    let request = Erase {
        selector: Selector::Filter(Filter::equals("user", &format!("{MARK}-user"))),
        ..erase_customer("", 1)
    };
    assert_eq!(block_on(store.erase(&request)).unwrap().records, 10);
    block_on(store.drop_state(&home(), "s")).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!(all(store.as_ref()), rest);
    drop((embedded, store));
    check_no_trace(&place, &before, "after a filter");
    let embedded = place.open();
    assert_eq!(all(embedded.store().as_ref()), rest);
}

#[test]
fn expired_records_of_a_customer_are_overwritten_too() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let before = marked_payloads(&place);
    let rules = convlog_model::store::Retention {
        default_days: 1,
        ..Default::default()
    };
    assert!(block_on(store.expire(&rules)).unwrap() > 0);
    let asked = block_on(store.erase(&erase_customer(CUSTOMER, 1))).unwrap();
    assert_eq!(asked.records, 0);
    block_on(store.settle()).unwrap();
    drop((embedded, store));
    check_no_trace(&place, &before, "expired");
}

/// A place whose engine was stopped, with what is to go and what else there is.
pub(super) struct Prepared {
    pub(super) place: SimPlace,
    /// Compressed bytes of what is to go.
    pub(super) before: Vec<Vec<u8>>,
    pub(super) rest: Vec<Arc<Record>>,
}

impl Prepared {
    pub(super) fn new(fill: impl Fn(&SimPlace, &dyn Store)) -> Self {
        Self::on(small(), fill)
    }

    pub(super) fn on(place: SimPlace, fill: impl Fn(&SimPlace, &dyn Store)) -> Self {
        let embedded = place.open();
        let store = embedded.store();
        fill(&place, store.as_ref());
        let rest = others(store.as_ref());
        drop((embedded, store));
        let before = marked_payloads(&place);
        Prepared {
            place,
            before,
            rest,
        }
    }

    /// Does the work on a disk of which one call fails.
    pub(super) fn failing_at(&self, call: u64, fault: Fault, work: fn(&SimPlace)) -> SimPlace {
        let place = self.place.fork();
        place.disk.fail_at(call, fault);
        work(&place);
        place.disk.heal();
        place
    }

    /// Number of calls of the work.
    pub(super) fn calls(&self, work: fn(&SimPlace)) -> u64 {
        let place = self.place.fork();
        work(&place);
        place.disk.calls()
    }

    /// Does the work with a fault at each call of it, and a crash behind it, and checks what is left.
    pub(super) fn each_call(
        &self,
        fault: Fault,
        crash: bool,
        work: fn(&SimPlace),
        check: impl Fn(&SimPlace, &str),
    ) {
        for call in 1..=self.calls(work) {
            let place = self.failing_at(call, fault, work);
            if crash {
                place.disk.crash(call);
            }
            check(&place, &format!("{fault:?} at call {call}"));
        }
    }
}

fn prepared() -> Prepared {
    Prepared::new(fill)
}

/// Erases and settles as far as the disk lets it.
fn try_erase(place: &SimPlace) {
    let Ok(embedded) = place.try_open() else {
        return;
    };
    let store = embedded.store();
    drop(block_on(store.erase(&erase_customer(CUSTOMER, 1))));
    drop(block_on(store.settle()));
    // Records that are shown are what they were, or a read says that it cannot.
    let query = Query::new(home(), Filter::equals("customer", "bob"));
    if let Ok(page) = block_on(store.search(&query)) {
        assert_eq!(page.records.len(), 8);
    }
}

fn check_finishes(place: &SimPlace, prepared: &Prepared, when: &str) {
    let embedded = place.try_open().unwrap_or_else(|e| panic!("{when}: {e}"));
    let store = embedded.store();
    // Nothing changes where it is in the ledger already.
    block_on(store.erase(&erase_customer(CUSTOMER, 1))).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!(erasure(store.as_ref()).state, ErasureState::Done, "{when}");
    assert_eq!(all(store.as_ref()), prepared.rest, "{when}");
    drop((embedded, store));
    check_no_trace(place, &prepared.before, when);
}

fn each_call(fault: Fault, crash: bool) {
    each_call_of(&prepared(), fault, crash);
}

pub(super) fn each_call_of(prepared: &Prepared, fault: Fault, crash: bool) {
    prepared.each_call(fault, crash, try_erase, |place, when| {
        check_finishes(place, prepared, when);
    });
}

#[test]
fn any_call_may_fail_and_a_restart_finishes_it() {
    each_call(Fault::Once, false);
}

#[test]
fn any_call_may_find_no_room_and_a_restart_finishes_it() {
    each_call(Fault::Full, false);
}

#[test]
fn the_machine_may_die_at_any_call_and_a_restart_finishes_it() {
    each_call(Fault::Dead, true);
}

/// A machine that died with a durable redo file of which not every image is written.
fn died_with_a_redo_file(prepared: &Prepared) -> SimPlace {
    let has_redo = |place: &SimPlace| {
        let images = redo::read(&place.disk, Path::new(SIM_DIR), 1);
        !images.unwrap().is_empty()
    };
    for call in 1.. {
        let place = prepared.failing_at(call, Fault::Dead, try_erase);
        let is_durable = (1..9).all(|seed| {
            let crashed = place.fork();
            crashed.disk.crash(seed);
            has_redo(&crashed)
        });
        if is_durable && !marked_payloads(&place).is_empty() {
            return place;
        }
    }
    unreachable!("some call is the last before the first frame is overwritten");
}

#[test]
fn the_machine_may_die_again_at_any_call_of_the_finish() {
    let prepared = prepared();
    let died = died_with_a_redo_file(&prepared);
    for call in 1.. {
        let place = died.fork();
        place.disk.crash(call);
        place.disk.fail_at(place.disk.calls() + call, Fault::Dead);
        let is_whole = place.try_open().is_ok();
        place.disk.crash(call + 1000);
        check_finishes(&place, &prepared, &format!("again at call {call}"));
        if is_whole {
            break;
        }
    }
}

#[test]
fn a_redo_file_that_is_not_whole_is_wiped() {
    let prepared = prepared();
    let died = died_with_a_redo_file(&prepared);
    let path = Path::new(SIM_DIR).join(redo::redo_name(1));
    let whole = died.disk.bytes(&path);
    for len in [0, 7, 40, whole.len() - 1] {
        let place = died.fork();
        place.disk.set_bytes(&path, whole[..len].to_vec());
        check_finishes(&place, &prepared, &format!("{len} bytes"));
    }
}

#[test]
fn a_redo_file_of_a_newer_format_refuses_the_start() {
    let prepared = prepared();
    let died = died_with_a_redo_file(&prepared);
    let path = Path::new(SIM_DIR).join(redo::redo_name(1));
    let mut bytes = died.disk.bytes(&path);
    bytes[8] = 9;
    died.disk.set_bytes(&path, bytes);
    died.disk.crash(1);
    let error = died.try_open().unwrap_err();
    let text = "chunks/0000000001.redo at byte 8: format 9; a newer convlog is needed to read it";
    assert_eq!(error.to_string(), text);
}

#[test]
fn verify_reads_an_erasure_that_was_cut_short_as_its_end() {
    let prepared = prepared();
    let died = died_with_a_redo_file(&prepared);
    let images = redo::read(&died.disk, Path::new(SIM_DIR), 1).unwrap();
    let path = Path::new(SIM_DIR).join(log_name(1));
    let mut bytes = died.disk.bytes(&path);
    // Half of a frame was written.
    let (at, half) = (images[0].offset as usize, images[0].bytes.len() / 2);
    bytes[at..at + half].copy_from_slice(&images[0].bytes[..half]);
    died.disk.set_bytes(&path, bytes);
    died.disk.crash(1);
    let report = verify_on(&died.disk, Path::new(SIM_DIR));
    assert_eq!(report.problems, []);
    check_finishes(&died, &prepared, "half a frame");
}

#[test]
fn readers_see_no_error_and_no_gap_while_frames_are_overwritten() {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = 300;
    let embedded = Embedded::open(options).unwrap();
    let store = embedded.store();
    for i in 0..400 {
        let gone = format!("gone {}", i % 20);
        let records = vec![
            draft(&format!("a{i}"), "stays", i),
            draft(&format!("b{i}"), &gone, i),
            draft(&format!("c{i}"), "stays", i),
        ];
        block_on(store.append(batch(records))).unwrap();
    }
    let (is_over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let erased = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let gone = erased.load(Ordering::SeqCst);
                    let records = all(store.as_ref());
                    let names: Vec<String> = records.iter().map(|r| r.shown_id()).collect();
                    let (gone_some, stays): (Vec<_>, Vec<_>) =
                        names.iter().partition(|name| name.starts_with('b'));
                    assert_eq!(stays.len(), 800);
                    let number =
                        |name: &String| name.trim_start_matches('b').parse::<usize>().unwrap() % 20;
                    assert!(gone_some.into_iter().all(|name| number(name) >= gone));
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for n in 0..20 {
            let request = erase_customer(&format!("gone {n}"), n + 1);
            block_on(store.erase(&request)).unwrap();
            erased.store(n as usize + 1, Ordering::SeqCst);
            let seen = rounds.load(Ordering::SeqCst);
            while n % 5 == 0 && rounds.load(Ordering::SeqCst) < seen + 3 {
                std::thread::yield_now();
            }
        }
        block_on(store.settle()).unwrap();
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(shown(store.as_ref()).len(), 800);
    embedded.close();
    for (_, plain) in payloads(&RealDisk, place.dir.path()) {
        assert!(!holds(&plain, b"gone"));
    }
}
