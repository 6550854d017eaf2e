//! kill -9 while erasures and writes are under way, again and again on one directory: each erasure
//! that was answered is finished after the restart, in every byte, and takes nothing else with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::harness::{
    Client, Server, Start, all_erased, eventually, found_in, found_of, is_slow_wanted, log,
    n_rounds, newest_log, payload_with, say, scratch,
};

/// Unless `CONVLOG_SOAK_ROUNDS` says otherwise.
const N_ROUNDS: u64 = 18;
/// Erasures of several rounds wait for the restart at times.
const ROUNDS_A_CHECK: u64 = 3;
const CUSTOMERS_A_ROUND: u64 = 8;

/// A customer with records of its own between those of others.
#[derive(Clone, Debug)]
struct Customer {
    id: String,
    /// A block with all of them, as it stood in the log.
    payload: Vec<u8>,
}

/// What must be found and what must not.
#[derive(Debug, Default)]
struct Ledger {
    stays: BTreeSet<String>,
    /// Sent when the server died: there or not.
    unknown: BTreeSet<String>,
    erased: Vec<Customer>,
}

#[test]
fn slow_kill_nine_in_the_middle_of_erasures() {
    if !is_slow_wanted() {
        return;
    }
    let n_rounds = n_rounds(N_ROUNDS);
    let dir = scratch();
    let data = dir.path().join("data");
    let mut ledger = Ledger::default();
    for round in 0..n_rounds {
        let server = Start::on(dir.path()).server();
        if round % ROUNDS_A_CHECK == 0 {
            check(&server, &data, &mut ledger);
        }
        let customers: Vec<Customer> = (0..CUSTOMERS_A_ROUND)
            .map(|number| fill_block(&server, &data, &format!("{round}-{number}"), &mut ledger))
            .collect();
        erase_and_kill(server, round, customers, &mut ledger);
    }
    let server = Start::on(dir.path()).server();
    check(&server, &data, &mut ledger);
    server.stop();
    assert_gone(&data, &ledger);
    let server = Start::on(dir.path()).server();
    check(&server, &data, &mut ledger);
    let (n_erased, n_stay) = (ledger.erased.len(), ledger.stays.len());
    assert!(n_erased as u64 >= n_rounds, "few erasures: {n_erased}");
    say(&format!(
        "{n_rounds} kills: {n_erased} customers gone from every file, {n_stay} records stay"
    ));
}

fn marker(customer: &str) -> String {
    format!("qZ7mark{customer}end")
}

/// Records of a customer with one of somebody else between them, in one append and so in one block.
fn fill_block(server: &Server, data: &Path, name: &str, ledger: &mut Ledger) -> Customer {
    let id = format!("customer-{}", marker(name));
    let bot = format!("bot-{name}");
    let of_customer = |number: u64| {
        let mut log = log(&bot, number, &format!("said {}", marker(name)));
        log["customer_id"] = id.as_str().into();
        log["response"]["context"][marker(name)] = number.into();
        log.to_string()
    };
    let neighbour = format!("neighbour {name}");
    let lines = [
        of_customer(1),
        log(&bot, 2, &neighbour).to_string(),
        of_customer(3),
    ];
    server.load("watson-v1", &lines);
    ledger.stays.insert(neighbour);
    let (_, newest) = newest_log(data).unwrap();
    let payload = payload_with(&newest, &id);
    assert_eq!(found_in(data, &payload).len(), 1, "{name}");
    Customer { id, payload }
}

/// Erases one customer after the other while others write, and kills the server.
fn erase_and_kill(server: Server, round: u64, customers: Vec<Customer>, ledger: &mut Ledger) {
    let n_answers = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2)
        .map(|thread| {
            let client = server.client();
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || write(&client, &format!("{round}-{thread}"), &is_over))
        })
        .collect();
    let eraser = {
        let client = server.client();
        let n_answers = Arc::clone(&n_answers);
        std::thread::spawn(move || erase(&client, customers, &n_answers))
    };
    // Just after the first 202, after any of them, or when the first has reached the files.
    let n_wanted = 1 + round * 5 % CUSTOMERS_A_ROUND;
    eventually(|| (n_answers.load(Ordering::Acquire) >= n_wanted).then_some(()));
    if round % 3 == 2 {
        let client = server.client();
        eventually(|| {
            let list = client.get("/convlog/v1/erasures?limit=1000");
            let erasures = list["erasures"].as_array().unwrap().clone();
            let n_done = erasures.iter().filter(|it| it["state"] == "done").count();
            (n_done > ledger.erased.len()).then_some(())
        });
    }
    server.kill();
    is_over.store(true, Ordering::Release);
    ledger.erased.extend(eraser.join().unwrap());
    for writer in writers {
        let (acknowledged, unknown) = writer.join().unwrap();
        ledger.stays.extend(acknowledged);
        ledger.unknown.extend(unknown);
    }
}

/// Customers whose erasure was answered. One that was not may be erased or not, and is asked for
/// no more.
fn erase(client: &Client, customers: Vec<Customer>, n_answers: &AtomicU64) -> Vec<Customer> {
    let mut erased = Vec::new();
    for customer in customers {
        let body = json!({"customer_id": customer.id}).to_string();
        match client.request("POST", "/convlog/v1/erasures", &body) {
            Ok((status, text)) => {
                assert_eq!(status, 202, "{text}");
                let answer: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(answer["records"], 2, "{text}");
                erased.push(customer);
                n_answers.fetch_add(1, Ordering::Release);
            }
            Err(_) => break,
        }
    }
    erased
}

/// Writes until the server is gone: what was acknowledged, and what was on its way.
fn write(client: &Client, name: &str, is_over: &AtomicBool) -> (Vec<String>, Vec<String>) {
    let mut acknowledged = Vec::new();
    for batch in 0.. {
        let texts: Vec<String> = (0..6)
            .map(|n| format!("written {name} {batch} {n}"))
            .collect();
        let bot = format!("writer-{name}-{batch}");
        let numbered = (0..).zip(&texts);
        let lines: Vec<String> = numbered
            .map(|(number, text)| log(&bot, number, text).to_string())
            .collect();
        let path = "/convlog/v1/records?dialect=watson-v1";
        match client.request("POST", path, &lines.join("\n")) {
            Ok((status, text)) => assert_eq!(status, 200, "{text}"),
            Err(_) => return (acknowledged, texts),
        }
        acknowledged.extend(texts);
        if is_over.load(Ordering::Acquire) {
            break;
        }
    }
    (acknowledged, Vec::new())
}

/// Everything that was not erased is shown once, and nothing else is.
fn check(server: &Server, data: &Path, ledger: &mut Ledger) {
    all_erased(server);
    assert_gone(data, ledger);
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let erased: BTreeSet<&str> = ledger.erased.iter().map(|it| it.id.as_str()).collect();
    for turn in server.turns() {
        let customer = turn["customer"].as_str().unwrap_or_default();
        assert!(!erased.contains(customer), "erased and shown: {turn}");
        if customer.is_empty() {
            let text = turn["input"]["text"].as_str().unwrap().to_owned();
            *found.entry(text).or_default() += 1;
        }
    }
    for text in std::mem::take(&mut ledger.unknown) {
        if found.contains_key(&text) {
            ledger.stays.insert(text);
        }
    }
    let stays: BTreeMap<String, u64> = ledger.stays.iter().map(|it| (it.clone(), 1)).collect();
    assert!(found == stays, "{:?}", difference(&found, &stays));
    for customer in ledger.erased.iter().rev().take(3) {
        let filter = format!("customer::\"{}\"", customer.id);
        let list = server.cli(["query", &filter, "--json"]).ok();
        assert!(!list.stdout.contains("qZ7mark"), "{list:?}");
    }
}

fn difference(found: &BTreeMap<String, u64>, stays: &BTreeMap<String, u64>) -> Vec<String> {
    let lost = stays.keys().filter(|it| !found.contains_key(*it));
    let wrong = found.iter().filter(|(text, n)| stays.get(*text) != Some(n));
    lost.map(|it| format!("lost {it}"))
        .chain(wrong.map(|(text, n)| format!("{n} times {text}")))
        .collect()
}

fn assert_gone(data: &Path, ledger: &Ledger) {
    let all = &ledger.erased;
    let payloads = all.iter().map(|customer| customer.payload.as_slice());
    let markers = all.iter().map(|customer| customer.id.as_bytes());
    let parts: Vec<&[u8]> = payloads.chain(markers).collect();
    let found = found_of(data, &parts);
    let who = |(name, number): &(String, usize)| {
        format!(
            "a block or the name of {} is in {name}",
            all[number % all.len()].id
        )
    };
    let found: Vec<String> = found.iter().map(who).collect();
    assert_eq!(found, [""; 0]);
}
