//! The bots of the sample, as the rules connector takes them.

use serde_json::{Value, json};

/// One bot.
#[derive(Debug)]
pub(crate) struct SampleBot {
    /// Its id.
    pub(crate) id: &'static str,
    /// Its name for people.
    pub(crate) name: &'static str,
    /// The language of its users.
    pub(crate) language: &'static str,
    /// Assistant that it belongs to.
    pub(super) assistant: &'static str,
    /// Where it runs: id, name and channel.
    pub(super) environment: (&'static str, &'static str, &'static str),
    /// Intents: name, examples, keywords, reply.
    pub(super) intents: &'static [Intent],
    /// Entities: name and values, each with synonyms.
    pub(super) entities: &'static [Entity],
    /// What it says when it has not understood.
    pub(super) anything_else: &'static str,
}

/// An entity: its name and its values.
type Entity = (&'static str, &'static [Named]);

/// A value of an entity and its synonyms.
type Named = (&'static str, &'static [&'static str]);

/// One thing that users want.
#[derive(Debug)]
pub(super) struct Intent {
    pub(super) name: &'static str,
    pub(super) examples: &'static [&'static str],
    pub(super) keywords: &'static [&'static str],
    pub(super) reply: &'static str,
}

impl SampleBot {
    /// Body of `PUT /convlog/v1/bots/{id}`.
    pub(crate) fn definition(&self) -> Value {
        let intents = self.intents.iter().map(|intent| {
            json!({
                "name": intent.name,
                "examples": intent.examples,
                "keywords": intent.keywords,
                "reply": intent.reply,
            })
        });
        let entities = self.entities.iter().map(|(name, values)| {
            let value = |(value, synonyms): &Named| json!({"value": value, "synonyms": synonyms});
            json!({"name": name, "values": values.iter().map(value).collect::<Vec<_>>()})
        });
        let (environment, name, channel) = self.environment;
        json!({
            "name": self.name,
            "language": self.language,
            "assistant": self.assistant,
            "environments": [{"id": environment, "name": name, "channel": channel}],
            "connector": {
                "kind": "rules",
                "intents": intents.collect::<Vec<_>>(),
                "entities": entities.collect::<Vec<_>>(),
                "anything_else": self.anything_else,
                "threshold": 0.3,
            },
        })
    }
}

const fn intent(
    name: &'static str,
    examples: &'static [&'static str],
    keywords: &'static [&'static str],
    reply: &'static str,
) -> Intent {
    Intent {
        name,
        examples,
        keywords,
        reply,
    }
}

/// All bots.
pub(crate) static BOTS: [SampleBot; 3] = [COFFEE, BANK, LIBRARY];

const COFFEE: SampleBot = SampleBot {
    id: "coffee-shop",
    name: "Bean There, orders",
    language: "en",
    assistant: "assistant-coffee",
    environment: ("coffee-live", "live", "Web chat"),
    intents: &[
        intent(
            "greeting",
            &["hello", "hi there", "good morning"],
            &["hello", "hi"],
            "Hello! I take orders and answer questions about them. What would you like?",
        ),
        intent(
            "place_order",
            &[
                "two coffees please",
                "I would like a latte",
                "can I order a flat white",
            ],
            &["order"],
            "Coming up. Shall I add a pastry for 2.50?",
        ),
        intent(
            "opening_hours",
            &[
                "when are you open",
                "opening hours on Sunday",
                "are you open tomorrow",
            ],
            &["open", "hours"],
            "We are open from 7 to 19 on weekdays and from 9 to 17 at weekends.",
        ),
        intent(
            "order_status",
            &["where is my order", "how long will my coffee take"],
            &["where", "long"],
            "Your order is being made; it will be ready in about five minutes.",
        ),
        intent(
            "complaint",
            &[
                "my coffee was cold",
                "the order was wrong",
                "I want a refund",
            ],
            &["refund", "cold", "wrong"],
            "I am sorry about that. I have noted it, and you will get your money back.",
        ),
        intent(
            "human",
            &["I want to talk to a person", "can I speak to somebody"],
            &["human", "person", "somebody"],
            "I will hand you over to a colleague.",
        ),
        intent(
            "thanks",
            &["thank you", "thanks a lot"],
            &["thanks"],
            "You are welcome!",
        ),
    ],
    entities: &[
        (
            "beverage",
            &[
                ("coffee", &["coffees", "espresso"]),
                ("latte", &["lattes"]),
                ("flat white", &["flat whites"]),
                ("tea", &["teas"]),
            ],
        ),
        ("size", &[("small", &[]), ("large", &["big"])]),
    ],
    anything_else: "I did not get that. I can take an order or tell you when we are open.",
};

const BANK: SampleBot = SampleBot {
    id: "bank-help",
    name: "Harbour Bank, help desk",
    language: "en",
    assistant: "assistant-bank",
    environment: ("bank-live", "live", "Mobile app"),
    intents: &[
        intent(
            "greeting",
            &["hello", "good afternoon"],
            &["hello"],
            "Welcome to Harbour Bank. How can I help?",
        ),
        intent(
            "card_lost",
            &[
                "I lost my card",
                "my card was stolen",
                "please block my card",
            ],
            &["lost", "stolen", "block"],
            "Your card is blocked now. A new one will be with you within five working days.",
        ),
        intent(
            "balance",
            &["what is my balance", "how much money do I have"],
            &["balance"],
            "For your balance please sign in to the app; I cannot show it here.",
        ),
        intent(
            "transfer",
            &[
                "I want to transfer money abroad",
                "what does a transfer cost",
            ],
            &["transfer"],
            "Transfers within the country are free, others cost 4.90. They take one working day.",
        ),
        intent(
            "human",
            &["let me talk to an adviser", "I want a person"],
            &["adviser", "person", "human"],
            "One moment, an adviser will join this conversation.",
        ),
        intent("thanks", &["thank you"], &["thanks"], "Happy to help."),
    ],
    entities: &[(
        "card_type",
        &[("credit card", &["visa"]), ("debit card", &["bank card"])],
    )],
    anything_else: "I am not sure that I understood. Is it about a card, a transfer or your \
                    balance?",
};

const LIBRARY: SampleBot = SampleBot {
    id: "stadtbibliothek",
    name: "Stadtbibliothek, Auskunft",
    language: "de",
    assistant: "assistant-bibliothek",
    environment: ("bibliothek-live", "live", "Web chat"),
    intents: &[
        intent(
            "begruessung",
            &["hallo", "guten Tag"],
            &["hallo"],
            "Guten Tag! Ich helfe bei Ausleihen, Gebühren und Öffnungszeiten.",
        ),
        intent(
            "verlaengern",
            &[
                "ich möchte mein Buch verlängern",
                "kann ich die Ausleihe verlängern",
            ],
            &["verlängern"],
            "Gern. Die neue Frist endet in vier Wochen.",
        ),
        intent(
            "oeffnungszeiten",
            &["wann haben Sie geöffnet", "sind Sie am Samstag offen"],
            &["geöffnet", "offen"],
            "Wir sind Dienstag bis Samstag von 10 bis 19 Uhr für Sie da.",
        ),
        intent(
            "gebuehren",
            &["was kostet eine Mahnung", "wie hoch sind die Gebühren"],
            &["kostet", "Gebühren"],
            "Eine Mahnung kostet 1,50 €, ein Jahresausweis 20 €.",
        ),
        intent(
            "mensch",
            &[
                "ich möchte mit einem Menschen sprechen",
                "verbinden Sie mich bitte",
            ],
            &["Menschen", "verbinden"],
            "Ich verbinde Sie mit einer Kollegin.",
        ),
        intent("dank", &["danke", "vielen Dank"], &["danke"], "Sehr gern!"),
    ],
    entities: &[(
        "medium",
        &[("Buch", &["Bücher", "Roman"]), ("Film", &["DVD"])],
    )],
    anything_else: "Das habe ich nicht verstanden. Geht es um eine Ausleihe, Gebühren oder \
                    Öffnungszeiten?",
};
