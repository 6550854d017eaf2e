"""Amazon Lex's audio delivered to Ceph's S3 gateway, which encrypts with keys that it knows and
refuses others, keys that are wrong and users without rights."""

import json

import aws_kit
import kit
import radosgw
from aws_kit import KMS_KEY, SPEECH, Bot, Moto, Program, names, speech, until

OTHER_KMS_KEY = KMS_KEY.replace("key/1111", "key/9999")
OWNER, STRANGER = ("LEXOWNER", "owners-secret"), ("LEXSTRANGER", "strangers-secret")
ROLES = [aws_kit.role("owner", *OWNER), aws_kit.role("stranger", *STRANGER),
         aws_kit.role("mistyped", OWNER[0], "another-secret")]


def client(user=OWNER):
    return aws_kit.client("s3", CEPH.url, *user)


def setting(makes_bucket=True):
    """A group of moto's, and a bucket of the gateway."""
    group, bucket = names()
    MOTO.make(group)
    if makes_bucket:
        client().create_bucket(Bucket=bucket)
    return group, bucket


def key_of(path):
    return path.removeprefix("s3://").split("/", 1)[1]


@kit.case
def audio_with_a_key_is_ciphertext_in_the_pool_and_reads_as_it_was_said():
    group, bucket = setting()
    bot = Bot(PROGRAM, "owner", group, bucket, KMS_KEY)
    audio = speech(400_000)
    spoken = bot.speak(audio)
    path = MOTO.grouped(group, 1)[spoken]["s3PathForAudio"]
    found = aws_kit.stored(client(), path)
    assert found["Body"].read() == audio
    assert found["ContentType"] == SPEECH, found
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", KMS_KEY), found
    sealed = CEPH.stored(key_of(path))
    assert len(sealed) >= len(audio)
    pieces = [audio[i:i + 32] for i in range(0, len(audio), 32)]
    assert not any(piece in sealed for piece in pieces[::100])
    until("the figures", lambda: PROGRAM.counted(bot.name) == [1, 0, 1, 0])


@kit.case
def audio_without_a_key_lies_in_the_pool_as_it_was_said():
    group, bucket = setting()
    audio = speech(480_000)
    spoken = Bot(PROGRAM, "owner", group, bucket).speak(audio)
    path = MOTO.grouped(group, 1)[spoken]["s3PathForAudio"]
    assert aws_kit.stored(client(), path)["Body"].read() == audio
    assert CEPH.stored(key_of(path)) == audio


def refused(role, group, bucket, error, kms_key=None):
    """Audio becomes a dead letter of this class, and its text comes without a link; bot, audio
    and the dead letter."""
    bot = Bot(PROGRAM, role, group, bucket, kms_key)
    audio = speech()
    spoken = bot.speak(audio)
    entries = MOTO.grouped(group, 1)
    assert "s3PathForAudio" not in entries[spoken], entries
    until("the figures", lambda: PROGRAM.counted(bot.name) == [1, 0, 0, 1])
    letter = PROGRAM.dead_audio(error)
    assert PROGRAM.told("log_delivery.dead", kind="audio", **{"class": error})
    return bot, audio, letter


def arrives(bot, audio, letter, reader=OWNER):
    """A dead letter arrives when it is tried once more."""
    PROGRAM.retry(letter["id"])
    until("the figures", lambda: PROGRAM.counted(bot.name) == [1, 0, 1, 1])
    s3 = client(reader)
    (found,) = s3.list_objects_v2(Bucket=bot.bucket)["Contents"]
    assert s3.get_object(Bucket=bot.bucket, Key=found["Key"])["Body"].read() == audio


@kit.case
def a_key_that_the_gateway_does_not_know_is_a_failure():
    group, bucket = setting()
    # The gateway's name for it.
    refused("owner", group, bucket, "InvalidAccessKeyId", OTHER_KMS_KEY)
    assert client().list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@kit.case
def a_secret_that_is_wrong_is_a_failure():
    refused("mistyped", *setting(), "SignatureDoesNotMatch")


@kit.case
def a_user_without_rights_is_refused_until_it_has_them():
    group, bucket = setting()
    given_up = refused("stranger", group, bucket, "AccessDenied")
    statement = {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{STRANGER[0]}"]},
                 "Action": ["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
                 "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    rights = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client().put_bucket_policy(Bucket=bucket, Policy=rights)
    # Whoever writes an object owns it, in whosever bucket.
    arrives(*given_up, reader=STRANGER)


@kit.case
def a_bucket_that_is_missing_is_a_failure_until_it_is_there():
    group, bucket = setting(makes_bucket=False)
    given_up = refused("owner", group, bucket, "NoSuchBucket")
    client().create_bucket(Bucket=bucket)
    arrives(*given_up)


@kit.case
def a_gateway_that_was_away_gets_what_was_said_meanwhile():
    group, bucket = setting()
    bot = Bot(PROGRAM, "owner", group, bucket, KMS_KEY)
    CEPH.stop_gateway()
    sent = {}
    for _ in range(5):
        audio = speech()
        sent[bot.speak(audio)] = audio
    failed = {"kind": "audio", "class": "unreachable"}
    until("a failure", lambda: PROGRAM.told("log_delivery.failed", **failed))
    CEPH.start_gateway()
    entries = MOTO.grouped(group, 5)
    for request, audio in sent.items():
        found = aws_kit.stored(client(), entries[request]["s3PathForAudio"])
        assert found["Body"].read() == audio
    PROGRAM.settle()


with Moto() as MOTO, radosgw.Radosgw(KMS_KEY) as CEPH:
    CEPH.user(*OWNER)
    CEPH.user(*STRANGER)
    with Program(aws_kit.config(MOTO.url, ROLES, s3=CEPH.url)) as PROGRAM:
        kit.run()
