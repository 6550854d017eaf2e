"""Runs the commands of docs/lex.md, with the AWS CLI, against the program and `moto`."""

import os
import pathlib
import re
import subprocess
import sys

from aws_kit import ENVIRONMENT, Moto, Program
from kit import KEY

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "lex.md"
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
    with Moto() as moto:
        (_, config), *_ = blocks("toml")
        pathlib.Path("jq.py").write_text(JQ)
        with Program(config.replace("http://127.0.0.1:5555", moto.url)) as program:
            environment = {
                **ENVIRONMENT,
                "CONVLOG": program.url,
                "MOTO": moto.url,
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
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    print(f"{len(blocks('sh'))} steps")


main()
