"""PostgreSQL 15: jsonb with a GIN index, columns that PostgreSQL computes itself, btree indexes.

Batches go in by COPY, the quickest way there is; the client only doubles backslashes.
"""

import psycopg

import kit

SCHEMA = """
CREATE TABLE logs (
    doc jsonb NOT NULL,
    log_id text COLLATE "C" GENERATED ALWAYS AS (doc->>'log_id') STORED,
    bot text COLLATE "C" GENERATED ALWAYS AS (doc->>'workspace_id') STORED,
    customer text COLLATE "C" GENERATED ALWAYS AS (doc->>'customer_id') STORED,
    user_id text COLLATE "C" GENERATED ALWAYS AS (doc#>>'{response,user_id}') STORED,
    ts text COLLATE "C" GENERATED ALWAYS AS (doc->>'request_timestamp') STORED,
    said text GENERATED ALWAYS AS (doc#>>'{request,input,text}') STORED
);
CREATE UNIQUE INDEX ON logs (log_id);
CREATE INDEX ON logs (bot, ts DESC);
CREATE INDEX ON logs (customer, ts DESC);
CREATE INDEX ON logs USING gin (doc jsonb_path_ops);
CREATE INDEX ON logs USING gin (to_tsvector('simple', said));
CREATE EXTENSION fuzzystrmatch;
"""

NESTED = """doc @? '$.response.intents[*] ? (@.intent == "place_order" && @.confidence > 0.95)'"""
WORDS = "to_tsvector('simple', said) @@ "
FUZZY = """EXISTS (SELECT 1 FROM regexp_split_to_table(lower(said), '[^a-z0-9]+') word
    WHERE levenshtein_less_equal(word, 'cofee', 1) <= 1)"""


class Postgres:
    def __init__(self, plan):
        self.plan = plan
        self.db = psycopg.connect(plan["connection"], autocommit=True)

    def version(self):
        return self.db.execute("SHOW server_version").fetchone()[0]

    def open(self):
        self.db.execute(SCHEMA)

    def load(self, path):
        with open(path, "rb") as file:
            lines = file.read().replace(b"\\", b"\\\\")
        # In autocommit mode a COPY is one transaction.
        with self.db.cursor() as cursor:
            with cursor.copy("COPY logs (doc) FROM STDIN") as copy:
                copy.write(lines)

    def settle(self):
        self.db.execute("VACUUM (ANALYZE) logs")

    def disk(self):
        return self.db.execute("SELECT pg_total_relation_size('logs')").fetchone()[0]

    def conditions(self):
        plan = self.plan
        return {
            "newest 100": ("true", ()),
            "nested": (NESTED, ()),
            "customer": ("customer = %s", (plan["customer"],)),
            "common word": (WORDS + "to_tsquery('simple', 'coffee')", ()),
            "rare word": (WORDS + "to_tsquery('simple', %s)", (plan["rare_word"],)),
            "own id": ("log_id = %s", (plan["log_id"],)),
            "phrase": (WORDS + "phraseto_tsquery('simple', 'large coffee')", ()),
            "fuzzy": (FUZZY, ()),
            "wildcard": (WORDS + "to_tsquery('simple', 'coff:*')", ()),
        }

    def lists(self):
        def page(condition, values):
            text = f"SELECT doc::text FROM logs WHERE bot = %s AND {condition} ORDER BY ts DESC LIMIT 100"
            arguments = (self.plan["bot"], *values)
            return lambda: [row[0] for row in self.db.execute(text, arguments)]

        return {name: page(*condition) for name, condition in self.conditions().items()}

    def counts(self):
        def count(condition, values):
            text = f"SELECT count(*) FROM logs WHERE bot = %s AND {condition}"
            arguments = (self.plan["bot"], *values)
            return lambda: self.db.execute(text, arguments).fetchone()[0]

        return {name: count(*condition) for name, condition in self.conditions().items()}

    def histogram(self):
        text = """SELECT left(ts, 10), count(*), count(DISTINCT user_id) FROM logs
            WHERE bot = %s GROUP BY 1 ORDER BY 1"""
        return self.db.execute(text, (self.plan["bot"],)).fetchall()

    def export(self):
        n_logs = 0
        text = "COPY (SELECT doc::text FROM logs ORDER BY bot, ts) TO STDOUT"
        with self.db.cursor() as cursor, cursor.copy(text) as copy:
            for _ in copy:
                n_logs += 1
        return n_logs

    def erase(self, customer):
        n_erased = self.db.execute("DELETE FROM logs WHERE customer = %s", (customer,)).rowcount
        self.db.execute("VACUUM FULL logs")
        return n_erased

    def close(self):
        self.db.close()


if __name__ == "__main__":
    kit.run(Postgres)
