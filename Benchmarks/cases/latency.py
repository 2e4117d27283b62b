"""How soon after the service's answer is the event at the receiver, committed in between?

Some ten runs a second end, one by one, each found by a poll of its own.
"""


from rig import floor
from rig.daemon import Daemon
from rig.events import Times, await_count
from rig.figures import percentile
from rig.receiver import Receiver
from rig.service import Service

RATE = 10
# What a recorded end writes to the log: about a dozen pages.
COMMIT = 12 * 4096

CONFIGURATION = """
services:
  warehouse:
    kind: kinetica
    url: {url}
    coalesce: never
    poll: {{initial: {seconds}s, factor: 1, max: {seconds}s}}
receivers:
  a: {{webhook: {{url: '{receiver}', secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}}}}
"""


def run(bench):
    seconds = 5 if bench.is_quick else 60
    for number in range(bench.rounds):
        bench.say(f"round {number + 1} of {bench.rounds}")
        one(bench, seconds)


def one(bench, seconds):
    count = seconds * RATE
    folder = bench.place("latency")
    receiver = Receiver(bench, folder.name)
    service = Service(bench, folder.name)
    syncs = floor.sync_times(folder, 100, COMMIT)
    # Every run is complete at its first poll, and first polls are spread over the first interval.
    service.begin_ends(0)
    (folder / "runs.txt").write_text("\n".join(str(run + 1) for run in range(count)))
    with bench.measuring():
        daemon = Daemon(
            bench, folder,
            CONFIGURATION.format(url=service.url, seconds=seconds, receiver=receiver.url),
            "- {service: warehouse, ids_from: runs.txt, notify: [a]}\n")
        spent, written = daemon.cpu(), daemon.written()
        await_count(receiver, count, seconds + 30)
        spent, written = daemon.cpu() - spent, daemon.written() - written
    times = Times(bench, service, receiver, count, "latency")
    daemon.end()
    service.end()
    syncs += floor.sync_times(folder, 100, COMMIT)
    bare = Receiver(bench, f"bare-{folder.name}")
    sends = floor.send_times(bare, 200)
    for process in (receiver, bare):
        process.end()
    report(bench, times, syncs, sends)
    bench.figure("processor time for a run's end, all of the daemon", "ms", spent / count * 1000)
    bench.figure("written to disk for a run's end", "KiB", written / count / 1024)


def report(bench, times, syncs, sends):
    for share in (50, 90, 99, 100):
        name = "max" if share == 100 else f"p{share}"
        bar = {"at_most": 20} if share == 99 else {}
        bench.figure(
            f"answer sent → event received, {name}", "ms", percentile(times.answered, share),
            **bar)
    for share in (50, 99):
        bench.figure(
            f"observed_at → event received, p{share}", "ms", percentile(times.observed, share))
    for share in (50, 99):
        bench.figure(f"floor: write and sync alone, p{share}", "ms", percentile(syncs, share))
    for share in (50, 99):
        bench.figure(
            f"floor: request to the receiver alone, p{share}", "ms", percentile(sends, share))
    for share in (50, 99):
        bench.figure(
            f"answer sent → event received / both floors, p{share}", "×",
            percentile(times.answered, share)
            / (percentile(syncs, share) + percentile(sends, share)))
