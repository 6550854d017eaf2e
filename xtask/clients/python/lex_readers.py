"""What tools for conversation logs of Lex V1 do, against turns that this script makes: transcripts of
sessions, filters for missed utterances, subscriptions, audits of settings, and what an entry holds."""

import base64
import collections
import datetime
import gzip
import http.server
import json
import threading
import time

from kit import case, run
from lex_kit import ROLE, refused
from lex_turns import ELICITS, GROUP, READY, Talk

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
MISSED_OF_ONE = '{ ($.botName = "OrderFlowers") && ($.missedUtterance IS TRUE) }'
# Of a dashboard, in the names of V1.
PATTERNS = {
    MISSED_OF_ONE: lambda turn: turn.bot == "OrderFlowers" and turn.is_missed,
    '{ ($.botName = "OrderFlowers") && ($.botVersion = "1") && ($.inputTranscript = *) && '
    "($.intent = *) }": lambda turn: turn.bot == "OrderFlowers" and not turn.is_missed,
    '{ ($.botName = "OrderFlowers") && ($.inputDialogMode = *) }':
        lambda turn: turn.bot == "OrderFlowers",
    '{ ($.missedUtterance IS TRUE) && ($.intent NOT EXISTS) }': lambda turn: turn.is_missed,
    '{ ($.dialogState = "Fulfilled") || ($.dialogState = "ReadyForFulfillment") }':
        lambda turn: turn.state == READY,
    '{ $.slots.Kind = "tu*" }': lambda turn: turn.text == "order tulips" or turn.user == "bob"
    and turn.state == READY,
    '{ $.requestAttributes.channel = "wéb" && $.userId != "ann" }': lambda turn: turn.user != "ann",
    '"tell me a joke"': lambda turn: turn.text == "tell me a joke",
    "joke -BookTrip": lambda turn: turn.text == "tell me a joke" and turn.bot != "BookTrip",
    "?weather ?Dan": lambda turn: turn.user == "cleo",
}


class Consumer(http.server.BaseHTTPRequestHandler):
    """A function behind a subscription; fails now and then."""

    payloads = collections.defaultdict(list)
    n_calls = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Consumer.n_calls += 1
        is_taken = Consumer.n_calls != 2
        if is_taken:
            assert list(body) == ["awslogs"] and list(body["awslogs"]) == ["data"], body
            Consumer.payloads[self.path].append(body["awslogs"]["data"])
        self.send_response(200 if is_taken else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


CONSUMER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Consumer)
threading.Thread(target=CONSUMER.serve_forever, daemon=True).start()


def prepare(logs):
    """Filters, before anything is said."""
    for name, pattern in (("all", ""), ("understood", "{ $.missedUtterance IS FALSE }")):
        logs.put_subscription_filter(logGroupName=GROUP, filterName=name, filterPattern=pattern,
                                     destinationArn=FUNCTION + name)
    for number, pattern in enumerate(PATTERNS):
        metric = {"metricNamespace": "Bots", "metricName": f"m{number}", "metricValue": "1"}
        logs.put_metric_filter(logGroupName=GROUP, filterName=f"m{number}", filterPattern=pattern,
                               metricTransformations=[metric])


TALK = Talk("".join(f'[[aws.destinations]]\narn = "{FUNCTION}{name}"\n'
                    f'url = "http://127.0.0.1:{CONSUMER.server_port}/{name}"\n'
                    for name in ("all", "understood")), prepare)


def requests(turns):
    return [turn.request for turn in turns]


def requests_of(events):
    return [json.loads(event["message"])["requestId"] for event in events]


@case
def the_transcript_of_a_session_is_found_by_its_id():
    """As a script that stitches transcripts to contacts does it."""
    sessions = list(dict.fromkeys(turn.session for turn in TALK.turns))
    assert len(sessions) == 6, sessions
    for session in sessions:
        expected = [turn for turn in TALK.turns if turn.session == session]
        events = TALK.events(filterPattern=f'"{session}"')
        entries = [json.loads(event["message"]) for event in events]
        assert [entry["inputTranscript"] for entry in entries] == [turn.logged for turn in expected]
        assert requests_of(events) == requests(expected)
        assert {entry["sessionId"] for entry in entries} == {session}
        times = [event["timestamp"] for event in events]
        assert times == sorted(times)
    assert TALK.events(filterPattern='"2026-01-02T03:04:05.006Z-aBcDeFgH"') == []


@case
def patterns_find_tested_and_counted_turns_alike():
    messages = [turn.event["message"] for turn in TALK.turns]
    status, text = TALK.own("GET", "/metrics")
    assert status == 200
    for number, (pattern, wanted) in enumerate(PATTERNS.items()):
        expected = [turn for turn in TALK.turns if wanted(turn)]
        assert 0 < len(expected) <= len(TALK.turns), pattern
        assert requests_of(TALK.events(filterPattern=pattern)) == requests(expected), pattern
        tested = TALK.logs.test_metric_filter(filterPattern=pattern, logEventMessages=messages)
        numbers = [i for i, turn in enumerate(TALK.turns, 1) if wanted(turn)]
        assert [match["eventNumber"] for match in tested["matches"]] == numbers, pattern
        # Each filter counts what came since it was put.
        (line,) = [line for line in text.splitlines() if f'name="m{number}"' in line]
        assert float(line.split()[-1]) == len(expected), (pattern, line)


def decoded(path, is_enough):
    """What a consumer got: base64 of gzip of JSON, each event once at least."""
    for _ in range(2400):
        got = [json.loads(gzip.decompress(base64.b64decode(data)))
               for data in list(Consumer.payloads[path])]
        if is_enough([event for one in got for event in one.get("logEvents", [])]):
            return got
        time.sleep(0.05)
    raise AssertionError(f"never: {got}")


@case
def a_subscription_hands_on_every_turn_in_its_form():
    def is_enough(events):
        return len({event["id"] for event in events}) >= len(TALK.turns)
    events = {}
    for payload in decoded("/all", is_enough):
        assert set(payload) == {"messageType", "owner", "logGroup", "logStream",
                                "subscriptionFilters", "logEvents"}, payload
        assert payload["messageType"] == "DATA_MESSAGE" and payload["owner"] == "123456789012"
        assert payload["logGroup"] == GROUP and payload["subscriptionFilters"] == ["all"], payload
        for event in payload["logEvents"]:
            assert set(event) == {"id", "timestamp", "message"}, event
            assert type(event["timestamp"]) is int and type(event["id"]) is str, event
            bot = json.loads(event["message"])["botName"]
            assert payload["logStream"].startswith(f"aws/lex/{bot}/PROD/1/"), payload["logStream"]
            events.setdefault(event["id"], event)
    assert [(event["timestamp"], event["message"]) for event in events.values()] == [
        (turn.event["timestamp"], turn.event["message"]) for turn in TALK.turns]


@case
def a_consumer_that_wants_an_intent_gets_what_was_understood():
    """It reads ids softly, and `intent` and `slots` hard: those of a missed utterance are absent."""
    expected = [turn for turn in TALK.turns if not turn.is_missed]

    def is_enough(events):
        return len({event["id"] for event in events}) >= len(expected)
    read = {}
    for payload in decoded("/understood", is_enough):
        for event in payload["logEvents"]:
            message = json.loads(event["message"])
            row = (message.get("userId"), message.get("sessionId"), message["intent"],
                   json.dumps(message["slots"]))
            read[event["id"]] = row[:3]
    assert list(read.values()) == [(turn.user, turn.session, TALK.intents[turn.bot])
                                   for turn in expected], read
    for turn in TALK.turns:
        message = json.loads(turn.event["message"])
        assert ("intent" in message, "slots" in message) == (not turn.is_missed,) * 2, message


@case
def an_audit_finds_audio_that_is_not_encrypted_with_a_key():
    """As cloudsploit does it: bots, their aliases, their settings."""
    audio = {"logType": "AUDIO", "destination": "S3", "resourceArn": "arn:aws:s3:::lex-audio"}
    key = {"kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1111-2222"}
    for alias, setting in (("Plain", audio), ("Sealed", {**audio, **key})):
        TALK.models.put_bot_alias(botName="BookTrip", name=alias, botVersion="1", conversationLogs={
            "iamRoleArn": ROLE, "logSettings": [setting]})
    found = {}
    for page in TALK.models.get_paginator("get_bots").paginate(PaginationConfig={"PageSize": 1}):
        for bot in page["bots"]:
            for alias in TALK.models.get_bot_aliases(botName=bot["name"])["BotAliases"]:
                settings = alias.get("conversationLogs", {}).get("logSettings", [])
                sealed = [bool(setting.get("kmsKeyArn")) for setting in settings
                          if setting["logType"] == "AUDIO"]
                found[bot["name"], alias["name"]] = sealed
    assert found == {("OrderFlowers", "PROD"): [], ("BookTrip", "PROD"): [],
                     ("BookTrip", "Plain"): [False], ("BookTrip", "Sealed"): [True]}, found
    for alias in ("Plain", "Sealed"):
        TALK.models.delete_bot_alias(botName="BookTrip", name=alias)


ALWAYS = {"messageVersion", "botName", "botAlias", "botVersion", "inputTranscript", "botResponse",
          "developerOverride", "missedUtterance", "inputDialogMode", "requestId", "userId",
          "sessionId", "dialogState", "locale", "timestamp", "requestAttributes"}
UNDERSTOOD = {"intent", "slots"}
# Of an utterance that chose the intent; one that answers a question has none.
CONFIDENT = {"nluIntentConfidence"}


@case
def entries_hold_what_readers_rely_on():
    for turn in TALK.turns:
        text = turn.event["message"]
        assert "\n" not in text and "\r" not in text and "\\u" not in text, text
        entry = json.loads(text, object_pairs_hook=unrepeated)
        assert text == text.strip() and entry["inputTranscript"] == turn.logged, text
        assert ALWAYS <= set(entry), ALWAYS - set(entry)
        more = set(entry) - ALWAYS
        expected = set() if turn.is_missed else UNDERSTOOD
        if turn.state == ELICITS:
            expected = expected | CONFIDENT | {"slotToElicit"}
        assert expected <= more and more <= expected | {"alternativeIntents"}, (turn.state, more)
        assert all(value is not None for value in entry.values()), entry
        assert entry["missedUtterance"] is turn.is_missed and entry["developerOverride"] == "false"
        assert entry["messageVersion"] == "1.0" and entry["inputDialogMode"] == "Text", entry
        assert entry["requestAttributes"] == {"channel": "wéb"}, entry
        assert entry["botVersion"] == "1" and entry["locale"] == "en-US", entry
        moment = datetime.datetime.fromisoformat(entry["timestamp"].replace("Z", "+00:00"))
        assert entry["timestamp"].endswith("Z")
        assert round(moment.timestamp() * 1000) == turn.event["timestamp"], entry
        assert turn.event["logStreamName"].startswith(f"aws/lex/{turn.bot}/PROD/1/"), turn.event
        if turn.state == ELICITS:
            assert type(entry["nluIntentConfidence"]) is str, entry
            assert 0 <= float(entry["nluIntentConfidence"]) <= 1, entry
        if not turn.is_missed:
            assert set(entry["slots"]) == {"Kind", "Name"}, entry
            assert entry["slots"]["Name"] == (None if turn.state == ELICITS else "{Name}"), entry
    quoted = next(turn for turn in TALK.turns if turn.user == "eva")
    assert "où est « " in quoted.event["message"] and "🌹" in quoted.event["message"]


def unrepeated(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


@case
def a_stream_is_in_the_group_and_the_group_only_shows_its_turns():
    streams = TALK.logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    named = {turn.event["logStreamName"] for turn in TALK.turns}
    assert {stream["logStreamName"] for stream in streams} == named, streams
    shown = []
    for name in sorted(named):
        page = TALK.logs.get_log_events(logGroupName=GROUP, logStreamName=name, startFromHead=True)
        shown += requests_of(page["events"])
    assert sorted(shown) == sorted(requests(TALK.turns))
    refused("ResourceNotFoundException", TALK.logs.filter_log_events, logGroupName="other")


with TALK.program:
    run()
