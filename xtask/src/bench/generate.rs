//! Seeded Watson-like records of about 2 kB: unique ids, dynamic keys, repeated context.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Value, json};

/// Makes record `n` from the seed alone, so that any slice can be made again.
#[derive(Debug)]
pub(super) struct Generator {
    seed: u64,
    bot: &'static str,
}

/// One record and what the queries look for in it.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) log: Value,
    pub(super) log_id: String,
    pub(super) customer: String,
    pub(super) rare_word: String,
}

const NOUNS: [&str; 12] = [
    "coffee", "soda", "pizza", "tea", "cake", "order", "receipt", "table", "delivery", "refund",
    "voucher", "menu",
];
const OPENINGS: [&str; 8] = [
    "I want a large",
    "please bring two",
    "where is my",
    "can I change the",
    "how much is one",
    "cancel the last",
    "I never got the",
    "add another",
];
const INTENTS: [&str; 10] = [
    "place_order",
    "cancel_order",
    "hours",
    "refund",
    "complaint",
    "greeting",
    "goodbye",
    "prices",
    "delivery_status",
    "connect_to_agent",
];

impl Generator {
    pub(super) fn new(seed: u64, bot: &'static str) -> Self {
        Self { seed, bot }
    }

    /// The records of a range as NDJSON.
    pub(super) fn lines(&self, range: Range<usize>) -> String {
        let mut text = String::new();
        for n in range {
            // Writing to a string cannot fail.
            let _ignored = writeln!(text, "{}", self.record(n).log);
        }
        text
    }

    /// Bytes of the records of a range, line ends included.
    pub(super) fn bytes(&self, range: Range<usize>) -> u64 {
        range
            .map(|n| self.record(n).log.to_string().len() as u64 + 1)
            .sum()
    }

    /// Record `n`.
    pub(super) fn record(&self, n: usize) -> Sample {
        let mut random = Random::new(self.seed, n as u64);
        let customer = format!("customer-{}", random.below(self.customers(n)));
        let rare_word = format!("ref{:x}", random.next() & 0xFFFF_FFFF);
        let text = format!(
            "{} {} {} {rare_word}",
            random.pick(&OPENINGS),
            random.pick(&NOUNS),
            random.pick(&NOUNS)
        );
        let log_id = random.uuid();
        let mut log = self.log(n, &mut random, &text);
        log["log_id"] = json!(log_id);
        log["customer_id"] = json!(customer);
        Sample {
            log,
            log_id,
            customer,
            rare_word,
        }
    }

    /// About 300 records a customer, whatever the size of the run.
    fn customers(&self, _n: usize) -> u64 {
        3_000
    }

    fn log(&self, n: usize, random: &mut Random, text: &str) -> Value {
        let start_us = 1_767_225_600_000_u64 + n as u64 * 1_300;
        let confidence = (random.below(1_000) as f64) / 1_000.0;
        let intent = random.pick(&INTENTS);
        let conversation = random.uuid();
        let context = self.context(n, random, &conversation);
        json!({
            "request": {"input": {"text": text}, "context": context, "alternate_intents": true},
            "response": {
                "input": {"text": text},
                "intents": [
                    {"intent": intent, "confidence": confidence},
                    {"intent": random.pick(&INTENTS), "confidence": confidence / 3.0}
                ],
                "entities": [{"entity": "product", "value": random.pick(&NOUNS),
                              "location": [7, 13], "confidence": 1}],
                "output": {
                    "text": [format!("Your {} is on its way.", random.pick(&NOUNS))],
                    "generic": [{"response_type": "text", "text": "It is on its way."}],
                    "nodes_visited": [random.uuid(), random.uuid()],
                    "log_messages": []
                },
                "context": context,
                "user_id": format!("user-{}", random.below(20_000))
            },
            "request_timestamp": timestamp(start_us),
            "response_timestamp": timestamp(start_us + 180 + random.below(400)),
            "workspace_id": self.bot,
            "language": "en"
        })
    }

    fn context(&self, n: usize, random: &mut Random, conversation: &str) -> Value {
        let mut outputs = serde_json::Map::new();
        for _ in 0..3 {
            outputs.insert(random.uuid(), json!([0, random.below(4)]));
        }
        json!({
            "conversation_id": conversation,
            "metadata": {"deployment": "shop-prod", "user_id": format!("user-{}", n % 20_000)},
            "system": {
                "assistant_id": "assistant-1",
                "dialog_stack": [{"dialog_node": "root"}],
                "dialog_turn_counter": 1 + random.below(9),
                "dialog_request_counter": 1 + random.below(9),
                "_node_output_map": outputs,
                "branch_exited": true,
                "branch_exited_reason": "completed",
                "last_branch_node": random.uuid()
            },
            "basket": {"id": random.uuid(), "items": random.below(7), "currency": "EUR"}
        })
    }
}

/// SplitMix64: small, seeded, the same on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64, n: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n);
        random.0 = random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        let index = self.below(words.len() as u64);
        usize::try_from(index)
            .ok()
            .and_then(|i| words.get(i))
            .copied()
            .unwrap_or_default()
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFF,
            low >> 52,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// Milliseconds since the epoch as Watson writes them (days by the civil calendar).
fn timestamp(millis: u64) -> String {
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1_000 % 60,
        rest % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_records_of_about_two_kilobytes() {
        let (one, two) = (Generator::new(7, "b"), Generator::new(7, "b"));
        assert_eq!(one.lines(0..50), two.lines(0..50));
        assert_ne!(one.lines(0..1), Generator::new(8, "b").lines(0..1));
        let average = one.bytes(0..200) / 200;
        assert!((1_600..2_600).contains(&average), "{average}");
    }

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_767_225_600_000), "2026-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_709_208_000_123), "2024-02-29T12:00:00.123Z");
    }
}
