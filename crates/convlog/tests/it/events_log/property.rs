//! Random writers, erasures and readers of both orders, over lives of a server that end by kill -9:
//! whoever goes up sees every event that stays exactly once and in order, whoever goes down sees
//! exactly what there was at the first page. `CONVLOG_SEED` repeats a run, which prints its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::{Ask, CREATE, EXPORT, LIST, ids, items, text, walk};
use crate::harness::{Client, Server, Start, all_erased, echo_bot, eventually, log, say, scratch};

/// Lives of the server; all but the last end by a kill.
const LIVES: usize = 4;
/// Writes that are answered in one life, at least.
const WRITES_A_LIFE: usize = 150;
const WRITERS: u64 = 3;
/// Customers at one time; one who is erased is replaced.
const CUSTOMERS: usize = 6;
const ERASURES: usize = 8;
/// The last event of all.
const END: &str = "the.end";

/// Numbers that follow from a seed (SplitMix64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }
}

/// A mark that was written and answered.
#[derive(Clone, Debug)]
struct Kept {
    mark: String,
    customer: String,
    /// How many items tell it.
    n_items: usize,
}

/// What all threads know.
#[derive(Debug)]
struct World {
    /// The server of this life.
    now: Mutex<Option<(Client, String)>>,
    /// Customers of whom things are written. Held for reading while a write is on its way.
    customers: RwLock<Vec<String>>,
    /// Whose erasure was answered.
    erased: Mutex<BTreeSet<String>>,
    kept: Mutex<Vec<Kept>>,
    n_kept: AtomicUsize,
    is_over: AtomicBool,
}

impl World {
    fn now(&self) -> (Client, String) {
        eventually(|| self.now.lock().unwrap().clone())
    }

    /// The answer to a request, in this life or a later one.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        loop {
            match self.now().0.request(method, path, body) {
                // A server that is busy says so.
                Ok((429 | 503, _)) | Err(_) => {}
                Ok(answer) => return answer,
            }
        }
    }

    fn is_erased(&self, item: &Value) -> bool {
        let erased = self.erased.lock().unwrap();
        item["contactId"]
            .as_str()
            .is_some_and(|id| erased.contains(id))
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

#[test]
fn every_reader_sees_what_it_should_whatever_happens() {
    let given = std::env::vars().find(|(name, _)| name == "CONVLOG_SEED");
    let seed = match given {
        Some((_, seed)) => seed.parse().unwrap(),
        None => getrandom::u64().unwrap(),
    };
    say(&format!("CONVLOG_SEED={seed}"));
    run(seed);
}

fn run(seed: u64) {
    let dir = scratch();
    let world = Arc::new(World {
        now: Mutex::new(None),
        customers: RwLock::new((0..CUSTOMERS).map(|n| format!("k{n}")).collect()),
        erased: Mutex::default(),
        kept: Mutex::default(),
        n_kept: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut server = start(dir.path());
    echo_bot(&server, "echo");
    world.publish(&server);
    let mut dice = Dice(seed);
    let mut spawn = |act: fn(&World, Dice) -> Vec<Seen>| {
        let (world, dice) = (Arc::clone(&world), Dice(dice.roll()));
        std::thread::spawn(move || act(&world, dice))
    };
    let writers: Vec<JoinHandle<_>> = (0..WRITERS).map(|_| spawn(write)).collect();
    let eraser = spawn(erase);
    let ups = [
        spawn(list_up),
        spawn(list_up),
        spawn(stream_up),
        spawn(follow),
        spawn(follow),
    ];
    let downs = [spawn(list_down), spawn(list_down), spawn(stream_down)];
    for life in 1..=LIVES {
        let wanted = life * WRITES_A_LIFE;
        eventually(|| (world.n_kept.load(Ordering::Acquire) >= wanted).then_some(()));
        if life < LIVES {
            *world.now.lock().unwrap() = None;
            server.kill();
            server = start(dir.path());
            world.publish(&server);
        }
    }
    world.is_over.store(true, Ordering::Release);
    let joined = |threads: Vec<JoinHandle<Vec<Seen>>>| -> Vec<Seen> {
        threads
            .into_iter()
            .flat_map(|it| it.join().unwrap())
            .collect()
    };
    joined(writers);
    joined(vec![eraser]);
    let downs = joined(downs.into());
    world.ask("POST", CREATE, &json!({"type": END}).to_string());
    let ups = joined(ups.into());
    all_erased(&server);
    let all = walk(&server.client(), "asc", 500, "");
    // What comes after the end are exports of readers who began late.
    let end = all.iter().position(|item| item["type"] == END).unwrap();
    check(&world, &all[..=end], &ups, &downs);
    server.stop();
}

fn start(dir: &Path) -> Server {
    Start::on(dir)
        .env("CONVLOG_LIMITS_EXPORTS_AT_ONCE", "16")
        .env("CONVLOG_MEMORY_BYTES", "16777216")
        .server()
}

impl World {
    fn publish(&self, server: &Server) {
        *self.now.lock().unwrap() = Some((server.client(), server.url.clone()));
    }
}

/// What one reader saw.
#[derive(Debug)]
struct Seen {
    how: &'static str,
    items: Vec<Value>,
    /// Marks that were answered before a walk down began.
    before: Vec<Kept>,
}

fn check(world: &World, all: &[Value], ups: &[Seen], downs: &[Seen]) {
    let stays: Vec<Value> = all.to_vec();
    assert!(!stays.iter().any(|item| world.is_erased(item)));
    let all = ids(&stays);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for item in &stays {
        *told.entry(mark(item)).or_default() += 1;
    }
    let erased = world.erased.lock().unwrap().clone();
    assert_eq!(erased.len(), ERASURES);
    let kept = world.kept.lock().unwrap();
    for kept in kept.iter().filter(|kept| !erased.contains(&kept.customer)) {
        assert_eq!(
            told.get(kept.mark.as_str()),
            Some(&kept.n_items),
            "{kept:?}"
        );
    }
    let staying = |seen: &Seen| {
        let items = seen.items.iter().filter(|item| !world.is_erased(item));
        items
            .map(|item| text(item, "id").to_owned())
            .collect::<Vec<String>>()
    };
    assert_eq!(ups.len(), 5);
    for seen in ups {
        let whole = ids(&seen.items);
        let distinct: BTreeSet<&String> = whole.iter().collect();
        assert_eq!(distinct.len(), whole.len(), "{}: one twice", seen.how);
        assert_eq!(staying(seen), all, "{}", seen.how);
    }
    let mut n_downs: BTreeMap<&str, usize> = BTreeMap::new();
    for seen in downs {
        *n_downs.entry(seen.how).or_default() += 1;
        let mut found = staying(seen);
        found.reverse();
        assert_eq!(
            found,
            all[..found.len()],
            "{}: no prefix of the log",
            seen.how
        );
        let marks: BTreeSet<&str> = seen.items.iter().map(mark).collect();
        for kept in seen
            .before
            .iter()
            .filter(|it| !erased.contains(&it.customer))
        {
            assert!(marks.contains(kept.mark.as_str()), "{}: {kept:?}", seen.how);
        }
    }
    say(&format!(
        "{} items, {} writes, {} erasures; walks down: {n_downs:?}",
        all.len(),
        kept.len(),
        erased.len()
    ));
}

/// The mark that an item tells, or nothing.
fn mark(item: &Value) -> &str {
    let meta = &item["meta"];
    let mark = meta["mark"].as_str().or_else(|| meta["text"].as_str());
    mark.unwrap_or_default()
}

/// Writes events, turns and imports until it is over.
fn write(world: &World, mut dice: Dice) -> Vec<Seen> {
    let name = format!("{:x}", dice.roll());
    for number in 0.. {
        if world.is_over() {
            break;
        }
        let customers = world.customers.read().unwrap();
        let customer = customers[dice.below(customers.len())].clone();
        let mark = format!("{name}-{number}");
        let kept = |mark: &str, n_items| Kept {
            mark: mark.to_owned(),
            customer: customer.clone(),
            n_items,
        };
        let event = json!({"id": mark, "type": "w.event", "contactId": customer,
            "meta": {"mark": mark}});
        let written = match dice.below(6) {
            0 | 1 => {
                let answer = world.ask("POST", CREATE, &event.to_string());
                assert_eq!(answer.0, 200, "{}", answer.1);
                vec![kept(&mark, 1)]
            }
            2 => {
                // Without an id it must not be sent again: what was not answered may be there or not.
                let mut event = event;
                event["id"].take();
                let answer = world.now().0.request("POST", CREATE, &event.to_string());
                match answer {
                    Ok((200, _)) => vec![kept(&mark, 1)],
                    _ => Vec::new(),
                }
            }
            3 | 4 => {
                let message = json!({"input": {"text": mark}}).to_string();
                let path = "/v1/workspaces/echo/message?version=2021-11-27";
                let header = format!("customer_id={customer}");
                let headers = [("X-Watson-Metadata", header.as_str())];
                let answer = world.now().0.request_with("POST", path, &message, &headers);
                match answer {
                    Ok((200, _)) => vec![kept(&mark, 2)],
                    _ => Vec::new(),
                }
            }
            _ => {
                let marks: Vec<String> = (0..1 + dice.below(20))
                    .map(|n| format!("{mark}-{n}"))
                    .collect();
                import(world, &marks, &customer, dice.below(2) == 0);
                marks.iter().map(|mark| kept(mark, 1)).collect()
            }
        };
        drop(customers);
        world
            .n_kept
            .fetch_add(usize::from(!written.is_empty()), Ordering::AcqRel);
        world.kept.lock().unwrap().extend(written);
    }
    Vec::new()
}

/// Many at once, as events or as turns with ids, so that a repetition adds nothing.
fn import(world: &World, marks: &[String], customer: &str, are_events: bool) {
    let line = |mark: &String| {
        if are_events {
            return json!({"id": mark, "type": "w.import", "contactId": customer,
                "meta": {"mark": mark}})
            .to_string();
        }
        let mut turn = log("imported", 1, mark);
        turn["log_id"] = mark.clone().into();
        turn["customer_id"] = customer.into();
        turn.to_string()
    };
    let lines: Vec<String> = marks.iter().map(line).collect();
    let dialect = if are_events {
        "chatbotkit"
    } else {
        "watson-v1"
    };
    let path = format!("/convlog/v1/records?dialect={dialect}");
    let answer = world.ask("POST", &path, &lines.join("\n"));
    assert_eq!(answer.0, 200, "{}", answer.1);
    let counts: Value = serde_json::from_str(&answer.1).unwrap();
    assert_eq!(counts["rejected"], json!([]), "{counts}");
}

/// Erases customers of whom nothing more is written.
fn erase(world: &World, mut dice: Dice) -> Vec<Seen> {
    for number in 1..=ERASURES {
        let wanted = number * WRITES_A_LIFE * LIVES / (ERASURES + 1);
        eventually(|| (world.n_kept.load(Ordering::Acquire) >= wanted).then_some(()));
        let mut customers = world.customers.write().unwrap();
        let place = dice.below(customers.len());
        let new = format!("k{}", CUSTOMERS + number);
        let gone = std::mem::replace(&mut customers[place], new);
        drop(customers);
        let body = json!({"customer_id": gone}).to_string();
        let answer = world.ask("POST", "/convlog/v1/erasures", &body);
        assert_eq!(answer.0, 202, "{}", answer.1);
        world.erased.lock().unwrap().insert(gone);
    }
    Vec::new()
}

/// A page, in this life or a later one; an id of a foreign event that was erased is a 400, and the
/// cursor that was given with it is taken instead.
fn page(world: &World, query: &str, cursor: &str, instead: &str) -> Value {
    let (mut status, mut body) = world.ask("GET", &format!("{LIST}?{query}&cursor={cursor}"), "");
    if status == 400 && cursor != instead {
        (status, body) = world.ask("GET", &format!("{LIST}?{query}&cursor={instead}"), "");
    }
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Pages of any size in commit order, by each of the cursors there are.
fn list_up(world: &World, mut dice: Dice) -> Vec<Seen> {
    let mut seen: Vec<Value> = Vec::new();
    let (mut cursor, mut instead) = (String::new(), String::new());
    loop {
        let gone = world.erased.lock().unwrap().clone();
        let query = format!("order=asc&take={}", 1 + dice.below(60));
        let page = page(world, &query, &cursor, &instead);
        for item in items(&page) {
            let customer = item["contactId"].as_str().unwrap_or_default();
            assert!(!gone.contains(customer), "erased and shown: {item}");
            seen.push(item.clone());
            if item["type"] == END {
                return vec![Seen::by("pages up", seen)];
            }
        }
        text(&page, "resumeCursor").clone_into(&mut instead);
        cursor = match (items(&page).last(), dice.below(3)) {
            (Some(last), 0) => text(last, "id").to_owned(),
            (Some(_), 1) => text(&page, "cursor").to_owned(),
            _ => instead.clone(),
        };
    }
}

/// Streams of lines in commit order, each from where the last one ended or broke off.
fn stream_up(world: &World, mut dice: Dice) -> Vec<Seen> {
    let mut seen: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, url) = world.now();
        let path = [LIST, EXPORT][dice.below(2)];
        let take = dice.below(200);
        let path = format!("{path}?order=asc&take={take}&cursor={cursor}");
        let Ok(mut stream) = Ask::lines(&url, &path).open() else {
            continue;
        };
        if stream.status == 400 {
            // The last line before the break was of a foreign event, and that is erased.
            cursor = earlier(world, &seen);
            continue;
        }
        assert_eq!(stream.status, 200, "{}", stream.body());
        while let Ok(Some(item)) = stream.item() {
            text(&item, "id").clone_into(&mut cursor);
            let is_end = item["type"] == END;
            seen.push(item);
            if is_end {
                return vec![Seen::by("streams up", seen)];
            }
        }
        if stream.is_over() {
            cursor = stream.header("x-convlog-cursor").unwrap();
        }
    }
}

/// The id of the last item that was seen and is still there: all behind it are erased.
fn earlier(world: &World, seen: &[Value]) -> String {
    let last = seen.iter().rev().find(|item| !world.is_erased(item));
    last.map(|item| text(item, "id").to_owned())
        .unwrap_or_default()
}

/// A subscription that goes on by its last id after each break.
fn follow(world: &World, _: Dice) -> Vec<Seen> {
    let mut seen: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let (_, url) = world.now();
        let body = match &cursor {
            Some(id) => json!({"cursor": id}),
            None => json!({"historyLength": 10_000}),
        };
        let Ok(mut stream) = Ask::subscription(&url, &body.to_string()).open() else {
            continue;
        };
        if stream.status == 400 {
            cursor = Some(earlier(world, &seen));
            continue;
        }
        assert_eq!(stream.status, 200, "{}", stream.body());
        while let Ok(Some(item)) = stream.item() {
            cursor = Some(text(&item, "id").to_owned());
            let is_end = item["type"] == END;
            seen.push(item);
            if is_end {
                return vec![Seen::by("subscription", seen)];
            }
        }
    }
}

impl Seen {
    fn by(how: &'static str, items: Vec<Value>) -> Self {
        Seen {
            how,
            items,
            before: Vec::new(),
        }
    }
}

/// Walks down in pages of any size until it is over.
fn list_down(world: &World, mut dice: Dice) -> Vec<Seen> {
    let mut walks = Vec::new();
    while !world.is_over() {
        let mut walk = Seen::by("pages down", Vec::new());
        walk.before.clone_from(&world.kept.lock().unwrap());
        let mut cursor = String::new();
        loop {
            let query = format!("take={}", 1 + dice.below(200));
            let page = page(world, &query, &cursor, &cursor);
            if items(&page).is_empty() {
                break;
            }
            walk.items.extend(items(&page).iter().cloned());
            text(&page, "cursor").clone_into(&mut cursor);
        }
        walks.push(walk);
    }
    walks
}

/// Whole streams down until it is over; one that broke off does not count.
fn stream_down(world: &World, _: Dice) -> Vec<Seen> {
    let mut walks = Vec::new();
    while !world.is_over() {
        let before = world.kept.lock().unwrap().clone();
        let (_, url) = world.now();
        let Ok(mut stream) = Ask::lines(&url, LIST).open() else {
            continue;
        };
        assert_eq!(stream.status, 200, "{}", stream.body());
        let mut walk = Seen::by("streams down", Vec::new());
        walk.before = before;
        while let Ok(Some(item)) = stream.item() {
            walk.items.push(item);
        }
        if stream.is_over() {
            let n_items = walk.items.len().to_string();
            assert_eq!(stream.header("x-convlog-count"), Some(n_items));
            walks.push(walk);
        }
    }
    walks
}
