"""The unmodified chatbotkit package against a running server: every form of a call and of a
request, pages under writers, streams, errors, and what survives a kill. The package is a test tool
only: nothing of it is copied."""

import asyncio
import atexit
import csv
import functools
import io
import json
import os
import signal
import subprocess
import tempfile
import urllib.request
from importlib.metadata import version

import httpx
import kit
from chatbotkit import APIError, ChatBotKit
from kit import own

LOG = "/api/v1/event/log/"
BOT_TAIL = "=ž東\u2028"


def case(function):
    """A case that is a coroutine."""
    @functools.wraps(function)
    def run():
        asyncio.run(function())
    return kit.case(run)


def client(url=kit.URL, **options):
    """A client as its documentation makes one."""
    return ChatBotKit(token=options.pop("token", kit.KEY), base_url=url, **options)


class Recorded(httpx.AsyncHTTPTransport):
    """The usual transport, which keeps what was asked and answered."""

    def __init__(self):
        super().__init__()
        self.seen = []

    async def handle_async_request(self, request):
        answer = await super().handle_async_request(request)
        self.seen.append((request, answer))
        return answer


class Server:
    """A server of the script's own, which it may kill."""

    def __init__(self, folder, **variables):
        self.folder = folder
        self.process = subprocess.Popen(
            [os.environ["CONVLOG_BIN"], "serve", "--data-dir", os.path.join(folder, "data"),
             "--listen", "127.0.0.1:0"],
            env={"PATH": os.environ["PATH"], "CONVLOG_ADMIN_KEY": kit.KEY, **variables},
            stdout=subprocess.PIPE, text=True)
        # Also when a case fails on the way; it does nothing to one that has ended.
        atexit.register(self.process.kill)
        line = self.process.stdout.readline().strip()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ")

    def end(self, number=signal.SIGTERM):
        """Asks for a clean end, or kills; the exit status."""
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait()


def create(event, url=kit.URL):
    """Keeps one event."""
    return kit.expect(200, own("POST", LOG + "create", event, url=url))["id"]


def load(events):
    """Keeps many events at once."""
    counts = kit.ingest(events, dialect="chatbotkit")
    assert counts["accepted"] == len(events), counts


def ids(items):
    """Their ids, in order."""
    return [item.id for item in items]


async def pages(log, **request):
    """Everything by pages, until the empty one, whose cursor is a string too."""
    found, cursor = [], ""
    while True:
        page = await log.list({**request, "cursor": cursor})
        if not page.items:
            assert page.cursor == ""
            return found
        found += page.items
        cursor = page.cursor


async def following(cbk, count, **body):
    """The next items of a subscription, which ends then. The package has no method for it."""
    items, stream = [], cbk.client_fetch(LOG + "subscribe", record=body).stream()
    async for line in stream:
        if line["type"] == "item":
            items.append(line["data"])
        if len(items) == count:
            break
    await stream.aclose()
    return items


async def refused(call, status, code, message):
    """Awaits the error of a call."""
    try:
        await call
    except APIError as error:
        assert (error.status_code, error.code, error.message) == (status, code, message), vars(error)
    else:
        raise AssertionError("it was not refused")


@kit.case
def the_package_is_the_one_that_is_pinned():
    assert version("chatbotkit") == "0.6.0"


@case
async def pages_and_typed_streams_find_the_same():
    for n in range(10):
        create({"id": f"same-{n}", "type": "same.x", "botId": None if n % 2 else "b",
                "meta": {"status": "ok" if n % 2 else "bad"}})
    async with client() as cbk:
        page = await cbk.event.log.list({"order": "asc", "take": 3, "meta": {"status": "ok"}})
        assert ids(page.items) == ["same-1", "same-3", "same-5"] and isinstance(page.cursor, str)
        assert isinstance(page.items[0].created_at, (int, float))
        paged = ids(await pages(cbk.event.log, order="asc", take=3, type="same.x"))
        assert len(paged) == 10
        streamed = [line.data.id async for line in
                    cbk.event.log.export({"order": "asc", "type": "same.x"}).stream()]
        assert streamed == paged
        streamed = [line.data.id async for line in
                    cbk.event.log.list({"order": "desc", "type": "same.x", "take": 4}).stream()]
        assert streamed == paged[:-5:-1]
        page = await cbk.event.log.export({"order": "asc", "type": "same.x", "take": 2})
        assert ids(page.items) == paged[:2]
        live = await following(cbk, 3, historyLength=3, type="same.*")
        assert [item["id"] for item in live] == paged[-3:]


@case
async def every_form_of_a_request_means_what_it_says():
    load([
        {"id": "f1", "type": "form.a", "botId": "fb1", "conversationId": "fc1",
         "meta": {"status": "ok", "n": 1, "b": True, "nil": None}},
        {"id": "f2", "type": "form.b", "botId": "fb1", "conversationId": "fc2",
         "meta": {"status": "ok", "n": 2, "b": False, "nil": 0}},
        {"id": "f3", "type": "form.b", "botId": "fb2", "conversationId": "fc3",
         "meta": {"k y": "a b&c=ž/+%", "arr": ["v", "w"], "%25": "100 %", "ž/東?#": "😀"}},
    ])
    transport = Recorded()
    async with client(transport=transport) as cbk:
        async def found(**request):
            page = await cbk.event.log.list({"type": "form.*", "order": "asc", **request})
            return ",".join(ids(page.items))
        meta = {"status": "ok", "relations.conversationId": "fc1", "n": 1, "b": True, "nil": None}
        assert await found(take=3, meta=meta) == "f1"
        query = transport.seen[-1][0].url.query.decode()
        assert query.endswith("take=3&meta.status=ok&meta.relations.conversationId=fc1"
                              "&meta.n=1&meta.b=true"), query
        assert await found(meta={"nil": "null"}) == "f1"
        assert await found(meta={"b": False}) == "f2"
        assert await found(botId="fb1", conversationId="fc1,fc2", take=2) == "f1,f2"
        assert await found(meta={"k y": "a b&c=ž/+%", "arr[0]": "v"}) == "f3"
        assert await found(meta={"%25": "100 %", "ž/東?#": "😀"}) == "f3"
        assert await found(meta={"arr[1]": "v"}) == ""
        assert await found(cursor="", take=1) == "f1"
        assert await found(cursor="f1") == "f2,f3"
        request, answer = transport.seen[-1]
        assert request.headers["accept"] == "application/json"
        assert answer.headers["content-type"] == "application/json"


@case
async def the_client_drives_a_bot_and_finds_what_was_said():
    async with client() as cbk:
        bot = (await cbk.bot.create({"name": "Shop", "meta": {"team": "red"}})).id
        made = {"name": "Shop", "language": "en", "connector": {"kind": "echo"}}
        kit.expect(200, own("PUT", f"/convlog/v1/bots/{bot}", made))
        assert ids((await cbk.bot.list({"meta": {"team": "red"}})).items) == [bot]
        talk = await cbk.conversation.create({"botId": bot, "contactId": "k8"})
        # The package has no methods for messages.
        path = f"/api/v1/conversation/{talk.id}/message/"
        sent = await cbk.client_fetch(path + "create", record={"type": "user", "text": "two ž😀"})
        messages = (await cbk.client_fetch(path + "list"))["items"]
        assert [(one["type"], one["text"]) for one in messages] == [
            ("user", "two ž😀"), ("bot", "two ž😀")], messages
        assert messages[0]["id"] == sent["id"]
        streamed = [line["data"] async for line in cbk.client_fetch(path + "list").stream()]
        assert streamed == messages
        assert (await cbk.conversation.fetch(talk.id)).bot_id == bot
        assert talk.id in ids((await cbk.conversation.list()).items)
        events = await pages(cbk.event.log, order="asc", conversationId=talk.id)
        assert [one.type for one in events] == [
            "conversation.create", "message.create", "message.create", "response.time"]
        assert {(one.bot_id, one.contact_id) for one in events} == {(bot, "k8")}
        usage = await cbk.usage.fetch()
        assert usage.conversations >= 1 and usage.messages >= 2, usage
        await cbk.bot.delete(bot)


@case
async def a_prefix_of_the_address_is_for_the_proxy_to_take_away():
    async with client(kit.URL + "/prefix") as cbk:
        await refused(cbk.event.log.list({"take": 1}), 404, "ERROR_404", "HTTP Error: Not Found")
    # A trailing slash is none.
    async with client(kit.URL + "/") as cbk:
        assert isinstance((await cbk.event.log.list({"take": 1})).cursor, str)


@case
async def pages_under_writers_show_each_event_once_and_a_walk_back_what_was_there():
    acknowledged, is_over = [], asyncio.Event()

    async def write(writer):
        for n in range(40):
            acknowledged.append(await asyncio.to_thread(
                create, {"id": f"w-{writer}-{n}", "type": "paged.x"}))

    async def write_all():
        await asyncio.gather(*(write(writer) for writer in range(3)))
        is_over.set()

    async with client() as cbk:
        async def up():
            found, cursor, is_last = [], "", False
            while True:
                page = await cbk.client_fetch(LOG + "list", query={
                    "order": "asc", "take": 7, "type": "paged.*", "cursor": cursor})
                found += [item["id"] for item in page["items"]]
                # Asked after the last write was answered, so that an empty page is the end.
                if is_last and not page["items"]:
                    return found
                is_last, cursor = is_over.is_set(), page["resumeCursor"]
        writing, reading = asyncio.create_task(write_all()), asyncio.create_task(up())
        walks = []
        while not is_over.is_set():
            before = set(acknowledged)
            walks.append((before, ids(await pages(cbk.event.log, take=11, type="paged.*"))))
        await writing
        found = await reading
        assert len(found) == len(set(found)) == 120
        assert found == ids(await pages(cbk.event.log, order="asc", take=500, type="paged.*"))
        for before, walked in walks:
            assert walked == found[:len(walked)][::-1], "exactly a prefix of the log"
            assert before <= set(walked), "with all that was answered before"
        assert len(walks) > 1


def text(number, length):
    """A text of every kind of character that a stream may break, as the Node script makes it."""
    alphabet = ["a", '"', "\\", "\n", "\t", "ž", "ß", "\u0085", "\u2028", "\u2029", "東", "京", "😀",
                "👩‍🚀", "\u00a0", "\ufeff", "=", ","]
    out, i = "", 0
    while len(out) < length:
        out += alphabet[(number * 7 + i * i) % len(alphabet)]
        i += 1
    return out


def multibyte(number):
    """An event that tells everything, the same for the same number."""
    return {
        "id": f"multi-{number:04}", "type": "multi.byte", "name": text(number, 20),
        "description": text(number + 1, 200), "botId": "bot 😀" + BOT_TAIL[number % 4:],
        "meta": {text(number, 5): text(number + 2, 1500), "list": [text(number, 9), {"d": "\u2028"}]},
        "createdAt": 1_760_000_000_000 + number,
    }


@case
async def streams_and_tables_keep_every_character():
    sent = [multibyte(number) for number in range(400)]
    load(sent)

    def check(items):
        expected = []
        for event in sent:
            meta = {**event["meta"], "relations": {"botId": event["botId"]}}
            expected.append({**event, "meta": meta})
        got = [{name: item[name] for name in sent[0]} for item in items]
        assert got == expected
    transport = Recorded()
    async with client(transport=transport) as cbk:
        def query(**more):
            return {"order": "asc", "type": "multi.byte", **more}
        typed = [line.data async for line in cbk.event.log.export(query()).stream()]
        assert [(one.id, one.name, one.description, one.bot_id, one.meta, one.created_at)
                for one in typed] == [
            (one["id"], one["name"], one["description"], one["botId"],
             {**one["meta"], "relations": {"botId": one["botId"]}}, one["createdAt"])
            for one in sent]
        assert transport.seen[-1][1].headers["content-encoding"] == "gzip"
        for name in ("list", "export"):
            check([line["data"] async for line in
                   cbk.client_fetch(LOG + name, query=query()).stream()])
        assert ids(await pages(cbk.event.log, **query(take=130))) == [one["id"] for one in sent]
        check(await following(cbk, 400, historyLength=400, type="multi.*"))
    async with httpx.AsyncClient() as http:
        answer = await http.get(kit.URL + LOG + "export", params=query(), headers={
            "authorization": "Bearer " + kit.KEY, "accept": "text/csv"})
        assert answer.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))

    def plain(cell):
        # What a spreadsheet would run has an apostrophe before it.
        return cell[1:] if cell[:1] == "'" and cell[1:2] in "=+-@\t\r" else cell
    check([{**row, "name": plain(row["name"]), "description": plain(row["description"]),
            "createdAt": int(row["createdAt"]), "meta": json.loads(row["meta"])} for row in rows])
    assert any(row["name"].startswith("'=") for row in rows)


@kit.case
def an_event_source_gets_ids_and_goes_on_from_the_last_one():
    for n in range(3):
        create({"id": f"sse-{n}", "type": "sse.x", "name": "ž\u2028"})

    def events(method, path, body=None, **headers):
        request = urllib.request.Request(kit.URL + path, data=body, method=method, headers={
            "Authorization": "Bearer " + kit.KEY, "Accept": "text/event-stream",
            "Content-Type": "application/json", **headers})
        with urllib.request.urlopen(request) as answer:
            fields = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif fields:
                    assert fields["event"] == "item"
                    assert json.loads(fields["data"])["id"] == fields["id"]
                    yield fields["id"]
                    fields = {}
    listed = list(events("GET", LOG + "list?order=asc&type=sse.x"))
    assert listed == ["sse-0", "sse-1", "sse-2"]
    headers = {"Last-Event-ID": "sse-0"}
    live = events("POST", LOG + "subscribe", b'{"type":"sse.x"}', **headers)
    assert [next(live), next(live)] == ["sse-1", "sse-2"]
    create({"id": "sse-3", "type": "sse.x"})
    assert next(live) == "sse-3"


@case
async def errors_are_shown_as_the_package_shows_them():
    wrong = "WRONGWRONGWRONGW.nothing-0123456789-0123456789-0123456789"
    nobody = (401, "NOT_AUTHENTICATED", "Not authenticated")
    async with client(token=wrong) as cbk:
        await refused(cbk.event.log.list(), *nobody)
        try:
            await anext(cbk.event.log.export().stream())
            raise AssertionError("the stream was not refused")
        except httpx.ResponseNotRead:
            pass  # The package loses the text of an error on a stream.
    async with client(run_as_user_id="somebody") as cbk:
        await refused(cbk.event.log.list(), *nobody)
    async with client(run_as_user_id="default", timezone="Europe/Prague") as cbk:
        assert isinstance((await cbk.event.log.list({"take": 1})).cursor, str)
        await refused(cbk.event.log.list({"cursor": "nobody"}), 400, "BAD_REQUEST",
                      "cursor: is neither a cursor nor the id of an event")
        await refused(cbk.client_fetch(LOG + "nothing"), 404, "NOT_FOUND", "Not found")
        await refused(cbk.client_fetch(LOG + "export", record={}), 405, "METHOD_NOT_ALLOWED",
                      "this path does not know the method")
        await refused(cbk.client_fetch(LOG + "create", record={"type": 1}), 400, "BAD_REQUEST",
                      "type: must be a string, not a number")


@case
async def a_rate_limit_is_an_error_and_does_not_touch_exports():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, CONVLOG_LIMITS_LIST_PER_MINUTE="2")
        create({"id": "one", "type": "r"}, url=server.url)
        async with client(server.url) as cbk:
            await cbk.event.log.list()
            await cbk.event.log.list()
            await refused(cbk.event.log.list(), 429, "LIMITS_REACHED",
                          "You have reached your allocated rate limits: rate/poll")
            streamed = [line.data.id async for line in
                        cbk.event.log.export({"type": "r"}).stream()]
            assert streamed == ["one"]
        assert server.end() == 0


@case
async def a_subscription_goes_on_after_a_kill_and_misses_nothing():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)

        def event(n):
            create({"id": f"k{n}", "type": "k.x"}, url=server.url)
        for n in range(4):
            event(n)
        async with client(server.url) as cbk:
            page = await cbk.client_fetch(LOG + "list", query={"order": "asc", "type": "k.*",
                                                               "take": 2})
            seen = []
            try:
                stream = cbk.client_fetch(LOG + "subscribe",
                                          record={"historyLength": 2, "type": "k.*"}).stream()
                async for line in stream:
                    seen.append(line["data"]["id"])
                    if len(seen) == 2:
                        event(4)
                    if len(seen) == 3:
                        event(5)
                        server.end(signal.SIGKILL)
                raise AssertionError("the stream ended as if it were whole")
            except httpx.RemoteProtocolError:
                pass
        assert seen[:3] == ["k2", "k3", "k4"]
        server = Server(folder)
        event(6)
        everything = [f"k{n}" for n in range(7)]
        async with client(server.url) as cbk:
            for cursor, expected in ((seen[-1], everything[2 + len(seen):]),
                                     (page["resumeCursor"], everything[2:])):
                found = await following(cbk, len(expected), cursor=cursor, type="k.*")
                assert [item["id"] for item in found] == expected, cursor
        assert server.end() == 0


if __name__ == "__main__":
    kit.run()
