"""What the scripts about Lex's deliveries share: a `moto` server, the program with a configuration
of its own, bots that log, and a proxy that fails as it is told."""

import http.client
import http.server
import json
import pathlib
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

import kit
import program
from program import ENVIRONMENT

REGION = "us-east-1"
ACCOUNT = "123456789012"
SPEECH = "audio/l16; rate=16000; channels=1"
KMS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11112222-3333-4444-5555-666677778888"
# Whoever waits longer waits in vain.
WAIT_SECONDS = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready(url):
    """Waits until a server answers, whatever it answers."""
    def answers():
        try:
            urllib.request.urlopen(url, timeout=5).read()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
    until(f"an answer of {url}", answers)


def until(what, look):
    """Waits until `look` gives something true, and gives that."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.05)


def names():
    """A fresh log group and a fresh bucket."""
    return kit.unique("lex-logs"), kit.unique("lex-audio")


def speech(n_bytes=3200):
    return random.randbytes(n_bytes)


def client(service, url, key_id, secret, token=None):
    """A client of boto3 that tries once."""
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=url, region_name=REGION, config=config,
                        aws_access_key_id=key_id, aws_secret_access_key=secret,
                        aws_session_token=token)


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def stored(s3, path):
    """The object that `s3://BUCKET/KEY` names."""
    bucket, key = path.removeprefix("s3://").split("/", 1)
    return s3.get_object(Bucket=bucket, Key=key)


class Moto:
    """A moto server; with `n_open`, only so many calls are free, and all others need a key that
    exists and a policy that allows them."""

    def __init__(self, port=None, n_open=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = ("AKIATEST", "test")
        more = {} if n_open is None else {"INITIAL_NO_AUTH_ACTION_COUNT": str(n_open)}
        server = str(pathlib.Path(sys.executable).parent / "moto_server")
        self.process = subprocess.Popen(
            [sys.executable, server, "-H", "127.0.0.1", "-p", str(self.port)],
            env={**ENVIRONMENT, **more}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ready(self.url + "/moto-api/")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def client(self, service):
        return client(service, self.url, *self.key)

    def make(self, group=None, bucket=None):
        """Makes a log group and a bucket."""
        if group:
            self.client("logs").create_log_group(logGroupName=group)
        if bucket:
            self.client("s3").create_bucket(Bucket=bucket)

    def events(self, group):
        """Every event of a group in the order of arrival: (stream, time, entry)."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        # moto numbers what arrives.
        events.sort(key=lambda event: int(event["eventId"]))
        return [(event["logStreamName"], event["timestamp"], json.loads(event["message"]))
                for event in events]

    def entries(self, group):
        return [entry for _, _, entry in self.events(group)]

    def grouped(self, group, n):
        """The entries of a group by their request ids, once there are so many."""
        until(f"{n} entries", lambda: len(self.events(group)) >= n)
        entries = {entry["requestId"]: entry for entry in self.entries(group)}
        assert len(entries) == n, entries
        return entries

    def object(self, path):
        return stored(self.client("s3"), path)


class Program(program.Program):
    """The program with clients for Lex, and what it tells of deliveries."""

    def start(self):
        super().start()
        key = kit.KEY.split(".")
        self.models = client("lex-models", self.url, *key)
        self.runtime = client("lex-runtime", self.url, *key)

    def own(self, method, path, body=None):
        return kit.own(method, path, body, url=self.url)

    def deliveries(self):
        return kit.expect(200, self.own("GET", "/convlog/v1/deliveries"))

    def dead(self):
        """Every dead letter, with what it is."""
        found = self.deliveries()
        letters = [("text", letter) for lane in found["lanes"] for letter in lane["dead"]]
        return letters + [("audio", letter) for letter in found["audio"]["dead"]]

    def dead_audio(self, error):
        """The newest audio that was given up, which is of this class."""
        letters = self.deliveries()["audio"]["dead"]
        letter = max(letters, key=lambda letter: letter["id"])
        assert letter["class"] == error, letters
        return letter

    def waiting(self):
        """The number of what waits."""
        found = self.deliveries()
        lanes = sum(lane["waiting"]["count"] for lane in found["lanes"])
        return lanes + found["audio"]["waiting"]["count"]

    def settle(self):
        """Waits until nothing waits."""
        until("an end of what waits", lambda: self.waiting() == 0)

    def given_up(self, n):
        """The dead letters, once there are so many, with what they are."""
        until(f"{n} dead letters", lambda: len(self.dead()) >= n)
        letters = self.dead()
        assert len(letters) == n, letters
        return letters

    def is_audio_done(self):
        audio = self.deliveries()["audio"]
        return audio["dead_count"] == 0 and audio["waiting"]["count"] == 0

    def retry(self, letter):
        kit.expect(202, self.own("POST", f"/convlog/v1/deliveries/{letter}/retry"))

    def counted(self, bot):
        """The figures of a bot: text success, text failure, audio success, audio failure."""
        lines = kit.expect(200, self.own("GET", "/metrics")).splitlines()
        counts = []
        for kind in ("Text", "Audio"):
            for outcome in ("Success", "Failure"):
                name = f"ConversationLogs{kind}Delivery{outcome}"
                labels = f'{{alias="PROD",bot="{bot}",instance="default",version="1"}} '
                values = [line.removeprefix(name + labels) for line in lines
                          if line.startswith(name + labels)]
                counts.append(sum(int(value) for value in values))
        return counts

    def told(self, event_type, **meta):
        """The events of a type with these values."""
        page = kit.expect(200, self.own("GET", f"/convlog/v1/audit?type={event_type}"))
        return [event for event in page["entries"]
                if all(event["meta"].get(name) == value for name, value in meta.items())]


def config(endpoint, roles, s3=None):
    """A configuration with deliveries to an endpoint; `roles` are dictionaries."""
    lines = ["[aws]", "builtin_logs = false", "[aws.endpoints]", f'logs = "{endpoint}"',
             f's3 = "{s3 or endpoint}"', f'sts = "{endpoint}"']
    for role in roles:
        lines.append("[[aws.roles]]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in role.items()]
    return "\n".join(lines) + "\n"


def role(name, key_id="AKIALEX", secret="secret", assume=False):
    return {"arn": role_arn(name), "access_key_id": key_id, "secret_access_key": secret,
            "assume": assume}


def letters(prefix):
    """A fresh name; names of Lex hold letters alone."""
    return prefix + "".join(chr(ord("a") + int(digit, 16)) for digit in kit.unique("")[1:])


class Bot:
    """A bot whose alias `PROD` logs text, audio or both."""

    def __init__(self, program, role_name, group=None, bucket=None, kms_key=None):
        self.program, self.group, self.bucket = program, group, bucket
        self.name = letters("Shop")
        intent = letters("Order")
        models = program.models
        models.put_intent(name=intent, sampleUtterances=["order roses"], createVersion=True,
                          fulfillmentActivity={"type": "ReturnIntent"})
        message = {"messages": [{"contentType": "PlainText", "content": "Pardon?"}]}
        put = models.put_bot(name=self.name, locale="en-US", childDirected=False,
                             intents=[{"intentName": intent, "intentVersion": "1"}],
                             clarificationPrompt={**message, "maxAttempts": 5},
                             abortStatement=message)
        models.create_bot_version(name=self.name, checksum=put["checksum"])
        self.put_alias(role_name, kms_key)

    def put_alias(self, role_name, kms_key=None, alias="PROD"):
        settings = []
        if self.group:
            arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}"
            settings.append({"logType": "TEXT", "destination": "CLOUDWATCH_LOGS",
                             "resourceArn": arn})
        if self.bucket:
            settings.append({"logType": "AUDIO", "destination": "S3",
                             "resourceArn": f"arn:aws:s3:::{self.bucket}"})
            if kms_key:
                settings[-1]["kmsKeyArn"] = kms_key
        logs = {"iamRoleArn": role_arn(role_name), "logSettings": settings}
        self.program.models.put_bot_alias(botName=self.name, name=alias, botVersion="1",
                                          conversationLogs=logs)

    def say(self, text="order roses", user="ann"):
        """A typed turn; its request id."""
        answer = self.program.runtime.post_text(botName=self.name, botAlias="PROD", userId=user,
                                                inputText=text)
        del answer["sessionId"]
        request = answer.pop("ResponseMetadata")["RequestId"]
        self.last_answer = answer
        return request

    def speak(self, audio, user="carol", content_type=SPEECH):
        """A spoken turn; its request id."""
        answer = self.program.runtime.post_content(
            botName=self.name, botAlias="PROD", userId=user, contentType=content_type,
            accept="text/plain; charset=utf-8", inputStream=audio)
        # Without a transcriber nothing is understood, and the bot gives up in the end.
        assert answer["dialogState"] in ("ElicitIntent", "Failed"), answer
        return answer["ResponseMetadata"]["RequestId"]


class Proxy:
    """Passes everything on to an address, except as `fault` says: it gets the header
    `X-Amz-Target`, or the method, of each call, and answers a status to answer with, or seconds
    to wait, or nothing. While it `loses_answers`, what was called is done and nobody hears of it."""

    def __init__(self, url):
        self.target = url.removeprefix("http://")
        self.fault = lambda call: None
        self.loses_answers = False
        self.n_faults = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_call(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.fault(self.headers.get("X-Amz-Target") or self.command)
                if fault is not None:
                    proxy.n_faults += 1
                if isinstance(fault, int):
                    self.reply(fault, [], b"")
                    return
                if fault is not None:
                    time.sleep(fault)
                onward = http.client.HTTPConnection(proxy.target, timeout=60)
                onward.request(self.command, self.path, body, dict(self.headers.items()))
                answer = onward.getresponse()
                body = answer.read()
                onward.close()
                if proxy.loses_answers:
                    self.close_connection = True
                else:
                    self.reply(answer.status, answer.getheaders(), body)

            do_GET = do_PUT = do_POST = do_HEAD = handle_call

            def reply(self, status, headers, body):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
