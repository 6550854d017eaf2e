//! The folder of logs with indexes that every later build must open and answer the same. A test
//! makes it when it is missing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Bound, CompareOp, Filter, Literal, Scope, Test, TimeBound};
use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft, Kind};
use convlog_model::store::{Batch, ErasureState, Outcome, Store};
use convlog_model::testkit::TestClock;
use convlog_model::time::{Span, Timestamp};
use futures::executor::block_on;

use super::fixture::{copy_files, small_options};
use super::kit::{all, batch, draft, erase_customer, home, shown, state};
use crate::embedded::disk::{Disk, RealDisk, read_all};
use crate::embedded::index::file;
use crate::embedded::verify::verify;
use crate::embedded::{Embedded, Options};

/// The files of the directory, in the order in which a copy is made.
const FILES: [&str; 8] = [
    "key",
    "sessions.keys",
    "catalog.redb",
    "chunks/0000000001.log",
    "chunks/0000000001.idx",
    "chunks/0000000002.log",
    "chunks/0000000002.idx",
    "chunks/0000000003.log",
];

const UUID: &str = "0192f0c1-7a2b-7c3d-8e4f-0123456789ab";

/// The folder, made when it is missing.
fn fixture() -> PathBuf {
    static MADE: Once = Once::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data-dirs/v2");
    MADE.call_once(|| {
        if RealDisk.open_read(&fixture.join("key")).is_err() {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path());
            copy_files(&FILES, dir.path(), &fixture);
        }
    });
    fixture
}

fn options(dir: &Path, clock: &Arc<TestClock>) -> Options {
    small_options(dir, clock, 2)
}

fn said(name: &str, language: &str, text: &str, second: i64) -> Draft {
    let mut said = draft(name, "ann", second);
    said.raw = Json::object([("text", Json::string(text))])
        .to_string()
        .into();
    said.set_ref("input.text", &["text"]);
    said.set_text("language", language);
    said
}

fn with_body(name: &str, raw: &str, second: i64) -> Draft {
    let mut draft = draft(name, "bob", second);
    draft.raw = raw.into();
    draft.canonical.remove("input.text");
    draft
}

/// One word of 300 letters.
fn long_word() -> String {
    "Langwort".repeat(38)
}

/// Records whose indexes have every kind of term.
fn records() -> Vec<Draft> {
    let long = format!("Many words {}", "and more of them ".repeat(30));
    let mut event = with_body("an event", r#"{"e":{"a.b":1}}"#, 9);
    event.kind = Kind::Event;
    event.dialect = Dialect::ChatBotKit;
    event.set_text("event.type", "conversation.create");
    event.set_value("event.refs", Json::object([("botId", Json::string("B-1"))]));
    event.labels.insert("team".to_owned(), "Blue".to_owned());
    let mut odd = with_body("odd times", r#"{"seen":"2024-05-06T07:08:09Z"}"#, 10);
    let times = ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"].map(Json::string);
    odd.set_value("time.request", Json::Array(times.to_vec()));
    let list = vec!["0"; 20_001].join(",");
    let mut without_id = with_body("", r#"{"none":null,"on":true}"#, 12);
    without_id.own_id = None;
    without_id.canonical.remove("time.request");
    let words = Json::object([("text", Json::string(long_word()))]).to_string();
    let mut long_words = with_body("long word", &words, 13);
    long_words.set_ref("input.text", &["text"]);
    long_words.set_text("language", "de");
    vec![
        said("english", "en", "Running dogs order pizzas", 1),
        said("german", "de", "Häuser und Straße", 2),
        said("spanish", "es", "Quiero pedir comidas", 3),
        said("arabic", "ar", "الكتب والمدارس", 4),
        said("japanese", "ja", "東京に行きたい", 5),
        with_body("numbers", r#"{"n":1.50,"m":-3,"huge":1e400}"#, 6),
        with_body(
            "elements",
            r#"{"items":[{"k":"a","v":1},{"k":"b","v":2}],"on":false}"#,
            7,
        ),
        with_body(
            "long values",
            &Json::object([
                ("long", Json::string(long)),
                ("short", Json::string("Short")),
            ])
            .to_string(),
            8,
        ),
        with_body(UUID, &format!(r#"{{"ref":"{UUID}"}}"#), 9),
        event,
        odd,
        with_body("overflow", &format!(r#"{{"list":[{list}]}}"#), 11),
        without_id,
        long_words,
    ]
}

fn write(dir: &Path) {
    let clock = Arc::new(TestClock::default());
    let embedded = Embedded::open(options(dir, &clock)).unwrap();
    let store = embedded.store();
    for (records, session) in records().chunks(7).zip(["alive", "ended"]) {
        let mut records = records.to_vec();
        records.push(draft(&format!("erased {session}"), "cid", 20));
        let bytes = format!("state of {session}");
        let states = vec![state(session, "ann", bytes.as_bytes(), &clock)];
        block_on(store.append(Batch { records, states })).unwrap();
    }
    block_on(store.drop_state(&home(), "ended")).unwrap();
    block_on(store.settle()).unwrap();
    block_on(store.erase(&erase_customer("cid", 1))).unwrap();
    block_on(store.settle()).unwrap();
    let open = (0..4).map(|i| draft(&format!("open {i}"), "ann", 30 + i));
    block_on(store.append(batch(open.collect()))).unwrap();
    block_on(store.settle()).unwrap();
    embedded.close();
}

fn canonical(field: &str, test: Test) -> Filter {
    let field = FieldRef::canonical(field);
    Filter::Test { field, test }
}

fn raw(field: &str, test: Test) -> Filter {
    let field = FieldRef::Raw(field.to_owned());
    Filter::Test { field, test }
}

fn words(text: &str) -> Filter {
    canonical("input.text", Test::Matches(Literal::bare(text)))
}

fn equals(text: &str) -> Test {
    Test::Equals(Literal::quoted(text))
}

/// Filters with the records that each finds.
fn questions() -> Vec<(Filter, Vec<&'static str>)> {
    let glob = |parts: [&str; 2], scope| Test::Glob {
        parts: parts.map(str::to_owned).to_vec(),
        scope,
    };
    let number = |op, text: &str| Test::Compare {
        op,
        bound: Bound::Number(text.to_owned()),
    };
    let moment = Timestamp::parse_rfc3339("2024-05-06T07:08:09Z").unwrap();
    let span = Span {
        start: moment,
        end: moment,
    };
    let bound = Bound::Time(TimeBound::new("2024-05-06T07:08:09Z", span));
    let before = Timestamp::from_millis(3_000);
    let span = Span {
        start: before,
        end: before,
    };
    let early = Bound::Time(TimeBound::new("1970-01-01T00:00:03Z", span));
    let element = |k: &str, v: &str| Filter::Element {
        field: FieldRef::Raw("items".to_owned()),
        inner: Box::new(
            raw("items.k", equals(k)).and(raw("items.v", Test::Equals(Literal::bare(v)))),
        ),
    };
    let fuzzy = Test::Fuzzy {
        text: "pizzos".to_owned(),
        edits: 1,
        scope: Scope::Word,
    };
    let op = CompareOp::Le;
    vec![
        (words("run dog"), vec!["english"]),
        (words("haus"), vec!["german"]),
        (words("strasse"), vec!["german"]),
        (words("comida"), vec!["spanish"]),
        (words("كتب"), vec!["arabic"]),
        (words("東京"), vec!["japanese"]),
        (canonical("input.text", fuzzy), vec!["english"]),
        (
            canonical("input.text", glob(["pi", "s"], Scope::Word)),
            vec!["english"],
        ),
        (words(&long_word()), vec!["long word"]),
        (
            canonical("input.text", equals(&long_word())),
            vec!["long word"],
        ),
        (raw("n", number(CompareOp::Ge, "1.5")), vec!["numbers"]),
        (raw("m", number(CompareOp::Lt, "0")), vec!["numbers"]),
        (raw("huge", number(CompareOp::Gt, "1e399")), vec!["numbers"]),
        (element("a", "1"), vec!["elements"]),
        (element("a", "2"), vec![]),
        (
            raw("on", Test::Equals(Literal::bare("false"))),
            vec!["elements"],
        ),
        (
            raw("short", Test::Matches(Literal::bare("short"))),
            vec!["long values"],
        ),
        (
            raw("long", glob(["Many", "them "], Scope::Whole)),
            vec!["long values"],
        ),
        (raw("ref", equals(UUID)), vec![UUID]),
        (Filter::equals("own_id", UUID), vec![UUID]),
        (raw("seen", Test::Compare { op, bound }), vec!["odd times"]),
        (
            canonical("time.request", Test::Compare { op, bound: early }),
            vec!["english", "german", "spanish"],
        ),
        (
            canonical("time.request", equals("2021-01-01T00:00:00Z")),
            vec!["odd times"],
        ),
        (
            raw("list", Test::Equals(Literal::bare("0"))),
            vec!["overflow"],
        ),
        (raw("e.a.b", Test::Exists), vec!["an event"]),
        (
            canonical("event.refs.botId", equals("B-1")),
            vec!["an event"],
        ),
        (
            canonical("labels.team", Test::Matches(Literal::bare("blue"))),
            vec!["an event"],
        ),
        (Filter::equals("kind", "event"), vec!["an event"]),
        (Filter::equals("dialect", "chatbotkit"), vec!["an event"]),
        (Filter::equals("customer", "cid"), vec![]),
    ]
}

fn found(store: &dyn Store, filter: &Filter) -> Vec<String> {
    use convlog_model::query::{Query, Sort, SortKey};
    let mut query = Query::new(home(), filter.clone());
    query.limit = 100;
    query.sort = Sort {
        key: SortKey::Position,
        descending: false,
    };
    let page = block_on(store.search(&query)).unwrap();
    let count = block_on(store.count(&home(), filter)).unwrap();
    assert_eq!(page.records.len() as u64, count);
    page.records
        .iter()
        .map(|record| record.shown_id())
        .collect()
}

fn check(store: &dyn Store) {
    let found_all = all(store);
    let (sealed, open) = found_all.split_at(14);
    for (record, expected) in sealed.iter().zip(records()) {
        assert_eq!(record.draft, expected);
    }
    let open: Vec<String> = open.iter().map(|record| record.shown_id()).collect();
    assert_eq!(open, ["open 0", "open 1", "open 2", "open 3"]);
    for (filter, expected) in questions() {
        assert_eq!(found(store, &filter), expected, "{filter:?}");
    }
    let load = |session: &str| block_on(store.load_state(&home(), session)).unwrap();
    assert_eq!(load("alive").unwrap().state, b"state of alive");
    assert_eq!(load("ended"), None);
    let erasures = block_on(store.erasures(&home())).unwrap();
    let (state, records) = (erasures[0].state, erasures[0].records);
    assert_eq!((state, records), (ErasureState::Done, 2));
}

#[test]
fn a_directory_with_indexes_is_opened_and_answers_the_same() {
    let dir = tempfile::tempdir().unwrap();
    copy_files(&FILES, &fixture(), dir.path());
    let report = verify(dir.path());
    assert_eq!((report.problems, report.notes), (vec![], vec![]));
    assert_eq!((report.chunks, report.indexes, report.records), (3, 2, 18));
    let indexes = [1, 2].map(|number| file::open(&RealDisk, dir.path(), number).unwrap());
    let codes = indexes.iter().flat_map(|index| index.codes());
    let codes: std::collections::BTreeSet<u8> = codes.collect();
    assert!(codes.iter().copied().eq(0..=18), "{codes:?}");
    assert!(!indexes.iter().any(|index| index.holds(b"erased")));
    drop(indexes);
    let written = [1, 2].map(|number| index_bytes(dir.path(), number));
    let clock = Arc::new(TestClock::default());
    let embedded = Embedded::open(options(dir.path(), &clock)).unwrap();
    let store = embedded.store();
    check(store.as_ref());
    let again = vec![records()[8].clone(), draft("erased alive", "cid", 20)];
    let outcomes = block_on(store.append(batch(again))).unwrap().outcomes;
    assert!(matches!(
        outcomes[..],
        [Outcome::Duplicate(_), Outcome::Erased]
    ));
    block_on(store.settle()).unwrap();
    drop((embedded, store));
    // The indexes were taken as they are, not made again.
    assert!([1, 2].map(|number| index_bytes(dir.path(), number)) == written);
}

/// What an index made of the same log by this build answers.
#[test]
fn a_directory_with_indexes_answers_the_same_when_they_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let logs: Vec<&str> = FILES.into_iter().filter(|f| !f.ends_with(".idx")).collect();
    copy_files(&logs, &fixture(), dir.path());
    let clock = Arc::new(TestClock::default());
    let embedded = Embedded::open(options(dir.path(), &clock)).unwrap();
    let store = embedded.store();
    check(store.as_ref());
    block_on(store.settle()).unwrap();
    check(store.as_ref());
    assert_eq!(shown(store.as_ref()).len(), 18);
    drop((embedded, store));
    assert_eq!(verify(dir.path()).indexes, 2);
}

fn index_bytes(dir: &Path, number: u64) -> Vec<u8> {
    let path = file::index_path(dir, number);
    let file = RealDisk.open_read(&path).unwrap();
    read_all(file.as_ref(), 1 << 20).unwrap()
}
