"""Do a thousand clients, a large list or hostile peers at the control socket delay anybody?

Two daemons in each round, with few watches and with many. Runs end at 10 a second while 1,000 clients
wait and 100 follow; then a list is read whole, and hostile peers take turns.
"""

import os
import subprocess
import time

from rig import control
from rig.bench import die_with_parent
from rig.daemon import Daemon
from rig.events import wall_clock_ms
from rig.figures import percentile
from rig.service import Service

RATE = 10
CONCURRENCY = 64
FIRST_AT_REST = 1_000_001
HOSTILE = {
    "trickle": ("1 byte/s on 200 connections", "bytes"),
    "header": ("header without end", "bytes"),
    "pipeline": ("pipelined requests without end", "answers"),
}

CONFIGURATION = """
services:
  warehouse:
    kind: kinetica
    url: {url}
    coalesce: never
    limits: {{concurrency: {concurrency}}}
    poll: {{initial: 1s, factor: 1, max: 1s, jitter: 0%}}
  bulk:
    kind: kinetica
    url: {url}
    coalesce: never
    poll: {{initial: 10h, factor: 1, max: 10h}}
receivers: {{}}
"""
WATCHES = """
- {service: warehouse, ids_from: runs.txt}
- {service: bulk, ids_from: bulk.txt}
"""


class Sizes:
    def __init__(self, is_quick):
        self.watches = (1000, 5000) if is_quick else (1000, 100_000)
        self.waiting, self.following = (100, 10) if is_quick else (1000, 100)
        self.seconds = 4 if is_quick else 20
        self.requests = 50 if is_quick else 300
        # The daemon gives free memory back once a minute.
        self.rest = 2 if is_quick else 70

    @property
    def clients(self):
        return self.waiting + self.following


def run(bench):
    sizes = Sizes(bench.is_quick)
    for number in range(bench.rounds):
        memory = {}
        for count in sizes.watches:
            bench.say(f"round {number + 1} of {bench.rounds}, {count:,} watches")
            memory[count] = one(bench, sizes, count, count == sizes.watches[-1])
        few, many = (memory[count] for count in sizes.watches)
        for side in ("runwatchctl", "daemon"):
            bench.figure(
                f"list --json, peak of {side}: many watches less few", "MiB", many[side] - few[side])


def one(bench, sizes, count, is_last):
    folder = bench.place(f"{count}")
    service = Service(bench, folder.name)
    ends = sizes.seconds * RATE
    (folder / "runs.txt").write_text("\n".join(str(run + 1) for run in range(ends)))
    (folder / "bulk.txt").write_text(
        "\n".join(str(FIRST_AT_REST + run) for run in range(count - ends)))
    daemon = Daemon(bench, folder, CONFIGURATION.format(url=service.url, concurrency=CONCURRENCY), WATCHES)
    socket = str(folder / "control.sock")
    name = f"{count:,} watches"
    # Every run is seen once, and the start's own work is over.
    time.sleep(3)
    status(bench, name, socket, sizes)
    follow(bench, name, sizes, folder, daemon, service, socket)
    peaks = listing(bench, name, daemon, folder)
    if is_last:
        hostile(bench, sizes, daemon, socket)
    daemon.end()
    service.end()
    return peaks


def status(bench, name, socket, sizes):
    with bench.measuring():
        times = control.ask_times(socket, "/v1/status", sizes.requests)
    for share in (50, 99):
        bar = {"at_most": 50} if share == 99 else {}
        bench.figure(f"{name}: status, p{share}", "ms", percentile(times, share), **bar)


# Clients that wait and follow.

def follow(bench, name, sizes, folder, daemon, service, socket):
    before = state(daemon)
    alone = lateness(socket)
    time.sleep(sizes.seconds)
    alone = lateness(socket) - alone
    clients = control.Followers(bench, folder.name, socket)
    start = time.monotonic()
    clients.open(sizes.waiting)
    clients.open(sizes.following)
    bench.figure(f"{name}: opening {sizes.clients:,} streams", "s", time.monotonic() - start)
    disturbed, spent = lateness(socket), daemon.cpu()
    ends = sizes.seconds * RATE
    with bench.measuring():
        service.begin_ends(1 / RATE)
        deadline = time.monotonic() + sizes.seconds + 20
        while clients.count() < ends * sizes.clients and time.monotonic() < deadline:
            time.sleep(0.25)
    spent, during = daemon.cpu() - spent, state(daemon)
    disturbed = lateness(socket) - disturbed
    arrivals = clients.arrivals()
    clients.close()
    judge(bench, name, arrivals, service.told()[1], ends, sizes.clients)
    floors = control.fan_out_floor(bench, folder, sizes.clients, 500, 20)
    for share in (50, 99):
        bench.figure(
            f"{name}: floor, a bare loop writes to all, p{share}", "ms", percentile(floors, share))
    bench.figure(
        f"{name}: processor time an event and client, all of the daemon", "µs",
        spent / (ends * sizes.clients) * 1e6)
    bench.figure(f"{name}: polls late on average, without clients", "ms", alone.mean)
    bench.figure(f"{name}: polls late on average, with clients", "ms", disturbed.mean)
    bench.figure(f"{name}: polls late, with clients / without", "×", disturbed.mean / alone.mean)
    clients.end()
    settle(bench, name, sizes, daemon, socket, before, during)


def judge(bench, name, arrivals, answered, ends, clients):
    last, observed, spread = [], [], []
    for arrival in arrivals.values():
        data = arrival["event"]["data"]
        if arrival["event"]["type"] != "run.complete":
            continue
        times = arrival["at"]
        if len(times) != clients:
            bench.fault(f"{name}: {len(times)} of {clients} clients got the end of {data['run']}")
        last.append((max(times) - answered[data["run"]]) / 1e6)
        observed.append(max(times) / 1e6 - wall_clock_ms(data["observed_at"]))
        spread.append((max(times) - min(times)) / 1e6)
    if len(last) != ends:
        bench.fault(f"{name}: {ends - len(last)} of {ends} ends did not come")
    for share in (50, 99, 100):
        title = "max" if share == 100 else f"p{share}"
        bar = {"at_most": 100} if share == 99 else {}
        bench.figure(
            f"{name}: answer sent → at all clients, {title}", "ms", percentile(last, share), **bar)
    for title, values in (("observed_at → at all clients", observed),
                          ("first client → last client", spread)):
        for share in (50, 99):
            bench.figure(f"{name}: {title}, p{share}", "ms", percentile(values, share))


def settle(bench, name, sizes, daemon, socket, before, during):
    """Descriptors and memory have to return to where they were."""
    deadline = time.monotonic() + 20
    while control.connections(socket) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(sizes.rest)
    after = state(daemon)
    for title, (memory, descriptors) in (
            ("before clients", before), ("with clients", during), ("after clients", after)):
        bench.figure(f"{name}: resident {title}", "MiB", memory)
        bench.figure(f"{name}: descriptors {title}", "", descriptors)
    # Connections to the service are kept, as many as were ever needed at once.
    if control.connections(socket) or after[1] > before[1] + CONCURRENCY:
        bench.fault(f"{name}: {after[1] - before[1]} descriptors are left from the clients")


def state(daemon):
    return daemon.memory()[0], len(os.listdir(f"/proc/{daemon.pid}/fd"))


class lateness:
    """Of all polls so far, from /metrics; a difference is of those between."""

    def __init__(self, socket=None):
        self.sum = self.count = 0
        for line in control.ask(socket, "/metrics")[1].decode().splitlines() if socket else ():
            if line.startswith("runwatch_poll_lateness_seconds_sum"):
                self.sum += float(line.rsplit(" ", 1)[1])
            elif line.startswith("runwatch_poll_lateness_seconds_count"):
                self.count += float(line.rsplit(" ", 1)[1])

    def __sub__(self, other):
        result = lateness()
        result.sum, result.count = self.sum - other.sum, self.count - other.count
        return result

    @property
    def mean(self):
        return self.sum / self.count * 1000 if self.count else float("nan")


# A list.

def listing(bench, name, daemon, folder):
    """Peaks in MiB while all watches are listed as JSON."""
    daemon.forget_peak()
    start = time.monotonic()
    with bench.measuring():
        child = subprocess.Popen(
            [bench.programs / "runwatchctl", "--socket", folder / "control.sock", "list", "--json"],
            stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
        _, code, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
    if child.returncode:
        bench.fault(f"{name}: list --json ended with {child.returncode}")
    bench.figure(f"{name}: list --json", "s", time.monotonic() - start)
    peaks = {"runwatchctl": usage.ru_maxrss / 1024, "daemon": daemon.memory()[1]}
    for side, value in peaks.items():
        bench.figure(f"{name}: list --json, peak of {side}", "MiB", value)
    # What the daemon holds for its watches is not the list's.
    peaks["daemon"] -= daemon.memory()[0]
    return peaks


# Hostile peers.

def hostile(bench, sizes, daemon, socket):
    pause = sizes.seconds / sizes.requests / 2
    calm = control.ask_times(socket, "/v1/status", sizes.requests, pause)
    for kind, (title, unit) in HOSTILE.items():
        peer = control.Hostile(bench, kind, socket)
        before = daemon.memory()[0]
        daemon.forget_peak()
        peer.begin()
        time.sleep(2)
        with bench.measuring():
            done, start = peer.done(), time.monotonic()
            times = control.ask_times(socket, "/v1/status", sizes.requests, pause)
            done = (peer.done() - done) / (time.monotonic() - start)
        peak = daemon.memory()[1]
        peer.end()
        bench.figure(f"{title}: {unit} a second", "1/s", done)
        bench.figure(f"{title}: status, p99", "ms", percentile(times, 99))
        for share in (50, 99):
            bench.figure(
                f"{title}: status, p{share}, disturbed / undisturbed", "×",
                percentile(times, share) / percentile(calm, share))
        bench.figure(f"{title}: peak of the daemon above before", "MiB", peak - before)
