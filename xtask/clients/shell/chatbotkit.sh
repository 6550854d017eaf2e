#!/usr/bin/env bash
# The event log by curl: brackets as the Go client writes them, every form of an answer, methods.
set -euo pipefail
url=$CONVLOG_URL log=$CONVLOG_URL/api/v1/event/log passed=0

# check NAME EXPECTED ACTUAL: one case.
check() {
    if [[ $3 == *"$2"* ]]; then
        passed=$((passed + 1)); echo "ok      $1"
    else
        echo "FAILED  $1: no '$2' in: $3"; exit 1
    fi
}

api() { curl -sS -g -H "Authorization: Bearer $CONVLOG_KEY" "$@"; }
json() { api -H 'Content-Type: application/json' "$@"; }
# ids TEXT: the ids of a page or of lines, in order.
ids() { grep -o '"id":"[^"]*"' <<<"$1" | cut -d'"' -f4 | paste -sd' ' || true; }

check 'an event is kept' '{"id":"g1"}' "$(json "$log/create" -d '{"id":"g1","type":"go.a",
    "conversationId":"c1","meta":{"status":"ok","n":1,"a":{"b":"c d","t":[true,{"x":null}]}}}')"
check 'and the same again is the same' '{"id":"g1"}' "$(json "$log/create" -d '{"id":"g1","type":"go.a",
    "conversationId":"c1","meta":{"status":"ok","n":1,"a":{"b":"c d","t":[true,{"x":null}]}}}')"
json "$log/create" -d '{"id":"g2","type":"go.b","conversationId":"c2","meta":{"status":"bad"}}' >/dev/null
json "$log/create" -d '{"id":"g3","type":"go.b","meta":{"status":"ok","n":1.5}}' >/dev/null

# found QUERY: ids in commit order.
found() { ids "$(api "$log/list?order=asc&type=go.*&$1")"; }
same() { check "$1" "[$2]" "[$(found "$3")]"; }
same 'brackets of the Go client, encoded and sorted' 'g1 g3' 'meta%5Bstatus%5D=ok&take=50'
same 'raw brackets' 'g1' 'meta[relations.conversationId]=c1'
same 'brackets in brackets' 'g1' 'meta[a][b]=c+d'
same 'a place in a list' 'g1' 'meta[a][t][0]=true&meta[a][t][1][x]=null'
same 'a place in a list, mixed with dots' 'g1' 'meta.a.t%5B0%5D=true'
same 'a number that is spelled otherwise' 'g3' 'meta[n]=1.50'
same 'several conditions hold all' '' 'meta[status]=ok&meta[n]=2'
same 'the first of a repeated parameter counts' 'g2' 'meta[status]=bad&meta[status]=ok'
same 'an empty one is absent' 'g1 g2 g3' 'meta[status]=&conversationId='
same 'no more than are taken' 'g1 g2' 'take=2'

check 'both prefixes serve' '"id":"g1"' "$(api "$url/v1/event/log/list?order=asc&type=go.a")"
check 'lines' '{"type":"item","data":{"id":"g1"' \
    "$(api -N -H 'Accept: application/jsonl' "$log/export?order=asc&type=go.*")"
check 'lines by their other name' '{"type":"item","data":{"id":"g1"' \
    "$(api -H 'Accept: application/x-ndjson' "$log/list?order=asc&type=go.*")"
check 'an empty stream is no byte' '0' "$(api -o /dev/null -w '%{size_download}' \
    -H 'Accept: application/jsonl' "$log/export?type=nothing")"
check 'a table' 'id,type,name,description,conversationId' \
    "$(api -H 'Accept: text/csv' "$log/export?type=go.*")"
check 'events for an event source' 'id: g1' \
    "$(api -H 'Accept: text/event-stream' "$log/list?type=go.*")"
check 'the page of a browser' '"items":[' \
    "$(api -H 'Accept: text/html,application/xhtml+xml,*/*;q=0.8' "$log/list?take=1")"
check 'what nobody writes is refused' '"code":"BAD_REQUEST"' \
    "$(api -H 'Accept: image/png' "$log/list")"
check 'an export ends with its count' 'x-convlog-count: 3' \
    "$(api -i -H 'TE: trailers' -H 'Accept: application/jsonl' "$log/export?type=go.*" | tail -n 2)"
check 'gzip unpacks to the same' "$(api -H 'Accept: application/jsonl' "$log/list?type=go.*")" \
    "$(api -H 'Accept: application/jsonl' -H 'Accept-Encoding: gzip' "$log/list?type=go.*" | gunzip)"
check 'an error is readable though gzip is taken' '"code":"BAD_REQUEST"' \
    "$(api --compressed "$log/list?cursor=nobody")"

# status ARGUMENT...: the status of a request
status() { api -o /dev/null -w '%{http_code}' "$@"; }
check 'HEAD is empty' '200' "$(status -I "$log/list")"
check 'OPTIONS is answered' '200' "$(status -X OPTIONS "$log/list")"
for method in POST PUT PATCH DELETE; do
    check "$method is not known to a list" '405' "$(status -X "$method" "$log/list")"
    check "$method is not known to an event" '404' "$(status -X "$method" "$log/g1")"
done
# It does not end by itself.
exec 3< <(exec curl -sSN -H "Authorization: Bearer $CONVLOG_KEY" -H 'Content-Type: application/json' \
    "$log/subscribe" -d '{"historyLength":1,"type":"go.*"}')
subscription=$!
read -r line <&3
kill "$subscription"
check 'a subscription begins with its history' '{"type":"item","data":{"id":"g3"' "$line"
echo "$passed passed, 0 failed"
