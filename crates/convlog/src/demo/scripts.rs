//! What people say to the bots of the sample. `{…}` is filled once a conversation.

/// One turn of a script.
#[derive(Debug)]
pub(super) struct Say {
    /// Ways to say it.
    pub(super) user: &'static [&'static str],
    /// The intent that the bot sees; empty when it understands nothing.
    pub(super) intent: &'static str,
    /// What the bot says instead of its usual reply; empty for that.
    pub(super) reply: &'static str,
    /// How the turn ends.
    pub(super) end: End,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The conversation goes on.
    Open,
    /// The user has what was wanted.
    Completed,
    /// A person takes over.
    Escalated,
    /// The bot's own back end fails.
    Failed,
}

/// A conversation with the bot of that id; those of greater weight are more frequent.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) bot: &'static str,
    pub(super) weight: u64,
    pub(super) says: &'static [Say],
}

const fn say(user: &'static [&'static str], intent: &'static str, reply: &'static str) -> Say {
    Say {
        user,
        intent,
        reply,
        end: End::Open,
    }
}

const fn last(user: &'static [&'static str], intent: &'static str, end: End) -> Say {
    Say {
        user,
        intent,
        reply: "",
        end,
    }
}

/// Values for `{NAME}`.
pub(super) const FILLINGS: &[(&str, &[&str])] = &[
    ("drink", &["latte", "flat white", "coffee", "tea"]),
    ("size", &["small", "large"]),
    ("number", &["48112", "48307", "48455", "48980", "49023"]),
    ("day", &["Sunday", "Saturday", "tomorrow", "Monday morning"]),
    ("card", &["credit card", "debit card"]),
    ("country", &["Norway", "Portugal", "Canada", "Japan"]),
    (
        "titel",
        &[
            "Der Zauberberg",
            "Die Vermessung der Welt",
            "Momo",
            "Effi Briest",
        ],
    ),
    ("tag", &["Samstag", "Montag", "Sonntag", "morgen"]),
];

pub(super) const SCRIPTS: &[Script] = &[
    Script {
        bot: "coffee-shop",
        weight: 6,
        says: &[
            say(&["hi there", "hello!", "good morning"], "greeting", ""),
            say(
                &[
                    "a {size} {drink} please",
                    "can I get a {drink}, {size}",
                    "one {size} {drink} to go",
                ],
                "place_order",
                "One {size} {drink}, coming up. Shall I add a pastry for 2.50?",
            ),
            say(
                &["no thanks", "not today", "yes please"],
                "confirm",
                "Thank you. Your number is {number}.",
            ),
            last(&["thanks a lot", "great, thanks"], "thanks", End::Completed),
        ],
    },
    Script {
        bot: "coffee-shop",
        weight: 3,
        says: &[
            say(
                &["are you open on {day}?", "opening hours {day}"],
                "opening_hours",
                "",
            ),
            last(&["thank you", "ok thanks"], "thanks", End::Completed),
        ],
    },
    Script {
        bot: "coffee-shop",
        weight: 3,
        says: &[
            say(
                &["where is my order {number}?", "still waiting for {number}"],
                "order_status",
                "Order {number} is being made; it will be ready in about five minutes.",
            ),
            say(
                &[
                    "you said five minutes ten minutes ago",
                    "that was a quarter of an hour ago!!",
                ],
                "",
                "",
            ),
            say(
                &["my {drink} is cold now", "and it was the wrong one"],
                "complaint",
                "",
            ),
            last(
                &["let me talk to somebody", "I want a person"],
                "human",
                End::Escalated,
            ),
        ],
    },
    Script {
        bot: "coffee-shop",
        weight: 2,
        says: &[
            say(
                &["do you have oat milk", "is there anything gluten free?"],
                "",
                "",
            ),
            say(&["milk made of oats", "I mean cakes without wheat"], "", ""),
        ],
    },
    Script {
        bot: "bank-help",
        weight: 4,
        says: &[
            say(&["hello", "good afternoon"], "greeting", ""),
            say(
                &[
                    "I lost my {card}",
                    "somebody has stolen my {card}",
                    "please block my {card}",
                ],
                "card_lost",
                "I have blocked your {card}. A new one will be with you within five working days.",
            ),
            last(
                &["thank you", "thanks, that was quick"],
                "thanks",
                End::Completed,
            ),
        ],
    },
    Script {
        bot: "bank-help",
        weight: 3,
        says: &[
            say(
                &[
                    "what does a transfer to {country} cost",
                    "I want to send money to {country}",
                ],
                "transfer",
                "A transfer to {country} costs 4.90 and takes up to three working days.",
            ),
            say(
                &["and in the other direction?", "what about a standing order"],
                "",
                "",
            ),
            last(
                &["let me talk to an adviser", "a human please"],
                "human",
                End::Escalated,
            ),
        ],
    },
    Script {
        bot: "bank-help",
        weight: 2,
        says: &[
            last(
                &["what is my balance", "how much is on my account"],
                "balance",
                End::Failed,
            ),
            say(&["hello?", "are you still there"], "greeting", ""),
            last(&["my balance please", "balance"], "balance", End::Completed),
        ],
    },
    Script {
        bot: "bank-help",
        weight: 2,
        says: &[say(
            &[
                "mortgage rates for 20 years fixed",
                "can I pay with my watch",
            ],
            "",
            "",
        )],
    },
    Script {
        bot: "stadtbibliothek",
        weight: 4,
        says: &[
            say(&["hallo", "guten Tag", "Grüß Gott"], "begruessung", ""),
            say(
                &[
                    "ich möchte „{titel}“ verlängern",
                    "bitte die Ausleihe von „{titel}“ verlängern",
                ],
                "verlaengern",
                "„{titel}“ ist verlängert. Die neue Frist endet in vier Wochen.",
            ),
            last(&["danke", "vielen Dank!"], "dank", End::Completed),
        ],
    },
    Script {
        bot: "stadtbibliothek",
        weight: 3,
        says: &[
            say(
                &["sind Sie {tag} geöffnet?", "wann haben Sie {tag} offen"],
                "oeffnungszeiten",
                "",
            ),
            say(
                &["und was kostet ein Ausweis", "wie hoch sind die Gebühren"],
                "gebuehren",
                "",
            ),
            last(&["danke schön", "gut, danke"], "dank", End::Completed),
        ],
    },
    Script {
        bot: "stadtbibliothek",
        weight: 2,
        says: &[
            say(
                &[
                    "haben Sie „{titel}“ als Hörbuch",
                    "gibt es „{titel}“ auf Türkisch?",
                ],
                "",
                "",
            ),
            say(&["ein Hörbuch", "eine Übersetzung"], "", ""),
            last(
                &[
                    "verbinden Sie mich bitte",
                    "ich möchte mit einem Menschen sprechen",
                ],
                "mensch",
                End::Escalated,
            ),
        ],
    },
];
