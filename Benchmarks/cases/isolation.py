"""Does a dead or slow receiver delay the events of a good one?

Runs end at 20 a second. Each round has three parts, each with a fresh daemon: receiver A alone; A
beside B, that refuses connections, and C, that answers after 2 s; A beside B, that never answers,
and C.
"""

import time

from rig.daemon import Daemon
from rig.events import Times, await_count
from rig.figures import percentile
from rig.receiver import Receiver
from rig.service import Service

RATE = 20
INTERVAL = 5
PARTS = ("alone", "refused", "silent")

CONFIGURATION = """
services:
  warehouse:
    kind: kinetica
    url: {url}
    coalesce: never
    limits: {{concurrency: 64}}
    poll: {{initial: {interval}s, factor: 1, max: {interval}s, jitter: 0%}}
receivers:
"""
WATCHES = """
- service: warehouse
  ids_from: runs.txt
  notify: [{names}]
"""


def run(bench):
    seconds = 5 if bench.is_quick else 60
    for number in range(bench.rounds):
        measured = {}
        for part in PARTS:
            bench.say(f"round {number + 1} of {bench.rounds}, {part}")
            measured[part] = one(bench, part, seconds * RATE)
        report(bench, measured)


def one(bench, part, count):
    """One daemon's life; the times of receiver A."""
    folder = bench.place(part)
    service = Service(bench, folder.name)
    a = Receiver(bench, f"a-{folder.name}")
    receivers = {"a": a}
    if part != "alone":
        receivers["b"] = Receiver(
            bench, f"b-{folder.name}", mode="hang" if part == "silent" else "accept",
            is_dead=part == "refused")
        receivers["c"] = Receiver(bench, f"c-{folder.name}", mode="2")
    configuration = CONFIGURATION.format(url=service.url, interval=INTERVAL) + "".join(
        f"  {name}: {{webhook: {{url: '{receiver.url}'}}}}\n"
        for name, receiver in receivers.items())
    (folder / "runs.txt").write_text("\n".join(str(run + 1) for run in range(count)))
    daemon = Daemon(
        bench, folder, configuration, WATCHES.format(names=", ".join(receivers)))
    # Every run is seen running first, so that only ends are measured.
    time.sleep(INTERVAL + 1)
    with bench.measuring():
        service.begin_ends(1 / RATE)
        await_count(a, count, seconds=count / RATE + 60)
    times = Times(bench, service, a, count, part)
    if part != "alone":
        arrived = receivers["c"].count()
        bench.figure(f"{part}: requests that C got meanwhile", "", arrived)
        if not arrived or (part == "silent" and not receivers["b"].count()):
            bench.fault(f"{part}: B or C was not even tried, so nothing was disturbed")
    daemon.end()
    for process in (service, *receivers.values()):
        process.end()
    return times


def report(bench, measured):
    for part, times in measured.items():
        for share in (50, 99, 100):
            name = "max" if share == 100 else f"p{share}"
            bench.figure(
                f"{part}: answer sent → event at A, {name}", "ms",
                percentile(times.answered, share))
        bench.figure(
            f"{part}: observed_at → event at A, p99", "ms", percentile(times.observed, 99))
        bench.figure(
            f"{part}: polls later than due, p99", "ms",
            percentile(times.late_polls(INTERVAL), 99))
    for part in PARTS[1:]:
        for share in (50, 99):
            ratio = percentile(measured[part].answered, share) / percentile(
                measured["alone"].answered, share)
            bar = {"at_most": 2} if share == 99 else {}
            bench.figure(f"{part} / alone, p{share}", "×", ratio, **bar)
