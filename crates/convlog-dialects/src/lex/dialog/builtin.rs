//! Built-in intents and slot types: their names, where they are known, and what users say for
//! some of them.

/// All locales of bots.
const ALL: &[&str] = &[
    "de-DE", "en-AU", "en-GB", "en-IN", "en-US", "es-419", "es-ES", "es-US", "fr-FR", "fr-CA",
    "it-IT", "ja-JP", "ko-KR",
];
/// The locales whose words the engine has no lists for are left out.
const ENGLISH: &[&str] = &["en-AU", "en-GB", "en-IN", "en-US"];

/// Built-in intents by signature, each with its locales.
pub const BUILTIN_INTENTS: &[(&str, &[&str])] = &[
    ("AMAZON.CancelIntent", ENGLISH),
    ("AMAZON.FallbackIntent", ALL),
    ("AMAZON.HelpIntent", ENGLISH),
    ("AMAZON.KendraSearchIntent", ENGLISH),
    ("AMAZON.LoopOffIntent", ENGLISH),
    ("AMAZON.LoopOnIntent", ENGLISH),
    ("AMAZON.NextIntent", ENGLISH),
    ("AMAZON.NoIntent", ENGLISH),
    ("AMAZON.PauseIntent", ENGLISH),
    ("AMAZON.PreviousIntent", ENGLISH),
    ("AMAZON.RepeatIntent", ENGLISH),
    ("AMAZON.ResumeIntent", ENGLISH),
    ("AMAZON.ShuffleOffIntent", ENGLISH),
    ("AMAZON.ShuffleOnIntent", ENGLISH),
    ("AMAZON.StartOverIntent", ENGLISH),
    ("AMAZON.StopIntent", ENGLISH),
    ("AMAZON.YesIntent", ENGLISH),
];

/// Built-in slot types by signature, each with its locales.
pub const BUILTIN_SLOT_TYPES: &[(&str, &[&str])] = &[
    ("AMAZON.Actor", ENGLISH),
    ("AMAZON.AdministrativeArea", ENGLISH),
    ("AMAZON.Airline", ENGLISH),
    ("AMAZON.Airport", ENGLISH),
    ("AMAZON.AlphaNumeric", ALL),
    ("AMAZON.Animal", ENGLISH),
    ("AMAZON.Artist", ENGLISH),
    ("AMAZON.AT_CITY", ENGLISH),
    ("AMAZON.AT_REGION", ENGLISH),
    ("AMAZON.Author", ENGLISH),
    ("AMAZON.Book", ENGLISH),
    ("AMAZON.City", ENGLISH),
    ("AMAZON.Color", ENGLISH),
    ("AMAZON.Corporation", ENGLISH),
    ("AMAZON.Country", ALL),
    ("AMAZON.DATE", ALL),
    ("AMAZON.DayOfWeek", ENGLISH),
    ("AMAZON.DE_CITY", ENGLISH),
    ("AMAZON.DE_FIRST_NAME", ENGLISH),
    ("AMAZON.DE_REGION", ENGLISH),
    ("AMAZON.Dessert", ENGLISH),
    ("AMAZON.Drink", ENGLISH),
    ("AMAZON.DURATION", ALL),
    ("AMAZON.EmailAddress", ALL),
    ("AMAZON.EUROPE_CITY", ENGLISH),
    ("AMAZON.Festival", ENGLISH),
    ("AMAZON.Food", ENGLISH),
    ("AMAZON.FoodEstablishment", ENGLISH),
    ("AMAZON.FOUR_DIGIT_NUMBER", ALL),
    ("AMAZON.GB_CITY", ENGLISH),
    ("AMAZON.GB_FIRST_NAME", ENGLISH),
    ("AMAZON.GB_REGION", ENGLISH),
    ("AMAZON.Genre", ENGLISH),
    ("AMAZON.Landform", ENGLISH),
    ("AMAZON.Language", ENGLISH),
    ("AMAZON.LocalBusiness", ENGLISH),
    ("AMAZON.Month", ENGLISH),
    ("AMAZON.Movie", ENGLISH),
    ("AMAZON.MusicGroup", ENGLISH),
    ("AMAZON.Musician", ENGLISH),
    ("AMAZON.NUMBER", ALL),
    ("AMAZON.Percentage", ALL),
    ("AMAZON.Person", ALL),
    ("AMAZON.PhoneNumber", ALL),
    ("AMAZON.PostalAddress", ENGLISH),
    ("AMAZON.Professional", ENGLISH),
    ("AMAZON.ProfessionalType", ENGLISH),
    ("AMAZON.Residence", ENGLISH),
    ("AMAZON.Room", ENGLISH),
    ("AMAZON.Service", ENGLISH),
    ("AMAZON.SpeedUnit", ENGLISH),
    ("AMAZON.Sport", ENGLISH),
    ("AMAZON.SportsTeam", ENGLISH),
    ("AMAZON.StreetAddress", ENGLISH),
    ("AMAZON.StreetName", ENGLISH),
    ("AMAZON.TIME", ALL),
    ("AMAZON.US_CITY", ENGLISH),
    ("AMAZON.US_FIRST_NAME", ENGLISH),
    ("AMAZON.US_LAST_NAME", ENGLISH),
    ("AMAZON.US_STATE", ENGLISH),
    ("AMAZON.WeightUnit", ENGLISH),
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
        "AMAZON.NoIntent" => &["no", "no thanks", "no thank you"],
        "AMAZON.PauseIntent" => &["pause", "pause that"],
        "AMAZON.PreviousIntent" => &["previous", "go back", "back up"],
        "AMAZON.RepeatIntent" => &["repeat", "repeat that", "say that again", "say it again"],
        "AMAZON.ResumeIntent" => &["resume", "continue", "keep going"],
        "AMAZON.ShuffleOffIntent" => &["shuffle off", "stop shuffling"],
        "AMAZON.ShuffleOnIntent" => &["shuffle", "shuffle on", "mix it up"],
        "AMAZON.StartOverIntent" => &["start over", "restart", "start again", "begin again"],
        "AMAZON.StopIntent" => &["stop", "stop that", "quit", "exit", "off"],
        "AMAZON.YesIntent" => &["yes", "yes please", "sure"],
        _ => &[],
    }
}
