"""A stand-in for Kinetica that answers single polls, and notes to the microsecond when it did."""

import json
import sys
import time

from rig.station import Server, Station, serve


class Service(Station):
    """Runs `1`, `2`, … run, and complete one after the other from the moment of `begin_ends` on.

    `runwatch-sim` does far more, but when an answer left it is known to its poller only.
    """

    def __init__(self, bench, name):
        super().__init__(bench, f"service-{name}", "rig.service")
        self._notes = bench.folder / f"{self.name}.notes"
        self.ask("listen")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def begin_ends(self, interval):
        """Run `1` completes now, and each one after it `interval` seconds later."""
        self.ask("begin", time.time_ns(), int(interval * 1e9))

    def told(self):
        """By run, as wall clock in ns: each poll, and the first answer that said `complete`."""
        self.ask("dump", self._notes)
        notes = json.loads(self._notes.read_text())
        self._notes.unlink()
        return notes["polls"], notes["ends"]


class ServiceServer(Server):
    def __init__(self):
        super().__init__()
        self.start, self.interval = None, 0
        self.polls, self.ends = {}, {}

    async def begin(self, start, interval):
        self.start, self.interval = int(start), int(interval)

    def received(self, now, head, body, connection):
        run = json.loads(body)["run_id"]
        self.polls.setdefault(run, []).append(now)
        is_over = (
            self.start is not None and now >= self.start + (int(run) - 1) * self.interval)
        answer = document(run, "complete" if is_over else "running")
        if is_over and run not in self.ends:
            self.ends[run] = time.time_ns()
        connection.send(answer)

    async def dump(self, path):
        with open(path, "w") as file:
            json.dump({"polls": self.polls, "ends": self.ends}, file)


def document(run, word):
    """An answer about one run, with the members of Kinetica 7.2."""
    content = json.dumps({
        "proc_names": {run: "score"}, "params": {run: {}}, "bin_params": {run: {}},
        "input_table_names": {run: []}, "input_column_names": {run: {}},
        "output_table_names": {run: []}, "options": {run: {}}, "overall_statuses": {run: word},
        "statuses": {run: {"0": word}}, "messages": {run: {"0": ""}}, "results": {run: {"0": {}}},
        "bin_results": {run: {"0": {}}}, "output": {run: {"0": {"stdout": [], "stderr": []}}},
        "timings": {run: {"0": {"total": 1234}}}, "info": {}})
    body = json.dumps({
        "status": "OK", "message": "", "data_type": "show_proc_status_response", "data": "",
        "data_str": content}).encode()
    return (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body))


if __name__ == "__main__":
    serve(ServiceServer())
