//! Built-in intents and slot types: their names, where they are known, and what users say for
//! some of them.

/// All locales of bots.
const ALL: &[&str] = &[
    "de-DE", "en-AU", "en-GB", "en-IN", "en-US", "es-419", "es-ES", "es-US", "fr-CA", "fr-FR",
    "it-IT", "ja-JP", "ko-KR",
];
/// All but the one in which letters and digits are not told from other words.
const NOT_KOREAN: &[&str] = &[
    "de-DE", "en-AU", "en-GB", "en-IN", "en-US", "es-419", "es-ES", "es-US", "fr-CA", "fr-FR",
    "it-IT", "ja-JP",
];
/// Those of whose language there are samples.
const ENGLISH: &[&str] = &["en-AU", "en-GB", "en-IN", "en-US"];
/// That of types that know the United States only, or that newer types have replaced.
const AMERICAN: &[&str] = &["en-US"];

/// Built-in intents by signature, each with its locales.
pub const BUILTIN_INTENTS: &[(&str, &[&str])] = &[
    ("AMAZON.CancelIntent", ENGLISH),
    ("AMAZON.FallbackIntent", ALL),
    ("AMAZON.HelpIntent", ENGLISH),
    ("AMAZON.KendraSearchIntent", ENGLISH),
    ("AMAZON.LoopOffIntent", ENGLISH),
    ("AMAZON.LoopOnIntent", ENGLISH),
    ("AMAZON.NextIntent", ENGLISH),
    ("AMAZON.PauseIntent", ENGLISH),
    ("AMAZON.PreviousIntent", ENGLISH),
    ("AMAZON.RepeatIntent", ENGLISH),
    ("AMAZON.ResumeIntent", ENGLISH),
    ("AMAZON.ShuffleOffIntent", ENGLISH),
    ("AMAZON.ShuffleOnIntent", ENGLISH),
    ("AMAZON.StartOverIntent", ENGLISH),
    ("AMAZON.StopIntent", ENGLISH),
];

/// Built-in slot types by signature, each with its locales.
pub const BUILTIN_SLOT_TYPES: &[(&str, &[&str])] = &[
    ("AMAZON.Actor", AMERICAN),
    ("AMAZON.AdministrativeArea", AMERICAN),
    ("AMAZON.Airline", AMERICAN),
    ("AMAZON.Airport", ALL),
    ("AMAZON.AlphaNumeric", NOT_KOREAN),
    ("AMAZON.Animal", AMERICAN),
    ("AMAZON.Artist", AMERICAN),
    ("AMAZON.AT_CITY", AMERICAN),
    ("AMAZON.AT_REGION", AMERICAN),
    ("AMAZON.Author", AMERICAN),
    ("AMAZON.Book", AMERICAN),
    ("AMAZON.City", ALL),
    ("AMAZON.Color", AMERICAN),
    ("AMAZON.Corporation", AMERICAN),
    ("AMAZON.Country", ALL),
    ("AMAZON.DATE", ALL),
    ("AMAZON.DayOfWeek", AMERICAN),
    ("AMAZON.DE_CITY", AMERICAN),
    ("AMAZON.DE_FIRST_NAME", AMERICAN),
    ("AMAZON.DE_REGION", AMERICAN),
    ("AMAZON.Dessert", AMERICAN),
    ("AMAZON.Drink", AMERICAN),
    ("AMAZON.DURATION", ALL),
    ("AMAZON.EmailAddress", ALL),
    ("AMAZON.EUROPE_CITY", AMERICAN),
    ("AMAZON.Festival", AMERICAN),
    ("AMAZON.FirstName", ALL),
    ("AMAZON.Food", AMERICAN),
    ("AMAZON.FoodEstablishment", AMERICAN),
    ("AMAZON.FOUR_DIGIT_NUMBER", ALL),
    ("AMAZON.GB_CITY", AMERICAN),
    ("AMAZON.GB_FIRST_NAME", AMERICAN),
    ("AMAZON.GB_REGION", AMERICAN),
    ("AMAZON.Genre", AMERICAN),
    ("AMAZON.Landform", AMERICAN),
    ("AMAZON.Language", AMERICAN),
    ("AMAZON.LastName", ALL),
    ("AMAZON.LocalBusiness", AMERICAN),
    ("AMAZON.Month", AMERICAN),
    ("AMAZON.Movie", AMERICAN),
    ("AMAZON.MusicGroup", AMERICAN),
    ("AMAZON.Musician", AMERICAN),
    ("AMAZON.NUMBER", ALL),
    ("AMAZON.Percentage", ALL),
    ("AMAZON.Person", AMERICAN),
    ("AMAZON.PhoneNumber", ALL),
    ("AMAZON.PostalAddress", AMERICAN),
    ("AMAZON.Professional", AMERICAN),
    ("AMAZON.ProfessionalType", AMERICAN),
    ("AMAZON.Residence", AMERICAN),
    ("AMAZON.Room", AMERICAN),
    ("AMAZON.Service", AMERICAN),
    ("AMAZON.SpeedUnit", AMERICAN),
    ("AMAZON.Sport", AMERICAN),
    ("AMAZON.SportsTeam", AMERICAN),
    ("AMAZON.State", ALL),
    ("AMAZON.StreetAddress", AMERICAN),
    ("AMAZON.StreetName", ALL),
    ("AMAZON.TIME", ALL),
    ("AMAZON.US_CITY", AMERICAN),
    ("AMAZON.US_FIRST_NAME", AMERICAN),
    ("AMAZON.US_LAST_NAME", AMERICAN),
    ("AMAZON.US_STATE", AMERICAN),
    ("AMAZON.WeightUnit", AMERICAN),
];

/// What users say for a built-in intent, besides what its author wrote.
pub(super) fn samples(signature: &str, locale: &str) -> &'static [&'static str] {
    if !locale.starts_with("en") {
        return &[];
    }
    match signature {
        "AMAZON.CancelIntent" => &[
            "cancel",
            "cancel that",
            "cancel it",
            "never mind",
            "forget it",
        ],
        "AMAZON.HelpIntent" => &["help", "help me", "i need help", "can you help me"],
        "AMAZON.LoopOffIntent" => &["loop off", "stop looping"],
        "AMAZON.LoopOnIntent" => &["loop", "loop on", "keep playing this"],
        "AMAZON.NextIntent" => &["next", "skip", "skip this"],
        "AMAZON.PauseIntent" => &["pause", "pause that"],
        "AMAZON.PreviousIntent" => &["previous", "go back", "back up"],
        "AMAZON.RepeatIntent" => &["repeat", "repeat that", "say that again", "say it again"],
        "AMAZON.ResumeIntent" => &["resume", "continue", "keep going"],
        "AMAZON.ShuffleOffIntent" => &["shuffle off", "stop shuffling"],
        "AMAZON.ShuffleOnIntent" => &["shuffle", "shuffle on", "mix it up"],
        "AMAZON.StartOverIntent" => &["start over", "restart", "start again", "begin again"],
        "AMAZON.StopIntent" => &["stop", "stop that", "quit", "exit", "off"],
        _ => &[],
    }
}
