"""Runs the daemon under load, and holds its figures and the alert rules to Prometheus' own tools.

Arguments: the folder of the programs, a folder to work in, and promtool. Ends with 0 when everything fits.
"""

import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain

RUNS = [str(number) for number in range(1, 301)]
OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
# As promtool and the parser see them: these have to be at work when the daemon is.
BUSY = ["runwatch_polls", "runwatch_transitions", "runwatch_deliveries",
        "runwatch_delivery_attempts", "runwatch_events", "runwatch_control_requests"]

programs, folder, promtool = (pathlib.Path(argument) for argument in sys.argv[1:4])
project = pathlib.Path(__file__).resolve().parents[2]
faults = []


def check(condition, what):
    print(("ok      " if condition else "FAILED  ") + what, flush=True)
    if not condition:
        faults.append(what)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what comes to /good, and nothing that comes to /bad."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(204 if self.path == "/good" else 500)
        self.end_headers()

    def log_message(self, *_):
        pass


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    return None


def start_services():
    ends = ["complete", "error", "killed"]
    script = {"runs": [
        {"service": "kinetica", "id": run, "proc": "score",
         "life": [[0, "running"], [1 + index * 0.02, ends[index % 3], 'a "quoted" \\ word']]}
        for index, run in enumerate(RUNS)]}
    (folder / "simulation.json").write_text(json.dumps(script))
    simulator = subprocess.Popen(
        [programs / "runwatch-sim", "--script", folder / "simulation.json"],
        stdout=open(folder / "sim.out", "w"))
    text = wait_for(lambda: (folder / "sim.out").read_text().startswith("listening on ")
                    and (folder / "sim.out").read_text())
    if not text:
        simulator.kill()
        raise SystemExit("the simulated services did not start")
    return simulator, text.split()[2]


def configure(url, hooks, extra=""):
    (folder / "watches.yaml").write_text(json.dumps(
        [{"service": "warehouse", "ids": RUNS}, {"service": "broken", "ids": ["1", "2"]}]))
    retry = ["0s", "100ms", "100ms"]
    configuration = {
        "http": {"listen": "127.0.0.1:0"},
        "services": {
            "warehouse": {"kind": "kinetica", "url": f"{url}/kinetica", "coalesce": "never",
                          "limits": {"concurrency": 4, "rate": "400/s"}},
            # The discard port, where nobody listens.
            "broken": {"kind": "kinetica", "url": "http://127.0.0.1:9"},
        },
        "defaults": {"poll": {"initial": "200ms", "max": "500ms"}},
        "receivers": {
            "good": {"webhook": {"url": f"{hooks}/good"}},
            "bad": {"webhook": {"url": f"{hooks}/bad"}, "retry": retry},
            "digest": {"webhook": {"url": f"{hooks}/good"}, "digest": {"window": "1s"}},
            "log": {"stdout": {"format": "json"}, "on": ["all"]},
        },
    }
    (folder / "runwatch.yaml").write_text(json.dumps(configuration) + extra)


def scrape(address, accept="*/*"):
    request = urllib.request.Request(f"http://{address}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["content-type"], answer.read().decode()


def samples(families):
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families for sample in family.samples}


def counters(families):
    return samples(family for family in families if family.type in ("counter", "histogram"))


def ask(text):
    result = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                            capture_output=True)
    return (result.returncode, (result.stdout + result.stderr).strip())


def check_load(address):
    """Reads again and again while runs end, deliveries fail and a service is down."""
    before, fallen, reads = {}, [], 0
    end = time.monotonic() + 8
    while time.monotonic() < end:
        kind, text = scrape(address, OPEN)
        families = list(parse_open(text))
        now = counters(families)
        fallen += [name for name, value in before.items() if now.get(name, 0) < value]
        before, reads = now, reads + 1
        if reads == 1:
            check(kind.startswith("application/openmetrics-text; version=1.0.0"),
                  "OpenMetrics is given to Prometheus' own Accept")
    check(reads > 10, f"prometheus_client reads each of {reads} answers under load")
    check(not fallen, f"no counter falls {fallen[:3]}")
    for name in BUSY:
        total = sum(value for (sample, _), value in before.items() if sample == f"{name}_total")
        check(total > 0, f"{name} has grown to {total:.0f}")
    failed = [value for (name, labels), value in before.items()
              if name == "runwatch_deliveries_total"
              and labels == (("outcome", "failed"), ("receiver", "bad"))]
    check(failed and failed[0] > 0, "deliveries that were given up are counted")


def check_formats(address):
    kind, plain = scrape(address)
    check(kind == "text/plain; version=0.0.4; charset=utf-8", "plain text is given to everyone else")
    check(ask(plain) == (0, ""), "promtool check metrics has nothing to say")
    code, words = ask(plain + "bad_total_gauge{ 1\n")
    check(code != 0, "promtool check metrics would say so")
    _, text = scrape(address, OPEN)
    names = {name for name, _ in samples(parse_open(text))}
    check({name for name, _ in samples(parse_plain(plain))} == names,
          f"both formats have the same {len(names)} names of samples")


def check_rules():
    rules = subprocess.run([promtool, "check", "rules", project / "config/alerts.yaml"],
                           text=True, capture_output=True)
    check(rules.returncode == 0, f"promtool check rules: {(rules.stdout + rules.stderr).strip()}")
    tests = subprocess.run([promtool, "test", "rules", project / "Tests/Interop/alerts.test.yaml"],
                           text=True, capture_output=True)
    check(tests.returncode == 0, f"promtool test rules: {(tests.stdout + tests.stderr).strip()}")


def main():
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    simulator, url = start_services()
    hooks = f"http://127.0.0.1:{receiver.server_port}"
    daemon = None
    try:
        check_rules()
        configure(url, hooks)
        socket = folder / "control.sock"
        daemon = subprocess.Popen(
            [programs / "runwatchd", "--config", folder / "runwatch.yaml", "--state-dir",
             folder / "state", "--socket", socket],
            stderr=open(folder / "log", "w"), stdout=subprocess.DEVNULL)
        control = [programs / "runwatchctl", "--socket", socket, "--json"]

        def status():
            answer = subprocess.run([*control, "status"], capture_output=True)
            return answer.returncode == 0 and json.loads(answer.stdout)

        told = wait_for(status)
        if not told:
            raise SystemExit("the daemon did not start: " + (folder / "log").read_text())
        address = told["http"]["listen"]
        check_load(address)
        check_formats(address)
        configure(url, hooks, extra=" broken")
        subprocess.run([*control, "reload"], capture_output=True)
        figures = samples(parse_open(scrape(address, OPEN)[1]))
        check(figures[("runwatch_config_last_reload_successful", ())] == 0, "a failed reload is shown")
    finally:
        for process in (daemon, simulator):
            if process:
                process.terminate()
                process.wait()
        receiver.shutdown()
    print(f"== {len(faults)} faults" if faults else "== everything fits")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
