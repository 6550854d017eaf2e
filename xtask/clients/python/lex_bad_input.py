"""What boto3 makes of requests to Lex V1 that are wrong beyond single members: bodies, headers,
media types, signatures and clocks; and of requests that are sent twice."""

import base64
import contextlib
import datetime
import http.client
import http.server
import json
import threading
import urllib.parse
from unittest import mock

from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from kit import URL, case, run, unique
from lex_kit import (ID, MODELS, RUNTIME, SECRET, client, entries, key_with, letters, make_bot,
                     refused, say)

TEXT = "text/plain; charset=utf-8"
SPEECH = "audio/l16; rate=16000; channels=1"
BOT, _, _ = make_bot()
WHERE = {"botName": BOT, "botAlias": "PROD", "userId": "u:1"}


@contextlib.contextmanager
def nothing_logged():
    """Nothing is logged within, and nothing of a session begun."""
    before = len(entries(BOT))
    user = unique("user")
    yield user
    assert len(entries(BOT)) == before
    refused("NotFoundException", RUNTIME.get_session, **{**WHERE, "userId": user})


def sent(api, event, change):
    """A client whose requests are changed before they are signed."""
    api.meta.events.register(f"before-sign.{event}", lambda request, **_: change(request))
    return api


def content(user, body=b"order roses", **more):
    return {**WHERE, "userId": user, "contentType": TEXT, "accept": TEXT, "inputStream": body,
            **more}


@case
def texts_attributes_and_audio_have_a_most():
    with nothing_logged() as user:
        long = refused("BadRequestException", RUNTIME.post_text, inputText="y" * 1025,
                       **{**WHERE, "userId": user})
        assert "'inputText'" in long["Error"]["Message"], long
        assert "yyy" not in long["Error"]["Message"], long
        long = refused("BadRequestException", RUNTIME.post_content, **content(user, b"y" * 1025))
        assert "inputStream" in long["Error"]["Message"], long
        half = {"key": "z" * 7_000}
        for more in ({"sessionAttributes": {"key": "z" * 12_300}},
                     {"requestAttributes": {"key": "z" * 12_300}},
                     {"sessionAttributes": half, "requestAttributes": half}):
            large = refused("BadRequestException", RUNTIME.post_content, **content(user, **more))
            assert "Attributes" in large["Error"]["Message"], large
            assert "zzz" not in large["Error"]["Message"], large
        # 15 seconds, and one sample more.
        refused("RequestTimeoutException", RUNTIME.post_content,
                **content(user, bytes(480_002), contentType=SPEECH))
    fits = content(unique("user"), bytes(480_000), contentType=SPEECH, sessionAttributes=half)
    assert RUNTIME.post_content(**fits)["sessionAttributes"] == half


@case
def what_no_limit_of_lex_stops_is_stopped_by_those_of_the_server():
    with nothing_logged() as user:
        refused("RequestTimeoutException", RUNTIME.post_content,
                **content(user, bytes(2 << 20), contentType=SPEECH))
        large = {"key": "z" * (5 << 20)}
        refused("BadRequestException", RUNTIME.post_text, inputText="order",
                sessionAttributes=large, **{**WHERE, "userId": user})


@case
def media_types_have_errors_of_their_own():
    with nothing_logged() as user:
        for kind in ("text/html", "application/json", "audio/mpeg", "audio/l16",
                     "audio/l16; rate=44100; channels=2", "x"):
            refused("UnsupportedMediaTypeException", RUNTIME.post_content,
                    **content(user, contentType=kind))
        for kind in ("image/png", "text/html", "audio/wav"):
            refused("NotAcceptableException", RUNTIME.post_content, **content(user, accept=kind))
            refused("NotAcceptableException", RUNTIME.put_session, accept=kind,
                    **{**WHERE, "userId": user})


@case
def headers_that_cannot_be_decoded_are_named():
    def with_header(name, value):
        def change(request):
            del request.headers[name]
            request.headers[name] = value
        return sent(client("lex-runtime"), "lex-runtime.PostContent", change)

    def packed(value):
        return base64.b64encode(json.dumps(value).encode()).decode()

    bad = ["***", "e30", base64.b64encode(b"{").decode(), base64.b64encode(b"\xff{}").decode(),
           packed([]), packed({"a": 1}), packed({"a": None}), packed({"a": {"b": "c"}})]
    with nothing_logged() as user:
        for what in ("session", "request"):
            text = (f"Failed to decode {what} attributes. {what.capitalize()} attributes should be "
                    "a Base64 encoded json map of String to String.")
            for value in bad:
                api = with_header(f"x-amz-lex-{what}-attributes", value)
                answer = refused("BadRequestException", api.post_content, **content(user))
                assert answer["Error"]["Message"] == text, (value, answer)
        lives = {"timeToLiveInSeconds": 60, "turnsToLive": 2}
        for value in ("***", packed({}), packed([{"name": "A", "parameters": {}}]),
                      packed([{"name": "1", "parameters": {}, "timeToLive": lives}]),
                      packed([{"name": "A", "parameters": {}, "timeToLive": lives}] * 21)):
            api = with_header("x-amz-lex-active-contexts", value)
            answer = refused("BadRequestException", api.post_content, **content(user))
            assert answer["Error"]["Message"], answer


@case
def bodies_that_are_no_json_are_named():
    with nothing_logged() as user:
        for body, part in ((b"{", "not valid JSON"), (b"[]", "must be an object"),
                           (b'{"inputText":', "not valid JSON"), (b"\xff", "not valid JSON"),
                           (b'{"inputText":["x"]}', "inputText"),
                           (b'{"inputText":"x","sessionAttributes":"y"}', "sessionAttributes")):
            def change(request, body=body):
                request.data = body
            api = sent(client("lex-runtime"), "lex-runtime.PostText", change)
            answer = refused("SerializationException", api.post_text, inputText="x",
                             **{**WHERE, "userId": user})
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
            assert part in answer["Error"]["Message"], answer


@case
def operations_that_are_none_are_named():
    def to(path, method):
        def change(request):
            request.url, request.method = URL + path, method
        return sent(client("lex-models"), "lex-models.GetBots", change)
    for path, method in (("/nothing", "GET"), ("/bots/Shop/nothing", "GET"), ("/bots/", "POST"),
                         ("/bots/Shop/versions/1/more", "GET"), ("/intents/", "PUT")):
        answer = refused("UnknownOperationException", to(path, method).get_bots)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] in (400, 404), answer


@contextlib.contextmanager
def clock(seconds):
    """The clock of botocore's signer, so many seconds off."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    with mock.patch("botocore.auth.get_current_datetime", lambda **_: now):
        yield


@case
def clocks_may_be_off_by_a_quarter_of_an_hour():
    for seconds in (-870, 870):
        with clock(seconds):
            MODELS.get_bot(name=BOT, versionOrAlias="1")
    with nothing_logged() as user:
        for seconds, part in ((-930, "Signature expired"), (930, "Signature not yet current"),
                              (-400 * 86_400, "Signature expired")):
            with clock(seconds):
                answer = refused("InvalidSignatureException", RUNTIME.post_text,
                                 inputText="order", **{**WHERE, "userId": user})
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403, answer
            assert part in answer["Error"]["Message"], answer


@case
def keys_and_scopes_that_do_not_fit_are_refused():
    stranger = "A" * 20 + "." + SECRET
    tried = [
        ("MissingAuthenticationTokenException", {"signature_version": UNSIGNED}),
        ("UnrecognizedClientException", {"key": stranger}),
        ("UnrecognizedClientException", {"token": "made.up.token"}),
        ("InvalidSignatureException", {"secret": "x" * 40}),
        ("InvalidSignatureException", {"secret": SECRET.swapcase()}),
        ("InvalidSignatureException", {"region": "eu-west-1"}),
    ]
    with nothing_logged() as user:
        for code, how in tried:
            answer = refused(code, client("lex-models", **how).get_bots)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403, answer
            assert SECRET not in str(answer)
            refused(code, client("lex-runtime", **how).post_text, inputText="order",
                    **{**WHERE, "userId": user})
        # A key that reads is not one that changes.
        reader = client("lex-models", key=key_with("read"))
        assert reader.get_bot(name=BOT, versionOrAlias="1")["name"] == BOT
        refused("AccessDeniedException", reader.delete_bot_alias, botName=BOT, name="PROD")
        refused("AccessDeniedException", client("lex-runtime", key=key_with("read")).post_text,
                inputText="order", **{**WHERE, "userId": user})
    assert MODELS.get_bot_alias(botName=BOT, name="PROD")


def signed(method, path, body=b"", service="lex", region="us-east-1", **headers):
    """A request as botocore's signer makes it, to be sent by hand."""
    request = AWSRequest(method=method, url=URL + path, data=body, headers=headers)
    SigV4Auth(Credentials(ID, SECRET), service, region).add_auth(request)
    return method, path, body, dict(request.headers.items())


def send(request, body=None, **headers):
    """(status, headers, body) of an answer to a signed request, which may be tampered with."""
    method, path, signed_body, signed_headers = request
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc)
    connection.request(method, path, signed_body if body is None else body,
                       {**signed_headers, **headers})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(text)


def said(user, text="order roses"):
    path = f"/bot/{BOT}/alias/PROD/user/{user}/text"
    return "POST", path, json.dumps({"inputText": text}).encode()


@case
def what_was_signed_cannot_be_changed():
    kind = {"Content-Type": "application/json"}
    with nothing_logged() as user:
        good = signed(*said(user), **kind)
        unsigned = signed(*said(user), **kind, **{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
        authorization = good[3]["Authorization"]
        for request, changes, code in [
            (good, {"body": b'{"inputText":"order tulips"}'}, "InvalidSignatureException"),
            (unsigned, {}, "InvalidSignatureException"),
            (good, {"x-amz-more": "y"}, "InvalidSignatureException"),
            (signed(*said(user), service="logs", **kind), {}, "InvalidSignatureException"),
            (signed(*said(user), region="eu-west-1", **kind), {}, "InvalidSignatureException"),
            ((*said("other-" + user), good[3]), {}, "InvalidSignatureException"),
            (("PUT", *good[1:]), {}, None),
            (good, {"Authorization": authorization.replace("Signature=", "Signatur=")},
             "IncompleteSignatureException"),
            (good, {"Authorization": authorization.replace("/us-east-1", "")},
             "IncompleteSignatureException"),
            (good, {"X-Amz-Date": "yesterday"}, "IncompleteSignatureException"),
        ]:
            status, headers, body = send(request, **changes)
            found = headers["x-amzn-errortype"]
            assert found == code or code is None, (changes, found, body)
            assert status == (400 if found.startswith(("Incomplete", "Unknown")) else 403), status
            assert body["message"] and headers["x-amzn-requestid"], body


@case
def a_request_sent_twice_is_answered_alike_and_logged_once():
    user = unique("user")
    request = signed(*said(user), **{"Content-Type": "application/json"})
    first, again = send(request), send(request)
    assert first[0] == again[0] == 200 and first[2] == again[2], (first, again)
    other = say(BOT, "Ann", user=user)
    assert other["dialogState"] == "ReadyForFulfillment", other
    assert send(request)[2] == first[2], "also after the next one"
    logged = [entry for entry in entries(BOT) if entry["userId"] == user]
    assert [entry["inputTranscript"] for entry in logged] == ["order roses", "{Name}"], logged
    assert logged[0]["requestId"] == first[1]["x-amzn-requestid"]
    assert {entry["sessionId"] for entry in logged} == {first[2]["sessionId"]}


class Forgetful(http.server.BaseHTTPRequestHandler):
    """Passes requests on as they are, and loses the first answer."""

    n_lost = 0
    ids = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Forgetful.ids.append(self.headers["amz-sdk-invocation-id"])
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc)
        connection.request("POST", self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        text = answer.read()
        self.close_connection = True
        if Forgetful.n_lost == 0:
            Forgetful.n_lost = 1
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@case
def a_retry_of_boto3_after_a_lost_answer_is_logged_once():
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    user = unique("user")
    api = client("lex-runtime", url=f"http://127.0.0.1:{proxy.server_port}",
                 retries={"total_max_attempts": 3, "mode": "standard"})
    answer = api.post_text(inputText="order tulips", **{**WHERE, "userId": user})
    proxy.shutdown()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1, answer
    assert len(Forgetful.ids) == 2 and len(set(Forgetful.ids)) == 1, Forgetful.ids
    assert answer["slots"]["Kind"] == "tulips" and answer["slotToElicit"] == "Name", answer
    logged = [entry for entry in entries(BOT) if entry["userId"] == user]
    assert len(logged) == 1 and logged[0]["sessionId"] == answer["sessionId"], logged


@case
def what_is_missing_is_named():
    nobody = letters("Nobody")
    for change in ({"botName": nobody}, {"botAlias": nobody}):
        answer = refused("NotFoundException", RUNTIME.post_text, inputText="x",
                         **{**WHERE, **change})
        assert answer["Error"]["Message"] == (f"The specified resource '{nobody}' does not exist. "
                                              "Choose another resource."), answer
    try:
        MODELS.get_bot_alias(botName=BOT, name=nobody)
        raise AssertionError("found")
    except MODELS.exceptions.NotFoundException as error:
        assert nobody in str(error) and isinstance(error, ClientError)


run()
