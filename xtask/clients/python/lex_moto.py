"""Amazon Lex's conversation logs delivered to `moto`: what arrives, what does not with which roles,
and that nothing is lost while the destination or the program is down."""

import json
import random
import re
import threading
import time

import aws_kit
import kit
from aws_kit import KMS_KEY, SPEECH, Bot, Moto, Program, Proxy, names, speech, until
from botocore.exceptions import BotoCoreError, ClientError

OPUS = ("audio/x-cbr-opus-with-preamble;preamble-size=0;bit-rate=256000;"
        "frame-size-milliseconds=4")
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
BOTH = [*LOGS, "s3:PutObject"]
# The program has some of them as they are and assumes the others.
ROLES = [aws_kit.role("keys"), aws_kit.role("assumed", assume=True)]


def open_program(url):
    """The program, with roles that a moto server takes which checks no keys."""
    return Program(aws_kit.config(url, ROLES))


@kit.case
def text_and_audio_arrive_as_they_were_said():
    group, bucket = names()
    MOTO.make(group, bucket)
    with open_program(MOTO.url) as program:
        bot = Bot(program, "keys", group, bucket, KMS_KEY)
        hit, missed = bot.say("order roses"), bot.say("blah «é»", user="bob")
        audio = speech(96_000)
        spoken = {bot.speak(audio): (audio, SPEECH, ".pcm"),
                  bot.speak(audio[:999], content_type=OPUS): (audio[:999], OPUS, ".opus")}
        entries = MOTO.grouped(group, 4)
        assert set(entries) == {hit, missed, *spoken}
        until("the figures", lambda: program.counted(bot.name) == [4, 0, 2, 0])
        program.settle()
    for stream, at_ms, entry in MOTO.events(group):
        tail = "/speech" if entry["requestId"] in spoken else ""
        day, time_of_day = entry["timestamp"].split("T")
        assert stream == f"aws/lex/{bot.name}/PROD/1/{day}/default{tail}", stream
        second = time.strftime("%H:%M:%S", time.gmtime(at_ms // 1000))
        assert time_of_day == f"{second}.{at_ms % 1000:03}Z", entry
        assert entry["inputDialogMode"] == ("Speech" if tail else "Text"), entry
        named = [entry[key] for key in ("botName", "botAlias", "botVersion")]
        assert named == [bot.name, "PROD", "1"], entry
    always = {"messageVersion", "botName", "botAlias", "botVersion", "inputTranscript",
              "botResponse", "developerOverride", "missedUtterance", "inputDialogMode",
              "requestId", "userId", "sessionId", "dialogState", "locale", "timestamp"}
    hit, missed = entries[hit], entries[missed]
    assert always <= set(hit) and always <= set(missed), (hit, missed)
    assert hit["missedUtterance"] is False and hit["intent"] and hit["slots"] == {}, hit
    assert missed["missedUtterance"] is True and "intent" not in missed, missed
    assert (missed["inputTranscript"], missed["userId"]) == ("blah «é»", "bob"), missed
    for request, (sent, kind, ending) in spoken.items():
        path = entries[request]["s3PathForAudio"]
        assert re.fullmatch(f"s3://{bucket}/aws/lex/{bot.name}/PROD/1/"
                            r"\d{4}/\d\d/\d\d/[\w.-]+/" + request + re.escape(ending), path), path
        stored = MOTO.object(path)
        assert stored["Body"].read() == sent
        assert stored["ContentType"] == kind, stored
        assert stored["ServerSideEncryption"] == "aws:kms", stored
        assert stored["SSEKMSKeyId"] == KMS_KEY, stored


@kit.case
def a_role_is_assumed_and_nobody_encrypts_without_a_key():
    group, bucket = names()
    MOTO.make(group, bucket)
    with open_program(MOTO.url) as program:
        audio = speech()
        spoken = Bot(program, "assumed", group, bucket).speak(audio)
        entries = MOTO.grouped(group, 1)
    stored = MOTO.object(entries[spoken]["s3PathForAudio"])
    assert stored["Body"].read() == audio
    assert stored.get("ServerSideEncryption") != "aws:kms", stored


@kit.case
def a_missing_group_and_bucket_change_no_answer_and_are_tried_again():
    group, bucket = names()
    with open_program(MOTO.url) as program:
        bot = Bot(program, "keys", group, bucket)
        audio = speech()
        typed, spoken = bot.say(), bot.speak(audio)
        answer = bot.last_answer
        classes = sorted((kind, letter["class"]) for kind, letter in program.given_up(3))
        assert classes == [("audio", "NoSuchBucket")] + [("text", "ResourceNotFoundException")] * 2
        until("the figures", lambda: program.counted(bot.name) == [0, 2, 0, 1])
        for kind, name in (("text", "ResourceNotFoundException"), ("audio", "NoSuchBucket")):
            assert program.told("log_delivery.dead", kind=kind, **{"class": name})
            assert program.told("log_delivery.failed", kind=kind, **{"class": name})
        MOTO.make(group, bucket)
        (letter,) = program.deliveries()["audio"]["dead"]
        program.retry(letter["id"])
        until("the audio", lambda: program.is_audio_done())
        for lane in program.deliveries()["lanes"]:
            program.retry(lane["id"])
        entries = MOTO.grouped(group, 2)
        assert set(entries) == {typed, spoken}
        assert MOTO.object(entries[spoken]["s3PathForAudio"])["Body"].read() == audio
        until("no dead letter", lambda: not program.dead())
        until("the figures", lambda: program.counted(bot.name) == [2, 2, 1, 1])
        assert len(program.told("log_delivery.retry")) == 3
        bot.say(user="bob")
        assert bot.last_answer == answer


@kit.case
def text_whose_audio_was_given_up_has_no_link():
    group, bucket = names()
    MOTO.make(group)
    with open_program(MOTO.url) as program:
        spoken = Bot(program, "keys", group, bucket).speak(speech())
        entries = MOTO.grouped(group, 1)
        assert "s3PathForAudio" not in entries[spoken], entries
        ((kind, letter),) = program.given_up(1)
        assert (kind, letter["class"]) == ("audio", "NoSuchBucket"), letter


def arrived(moto, group, said, sent):
    """Every acknowledged turn is there, in the order of first arrival; audio is there by its
    bytes. `said` are requests, `sent` the audio of others."""
    wanted = set(said) | set(sent)

    def have_come():
        return wanted <= {entry["requestId"] for entry in moto.entries(group)}
    until("every turn", have_come)
    for is_speech, order in ((False, said), (True, list(sent))):
        first = {}
        for stream, _, entry in moto.events(group):
            if stream.endswith("/speech") == is_speech:
                first.setdefault(entry["requestId"], entry)
        requests = [request for request in first if request in wanted]
        assert requests == order, (requests, order)
        for request in order if is_speech else []:
            stored = moto.object(first[request]["s3PathForAudio"])["Body"].read()
            assert stored == sent[request], request


def converse(bot, n_turns):
    """Typed turns and spoken ones in turn: the requests of the former, the audio of the latter."""
    said, sent = [], {}
    for i in range(n_turns):
        said.append(bot.say(f"turn {i}"))
        audio = speech()
        sent[bot.speak(audio)] = audio
    return said, sent


@kit.case
def a_destination_that_fails_and_is_slow_gets_everything_in_order():
    group, bucket = names()
    MOTO.make(group, bucket)
    chance = random.Random(7)

    def fault(call):
        if not call.endswith("PutLogEvents") and call != "PUT":
            return None
        return chance.choice([500, 503, 0.3, None, None])
    with Proxy(MOTO.url) as proxy, open_program(proxy.url) as program:
        proxy.fault = fault
        bot = Bot(program, "keys", group, bucket)
        said, sent = converse(bot, 12)
        arrived(MOTO, group, said, sent)
        program.settle()
        assert proxy.n_faults > 0 and not program.dead()
        until("the figures", lambda: program.counted(bot.name) == [24, 0, 12, 0])


@kit.case
def an_answer_that_gets_lost_makes_an_entry_come_twice_and_none_be_missing():
    group, _ = names()
    MOTO.make(group)
    with Proxy(MOTO.url) as proxy, open_program(proxy.url) as program:
        bot = Bot(program, "keys", group)
        first = bot.say("turn 0")
        MOTO.grouped(group, 1)
        proxy.loses_answers = True
        second = bot.say("turn 1")
        until("a second time", lambda: len(MOTO.events(group)) >= 3)
        proxy.loses_answers = False
        third = bot.say("turn 2")
        program.settle()
        requests = [entry["requestId"] for entry in MOTO.entries(group)]
        assert list(dict.fromkeys(requests)) == [first, second, third], requests
        assert requests.count(first) == 1 and requests.count(third) == 1, requests


@kit.case
def a_destination_that_is_down_changes_no_answer_and_gets_everything_later():
    group, bucket = names()
    moto = Moto()
    with open_program(moto.url) as program:
        moto.make(group, bucket)
        bot = Bot(program, "assumed", group, bucket)
        first = bot.say(user="bob")
        answer = bot.last_answer
        moto.grouped(group, 1)
        moto.stop()
        said = [bot.say(user="eve")]
        assert bot.last_answer == answer
        more_said, sent = converse(bot, 14)
        said += more_said
        for kind in ("text", "audio"):
            until("a failure", lambda: program.told("log_delivery.failed", kind=kind))
        assert not program.dead() and program.waiting() == 1 + 3 * 14
        with Moto(moto.port) as moto:
            moto.make(group, bucket)
            arrived(moto, group, said, sent)
            assert first not in [entry["requestId"] for entry in moto.entries(group)]
            program.settle()
        assert not program.dead()
        until("the figures", lambda: program.counted(bot.name) == [30, 0, 14, 0])
        until("the end of it", lambda: program.told("log_delivery.sent", kind="text"))


@kit.case
def nothing_is_lost_when_the_program_is_killed_while_entries_wait():
    group, bucket = names()
    moto = Moto()
    with open_program(moto.url) as program:
        bot = Bot(program, "keys", group, bucket, KMS_KEY)
        moto.stop()
        said, sent = [], {}
        for _ in range(3):
            more_said, more_sent = converse(bot, 5)
            said += more_said
            sent |= more_sent
            program.kill()
            program.start()
        until("what waits is known", lambda: program.waiting() == 3 * 15)
        with Moto(moto.port) as moto:
            moto.make(group, bucket)
            arrived(moto, group, said, sent)
            program.settle()
        assert not program.dead()


@kit.case
def nothing_is_lost_when_the_program_is_killed_at_any_moment():
    group, bucket = names()
    MOTO.make(group, bucket)
    chance = random.Random()
    said, sent, n_killed = [], {}, 0
    with open_program(MOTO.url) as program:
        bot = Bot(program, "keys", group, bucket)
        for i in range(100):
            killer = threading.Timer(chance.random() * 0.06, program.kill)
            if i % 9 == 8:
                killer.start()
            audio = speech(chance.randrange(1, 50_000)) if i % 3 == 0 else None
            try:
                if audio is None:
                    said.append(bot.say(f"turn {i}"))
                else:
                    sent[bot.speak(audio)] = audio
            except BotoCoreError:
                assert i % 9 == 8, "a turn failed and nothing was killed"
            if i % 9 == 8:
                killer.join()
                program.start()
                n_killed += 1
        assert n_killed == 11 and len(said) + len(sent) >= 100 - n_killed
        arrived(MOTO, group, said, sent)
        program.settle()
        assert not program.dead()


def policy(actions):
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Guarded:
    """A moto server that checks keys and policies."""

    def __init__(self):
        # So many calls make the first user, who makes all others.
        self.moto = Moto(n_open=3)
        self.moto.key = self.user("root", ["*"])
        self.group, self.bucket = names()
        self.moto.make(self.group, self.bucket)
        self.lex = self.user("lex", ["sts:AssumeRole"])
        self.stranger = self.user("stranger", LOGS)

    def user(self, name, actions):
        """A user who may do this; the key of it."""
        iam = self.moto.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(actions))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def role(self, name, actions, user="lex"):
        """A role that a user may take on."""
        principal = {"AWS": f"arn:aws:iam::{aws_kit.ACCOUNT}:user/{user}"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.moto.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        self.allow(name, actions)

    def allow(self, name, actions):
        self.moto.client("iam").put_role_policy(RoleName=name, PolicyName="p",
                                                PolicyDocument=policy(actions))

    def forbid(self, name):
        self.moto.client("iam").delete_role_policy(RoleName=name, PolicyName="p")

    def delete(self, name):
        self.forbid(name)
        self.moto.client("iam").delete_role(RoleName=name)

    def program(self, *roles):
        """The program; roles that are names are assumed by the user `lex`."""
        assumed = [aws_kit.role(name, *self.lex, assume=True)
                   for name in roles if isinstance(name, str)]
        others = [role for role in roles if not isinstance(role, str)]
        return Program(aws_kit.config(self.moto.url, assumed + others))

    def entries(self, *requests):
        """The entries of these requests, once they have come."""
        def found():
            entries = {entry["requestId"]: entry for entry in self.moto.entries(self.group)}
            return entries if set(requests) <= set(entries) else None
        entries = until("the entries", found)
        return [entries[request] for request in requests]


@kit.case
def a_role_that_may_write_both_writes_both():
    GUARDED.role("writer", BOTH)
    with GUARDED.program("writer") as program:
        audio = speech()
        spoken = Bot(program, "writer", GUARDED.group, GUARDED.bucket, KMS_KEY).speak(audio)
        (entry,) = GUARDED.entries(spoken)
        assert GUARDED.moto.object(entry["s3PathForAudio"])["Body"].read() == audio


@kit.case
def a_role_that_may_not_write_audio_loses_the_link_and_no_text():
    GUARDED.role("texts", LOGS)
    with GUARDED.program("texts") as program:
        bot = Bot(program, "texts", GUARDED.group, GUARDED.bucket)
        typed, spoken = bot.say(), bot.speak(speech())
        for entry in GUARDED.entries(typed, spoken):
            assert "s3PathForAudio" not in entry, entry
        ((kind, letter),) = program.given_up(1)
        assert (kind, letter["class"]) == ("audio", "AccessDenied"), letter
        until("the figures", lambda: program.counted(bot.name) == [2, 0, 0, 1])
        GUARDED.allow("texts", BOTH)
        program.retry(letter["id"])
        until("the audio", lambda: program.is_audio_done())
        until("the figures", lambda: program.counted(bot.name) == [2, 0, 1, 1])


@kit.case
def a_role_that_cannot_be_assumed_is_refused_with_its_alias():
    GUARDED.role("opened", LOGS)
    GUARDED.role("closed", LOGS, user="nobody")
    roles = ["opened", "closed", aws_kit.role("unallowed", *GUARDED.stranger, assume=True),
             aws_kit.role("mistyped", GUARDED.lex[0], "x" * 40, assume=True),
             aws_kit.role("unknown", "AKIANOBODY", "x" * 40, assume=True)]
    with GUARDED.program(*roles) as program:
        bot = Bot(program, "opened", GUARDED.group)
        for name in ("closed", "unallowed", "mistyped", "unknown", "unconfigured"):
            try:
                bot.put_alias(name, alias="TEST")
            except ClientError as error:
                assert error.response["Error"]["Code"] == "BadRequestException", error
                text = f"Lex can't access your IAM role {aws_kit.role_arn(name)}."
                assert error.response["Error"]["Message"] == text, error
            else:
                raise AssertionError(f"{name} was taken")
        listed = program.models.get_bot_aliases(botName=bot.name)["BotAliases"]
        assert [alias["name"] for alias in listed] == ["PROD"], listed


@kit.case
def a_key_whose_secret_is_wrong_makes_dead_letters():
    secret = "y" * 40
    with GUARDED.program(aws_kit.role("mistyped", GUARDED.stranger[0], secret)) as program:
        bot = Bot(program, "mistyped", GUARDED.group, GUARDED.bucket)
        typed, spoken = bot.say(), bot.speak(speech())
        letters = program.given_up(3)
        classes = sorted((kind, letter["class"]) for kind, letter in letters)
        # moto answers the protocol of log groups in that of IAM, where no client finds the code.
        assert classes == [("audio", "SignatureDoesNotMatch")] + [("text", "status_403")] * 2
        arrived = [entry["requestId"] for entry in GUARDED.moto.entries(GUARDED.group)]
        assert not {typed, spoken} & set(arrived)
        until("the figures", lambda: program.counted(bot.name) == [0, 2, 0, 1])
        told = program.told("log_delivery.dead")
        assert told and secret not in json.dumps(told) + program.log()


@kit.case
def a_role_that_is_revoked_and_given_back_goes_on():
    GUARDED.role("forbidden", LOGS)
    with GUARDED.program("forbidden") as program:
        bot = Bot(program, "forbidden", GUARDED.group)
        GUARDED.entries(bot.say("before"))
        GUARDED.forbid("forbidden")
        second = bot.say("forbidden")
        ((_, letter),) = program.given_up(1)
        GUARDED.allow("forbidden", LOGS)
        program.retry(letter["id"])
        GUARDED.entries(second, bot.say("allowed again"))
        until("no dead letter", lambda: not program.dead())


@kit.case
def a_role_that_is_deleted_and_made_again_goes_on():
    GUARDED.role("deleted", LOGS)
    with GUARDED.program("deleted") as program:
        bot = Bot(program, "deleted", GUARDED.group)
        GUARDED.entries(bot.say("before"))
        GUARDED.delete("deleted")
        second = bot.say("deleted")
        # moto fails where AWS refuses, so that the entry waits instead of being given up.
        until("a failure", lambda: program.told("log_delivery.failed", kind="text"))
        GUARDED.role("deleted", LOGS)
        GUARDED.entries(second, bot.say("made again"))
        assert not program.dead()


MOTO = Moto()
GUARDED = Guarded()
try:
    kit.run()
finally:
    MOTO.stop()
    GUARDED.moto.stop()
