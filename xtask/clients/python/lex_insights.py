"""The queries of dashboards for conversation logs of Lex, in their names of V1 and with their odd
spellings, against turns that this script makes: each is polled as the dashboards poll, and its rows
are those that the turns themselves give."""

import collections
import json
import time

import lex_turns
from kit import case, run
from lex_kit import letters, refused
from lex_turns import ELICITS, GROUP, READY

TALK = lex_turns.Talk()
TURNS = TALK.turns
HOUR = 3600


def rows(text, group=GROUP, **named):
    """The rows of a query, as lists of (field, value), without pointers to the records."""
    now = int(time.time())
    times = {"startTime": now - 7 * 24 * HOUR, "endTime": now + 60, **named}
    query = TALK.logs.start_query(logGroupName=group, queryString=text, **times)["queryId"]
    while True:
        found = TALK.logs.get_query_results(queryId=query)
        if found["status"] == "Complete":
            break
        assert found["status"] in ("Scheduled", "Running"), found
        time.sleep(0.25)
    assert set(found["statistics"]) >= {"recordsMatched", "recordsScanned", "bytesScanned"}, found
    return [[(cell["field"], cell["value"]) for cell in row if cell["field"] != "@ptr"]
            for row in found["results"]]


def table(text, *fields, **named):
    """The same as tuples of these fields, which are all that there are."""
    found = rows(text, **named)
    for row in found:
        assert [field for field, _ in row] == list(fields)[:len(row)], (row, fields)
    return [tuple(value for _, value in row) for row in found]


def counted(keys):
    """What a count by these keys gives, in any order."""
    return sorted((*key, str(n)) for key, n in collections.Counter(keys).items())


def missed(*more):
    return [turn for turn in TURNS if turn.is_missed and all(check(turn) for check in more)]


@case
def missed_utterances_are_listed_and_counted():
    newest = [(turn.logged,) for turn in reversed(missed())]
    for text in ("FILTER missedUtterance = 1 | DISPLAY inputTranscript",
                 "filter missedUtterance = 1\n| display inputTranscript\n# the newest first",
                 "FIELDS @timestamp | FILTER missedUtterance=1 | SORT @timestamp DESC "
                 "| DISPLAY inputTranscript"):
        assert table(text, "inputTranscript") == newest, text
    most = [("tell me a joke", "3")]
    singles = counted([(turn.logged,) for turn in missed(lambda turn: "joke" not in turn.text)])
    fields = ("@missed_utterance", "@count")
    for order in ("SORT BY @count DESC", "sort @count desc", "SORT BY `@count` DESC"):
        found = table("FILTER missedUtterance = 1 | STATS COUNT(*) AS @count BY "
                      f"inputTranscript AS @missed_utterance | {order}", *fields)
        assert found[:1] == most and sorted(found[1:]) == singles, (order, found)
    # As the dashboard has it: by a name that no column has.
    found = table("FILTER missedUtterance = 1 | STATS COUNT(*) AS @count BY inputTranscript AS "
                  "@missed_utterance | SORT BY count DESC", *fields)
    assert sorted(found) == sorted(most + singles), found
    found = table('FILTER botName = "OrderFlowers" AND missedUtterance = 1 '
                  "| STATS COUNT(*) AS n BY inputTranscript", "inputTranscript", "n")
    assert sorted(found) == counted([(turn.logged,) for turn in missed()
                                     if turn.bot == "OrderFlowers"]), found


@case
def sessions_users_and_turns_are_counted_by_period():
    found = table("STATS COUNT(sessionId) AS @count BY BIN(2h) AS @t | SORT BY @t", "@t", "@count")
    assert found == counted([(turn.bin(2 * HOUR),) for turn in TURNS]), found
    by_day = collections.defaultdict(set)
    for turn in TURNS:
        by_day[turn.bin(24 * HOUR)].add((turn.session, turn.user))
    found = table("stats count_distinct(sessionId) as sessions, count_distinct(userId) as users, "
                  "count(*) as turns by bin(1d) as day | sort day asc",
                  "day", "sessions", "users", "turns")
    assert found == [(day, str(len({session for session, _ in seen})),
                      str(len({user for _, user in seen})),
                      str(sum(turn.bin(24 * HOUR) == day for turn in TURNS)))
                     for day, seen in sorted(by_day.items())], found
    found = table("STATS COUNT_DISTINCT(sessionId) BY botName | SORT BY botName",
                  "botName", "COUNT_DISTINCT(sessionId)")
    assert found == [("BookTrip", "2"), ("OrderFlowers", "4")], found


@case
def intents_are_counted_by_hour_and_alone():
    fields = ("@t", "@intent", "@count")
    found = table("FIELDS intent AS @intent | STATS COUNT(*) AS @count BY BIN(1h) AS @t, @intent "
                  "| FILTER ISPRESENT(@intent)", *fields)
    understood = [turn for turn in TURNS if not turn.is_missed]
    expected = counted([(turn.bin(HOUR), TALK.intents[turn.bot]) for turn in understood])
    assert sorted(found) == expected, found
    # Without the filter, turns without an intent are one group more of each hour.
    everything = rows("FIELDS intent AS @intent | STATS COUNT(*) AS @count "
                      "BY BIN(1h) AS @t, @intent")
    assert sum(int(dict(row)["@count"]) for row in everything) == len(TURNS), everything
    top = table("FILTER ISPRESENT(intent) | STATS COUNT(*) AS n BY intent | SORT n DESC | LIMIT 1",
                "intent", "n")
    assert top == [(TALK.intents["OrderFlowers"], "5")], top


@case
def the_path_of_a_conversation_is_shown():
    done = [turn for turn in TURNS if turn.state == READY]
    for condition in ('dialogState = "Fulfilled" OR dialogState = "ReadyForFulfillment"',
                      'dialogState IN ["Fulfilled", "ReadyForFulfillment"]',
                      "dialogState LIKE /^(Ready|Fulfilled)/"):
        found = table(f"FILTER {condition} | STATS COUNT(*) AS @count BY sessionId, intent, "
                      "BIN(5s) AS @t | SORT BY @t ASC, sessionId ASC",
                      "sessionId", "intent", "@t", "@count")
        expected = counted([(turn.session, TALK.intents[turn.bot], turn.bin(5)) for turn in done])
        assert found == sorted(expected, key=lambda row: (row[2], row[0])), (condition, found)


@case
def a_transcript_is_in_the_order_of_its_turns():
    for session in {turn.session for turn in TURNS}:
        expected = [turn for turn in TURNS if turn.session == session]
        found = table(f'FIELDS inputTranscript, dialogState | FILTER sessionId = "{session}" '
                      "| SORT @timestamp ASC", "inputTranscript", "dialogState")
        assert found == [(turn.logged, turn.state) for turn in expected], found


@case
def what_was_said_last_is_shown_whole():
    found = table("DISPLAY sessionId, timestamp, inputTranscript | LIMIT 5",
                  "sessionId", "timestamp", "inputTranscript")
    moments = [json.loads(turn.event["message"])["timestamp"] for turn in TURNS]
    expected = [(turn.session, moment, turn.logged) for turn, moment in zip(TURNS, moments)]
    assert found == expected[::-1][:5], found
    (row,) = rows("fields @timestamp, @message, @logStream, @log | sort @timestamp desc | limit 1")
    row = dict(row)
    assert row["@message"] == TURNS[-1].event["message"], row
    assert row["@logStream"] == TURNS[-1].event["logStreamName"], row
    assert row["@log"] == f"123456789012:{GROUP}", row
    text = moments[-1].replace("T", " ").replace("Z", "")
    assert row["@timestamp"] == text, (row, text)


@case
def fields_of_entries_are_reached():
    kinds = table("FILTER slots.Kind = 'tulips' AND dialogState = 'ElicitSlot' "
                  "| STATS COUNT(*) AS n BY `slots.Kind`, requestAttributes.channel AS channel",
                  "slots.Kind", "channel", "n")
    assert kinds == [("tulips", "wéb", "2")], kinds
    confident = [turn for turn in TURNS if turn.state == ELICITS]
    numbers = [float(json.loads(turn.event["message"])["nluIntentConfidence"]) for turn in confident]
    for bound in (0.5, max(numbers), 2):
        found = table(f"FILTER nluIntentConfidence < {bound} | STATS COUNT(*) AS n", "n")
        n_below = sum(number < bound for number in numbers)
        assert found == [(str(n_below),)] or n_below == 0 and found == [], (bound, found)
    found = table("FILTER inputTranscript LIKE 'joke' AND NOT (botName = 'BookTrip') "
                  "| STATS COUNT(*) AS n, EARLIEST(userId) AS first, LATEST(userId) AS last",
                  "n", "first", "last")
    assert found == [("2", "bob", "ann")], found
    found = table("FIELDS STRLEN(inputTranscript) AS @n | FILTER @n > 17 | DISPLAY userId, @n",
                  "userId", "@n")
    long = [turn for turn in TURNS if len(turn.logged) > 17]
    assert found == [(turn.user, str(len(turn.logged))) for turn in reversed(long)] != [], found


@case
def sentiment_of_brought_history_is_split():
    """Entries of Lex itself, which knew the sentiment."""
    group, said = "history", ["POSITIVE", "NEGATIVE", "POSITIVE", "NEUTRAL", "POSITIVE"]
    TALK.logs.create_log_group(logGroupName=group)
    TALK.logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + i, "message": json.dumps({
        "messageVersion": "1.0", "botName": "Old", "sessionId": letters("s"), "missedUtterance": False,
        "sentimentResponse": {"sentimentLabel": label, "sentimentScore": "{Positive: 0.5}"}})}
        for i, label in enumerate(said)]
    TALK.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    found = table("STATS COUNT(*) BY sentimentResponse.sentimentLabel",
                  "sentimentResponse.sentimentLabel", "COUNT(*)", group=group)
    assert sorted(found) == counted([(label,) for label in said]), found
    query = ("STATS COUNT(*) AS n BY sentimentResponse.sentimentLabel AS label "
             "| FILTER label != 'NEUTRAL' | SORT BY n DESC")
    both = table(query, "label", "n", group=group)
    assert both == [("POSITIVE", "3"), ("NEGATIVE", "1")], both


@case
def times_are_seconds_and_also_milliseconds():
    text = "STATS COUNT(*) AS n"
    first, last = TURNS[0].event["timestamp"], TURNS[-1].event["timestamp"]
    for start, end in ((first // 1000, last // 1000), (first, last + 1000)):
        assert table(text, "n", startTime=start, endTime=end) == [(str(len(TURNS)),)]
    gone = rows(text, startTime=first // 1000 - 7200, endTime=first // 1000 - 3600)
    assert gone in ([], [[("n", "0")]]), gone
    refused("InvalidParameterException", TALK.logs.start_query, logGroupName=GROUP, startTime=2,
            endTime=1, queryString=text)
    refused("MalformedQueryException", TALK.logs.start_query, logGroupName=GROUP, startTime=1,
            endTime=2, queryString="STATS COUNT(* BY x")


with TALK.program:
    run()
