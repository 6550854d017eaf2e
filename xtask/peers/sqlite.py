"""SQLite with FTS5: the log as text, columns and a table of intents filled by the client.

The key of a row is its time of request, so that FTS5 can walk its matches from the newest on.
"""

import json
import os

import apsw

import kit

SCHEMA = """
CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    log_id TEXT NOT NULL,
    bot TEXT NOT NULL,
    customer TEXT NOT NULL,
    user_id TEXT NOT NULL,
    day TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE UNIQUE INDEX by_log_id ON logs (log_id);
CREATE INDEX by_bot ON logs (bot, id);
CREATE INDEX by_customer ON logs (customer, id);
CREATE INDEX by_day ON logs (bot, day, user_id);
CREATE TABLE intents (
    intent TEXT NOT NULL,
    id INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    confidence REAL NOT NULL,
    PRIMARY KEY (intent, id, ordinal)
) WITHOUT ROWID;
CREATE INDEX intents_of ON intents (id);
CREATE VIRTUAL TABLE words USING fts5(said, content='', contentless_delete=1);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
"""

NESTED = """id IN (SELECT DISTINCT id FROM intents
    WHERE intent = 'place_order' AND confidence > 0.95 ORDER BY id DESC {limit})"""
WORDS = "id IN (SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC {limit})"


def milliseconds(text):
    """`2026-01-01T00:00:00.000Z` as a number that sorts alike: days count 31 a month."""
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second, milli = int(text[11:13]), int(text[14:16]), int(text[17:19]), int(text[20:23])
    days = (year * 12 + month) * 31 + day
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli


class Sqlite:
    def __init__(self, plan):
        self.plan = plan
        self.path = os.path.join(plan["work"], "logs.db")
        self.n_loaded = 0

    def version(self):
        return apsw.sqlite_lib_version()

    def open(self):
        self.db = apsw.Connection(self.path)
        for name, value in [
            ("page_size", 8192),
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("cache_size", -262144),
            ("secure_delete", "ON"),
        ]:
            self.db.execute(f"PRAGMA {name} = {value}").fetchall()
        self.db.execute(SCHEMA)

    def load(self, path):
        logs, words, intents = [], [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                log = json.loads(line)
                response = log["response"]
                # Two logs of one millisecond keep their order.
                key = (milliseconds(log["request_timestamp"]) << 12) + self.n_loaded % 4096
                self.n_loaded += 1
                day = log["request_timestamp"][:10]
                columns = (log["log_id"], log["workspace_id"], log["customer_id"], response["user_id"])
                logs.append((key, *columns, day, line.rstrip("\n")))
                words.append((key, log["request"]["input"]["text"]))
                for ordinal, intent in enumerate(response["intents"]):
                    intents.append((intent["intent"], key, ordinal, intent["confidence"]))
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?)", logs)
        self.db.executemany("INSERT INTO words (rowid, said) VALUES (?, ?)", words)
        self.db.executemany("INSERT INTO intents VALUES (?, ?, ?, ?)", intents)
        self.db.execute("COMMIT")

    def settle(self):
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.db.execute("PRAGMA analysis_limit = 1000").fetchall()
        self.db.execute("ANALYZE")

    def disk(self):
        return kit.used_bytes(self.plan["work"])

    def conditions(self):
        plan = self.plan
        # Fuzzy words are beyond it.
        return {
            "newest 100": ("true", ()),
            "nested": (NESTED, ()),
            "customer": ("customer = ?", (plan["customer"],)),
            "common word": (WORDS, ("coffee",)),
            "rare word": (WORDS, (plan["rare_word"],)),
            "own id": ("log_id = ?", (plan["log_id"],)),
            "phrase": (WORDS, ('"large coffee"',)),
            "wildcard": (WORDS, ("coff*",)),
        }

    def lists(self):
        def page(condition, values):
            # The sub-query may stop early only because all logs are of the one bot.
            inner = condition.format(limit="LIMIT 100")
            text = f"SELECT doc FROM logs WHERE bot = ? AND {inner} ORDER BY id DESC LIMIT 100"
            arguments = (self.plan["bot"], *values)
            return lambda: [row[0] for row in self.db.execute(text, arguments)]

        return {name: page(*condition) for name, condition in self.conditions().items()}

    def counts(self):
        def count(condition, values):
            text = f"SELECT count(*) FROM logs WHERE bot = ? AND {condition.format(limit='')}"
            arguments = (self.plan["bot"], *values)
            return lambda: self.db.execute(text, arguments).fetchone()[0]

        return {name: count(*condition) for name, condition in self.conditions().items()}

    def histogram(self):
        text = """SELECT day, count(*), count(DISTINCT user_id) FROM logs
            WHERE bot = ? GROUP BY day ORDER BY day"""
        return self.db.execute(text, (self.plan["bot"],)).fetchall()

    def export(self):
        n_logs = 0
        for _ in self.db.execute("SELECT doc FROM logs ORDER BY id"):
            n_logs += 1
        return n_logs

    def erase(self, customer):
        ids = [row[0] for row in self.db.execute("SELECT id FROM logs WHERE customer = ?", (customer,))]
        self.db.execute("BEGIN")
        for table, column in [("logs", "id"), ("words", "rowid"), ("intents", "id")]:
            delete = f"DELETE FROM {table} WHERE {column} = ?"
            self.db.executemany(delete, [(key,) for key in ids])
        self.db.execute("COMMIT")
        self.db.execute("VACUUM")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(ids)

    def close(self):
        self.db.close()


if __name__ == "__main__":
    kit.run(Sqlite)
