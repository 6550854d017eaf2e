//! Seeded Watson-like records of about 2 kB: unique ids, dynamic keys, repeated context, and
//! conversations of several records.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Value, json};

/// Makes record `n` from the seed alone, so that any slice can be made again.
#[derive(Debug)]
pub(super) struct Generator {
    seed: u64,
    bot: &'static str,
    n_customers: u64,
    step_ms: u64,
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

/// 2026-01-01.
const START_MS: u64 = 1_767_225_600_000;
/// What the records of a run spread over, whatever its size.
const SPAN_MS: u64 = 30 * 86_400_000;
const RECORDS_OF_A_CUSTOMER: usize = 300;
const RECORDS_OF_A_CONVERSATION: usize = 5;
const N_USERS: u64 = 20_000;
/// Nodes of the bot's dialogue, and how many of a thousand keys of the node output map are none of
/// them: about 55,000 distinct paths in 65,536 records.
const N_NODES: u64 = 250;
const NEW_KEYS_OF_1000: u64 = 140;

impl Generator {
    /// Records `0..n_records` spread over 30 days and over customers with 300 records each; the
    /// numbers behind them go on in the same way.
    pub(super) fn new(seed: u64, bot: &'static str, n_records: usize) -> Self {
        Self {
            seed,
            bot,
            n_customers: n_records.div_ceil(RECORDS_OF_A_CUSTOMER).max(1) as u64,
            step_ms: (SPAN_MS / n_records.max(1) as u64).max(1),
        }
    }

    /// Customers are `customer-0` and so on.
    pub(super) fn n_customers(&self) -> usize {
        usize::try_from(self.n_customers).unwrap_or(usize::MAX)
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

    /// Record `n`.
    pub(super) fn record(&self, n: usize) -> Sample {
        let mut random = Random::new(self.seed, n as u64);
        let customer = format!("customer-{}", random.below(self.n_customers));
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

    fn log(&self, n: usize, random: &mut Random, text: &str) -> Value {
        let start_ms = START_MS + n as u64 * self.step_ms;
        let confidence = (random.below(1_000) as f64) / 1_000.0;
        let intent = random.pick(&INTENTS);
        let dialogue = self.dialogue(n);
        let context = self.context(random, &dialogue);
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
                "user_id": dialogue.user
            },
            "request_timestamp": timestamp(start_ms),
            "response_timestamp": timestamp(start_ms + 180 + random.below(400)),
            "workspace_id": self.bot,
            "language": "en"
        })
    }

    /// What the records of one conversation have in common; ten of them run side by side.
    fn dialogue(&self, n: usize) -> Dialogue {
        let round = RECORDS_OF_A_CONVERSATION * 10;
        let number = n / round * 10 + n % 10;
        let mut random = Random::new(!self.seed, number as u64);
        Dialogue {
            conversation: random.uuid(),
            user: format!("user-{}", random.below(N_USERS)),
            turn: n % round / 10 + 1,
        }
    }

    fn context(&self, random: &mut Random, dialogue: &Dialogue) -> Value {
        let mut outputs = serde_json::Map::new();
        for _ in 0..3 {
            let key = if random.below(1_000) < NEW_KEYS_OF_1000 {
                random.uuid()
            } else {
                Random::new(self.seed, u64::MAX - random.below(N_NODES)).uuid()
            };
            outputs.insert(key, json!([0, random.below(4)]));
        }
        json!({
            "conversation_id": dialogue.conversation,
            "metadata": {"deployment": "shop-prod", "user_id": dialogue.user},
            "system": {
                "assistant_id": "assistant-1",
                "dialog_stack": [{"dialog_node": "root"}],
                "dialog_turn_counter": dialogue.turn,
                "dialog_request_counter": dialogue.turn,
                "_node_output_map": outputs,
                "branch_exited": true,
                "branch_exited_reason": "completed",
                "last_branch_node": random.uuid()
            },
            "basket": {"id": random.uuid(), "offer": random.uuid(), "items": random.below(7),
                       "currency": "EUR"}
        })
    }
}

/// One conversation as seen from one of its records.
struct Dialogue {
    conversation: String,
    user: String,
    turn: usize,
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
    use std::collections::BTreeSet;

    use super::*;

    fn generator(seed: u64) -> Generator {
        Generator::new(seed, "b", 6_000)
    }

    /// Every leaf with its path.
    fn leaves(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    leaves(member, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
            leaf => found.push((path.to_owned(), leaf.to_string())),
        }
    }

    /// Quotes included.
    fn is_uuid(text: &str) -> bool {
        text.len() == 38
            && text
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || b"-\"".contains(&b))
    }

    #[test]
    fn the_same_seed_makes_the_same_records_of_about_two_kilobytes() {
        assert_eq!(generator(7).lines(0..50), generator(7).lines(0..50));
        assert_ne!(generator(7).lines(0..1), generator(8).lines(0..1));
        let average = generator(7).lines(0..200).len() / 200;
        assert!((1_800..2_300).contains(&average), "{average}");
    }

    #[test]
    fn records_have_unique_ids_and_dynamic_keys_as_the_study_had() {
        let n_records = 2_000;
        let mut found = Vec::new();
        for n in 0..n_records {
            leaves(&generator(7).record(n).log, "", &mut found);
        }
        // The study had 43; the repeated context makes the difference.
        assert_eq!(found.len() / n_records, 63);
        let paths: BTreeSet<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        let n_dynamic = paths
            .iter()
            .filter(|path| path.contains("output_map"))
            .count();
        // 0.84 a record, and the two paths of each node of the dialogue.
        let expected = n_records * 84 / 100 + 500;
        assert!(n_dynamic.abs_diff(expected) < expected / 10, "{n_dynamic}");
        let ids: BTreeSet<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
        let n_ids = ids.iter().filter(|id| is_uuid(id)).count();
        // Log, two nodes, last node, basket, offer; a fifth of a conversation.
        assert_eq!(n_ids, n_records * 6 + n_records / 5);
    }

    #[test]
    fn a_run_spreads_over_thirty_days_and_customers_of_three_hundred_records() {
        let last = generator(7).record(5_999).log;
        assert_eq!(last["request_timestamp"], "2026-01-30T23:52:48.000Z");
        let customers: BTreeSet<String> = (0..6_000)
            .map(|n| generator(7).record(n).customer)
            .collect();
        assert_eq!(customers.len(), 20);
    }

    #[test]
    fn a_conversation_has_five_records_of_one_user() {
        let of = |n: usize| {
            let log = generator(7).record(n).log;
            let context = &log["response"]["context"];
            let user = log["response"]["user_id"].clone();
            assert_eq!(context["metadata"]["user_id"], user);
            (context["conversation_id"].clone(), user)
        };
        assert!((0..50).step_by(10).all(|n| of(n) == of(0)));
        assert!(of(0) != of(1) && of(0) != of(50));
    }

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_767_225_600_000), "2026-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_709_208_000_123), "2024-02-29T12:00:00.123Z");
    }
}
