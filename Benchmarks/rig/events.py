"""How long events took, from what the service, the receiver and the event itself say."""

import datetime
import time


def wall_clock_ms(text):
    """RFC 3339 as milliseconds since 1970."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


class Times:
    """Of the runs `1`…`count` at one receiver; in ms."""

    def __init__(self, bench, service, receiver, count, what):
        self.polls, ends = service.told()
        # From the service's answer to the event's arrival.
        self.answered = []
        # From the event's own `observed_at`, whole milliseconds rounded down, to its arrival.
        self.observed = []
        runs, identifiers = set(), set()
        for now, identifier, event in receiver.arrivals():
            data = event["data"]
            runs.add(data["run"])
            if identifier in identifiers:
                bench.fault(f"{what}: a delivery came twice, with no crash to explain it")
            identifiers.add(identifier)
            self.answered.append((now - ends[data["run"]]) / 1e6)
            self.observed.append(now / 1e6 - wall_clock_ms(data["observed_at"]))
        if len(runs) != count:
            bench.fault(f"{what}: {count - len(runs)} of {count} events did not come")

    def late_polls(self, interval):
        """How much later than `interval` seconds each poll of a run after its first came, in ms."""
        return [
            (second - first) / 1e6 - interval * 1000
            for moments in self.polls.values() for first, second in zip(moments, moments[1:])]


def await_count(receiver, count, seconds, pause=0.25):
    """Waits until so many requests have come, or the time is over."""
    deadline = time.monotonic() + seconds
    while receiver.count() < count and time.monotonic() < deadline:
        time.sleep(pause)
