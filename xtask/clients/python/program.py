"""A server of a script's own: the program with settings that the one of all scripts has not."""

import os
import pathlib
import subprocess
import tempfile

from kit import KEY

# The program refuses variables of its own that it does not know.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("CONVLOG_")}


class Program:
    """The program on an empty data directory, with a configuration file of this text."""

    def __init__(self, config):
        self.folder = tempfile.TemporaryDirectory()
        self.config = pathlib.Path(self.folder.name, "convlog.toml")
        self.config.write_text(config, encoding="utf-8")
        self.start()

    def start(self):
        """Starts it, also once more on the same data; its URL is another one then."""
        with open(pathlib.Path(self.folder.name, "server.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.environ["CONVLOG_BIN"], "serve", "--config", str(self.config), "--data-dir",
                 str(pathlib.Path(self.folder.name, "data")), "--listen", "127.0.0.1:0"],
                env={**ENVIRONMENT, "CONVLOG_ADMIN_KEY": KEY}, stdout=subprocess.PIPE, stderr=log,
                text=True)
        line = self.process.stdout.readline().strip()
        assert line.startswith("listening on "), (line, self.log())
        self.url = line.removeprefix("listening on ")

    def kill(self):
        """Kills it as a machine does that loses its power."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        assert self.process.wait() == 0, self.log()
        self.folder.cleanup()

    def log(self):
        return pathlib.Path(self.folder.name, "server.log").read_text(encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
