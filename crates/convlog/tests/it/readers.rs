//! Eight readers at full speed while a thousand customers are erased: no error, nothing erased
//! after its 202, nothing of anybody else missing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::harness::{Client, Start, all_erased, is_slow_wanted, log, say, scratch};

const CUSTOMERS: u64 = 1_000;
const LOGS_A_CUSTOMER: u64 = 3;
/// Customers who stay, each with one log beside those of every erased one.
const STAYING: u64 = 40;
const READERS: u64 = 8;
const ERASERS: u64 = 16;

/// Which customers' erasures have been answered.
type Erased = Arc<Vec<AtomicBool>>;

#[test]
fn slow_eight_readers_while_a_thousand_customers_are_erased() {
    if !is_slow_wanted() {
        return;
    }
    let dir = scratch();
    let server = Start::on(dir.path())
        .env("CONVLOG_LIMITS_EXPORTS_AT_ONCE", "16")
        .server();
    for first in (0..CUSTOMERS).step_by(100) {
        let lines: Vec<String> = (first..first + 100).flat_map(lines_of).collect();
        server.load("watson-v1", &lines);
    }
    let n_all = CUSTOMERS * (LOGS_A_CUSTOMER + 1);
    assert_eq!(server.turns().len() as u64, n_all);
    let erased: Erased = Arc::new((0..CUSTOMERS).map(|_| AtomicBool::new(false)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let (client, erased, is_over) =
                (server.client(), Arc::clone(&erased), Arc::clone(&is_over));
            std::thread::spawn(move || read(&client, reader, &erased, &is_over))
        })
        .collect();
    let next = Arc::new(AtomicU64::new(0));
    let erasers: Vec<_> = (0..ERASERS)
        .map(|_| {
            let (client, erased, next) = (server.client(), Arc::clone(&erased), Arc::clone(&next));
            std::thread::spawn(move || erase(&client, &next, &erased))
        })
        .collect();
    for eraser in erasers {
        eraser.join().unwrap();
    }
    all_erased(&server);
    is_over.store(true, Ordering::Release);
    let n_reads: u64 = readers.into_iter().map(|it| it.join().unwrap()).sum();
    let left = server.turns();
    assert_eq!(left.len() as u64, CUSTOMERS, "what was not erased is left");
    assert!(left.iter().all(|turn| erased_number(turn).is_none()));
    assert!(n_reads >= READERS * 10, "there were few reads: {n_reads}");
    say(&format!(
        "{n_reads} reads while {CUSTOMERS} customers were erased"
    ));
}

/// The logs of a customer who will be erased, with one of another between them.
fn lines_of(number: u64) -> Vec<String> {
    let bot = format!("bot-{}", number % 10);
    let mut lines = Vec::new();
    for n in 0..=LOGS_A_CUSTOMER {
        let mut log = log(&bot, number * 10 + n, &format!("text {number} {n}"));
        log["customer_id"] = match n {
            1 => format!("stays-{}", number % STAYING),
            _ => format!("goes-{number}"),
        }
        .into();
        lines.push(log.to_string());
    }
    lines
}

/// The number of the customer of a record, when it is one who is erased.
fn erased_number(record: &Value) -> Option<usize> {
    let customer = record["customer"].as_str().unwrap();
    customer.strip_prefix("goes-")?.parse().ok()
}

fn erase(client: &Client, next: &AtomicU64, erased: &Erased) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= CUSTOMERS {
            return;
        }
        let body = json!({"customer_id": format!("goes-{number}")}).to_string();
        let answer = client.request("POST", "/convlog/v1/erasures", &body);
        let (status, text) = answer.unwrap();
        assert_eq!(status, 202, "{text}");
        erased[number as usize].store(true, Ordering::Release);
    }
}

/// Reads until it is over, in every way that there is, and returns how often.
fn read(client: &Client, reader: u64, erased: &Erased, is_over: &AtomicBool) -> u64 {
    let mut n_reads = 0;
    while !is_over.load(Ordering::Acquire) {
        let turn = n_reads + reader;
        // Known before the question, so the answer must not show them.
        let gone: BTreeSet<usize> = (0..erased.len())
            .filter(|number| erased[*number].load(Ordering::Acquire))
            .collect();
        let check = |records: &[Value]| {
            for record in records {
                let number = erased_number(record);
                let is_gone = number.is_some_and(|number| gone.contains(&number));
                assert!(!is_gone, "erased and shown: {record}");
            }
            let stays = records.iter().filter(|it| erased_number(it).is_none());
            stays.count() as u64
        };
        match turn % 5 {
            0 => {
                let customer = turn % STAYING;
                let filter = format!("customer::stays-{customer}");
                let records = pages(client, &filter, 7);
                let n_expected = CUSTOMERS / STAYING;
                assert_eq!(check(&records), n_expected, "{filter}");
            }
            1 => {
                let number = turn * 7 % CUSTOMERS;
                let records = pages(client, &format!("customer::goes-{number}"), 2);
                check(&records);
                let n_stored = LOGS_A_CUSTOMER as usize;
                assert!([0, n_stored].contains(&records.len()) || records.len() < n_stored);
            }
            2 => {
                let records = pages(client, "input.text:text", 1000);
                assert_eq!(check(&records), CUSTOMERS, "the records of those who stay");
            }
            3 => {
                let (status, text) = client.request("GET", "/convlog/v1/export", "").unwrap();
                assert_eq!(status, 200, "{text}");
                let records: Vec<Value> = text
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .filter(|record: &Value| record["kind"] == "turn")
                    .collect();
                assert_eq!(check(&records), CUSTOMERS, "the records of those who stay");
            }
            _ => {
                let body = json!({"filter": "customer::stays*", "metrics": ["count"]});
                let answer = client.request("POST", "/convlog/v1/aggregate", &body.to_string());
                let (status, text) = answer.unwrap();
                assert_eq!(status, 200, "{text}");
                let answer: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(answer["rows"][0]["count"], CUSTOMERS, "{answer}");
            }
        }
        n_reads += 1;
    }
    n_reads
}

/// All records that a filter finds, by pages.
fn pages(client: &Client, filter: &str, limit: u64) -> Vec<Value> {
    let mut records = Vec::new();
    let mut cursor = String::new();
    loop {
        let list = client.get(&format!(
            "/convlog/v1/records?filter={filter}&limit={limit}{cursor}"
        ));
        records.extend(list["records"].as_array().unwrap().iter().cloned());
        match list["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return records,
        }
    }
}
