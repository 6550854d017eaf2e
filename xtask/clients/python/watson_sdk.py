"""The unmodified ibm-watson SDK for Python against a running server: everything it calls."""

import inspect
import json

import kit
from kit import case, make_bot, own, unique
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import (
    BasicAuthenticator, BearerTokenAuthenticator, CloudPakForDataAuthenticator, IAMAuthenticator,
    NoAuthAuthenticator)
from ibm_watson import AssistantV1, AssistantV2
from ibm_watson.version import __version__

SDK_MAJOR = int(__version__.split(".", maxsplit=1)[0])


def v1(authenticator=None, prefix=""):
    """A v1 client."""
    authenticator = authenticator or BasicAuthenticator("apikey", kit.KEY)
    client = AssistantV1(version="2021-11-27", authenticator=authenticator)
    client.set_service_url(kit.URL + prefix)
    return client


def v2(authenticator=None, prefix=""):
    """A v2 client."""
    authenticator = authenticator or BasicAuthenticator("apikey", kit.KEY)
    client = AssistantV2(version="2024-08-25", authenticator=authenticator)
    client.set_service_url(kit.URL + prefix)
    return client


def ids(method, assistant, environment):
    """The leading arguments of a v2 call. SDKs before 11 put no environment into the URL, so they
    are given the environment's id in place of the assistant's, as their users do."""
    takes = inspect.signature(method).parameters
    assistant = assistant if SDK_MAJOR >= 11 else environment
    return [assistant, environment] if "environment_id" in takes else [assistant]


def bot_with_environment():
    """A bot with one environment: (bot, environment)."""
    environment = unique("env")
    return make_bot(environments=[{"id": environment, "name": "live"}]), environment


def refused(call, code, message):
    """Asserts that the SDK raises its exception with this status and text."""
    try:
        call()
    except ApiException as error:
        # Releases of the SDK name the same two things differently.
        status = getattr(error, "status_code", None) or error.code
        assert status == code, error
        assert message in str(error), error
        return error
    raise AssertionError(f"expected {code} {message!r}")


def all_pages(call, **arguments):
    """Follows next_cursor to the end: (logs, number of pages)."""
    logs, pages, cursor = [], 0, None
    while True:
        answer = call(cursor=cursor, **arguments).get_result()
        logs += answer["logs"]
        pages += 1
        cursor = answer["pagination"].get("next_cursor")
        if cursor is None:
            assert answer["pagination"] == {}, answer["pagination"]
            return logs, pages


@case
def a_v1_message_is_answered_and_listed_by_the_next_read():
    bot = make_bot()
    answer = v1().message(bot, input={"text": "two coffees please"}, user_id="u-17",
                          context={"metadata": {"deployment": "shop-prod"}}).get_result()
    assert answer["intents"][0]["intent"] == "place_order", answer
    assert answer["output"]["text"] == ["Coming up."], answer
    assert answer["entities"][0]["value"] == "coffee", answer
    assert answer["user_id"] == "u-17"
    conversation = answer["context"]["conversation_id"]
    again = v1().message(bot, input={"text": "when are you open"},
                         context=answer["context"]).get_result()
    assert again["context"]["conversation_id"] == conversation
    assert again["context"]["system"]["dialog_turn_counter"] == 2, again["context"]
    logs = v1().list_logs(bot, sort="request_timestamp").get_result()["logs"]
    assert [log["request"]["input"]["text"] for log in logs] == [
        "two coffees please", "when are you open"]
    first = logs[0]
    for field in ("request", "response", "log_id", "request_timestamp", "response_timestamp",
                  "workspace_id", "language"):
        assert field in first, field
    assert first["response"] == answer
    assert first["workspace_id"] == bot and "customer_id" not in first


@case
def a_v1_message_without_a_body_and_with_empty_text_is_the_welcome_turn():
    bot = make_bot()
    v1().message(bot).get_result()
    v1().message(bot, input={"text": ""}).get_result()
    assert len(v1().list_logs(bot).get_result()["logs"]) == 2


@case
def logs_are_paged_over_more_than_three_pages_each_record_once():
    bot = unique("pages")
    logs = [kit.watson_log(n, bot) for n in range(95)]
    counts = kit.ingest(logs)
    assert counts == {"accepted": 95, "duplicates": 0, "erased": 0, "rejected": []}, counts
    for sort in ("request_timestamp", "-request_timestamp"):
        listed, pages = all_pages(lambda **a: v1().list_logs(bot, **a), page_limit=20, sort=sort)
        assert pages == 5
        times = [log["request_timestamp"] for log in listed]
        assert times == sorted(times, reverse=sort.startswith("-"))
        assert {log["log_id"] for log in listed} == {log["log_id"] for log in logs}
        assert len(listed) == 95
    by_id = {log["log_id"]: log for log in listed}
    assert all(by_id[log["log_id"]] == log for log in logs)


@case
def a_full_last_page_has_no_cursor():
    bot = unique("full")
    kit.ingest(kit.watson_log(n, bot) for n in range(40))
    first = v1().list_logs(bot, page_limit=20).get_result()
    second = v1().list_logs(bot, page_limit=20,
                            cursor=first["pagination"]["next_cursor"]).get_result()
    assert len(second["logs"]) == 20 and second["pagination"] == {}


@case
def the_match_set_is_frozen_while_new_logs_arrive():
    bot = unique("frozen")
    kit.ingest(kit.watson_log(n, bot) for n in range(30))
    page = v1().list_logs(bot, page_limit=10, sort="-request_timestamp").get_result()
    seen = [log["log_id"] for log in page["logs"]]
    number = 100
    while "next_cursor" in page["pagination"]:
        kit.ingest([kit.watson_log(number, bot)])
        number += 1
        page = v1().list_logs(bot, page_limit=10, sort="-request_timestamp",
                              cursor=page["pagination"]["next_cursor"]).get_result()
        seen += [log["log_id"] for log in page["logs"]]
    assert len(seen) == len(set(seen)) == 30, len(seen)


@case
def filters_find_what_they_name():
    bot = unique("filter")
    kit.ingest([
        kit.watson_log(1, bot, customer_id="acme-1"),
        kit.watson_log(2, bot, language="es"),
        kit.watson_log(3, bot),
    ])
    found = v1().list_logs(bot, filter="language::es").get_result()["logs"]
    assert len(found) == 1 and found[0]["language"] == "es"
    found = v1().list_logs(bot, filter="customer_id::acme-1").get_result()["logs"]
    assert len(found) == 1
    found = v1().list_logs(
        bot, filter="response.intents:(intent::place_order,confidence>0.9)").get_result()["logs"]
    assert len(found) == 3
    every = v1().list_all_logs(f"language::en,workspace_id::{bot}").get_result()["logs"]
    assert len(every) == 2


@case
def filter_mistakes_are_named_with_their_position():
    bot = make_bot()
    error = refused(lambda: v1().list_logs(bot, filter="language::en,"), 400, "")
    assert "column" in str(error) or "position" in str(error), error
    refused(lambda: v1().list_logs(bot, filter="request.input.text:cat~3"), 400, "")
    error = refused(lambda: v1().list_all_logs("language::en"), 400, "")
    assert "workspace_id" in str(error), error


@case
def v2_sessions_keep_their_context_and_end():
    bot, environment = bot_with_environment()
    client = v2()
    created = client.create_session(*ids(client.create_session, bot, environment))
    assert created.get_status_code() == 201
    session = created.get_result()["session_id"]
    arguments = ids(client.message, bot, environment) + [session]
    context = {"skills": {"main skill": {"user_defined": {"name": "Ada"}}}}
    first = client.message(*arguments, input={"text": "two coffees please"},
                           context=context, user_id="u-9").get_result()
    assert first["output"]["intents"][0]["intent"] == "place_order", first
    assert "context" not in first
    second = client.message(*arguments, input={
        "text": "when are you open", "options": {"return_context": True}}).get_result()
    main = second["context"]["skills"]["main skill"]
    assert main["user_defined"]["name"] == "Ada", second["context"]
    assert second["context"]["global"]["system"]["turn_count"] == 2
    logs = client.list_logs(bot, sort="request_timestamp").get_result()["logs"]
    mine = [log for log in logs if log["session_id"] == session]
    assert len(mine) == 2, logs
    for field in ("log_id", "request", "response", "assistant_id", "session_id", "skill_id",
                  "snapshot", "request_timestamp", "response_timestamp", "language"):
        assert field in mine[0], field
    assert "nodes_visited" in mine[0]["response"]["output"]["debug"]
    assert mine[0]["response"]["context"]["global"]["session_id"] == session
    by_environment = client.list_logs(environment).get_result()["logs"]
    assert [log["log_id"] for log in by_environment if log["session_id"] == session]
    ended = client.delete_session(*ids(client.delete_session, bot, environment), session)
    assert ended.get_status_code() == 200
    refused(lambda: client.message(*arguments, input={"text": "hi"}), 404, "Invalid Session")


@case
def v2_stateless_messages_return_the_context():
    bot, environment = bot_with_environment()
    client = v2()
    answer = client.message_stateless(*ids(client.message_stateless, bot, environment),
                                      input={"text": "two coffees please"},
                                      user_id="u-3").get_result()
    assert answer["context"]["global"]["system"]["turn_count"] == 1
    assert answer["user_id"] == "u-3"
    again = client.message_stateless(*ids(client.message_stateless, bot, environment),
                                     input={"text": "when are you open"},
                                     context=answer["context"]).get_result()
    assert again["context"]["global"]["system"]["turn_count"] == 2


@case
def a_log_written_in_one_version_is_listed_by_the_other():
    bot, environment = bot_with_environment()
    v1().message(bot, input={"text": "two coffees please"}, user_id="u-1")
    log = v2().list_logs(bot).get_result()["logs"][0]
    assert log["response"]["output"]["generic"][0]["text"] == "Coming up.", log
    assert log["response"]["output"]["intents"][0]["intent"] == "place_order"
    client = v2()
    client.message_stateless(*ids(client.message_stateless, bot, environment),
                             input={"text": "when are you open"}, user_id="u-2")
    logs = v1().list_logs(bot, sort="-request_timestamp").get_result()["logs"]
    assert logs[0]["response"]["output"]["text"] == ["Nine to five."], logs[0]
    assert logs[0]["response"]["context"]["conversation_id"]
    assert logs[0]["response"]["context"]["system"] is not None
    assert logs[0]["response"]["output"]["nodes_visited"] is not None


@case
def a_customer_is_erased_from_both_versions_and_what_comes_later_stays():
    bot, customer = make_bot(), unique("acme")
    headers = {"X-Watson-Metadata": f"customer_id={customer};customer_id=other"}
    v1().message(bot, input={"text": "two coffees please"}, headers=headers)
    v1().message(bot, input={"text": "when are you open"}, headers=headers)
    found = v1().list_logs(bot, filter=f"customer_id::{customer}").get_result()["logs"]
    assert len(found) == 2
    shown = v2().list_logs(bot).get_result()["logs"]
    assert shown[0]["customer_id"] == customer
    page = v1().list_logs(bot, page_limit=1).get_result()
    gone = v1().delete_user_data(customer)
    assert gone.get_status_code() == 202 and gone.get_result() == {}
    cursor = page["pagination"]["next_cursor"]
    assert v1().list_logs(bot, page_limit=1, cursor=cursor).get_result()["logs"] == []
    assert v1().list_logs(bot).get_result()["logs"] == []
    assert v2().list_logs(bot).get_result()["logs"] == []
    v1().message(bot, input={"text": "two coffees please"}, headers=headers)
    assert len(v1().list_logs(bot).get_result()["logs"]) == 1
    assert v2().delete_user_data(unique("nobody")).get_status_code() == 202


@case
def errors_are_shown_as_the_sdk_shows_them():
    bot, environment = bot_with_environment()
    text = "text can not contain the following characters: tab, new line, carriage return."
    refused(lambda: v1().message(bot, input={"text": "a\nb"}), 400, text)
    refused(lambda: v1().message(bot, input={"text": "x" * 2049}), 400, "text")
    refused(lambda: v1().message(unique("none"), input={"text": "hi"}), 404, "Resource not found")
    client = v2()
    refused(lambda: client.message(*ids(client.message, bot, environment), "no-such",
                                   input={"text": "hi"}), 404, "Invalid Session")
    wrong = BasicAuthenticator("apikey", "WRONGWRONGWRONGW." + "x" * 40)
    refused(lambda: v1(wrong).list_logs(bot), 401, "Unauthorized")
    refused(lambda: v1(NoAuthAuthenticator()).list_logs(bot), 401, "Unauthorized")
    reader = kit.expect(201, own("POST", "/convlog/v1/keys",
                                 {"name": unique("reader"), "roles": ["read"]}))["key"]
    client = v1(BasicAuthenticator("apikey", reader))
    refused(lambda: client.message(bot, input={"text": "hi"}), 403, "role write")
    assert client.list_logs(bot).get_status_code() == 200


@case
def every_authenticator_works_against_this_server_alone():
    bot = make_bot()
    for authenticator in (
            BearerTokenAuthenticator(kit.KEY),
            IAMAuthenticator(kit.KEY, url=kit.URL),
            CloudPakForDataAuthenticator("owner", kit.KEY, url=kit.URL)):
        assert v1(authenticator).list_logs(bot).get_status_code() == 200, authenticator


@case
def prefixes_before_the_version_are_served():
    bot = make_bot()
    for prefix in ("/assistant/api", "/instances/0c9ce3f2-3b2b-4b5c-a3b1-4cd0d7f5c1a0"):
        assert v1(prefix=prefix).list_logs(bot).get_status_code() == 200
        assert v2(prefix=prefix).list_logs(bot).get_status_code() == 200


@case
def log_answers_carry_the_headers_that_clients_read():
    bot = make_bot()
    headers = v1().list_logs(bot).get_headers()
    assert int(headers["X-RateLimit-Remaining"]) > 0
    assert int(headers["X-RateLimit-Limit"]) > 0 and int(headers["X-RateLimit-Reset"]) > 0
    assert headers["X-Global-Transaction-ID"]
    assert headers["Content-Type"].startswith("application/json")


@case
def compressed_requests_are_accepted():
    bot = make_bot()
    client = v1()
    client.set_enable_gzip_compression(True)
    answer = client.message(bot, input={"text": "two coffees please"}).get_result()
    assert answer["output"]["text"] == ["Coming up."]


@case
def learning_opt_out_is_kept_and_never_shown():
    bot = make_bot()
    v1().message(bot, input={"text": "two coffees please"},
                 headers={"X-Watson-Learning-Opt-Out": "true"})
    v1().message(bot, input={"text": "when are you open"})
    logs = v1().list_logs(bot).get_result()["logs"]
    assert len(logs) == 2 and "opt_out" not in json.dumps(logs)
    status, answer = own("GET", f"/convlog/v1/records?filter=bot::{bot},learning_opt_out::true")
    assert status == 200 and len(answer["records"]) == 1, answer


if __name__ == "__main__":
    kit.run()
