//! What each slot type finds in an utterance, and what it lets lie.

use super::*;
use crate::lex::model::{EnumerationValue, RegexConfiguration, SlotTypeConfiguration};

/// Friday, 2026-11-27, noon.
const NOW_MS: i64 = 1_795_780_800_000;

/// The first value that a type knows in an utterance.
fn found(matcher: Matcher, text: &str) -> Option<String> {
    let said = Said::new(text, "en-US");
    let matchers = [matcher];
    let finder = Finder::new(&said, &matchers, NOW_MS);
    let find = finder.first(0, &vec![false; said.len()])?;
    assert!(said.text.get(find.span.clone()).is_some(), "{text}");
    Some(find.value)
}

fn check(matcher: &Matcher, finds: [(&str, &str); 8], misses: [&str; 4]) {
    for (text, value) in finds {
        assert_eq!(
            found(matcher.clone(), text).as_deref(),
            Some(value),
            "{text}"
        );
    }
    for text in misses {
        assert_eq!(found(matcher.clone(), text), None, "{text}");
    }
}

fn built_in(name: &str) -> Matcher {
    Matcher::new(name, &[], "en-US")
}

fn flowers(selection: Selection) -> Matcher {
    let value = |value: &str, synonyms: &[&str]| EnumerationValue {
        value: value.to_owned(),
        synonyms: synonyms.iter().map(|it| (*it).to_owned()).collect(),
    };
    let own = SlotType {
        name: "Flowers".to_owned(),
        enumeration_values: vec![
            value("roses", &["red roses", "rosa"]),
            value("tulips", &[]),
            value("lily of the valley", &["may bells"]),
            value("バラ", &["薔薇"]),
        ],
        value_selection_strategy: selection,
        parent_slot_type_signature: None,
        slot_type_configurations: Vec::new(),
    };
    Matcher::new("Flowers", &[own], "en-US")
}

fn pattern(pattern: &str) -> Matcher {
    let own = SlotType {
        name: "Code".to_owned(),
        enumeration_values: Vec::new(),
        value_selection_strategy: Selection::OriginalValue,
        parent_slot_type_signature: Some("AMAZON.AlphaNumeric".to_owned()),
        slot_type_configurations: vec![SlotTypeConfiguration {
            regex_configuration: Some(RegexConfiguration {
                pattern: pattern.to_owned(),
            }),
        }],
    };
    Matcher::new("Code", &[own], "en-US")
}

#[test]
fn lists_resolve_to_their_values() {
    check(
        &flowers(Selection::TopResolution),
        [
            ("roses", "roses"),
            ("I want a ROSE, please", "roses"),
            ("some red roses", "roses"),
            ("rosa", "roses"),
            ("tulip", "tulips"),
            ("may bells", "lily of the valley"),
            ("a lily of the valley", "lily of the valley"),
            ("赤い薔薇をください", "バラ"),
        ],
        ["flowers", "may", "lily", "red"],
    );
}

#[test]
fn lists_of_original_values_keep_what_was_said() {
    check(
        &flowers(Selection::OriginalValue),
        [
            ("roses", "roses"),
            ("I want a ROSE, please", "ROSE"),
            ("some red roses", "red roses"),
            ("rosa", "rosa"),
            ("Tulip", "Tulip"),
            ("may bells", "may bells"),
            ("a lily of the valley", "lily of the valley"),
            ("赤い薔薇をください", "薔薇"),
        ],
        ["flowers", "may", "lily", "red"],
    );
}

#[test]
fn numbers() {
    check(
        &built_in("AMAZON.NUMBER"),
        [
            ("5", "5"),
            ("about 1,234 pieces", "1234"),
            ("3.5", "3.5"),
            ("it is -7 degrees", "-7"),
            ("twenty five", "25"),
            ("one hundred and two", "102"),
            ("three hundred thousand and forty-one", "300041"),
            ("one million", "1000000"),
        ],
        ["none", "a few", "1,23", "once"],
    );
    let value = |text| found(built_in("AMAZON.NUMBER"), text);
    assert_eq!(value("five two").as_deref(), Some("5"));
    assert_eq!(value("a hundred").as_deref(), Some("100"));
    assert_eq!(
        value("nine hundred ninety nine thousand nine hundred ninety nine").as_deref(),
        Some("999999")
    );
    assert_eq!(value("minus four").as_deref(), Some("-4"));
    assert_eq!(value("007").as_deref(), Some("7"));
    assert_eq!(value(&"hundred thousand ".repeat(60)), None);
}

#[test]
fn four_digits() {
    check(
        &built_in("AMAZON.FOUR_DIGIT_NUMBER"),
        [
            ("1234", "1234"),
            ("my pin is 0007", "0007"),
            ("one two three four", "1234"),
            ("zero zero zero seven", "0007"),
            ("1 2 3 4", "1234"),
            ("it's 9 8 seven six", "9876"),
            ("2026", "2026"),
            ("code: 4444.", "4444"),
        ],
        ["123", "12345", "one two three", "twelve 1 2 3"],
    );
}

#[test]
fn percentages() {
    check(
        &built_in("AMAZON.Percentage"),
        [
            ("50%", "50%"),
            ("50 %", "50%"),
            ("about 3.5% more", "3.5%"),
            ("fifty percent", "50%"),
            ("ten per cent", "10%"),
            ("one hundred percent", "100%"),
            ("-5%", "5%"),
            ("1,000%", "1000%"),
        ],
        ["50", "percent", "half", "% 50"],
    );
}

#[test]
fn dates_are_days() {
    check(
        &built_in("AMAZON.DATE"),
        [
            ("2027-01-05", "2027-01-05"),
            ("for tomorrow please", "2026-11-28"),
            ("the day after tomorrow", "2026-11-29"),
            ("friday", "2026-12-04"),
            ("next Monday", "2026-11-30"),
            ("march 3rd", "2027-03-03"),
            ("on the 24th of December 2030", "2030-12-24"),
            ("3/4", "2027-03-04"),
        ],
        ["2027-13-05", "soon", "5", "february 30"],
    );
    check(
        &Matcher::Date { month_first: false },
        [
            ("today", "2026-11-27"),
            ("yesterday", "2026-11-26"),
            ("3/4/2027", "2027-04-03"),
            ("24.12.2027", "2027-12-24"),
            ("this friday", "2026-11-27"),
            ("last friday", "2026-11-20"),
            ("in two weeks", "2026-12-11"),
            ("dec twenty fourth", "2026-12-24"),
        ],
        ["24.12", "1-2-2027", "may", "the third"],
    );
}

#[test]
fn dates_are_weeks_months_and_years() {
    check(
        &built_in("AMAZON.DATE"),
        [
            ("this week", "2026-W48"),
            ("next week", "2026-W49"),
            ("last week", "2026-W47"),
            ("this weekend", "2026-W48-WE"),
            ("next month", "2026-12"),
            ("last month", "2026-10"),
            ("next year", "2027"),
            ("feb 29", "2028-02-29"),
        ],
        ["week", "next", "a year", "month 3"],
    );
}

#[test]
fn times() {
    check(
        &built_in("AMAZON.TIME"),
        [
            ("at 10:30", "10:30"),
            ("5 pm", "17:00"),
            ("5:15pm", "17:15"),
            ("noon", "12:00"),
            ("at midnight", "00:00"),
            ("12 a.m.", "00:00"),
            ("half past five", "05:30"),
            ("quarter to six in the evening", "17:45"),
        ],
        ["5", "25:00", "10:61", "13 pm"],
    );
    let value = |text| found(built_in("AMAZON.TIME"), text);
    assert_eq!(value("ten thirty pm").as_deref(), Some("22:30"));
    assert_eq!(value("five o'clock").as_deref(), Some("05:00"));
    assert_eq!(value("10:30:00 pm").as_deref(), Some("22:30"));
    assert_eq!(value("quarter to 1").as_deref(), Some("00:45"));
    assert_eq!(value("quarter to 12 am").as_deref(), Some("23:45"));
    assert_eq!(value("in the evening").as_deref(), Some("EV"));
    assert_eq!(value("17.45").as_deref(), Some("17:45"));
}

#[test]
fn durations() {
    check(
        &built_in("AMAZON.DURATION"),
        [
            ("2 hours", "PT2H"),
            ("for two hours and 30 minutes", "PT2H30M"),
            ("three days", "P3D"),
            ("a week", "P1W"),
            ("an hour", "PT1H"),
            ("1 day 5 hours", "P1DT5H"),
            ("PT2H", "PT2H"),
            ("ninety seconds", "PT90S"),
        ],
        ["hours", "two", "a while", "PTH"],
    );
}

#[test]
fn phone_numbers() {
    check(
        &built_in("AMAZON.PhoneNumber"),
        [
            ("5551234", "5551234"),
            ("555-1234", "5551234"),
            ("+1 (509) 555-1212", "+15095551212"),
            ("(509) 555 1212", "5095551212"),
            ("call 509.555.1212 please", "5095551212"),
            ("+49 30 123456", "+4930123456"),
            ("it's 030/1234567.", "0301234567"),
            ("509 555 1212, ok?", "5095551212"),
        ],
        ["123456", "1234567890123456", "phone", "12345678a"],
    );
}

#[test]
fn addresses() {
    check(
        &built_in("AMAZON.EmailAddress"),
        [
            ("ann@example.com", "ann@example.com"),
            ("mail ann.lee@example.com please", "ann.lee@example.com"),
            ("ann+x@example.co.uk.", "ann+x@example.co.uk"),
            ("<ann@example.com>", "ann@example.com"),
            ("ANN@EXAMPLE.COM", "ANN@EXAMPLE.COM"),
            ("ann_lee@ex-ample.org", "ann_lee@ex-ample.org"),
            ("it's ann-lee@example.com, thanks", "ann-lee@example.com"),
            ("jürgen@müller.de", "jürgen@müller.de"),
        ],
        ["ann", "ann@", "ann@example", "@example.com"],
    );
}

#[test]
fn letters_and_digits() {
    check(
        &built_in("AMAZON.AlphaNumeric"),
        [
            ("A1", "A1"),
            ("my code is XK42", "XK42"),
            ("123", "123"),
            ("it's ab12.", "ab12"),
            ("7b", "7b"),
            ("order 99x please", "99x"),
            ("Ä1", "Ä1"),
            ("1a2b3c4d5e", "1a2b3c4d5e"),
        ],
        ["code", "", "-", "1234567890123456789012345678901"],
    );
    check(
        &pattern("[A-Z]{3}-?[0-9]{4}"),
        [
            ("ABC1234", "ABC1234"),
            ("abc1234", "abc1234"),
            ("it is ABC-1234", "ABC-1234"),
            ("XYZ0000.", "XYZ0000"),
            ("(ABC1234)", "ABC1234"),
            ("ABC1234, please", "ABC1234"),
            ("number: ABC1234", "ABC1234"),
            ("my ABC1234 and ABC5678", "ABC1234"),
        ],
        ["ABC123", "1234ABC", "ABCD1234", "abc"],
    );
    // A pattern that is none limits nothing.
    assert_eq!(found(pattern("("), "x1").as_deref(), Some("x1"));
}

#[test]
fn units() {
    check(
        &built_in("AMAZON.SpeedUnit"),
        [
            ("mph", "mph"),
            ("80 miles per hour", "mph"),
            ("kilometers per hour", "kph"),
            ("kph", "kph"),
            ("Meters per second", "m/s"),
            ("in knots", "kn"),
            ("feet per second", "ft/s"),
            ("kilometres per hour", "kph"),
        ],
        ["miles", "hour", "fast", "per second"],
    );
    check(
        &built_in("AMAZON.WeightUnit"),
        [
            ("kilograms", "kg"),
            ("5 kg", "kg"),
            ("pounds", "lb"),
            ("in ounces", "oz"),
            ("metric tons", "t"),
            ("a gram", "g"),
            ("milligrams", "mg"),
            ("Stone", "st"),
        ],
        ["heavy", "weight", "5", "kilometers"],
    );
}

#[test]
fn free_words_are_up_to_four_in_the_midst_and_all_of_an_answer() {
    let said = Said::new("Ann Lee of the North", "en-US");
    let matchers = [built_in("AMAZON.Person"), built_in("AMAZON.NUMBER")];
    let finder = Finder::new(&said, &matchers, NOW_MS);
    let free: Vec<String> = finder
        .from(0, 0)
        .into_iter()
        .map(|find| find.value)
        .collect();
    assert_eq!(free, ["Ann Lee of the", "Ann Lee of", "Ann Lee", "Ann"]);
    let whole = matchers[0].whole_answer(&said).unwrap();
    assert_eq!(whole.value, "Ann Lee of the North");
    assert_eq!(matchers[1].whole_answer(&said), None);
    let spelled = Said::new("A B 1 2", "en-US");
    let whole = built_in("AMAZON.AlphaNumeric").whole_answer(&spelled);
    assert_eq!(whole.unwrap().value, "AB12");
}
