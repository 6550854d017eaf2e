//! Damaged index files: whatever happens to one, every answer stays as it was and the index is made
//! again from its log; where the log is damaged, too, that is said.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Bound, CompareOp, Filter, Literal, Scope, Test};
use convlog_model::query::{Query, Sort, SortKey};
use convlog_model::record::{Draft, Record};
use convlog_model::store::{Batch, ErasureState, ErrorKind, Retention, Store};
use futures::executor::block_on;
use tracing::field::{Field, Visit};
use tracing::span;

use super::kit::{Place, SIM_DIR, SimPlace, all, batch, draft, erase_customer, home, state};
use crate::embedded::disk::{Disk, RealDisk, read_all};
use crate::embedded::frame::HEADER_LEN;
use crate::embedded::index::file;
use crate::embedded::index::source::{CHECKED_LEN, Damaged, checksum};
use crate::embedded::log::Chunk;
use crate::embedded::recover::{KnownEnd, scan};
use crate::embedded::shared::Shared;
use crate::embedded::verify::{verify, verify_on};
use crate::embedded::{Embedded, OpenError};

const NAME: &str = "chunks/0000000001.idx";

/// A word that stands nowhere else, most of which has nothing in common with others.
fn word(i: i64, n: i64) -> String {
    let mixed = ((i * 1_000 + n) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("w{i}h{mixed:016x}x{n}")
}

/// A record with `n_words` words of its own, and something for each kind of question.
fn rich(i: i64, n_words: i64) -> Draft {
    let customer = ["ann", "bob", "cid"][i as usize % 3];
    let mut draft = draft(&format!("r{i}"), customer, i);
    let words: Vec<String> = (0..n_words).map(|n| word(i, n)).collect();
    draft.raw = format!(
        r#"{{"text":"running order {}","n":{i}.5,"on":{},"items":[{{"k":"a{}","v":{i}}},{{"k":"b"}}]}}"#,
        words.join(" "),
        i % 2 == 0,
        i % 4,
    )
    .into();
    draft.set_ref("input.text", &["text"]);
    draft.set_text("language", "en");
    draft
}

fn test(field: FieldRef, test: Test) -> Filter {
    Filter::Test { field, test }
}

fn raw(path: &str) -> FieldRef {
    FieldRef::Raw(path.to_owned())
}

fn matching(field: &str, text: &str) -> Filter {
    let literal = Literal::bare(text);
    test(FieldRef::canonical(field), Test::Matches(literal))
}

fn questions() -> Vec<Filter> {
    let bound = Bound::Number("5".to_owned());
    let op = CompareOp::Ge;
    let both = Filter::Element {
        field: raw("items"),
        inner: Box::new(
            test(raw("items.k"), Test::Equals(Literal::quoted("a1")))
                .and(test(raw("items.v"), Test::Exists)),
        ),
    };
    let glob = Test::Glob {
        parts: vec!["w1".to_owned(), "x3".to_owned()],
        scope: Scope::Word,
    };
    vec![
        Filter::All,
        Filter::equals("customer", "ann"),
        Filter::equals("own_id", "r7"),
        Filter::equals("customer", "ann").negate(),
        matching("input.text", "run"),
        matching("input.text", &format!("order {}", word(5, 0))),
        test(FieldRef::canonical("input.text"), glob),
        test(raw("n"), Test::Compare { op, bound }),
        test(raw("on"), Test::Equals(Literal::bare("true"))),
        test(raw("items.v"), Test::Exists).negate(),
        both,
    ]
}

/// Everything that is found, and how much; the same questions in the order of a column, too.
type Answers = Vec<(Vec<Arc<Record>>, u64)>;

fn answers(store: &dyn Store) -> Answers {
    let mut out = Vec::new();
    for filter in questions() {
        for key in [SortKey::Position, SortKey::Request] {
            let mut query = Query::new(home(), filter.clone());
            query.limit = 10_000;
            query.sort = Sort {
                key,
                descending: key == SortKey::Request,
            };
            let found = block_on(store.search(&query)).unwrap().records;
            let count = block_on(store.count(&home(), &filter)).unwrap();
            assert_eq!(found.len() as u64, count);
            out.push((found, count));
        }
    }
    out
}

/// What is logged as a warning or worse on this thread while `work` runs.
fn logged<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let capture = Capture(Arc::clone(&events));
    let out = tracing::subscriber::with_default(capture, work);
    let events = std::mem::take(&mut *events.lock().unwrap());
    (out, events)
}

struct Capture(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl tracing::Subscriber for Capture {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        if *event.metadata().level() <= tracing::Level::WARN {
            let mut line = Line::default();
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn idx() -> PathBuf {
    PathBuf::from(SIM_DIR).join(NAME)
}

/// Two sealed chunks, an open one, and a session whose state is in a sealed one.
fn sealed() -> SimPlace {
    let place = SimPlace {
        rows_max: 12,
        ..SimPlace::new()
    };
    let embedded = place.open();
    let store = embedded.store();
    for i in 0..7 {
        let records = (0..4).map(|j| rich(i * 4 + j, 6)).collect();
        let states = match i {
            1 => vec![state("s", "bob", b"kept", &place.clock)],
            _ => Vec::new(),
        };
        block_on(store.append(Batch { records, states })).unwrap();
    }
    block_on(store.settle()).unwrap();
    embedded.close();
    place
}

/// Damage that is healed: nothing is answered in another way, it is told of, the index is made
/// again as it was, and of what was there nothing is left.
fn check_healed(place: &SimPlace, damaged: &[u8], expected: &Answers, what: &str) {
    let place = place.fork();
    let original = place.disk.bytes(&idx());
    let is_it = |bytes: &&Vec<u8>| *bytes == damaged && damaged.iter().any(|byte| *byte != 0);
    let n_elsewhere = place.disk.everything().iter().filter(is_it).count();
    place.disk.set_bytes(&idx(), damaged.to_vec());
    let report = verify_on(&place.disk, Path::new(SIM_DIR));
    let problems = report.problems.iter();
    let names: Vec<_> = problems.map(|p| (p.file.as_str(), p.offset)).collect();
    assert!(
        matches!(names[..], [(NAME, Some(at))] if at <= damaged.len() as u64),
        "{what}: {:?}",
        report.problems
    );
    let (embedded, events) = logged(|| place.open());
    assert!(
        events
            .iter()
            .any(|event| event.contains(NAME) && event.contains("at byte")),
        "{what}: {events:?}"
    );
    let store = embedded.store();
    assert!(answers(store.as_ref()) == *expected, "{what}");
    let session = block_on(store.load_state(&home(), "s")).unwrap();
    assert_eq!(session.unwrap().state, b"kept", "{what}");
    block_on(store.settle()).unwrap();
    assert!(answers(store.as_ref()) == *expected, "{what}, sealed again");
    assert!(place.disk.bytes(&idx()) == original, "{what}");
    let again = rich(3, 6);
    let outcomes = block_on(store.append(batch(vec![again]))).unwrap().outcomes;
    let is_duplicate = matches!(outcomes[..], [convlog_model::store::Outcome::Duplicate(_)]);
    assert!(is_duplicate, "{what}: {outcomes:?}");
    let n_left = place.disk.everything().iter().filter(is_it).count();
    assert_eq!(n_left, n_elsewhere, "{what}: left");
    drop((embedded, store));
    let report = verify_on(&place.disk, Path::new(SIM_DIR));
    assert_eq!(report.problems, [], "{what}");
}

fn expected(place: &SimPlace) -> Answers {
    let expected = answers(place.fork().open().store().as_ref());
    let n_some = expected.iter().filter(|(_, count)| (1..28).contains(count));
    assert_eq!((expected[0].1, n_some.count()), (28, 16));
    expected
}

/// Where the sections of an index are, by the table in its header.
fn sections(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let table = (0..10).map(|i| (number(64 + i * 16), number(72 + i * 16)));
    table.map(|(start, len)| start..start + len).collect()
}

#[test]
fn every_byte_of_the_header_and_sampled_ones_of_each_section_may_be_damaged() {
    let place = sealed();
    let expected = expected(&place);
    let bytes = place.disk.bytes(&idx());
    let mut places: Vec<usize> = (0..256).collect();
    let sections = sections(&bytes);
    assert!(sections.iter().all(|section| !section.is_empty()));
    for section in &sections {
        let step = (section.len() / 6).max(1);
        places.extend(section.clone().step_by(step));
        places.push(section.end - 1);
    }
    // The checksums, and theirs.
    places.extend(sections.last().unwrap().end..bytes.len());
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        check_healed(&place, &damaged, &expected, &format!("byte {at}"));
    }
}

#[test]
fn an_index_may_be_cut_anywhere_and_may_be_too_long() {
    let place = sealed();
    let expected = expected(&place);
    let bytes = place.disk.bytes(&idx());
    let mut cuts = vec![0, 1, 7, 8, 11, 12, 24, 31, 255, 256, bytes.len() - 4];
    cuts.extend(sections(&bytes).iter().map(|section| section.end - 1));
    cuts.push(bytes.len() - 1);
    for cut in cuts {
        let what = format!("cut at {cut}");
        check_healed(&place, &bytes[..cut], &expected, &what);
    }
    let longer = [&bytes[..], b"more"].concat();
    check_healed(&place, &longer, &expected, "too long");
}

#[test]
fn another_file_may_stand_in_the_place_of_an_index() {
    let place = sealed();
    let expected = expected(&place);
    let len = place.disk.bytes(&idx()).len();
    let second = PathBuf::from(SIM_DIR).join("chunks/0000000002.idx");
    let log = PathBuf::from(SIM_DIR).join("chunks/0000000002.log");
    for (what, bytes) in [
        ("another chunk's", place.disk.bytes(&second)),
        ("a log", place.disk.bytes(&log)),
        ("a picture", b"\x89PNG\r\n\x1a\n and so on".to_vec()),
        ("zeros", vec![0; len]),
    ] {
        check_healed(&place, &bytes, &expected, what);
    }
}

/// An index that says that it has format 2.
fn newer(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[8] = 2;
    let end = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    for block in 0..end.div_ceil(CHECKED_LEN) {
        let checked = &bytes[block * CHECKED_LEN..((block + 1) * CHECKED_LEN).min(end)];
        let sum = checksum(checked).to_le_bytes();
        bytes[end + block * 4..][..4].copy_from_slice(&sum);
    }
    let table_end = bytes.len() - 4;
    let sum = checksum(&bytes[end..table_end]).to_le_bytes();
    bytes[table_end..].copy_from_slice(&sum);
    bytes
}

#[test]
fn an_index_of_a_newer_format_is_refused_with_file_and_offset() {
    let place = sealed();
    let bytes = place.disk.bytes(&idx());
    let other_layout = [&b"convlogI\x02\0\0\0"[..], &[7; 4_000]].concat();
    for newer in [newer(&bytes), other_layout] {
        place.disk.set_bytes(&idx(), newer.clone());
        let text =
            "chunks/0000000001.idx at byte 8: format 2; a newer convlog is needed to read it";
        assert_eq!(place.try_open().unwrap_err().to_string(), text);
        let report = verify_on(&place.disk, Path::new(SIM_DIR));
        assert_eq!(report.problems[0].to_string(), text);
        assert!(place.disk.bytes(&idx()) == newer, "it is left alone");
    }
}

/// Flips a bit in the last group of a log that holds rows.
fn damage_log(file: &dyn crate::embedded::disk::File, chunk: &Chunk) -> u64 {
    let whole = scan(chunk, KnownEnd::Unknown).unwrap();
    let with_rows = whole.frames.iter().rev().find(|(_, h)| h.row_count > 0);
    let offset = with_rows.unwrap().0.offset;
    let at = offset + HEADER_LEN as u64 + 5;
    let mut byte = [0];
    file.read_at(at, &mut byte).unwrap();
    file.write_at(at, &[byte[0] ^ 16]).unwrap();
    offset
}

#[test]
fn a_damaged_log_met_while_an_index_is_made_again_refuses_the_start() {
    let place = sealed();
    let name = "chunks/0000000001.log";
    let file = place.disk.open(&PathBuf::from(SIM_DIR).join(name)).unwrap();
    let chunk = Chunk::open(name, Arc::clone(&file)).unwrap();
    let at = damage_log(file.as_ref(), &chunk);
    place.disk.set_bytes(&idx(), Vec::new());
    match place.try_open() {
        Err(OpenError::Damaged { file, offset, .. }) => assert_eq!((&*file, offset), (name, at)),
        other => panic!("{other:?}"),
    }
}

/// Chunks with indexes of many blocks, on a real disk, where a mapped file changes under its reader.
struct Wide {
    place: Place,
    n_chunks: u64,
}

impl Wide {
    fn new(n_chunks: u64) -> Self {
        let wide = Wide {
            place: Place::new(),
            n_chunks,
        };
        let embedded = wide.open();
        let n_records = i64::try_from(n_chunks).unwrap() * 64 + 3;
        let records: Vec<Draft> = (0..n_records).map(|i| rich(i, 60)).collect();
        for some in records.chunks(16) {
            block_on(embedded.store().append(batch(some.to_vec()))).unwrap();
        }
        block_on(embedded.store().settle()).unwrap();
        wide
    }

    fn open(&self) -> Embedded {
        let mut options = self.place.options();
        options.limits.rows_max = 64;
        options.threads = 1;
        Embedded::open(options).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.dir.path().join(name)
    }

    /// Flips a bit in a block of an index.
    fn flip(&self, chunk: u64, block: usize) {
        let file = RealDisk
            .open(&self.path(&format!("chunks/{chunk:010}.idx")))
            .unwrap();
        let end = read_all(file.as_ref(), 1 << 30).unwrap().len() - 64;
        let at = ((block * CHECKED_LEN + 77).min(end)) as u64;
        let mut byte = [0];
        file.read_at(at, &mut byte).unwrap();
        file.write_at(at, &[byte[0] ^ 2]).unwrap();
    }

    /// Blocks of an index that nobody has looked at.
    fn untouched(shared: &Shared, chunk: u64) -> Vec<usize> {
        let view = shared.view();
        let index = &view.segment(chunk).unwrap().parts[0].index;
        let blocks = 0..index.len().div_ceil(CHECKED_LEN);
        blocks
            .filter(|block| !index.was_checked(block * CHECKED_LEN))
            .collect()
    }

    fn is_sealed(shared: &Shared, chunk: u64) -> bool {
        shared.view().segment(chunk).unwrap().is_sealed
    }
}

#[test]
fn damage_that_appears_while_the_store_is_open_is_healed_at_the_first_touch() {
    let wide = Wide::new(2);
    let embedded = wide.open();
    let expected = answers(embedded.store().as_ref());
    assert_eq!(expected[0].1, 131);
    drop(embedded);
    let blocks = Wide::untouched(&wide.open().engine.shared, 1);
    assert!(blocks.len() >= 2, "{blocks:?}");
    let mut n_healed = 0;
    for block in blocks {
        let embedded = wide.open();
        let shared = &embedded.engine.shared;
        wide.flip(1, block);
        let problems = verify(wide.place.dir.path()).problems;
        let problem: Vec<_> = problems.iter().map(|p| (&*p.file, p.offset)).collect();
        let at = (block * CHECKED_LEN) as u64;
        assert_eq!(problem, [(NAME, Some(at))], "a server is running");
        let mut events = Vec::new();
        for filter in questions() {
            let mut query = Query::new(home(), filter);
            query.limit = 10_000;
            events.extend(logged(|| shared.search(&query).unwrap()).1);
        }
        assert!(answers(embedded.store().as_ref()) == expected, "{block}");
        block_on(embedded.store().settle()).unwrap();
        assert!(answers(embedded.store().as_ref()) == expected, "{block}");
        let problems = verify(wide.place.dir.path()).problems;
        if events.is_empty() {
            // No question led there. The next start, or a question that does, heals it.
            assert_eq!(problems.len(), 1, "{block}");
            shared.mend(1, Damaged { at }).unwrap();
            block_on(embedded.store().settle()).unwrap();
        } else {
            let told = format!("offset={at} ");
            let is_told = |event: &String| event.contains(NAME) && event.contains(&told);
            assert!(events.iter().any(is_told), "{events:?}");
            assert_eq!(problems, []);
            n_healed += 1;
        }
        assert_eq!(verify(wide.place.dir.path()).problems, []);
        assert!(answers(embedded.store().as_ref()) == expected, "{block}");
    }
    assert!(n_healed > 0);
}

/// Questions, rules of retention and erasures that meet several damaged indexes at once.
#[test]
fn many_indexes_may_be_damaged_at_once() {
    let wide = Wide::new(6);
    let expected = answers(wide.open().store().as_ref());
    let damage = |embedded: &Embedded| {
        let mut n_damaged = 0;
        for chunk in 1..=wide.n_chunks {
            let blocks = Wide::untouched(&embedded.engine.shared, chunk);
            blocks.iter().for_each(|block| wide.flip(chunk, *block));
            n_damaged += u64::from(!blocks.is_empty());
        }
        n_damaged
    };
    let embedded = wide.open();
    // All but the last, which the start asks for the newest record. Later retention, whose pass has
    // begun with the start, may have read whole indexes too.
    let n_damaged = damage(&embedded);
    assert!(n_damaged + 1 >= wide.n_chunks, "{n_damaged}");
    assert!(answers(embedded.store().as_ref()) == expected);
    block_on(embedded.store().settle()).unwrap();
    assert!((1..=6).all(|chunk| Wide::is_sealed(&embedded.engine.shared, chunk)));
    drop(embedded);
    assert_eq!(verify(wide.place.dir.path()).problems, []);
    let embedded = wide.open();
    damage(&embedded);
    let rules = Retention {
        default_days: 36_500,
        ..Retention::default()
    };
    assert_eq!(block_on(embedded.store().expire(&rules)).unwrap(), 0);
    assert!(answers(embedded.store().as_ref()) == expected);
    drop(embedded);
    let embedded = wide.open();
    damage(&embedded);
    let store = embedded.store();
    let before = all(store.as_ref()).len();
    let erased = block_on(store.erase(&erase_customer("ann", 1))).unwrap();
    assert_eq!(erased.records as usize, before.div_ceil(3));
    block_on(store.settle()).unwrap();
    let erasures = block_on(store.erasures(&home())).unwrap();
    assert_eq!(erasures[0].state, ErasureState::Done);
    let kept = questions().len() * 2;
    let left = answers(store.as_ref());
    for (found, were) in left.iter().zip(&expected).take(kept) {
        let is_left = |record: &&Arc<Record>| record.draft.canonical.get("customer") != ann();
        assert!(found.0.iter().eq(were.0.iter().filter(is_left)));
    }
    drop((embedded, store));
    assert_eq!(verify(wide.place.dir.path()).problems, []);
}

fn ann() -> Option<&'static convlog_model::record::Source> {
    use convlog_model::json::Json;
    use convlog_model::record::Source;
    static ANN: std::sync::LazyLock<Source> =
        std::sync::LazyLock::new(|| Source::Value(Json::string("ann")));
    Some(&ANN)
}

#[test]
fn an_erasure_that_meets_a_damaged_index_leaves_nothing_in_its_file() {
    let wide = Wide::new(2);
    let embedded = wide.open();
    let store = embedded.store();
    block_on(store.erase(&erase_customer("ann", 1))).unwrap();
    let blocks = Wide::untouched(&embedded.engine.shared, 1);
    blocks.iter().for_each(|block| wide.flip(1, *block));
    block_on(store.settle()).unwrap();
    let erasures = block_on(store.erasures(&home())).unwrap();
    assert_eq!(erasures[0].state, ErasureState::Done);
    // Done is done: no later sealing is needed for it.
    let index = file::open(&RealDisk, wide.place.dir.path(), 1).unwrap();
    assert!(index.holds(word(4, 7).as_bytes()) && !index.holds(word(3, 7).as_bytes()));
    let names = RealDisk.list(&wide.path("chunks")).unwrap();
    assert!(
        names
            .iter()
            .all(|n| n.ends_with(".log") || n.ends_with(".idx"))
    );
}

#[test]
fn a_damaged_log_met_by_a_search_is_an_error_that_names_it() {
    let wide = Wide::new(1);
    let embedded = wide.open();
    let shared = &embedded.engine.shared;
    let chunk = Arc::clone(&shared.view().segment(1).unwrap().chunk);
    let file = RealDisk.open(&wide.path("chunks/0000000001.log")).unwrap();
    let at = damage_log(file.as_ref(), &chunk);
    let blocks = Wide::untouched(shared, 1);
    blocks.iter().for_each(|block| wide.flip(1, *block));
    let asked = matching("input.text", &word(5, 7));
    for _ in 0..2 {
        let error = block_on(embedded.store().count(&home(), &asked)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let told = format!("chunks/0000000001.log is damaged at byte {at}: ");
        assert!(error.log_text().starts_with(&told), "{}", error.log_text());
    }
}
