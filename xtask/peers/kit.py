"""What every peer of `cargo xtask bench --peers` does, in the order in which convlog does it.

A peer is a class with these methods; `run` calls them and prints one JSON object a line:

    version()      what it is
    open()         makes an empty store
    load(path)     one batch of NDJSON, durable when it returns
    settle()       what the engine would do by itself a little later (statistics, clean-up)
    disk()         bytes of the records and their indexes
    lists()        name -> function without arguments that returns a page: raw log texts
    counts()       name -> function that returns how many match
    histogram()    [day, records, distinct users] by day
    export()       reads every log, oldest first; returns how many
    erase(id)      removes a customer, then makes the engine give the bytes up; returns how many
    close()

Only the work of the engine and of its client library is timed: reading a batch from the page cache
costs the same for all and is counted for all.
"""

import glob
import json
import os
import sys
import time

# A query that is too slow for all its repetitions is asked for so long, and at least so often.
QUERY_SECONDS_MAX = 15
QUERY_TIMES_MIN = 3
COUNT_TIMES = 20


def say(event, **fields):
    print(json.dumps({event: fields}), flush=True)


def timed(function, n_times):
    """What the first call gave, and the times of the further ones in milliseconds."""
    answer = function()
    times = []
    begin = time.perf_counter()
    while len(times) < n_times:
        start = time.perf_counter()
        function()
        end = time.perf_counter()
        times.append((end - start) * 1e3)
        if end - begin > QUERY_SECONDS_MAX and len(times) >= QUERY_TIMES_MIN:
            break
    return answer, times


def log_ids(page):
    return [json.loads(text)["log_id"] for text in page]


def ingest(peer, plan):
    batches = sorted(glob.glob(os.path.join(plan["batches"], "*.ndjson")))[: plan["n_batches"]]
    acknowledged = []
    begin = time.perf_counter()
    for path in batches:
        start = time.perf_counter()
        peer.load(path)
        acknowledged.append((time.perf_counter() - start) * 1e3)
    say("ingest", seconds=time.perf_counter() - begin, times_ms=acknowledged)


def ask(peer, plan):
    counts = peer.counts()
    for name, page in peer.lists().items():
        found, times = timed(page, plan["queries"])
        say("list", name=name, ids=log_ids(found), times_ms=times)
        found, times = timed(counts[name], COUNT_TIMES)
        say("count", name=name, total=found, times_ms=times)
    rows, times = timed(peer.histogram, COUNT_TIMES)
    say("histogram", rows=[list(row) for row in rows], times_ms=times)


def run(make):
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    peer = make(plan)
    peer.open()
    say("version", text=peer.version())
    ingest(peer, plan)
    start = time.perf_counter()
    peer.settle()
    say("settled", seconds=time.perf_counter() - start)
    say("disk", bytes=peer.disk())
    ask(peer, plan)
    start = time.perf_counter()
    n_exported = peer.export()
    say("export", records=n_exported, seconds=time.perf_counter() - start)
    start = time.perf_counter()
    n_erased = peer.erase(plan["customer"])
    say("erased", records=n_erased, seconds=time.perf_counter() - start)
    peer.close()


def used_bytes(directory):
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            total += os.stat(os.path.join(folder, name)).st_blocks * 512
    return total
