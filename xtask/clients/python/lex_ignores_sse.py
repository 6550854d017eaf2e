"""Amazon Lex's audio delivered to an S3 server that ignores encryption: what was to be encrypted is
a failure there, though the server says 200."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

import aws_kit
import kit
from aws_kit import KMS_KEY, Bot, Moto, Program, free_port, names, ready, speech, until

KEY = ("AKIALEX", "a-secret-of-lex")
ROLES = [aws_kit.role("lex", *KEY), aws_kit.role("mistyped", KEY[0], "another-secret"),
         aws_kit.role("nobody", "AKIANOBODY", KEY[1])]


def setting():
    """A group of moto's, and a bucket of the server, which is a directory."""
    group, bucket = names()
    MOTO.make(group)
    pathlib.Path(FOLDER, bucket).mkdir()
    return group, bucket


def files(bucket):
    """The objects of a bucket by their keys."""
    root = pathlib.Path(FOLDER, bucket)
    return {str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*") if path.is_file()}


@kit.case
def audio_without_a_key_arrives_by_its_bytes():
    group, bucket = setting()
    bot = Bot(PROGRAM, "lex", group, bucket)
    audio = speech(480_000)
    spoken = bot.speak(audio)
    path = MOTO.grouped(group, 1)[spoken]["s3PathForAudio"]
    assert files(bucket)[path.removeprefix(f"s3://{bucket}/")] == audio
    until("the figures", lambda: PROGRAM.counted(bot.name) == [1, 0, 1, 0])


@kit.case
def audio_that_was_to_be_encrypted_is_a_failure():
    group, bucket = setting()
    bot = Bot(PROGRAM, "lex", group, bucket, KMS_KEY)
    typed, spoken = bot.say(), bot.speak(speech())
    entries = MOTO.grouped(group, 2)
    assert set(entries) == {typed, spoken}
    assert "s3PathForAudio" not in entries[spoken], entries
    until("the figures", lambda: PROGRAM.counted(bot.name) == [2, 0, 0, 1])
    ((kind, letter),) = PROGRAM.given_up(1)
    assert (kind, letter["class"]) == ("audio", "not_encrypted"), letter
    for event in ("log_delivery.failed", "log_delivery.dead"):
        assert PROGRAM.told(event, kind="audio", **{"class": "not_encrypted"}), event
    # A server that does not change its mind makes a dead letter of it again, once more counted.
    PROGRAM.retry(letter["id"])
    until("the figures", lambda: PROGRAM.counted(bot.name) == [2, 0, 0, 2])
    PROGRAM.given_up(1)


@kit.case
def keys_that_are_wrong_are_failures():
    for role, error in (("mistyped", "SignatureDoesNotMatch"), ("nobody", "NotSignedUp")):
        group, bucket = setting()
        bot = Bot(PROGRAM, role, group, bucket)
        spoken = bot.speak(speech())
        entries = MOTO.grouped(group, 1)
        assert "s3PathForAudio" not in entries[spoken], entries
        until("the figures", lambda: PROGRAM.counted(bot.name) == [1, 0, 0, 1])
        PROGRAM.dead_audio(error)
        assert files(bucket) == {}


@contextlib.contextmanager
def s3s_fs():
    """The server on a free port: its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [os.environ["S3S_FS"], "--host", "127.0.0.1", "--port", str(port), "--access-key", KEY[0],
         "--secret-key", KEY[1], FOLDER], env=aws_kit.ENVIRONMENT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        ready(url)
        yield url
    finally:
        server.terminate()
        server.wait()


with tempfile.TemporaryDirectory() as FOLDER, Moto() as MOTO, s3s_fs() as S3:
    with Program(aws_kit.config(MOTO.url, ROLES, s3=S3)) as PROGRAM:
        kit.run()
