"""The life of a bot as Terraform and scripts for deployments drive it: made in its order, read back
as it was sent, changed with the checksum that is stored, deleted in its order; and two at once."""

import collections
import concurrent.futures
import functools
import time

from botocore.exceptions import ClientError

from kit import case, run
from program import Program
from lex_kit import (MODELS, ROLE, RUNTIME, WITH_ROLE, client, letters, logs, make_bot, prompt, refused,
                     say)

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11112222-3333-4444-5555-666677778888"
SAID = {"messages": [{"contentType": "PlainText", "content": "Bye {Kind}, and \"so\" on: é"}]}
# What answers add to what was sent.
ADDED = {"createdDate", "lastUpdatedDate", "checksum", "version", "status", "createVersion",
         "ResponseMetadata"}
TRIES = 20


def until(done, function, **named):
    """Asks until it is done, as waiters do."""
    for _ in range(600):
        answer = function(**named)
        if done(answer):
            return answer
        time.sleep(0.05)
    raise AssertionError(f"never: {answer}")


def retried(function, **named):
    """A call as Terraform makes it: again on a conflict, and where the role is not known yet."""
    for _ in range(600):
        try:
            return function(**named)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code != "ConflictException" and "Lex can't access your IAM role" not in message:
                raise
            time.sleep(0.05)
    raise AssertionError("never")


def same(answer, sent):
    """What comes back is what was sent, member by member, and no other member."""
    shown = {name: value for name, value in answer.items() if name not in ADDED}
    assert shown == sent, (shown, sent)
    return answer


SLOT_TYPE = {"description": "Kinds of flowers", "valueSelectionStrategy": "TOP_RESOLUTION",
             "enumerationValues": [{"value": "tulips", "synonyms": ["tulip", "Tulpe"]},
                                   {"value": "roses", "synonyms": []}]}
INTENT = {"description": "Orders", "sampleUtterances": ["order {Kind}", "I would like flowers"],
          "confirmationPrompt": prompt("{Kind}, okay?"), "rejectionStatement": SAID,
          "conclusionStatement": SAID, "fulfillmentActivity": {"type": "ReturnIntent"}}
BOT = {"description": "Sells flowers", "locale": "en-US", "childDirected": False,
       "enableModelImprovements": True, "nluIntentConfidenceThreshold": 0.35,
       "detectSentiment": False, "idleSessionTTLInSeconds": 600, "voiceId": "Salli",
       "clarificationPrompt": prompt("Pardon?"), "abortStatement": SAID}


def definitions():
    """(slot type, intent, bot) of fresh names, as they are sent."""
    kinds = {"name": letters("Kinds"), **SLOT_TYPE}
    slot = {"name": "Kind", "description": "Which", "slotConstraint": "Required", "priority": 1,
            "slotType": kinds["name"], "slotTypeVersion": "1", "sampleUtterances": ["the {Kind}"],
            "valueElicitationPrompt": prompt("Which kind?"), "obfuscationSetting": "NONE"}
    intent = {"name": letters("Order"), "slots": [slot], **INTENT}
    intents = [{"intentName": intent["name"], "intentVersion": "1"}]
    return kinds, intent, {"name": letters("Shop"), "intents": intents, **BOT}


def settings():
    """Both kinds of logs, audio first: the order in which they were sent is kept."""
    audio = {"logType": "AUDIO", "destination": "S3", "resourceArn": "arn:aws:s3:::lex-audio",
             "kmsKeyArn": KEY}
    text = {"logType": "TEXT", "destination": "CLOUDWATCH_LOGS", "resourceArn": GROUP + ":*"}
    return {"iamRoleArn": ROLE, "logSettings": [audio, text]}


def without_prefix(conversation_logs, prefix):
    """Settings as they were sent; each has the prefix, which the server alone sets."""
    shown = {**conversation_logs, "logSettings": []}
    for setting in conversation_logs["logSettings"]:
        assert setting["resourcePrefix"].startswith(prefix), setting
        shown["logSettings"].append({name: value for name, value in setting.items()
                                     if name != "resourcePrefix"})
    return shown


@case
def what_is_put_comes_back_as_it_was_sent():
    kinds, intent, bot = definitions()
    put = retried(MODELS.put_slot_type, **kinds)
    assert put["createdDate"] == put["lastUpdatedDate"] and put["version"] == "$LATEST", put
    for got in (put, MODELS.get_slot_type(name=kinds["name"], version="$LATEST"),
                retried(MODELS.create_slot_type_version, name=kinds["name"]),
                MODELS.get_slot_type(name=kinds["name"], version="1")):
        same(got, kinds)
    retried(MODELS.put_intent, **intent)
    retried(MODELS.create_intent_version, name=intent["name"])
    for version in ("$LATEST", "1"):
        same(MODELS.get_intent(name=intent["name"], version=version), intent)
    retried(MODELS.put_bot, **bot, processBehavior="BUILD")
    ready = until(lambda answer: answer["status"] == "READY", MODELS.get_bot, name=bot["name"],
                  versionOrAlias="$LATEST")
    same(ready, bot)
    version = retried(MODELS.create_bot_version, name=bot["name"], checksum=ready["checksum"])
    # The model of this answer alone has no such member.
    same(version, {name: value for name, value in bot.items()
                   if name != "nluIntentConfidenceThreshold"})
    again = MODELS.create_bot_version(name=bot["name"], checksum=ready["checksum"])
    assert again["version"] == version["version"] == "1", "nothing has changed"
    # A bot that is put without a member loses it.
    less = {name: value for name, value in bot.items()
            if name not in ("idleSessionTTLInSeconds", "description", "voiceId")}
    put = MODELS.put_bot(**less, checksum=ready["checksum"])
    assert put["idleSessionTTLInSeconds"] == 300 and "voiceId" not in put, put
    same(MODELS.get_bot(name=bot["name"], versionOrAlias="1"), bot)


@case
def an_alias_lives_as_terraform_has_it():
    with Program(WITH_ROLE) as program:
        live_and_die(client("lex-models", url=program.url))


def live_and_die(models):
    bot, _, _ = make_bot(alias=False, models=models)
    named = {"botName": bot, "name": "PROD", "botVersion": "1", "description": "live"}
    made = retried(models.put_bot_alias, **named, conversationLogs=settings(),
                   tags=[{"key": "team", "value": "shop"}])
    assert made["tags"] == [{"key": "team", "value": "shop"}], made
    assert made["createdDate"] == made["lastUpdatedDate"], made
    prefix = f"aws/lex/{bot}/PROD/1/"
    for _ in range(2):
        got = models.get_bot_alias(botName=bot, name="PROD")
        (listed,) = models.get_bot_aliases(botName=bot)["BotAliases"]
        for shown in (made, got, listed):
            assert without_prefix(shown["conversationLogs"], prefix) == settings(), shown
            assert list(shown["conversationLogs"]["logSettings"][0])[:2] == ["logType", "destination"]
            assert shown["checksum"] == made["checksum"], shown
        assert "tags" not in got and "tags" not in listed
    # Changed with the checksum that was stored; the settings are replaced as a whole.
    time.sleep(0.01)
    text = {**settings(), "logSettings": settings()["logSettings"][1:]}
    changed = retried(models.put_bot_alias, **{**named, "botVersion": "$LATEST"},
                      checksum=got["checksum"], conversationLogs=text)
    assert changed["checksum"] != got["checksum"], changed
    assert changed["createdDate"] == made["createdDate"] < changed["lastUpdatedDate"], changed
    prefix = f"aws/lex/{bot}/PROD/$LATEST/"
    assert without_prefix(changed["conversationLogs"], prefix) == text, changed
    # A plan of before is refused, and nothing comes of it.
    stale = refused("PreconditionFailedException", models.put_bot_alias, **named,
                    checksum=made["checksum"])
    assert stale["Error"]["Message"], stale
    refused("PreconditionFailedException", models.put_bot_alias, **named)
    assert models.get_bot_alias(botName=bot, name="PROD")["checksum"] == changed["checksum"]
    off = models.put_bot_alias(**named, checksum=changed["checksum"])
    assert "conversationLogs" not in off, off
    models.delete_bot_alias(botName=bot, name="PROD")
    refused("NotFoundException", models.get_bot_alias, botName=bot, name="PROD")
    refused("NotFoundException", models.delete_bot_alias, botName=bot, name="PROD")
    assert models.get_bot_aliases(botName=bot)["BotAliases"] == []
    again = models.put_bot_alias(**named)
    assert again["createdDate"] > made["createdDate"] and "conversationLogs" not in again, again


@case
def a_role_that_cannot_be_taken_on_is_said_in_the_words_that_are_waited_for():
    with Program(WITH_ROLE) as program:
        models = client("lex-models", url=program.url)
        bot, _, _ = make_bot(alias=False, models=models)
        other = {**settings(), "iamRoleArn": ROLE + "-other"}
        answer = refused("BadRequestException", models.put_bot_alias, botName=bot, name="PROD",
                         botVersion="1", conversationLogs=other)
        assert "Lex can't access your IAM role" in answer["Error"]["Message"], answer
        refused("NotFoundException", models.get_bot_alias, botName=bot, name="PROD")


@case
def stale_checksums_are_refused_everywhere():
    kinds, intent, bot = definitions()
    for sent, put, get, publish, named in (
            (kinds, MODELS.put_slot_type, MODELS.get_slot_type, MODELS.create_slot_type_version,
             {"version": "$LATEST"}),
            (intent, MODELS.put_intent, MODELS.get_intent, MODELS.create_intent_version,
             {"version": "$LATEST"}),
            (bot, MODELS.put_bot, MODELS.get_bot, MODELS.create_bot_version,
             {"versionOrAlias": "$LATEST"})):
        refused("BadRequestException", put, **sent, checksum="x")
        first = put(**sent)["checksum"]
        publish(name=sent["name"], checksum=first)
        second = put(**{**sent, "description": "changed"}, checksum=first)["checksum"]
        for checksum in ({"checksum": first}, {}, {"checksum": "x"}):
            refused("PreconditionFailedException", put, **sent, **checksum)
        refused("PreconditionFailedException", publish, name=sent["name"], checksum=first)
        got = get(name=sent["name"], **named)
        assert got["checksum"] == second and got["description"] == "changed", got


@case
def what_is_used_is_deleted_last():
    bot, order, kinds = make_bot()

    def used(kind, user, user_version, function, **named):
        answer = refused("ResourceInUseException", function, **named)
        assert answer["referenceType"] == kind, answer
        found = answer["exampleReference"]
        assert (found["name"], found.get("version")) == (user, user_version), answer
    used("BotAlias", "PROD", None, MODELS.delete_bot, name=bot)
    used("BotAlias", "PROD", "1", MODELS.delete_bot_version, name=bot, version="1")
    used("Bot", bot, "$LATEST", MODELS.delete_intent, name=order)
    used("Bot", bot, "$LATEST", MODELS.delete_intent_version, name=order, version="1")
    used("Intent", order, "$LATEST", MODELS.delete_slot_type, name=kinds)
    used("Intent", order, "$LATEST", MODELS.delete_slot_type_version, name=kinds, version="1")
    say(bot, "order roses")
    MODELS.delete_bot_alias(botName=bot, name="PROD")
    refused("NotFoundException", RUNTIME.post_text, botName=bot, botAlias="PROD", userId="u:1",
            inputText="roses")
    MODELS.delete_bot_version(name=bot, version="1")
    refused("NotFoundException", MODELS.get_bot, name=bot, versionOrAlias="1")
    # A number is never given again.
    assert MODELS.create_bot_version(name=bot)["version"] == "2"
    for delete, get, name, version in (
            (MODELS.delete_bot, MODELS.get_bot, bot, "versionOrAlias"),
            (MODELS.delete_intent, MODELS.get_intent, order, "version"),
            (MODELS.delete_slot_type, MODELS.get_slot_type, kinds, "version")):
        assert delete(name=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
        refused("NotFoundException", get, name=name, **{version: "$LATEST"})
        refused("NotFoundException", delete, name=name)


@case
def a_bot_is_built_saved_or_failed():
    kinds, intent, bot = definitions()
    MODELS.put_slot_type(**kinds, createVersion=True)
    MODELS.put_intent(**intent, createVersion=True)
    minimum = {"name": bot["name"], "locale": "en-US", "childDirected": False}
    failed = MODELS.put_bot(**minimum)
    assert failed["status"] == "FAILED" and failed["failureReason"], failed
    saved = MODELS.put_bot(**bot, checksum=failed["checksum"], processBehavior="SAVE")
    assert saved["status"] == "NOT_BUILT", saved
    refused("BadRequestException", RUNTIME.post_text, botName=bot["name"], botAlias="$LATEST",
            userId="u:1", inputText="order roses")
    MODELS.put_bot(**bot, checksum=saved["checksum"])
    ready = until(lambda answer: answer["status"] == "READY", MODELS.get_bot, name=bot["name"],
                  versionOrAlias="$LATEST")
    assert "failureReason" not in ready, ready
    said = RUNTIME.post_text(botName=bot["name"], botAlias="$LATEST", userId="u:1",
                             inputText="order roses")
    assert said["dialogState"] == "ConfirmIntent" and said["botVersion"] == "$LATEST", said


def race(change, get):
    """Two clients change the same thing again and again, each with the checksum that it has read:
    what became of each try."""
    clients = [client("lex-models") for _ in range(2)]

    def one(i):
        outcomes = []
        for n in range(TRIES):
            read = get(clients[i])["checksum"]
            try:
                answer = change(clients[i], read, f"{i} {n}")
                outcomes.append((answer["checksum"], answer["description"]))
            except (clients[i].exceptions.ConflictException,
                    clients[i].exceptions.PreconditionFailedException) as error:
                outcomes.append(error.response["Error"]["Code"])
        return outcomes
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        outcomes = [outcome for each in threads.map(one, range(2)) for outcome in each]
    applied = dict(outcome for outcome in outcomes if isinstance(outcome, tuple))
    n_refused = collections.Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    print(f"        {len(applied)} applied, {dict(n_refused)}")
    assert len(applied) + sum(n_refused.values()) == 2 * TRIES and len(applied) >= TRIES / 2
    last = get(MODELS)
    assert applied.get(last["checksum"]) == last["description"], last
    return last


@case
def two_that_change_the_same_are_each_applied_whole_or_refused():
    kinds, intent, bot = definitions()
    MODELS.put_slot_type(**kinds, createVersion=True)
    MODELS.put_intent(**intent, createVersion=True)
    MODELS.put_bot(**bot, createVersion=True)
    alias = {"botName": bot["name"], "name": "PROD", "botVersion": "1",
             "conversationLogs": logs("lex-logs")}
    MODELS.put_bot_alias(**alias)

    def text(sent, description):
        return {**sent, "description": description}
    latest = "$LATEST"
    last = race(lambda api, sum, text_: api.put_bot(**text(bot, text_), checksum=sum),
                lambda api: api.get_bot(name=bot["name"], versionOrAlias=latest))
    same(last, text(bot, last["description"]))
    last = race(lambda api, sum, text_: api.put_intent(**text(intent, text_), checksum=sum),
                lambda api: api.get_intent(name=intent["name"], version=latest))
    same(last, text(intent, last["description"]))
    last = race(lambda api, sum, text_: api.put_slot_type(**text(kinds, text_), checksum=sum),
                lambda api: api.get_slot_type(name=kinds["name"], version=latest))
    same(last, text(kinds, last["description"]))
    last = race(lambda api, sum, text_: api.put_bot_alias(**text(alias, text_), checksum=sum),
                lambda api: api.get_bot_alias(botName=bot["name"], name="PROD"))
    assert len(last["conversationLogs"]["logSettings"]) == 1, last
    assert MODELS.get_bot_versions(name=bot["name"])["bots"][-1]["version"] == "1"


def at_once(*calls):
    """What becomes of calls that are made at once: answers, or the codes of their errors."""
    def one(call):
        try:
            return call()
        except ClientError as error:
            return error.response["Error"]["Code"]
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


@case
def one_of_two_makes_it():
    """Both find that there is nothing; both make it."""
    bot, _, _ = make_bot(alias=False)
    named = {"botName": bot, "name": "PROD", "botVersion": "1"}
    found = at_once(*(functools.partial(client("lex-models").put_bot_alias, **named, description=text)
                      for text in "abcd"))
    made = [answer["checksum"] for answer in found if isinstance(answer, dict)]
    refusals = {answer for answer in found if isinstance(answer, str)}
    assert len(made) == 1 and refusals <= {"ConflictException", "PreconditionFailedException"}, found
    assert MODELS.get_bot_alias(botName=bot, name="PROD")["checksum"] == made[0]
    for _ in range(5):
        name = letters("Kinds")
        found = at_once(*(functools.partial(client("lex-models").put_slot_type, name=each,
                                            enumerationValues=[{"value": "a"}])
                          for each in (name, name.upper(), name.lower())))
        assert sum(isinstance(answer, dict) for answer in found) == 1, "by case alone"
        assert found.count("ConflictException") == 2, found


@case
def what_begins_to_be_used_is_not_deleted():
    for _ in range(5):
        kinds, intent, _ = definitions()
        MODELS.put_slot_type(**kinds, createVersion=True)
        put, gone = at_once(functools.partial(client("lex-models").put_intent, **intent),
                            functools.partial(client("lex-models").delete_slot_type,
                                              name=kinds["name"]))
        if isinstance(put, dict):
            assert gone == "ResourceInUseException", gone
            assert MODELS.get_slot_type(name=kinds["name"], version="1")
        else:
            assert put in ("ConflictException", "BadRequestException") and isinstance(gone, dict)
            refused("NotFoundException", MODELS.get_intent, name=intent["name"], version="$LATEST")


run()
