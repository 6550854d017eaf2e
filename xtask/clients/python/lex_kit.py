"""What the scripts for Amazon Lex V1 share: clients, a bot to talk to, errors, the AWS CLI."""

import json
import os
import subprocess
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from kit import KEY, URL, own, unique

ID, SECRET = KEY.split(".")
ROLE = "arn:aws:iam::123456789012:role/lexlogs"
# Audio needs a role and an S3, of which nothing is asked here.
WITH_ROLE = f"""
[aws.endpoints]
s3 = "http://127.0.0.1:9"
[[aws.roles]]
arn = "{ROLE}"
access_key_id = "AKIALEX"
secret_access_key = "secret"
"""


def client(service, key=KEY, url=URL, region="us-east-1", secret=None, token=None, **config):
    """A client as its documentation makes one, which does nothing twice by itself."""
    key_id, own_secret = key.split(".", 1)
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret or own_secret,
        aws_session_token=token,
        config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
    )


MODELS = client("lex-models")
RUNTIME = client("lex-runtime")


def letters(prefix):
    """A fresh name; names of Lex hold letters alone."""
    digits = unique("").strip("-")
    return prefix + "".join(chr(ord("a") + int(digit, 16)) for digit in digits)


def prompt(text):
    return {"messages": [{"contentType": "PlainText", "content": text}], "maxAttempts": 2}


def logs(group):
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:" + group
    setting = {"logType": "TEXT", "destination": "CLOUDWATCH_LOGS", "resourceArn": arn}
    return {"iamRoleArn": ROLE, "logSettings": [setting]}


def make_bot(group="lex-logs", alias=True, obfuscation="DEFAULT_OBFUSCATION",
             models=MODELS, bot=None):
    kinds, order, bot = letters("Kinds"), letters("Order"), bot or letters("Shop")
    values = [{"value": "roses"}, {"value": "tulips", "synonyms": ["tulip"]}]
    models.put_slot_type(
        name=kinds,
        enumerationValues=values,
        valueSelectionStrategy="TOP_RESOLUTION",
        createVersion=True,
    )
    slots = [
        {
            "name": "Kind",
            "slotConstraint": "Required",
            "slotType": kinds,
            "slotTypeVersion": "1",
            "priority": 1,
            "valueElicitationPrompt": prompt("Which kind?"),
        },
        {
            "name": "Name",
            "slotConstraint": "Required",
            "slotType": "AMAZON.Person",
            "priority": 2,
            "obfuscationSetting": obfuscation,
            "valueElicitationPrompt": prompt("Your name?"),
        },
    ]
    models.put_intent(
        name=order,
        slots=slots,
        sampleUtterances=["order flowers", "order {Kind}"],
        fulfillmentActivity={"type": "ReturnIntent"},
        createVersion=True,
    )
    put = models.put_bot(
        name=bot,
        locale="en-US",
        childDirected=False,
        intents=[{"intentName": order, "intentVersion": "1"}],
        clarificationPrompt=prompt("Pardon?"),
        abortStatement={"messages": [{"contentType": "PlainText", "content": "Bye"}]},
    )
    assert put["status"] == "READY" and put["version"] == "$LATEST", put
    version = models.create_bot_version(name=bot, checksum=put["checksum"])
    assert version["version"] == "1" and version["ResponseMetadata"]["HTTPStatusCode"] == 201
    if alias:
        models.put_bot_alias(
            botName=bot, name="PROD", botVersion="1", conversationLogs=logs(group)
        )
    return bot, order, kinds


def say(bot, text, user="u:1", **more):
    return RUNTIME.post_text(
        botName=bot, botAlias="PROD", userId=user, inputText=text, **more
    )


def entries(bot):
    path = f"/convlog/v1/records?sort=position&limit=100&filter=bot::{bot},kind::turn"
    status, page = own("GET", path)
    assert status == 200, page
    return [record["raw"] for record in page["records"]]


def refused(code, function, *arguments, **named):
    """The answer to a call that must fail with this code, as the exception of its client."""
    try:
        function(*arguments, **named)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amzn-errortype"] == code and headers["x-amzn-requestid"], headers
        owner = getattr(function, "__self__", None)
        shape = owner and owner.meta.service_model.shape_for_error_code(code)
        if shape:
            assert type(error) is owner.exceptions.from_code(code), type(error)
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            wanted = shape.metadata.get("error", {}).get("httpStatusCode", 400)
            assert status == wanted, error.response
        return error.response
    raise AssertionError(f"no {code}")


def aws(*arguments, fails=False):
    """What a command of the AWS CLI prints, as JSON; its errors where it must fail."""
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    environment = {name: text for name, text in os.environ.items() if not name.startswith("CONVLOG_")}
    environment |= {
        "AWS_ENDPOINT_URL": URL,
        "AWS_ACCESS_KEY_ID": ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }
    done = subprocess.run(
        [sys.executable, program, *arguments], env=environment, capture_output=True, text=True
    )
    assert (done.returncode != 0) == fails, (done.returncode, done.stderr)
    if fails:
        return done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def key_with(*roles):
    """A key with these roles alone."""
    body = {"name": unique("key"), "roles": list(roles)}
    status, answer = own("POST", "/convlog/v1/keys", body)
    assert status == 201, answer
    return answer["key"]
