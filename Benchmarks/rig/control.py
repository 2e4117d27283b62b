"""Clients of the control socket: many that follow, one that asks, and hostile ones."""

import collections
import json
import os
import select
import socket
import sys
import threading
import time

from rig.station import Station

STREAM = b"GET %s HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n"
END = b'"type":"run.complete"'
ASK = b"GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"


class Followers(Station):
    """Streams of events held open in a process of their own."""

    def __init__(self, bench, name, path):
        super().__init__(bench, f"followers-{name}", "rig.control", "followers", path)
        self._arrivals = bench.folder / f"{self.name}.arrivals"

    def open(self, count, target="/v1/events/stream"):
        """Opens so many streams, and returns when each has told that it is open."""
        self.ask("open", count, target)

    def close(self):
        self.ask("close")

    def count(self):
        """Ends of runs that came, at all streams together."""
        return int(self.ask("count"))

    def arrivals(self):
        """By an event's number: the event, and the wall clock in ns at which each stream had it."""
        self.ask("dump", self._arrivals)
        found = json.loads(self._arrivals.read_text())
        self._arrivals.unlink()
        return found


class Hostile(Station):
    """A peer that does harm, if it can: `trickle`, `header` or `pipeline`."""

    def __init__(self, bench, kind, path):
        super().__init__(bench, f"hostile-{kind}", "rig.control", kind, path)

    def begin(self):
        self.ask("begin")

    def done(self):
        """What it has done so far, in its own unit."""
        return int(self.ask("done"))


def connections(path):
    """How many connections to a Unix socket are open: proc(5), net/unix."""
    connected = "03"
    return sum(
        fields[5] == connected and fields[-1] == path
        for fields in map(str.split, open("/proc/net/unix")))


def connect(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path)
    return peer


def ask(path, target):
    """The status and the body of one answer, on a connection of its own."""
    with connect(path) as peer:
        peer.sendall(ASK % target.encode())
        parts = []
        while part := peer.recv(1 << 20):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def ask_times(path, target, count, pause=0.0):
    """Milliseconds that each of so many requests took."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        status, _ = ask(path, target)
        times.append((time.perf_counter() - start) * 1000)
        if status != 200:
            raise SystemExit(f"{target} was answered {status}")
        time.sleep(pause)
    return times


def fan_out_floor(bench, folder, count, size, rounds):
    """How long a bare loop takes to write an event to so many sockets until the last has it, in ms."""
    path = str(folder / "floor.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(4096)
        followers = Followers(bench, f"floor-{folder.name}", path)
        peers = []

        def accept():
            for _ in range(count):
                peer = listener.accept()[0]
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\nid: 0\n\n")
                peers.append(peer)

        accepting = threading.Thread(target=accept)
        accepting.start()
        followers.open(count)
        accepting.join()
        sent = {}
        for number in range(1, rounds + 1):
            text = b"id: %d\ndata: {%s}%s\n\n" % (number, END, b" " * size)
            sent[str(number)] = time.time_ns()
            for peer in peers:
                peer.send(text)
            while followers.count() < number * count:
                time.sleep(0.01)
        arrivals = followers.arrivals()
        followers.end()
        for peer in peers:
            peer.close()
    return [(max(arrivals[number]["at"]) - sent[number]) / 1e6 for number in sent]


class FollowersServer:
    """Reads in a loop of its own: a coroutine for each arrival would be what is measured."""

    def __init__(self, path):
        self.path = path
        self.poll = select.epoll()
        self.peers = {}
        self.came = collections.deque()
        self.opened = 0
        self.ends = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        # One buffer for all: to shrink a large one for each arrival leaves a mapping for each.
        buffer = memoryview(bytearray(1 << 18))
        while True:
            for descriptor, _ in self.poll.poll():
                peer = self.peers.get(descriptor)
                if peer is None:
                    continue
                try:
                    size = peer.recv_into(buffer, flags=socket.MSG_DONTWAIT)
                except OSError:
                    continue
                if not size:
                    self.poll.unregister(descriptor)
                    continue
                data = bytes(buffer[:size])
                self.came.append((time.time_ns(), descriptor, data))
                self.ends += data.count(END)

    def open(self, count, target):
        wanted = len(self.peers) + int(count)
        for _ in range(int(count)):
            peer = connect(self.path)
            peer.sendall(STREAM % target.encode())
            self.peers[peer.fileno()] = peer
            self.poll.register(peer, select.EPOLLIN)
        deadline = time.monotonic() + 60
        # The head and the first words of a stream may come in one piece or in several.
        while time.monotonic() < deadline:
            heard = {descriptor for _, descriptor, data in list(self.came) if b"id: " in data}
            if len(heard) >= wanted:
                return
            time.sleep(0.02)
        raise SystemExit(f"only {len(heard)} of {wanted} streams were opened")

    def close(self):
        for descriptor, peer in list(self.peers.items()):
            self.poll.unregister(peer)
            del self.peers[descriptor]
            peer.close()

    def count(self):
        return self.ends

    def dump(self, path):
        rest, found = collections.defaultdict(bytes), {}
        while self.came:
            now, descriptor, data = self.came.popleft()
            *blocks, rest[descriptor] = (rest[descriptor] + data).split(b"\n\n")
            for block in blocks:
                number, event = None, None
                for line in block.replace(b"\r", b"").split(b"\n"):
                    if line.startswith(b"id: "):
                        number = line[4:].decode()
                    elif line.startswith(b"data: "):
                        event = line[6:]
                if event is None:
                    continue
                if number not in found:
                    found[number] = {"event": json.loads(event), "at": []}
                found[number]["at"].append(now)
        with open(path, "w") as file:
            json.dump(found, file)


class HostileServer:
    def __init__(self, path):
        self.path = path
        self.work = 0

    def begin(self):
        threading.Thread(target=self.run, daemon=True).start()

    def done(self):
        return self.work


class Trickle(HostileServer):
    """200 connections, a byte a second on each; what is cut off comes again."""

    def run(self):
        peers = [None] * 200
        while True:
            for index, peer in enumerate(peers):
                try:
                    if peer is None:
                        peer = peers[index] = connect(self.path)
                        peer.setblocking(False)
                        peer.send(b"GET /v1/status HTTP/1.1\r\nHost: bench\r\nX-Slow: ")
                    peer.send(b"x")
                    self.work += 1
                except OSError:
                    peer.close()
                    peers[index] = None
            time.sleep(1)


class Header(HostileServer):
    """A gigabyte of header, and another: as fast as it is taken, on one connection after the other."""

    def run(self):
        block = b"X-Large: " + b"x" * (64 << 10) + b"\r\n"
        while True:
            with connect(self.path) as peer:
                try:
                    peer.sendall(b"GET /v1/status HTTP/1.1\r\nHost: bench\r\n")
                    for _ in range((1 << 30) // len(block)):
                        peer.sendall(block)
                        self.work += len(block)
                except OSError:
                    # Cut off: the answer is there, or nothing.
                    pass


class Pipeline(HostileServer):
    """Requests without end on one connection, none of whose answers is waited for."""

    def run(self):
        peer = connect(self.path)
        threading.Thread(target=self.read, args=(peer,), daemon=True).start()
        block = b"GET /v1/watches/none/none HTTP/1.1\r\nHost: bench\r\n\r\n" * 1000
        while True:
            peer.sendall(block)

    def read(self, peer):
        while data := peer.recv(1 << 20):
            self.work += data.count(b"HTTP/1.1 404")


def serve(server):
    """The other side of a station whose work is done by threads."""
    print(0, flush=True)
    for line in sys.stdin:
        name, *words = line.rstrip("\n").split("\t")
        answer = getattr(server, name)(*words)
        print("done" if answer is None else answer, flush=True)
    os._exit(0)


if __name__ == "__main__":
    kinds = {
        "followers": FollowersServer, "trickle": Trickle, "header": Header, "pipeline": Pipeline}
    serve(kinds[sys.argv[1]](sys.argv[2]))
