"""The daemon under measurement, as a service manager would start it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time

from rig.bench import Process


class Daemon(Process):
    """A running `runwatchd`; `ready_after` is the time from its start to `READY=1`, in seconds."""

    def __init__(self, bench, folder, configuration, watches=""):
        """Starts it on the state in `folder`, and returns when it is ready."""
        self.folder = folder
        (folder / "runwatch.yaml").write_text(configuration)
        (folder / "watches.yaml").write_text(watches)
        notices = folder / "notify"
        notices.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(notices))
            start = time.monotonic()
            super().__init__(
                bench, f"runwatchd-{folder.name}",
                [bench.programs / "runwatchd", "--config", folder / "runwatch.yaml",
                 "--state-dir", folder],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(notices)})
            manager.settimeout(1)
            while True:
                with contextlib.suppress(TimeoutError):
                    if b"READY=1" in manager.recv(4096):
                        break
                if self.child.poll() is not None or time.monotonic() - start > 120:
                    raise SystemExit(f"the daemon does not start:\n{self.last_words()}")
            self.ready_after = time.monotonic() - start
        # Nobody reads what it tells from now on; a socket without a reader refuses at once.

    def get(self, path):
        """Asks the control API."""
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.folder / "control.sock"))
        with contextlib.closing(connection):
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())

    def kill(self):
        return self.end(signal.SIGKILL)

    @property
    def database(self):
        return self.folder / "runwatch.db"

    def ask(self, sql):
        """One value of the record, read beside the daemon."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchone()[0]
