//! Conversations of the sample as log objects, v1 and v2, in the order in which they happened.

mod shape;

use convlog_model::time::{DAY_US, Timestamp};

use self::shape::{v1, v2};
use super::bots::{BOTS, SampleBot};
use super::scripts::{End, FILLINGS, SCRIPTS, Say, Script};
use crate::ids;

const N_CONVERSATIONS: u64 = 120;
const N_DAYS: i64 = 14;
/// Who writes in; some do so more than once, with several bots.
const CUSTOMERS: [&str; 24] = [
    "anna.lind",
    "b.okafor",
    "carla.m",
    "d.nguyen",
    "emil.k",
    "fatima.z",
    "greta.h",
    "h.suzuki",
    "ines.p",
    "jonas.b",
    "k.adeyemi",
    "lena.v",
    "m.rossi",
    "nadia.s",
    "oskar.w",
    "p.dubois",
    "q.tran",
    "rosa.g",
    "s.kumar",
    "theo.f",
    "uma.d",
    "viktor.n",
    "wanda.j",
    "y.chen",
];

/// The log objects of the sample.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Lines of `dialect=watson-v1`.
    pub(crate) v1: Vec<String>,
    /// Lines of `dialect=watson-v2`.
    pub(crate) v2: Vec<String>,
    /// Number of conversations.
    pub(crate) n_conversations: u64,
}

/// What is the same in all turns of a conversation.
struct Conversation<'a> {
    bot: &'a SampleBot,
    id: String,
    user: &'a str,
    customer: Option<&'a str>,
    fillings: Vec<(&'a str, &'a str)>,
}

/// One turn, before it takes the form of a dialect.
struct Turn<'a> {
    number: u64,
    say: &'a Say,
    text: String,
    reply: String,
    confidence: f64,
    entities: Vec<(&'a str, &'a str, usize, usize)>,
    request: Timestamp,
    response: Timestamp,
    id: String,
}

/// The sample that ends at `now`.
pub(crate) fn sample(now: Timestamp) -> Sample {
    let mut sample = Sample {
        v1: Vec::new(),
        v2: Vec::new(),
        n_conversations: N_CONVERSATIONS,
    };
    let mut starts: Vec<(Timestamp, u64)> = (0..N_CONVERSATIONS)
        .map(|number| (start(now, number), number))
        .collect();
    starts.sort();
    for (start, number) in starts {
        let mut random = Random::of(number);
        let script = pick_script(&mut random);
        let Some(bot) = BOTS.iter().find(|bot| bot.id == script.bot) else {
            continue;
        };
        let conversation = conversation(bot, number, &mut random);
        let turns = turns(&conversation, script, start, &mut random);
        for turn in &turns {
            // The bank uses the newer API.
            match bot.id {
                "bank-help" => sample.v2.push(v2(&conversation, turn).to_string()),
                _ => sample.v1.push(v1(&conversation, turn).to_string()),
            }
        }
    }
    sample
}

/// Within opening hours of the last two weeks; the last few within the hour before `now`.
fn start(now: Timestamp, number: u64) -> Timestamp {
    let mut random = Random::of(number ^ 0xABCD);
    if number < 4 {
        let minutes = i64::try_from(10 + random.below(45)).unwrap_or_default();
        return now.plus_micros(-minutes * 60_000_000);
    }
    let days = 1 + i64::try_from(random.below(13)).unwrap_or_default();
    let midnight = now.micros().div_euclid(DAY_US) * DAY_US - days.min(N_DAYS) * DAY_US;
    let second = i64::try_from(7 * 3600 + random.below(13 * 3600)).unwrap_or_default();
    let milli = i64::try_from(random.below(1000)).unwrap_or_default();
    Timestamp::from_micros(midnight + second * 1_000_000 + milli * 1000)
}

fn pick_script(random: &mut Random) -> &'static Script {
    let total: u64 = SCRIPTS.iter().map(|script| script.weight).sum();
    let mut at = random.below(total);
    for script in SCRIPTS {
        if at < script.weight {
            return script;
        }
        at -= script.weight;
    }
    &SCRIPTS[0]
}

fn conversation<'a>(bot: &'a SampleBot, number: u64, random: &mut Random) -> Conversation<'a> {
    // The first ones write in often.
    let at = random.below(24).min(random.below(24));
    let user = CUSTOMERS[usize::try_from(at).unwrap_or_default() % CUSTOMERS.len()];
    let fillings = FILLINGS
        .iter()
        .map(|(name, values)| (*name, random.pick(values)));
    Conversation {
        bot,
        id: ids::derived("demo conversation", &[bot.id, &number.to_string()]),
        user,
        fillings: fillings.collect(),
        // Not everybody is signed in.
        customer: (random.below(5) > 0).then_some(user),
    }
}

fn turns<'a>(
    conversation: &Conversation<'a>,
    script: &'a Script,
    start: Timestamp,
    random: &mut Random,
) -> Vec<Turn<'a>> {
    let mut request = start;
    let mut turns = Vec::new();
    for (number, say) in (1..).zip(script.says) {
        let text = fill(random.pick(say.user), &conversation.fillings);
        let micros = |from: u64, more: u64, random: &mut Random| {
            i64::try_from((from + random.below(more)) * 1000).unwrap_or_default()
        };
        let response = request.plus_micros(micros(90, 600, random));
        turns.push(Turn {
            number,
            reply: reply(conversation, say),
            confidence: confidence(say, random),
            entities: entities(conversation.bot, &text),
            request,
            response,
            id: ids::derived("demo log", &[&conversation.id, &number.to_string()]),
            say,
            text,
        });
        request = response.plus_micros(micros(4_000, 55_000, random));
    }
    turns
}

fn reply(conversation: &Conversation<'_>, say: &Say) -> String {
    if say.end == End::Failed {
        return String::new();
    }
    if !say.reply.is_empty() {
        return fill(say.reply, &conversation.fillings);
    }
    let intents = conversation.bot.intents;
    let found = intents.iter().find(|intent| intent.name == say.intent);
    found
        .map_or(conversation.bot.anything_else, |intent| intent.reply)
        .to_owned()
}

/// Two digits, as people read them.
fn confidence(say: &Say, random: &mut Random) -> f64 {
    let percent = match say.user.len() {
        1 => 60,
        _ => 58 + random.below(41),
    };
    percent as f64 / 100.0
}

fn fill(text: &str, fillings: &[(&str, &str)]) -> String {
    let mut filled = text.to_owned();
    for (name, value) in fillings {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}

/// Values of entities that stand in the text, with their place in characters.
fn entities<'a>(bot: &'a SampleBot, text: &str) -> Vec<(&'a str, &'a str, usize, usize)> {
    let mut found = Vec::new();
    let lower = text.to_lowercase();
    for (entity, values) in bot.entities {
        for (value, synonyms) in *values {
            let spellings = [*value].into_iter().chain(synonyms.iter().copied());
            for spelling in spellings {
                let Some((before, _)) = lower.split_once(&spelling.to_lowercase()) else {
                    continue;
                };
                let from = before.chars().count();
                found.push((*entity, *value, from, from + spelling.chars().count()));
                break;
            }
        }
    }
    found
}

/// A small generator (SplitMix64): the same numbers for the same seed, on every machine.
struct Random(u64);

impl Random {
    fn of(seed: u64) -> Self {
        let mut random = Random(seed);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick<'a>(&mut self, values: &[&'a str]) -> &'a str {
        let n_values = u64::try_from(values.len()).unwrap_or_default();
        let at = usize::try_from(self.below(n_values)).unwrap_or_default();
        values.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
