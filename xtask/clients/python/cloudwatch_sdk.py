"""The unmodified boto3 against the log groups of a running server: groups, streams, events,
patterns, filters, queries and errors, signed as boto3 signs."""

import base64
import gzip
import http.server
import json
import threading
import time

import boto3
import kit
import program
from botocore.config import Config
from botocore.exceptions import ClientError

ENTRY = {"messageVersion": "1.0", "botName": "OrderFlowers", "inputTranscript": "rosés please",
         "missedUtterance": False, "sessionId": "s1", "userId": "u1"}


def client(key=kit.KEY, url=kit.URL):
    """A client as its documentation makes one."""
    key_id, secret = key.split(".", 1)
    return boto3.client("logs", endpoint_url=url, region_name="us-east-1",
                        aws_access_key_id=key_id, aws_secret_access_key=secret,
                        config=Config(retries={"max_attempts": 1}))


LOGS = client()


def now_ms():
    return int(time.time() * 1000)


def refused(code, call, **arguments):
    """The error of a call that must fail with this code."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error
    raise AssertionError(f"{code} was expected")


def group(logs=None, stream="s"):
    """A fresh group with a stream; its name."""
    logs = logs or LOGS
    name = kit.unique("/lex/group")
    logs.create_log_group(logGroupName=name, tags={"team": "bots"})
    logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return name


def put(name, *messages, stream="s", logs=None):
    """Puts messages, a millisecond apart."""
    begin = now_ms()
    events = [{"timestamp": begin + i, "message": text} for i, text in enumerate(messages)]
    return (logs or LOGS).put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)


def entry(**changes):
    return json.dumps({**ENTRY, **changes}, ensure_ascii=False)


@kit.case
def a_group_is_made_described_tagged_and_deleted():
    name = group()
    found = LOGS.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [one["logGroupName"] for one in found] == [name]
    arn = found[0]["logGroupArn"]
    assert found[0]["arn"] == arn + ":*", found
    assert LOGS.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "bots"}
    LOGS.tag_resource(resourceArn=arn, tags={"a": "b"})
    LOGS.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert LOGS.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    LOGS.put_retention_policy(logGroupName=name, retentionInDays=30)
    found = LOGS.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert found[0]["retentionInDays"] == 30
    LOGS.delete_retention_policy(logGroupName=name)
    LOGS.delete_log_group(logGroupName=name)
    refused("ResourceNotFoundException", LOGS.delete_log_group, logGroupName=name)


@kit.case
def events_come_back_by_both_readers_and_their_paginators():
    name = group()
    LOGS.create_log_stream(logGroupName=name, logStreamName="aws/lex/B/PROD/1/x")
    messages = [entry(sessionId=f"s{i}") for i in range(7)]
    answer = put(name, *messages[:4])
    assert "rejectedLogEventsInfo" not in answer, answer
    put(name, *messages[4:], stream="aws/lex/B/PROD/1/x")
    pages = LOGS.get_paginator("filter_log_events").paginate(
        logGroupName=name, PaginationConfig={"PageSize": 2})
    assert [event["message"] for page in pages for event in page["events"]] == messages
    arguments = {"logGroupName": name, "logStreamName": "s", "startFromHead": True, "limit": 3}
    seen, token = [], None
    while True:
        page = LOGS.get_log_events(**arguments, **({"nextToken": token} if token else {}))
        seen += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert seen == messages[:4]
    late = entry(sessionId="late")
    put(name, late)
    page = LOGS.get_log_events(**arguments, nextToken=token)
    assert [event["message"] for event in page["events"]] == [late]
    streams = LOGS.describe_log_streams(logGroupName=name, orderBy="LastEventTime",
                                        descending=True)["logStreams"]
    assert streams[0]["logStreamName"] == "s" and len(streams) == 2, streams


@kit.case
def sessions_and_missed_utterances_are_found_by_patterns():
    name = group()
    put(name, entry(), entry(sessionId="s2"), entry(missedUtterance=True), "no json")

    def found(pattern):
        events = LOGS.filter_log_events(logGroupName=name, filterPattern=pattern)["events"]
        return [json.loads(event["message"]) for event in events]
    assert [one["missedUtterance"] for one in found('"s1"')] == [False, True]
    missed = found('{ ($.botName = "OrderFlowers") && ($.missedUtterance IS TRUE) }')
    assert [one["sessionId"] for one in missed] == ["s1"]
    refused("InvalidParameterException", LOGS.filter_log_events, logGroupName=name,
            filterPattern="{ $.a = ")
    tested = LOGS.test_metric_filter(filterPattern="{ $.a = 1 }",
                                     logEventMessages=['{"a":1}', '{"a":2}'])["matches"]
    assert [one["eventNumber"] for one in tested] == [1], tested


@kit.case
def what_is_too_old_and_too_new_is_refused_alone():
    name = group()
    begin = now_ms()
    hour = 3_600_000
    for times, kind, index in (([-337 * hour, 0 - 336 * hour + 60_000], "tooOldLogEventEndIndex", 1),
                               ([0, 3 * hour], "tooNewLogEventStartIndex", 1)):
        events = [{"timestamp": begin + more, "message": "m"} for more in times]
        answer = LOGS.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
        assert answer["rejectedLogEventsInfo"] == {kind: index}, answer


@kit.case
def a_metric_filter_counts():
    name = group()
    metric = kit.unique("Missed")
    LOGS.put_metric_filter(
        logGroupName=name, filterName="missed", filterPattern="{ $.missedUtterance IS TRUE }",
        metricTransformations=[{"metricName": metric, "metricNamespace": "Bots",
                                "metricValue": "1"}])
    put(name, entry(), entry(missedUtterance=True), entry(missedUtterance=True))
    text = kit.expect(200, kit.own("GET", "/metrics"))
    lines = [line for line in text.splitlines() if metric in line]
    assert len(lines) == 1 and lines[0].endswith(" 2"), lines
    filters = LOGS.describe_metric_filters(logGroupName=name)["metricFilters"]
    assert [one["filterName"] for one in filters] == ["missed"]
    LOGS.delete_metric_filter(logGroupName=name, filterName="missed")


@kit.case
def a_query_is_polled_until_it_is_complete():
    name = group()
    put(name, entry(), entry(missedUtterance=True, inputTranscript="blah"),
        entry(missedUtterance=True, inputTranscript="blah"))

    def rows(text):
        begin = int(time.time())
        query = LOGS.start_query(logGroupName=name, startTime=begin - 60, endTime=begin + 60,
                                 queryString=text)["queryId"]
        while True:
            found = LOGS.get_query_results(queryId=query)
            if found["status"] not in ("Scheduled", "Running"):
                break
            time.sleep(0.05)
        assert found["status"] == "Complete", found
        return [{cell["field"]: cell["value"] for cell in row} for row in found["results"]]
    counted = rows("FILTER missedUtterance = 1 | STATS COUNT(*) AS n BY inputTranscript AS said")
    assert counted == [{"said": "blah", "n": "2"}], counted
    plain = rows("fields inputTranscript | sort @timestamp asc | limit 1")
    assert plain[0]["inputTranscript"] == ENTRY["inputTranscript"]
    record = LOGS.get_log_record(logRecordPointer=plain[0]["@ptr"])["logRecord"]
    assert record["botName"] == "OrderFlowers"
    error = refused("MalformedQueryException", LOGS.start_query, logGroupName=name, startTime=0,
                    endTime=1, queryString="fields a | nonsense")
    assert error.response["queryCompileError"]["location"]["startCharOffset"] == 11


@kit.case
def errors_are_those_of_the_service():
    name = group()
    refused("ResourceAlreadyExistsException", LOGS.create_log_group, logGroupName=name)
    refused("ResourceNotFoundException", LOGS.get_log_events, logGroupName=name,
            logStreamName="none")
    refused("InvalidParameterException", LOGS.put_retention_policy, logGroupName=name,
            retentionInDays=31)
    refused("InvalidParameterException", LOGS.create_log_group, logGroupName="aws/x")
    refused("UnknownOperationException", LOGS.describe_resource_policies)
    key_id, secret = kit.KEY.split(".", 1)
    refused("InvalidSignatureException", client(f"{key_id}.{secret}x").describe_log_groups)
    refused("UnrecognizedClientException", client("NOBODY.secret").describe_log_groups)
    _, other = kit.make_instance()
    refused("ResourceNotFoundException", client(other).filter_log_events, logGroupName=name)


class Consumer(http.server.BaseHTTPRequestHandler):
    """Keeps what a subscription posts; refuses the first time."""

    got = []
    n_refused = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if Consumer.n_refused == 0:
            Consumer.n_refused = 1
            self.send_response(500)
        else:
            packed = base64.b64decode(body["awslogs"]["data"])
            Consumer.got.append(json.loads(gzip.decompress(packed)))
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@kit.case
def a_subscription_gets_every_event_also_after_a_restart():
    consumer = http.server.HTTPServer(("127.0.0.1", 0), Consumer)
    threading.Thread(target=consumer.serve_forever, daemon=True).start()
    arn = "arn:aws:lambda:us-east-1:123456789012:function:consume"
    config = (f'[[aws.destinations]]\narn = "{arn}"\n'
              f'url = "http://127.0.0.1:{consumer.server_port}"\n')
    with program.Program(config) as server:
        logs = client(url=server.url)
        name = group(logs)
        logs.put_subscription_filter(logGroupName=name, filterName="f", filterPattern="",
                                     destinationArn=arn)
        put(name, "one", logs=logs)
        wait_for(["one"])
        server.kill()
        server.start()
        put(name, "two", logs=client(url=server.url))
        wait_for(["one", "two"])
        first = Consumer.got[0]
        assert first["messageType"] == "DATA_MESSAGE" and first["logGroup"] == name, first
        assert first["subscriptionFilters"] == ["f"] and first["logStream"] == "s", first
    consumer.shutdown()


def wait_for(messages):
    while True:
        seen = [event["message"] for one in Consumer.got for event in one["logEvents"]]
        if list(dict.fromkeys(seen)) == messages:
            return
        time.sleep(0.05)


if __name__ == "__main__":
    kit.run()
