"""Amazon Lex V1 through boto3: a bot is made, talked to and read back, and every error is an
exception of the client."""

import base64

from kit import case, own, run, unique
from lex_kit import MODELS, RUNTIME, aws, entries, logs, make_bot, refused, say


@case
def a_bot_is_made_and_read_back():
    bot, order, kinds = make_bot()
    got = MODELS.get_bot(name=bot, versionOrAlias="PROD")
    assert got["version"] == "1" and got["intents"][0]["intentName"] == order, got
    assert MODELS.get_bot(name=bot, versionOrAlias="$LATEST")["checksum"]
    assert MODELS.get_intent(name=order, version="1")["slots"][1]["name"] == "Name"
    assert MODELS.get_slot_type(name=kinds, version="1")["enumerationValues"][0]["value"] == "roses"
    alias = MODELS.get_bot_alias(botName=bot, name="PROD")
    setting = alias["conversationLogs"]["logSettings"][0]
    assert setting["resourcePrefix"] == f"aws/lex/{bot}/PROD/1/", setting
    names = [found["name"] for page in pages("get_bots") for found in page["bots"]]
    assert bot in names, names
    listed = MODELS.get_bot_aliases(botName=bot)["BotAliases"]
    assert [found["name"] for found in listed] == ["PROD"]
    versions = MODELS.get_bot_versions(name=bot)["bots"]
    assert [found["version"] for found in versions] == ["$LATEST", "1"]


def pages(operation, **arguments):
    paginator = MODELS.get_paginator(operation)
    return paginator.paginate(PaginationConfig={"PageSize": 1}, **arguments)


@case
def a_conversation_is_logged_with_the_request_ids_of_its_answers():
    bot, order, _ = make_bot()
    attributes = {"channel": "web", "x-convlog-customer-id": unique("k")}
    first = say(bot, "order tulip", requestAttributes=attributes)
    assert (first["intentName"], first["slotToElicit"]) == (order, "Name"), first
    done = say(bot, "Ann Smith", requestAttributes=attributes)
    assert done["dialogState"] == "ReadyForFulfillment", done
    assert done["slots"] == {"Kind": "tulips", "Name": "Ann Smith"}
    missed = say(bot, "blah blah")
    assert missed["dialogState"] == "ElicitIntent", missed
    kept = entries(bot)
    answers = [first, done, missed]
    ids = [answer["ResponseMetadata"]["RequestId"] for answer in answers]
    assert [entry["requestId"] for entry in kept] == ids
    assert kept[1]["inputTranscript"] == "{Name}" and kept[1]["slots"]["Name"] == "{Name}"
    assert kept[2]["missedUtterance"] is True and "intent" not in kept[2]
    assert kept[0]["sessionId"] == first["sessionId"] == kept[2]["sessionId"]
    path = f"/v1/workspaces/{bot}/logs?version=2021-11-27&sort=request_timestamp"
    status, page = own("GET", path)
    assert status == 200 and len(page["logs"]) == 3, page


@case
def content_is_answered_in_headers():
    bot, order, _ = make_bot()
    answer = RUNTIME.post_content(
        botName=bot,
        botAlias="PROD",
        userId="u1",
        contentType="text/plain; charset=utf-8",
        accept="text/plain; charset=utf-8",
        sessionAttributes={"s": "é"},
        inputStream=b"order roses",
    )
    assert answer["intentName"] == order and answer["slots"]["Kind"] == "roses", answer
    assert answer["sessionAttributes"] == {"s": "é"}
    assert answer["audioStream"].read() == b"Your name?"
    assert base64.b64decode(answer["encodedMessage"]) == b"Your name?"
    spoken = RUNTIME.post_content(
        botName=bot,
        botAlias="PROD",
        userId="u2",
        contentType="audio/l16; rate=16000; channels=1",
        accept="text/plain; charset=utf-8",
        inputStream=bytes(3200),
    )
    assert spoken["dialogState"] == "ElicitIntent", spoken
    assert entries(bot)[-1]["inputDialogMode"] == "Speech"


@case
def sessions_are_shown_put_and_deleted():
    bot, order, _ = make_bot()
    where = {"botName": bot, "botAlias": "PROD", "userId": "u1"}
    refused("NotFoundException", RUNTIME.get_session, **where)
    say(bot, "order roses", user="u1")
    shown = RUNTIME.get_session(**where)
    assert shown["dialogAction"]["slotToElicit"] == "Name", shown
    assert shown["recentIntentSummaryView"][0]["intentName"] == order
    action = {"type": "ElicitSlot", "intentName": order, "slotToElicit": "Kind"}
    put = RUNTIME.put_session(
        dialogAction=action, accept="text/plain; charset=utf-8", **where
    )
    assert put["slotToElicit"] == "Kind", put
    gone = RUNTIME.delete_session(**where)
    assert gone["sessionId"] == shown["sessionId"], gone


@case
def checksums_guard_every_change():
    bot, _, _ = make_bot()
    alias = MODELS.get_bot_alias(botName=bot, name="PROD")
    named = {"botName": bot, "name": "PROD", "botVersion": "1"}
    refused("PreconditionFailedException", MODELS.put_bot_alias, **named)
    refused("PreconditionFailedException", MODELS.put_bot_alias, checksum="x", **named)
    changed = MODELS.put_bot_alias(checksum=alias["checksum"], **named)
    assert "conversationLogs" not in changed, "settings are replaced as a whole"
    refused("BadRequestException", MODELS.put_bot_alias, checksum="x", **{**named, "name": "NEW"})


@case
def errors_are_those_of_the_service_model():
    bot, order, _ = make_bot()
    refused("NotFoundException", MODELS.get_bot, name="Nobody", versionOrAlias="1")
    in_use = refused("ResourceInUseException", MODELS.delete_intent, name=order)
    assert in_use["exampleReference"]["name"] == bot, in_use
    for name in ("PROD1", "a__b", "_a"):
        refused(
            "BadRequestException", MODELS.put_bot_alias, botName=bot, name=name, botVersion="1"
        )
    bad = {**logs("lex-logs"), "iamRoleArn": "arn:aws:iam::999999999999:role/other"}
    refused(
        "BadRequestException",
        MODELS.put_bot_alias,
        botName=bot,
        name="OTHER",
        botVersion="1",
        conversationLogs=bad,
    )
    for name in "BCDEF":
        create = {"botName": bot, "name": name, "botVersion": "1"}
        if name == "F":
            limit = refused("LimitExceededException", MODELS.put_bot_alias, **create)
            assert limit["ResponseMetadata"]["HTTPStatusCode"] == 429
        else:
            MODELS.put_bot_alias(**create)


@case
def everything_is_deleted_in_its_order():
    bot, order, kinds = make_bot()
    refused("ResourceInUseException", MODELS.delete_bot, name=bot)
    MODELS.delete_bot_alias(botName=bot, name="PROD")
    refused("NotFoundException", MODELS.get_bot_alias, botName=bot, name="PROD")
    MODELS.delete_bot(name=bot)
    MODELS.delete_intent(name=order)
    MODELS.delete_slot_type(name=kinds)
    refused("NotFoundException", MODELS.get_slot_type, name=kinds, version="1")


@case
def tags_are_kept():
    bot, _, _ = make_bot()
    arn = f"arn:aws:lex:us-east-1:123456789012:bot:{bot}"
    MODELS.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "shop"}])
    tags = MODELS.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "team", "value": "shop"}], tags
    MODELS.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert MODELS.list_tags_for_resource(resourceArn=arn)["tags"] == []


@case
def the_command_line_speaks_the_same():
    bot, _, _ = make_bot()
    alias = aws("lex-models", "get-bot-alias", "--name", "PROD", "--bot-name", bot)
    assert alias["botVersion"] == "1", alias
    where = ["--bot-name", bot, "--bot-alias", "PROD", "--user-id", "u:1"]
    said = aws("lex-runtime", "post-text", *where, "--input-text", "order roses")
    assert said["slotToElicit"] == "Name", said


run()
