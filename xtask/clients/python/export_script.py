"""An export script of the shape that teams run: /v1/logs by workspace, assistant or deployment,
the next cursor taken out of next_url, pages written as nested JSON, and a table by pandas."""

import json
import os
import tempfile
from urllib.parse import parse_qs, urlparse

import pandas
import kit
from kit import case, unique
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_watson import AssistantV1

LOCATIONS = {
    "WORKSPACE": "workspace_id",
    "ASSISTANT": "request.context.system.assistant_id",
    "DEPLOYMENT": "request.context.metadata.deployment",
}
COLUMNS = ["conversation_id", "request_timestamp", "response_timestamp", "User Input", "Output",
           "Intent", "Confidence", "Exit Reason", "Logging", "Context"]


def export(kind, ident, language="en", page_limit=20, pages_max=999):
    """The pages of /v1/logs, each a list of logs."""
    client = AssistantV1(version="2020-04-01",
                         authenticator=IAMAuthenticator(kit.KEY, url=kit.URL))
    client.set_service_url(kit.URL + "/assistant/api")
    wanted = f"language::{language},{LOCATIONS[kind]}::{ident}"
    pages, cursor = [], None
    while len(pages) < pages_max:
        answer = client.list_all_logs(wanted, page_limit=page_limit, cursor=cursor).get_result()
        pages.append(answer["logs"])
        if not answer["pagination"]:
            return pages
        cursor = parse_qs(urlparse(answer["pagination"]["next_url"]).query)["cursor"][0]
        assert cursor == answer["pagination"]["next_cursor"]
    raise AssertionError("the walk did not end")


def table(pages):
    """The ten columns, sorted as teams sort them."""
    rows = []
    for log in (log for page in pages for log in page):
        response = log["response"]
        intent = response["intents"][0] if response["intents"] else {}
        context = response["context"]
        rows.append([
            context["conversation_id"], log["request_timestamp"], log["response_timestamp"],
            response["input"]["text"], " ".join(response["output"]["text"]),
            intent.get("intent", ""), intent.get("confidence", ""),
            context["system"].get("branch_exited_reason", ""),
            response["output"].get("log_messaging", ""), json.dumps(context)])
    frame = pandas.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["conversation_id", "request_timestamp"])


@case
def every_log_is_exported_once_over_many_pages():
    bot = unique("export")
    logs = [kit.watson_log(n, bot) for n in range(73)]
    kit.ingest(logs)
    pages = export("WORKSPACE", bot)
    assert len(pages) == 4
    out = {log["log_id"]: log for page in pages for log in page}
    assert out == {log["log_id"]: log for log in logs}
    frame = table(pages)
    assert list(frame.columns) == COLUMNS and len(frame) == 73
    assert set(frame["Exit Reason"]) == {"completed"}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "logs.xlsx")
        frame.to_excel(path, index=False)
        assert len(pandas.read_excel(path)) == 73


@case
def logs_of_v2_conversations_are_exported_by_their_assistant():
    bot, assistant, environment = unique("skill"), unique("as"), unique("env")
    log = {
        "log_id": unique("log"), "assistant_id": assistant, "session_id": unique("session"),
        "skill_id": bot, "snapshot": "draft", "language": "en",
        "request": {"input": {"message_type": "text", "text": "two coffees"},
                    "context": {"global": {"system": {"user_id": "u-17"}}}, "user_id": "u-17"},
        "response": {"user_id": "u-17", "output": {
            "generic": [{"response_type": "text", "text": "Coming up."}],
            "intents": [{"intent": "place_order", "confidence": 0.91}], "entities": [],
            "debug": {"nodes_visited": [{"dialog_node": "node_order", "title": "Order",
                                         "conditions": "#place_order"}],
                      "log_messages": [], "branch_exited": True,
                      "branch_exited_reason": "completed"}},
            "context": {"global": {"system": {"turn_count": 1, "user_id": "u-17"}},
                        "environment": environment}},
        "request_timestamp": "2026-03-02T09:00:41.318Z",
        "response_timestamp": "2026-03-02T09:00:41.521Z"}
    kit.ingest([log], "watson-v2")
    pages = export("ASSISTANT", assistant)
    assert len(pages) == 1 and len(pages[0]) == 1, pages
    row = table(pages).iloc[0]
    assert row["conversation_id"] == log["session_id"]
    assert row["Output"] == "Coming up." and row["Intent"] == "place_order"
    shown = pages[0][0]["response"]
    assert shown["output"]["nodes_visited"] == ["node_order"]
    assert shown["context"]["system"]["branch_exited_reason"] == "completed"


@case
def an_export_of_nothing_is_one_empty_page():
    assert export("WORKSPACE", unique("nothing")) == [[]]


if __name__ == "__main__":
    kit.run()
