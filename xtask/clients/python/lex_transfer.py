"""Definitions of Lex V1 as files, built-in intents and slot types, and what users said most:
through boto3, and where files are concerned through the AWS CLI too."""

import io
import json
import pathlib
import time
import urllib.error
import urllib.request
import zipfile

from kit import case, make_instance, run, unique
from lex_kit import MODELS, RUNTIME, aws, client, letters, make_bot, prompt, refused, say


def packed(document, name="export.json"):
    """An archive with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, document if isinstance(document, str) else json.dumps(document))
    return file.getvalue()


def document(resource, **metadata):
    known = {"schemaVersion": "1.0", "importType": "LEX", "importFormat": "JSON"}
    return {"metadata": {**known, **metadata}, "resource": resource}


def slot_type(name, *values):
    return {"name": name, "version": "3", "valueSelectionStrategy": "TOP_RESOLUTION",
            "description": None, "enumerationValues": [{"value": value, "synonyms": []}
                                                       for value in values]}


def intent(name, kinds):
    """An intent as exports of Lex hold one: what does not apply is null."""
    slot = {"name": "Kind", "slotConstraint": "Required", "slotType": kinds["name"],
            "slotTypeVersion": "3", "priority": 1, "sampleUtterances": [],
            "valueElicitationPrompt": prompt("Which kind?")}
    return {"name": name, "version": "2", "description": None, "rejectionStatement": None,
            "fulfillmentActivity": {"type": "ReturnIntent"}, "sampleUtterances": ["buy {Kind}"],
            "slots": [slot], "slotTypes": [kinds]}


def bot(name, *intents, **more):
    kinds = [kind for one in intents for kind in one["slotTypes"]]
    alone = [{key: value for key, value in one.items() if key != "slotTypes"} for one in intents]
    return {"name": name, "version": "4", "locale": "en-US", "childDirected": False,
            "voiceId": "0", "description": None, "idleSessionTTLInSeconds": 600,
            "clarificationPrompt": prompt("Pardon?"), "slotTypes": kinds, "intents": alone,
            "abortStatement": {"messages": [{"contentType": "PlainText", "content": "Bye"}]},
            **more}


def imported(payload, kind, merge="FAIL_ON_CONFLICT", models=MODELS, **more):
    """What becomes of an import."""
    started = models.start_import(payload=payload, resourceType=kind, mergeStrategy=merge, **more)
    assert started["ResponseMetadata"]["HTTPStatusCode"] == 201, started
    assert (started["resourceType"], started["mergeStrategy"]) == (kind, merge), started
    while True:
        shown = models.get_import(importId=started["importId"])
        if shown["importStatus"] != "IN_PROGRESS":
            break
        time.sleep(0.05)
    assert shown["createdDate"] == started["createdDate"] and shown["name"] == started["name"]
    return shown


def exported(name, version, kind, models=MODELS):
    """The document of an export, fetched as its documentation says: from a URL, unsigned."""
    shown = models.get_export(name=name, version=version, resourceType=kind, exportType="LEX")
    assert shown["exportStatus"] == "READY" and shown["name"] == name, shown
    with urllib.request.urlopen(shown["url"]) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    (file,) = archive.namelist()
    found = json.loads(archive.read(file))
    assert found["metadata"] == document({})["metadata"], found
    return found


@case
def a_bot_of_lex_comes_with_all_that_it_uses():
    kinds, order, shop = slot_type(letters("Kinds"), "roses", "tulips"), letters("Buy"), letters("Shop")
    file = packed(document(bot(shop, intent(order, kinds))))
    tags = [{"key": "team", "value": "shop"}]
    shown = imported(file, "BOT", tags=tags)
    assert shown["importStatus"] == "COMPLETE" and "failureReason" not in shown, shown
    put = MODELS.get_bot(name=shop, versionOrAlias="$LATEST")
    assert put["status"] == "READY" and put["idleSessionTTLInSeconds"] == 600, put
    assert put["intents"] == [{"intentName": order, "intentVersion": "$LATEST"}], put
    arn = f"arn:aws:lex:us-east-1:123456789012:bot:{shop}"
    assert MODELS.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    assert MODELS.get_intent(name=order, version="$LATEST")["slots"][0]["slotType"] == kinds["name"]
    refused("NotFoundException", MODELS.get_intent, name=order, version="1")
    # It is published in its order, and talks.
    MODELS.create_slot_type_version(name=kinds["name"])
    slots = MODELS.get_intent(name=order, version="$LATEST")
    slots["slots"][0]["slotTypeVersion"] = "1"
    kept = ("name", "slots", "sampleUtterances", "fulfillmentActivity", "checksum")
    MODELS.put_intent(**{key: slots[key] for key in kept}, createVersion=True)
    kept = ("name", "locale", "childDirected", "clarificationPrompt", "abortStatement", "checksum")
    MODELS.put_bot(**{key: put[key] for key in kept}, createVersion=True,
                   intents=[{"intentName": order, "intentVersion": "1"}])
    MODELS.put_bot_alias(botName=shop, name="PROD", botVersion="1")
    assert say(shop, "buy tulips")["slots"] == {"Kind": "tulips"}


@case
def what_is_exported_is_imported_elsewhere_and_exported_the_same():
    shop, order, kinds = make_bot()
    _, key = make_instance()
    elsewhere = client("lex-models", key=key)
    first = exported(shop, "1", "BOT")
    assert [one["name"] for one in first["resource"]["intents"]] == [order], first
    assert [one["name"] for one in first["resource"]["slotTypes"]] == [kinds], first
    assert imported(packed(first), "BOT", models=elsewhere)["importStatus"] == "COMPLETE"
    elsewhere.create_slot_type_version(name=kinds)
    for name, kind in ((order, "INTENT"), (kinds, "SLOT_TYPE")):
        found = exported(name, "1", kind)
        assert found["resource"]["name"] == name and found["resource"]["version"] == "1", found
        shown = imported(packed(found), kind, "OVERWRITE_LATEST", elsewhere)
        assert shown["importStatus"] == "COMPLETE", shown
    assert exported(kinds, "1", "SLOT_TYPE", elsewhere) == exported(kinds, "1", "SLOT_TYPE")
    plain = json.dumps(first).encode()
    shown = imported(plain, "BOT", "OVERWRITE_LATEST", elsewhere)
    assert shown["importStatus"] == "COMPLETE", "JSON without an archive"


@case
def names_that_exist_are_overwritten_or_fail_the_import():
    kinds = slot_type(letters("Kinds"), "roses")
    assert imported(packed(document(kinds)), "SLOT_TYPE")["importStatus"] == "COMPLETE"
    MODELS.create_slot_type_version(name=kinds["name"])
    before = MODELS.get_slot_type(name=kinds["name"], version="$LATEST")
    new = slot_type(kinds["name"], "tulips")
    order = letters("Buy")
    failed = imported(packed(document(intent(order, new))), "INTENT")
    assert failed["importStatus"] == "FAILED", failed
    assert any(kinds["name"] in reason for reason in failed["failureReason"]), failed
    refused("NotFoundException", MODELS.get_intent, name=order, version="$LATEST")
    after = MODELS.get_slot_type(name=kinds["name"], version="$LATEST")
    assert after["checksum"] == before["checksum"]
    shown = imported(packed(document(intent(order, new))), "INTENT", "OVERWRITE_LATEST")
    assert shown["importStatus"] == "COMPLETE", shown
    for version, value in (("$LATEST", "tulips"), ("1", "roses")):
        found = MODELS.get_slot_type(name=kinds["name"], version=version)
        assert found["enumerationValues"][0]["value"] == value, found


@case
def an_import_that_fails_says_why_and_changes_nothing():
    kinds, order, shop = slot_type(letters("Kinds"), "roses"), letters("Buy"), letters("Shop")
    lost = intent(order, kinds)
    lost["slots"][0]["slotType"] = letters("Lost")
    wrong = intent(order, kinds)
    wrong["slots"][0]["slotConstraint"] = "Sometimes"
    no_locale = bot(shop, intent(order, kinds), locale="xx-XX")
    for resource, kind, part in ((lost, "INTENT", "Lost"), (wrong, "INTENT", "slotConstraint"),
                                 (no_locale, "BOT", "locale")):
        for merge in ("FAIL_ON_CONFLICT", "OVERWRITE_LATEST"):
            failed = imported(packed(document(resource)), kind, merge)
            assert failed["importStatus"] == "FAILED", failed
            assert any(part in reason for reason in failed["failureReason"]), failed
    for get, named in ((MODELS.get_slot_type, {"name": kinds["name"], "version": "$LATEST"}),
                       (MODELS.get_intent, {"name": order, "version": "$LATEST"}),
                       (MODELS.get_bot, {"name": shop, "versionOrAlias": "$LATEST"})):
        refused("NotFoundException", get, **named)


@case
def what_is_no_file_of_lex_is_refused():
    kinds = slot_type(letters("Kinds"), "roses")
    two = io.BytesIO()
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.json", json.dumps(document(kinds)))
        archive.writestr("b.json", json.dumps(document(kinds)))
    for payload, part in [(b"PK\x03\x04 and no more", "payload"), (b"{", "payload"),
                          (packed("{"), "payload"), (two.getvalue(), "payload"),
                          (packed(document(kinds, importType="ALEXA")), "importType"),
                          (packed(document(kinds, schemaVersion="2.0")), "schemaVersion"),
                          (packed({"metadata": {}}), "metadata"),
                          (packed(document(intent(letters("Buy"), kinds))), "SLOT_TYPE")]:
        answer = refused("BadRequestException", MODELS.start_import, payload=payload,
                         resourceType="SLOT_TYPE", mergeStrategy="FAIL_ON_CONFLICT")
        assert part in answer["Error"]["Message"], answer
    refused("NotFoundException", MODELS.get_import, importId=unique("import"))
    refused("NotFoundException", MODELS.get_slot_type, name=kinds["name"], version="$LATEST")
    shop, _, _ = make_bot()
    where = {"name": shop, "version": "1", "resourceType": "BOT"}
    refused("BadRequestException", MODELS.get_export, exportType="ALEXA_SKILLS_KIT", **where)
    refused("NotFoundException", MODELS.get_export, exportType="LEX", **{**where, "version": "7"})
    url = MODELS.get_export(exportType="LEX", **where)["url"]
    try:
        urllib.request.urlopen(url[:-4] + "AAAA")
        raise AssertionError("another URL was answered")
    except urllib.error.HTTPError as error:
        assert error.code == 404, error


@case
def the_command_line_moves_files():
    kinds = slot_type(letters("Kinds"), "roses")
    order, shop = letters("Buy"), letters("Shop")
    path = pathlib.Path("shop.zip")
    path.write_bytes(packed(document(bot(shop, intent(order, kinds)))))
    command = ["lex-models", "start-import", "--payload", f"fileb://{path}", "--resource-type", "BOT",
               "--merge-strategy", "FAIL_ON_CONFLICT"]
    for state in ("COMPLETE", "FAILED"):
        started = aws(*command)
        shown = aws("lex-models", "get-import", "--import-id", started["importId"])
        assert shown["importStatus"] == state, shown
    assert order in "".join(shown["failureReason"]) or kinds["name"] in "".join(shown["failureReason"])
    aws("lex-models", "create-slot-type-version", "--name", kinds["name"])
    shown = aws("lex-models", "get-export", "--name", kinds["name"], "--resource-version", "1",
                "--resource-type", "SLOT_TYPE", "--export-type", "LEX")
    with urllib.request.urlopen(shown["url"]) as answer:
        path.write_bytes(answer.read())
    with zipfile.ZipFile(path) as archive:
        (file,) = archive.namelist()
        assert json.loads(archive.read(file))["resource"]["name"] == kinds["name"]
    command[3:6] = [f"fileb://{path}", "--resource-type", "SLOT_TYPE"]
    command[-1] = "OVERWRITE_LATEST"
    assert aws(*command)["importStatus"] in ("IN_PROGRESS", "COMPLETE")
    errors = aws("lex-models", "get-import", "--import-id", "none", fails=True)
    assert "NotFoundException" in errors, errors


def signatures(operation, member, size=50, **named):
    pages = MODELS.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}, **named)
    return [one for page in pages for one in page[member]]


@case
def built_in_intents_and_slot_types_are_listed_by_locale_and_signature():
    for operation, member in (("get_builtin_intents", "intents"),
                              ("get_builtin_slot_types", "slotTypes")):
        every = signatures(operation, member)
        names = [one["signature"] for one in every]
        assert len(set(names)) == len(names) > 10, names
        for size in (1, 7):
            assert signatures(operation, member, size) == every
        for locale in ("en-US", "de-DE", "ja-JP"):
            of_locale = [one for one in every if locale in one["supportedLocales"]]
            assert signatures(operation, member, 3, locale=locale) == of_locale != [], locale
        for part in ("AMAZON", names[0][7:10], names[-1]):
            wanted = [one for one in every if part in one["signature"]]
            assert signatures(operation, member, 2, signatureContains=part) == wanted != [], part
        assert signatures(operation, member, signatureContains="amazon.none") == []
        refused("BadRequestException", getattr(MODELS, operation), locale="xx-XX")
        refused("BadRequestException", getattr(MODELS, operation), nextToken="***")
        print(f"        {len(names)} of {operation}")


@case
def a_built_in_intent_is_shown_and_can_be_a_parent():
    for one in signatures("get_builtin_intents", "intents"):
        shown = MODELS.get_builtin_intent(signature=one["signature"])
        assert shown["supportedLocales"] == one["supportedLocales"], shown
        assert shown["slots"] == [], shown
    refused("NotFoundException", MODELS.get_builtin_intent, signature="AMAZON.NoneIntent")
    name = letters("Help")
    put = MODELS.put_intent(name=name, parentIntentSignature="AMAZON.HelpIntent",
                            fulfillmentActivity={"type": "ReturnIntent"})
    assert put["parentIntentSignature"] == "AMAZON.HelpIntent", put


def view(name, status, *versions):
    shown = MODELS.get_utterances_view(botName=name, botVersions=list(versions), statusType=status)
    assert shown["botName"] == name, shown
    return {one["botVersion"]: {(said["utteranceString"], said["count"], said["distinctUsers"])
                                for said in one["utterances"]} for one in shown["utterances"]}


@case
def what_users_said_most_is_counted_by_version():
    shop, order, _ = make_bot(obfuscation="NONE")
    for user, text in (("u1", "order roses"), ("u2", "order roses"), ("u3", "tell me a joke"),
                       ("u3", "tell me a joke"), ("u4", "order tulips")):
        say(shop, text, user=user)
    say(shop, "Ann", user="u1")
    detected = {("order roses", 2, 2), ("order tulips", 1, 1), ("Ann", 1, 1)}
    assert view(shop, "Detected", "1") == {"1": detected}
    assert view(shop, "Missed", "1") == {"1": {("tell me a joke", 2, 1)}}
    shown = MODELS.get_utterances_view(botName=shop, botVersions=["1"], statusType="Missed")
    (joke,) = shown["utterances"][0]["utterances"]
    assert joke["firstUtteredDate"] <= joke["lastUtteredDate"], joke
    # Another version, of which only new sessions know.
    put = MODELS.get_bot(name=shop, versionOrAlias="$LATEST")
    kept = ("name", "locale", "childDirected", "clarificationPrompt", "abortStatement", "checksum")
    MODELS.put_bot(**{key: put[key] for key in kept}, createVersion=True, description="new",
                   intents=[{"intentName": order, "intentVersion": "1"}])
    alias = MODELS.get_bot_alias(botName=shop, name="PROD")
    logs = alias["conversationLogs"]
    for setting in logs["logSettings"]:
        del setting["resourcePrefix"]
    MODELS.put_bot_alias(botName=shop, name="PROD", botVersion="2", checksum=alias["checksum"],
                         conversationLogs=logs)
    say(shop, "order roses", user="u5")
    assert view(shop, "Detected", "1", "2") == {"1": detected, "2": {("order roses", 1, 1)}}
    MODELS.delete_utterances(botName=shop, userId="u1")
    left = {("order roses", 1, 1), ("order tulips", 1, 1)}
    assert view(shop, "Detected", "1") == {"1": left}
    refused("BadRequestException", MODELS.get_utterances_view, botName=shop, statusType="Missed",
            botVersions=list("123456"))
    refused("NotFoundException", MODELS.get_utterances_view, botName=letters("Nobody"),
            botVersions=["1"], statusType="Missed")


@case
def a_bot_that_hides_a_slot_shows_nothing_of_what_was_said():
    shop, _, _ = make_bot()
    say(shop, "order roses")
    RUNTIME.delete_session(botName=shop, botAlias="PROD", userId="u:1")
    assert view(shop, "Detected", "1") in ({}, {"1": set()})


run()
