"""What do 100,000 pending deliveries cost, while their receiver is dead and once it is back?

Beside each daemon that owes them runs, before or after it, one with the same record in which all of
them have been delivered.
"""

import shutil
import time

from rig import floor, outbox
from rig.bench import drop_from_memory
from rig.daemon import Daemon
from rig.receiver import Receiver

# Seconds in which nothing need come at a receiver that is back: the longest pause between two
# probes, and some.
PATIENCE = 45
START = {"at_most": 2}

CONFIGURATION = """
services: {{}}
receivers:
  a: {{webhook: {{url: '{url}', secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}}}}
"""


def run(bench):
    count = 2000 if bench.is_quick else 100_000
    bench.say(f"writing a record of {count:,} deliveries")
    record = outbox.make(bench, count, "a")
    empty = outbox.copy(bench, record, "delivered", is_owed=False)
    for number in range(bench.rounds):
        # Whoever comes second finds the machine as the first has left it.
        kinds = ("owed", "none owed") if number % 2 == 0 else ("none owed", "owed")
        measured = {}
        for kind in kinds:
            bench.say(f"round {number + 1} of {bench.rounds}, {kind}")
            measured[kind] = (
                rest_and_revive(bench, record, number) if kind == "owed"
                else rest(bench, empty, kind)[0])
        compare(bench, measured)
    rate(bench, count)


def rest_and_revive(bench, record, number):
    # At another place between two probes in each round: they are 16 s apart by then.
    wait = 3.5 if bench.is_quick else 15 + 16 * (number + 0.5) / bench.rounds
    measured, *state = rest(bench, record, "owed")
    return measured | revive(bench, *state, wait)


def rest(bench, record, kind):
    """Starts, and a minute in which nothing can be delivered; then a kill.

    Gives the memory at each moment, the folder, the receiver and how many deliveries are pending.
    """
    folder = bench.place(kind.replace(" ", "-"))
    shutil.copyfile(record / "runwatch.db", folder / "runwatch.db")
    receiver = Receiver(bench, folder.name, is_dead=True)
    configuration = CONFIGURATION.format(url=receiver.url)
    warm = Daemon(bench, folder, configuration)
    bench.figure(f"{kind}: start after a clean stop", "s", warm.ready_after, **START)
    warm.end()
    drop_from_memory(folder / "runwatch.db")
    daemon = Daemon(bench, folder, configuration)
    bench.figure(
        f"{kind}: start after a clean stop, file not in memory", "s", daemon.ready_after, **START)
    start = time.monotonic()
    pending = daemon.get("/v1/status")["backlog"]["deliveries"]
    bench.figure(f"{kind}: first status", "ms", (time.monotonic() - start) * 1000)
    measured = {"after start": settled(daemon)}
    with bench.measuring():
        spent, written = daemon.cpu(), daemon.written()
        time.sleep(5 if bench.is_quick else 60)
        spent, written = daemon.cpu() - spent, daemon.written() - written
    measured["after a minute"] = daemon.memory()
    bench.figure(f"{kind}: processor time in a minute, receiver dead", "ms", spent * 1000)
    bench.figure(f"{kind}: written to disk in that minute", "KiB", written / 1024)
    daemon.kill()
    return measured, folder, receiver, pending


def settled(daemon):
    time.sleep(2)
    return daemon.memory()


def revive(bench, folder, receiver, pending, wait):
    """The daemon was killed; it starts again, and after `wait` seconds the receiver is back."""
    drop_from_memory(folder / "runwatch.db")
    daemon = Daemon(bench, folder, CONFIGURATION.format(url=receiver.url))
    bench.figure(
        "owed: start after a kill, file not in memory", "s", daemon.ready_after, **START)
    owed = outbox.identifiers(folder)
    time.sleep(wait)
    daemon.forget_peak()
    spent, receiver_spent = daemon.cpu(), receiver.cpu()
    receiver.revive()
    back = time.monotonic()
    with bench.measuring():
        first, last = follow(receiver, pending, back)
    spent, receiver_spent = daemon.cpu() - spent, receiver.cpu() - receiver_spent
    peak = daemon.memory()[1]
    log = daemon.database.with_name("runwatch.db-wal").stat().st_size / 2**20
    # What was delivered is on disk when the daemon has stopped.
    stop = daemon.end()
    judge(bench, owed, receiver, daemon)
    receiver.end()
    bench.figure("owed: receiver back → first delivery", "s", first - back)
    bench.figure("owed: first delivery → last", "s", last - first)
    bench.figure("owed: deliveries a second", "1/s", pending / (last - first))
    bench.figure("owed: processor time a delivery, daemon", "µs", spent / pending * 1e6)
    bench.figure("owed: processor time a delivery, receiver", "µs", receiver_spent / pending * 1e6)
    bench.figure(
        "owed: receiver busy while it was delivered to", "%",
        receiver_spent / (last - first) * 100)
    # From 32 MiB on it is copied back whatever happens; one commit may come on top.
    bench.figure("owed: size of the write-ahead log after it", "MiB", log, at_most=40)
    bench.figure("owed: stop after it", "s", stop)
    return {"delivering, peak": (peak, peak, peak)}


def follow(receiver, pending, back):
    """When the first and the last of them came."""
    first, came, moment = None, 0, back
    changed = back
    while came < pending and time.monotonic() - changed < PATIENCE:
        time.sleep(0.05)
        moment = time.monotonic()
        now = receiver.count()
        if now and first is None:
            first = moment
        if now != came:
            came, changed = now, moment
    return first or moment, moment


def judge(bench, owed, receiver, daemon):
    """Each exactly once, and marked so in the record."""
    came = [identifier for _, identifier, _ in receiver.arrivals()]
    if missing := len(owed - set(came)):
        bench.fault(f"{missing} of {len(owed)} deliveries did not come")
    if strange := len(set(came) - owed):
        bench.fault(f"{strange} deliveries came under an ID that is not in the record")
    if again := len(came) - len(set(came)):
        bench.fault(f"{again} deliveries came twice, without a crash that would explain it")
    if left := daemon.ask("SELECT count(*) FROM delivery WHERE state <> 'delivered'"):
        bench.fault(f"{left} deliveries are not marked as delivered")
    if daemon.ask("PRAGMA quick_check") != "ok":
        bench.fault("the record is damaged")


def compare(bench, measured):
    """Memory, of what owes everything against what owes nothing."""
    base = measured["none owed"]
    for moment in ("after start", "after a minute"):
        for index, name in ((0, "resident"), (2, "proportional")):
            for kind in ("none owed", "owed"):
                bench.figure(
                    f"{kind}: {name} memory {moment}", "MiB", measured[kind][moment][index])
        bench.figure(
            f"owed / none owed: resident memory {moment}", "×",
            measured["owed"][moment][0] / base[moment][0], at_most=1.5)
    peak = measured["owed"]["delivering, peak"][0]
    bench.figure("owed: resident memory while delivering, peak", "MiB", peak)
    bench.figure(
        "owed, delivering / none owed: resident memory", "×", peak / base["after a minute"][0],
        at_most=1.5)


def rate(bench, count):
    """What the receiver could have taken."""
    receiver = Receiver(bench, "flooded")
    for _ in range(bench.rounds):
        bench.figure(
            "what the receiver takes from bare sockets, 16 at once", "1/s",
            floor.requests_a_second(receiver, 16, count))
    receiver.end()
