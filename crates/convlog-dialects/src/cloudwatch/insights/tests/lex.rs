//! The queries that tools and dashboards run over conversation logs of Lex V1 and V2.

use super::super::*;
use super::{run, shown};

/// Time, session, user, what was said, intent, confidence, state, sentiment; newest first.
const TURNS: [[&str; 8]; 7] = [
    [
        "2026-01-03T09:00:02.000Z",
        "S3",
        "u1",
        "book flowers",
        "OrderFlowers",
        "0.5",
        "ReadyForFulfillment",
        "POSITIVE",
    ],
    [
        "2026-01-03T09:00:00.000Z",
        "S3",
        "u1",
        "what?",
        "",
        "",
        "ElicitIntent",
        "MIXED",
    ],
    [
        "2026-01-02T13:00:00.000Z",
        "S3",
        "u1",
        "asdf",
        "",
        "",
        "ElicitIntent",
        "NEGATIVE",
    ],
    [
        "2026-01-02T11:31:00.000Z",
        "S2",
        "u2",
        "cancel",
        "Cancel",
        "0.42",
        "ReadyForFulfillment",
        "NEUTRAL",
    ],
    [
        "2026-01-02T11:30:00.250Z",
        "S2",
        "u2",
        "asdf",
        "",
        "",
        "ElicitIntent",
        "NEGATIVE",
    ],
    [
        "2026-01-02T10:05:00.000Z",
        "S1",
        "u1",
        "roses",
        "OrderFlowers",
        "0.95",
        "Fulfilled",
        "POSITIVE",
    ],
    [
        "2026-01-02T10:00:00.000Z",
        "S1",
        "u1",
        "book flowers",
        "OrderFlowers",
        "0.91",
        "ElicitSlot",
        "NEUTRAL",
    ],
];

fn v1(turn: &[&str; 8]) -> String {
    let [
        time,
        session,
        user,
        said,
        intent,
        confidence,
        state,
        sentiment,
    ] = turn;
    let understood = match intent.is_empty() {
        true => String::new(),
        false => {
            format!(r#""intent":"{intent}","nluIntentConfidence":"{confidence}","slots":{{}},"#)
        }
    };
    format!(
        r#"{{"messageVersion":"1.0","botName":"OrderFlowers","botAlias":"PROD","botVersion":"3","inputTranscript":"{said}","botResponse":"re {said}",{understood}"developerOverride":"false","missedUtterance":{},"inputDialogMode":"Text","requestId":"r","userId":"{user}","sessionId":"{session}","sentimentResponse":{{"sentimentScore":"{{}}","sentimentLabel":"{sentiment}"}},"dialogState":"{state}","locale":"en-US","timestamp":"{time}"}}"#,
        intent.is_empty()
    )
}

fn v2(turn: &[&str; 8]) -> String {
    let [time, session, _, said, intent, confidence, state, sentiment] = turn;
    let missed = intent.is_empty();
    let (intent, state) = match missed {
        true => ("FallbackIntent", "InProgress"),
        false => (*intent, *state),
    };
    let confidence = match missed {
        true => String::new(),
        false => format!(r#""nluConfidence":"{confidence}","#),
    };
    format!(
        r#"{{"message-version":"2.0","bot":{{"id":"ABCDEFGHIJ","localeId":"en_US"}},"sessionState":{{"intent":{{"name":"{intent}","state":"{state}"}}}},"interpretations":[{{{confidence}"sentimentResponse":{{"sentiment":"{sentiment}"}}}},{{"intent":{{"name":"Other"}}}}],"sessionId":"{session}","inputTranscript":"{said}","missedUtterance":{missed},"timestamp":"{time}"}}"#
    )
}

fn found(query: &str, entry: impl Fn(&[&str; 8]) -> String) -> Vec<String> {
    let messages: Vec<(i64, String)> = TURNS
        .iter()
        .map(|turn| {
            let moment = convlog_model::time::Timestamp::parse_rfc3339(turn[0]).unwrap();
            (moment.millis(), entry(turn))
        })
        .collect();
    let events = messages.iter().map(|(millis, message)| Event {
        timestamp_ms: *millis,
        ingestion_ms: *millis,
        message,
        log_stream: "s",
        log: "l",
        ptr: "p",
    });
    shown(&run(query, events))
}

#[test]
fn missed_utterances() {
    for entry in [v1, v2] {
        assert_eq!(
            found(
                "FILTER missedUtterance = 1 | DISPLAY inputTranscript",
                entry
            ),
            [
                "inputTranscript=what? @ptr=p",
                "inputTranscript=asdf @ptr=p",
                "inputTranscript=asdf @ptr=p"
            ]
        );
        let counts = "FILTER missedUtterance = 1 \
                      | STATS COUNT(*) AS @count BY inputTranscript AS @missed_utterance";
        assert_eq!(
            found(&format!("{counts} | SORT BY @count DESC"), entry),
            [
                "@missed_utterance=asdf @count=2",
                "@missed_utterance=what? @count=1"
            ]
        );
        // What no row has orders nothing.
        assert_eq!(
            found(&format!("{counts} | SORT BY count DESC"), entry),
            [
                "@missed_utterance=what? @count=1",
                "@missed_utterance=asdf @count=2"
            ]
        );
    }
}

#[test]
fn sessions_per_two_hours() {
    for entry in [v1, v2] {
        assert_eq!(
            found("STATS COUNT(sessionId) AS @count BY BIN(2h) AS @t", entry),
            [
                "@t=2026-01-03 08:00:00.000 @count=2",
                "@t=2026-01-02 12:00:00.000 @count=1",
                "@t=2026-01-02 10:00:00.000 @count=4"
            ]
        );
    }
}

#[test]
fn intents_per_hour() {
    assert_eq!(
        found(
            "FIELDS intent AS @intent | STATS COUNT(*) AS @count BY BIN(1h) AS @t, @intent",
            v1
        ),
        [
            "@t=2026-01-03 09:00:00.000 @intent=OrderFlowers @count=1",
            "@t=2026-01-03 09:00:00.000 @count=1",
            "@t=2026-01-02 13:00:00.000 @count=1",
            "@t=2026-01-02 11:00:00.000 @intent=Cancel @count=1",
            "@t=2026-01-02 11:00:00.000 @count=1",
            "@t=2026-01-02 10:00:00.000 @intent=OrderFlowers @count=2"
        ]
    );
    assert_eq!(
        found(
            "FIELDS sessionState.intent.name AS @intent | FILTER @intent != 'FallbackIntent' \
             | STATS COUNT(*) AS @count BY BIN(1h) AS @t, @intent | SORT @t ASC",
            v2
        ),
        [
            "@t=2026-01-02 10:00:00.000 @intent=OrderFlowers @count=2",
            "@t=2026-01-02 11:00:00.000 @intent=Cancel @count=1",
            "@t=2026-01-03 09:00:00.000 @intent=OrderFlowers @count=1"
        ]
    );
}

#[test]
fn conversation_paths() {
    let expected = [
        "sessionId=S1 i=OrderFlowers @t=2026-01-02 10:05:00.000 n=1",
        "sessionId=S2 i=Cancel @t=2026-01-02 11:31:00.000 n=1",
        "sessionId=S3 i=OrderFlowers @t=2026-01-03 09:00:00.000 n=1",
    ];
    let rest = "| stats count(*) as n by sessionId, i, BIN(5s) as @t | sort @t asc";
    let by_list = "fields intent as i | filter dialogState in ['Fulfilled', 'ReadyForFulfillment']";
    assert_eq!(found(&format!("{by_list} {rest}"), v1), expected);
    let by_or = "fields sessionState.intent.name i, sessionState.intent.state state \
                 | filter state = 'Fulfilled' or state = 'ReadyForFulfillment'";
    assert_eq!(found(&format!("{by_or} {rest}"), v2), expected);
}

#[test]
fn sentiments() {
    for (path, entry) in [
        (
            "sentimentResponse.sentimentLabel",
            v1 as fn(&[&str; 8]) -> String,
        ),
        ("interpretations.0.sentimentResponse.sentiment", v2),
    ] {
        let expected = ["POSITIVE", "MIXED", "NEGATIVE", "NEUTRAL"]
            .iter()
            .zip([2, 1, 2, 2]);
        let expected: Vec<String> = expected
            .map(|(label, n)| format!("{path}={label} COUNT(*)={n}"))
            .collect();
        assert_eq!(found(&format!("STATS COUNT(*) BY {path}"), entry), expected);
    }
}

#[test]
fn recent_turns_and_one_transcript() {
    let recent = found(
        "DISPLAY sessionId, timestamp, inputTranscript | LIMIT 2",
        v1,
    );
    assert_eq!(
        recent,
        [
            "sessionId=S3 timestamp=2026-01-03T09:00:02.000Z inputTranscript=book flowers @ptr=p",
            "sessionId=S3 timestamp=2026-01-03T09:00:00.000Z inputTranscript=what? @ptr=p"
        ]
    );
    assert_eq!(
        found(
            "fields @timestamp, inputTranscript, botResponse # the whole talk\n\
             | filter sessionId = 'S2' | sort @timestamp asc",
            v1
        ),
        [
            "@timestamp=2026-01-02 11:30:00.250 inputTranscript=asdf botResponse=re asdf @ptr=p",
            "@timestamp=2026-01-02 11:31:00.000 inputTranscript=cancel botResponse=re cancel @ptr=p"
        ]
    );
}

#[test]
fn daily_figures() {
    assert_eq!(
        found(
            "stats count_distinct(sessionId) as sessions by bin(1d) as day | sort day",
            v1
        ),
        [
            "day=2026-01-02 00:00:00.000 sessions=3",
            "day=2026-01-03 00:00:00.000 sessions=1"
        ]
    );
    assert_eq!(
        found(
            "stats count_distinct(userId) as users, count(*) as turns",
            v1
        ),
        ["users=2 turns=7"]
    );
    assert_eq!(
        found(
            "filter ispresent(intent) | stats count(*) as n by intent | sort n desc | limit 10",
            v1
        ),
        ["intent=OrderFlowers n=3", "intent=Cancel n=1"]
    );
}

#[test]
fn confidences_are_numbers_in_strings() {
    assert_eq!(
        found(
            "filter nluIntentConfidence < 0.5 | display inputTranscript",
            v1
        ),
        ["inputTranscript=cancel @ptr=p"]
    );
    assert_eq!(
        found(
            "stats avg(nluIntentConfidence) as a, min(nluIntentConfidence) as low",
            v1
        ),
        ["a=0.695 low=0.42"]
    );
    assert_eq!(
        found(
            "filter interpretations.0.nluConfidence >= 0.91 | stats count(*)",
            v2
        ),
        ["count(*)=2"]
    );
    assert_eq!(
        found(
            "filter developerOverride = 'false' and botName = 'OrderFlowers' | stats count(*)",
            v1
        ),
        ["count(*)=7"]
    );
}
