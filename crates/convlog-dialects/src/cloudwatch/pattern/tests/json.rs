//! JSON patterns.

use super::*;

const EVENT: &str = r#"{
    "type": "UpdateTrail", "address": "111.111.111.111", "list": ["value", "other"],
    "objects": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "none": null, "flag": true,
    "off": false, "latency": 55.5, "code": 400, "text_code": "400", "big": 1e400, "neg": -3,
    "grid": [[0, 1, 2], [4, 5, 6]], "user": {"id": 1, "e-mail": "J.S@example.com"},
    "a.b": {"it's": "dotted"}, "star": "Ev*ent", "empty": "", "quote": "a\"b\\c", "word": "true"
}"#;

/// Conditions on [`EVENT`].
fn on_event(rows: &[(&str, bool)]) {
    for (condition, expected) in rows {
        let pattern = format!("{{ {condition} }}");
        let read = Pattern::parse(&pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
        assert_eq!(read.matches(EVENT), *expected, "{pattern}");
    }
}

#[test]
fn texts_are_compared_with_wildcards_at_the_ends() {
    on_event(&[
        ("$.type = \"UpdateTrail\"", true),
        ("$.type = UpdateTrail", true),
        ("$.type = updatetrail", false),
        ("$.type = Update", false),
        ("$.type = Update*", true),
        ("$.type = *Trail", true),
        ("$.type = *ateTr*", true),
        ("$.type = \"*Trail\"", true),
        ("$.type = Trail*", false),
        ("$.type = *Update", false),
        ("$.type = *", true),
        ("$.type = \"*\"", true),
        ("$.type = **", true),
        ("$.type = \"\"", false),
        ("$.type != UpdateTrail", false),
        ("$.type != \"Update*\"", false),
        ("$.type != Other", true),
        ("$.type != *", false),
        ("$.type =! Other", true),
        ("$.address != 123.123.*", true),
        ("$.address = 111.111.*", true),
        ("$.star = Ev*ent", true),
        ("$.star = \"Ev\\*ent\"", true),
        ("$.star = \"Ev\\*\"", false),
        ("$.type = \"Up*ail\"", false),
        ("$.empty = \"\"", true),
        ("$.empty = *", true),
        ("$.empty != \"\"", false),
        ("$.empty != x", true),
        (r#"$.quote = "a\"b\\c""#, true),
        (r#"$.quote = "a\"*""#, true),
        (r#"$.quote != "a\"b\\c""#, false),
        ("$.type=UpdateTrail", true),
        ("$.type\t=\nUpdateTrail", true),
    ]);
}

#[test]
fn numbers_are_compared_by_value() {
    on_event(&[
        ("$.latency >= 55.5", true),
        ("$.latency > 55.5", false),
        ("$.latency > 55", true),
        ("$.latency <= 55.5", true),
        ("$.latency < 55.5", false),
        ("$.latency < 10e3", true),
        ("$.latency < 10e-3", false),
        ("$.latency > +10", true),
        ("$.latency = 5.55e1", true),
        ("$.latency = 55.50", true),
        ("$.latency != 55.50", false),
        ("$.code = 400", true),
        ("$.code = +400", true),
        ("$.code = 4e2", true),
        ("$.code != 500", true),
        ("$.code = 4*", true),
        ("$.code = *00", true),
        ("$.code = 5*", false),
        ("$.code != 4*", false),
        ("$.code = \"400\"", true),
        ("$.code = \"4e2\"", false),
        ("$.code = *", true),
        ("$.neg < 0", true),
        ("$.neg = -3", true),
        ("$.neg > -4", true),
        ("$.big > 1e399", true),
        ("$.big > 1e401", false),
        // Of a text, how it is written counts.
        ("$.text_code = 400", true),
        ("$.text_code = 4e2", false),
        ("$.text_code = 400.0", false),
        ("$.text_code != 400.0", true),
        ("$.text_code > 100", false),
        ("$.type > 1", false),
        ("$.type < 1", false),
        ("$.flag > 0", false),
    ]);
}

#[test]
fn keywords_ask_for_null_truth_and_absence() {
    on_event(&[
        ("$.none IS NULL", true),
        ("$.type IS NULL", false),
        ("$.missing IS NULL", false),
        ("$.flag IS TRUE", true),
        ("$.flag is true", true),
        ("$.flag Is True", true),
        ("$.off IS TRUE", false),
        ("$.word IS TRUE", false),
        ("$.missing IS TRUE", false),
        ("$.off IS FALSE", true),
        ("$.flag IS FALSE", false),
        ("$.missing IS FALSE", false),
        ("$.flag = true", true),
        ("$.flag = false", false),
        ("$.flag != false", true),
        ("$.word = true", true),
        ("$.missing NOT EXISTS", true),
        ("$.missing not exists", true),
        ("$.user.missing NOT EXISTS", true),
        ("$.type.missing NOT EXISTS", true),
        ("$.list[2] NOT EXISTS", true),
        ("$.list[1] NOT EXISTS", false),
        ("$.type NOT EXISTS", false),
        ("$.none NOT EXISTS", false),
        ("$.list NOT EXISTS", false),
        ("$.user NOT EXISTS", false),
    ]);
}

#[test]
fn selectors_lead_through_objects_and_arrays() {
    on_event(&[
        ("$.user.id = 1", true),
        ("$.user.e-mail = \"J.S@example.com\"", true),
        ("$.user['e-mail'] = J.S@example.com", true),
        ("$['user'][\"id\"] = 1", true),
        ("$['a.b']['it\\'s'] = dotted", true),
        ("$[\"a.b\"][\"it's\"] = dotted", true),
        ("$.a.b = dotted", false),
        ("$.list[0] = value", true),
        ("$.list[1] = value", false),
        ("$.list[9] = value", false),
        ("$.list[4294967295] = value", false),
        ("$.objects[1].id = 2", true),
        ("$.objects[0].id = 2", false),
        ("$.objects.id = 2", false),
        ("$.grid[0][1] = 1", true),
        ("$.grid[1][0] = 1", false),
        ("$.user[0] = 1", false),
        ("$.user[0] NOT EXISTS", true),
    ]);
}

#[test]
fn objects_arrays_null_and_what_is_not_there_pass_no_test() {
    on_event(&[
        ("$.list = 1", false),
        ("$.list != 1", false),
        ("$.list = *", false),
        ("$.list > 0", false),
        ("$.user = *", false),
        ("$.user != x", false),
        ("$.grid[0] != 1", false),
        ("$.none = *", false),
        ("$.none = null", false),
        ("$.none != x", false),
        ("$.missing = x", false),
        ("$.missing != x", false),
        ("$.missing = *", false),
        ("$.missing < 1", false),
        ("$.missing != %x%", false),
    ]);
}

#[test]
fn conditions_are_joined_by_precedence() {
    on_event(&[
        ("($.user.id = 1) && ($.list[0] = value)", true),
        ("($.user.id = 2) && ($.list[0] = value)", false),
        ("$.user.id = 2 || $.list[0] = value", true),
        ("$.user.id = 2 || $.list[0] = no", false),
        ("$.user.id = 1 || $.list[0] = no && $.list[1] = no", true),
        ("($.user.id = 1 || $.list[0] = no) && $.list[1] = no", false),
        ("$.list[1] = no && $.list[0] = no || $.user.id = 1", true),
        ("$.list[1] = no && ($.list[0] = no || $.user.id = 1)", false),
        ("((($.user.id = 1)))", true),
        ("$.user.id=1&&$.list[0]=value", true),
        ("$.user.id=2||$.list[0]=value", true),
        ("$.flag IS TRUE&&$.off IS FALSE", true),
        ("$.missing NOT EXISTS || $.user.id = 2", true),
        ("$.user.id = 1 && $.user.id = 1 && $.user.id = 2", false),
    ]);
}

#[test]
fn regular_expressions_are_laid_over_how_a_value_is_written() {
    on_event(&[
        ("$.type = %^Up%", true),
        ("$.type = %^Trail%", false),
        ("$.type != %^Trail%", true),
        ("$.code = %^4[0-9]{2}$%", true),
        ("$.flag = %^tr%", true),
        ("$.none = %n%", false),
        ("$.address = %^[0-9.]+$% && $.type = %Trail$%", true),
    ]);
}

#[test]
fn only_objects_pass() {
    check(&[
        ("{ $.a = 1 }", "{\"a\":1}", true),
        ("{ $.a = 1 }", "  {\"a\":1}\n", true),
        ("{$.a=1}", "{\"a\":1}", true),
        ("  { $.a = 1 }  ", "{\"a\":1}", true),
        ("{ $.a = 1 }", "{\"a\":1", false),
        ("{ $.a = 1 }", "a=1", false),
        ("{ $.a = 1 }", "", false),
        ("{ $.a = 1 }", "INFO {\"a\":1}", false),
        ("{ $.a NOT EXISTS }", "a=1", false),
        ("{ $.a NOT EXISTS }", "[]", false),
        ("{ $.a NOT EXISTS }", "5", false),
        ("{ $.a NOT EXISTS }", "{}", true),
        ("{ $.a NOT EXISTS }", "{\"b\":{\"a\":1}}", true),
        // Of members with the same name the last counts.
        ("{ $.a = 2 }", "{\"a\":1,\"a\":2}", true),
        ("{ $.a = 1 }", "{\"a\":1,\"a\":2}", false),
        ("{ $.größe = \"5 €\" }", "{\"größe\":\"5 €\"}", true),
        ("{ $[''] = x }", "{\"\":\"x\"}", true),
    ]);
    let deep = format!(
        "{{\"a\":1,\"b\":{}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert!(!Pattern::parse("{ $.a = 1 }").unwrap().matches(&deep));
}

#[test]
fn selectors_extract_their_values() {
    let pattern = "{ $.code = 4* && ($['a.b'][\"it's\"] = * || $.type = x) && $.list[1] = * \
                   && $.missing NOT EXISTS && $.none IS NULL && $.flag IS TRUE }";
    let expected = pairs(&[
        ("$.code", "400"),
        ("$.flag", "true"),
        ("$.list[1]", "other"),
        ("$.type", "UpdateTrail"),
        ("$['a.b'][\"it's\"]", "dotted"),
    ]);
    assert_eq!(extracted(pattern, EVENT), expected);
}

#[test]
fn entries_of_a_bot_are_told_apart() {
    let entry = |bot: &str, rest: &str| {
        format!(r#"{{"botName":"{bot}","sessionId":"s","inputTranscript":"two roses",{rest}}}"#)
    };
    let missed =
        Pattern::parse("{ ($.botName = \"OrderFlowers\") && ($.missedUtterance IS TRUE) }");
    let missed = missed.unwrap();
    assert!(missed.matches(&entry("OrderFlowers", r#""missedUtterance":true"#)));
    assert!(!missed.matches(&entry("OrderFlowers", r#""missedUtterance":false"#)));
    assert!(!missed.matches(&entry("OrderFlowers", r#""missedUtterance":"true""#)));
    assert!(!missed.matches(&entry("BookTrip", r#""missedUtterance":true"#)));

    let v2 = r#"{"bot":{"id":"X","localeId":"en_US"},"inputTranscript":"hi","inputMode":"Text",
        "missedUtterance":true,"sessionState":{"intent":{"name":"Order","slots":{}}}}"#;
    let common = "($.bot.id = \"X\") && ($.bot.localeId = \"en_US\") && ($.inputTranscript = *) \
                  && ($.sessionState.intent.name = *)";
    for (more, expected) in [
        ("", true),
        (" && ($.missedUtterance IS TRUE)", true),
        (" && ($.inputMode = *)", true),
        (" && ($.bargeIn = *)", false),
        (" && ($.sessionState.intent.slots = *)", false),
    ] {
        let pattern = Pattern::parse(&format!("{{ {common}{more} }}")).unwrap();
        assert_eq!(pattern.matches(v2), expected, "{more}");
    }
}
