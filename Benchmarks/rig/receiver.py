"""A webhook receiver in a process of its own, that is accepting, slow, silent or dead."""

import asyncio
import json
import sys

from rig.station import Server, Station, header, serve

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(Station):
    """`mode` is `accept`, `hang` (never answers), or seconds to wait before each answer.

    With `is_dead` who connects is refused, until `revive`.
    """

    def __init__(self, bench, name, mode="accept", is_dead=False):
        super().__init__(bench, f"receiver-{name}", "rig.receiver", mode)
        self._arrivals = bench.folder / f"{self.name}.arrivals"
        if not is_dead:
            self.revive()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def revive(self):
        self.ask("listen")

    def count(self):
        return int(self.ask("count"))

    def arrivals(self):
        """What came: (wall clock in ns, webhook-id, event), in the order of arrival."""
        self.ask("dump", self._arrivals)
        with open(self._arrivals, "rb") as file:
            for line in file:
                now, identifier, body = line.rstrip(b"\n").split(b"\t", 2)
                yield int(now), identifier.decode(), json.loads(body)
        self._arrivals.unlink()


class ReceiverServer(Server):
    def __init__(self, mode):
        super().__init__()
        self.mode = mode
        self.came = []

    def received(self, now, head, body, connection):
        self.came.append((now, header(head, b"webhook-id"), body))
        if self.mode == "accept":
            connection.send(ANSWER)
        elif self.mode != "hang":
            asyncio.get_running_loop().call_later(float(self.mode), connection.send, ANSWER)

    async def count(self):
        return len(self.came)

    async def dump(self, path):
        """Writes an arrival a line."""
        with open(path, "wb") as file:
            for now, identifier, body in self.came:
                file.write(b"%d\t%s\t%s\n" % (now, identifier or b"", body))


if __name__ == "__main__":
    serve(ReceiverServer(sys.argv[1]))
