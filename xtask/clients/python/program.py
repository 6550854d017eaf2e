"""A server of a script's own: the program with settings that the one of all scripts has not."""

import os
import pathlib
import signal
import subprocess
import tempfile

from kit import KEY


class Program:
    """The program on an empty data directory, with a configuration file of this text; its
    log is `program.log` beside whatever the script makes."""

    def __init__(self, config):
        self.folder = tempfile.TemporaryDirectory()
        self.config = pathlib.Path(self.folder.name) / "convlog.toml"
        self.config.write_text(config, encoding="utf-8")
        self.log = open("program.log", "a", encoding="utf-8")
        self.start()

    def start(self):
        """Starts it, also once more on the same data; its URL is another one then."""
        self.process = subprocess.Popen(
            [os.environ["CONVLOG_BIN"], "serve", "--config", self.config,
             "--data-dir", pathlib.Path(self.folder.name) / "data", "--listen", "127.0.0.1:0"],
            env={"PATH": os.environ["PATH"], "CONVLOG_ADMIN_KEY": KEY},
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline().strip()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ")

    def kill(self):
        """Ends it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait() == 0
        self.log.close()
        self.folder.cleanup()
