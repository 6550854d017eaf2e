"""Logs out through the SDK and in again through `convlog import` are deeply equal, and a customer
of the copy can still be erased."""

import json
import os
import subprocess
import tempfile

import kit
from kit import case, make_bot, unique
from ibm_cloud_sdk_core.authenticators import BasicAuthenticator
from ibm_watson import AssistantV1


def client(key):
    """A v1 client with this key."""
    sdk = AssistantV1(version="2021-11-27", authenticator=BasicAuthenticator("apikey", key))
    sdk.set_service_url(kit.URL)
    return sdk


def logs_of(key, bot):
    """All logs of a workspace by log id."""
    logs, cursor = {}, None
    while True:
        page = client(key).list_logs(bot, page_limit=7, cursor=cursor).get_result()
        logs.update((log["log_id"], log) for log in page["logs"])
        cursor = page["pagination"].get("next_cursor")
        if cursor is None:
            return logs


def convlog(*arguments, key):
    """Runs the program; its standard output."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
                   "CONVLOG_URL": kit.URL, "CONVLOG_KEY": key}
    done = subprocess.run([os.environ["CONVLOG_BIN"], *arguments], env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@case
def what_the_sdk_reads_comes_back_deeply_equal_through_import():
    bot = make_bot()
    for number in range(20):
        client(kit.KEY).message(bot, input={"text": f"two coffees please {number}"},
                                context={"seen": [number, 1.5, None, {"ä.b": "ü"}]})
    before = logs_of(kit.KEY, bot)
    assert len(before) == 20
    _, key = kit.make_instance()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "logs.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(list(before.values()), file)
        first = json.loads(convlog("import", "--json", path, key=key))
        assert first["accepted"] == 20 and first["duplicates"] == 0, first
        again = json.loads(convlog("import", "--json", path, key=key))
        assert again["accepted"] == 0 and again["duplicates"] == 20, again
    assert logs_of(key, bot) == before


@case
def customer_ids_travel_with_an_export():
    bot, customer = make_bot(), unique("acme")
    headers = {"X-Watson-Metadata": f"customer_id={customer}"}
    for text in ("two coffees please", "when are you open"):
        client(kit.KEY).message(bot, input={"text": text}, headers=headers)
    client(kit.KEY).message(bot, input={"text": "when are you open"})
    _, key = kit.make_instance()
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in (("a.jsonl", []), ("b.json", ["--format", "watson-json"])):
            path = os.path.join(folder, name)
            convlog("export", "--filter", f"bot::{bot}", *arguments, "--output", path,
                    key=kit.KEY)
            _, key = kit.make_instance()
            convlog("import", "--json", path, key=key)
            assert len(logs_of(key, bot)) == 3
            assert client(key).delete_user_data(customer).get_status_code() == 202
            assert len(logs_of(key, bot)) == 1


if __name__ == "__main__":
    kit.run()
