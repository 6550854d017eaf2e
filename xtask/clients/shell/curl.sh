#!/usr/bin/env bash
# curl against a running server, as the README shows it: a bot, a message, a filter, an erasure.
set -euo pipefail
url=$CONVLOG_URL key=$CONVLOG_KEY
bot=curl-$$ passed=0

# check NAME EXPECTED ACTUAL: one case.
check() {
    if [[ $3 == *"$2"* ]]; then
        passed=$((passed + 1)); echo "ok      $1"
    else
        echo "FAILED  $1: no '$2' in: $3"; exit 1
    fi
}

api() { curl -sS -u "apikey:$key" "$@"; }

check 'a bot is made' '"echo"' "$(api -X PUT "$url/convlog/v1/bots/$bot" \
    -H 'Content-Type: application/json' \
    -d '{"name":"curl","language":"en","connector":{"kind":"echo"}}')"
check 'a message is answered' 'hello there' "$(api "$url/v1/workspaces/$bot/message?version=2021-11-27" \
    -H 'Content-Type: application/json' -H 'X-Watson-Metadata: customer_id=curl-customer' \
    -d '{"input":{"text":"hello there"}}')"
check 'a filter with raw brackets finds it' '"log_id"' "$(api -g \
    "$url/v1/workspaces/$bot/logs?version=2021-11-27&filter=(request.input.text:hello,language::en)")"
check 'the version parameter is asked for' "Missing 'version' query parameter" \
    "$(api "$url/v1/workspaces/$bot/logs")"
check 'malformed JSON is refused with its position' '"code":400' \
    "$(api "$url/v1/workspaces/$bot/message?version=2021-11-27" \
    -H 'Content-Type: application/json' -d '{"input":{"text":')"
check 'an unknown encoding is 415' '415' "$(api -o /dev/null -w '%{http_code}' \
    "$url/v1/workspaces/$bot/message?version=2021-11-27" -H 'Content-Encoding: br' -d '{}')"
check 'a preflight is answered' 'x-watson-metadata' "$(curl -sS -i -X OPTIONS \
    "$url/v1/workspaces/$bot/message" -H 'Origin: http://shop.example' \
    -H 'Access-Control-Request-Method: POST' \
    -H 'Access-Control-Request-Headers: X-Watson-Metadata' | tr 'A-Z' 'a-z')"
check 'the customer is erased' '{}' "$(api -X DELETE \
    "$url/v1/user_data?version=2021-11-27&customer_id=curl-customer")"
check 'and gone' '{"logs":[],"pagination":{}}' \
    "$(api "$url/v1/workspaces/$bot/logs?version=2021-11-27")"
check 'metrics need no key' 'convlog_' "$(curl -sS "$url/metrics")"
echo "$passed passed, 0 failed"
