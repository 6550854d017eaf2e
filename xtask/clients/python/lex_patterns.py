"""Every constraint of the service models of Lex V1, as botocore has them, violated one by one: the
request is valid but for one member, the server alone checks it, and nothing is changed by it."""

import re

from botocore.exceptions import ClientError

import kit
import lex_kit

# Texts that fit the patterns of the models.
SAMPLES = ["Abc", "1", "AMAZON.Abc", "u-1", "arn:aws:iam::123456789012:role/lexlogs",
           "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs",
           "arn:aws:kms:us-east-1:123456789012:key/1-2",
           "arn:aws:lambda:us-east-1:123456789012:function:hook",
           "arn:aws:kendra:us-east-1:123456789012:index/a-1", "0", "1234567890", "abc"]
# Texts of which each pattern refuses one.
STRANGE = ["{<&>}" * 5, "{<&>}" * 2, "{<&>}", "_", "{"]
MEDIA_TYPE = "text/plain; charset=utf-8"
# What is missing has an error of its own: 415.
UNNAMED = ("contentType", "missing")
# What one request may hold anyway.
LENGTH_MAX = 20_000

_, INSTANCE_KEY = kit.make_instance()


def free(service):
    """A client that leaves every check to the server."""
    return lex_kit.client(service, key=INSTANCE_KEY, parameter_validation=False)


def sample(shape):
    """The smallest value that a shape takes."""
    least = int(shape.metadata.get("min", 0))
    if shape.name == "HttpContentType":
        return MEDIA_TYPE
    if shape.type_name == "string":
        if shape.enum:
            return shape.enum[0]
        pattern = shape.metadata.get("pattern")
        texts = SAMPLES if pattern else ["a" * max(least, 1)]
        fitting = (text for text in texts if len(text) >= least
                   and (not pattern or re.fullmatch(pattern, text)))
        return next(fitting)
    if shape.type_name == "structure":
        return {name: sample(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [sample(shape.member)] * max(least, 1)
    if shape.type_name == "map":
        return {sample(shape.key): sample(shape.value)}
    return {"boolean": False, "blob": b"{}", "timestamp": 0}.get(shape.type_name, max(least, 1))


def broken(shape):
    """Values that a shape refuses, each with what is wrong with it."""
    least, most = (shape.metadata.get(name) for name in ("min", "max"))
    good = sample(shape)
    if shape.type_name == "string":
        if shape.enum:
            yield "no such value", "NO_SUCH_VALUE"
        elif shape.metadata.get("pattern"):
            pattern, longest = shape.metadata["pattern"], int(most or LENGTH_MAX)
            bad = (text for text in STRANGE if int(least or 0) <= len(text) <= longest
                   and not re.fullmatch(pattern, text))
            yield "pattern", next(bad)
        if most and int(most) < LENGTH_MAX:
            yield "too long", "a" * (int(most) + 1)
        if least and int(least) > 0:
            yield "too short", "a" * (int(least) - 1)
    elif shape.type_name == "list":
        if most:
            yield "too many", [sample(shape.member)] * (int(most) + 1)
        if least and int(least) > 0:
            yield "too few", good[1:int(least)]
    elif shape.type_name in ("integer", "long", "double", "float"):
        if most is not None:
            yield "too large", int(most) + 1
        if least is not None and int(least) > 0:
            yield "too small", int(least) - 1


def violations(shape, name):
    """Values of a shape in each of which one thing is wrong: (member, what, value)."""
    for what, value in broken(shape):
        yield name, what, value
    good = sample(shape)
    if shape.type_name == "structure":
        for member, inner in shape.members.items():
            if member in shape.required_members:
                yield member, "missing", {key: good[key] for key in good if key != member}
            for named, what, value in violations(inner, member):
                yield named, what, {**good, member: value}
    elif shape.type_name == "list":
        for named, what, value in violations(shape.member, name):
            yield named, what, [value] + good[1:]
    elif shape.type_name == "map":
        for named, what, value in violations(shape.key, name):
            yield named, what, {value: sample(shape.value)}
        for named, what, value in violations(shape.value, name):
            yield named, what, {sample(shape.key): value}


def can_be_sent(shape, request):
    """Whether a request has a path and headers: those are no place for a value that is empty."""
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location == "uri" and not request.get(name):
            return False
        if location == "header" and name in request and not request[name]:
            return False
    return True


def refuses(api, method, request, member):
    try:
        getattr(api, method)(**request)
    except ClientError as error:
        answer = error.response
        assert isinstance(error, api.exceptions.BadRequestException), answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amzn-errortype"] == "BadRequestException", headers
        assert member in answer["Error"]["Message"], answer
        return
    raise AssertionError("it was accepted")


def everything(models):
    """What an instance holds."""
    shown = {}
    for kind, version in (("bots", "get_bot_versions"), ("intents", "get_intent_versions"),
                          ("slotTypes", "get_slot_type_versions")):
        listed = {"bots": models.get_bots, "intents": models.get_intents,
                  "slotTypes": models.get_slot_types}[kind]()[kind]
        shown[kind] = [getattr(models, version)(name=one["name"])[kind] for one in listed]
    shown["aliases"] = [models.get_bot_aliases(botName=one[0]["name"])["BotAliases"]
                        for one in shown["bots"]]
    return shown


def matrix(service):
    """Violates every constraint of the inputs of a service."""
    api, models = free(service), free("lex-models")
    before = everything(models)
    n_refused, failures = 0, []
    model = api.meta.service_model
    for method, operation in sorted(api.meta.method_to_api_mapping.items()):
        shape = model.operation_model(operation).input_shape
        for member, what, request in violations(shape, operation) if shape else ():
            if (member, what) == UNNAMED or not can_be_sent(shape, request):
                continue
            n_refused += 1
            try:
                refuses(api, method, request, member)
            except Exception as error:
                failures.append(f"{operation} {member} {what}: {error!r:.300}")
    assert not failures, f"{len(failures)} of {n_refused}:\n" + "\n".join(failures)
    assert everything(models) == before
    return n_refused


@kit.case
def constraints_of_the_model_building_api_are_kept():
    models = free("lex-models")
    intent = models.put_intent(name="Abc", sampleUtterances=["a"], createVersion=True,
                               fulfillmentActivity={"type": "ReturnIntent"})
    models.put_slot_type(name="Abc", enumerationValues=[{"value": "a"}], createVersion=True)
    models.put_bot(name="Abc", locale="en-US", childDirected=False, createVersion=True,
                   intents=[{"intentName": "Abc", "intentVersion": intent["version"]}],
                   abortStatement={"messages": [{"contentType": "PlainText", "content": "Bye"}]})
    models.put_bot_alias(botName="Abc", name="Abc", botVersion="1")
    assert matrix("lex-models") > 400


@kit.case
def constraints_of_the_runtime_are_kept():
    assert matrix("lex-runtime") > 40


if __name__ == "__main__":
    kit.run()
