"""ClickHouse, embedded: the log as compressed text, columns that ClickHouse extracts itself.

Inserts are synced, as the others' are; ClickHouse reads the batch's file itself.
"""

import os

from chdb import session

import kit

SCHEMA = """
CREATE TABLE bench.logs (
    doc String CODEC(ZSTD(1)),
    log_id String MATERIALIZED JSONExtractString(doc, 'log_id'),
    bot LowCardinality(String) MATERIALIZED JSONExtractString(doc, 'workspace_id'),
    customer String MATERIALIZED JSONExtractString(doc, 'customer_id'),
    user_id String MATERIALIZED JSONExtractString(doc, 'response', 'user_id'),
    ts DateTime64(3, 'UTC') MATERIALIZED
        parseDateTime64BestEffort(JSONExtractString(doc, 'request_timestamp'), 3, 'UTC'),
    said String MATERIALIZED JSONExtractString(doc, 'request', 'input', 'text'),
    intents Array(Tuple(intent String, confidence Float64)) MATERIALIZED
        JSONExtract(doc, 'response', 'intents', 'Array(Tuple(intent String, confidence Float64))'),
    INDEX words said TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(said)),
    INDEX ids log_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX customers customer TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (bot, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

NESTED = "arrayExists(x -> x.intent = 'place_order' AND x.confidence > 0.95, intents)"
WORD = "arrayExists(word -> {test}, splitByNonAlpha(lower(said)))"


class Clickhouse:
    def __init__(self, plan):
        self.plan = plan

    def version(self):
        return self.value("SELECT version()")

    def open(self):
        self.session = session.Session(os.path.join(self.plan["work"], "data"))
        self.session.query("CREATE DATABASE bench ENGINE = Atomic")
        self.session.query(SCHEMA)

    def value(self, text):
        return self.session.query(text, "TSVRaw").bytes().decode().strip()

    def load(self, path):
        source = f"file('{path}', LineAsString, 'line String')"
        self.session.query(f"INSERT INTO bench.logs (doc) SELECT line FROM {source}")

    def settle(self):
        """Merges go on in the background; nothing is forced."""

    def disk(self):
        parts = "system.parts WHERE active AND database = 'bench'"
        return int(self.value(f"SELECT sum(bytes_on_disk) FROM {parts}"))

    def conditions(self):
        plan = self.plan
        return {
            "newest 100": "true",
            "nested": NESTED,
            "customer": f"customer = '{plan['customer']}'",
            "common word": "hasAllTokens(said, ['coffee'])",
            "rare word": f"hasAllTokens(said, ['{plan['rare_word']}'])",
            "own id": f"log_id = '{plan['log_id']}'",
            "phrase": "hasAllTokens(said, ['large', 'coffee'])"
            " AND match(lower(said), '\\\\blarge[^a-z0-9]+coffee\\\\b')",
            "fuzzy": WORD.format(test="editDistance(word, 'cofee') <= 1"),
            "wildcard": WORD.format(test="startsWith(word, 'coff')"),
        }

    def where(self, condition):
        return f"FROM bench.logs WHERE bot = '{self.plan['bot']}' AND {condition}"

    def lists(self):
        def page(condition):
            text = f"SELECT doc {self.where(condition)} ORDER BY ts DESC LIMIT 100"
            return lambda: self.session.query(text, "TSVRaw").bytes().splitlines()

        return {name: page(condition) for name, condition in self.conditions().items()}

    def counts(self):
        def count(condition):
            return lambda: int(self.value(f"SELECT count() {self.where(condition)}"))

        return {name: count(condition) for name, condition in self.conditions().items()}

    def histogram(self):
        text = f"SELECT toDate(ts) AS day, count(), uniqExact(user_id) {self.where('true')}"
        lines = self.value(f"{text} GROUP BY day ORDER BY day").splitlines()
        rows = [line.split("\t") for line in lines]
        return [(day, int(n_logs), int(n_users)) for day, n_logs, n_users in rows]

    def export(self):
        n_logs = 0
        text = "SELECT doc FROM bench.logs ORDER BY bot, ts"
        for chunk in self.session.send_query(text, "TSVRaw"):
            n_logs += chunk.bytes().count(b"\n")
        return n_logs

    def erase(self, customer):
        n_erased = int(self.value(f"SELECT count() FROM bench.logs WHERE customer = '{customer}'"))
        self.session.query(f"DELETE FROM bench.logs WHERE customer = '{customer}'")
        self.session.query("OPTIMIZE TABLE bench.logs FINAL")
        return n_erased

    def close(self):
        self.session.close()


if __name__ == "__main__":
    kit.run(Clickhouse)
