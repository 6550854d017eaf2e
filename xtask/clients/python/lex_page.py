"""Runs the commands of docs/lex.md, with the AWS CLI, against the program and `moto`."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

from kit import KEY

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "lex.md"
BIN = os.environ["CONVLOG_BIN"]
ID, SECRET = KEY.split(".")

# What the page uses beside the AWS CLI. `aws` speaks to convlog, `s3` to moto.
PRELUDE = r"""
set -euo pipefail
aws() { AWS_ENDPOINT_URL="$CONVLOG" "$PYTHON" "$AWS" "$@"; }
s3() { AWS_ENDPOINT_URL="$MOTO" "$PYTHON" "$AWS" "$@"; }
expect() { if [ "$1" != "$2" ]; then echo "expected $1, got $2"; exit 1; fi; }
eventually() {
  for _ in $(seq 100); do
    got=$(eval "$1" 2>/dev/null || true)
    case "$got" in *"$2"*) echo "$got"; return;; esac
    sleep 0.2
  done
  echo "never $2: $got" >&2
  exit 1
}
jq() { "$PYTHON" "$JQ" "$@"; }
"""

# As much of jq as the page needs, since machines may not have it.
JQ = r"""
import json, sys
program = sys.argv[-1]
value = json.load(sys.stdin)
for step in program.split("|"):
    step = step.strip()
    if step == "length":
        value = len(value)
    elif step == "fromjson":
        value = json.loads(value)
    elif step.startswith(".["):
        value = value[int(step[2:-1])]
    else:
        value = value.get(step[1:])
print(value if isinstance(value, str) else json.dumps(value))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready(url):
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} never answered")


def blocks(language):
    found = re.findall(rf"^```{language}([^\n]*)\n(.*?)^```$", PAGE.read_text(), re.S | re.M)
    return [(name.strip(), text) for name, text in found]


def script():
    """The commands of the page; those about IAM and buckets go to moto."""
    text = PRELUDE
    for name, block in blocks("sh"):
        if name == "iam":
            block = re.sub(r"^aws ", "s3 ", block, flags=re.M)
        text += f"\n{block}"
    return text


def main():
    moto_port = free_port()
    moto_url = f"http://127.0.0.1:{moto_port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONVLOG_")}
    moto_program = str(pathlib.Path(sys.executable).parent / "moto_server")
    moto = subprocess.Popen(
        [sys.executable, moto_program, "-H", "127.0.0.1", "-p", str(moto_port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (_, config), *_ = blocks("toml")
    pathlib.Path("convlog.toml").write_text(config.replace("http://127.0.0.1:5555", moto_url))
    pathlib.Path("jq.py").write_text(JQ)
    server = subprocess.Popen(
        [BIN, "serve", "--data-dir", "data", "--listen", "127.0.0.1:0", "--config", "convlog.toml"],
        env={**environment, "CONVLOG_ADMIN_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = server.stdout.readline().split()[-1]
        ready(moto_url + "/moto-api/")
        environment |= {
            "CONVLOG": url,
            "MOTO": moto_url,
            "PYTHON": sys.executable,
            "AWS": str(pathlib.Path(sys.executable).parent / "aws"),
            "JQ": os.path.abspath("jq.py"),
            "AWS_ACCESS_KEY_ID": ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        done = subprocess.run(["bash", "-c", script()], env=environment)
    finally:
        server.terminate()
        moto.terminate()
        server.wait()
        moto.wait()
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    print(f"{len(blocks('sh'))} steps")


main()
