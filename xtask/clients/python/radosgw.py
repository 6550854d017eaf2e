"""A Ceph cluster of one machine with an S3 gateway that encrypts: everything on loopback, in a
temporary directory and in memory, ended by its processes' ids."""

import base64
import pathlib
import subprocess
import tempfile
import urllib.request
import uuid

from aws_kit import ENVIRONMENT, free_port, until

POOL = "default.rgw.buckets.data"

CONFIG = """
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{mon_port}]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
mon allow pool size one = true
mon data avail crit = 1
run dir = {folder}
log file = {folder}/$name.log
admin socket =
pid file = {folder}/$name.pid
mon data = {folder}/mon
osd data = {folder}/osd
crash dir = {folder}
keyring = {folder}/keyring
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {kms_key}={secret}
"""


class Radosgw:
    """The gateway, which knows one key of KMS."""

    def __init__(self, kms_key):
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name)
        self.config = str(path / "ceph.conf")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        mon_port, fsid = free_port(), str(uuid.uuid4())
        secret = base64.b64encode(bytes(range(32))).decode()
        (path / "ceph.conf").write_text(CONFIG.format(
            fsid=fsid, folder=path, mon_port=mon_port, port=self.port, kms_key=kms_key,
            secret=secret))
        self.processes = []
        try:
            self.start(path, mon_port, fsid)
        except BaseException:
            for log in path.glob("*.log"):
                print(log.name, *log.read_text(errors="replace").splitlines()[-20:], sep="\n")
            self.stop()
            raise

    def start(self, path, mon_port, fsid):
        for name in ("mon", "osd"):
            (path / name).mkdir()
        monmap = str(path / "monmap")
        self.run("monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{mon_port}]", "--fsid",
                 fsid, monmap)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "-c", self.config)
        self.begin("ceph-mon", "-i", "a")
        self.ask_monitor("osd", "create")
        self.run("ceph-osd", "-i", "0", "--mkfs", "-c", self.config)
        self.begin_until("a disk", self.has_disk, "ceph-osd", "-i", "0")
        self.start_gateway()

    def has_disk(self):
        return b" 1 up" in self.ask_monitor("osd", "stat")

    def start_gateway(self):
        def answers():
            try:
                urllib.request.urlopen(self.url, timeout=5).read()
            except OSError:
                return False
            return True
        self.gateway = self.begin_until("a gateway", answers, "radosgw", "-n", "client.rgw")

    def stop_gateway(self):
        self.gateway.terminate()
        self.gateway.wait()

    def begin_until(self, what, look, *command):
        """Begins a process, and begins it again when it ends before it is of use: its first
        command may come before the map of the monitors has, and is then refused."""
        processes = [self.begin(*command)]

        def is_up():
            if processes[-1].poll() is not None and len(processes) < 20:
                processes.append(self.begin(*command))
            return look()
        until(what, is_up)
        return processes[-1]

    def begin(self, *command):
        process = subprocess.Popen([*command, "-c", self.config, "-f"], env=ENVIRONMENT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def ask_monitor(self, *command):
        """The answer of the monitor. A `ceph` that asks before it has the map of the monitors is
        refused, whenever it starts; it is refused the list of commands, which it asks for first,
        so that nothing has been done and the command can be given again."""
        def answer():
            done = self.finish("ceph", *command, "-c", self.config)
            refused = b"EPERM: problem getting command descriptions" in done.stderr
            return None if refused else done
        return self.succeeded(until("an answer of the monitor", answer))

    def run(self, *command):
        return self.succeeded(self.finish(*command))

    @staticmethod
    def finish(*command):
        """What came of the command, whatever that is."""
        return subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=300)

    @staticmethod
    def succeeded(done):
        """What a command printed, which must have succeeded."""
        assert done.returncode == 0, (done.args, done.stdout, done.stderr)
        return done.stdout

    def user(self, name, secret):
        """Makes a user, whose key is the name."""
        self.run("radosgw-admin", "user", "create", f"--uid={name}", f"--display-name={name}",
                 f"--access-key={name}", f"--secret-key={secret}", "-c", self.config)

    def stored(self, key):
        """The bytes in the pool of the object with this key: what a thief of the disk has."""
        names = self.run("rados", "-p", POOL, "ls", "-c", self.config).decode().splitlines()
        name, = [name for name in names if name.endswith("_" + key)]
        target = pathlib.Path(self.folder.name, "stored")
        self.run("rados", "-p", POOL, "get", name, str(target), "-c", self.config)
        return target.read_bytes()

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
