"""Conversations with two bots of Lex V1 on a server of the script's own, and what is true of them:
for the scripts that read logs as the tools that exist read them."""

import datetime
import json
import time

from kit import KEY, own
from lex_kit import WITH_ROLE, client, make_bot
from program import Program

GROUP = "lex-logs"
MISSED, ELICITS, READY = "ElicitIntent", "ElicitSlot", "ReadyForFulfillment"

# Who says what to which bot, and what the dialogue makes of it.
SAID = [
    ("OrderFlowers", "ann", "order roses", ELICITS),
    ("OrderFlowers", "bob", "tell me a joke", MISSED),
    ("OrderFlowers", "ann", "Ann Smith", READY),
    ("BookTrip", "ann", "tell me a joke", MISSED),
    ("OrderFlowers", "cleo", "what is the weather", MISSED),
    ("OrderFlowers", "bob", "order tulips", ELICITS),
    ("OrderFlowers", "ann", "tell me a joke", MISSED),
    ("BookTrip", "dan", "order roses", ELICITS),
    ("OrderFlowers", "eva", "où est « \"ça\" \\ » 🌹?", MISSED),
    ("BookTrip", "dan", "Dan", READY),
    ("OrderFlowers", "bob", "Bob Brown", READY),
    ("OrderFlowers", "ann", "order tulips", ELICITS),
]


class Turn:
    """One of them, as its answer and its event tell of it."""

    def __init__(self, said, answer):
        self.bot, self.user, self.text, self.state = said
        assert answer["dialogState"] == self.state, (said, answer)
        self.session = answer["sessionId"]
        self.request = answer["ResponseMetadata"]["RequestId"]
        self.is_missed = self.state == MISSED
        # The answer to the question for the name is hidden in the logs.
        self.logged = "{Name}" if self.state == READY else self.text
        self.event = None

    def bin(self, seconds):
        """The beginning of its period, as queries print it."""
        begin = self.event["timestamp"] // 1000 // seconds * seconds
        moment = datetime.datetime.fromtimestamp(begin, datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d %H:%M:%S.000")


class Talk:
    """The server, its clients, and the turns in their order."""

    def __init__(self, config="", prepare=lambda logs: None):
        self.program = Program(WITH_ROLE + config)
        self.models, self.runtime, self.logs = (
            client(service, url=self.program.url) for service in ("lex-models", "lex-runtime", "logs"))
        self.logs.create_log_group(logGroupName=GROUP)
        prepare(self.logs)
        self.intents = {}
        for bot in ("OrderFlowers", "BookTrip"):
            _, self.intents[bot], _ = make_bot(models=self.models, bot=bot)
        self.began = int(time.time() * 1000)
        self.turns = [self.turn(said) for said in SAID]
        events = self.events()
        for turn in self.turns:
            (turn.event,) = [event for event in events
                             if json.loads(event["message"])["requestId"] == turn.request]
        assert len(events) == len(self.turns)

    def turn(self, said):
        bot, user, text, _ = said
        answer = self.runtime.post_text(botName=bot, botAlias="PROD", userId=user, inputText=text,
                                        requestAttributes={"channel": "wéb"})
        # Events of the same millisecond have no order of their own.
        time.sleep(0.01)
        return Turn(said, answer)

    def events(self, group=GROUP, **named):
        """Every event, page by page until there is no token, as scripts loop."""
        found, token = [], {}
        while True:
            page = self.logs.filter_log_events(logGroupName=group, startTime=self.began,
                                               limit=2, **named, **token)
            found += page["events"]
            if "nextToken" not in page:
                return found
            token = {"nextToken": page["nextToken"]}

    def own(self, method, path):
        return own(method, path, key=KEY, url=self.program.url)
