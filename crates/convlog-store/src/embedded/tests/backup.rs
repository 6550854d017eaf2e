//! A backup holds what was acknowledged, comes back as a whole or not at all, and never brings
//! back what was erased.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests damage files behind the engine's back"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use convlog_model::control::Expect;
use convlog_model::maintenance::BackupOrder;
use convlog_model::record::{Draft, Record};
use convlog_model::store::{Batch, Erase, Outcome, Selector};
use convlog_model::testkit::SeededIds;
use convlog_model::testkit::generate::{self, Choices};
use futures::executor::block_on;

use super::kit::{Place, all, batch, draft, erase_customer, home, shown, state};
use crate::embedded::disk::sim::Dice;
use crate::embedded::{Embedded, Restore, Restored, is_one_file, restore, save_backup, verify};

/// A backup as bytes.
fn taken(embedded: &Embedded, order: &BackupOrder) -> Vec<u8> {
    block_on(async {
        let mut pieces = embedded.maintenance().backup(order).await.unwrap();
        let mut out = Vec::new();
        while let Some(piece) = pieces.next().await.unwrap() {
            out.extend(piece);
        }
        out
    })
}

fn full(embedded: &Embedded) -> Vec<u8> {
    taken(embedded, &BackupOrder::default())
}

fn ledger_only(embedded: &Embedded) -> Vec<u8> {
    let order = BackupOrder {
        ledger_only: true,
        passphrase: None,
    };
    taken(embedded, &order)
}

fn order(from: &Path, dir: &Path) -> Restore {
    Restore {
        from: from.to_owned(),
        dir: dir.to_owned(),
        replace: false,
        ledger: None,
        passphrase: None,
        ids: Arc::new(SeededIds::new(77)),
    }
}

/// A directory with a backup and room for what is made of it.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn with(backup: &[u8]) -> Self {
        let bench = Bench {
            dir: tempfile::tempdir().unwrap(),
        };
        save_backup(backup, &bench.file("b.tar")).unwrap();
        bench
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn order(&self) -> Restore {
        order(&self.file("b.tar"), &self.file("data"))
    }

    fn restored(&self) -> Restored {
        restore(&self.order()).unwrap()
    }

    fn open(&self, place: &Place) -> Embedded {
        let mut options = place.options();
        options.dir = self.file("data");
        Embedded::open(options).unwrap()
    }

    fn refused(&self) -> String {
        refused(&self.order())
    }
}

fn refused(order: &Restore) -> String {
    restore(order).unwrap_err().to_string()
}

fn append(embedded: &Embedded, records: Vec<Draft>) -> Vec<Outcome> {
    let receipt = block_on(embedded.store().append(batch(records)));
    receipt.unwrap().outcomes
}

fn messy(own_id: &str, seed: u64) -> Draft {
    let mut dice = Dice::new(seed);
    let bytes: Vec<u8> = (0..400).map(|_| dice.roll(256) as u8).collect();
    let mut record = generate::draft(&mut Choices::new(&bytes));
    record.instance = home();
    record.own_id = Some(own_id.to_owned());
    record
}

fn by_own_id(embedded: &Embedded) -> BTreeMap<String, Arc<Record>> {
    let records = all(embedded.store().as_ref()).into_iter();
    let named = records.map(|record| (record.draft.own_id.clone().unwrap(), record));
    named.collect()
}

#[test]
fn a_backup_taken_under_load_holds_what_was_acknowledged_and_nothing_torn() {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = 150;
    let embedded = Embedded::open(options).unwrap();
    let (acknowledged, stop) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    let (backup, before) = std::thread::scope(|scope| {
        for writer in 0..3 {
            let (embedded, acknowledged, stop) = (&embedded, &acknowledged, &stop);
            scope.spawn(move || {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) && n < 1000 {
                    let name = |i: u64| format!("{writer}-{n}-{i}");
                    let seed = writer * 100_000 + n * 10;
                    append(
                        embedded,
                        (0..7).map(|i| messy(&name(i), seed + i)).collect(),
                    );
                    acknowledged.lock().unwrap().insert((writer, n));
                    n += 1;
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 120 {
            std::thread::yield_now();
        }
        let before = acknowledged.lock().unwrap().clone();
        let backup = full(&embedded);
        stop.store(true, Ordering::Relaxed);
        (backup, before)
    });
    let bench = Bench::with(&backup);
    let report = bench.restored();
    assert!(report.chunks > 4, "{report:?}");
    let there = by_own_id(&embedded);
    let back = by_own_id(&bench.open(&place));
    for (writer, n) in &before {
        assert!(
            back.contains_key(&format!("{writer}-{n}-0")),
            "{writer}-{n}"
        );
    }
    for (own_id, record) in &back {
        assert_eq!(record, &there[own_id]);
        let append = own_id.rsplit_once('-').unwrap().0;
        for i in 0..7 {
            assert!(
                back.contains_key(&format!("{append}-{i}")),
                "{own_id} is alone"
            );
        }
    }
    assert_eq!(verify(&bench.file("data")).problems, []);
}

#[test]
fn both_forms_of_a_backup_come_back_the_same() {
    let place = Place::new();
    let embedded = place.open();
    append(
        &embedded,
        (0..200).map(|i| messy(&format!("r{i}"), i)).collect(),
    );
    let control = embedded.control();
    block_on(control.put("bots", "default/b", b"a bot", Expect::Absent)).unwrap();
    let backup = full(&embedded);
    let bench = Bench::with(&backup);
    let unpacked = bench.file("b");
    assert!(!is_one_file(&unpacked));
    assert_eq!(
        save_backup(&backup[..], &unpacked).unwrap(),
        backup.len() as u64
    );
    bench.restored();
    restore(&order(&unpacked, &bench.file("again"))).unwrap();
    let first = by_own_id(&bench.open(&place));
    assert_eq!(first.len(), 200);
    let mut options = place.options();
    options.dir = bench.file("again");
    let again = Embedded::open(options).unwrap();
    assert_eq!(by_own_id(&again), first);
    let bot = block_on(again.control().get("bots", "default/b")).unwrap();
    assert_eq!(bot.unwrap().body, b"a bot");
}

#[test]
fn an_old_backup_brings_back_nothing_erased_and_nothing_new_is_erased() {
    let place = Place::new();
    let embedded = place.open();
    append(
        &embedded,
        vec![draft("a1", "ann", 1), draft("b1", "bob", 2)],
    );
    let backup = full(&embedded);
    append(
        &embedded,
        (0..50).map(|i| draft(&format!("x{i}"), "eve", 3)).collect(),
    );
    place.clock.step(1_000_000_000_000);
    block_on(embedded.store().erase(&erase_customer("ann", 1))).unwrap();
    let newest = embedded.store().newest();
    let timeline = embedded.store().timeline();
    drop(embedded);
    let bench = Bench::with(&backup);
    let mut wanted = order(&bench.file("b.tar"), place.dir.path());
    wanted.replace = true;
    let report = restore(&wanted).unwrap();
    assert!(report.is_replaced);
    assert_eq!((report.erasures, report.erasures_added), (1, 1));
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(shown(store.as_ref()), ["b1"]);
    assert_ne!(store.timeline(), timeline);
    let erasures = block_on(store.erasures(&home())).unwrap();
    assert_eq!(erasures.len(), 1);
    assert_eq!(
        append(&embedded, vec![draft("a1", "ann", 1)]),
        [Outcome::Erased]
    );
    let later = draft("a2", "ann", 2_000_000_000);
    assert!(matches!(
        append(&embedded, vec![later])[0],
        Outcome::Stored(_)
    ));
    assert!(store.newest() > newest);
    drop((store, embedded));
    let embedded = place.open();
    assert_eq!(shown(embedded.store().as_ref()), ["b1", "a2"]);
}

#[test]
fn an_erasure_during_a_backup_is_in_it() {
    let place = Place::new();
    let embedded = place.open();
    append(
        &embedded,
        vec![draft("a1", "ann", 1), draft("b1", "bob", 2)],
    );
    let backup = block_on(async {
        let maintenance = embedded.maintenance();
        let mut pieces = maintenance.backup(&BackupOrder::default()).await.unwrap();
        let mut out = pieces.next().await.unwrap().unwrap();
        embedded
            .store()
            .erase(&erase_customer("ann", 1))
            .await
            .unwrap();
        while let Some(piece) = pieces.next().await.unwrap() {
            out.extend(piece);
        }
        out
    });
    let bench = Bench::with(&backup);
    assert_eq!(bench.restored().erasures, 1);
    assert_eq!(shown(bench.open(&place).store().as_ref()), ["b1"]);
}

#[test]
fn a_fresher_ledger_is_applied_from_a_backup_or_a_directory() {
    let place = Place::new();
    let embedded = place.open();
    append(
        &embedded,
        vec![draft("a1", "ann", 1), draft("b1", "bob", 2)],
    );
    let bench = Bench::with(&full(&embedded));
    let filter = Selector::Filter(convlog_model::filter::Filter::equals("own_id", "b1"));
    let by_filter = Erase {
        selector: filter,
        ..erase_customer("", 2)
    };
    block_on(embedded.store().erase(&erase_customer("ann", 1))).unwrap();
    block_on(embedded.store().erase(&by_filter)).unwrap();
    save_backup(&ledger_only(&embedded)[..], &bench.file("ledger.tar")).unwrap();
    drop(embedded);
    for (i, ledger) in [bench.file("ledger.tar"), place.dir.path().to_owned()]
        .iter()
        .enumerate()
    {
        let mut wanted = order(&bench.file("b.tar"), &bench.file(&format!("data{i}")));
        wanted.ledger = Some(ledger.clone());
        assert_eq!(restore(&wanted).unwrap().erasures_added, 2);
        let mut options = place.options();
        options.dir = wanted.dir;
        let embedded = Embedded::open(options).unwrap();
        assert_eq!(shown(embedded.store().as_ref()), [""; 0]);
        let again = vec![draft("b1", "bob", 2), draft("a9", "ann", 2)];
        let again = block_on(embedded.store().append(batch(again))).unwrap();
        assert_eq!(again.outcomes, [Outcome::Erased, Outcome::Erased]);
        append(&embedded, vec![draft("b2", "bob", 9)]);
        assert_eq!(shown(embedded.store().as_ref()), ["b2"]);
    }
    let mut wanted = bench.order();
    wanted.from = bench.file("ledger.tar");
    let text = "BACKUP: is only a ledger of erasures; --ledger takes it beside a backup with data";
    assert_eq!(refused(&wanted), text);
}

#[test]
fn a_ledger_of_another_branch_erases_by_time_and_no_foreign_rows() {
    let place = Place::new();
    let embedded = place.open();
    append(&embedded, vec![draft("a1", "ann", 1)]);
    let bench = Bench::with(&full(&embedded));
    drop(embedded);
    // Two histories go on from the same backup, with the same chunk numbers.
    bench.restored();
    let mut other = order(&bench.file("b.tar"), &bench.file("other"));
    other.ids = Arc::new(SeededIds::new(78));
    restore(&other).unwrap();
    let mut options = place.options();
    options.dir = other.dir.clone();
    let theirs = Embedded::open(options).unwrap();
    append(&theirs, vec![draft("t1", "tim", 3)]);
    let ours = bench.open(&place);
    append(&ours, vec![draft("a2", "ann", 2), draft("b2", "bob", 3)]);
    place.clock.step(1_000_000);
    let by_filter = Erase {
        selector: Selector::Filter(convlog_model::filter::Filter::All),
        ..erase_customer("", 2)
    };
    block_on(theirs.store().erase(&erase_customer("ann", 1))).unwrap();
    block_on(theirs.store().erase(&by_filter)).unwrap();
    place.clock.step(1_000_000);
    append(&ours, vec![draft("a3", "ann", 2_000_000_000)]);
    save_backup(&full(&ours)[..], &bench.file("ours.tar")).unwrap();
    drop((ours, theirs));
    let mut wanted = order(&bench.file("ours.tar"), &bench.file("data"));
    wanted.replace = true;
    wanted.ledger = Some(other.dir);
    restore(&wanted).unwrap();
    // Of the shared chunk all is gone, of ours what was there when the customer was erased.
    assert_eq!(shown(bench.open(&place).store().as_ref()), ["b2", "a3"]);
}

#[test]
fn a_ledger_with_another_key_is_refused() {
    let place = Place::new();
    let embedded = place.open();
    append(&embedded, vec![draft("a1", "ann", 1)]);
    let bench = Bench::with(&full(&embedded));
    let other = Place {
        ids: Arc::new(SeededIds::new(99)),
        ..Place::new()
    };
    let theirs = other.open();
    block_on(theirs.store().erase(&erase_customer("ann", 1))).unwrap();
    drop(theirs);
    let mut wanted = order(&bench.file("b.tar"), other.dir.path());
    wanted.replace = true;
    let text = refused(&wanted);
    assert!(
        text.contains("its ledger of erasures was made with another key"),
        "{text}"
    );
    assert!(
        text.starts_with(other.dir.path().to_str().unwrap()),
        "{text}"
    );
    assert_eq!(
        block_on(other.open().store().erasures(&home()))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn directories_with_data_and_running_servers_are_left_alone() {
    let place = Place::new();
    let embedded = place.open();
    append(&embedded, vec![draft("a1", "ann", 1)]);
    let bench = Bench::with(&full(&embedded));
    let mut wanted = order(&bench.file("b.tar"), place.dir.path());
    let text = refused(&wanted);
    assert!(
        text.ends_with("holds data already; --replace puts the backup in its place"),
        "{text}"
    );
    wanted.replace = true;
    assert_eq!(
        refused(&wanted),
        "the data directory is in use by another process"
    );
    assert_eq!(shown(embedded.store().as_ref()), ["a1"]);
}

#[test]
fn a_sealed_key_comes_back_with_its_passphrase_only() {
    let place = Place::new();
    let embedded = place.open();
    append(&embedded, vec![draft("a1", "ann", 1)]);
    let sealed = BackupOrder {
        ledger_only: false,
        passphrase: Some("open sesame".to_owned()),
    };
    let backup = taken(&embedded, &sealed);
    let key = std::fs::read(place.dir.path().join("key")).unwrap();
    assert!(
        !backup
            .windows(64)
            .any(|part| key.windows(64).any(|it| it == part))
    );
    let bench = Bench::with(&backup);
    assert_eq!(
        bench.refused(),
        "key.sealed: is sealed; --passphrase-file opens it"
    );
    let mut wanted = bench.order();
    wanted.passphrase = Some("open sesam".to_owned());
    assert_eq!(
        refused(&wanted),
        "key.sealed: does not open with this passphrase"
    );
    assert!(!bench.file("data").exists());
    wanted.passphrase = Some("open sesame".to_owned());
    restore(&wanted).unwrap();
    assert_eq!(shown(bench.open(&place).store().as_ref()), ["a1"]);
}

#[test]
fn dialogue_sessions_end_with_a_restore() {
    let place = Place::new();
    let embedded = place.open();
    let states = vec![state("s1", "ann", b"hi", &place.clock)];
    let records = vec![draft("a1", "ann", 1)];
    block_on(embedded.store().append(Batch { records, states })).unwrap();
    let bench = Bench::with(&full(&embedded));
    bench.restored();
    let embedded = bench.open(&place);
    assert_eq!(shown(embedded.store().as_ref()), ["a1"]);
    let found = block_on(embedded.store().load_state(&home(), "s1"));
    assert_eq!(found.unwrap(), None);
}

/// Offsets of a tar stream that hold content of files, with the file's name and the offset in it.
fn places(backup: &[u8]) -> Vec<(usize, String, u64)> {
    let mut out = Vec::new();
    for entry in tar::Archive::new(backup).entries().unwrap().raw(true) {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let from = entry.raw_file_position();
        for offset in (0..entry.size()).step_by(97) {
            out.push(((from + offset) as usize, name.clone(), offset));
        }
    }
    out
}

#[test]
fn a_flipped_bit_is_refused_and_its_file_named() {
    let place = Place::new();
    let embedded = place.open();
    append(
        &embedded,
        (0..20).map(|i| draft(&format!("r{i}"), "ann", i)).collect(),
    );
    let backup = full(&embedded);
    let bench = Bench::with(&backup);
    let mut names = BTreeSet::new();
    for (at, name, _) in places(&backup) {
        let mut flipped = backup.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(bench.file("b.tar"), &flipped).unwrap();
        let text = bench.refused();
        assert!(text.starts_with(&name), "{name} {at}: {text}");
        assert!(!bench.file("data").exists() && !bench.file("data.restoring").exists());
        names.insert(name);
    }
    let wanted = [
        "BACKUP",
        "MANIFEST",
        "catalog",
        "chunks/0000000001.log",
        "key",
        "ledger",
    ];
    assert!(names.iter().eq(wanted), "{names:?}");
}

#[test]
fn a_backup_that_is_cut_off_is_refused_wherever_it_ends() {
    let place = Place::new();
    let embedded = place.open();
    append(
        &embedded,
        (0..20).map(|i| draft(&format!("r{i}"), "ann", i)).collect(),
    );
    let backup = full(&embedded);
    let bench = Bench::with(&backup);
    let last = places(&backup).last().unwrap().0;
    for len in (0..last).step_by(211) {
        std::fs::write(bench.file("b.tar"), &backup[..len]).unwrap();
        let text = bench.refused();
        assert!(text.contains("damaged at byte"), "{len}: {text}");
        assert!(!bench.file("data").exists() && !bench.file("data.restoring").exists());
        let saved = save_backup(&backup[..len], &bench.file("saved"));
        assert!(saved.is_err() && !bench.file("saved").exists());
    }
}

#[test]
fn parts_that_are_missing_or_too_many_are_named() {
    let place = Place::new();
    let embedded = place.open();
    append(&embedded, vec![draft("a1", "ann", 1)]);
    let bench = Bench::with(&full(&embedded));
    let unpacked = bench.file("b");
    save_backup(&std::fs::read(bench.file("b.tar")).unwrap()[..], &unpacked).unwrap();
    let wanted = order(&unpacked, &bench.file("data"));
    let log = unpacked.join("chunks/0000000001.log");
    std::fs::copy(&log, unpacked.join("chunks/0000000002.log")).unwrap();
    let text = refused(&wanted);
    assert!(text.starts_with("ledger is damaged at byte 0"), "{text}");
    std::fs::remove_file(unpacked.join("chunks/0000000002.log")).unwrap();
    std::fs::remove_file(&log).unwrap();
    let text = "chunks/0000000001.log is damaged at byte 0: this part of the backup is missing";
    assert_eq!(refused(&wanted), text);
    let text = refused(&order(place.dir.path(), &bench.file("data")));
    assert_eq!(text, "BACKUP: is missing; this is no backup of convlog");
}

#[test]
fn a_backup_never_replaces_what_is_there() {
    let place = Place::new();
    let embedded = place.open();
    let backup = full(&embedded);
    let bench = Bench::with(&backup);
    let error = save_backup(&backup[..], &bench.file("b.tar")).unwrap_err();
    assert!(
        error.to_string().ends_with("b.tar: is there already"),
        "{error}"
    );
}

#[test]
fn what_retention_removed_is_not_in_a_backup_and_an_old_one_brings_it_back_hidden() {
    let place = Place::new();
    let open = || {
        let mut options = place.options();
        options.limits.rows_max = 12;
        Embedded::open(options).unwrap()
    };
    let with_bot = |i: i64, bot: &str| {
        let mut draft = draft(&format!("{bot}{i}"), "ann", i);
        draft.set_text("bot", bot);
        draft
    };
    let embedded = open();
    for i in 0..8 {
        append(&embedded, vec![with_bot(i, "gone"), with_bot(i, "kept")]);
    }
    for i in 8..40 {
        append(&embedded, vec![with_bot(i, "gone")]);
    }
    append(&embedded, vec![with_bot(40, "kept")]);
    let old = full(&embedded);
    let own = convlog_model::store::retention::InstanceRetention {
        bots: [("gone".to_owned(), 1)].into(),
        ..Default::default()
    };
    let rules = convlog_model::store::Retention {
        instances: [(home(), own)].into(),
        ..Default::default()
    };
    let store = embedded.store();
    assert_eq!(block_on(store.expire(&rules)).unwrap(), 40);
    block_on(store.settle()).unwrap();
    assert!(store.upkeep().chunks_dropped >= 2);
    let kept = by_own_id(&embedded);
    assert_eq!(kept.len(), 9);
    let bench = Bench::with(&full(&embedded));
    assert_eq!(bench.restored().records, 9);
    let restored = bench.open(&place);
    assert_eq!(by_own_id(&restored), kept);
    // Under rules that keep everything, too.
    block_on(restored.store().expire(&Default::default())).unwrap();
    assert_eq!(by_own_id(&restored), kept);
    let newest = store.newest();
    drop((store, embedded, restored));
    let bench = Bench::with(&old);
    let mut wanted = order(&bench.file("b.tar"), place.dir.path());
    wanted.replace = true;
    assert_eq!(restore(&wanted).unwrap().records, 49);
    let embedded = open();
    let store = embedded.store();
    assert_eq!(block_on(store.expire(&rules)).unwrap(), 40);
    block_on(store.settle()).unwrap();
    assert_eq!(by_own_id(&embedded), kept);
    append(&embedded, vec![with_bot(50, "kept")]);
    assert!(store.newest() > newest);
}
