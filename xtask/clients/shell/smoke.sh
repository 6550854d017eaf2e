#!/usr/bin/env bash
# What curl sees of a fresh server: health and metrics without a key, nothing else without one.
set -euo pipefail

n_checks=0

# check NAME EXPECTED GOT
check() {
    if [ "$2" != "$3" ]; then
        printf '%s: expected %s, got %s\n' "$1" "$2" "$3"
        exit 1
    fi
    n_checks=$((n_checks + 1))
}

# status ARGUMENT...: the status of a request
status() {
    curl --silent --show-error --output /dev/null --write-out '%{http_code}' "$@"
}

for path in /health/live /health/ready /metrics /convlog/v1/openapi.json; do
    check "GET $path without a key" 200 "$(status "$CONVLOG_URL$path")"
done

for path in /convlog/v1/bots '/v1/workspaces/none/logs?version=2021-06-14'; do
    check "GET $path without a key" 401 "$(status "$CONVLOG_URL$path")"
    wrong_key=WRONGKEY00000000001.0123456789012345678901234567890123456789
    check "GET $path with a wrong key" 401 "$(status --user "apikey:$wrong_key" "$CONVLOG_URL$path")"
done

bearer="Authorization: Bearer $CONVLOG_KEY"
check "bots by Basic" 200 "$(status --user "apikey:$CONVLOG_KEY" "$CONVLOG_URL/convlog/v1/bots")"
check "bots by Bearer" 200 "$(status --header "$bearer" "$CONVLOG_URL/convlog/v1/bots")"

echo "$n_checks checks"
