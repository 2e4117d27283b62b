"""The daemon with something of everything: runs in every state, receivers that take, fail, hang and are gone."""

import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request

ODD = 'a/b c%2F"ü'
RUNS = {"12": "complete", "13": "error", "14": "killed"}
SERVICES = ["warehouse", "krixik", "away"]
RECEIVERS = ["log", "ops", "slow", "refused", "gone", "digest"]
LONG = [str(run) for run in range(20, 40)]
KRIXIK = "f948a6ad-0343-e743-2b3f-0df6bc732a3a"
KEY = "0a1b2c3d-1111-e222-3333-444455556666"


class Hooks(http.server.BaseHTTPRequestHandler):
    """Webhooks: /flaky fails each third time, /slow answers too late, /gone wants no more."""

    count = 0

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/slow":
            time.sleep(1)
        Hooks.count += self.path == "/flaky"
        status = {"/gone": 410, "/refused": 400}.get(self.path, 204)
        if self.path == "/flaky" and Hooks.count % 3 == 0:
            status = 500
        try:
            self.send_response(status)
            self.end_headers()
        except OSError:
            pass  # It went away, as one does that has waited long enough.

    def log_message(self, *_):
        pass


class Stage:
    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        # In a folder of its own, through which another user can go.
        self.meeting = pathlib.Path(tempfile.mkdtemp())
        self.meeting.chmod(0o711)
        self.socket = self.meeting / "control.sock"
        self.configuration = folder / "runwatch.yaml"
        self.hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
        self.processes = []
        self.ending = threading.Event()

    def start(self):
        threading.Thread(target=self.hooks.serve_forever, daemon=True).start()
        self.url = self.start_services()
        self.configure()
        self.log = open(self.folder / "log", "w")
        self.run([self.programs / "runwatchd", "--config", self.configuration,
                  "--state-dir", self.folder / "state", "--socket", self.socket],
                 stdout=subprocess.DEVNULL, stderr=self.log)
        self.wait("the daemon", lambda: self.get("/healthz")[0] == 200)
        threading.Thread(target=self.churn, daemon=True).start()

    def stop(self):
        self.ending.set()
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.hooks.shutdown()
        shutil.rmtree(self.meeting)

    def run(self, command, **options):
        self.processes.append(subprocess.Popen(command, **options))

    def start_services(self):
        runs = [{"service": "kinetica", "id": run, "proc": "score",
                 "life": [[0, "running"], [1, state, 'with "quotes" & <tags> ü']]}
                for run, state in RUNS.items()]
        runs += [{"service": "kinetica", "id": run, "segments": 4,
                  "life": [[0, "running"], [1, 2], ["1h", "complete"]]} for run in [*LONG, ODD]]
        runs += [{"service": "krixik", "id": KRIXIK, "pipeline": "nightly",
                  "life": [[0, "running"], [3, 1], ["1h", "complete"]]}]
        script, ready = self.folder / "simulation.json", self.folder / "ready"
        script.write_text(json.dumps({"runs": runs}))
        self.run([self.programs / "runwatch-sim", "--script", script, "--ready-file", ready],
                 stdout=subprocess.DEVNULL)
        self.wait("the simulated services", lambda: ready.exists() and ready.read_text())
        return ready.read_text().split()[2]

    def configure(self, broken=False):
        hooks = f"http://127.0.0.1:{self.hooks.server_port}"
        watches = [
            {"service": "warehouse", "ids": list(RUNS), "group": "nightly", "label": "a few"},
            {"service": "warehouse", "ids": [*LONG, ODD]},
            {"service": "warehouse", "id": "missing", "not_found_grace": "1s"},
            {"service": "warehouse", "id": "late", "deadline": "1s"},
            {"service": "warehouse", "discover": {"run_tag": "nightly"}},
            {"service": "krixik", "id": KRIXIK},
            {"service": "away", "ids": ["1", "2"]},
        ]
        (self.folder / "watches.yaml").write_text(json.dumps(watches))
        everything = {
            "services": {
                "warehouse": {"kind": "kinetica", "url": f"{self.url}/kinetica"},
                "krixik": {"kind": "krixik", "url": f"{self.url}/krixik", "api_key": KEY,
                           "pipeline": "nightly"},
                "away": {"kind": "kinetica", "url": "http://127.0.0.1:9"},
            },
            "defaults": {"poll": {"initial": "300ms", "max": "500ms"}, "notify": RECEIVERS},
            "receivers": {
                "log": {"stdout": {"format": "json"}, "on": ["all"]},
                "ops": self.hook("flaky", retry=["0s", "1s"]),
                "slow": self.hook("slow", retry=["0s", "1h"], timeout="300ms"),
                "refused": self.hook("refused", retry=["0s"]),
                "gone": self.hook("gone"),
                "digest": {**self.hook("digest"), "digest": {"window": "2s"}},
            },
        }
        if broken:
            everything["recievers"] = {}
        self.configuration.write_text(json.dumps(everything))

    def hook(self, name, **settings):
        url = f"http://127.0.0.1:{self.hooks.server_port}/{name}"
        return {"webhook": {"url": url}, "on": ["all"], **settings}

    def churn(self):
        """New runs that end soon: rows come and change while they are listed."""
        number = 5000
        while not self.ending.wait(0.5):
            number += 1
            body = json.dumps({"runs": [{"service": "kinetica", "id": str(number),
                                         "run_tag": "nightly",
                                         "life": [[0, "running"], [2, "complete"]]}]})
            try:
                urllib.request.urlopen(f"{self.url}/sim/runs", body.encode()).close()
            except OSError:
                return

    def curl(self, *arguments, before=()):
        """What curl prints when it speaks to the socket; `before` is a command that runs it."""
        return subprocess.run(
            [*before, "curl", "-sS", "--unix-socket", self.socket, "--max-time", "20", *arguments],
            capture_output=True, text=True)

    def get(self, path, *arguments, before=()):
        """The status and the document of a path."""
        done = self.curl("-w", "\n%{http_code}", *arguments, f"http://runwatch{path}", before=before)
        text, _, status = done.stdout.rpartition("\n")
        try:
            return int(status or 0), json.loads(text)
        except ValueError:
            return int(status or 0), text

    def control(self, *arguments):
        return subprocess.run(
            [self.programs / "runwatchctl", *arguments, "--socket", self.socket],
            capture_output=True, text=True)

    def wait(self, what, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"{what}: not there after {seconds} s")
            time.sleep(0.05)
