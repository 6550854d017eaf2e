"""What the client scripts share: convlog's own API by hand, and a runner of named cases."""

import json
import os
import sys
import traceback
import urllib.error
import urllib.request
import uuid

URL = os.environ["CONVLOG_URL"]
KEY = os.environ["CONVLOG_KEY"]

CASES = []


def case(function):
    """Marks a function as a case; its name is what the run prints."""
    CASES.append(function)
    return function


def run():
    """Runs every case, prints one line each and a closing line, and exits with the outcome."""
    failed = 0
    for function in CASES:
        try:
            function()
            print(f"ok      {function.__name__}")
        except Exception:  # a script reports every failure, whatever its type
            failed += 1
            print(f"FAILED  {function.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CASES) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not CASES else 0)


def unique(prefix):
    """A fresh name, so that cases do not see each other's records."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def own(method, path, body=None, key=KEY, url=URL):
    """One call of convlog's own API: (status, parsed JSON or text)."""
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, method=method)
    request.add_header("Authorization", "Bearer " + key)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, parse(response.read())
    except urllib.error.HTTPError as error:
        return error.code, parse(error.read())


def parse(text):
    """JSON where it is JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text.decode("utf-8", "replace")


def expect(status, answer):
    """The body of an answer that must have this status."""
    assert answer[0] == status, answer
    return answer[1]


RULES = {
    "kind": "rules",
    "intents": [
        {"name": "place_order", "examples": ["two coffees please", "I want to order a coffee"],
         "keywords": ["order"], "reply": "Coming up."},
        {"name": "hours", "examples": ["when are you open", "opening hours on Sunday"],
         "keywords": ["open"], "reply": "Nine to five."},
    ],
    "entities": [{"name": "beverage", "values": [
        {"value": "coffee", "synonyms": ["coffees", "espresso"]},
        {"value": "soda", "synonyms": ["sodas"]}]}],
    "anything_else": "I did not get that.",
    "threshold": 0.3,
}


def make_bot(bot=None, connector=None, **more):
    """A bot with the rules connector; its id."""
    bot = bot or unique("bot")
    body = {"name": bot, "language": "en", "connector": connector or RULES, **more}
    status, answer = own("PUT", f"/convlog/v1/bots/{bot}", body)
    assert status in (200, 201), answer
    return bot


def make_instance():
    """A further, empty instance: (id, its first key)."""
    answer = expect(201, own("POST", "/convlog/v1/instances", {"name": unique("inst")}))
    return answer["id"], answer["key"]


def watson_log(number, bot, **changes):
    """A v1 log object as Watson lists it, the same for the same arguments."""
    log = {
        "request": {
            "input": {"text": f"message number {number}"},
            "context": {"conversation_id": f"conv-{number % 7}",
                        "metadata": {"deployment": "prod", "user_id": f"u{number % 5}"},
                        "system": {"assistant_id": "as-1", "dialog_turn_counter": number}},
        },
        "response": {
            "input": {"text": f"message number {number}"},
            "intents": [{"intent": "place_order", "confidence": 0.91}],
            "entities": [{"entity": "beverage", "location": [0, 7], "value": "coffee",
                          "confidence": 1}],
            "output": {"text": [f"answer {number}"], "nodes_visited": ["node_order"],
                       "generic": [{"response_type": "text", "text": f"answer {number}"}],
                       "log_messages": []},
            "context": {"conversation_id": f"conv-{number % 7}",
                        "metadata": {"deployment": "prod", "user_id": f"u{number % 5}"},
                        "system": {"assistant_id": "as-1", "dialog_turn_counter": number,
                                   "branch_exited": True, "branch_exited_reason": "completed"}},
            "user_id": f"u{number % 5}",
        },
        "log_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{bot}/{number}")),
        "request_timestamp": f"2026-03-{1 + number // 1440 % 28:02}T"
                             f"{number // 60 % 24:02}:{number % 60:02}:00.000Z",
        "response_timestamp": f"2026-03-{1 + number // 1440 % 28:02}T"
                              f"{number // 60 % 24:02}:{number % 60:02}:00.250Z",
        "workspace_id": bot,
        "language": "en",
    }
    log.update(changes)
    return log


def ingest(logs, dialect="watson-v1", key=KEY):
    """Posts log objects as NDJSON and returns the counts."""
    lines = "\n".join(json.dumps(log) for log in logs).encode()
    return expect(200, own("POST", f"/convlog/v1/records?dialect={dialect}", lines, key=key))
