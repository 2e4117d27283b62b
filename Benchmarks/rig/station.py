"""A part of the rig in a process of its own: told what to do by lines, it answers each with one."""

import asyncio
import gc
import os
import pathlib
import socket
import subprocess
import sys
import time

from rig.bench import Process

ROOT = pathlib.Path(__file__).parent.parent


class Station(Process):
    """The side that asks; the module given runs as the other side, and says its port first."""

    def __init__(self, bench, name, module, *arguments):
        super().__init__(
            bench, name, [sys.executable, "-B", "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)})
        self.port = int(self._answer())

    def ask(self, *words):
        print(*words, sep="\t", file=self.child.stdin, flush=True)
        return self._answer()

    def _answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has ended:\n{self.last_words()}")
        return line.strip()


def serve(server):
    """The other side: `server.listener` is a bound socket, methods are what can be asked for."""

    async def obey():
        loop = asyncio.get_running_loop()
        lines = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        print(server.listener.getsockname()[1], flush=True)
        while line := await lines.readline():
            name, *words = line.decode().rstrip("\n").split("\t")
            answer = await getattr(server, name)(*words)
            print("done" if answer is None else answer, flush=True)

    # Nothing here is cyclic; a collection would only be a pause.
    gc.disable()
    asyncio.run(obey())


class Server:
    """Takes HTTP/1.1 requests, and hands each to `received(ns, head, body, connection)`.

    `ns` is the wall clock in nanoseconds when the request's last byte was there.
    """

    def __init__(self):
        # Bound and not listening: nobody else gets the port, and who connects is refused.
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))

    async def listen(self):
        await asyncio.get_running_loop().create_server(
            lambda: Connection(self.received), sock=self.listener, backlog=1024)


class Connection(asyncio.Protocol):
    """Cuts what comes into requests; just enough of HTTP for peers that are known."""

    def __init__(self, received):
        self.received = received
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        now = time.time_ns()
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            size = end + 4 + int(header(head, b"content-length") or 0)
            if len(self.buffer) < size:
                return
            body, self.buffer = self.buffer[end + 4:size], self.buffer[size:]
            self.received(now, head, body, self)

    def send(self, answer):
        if not self.transport.is_closing():
            self.transport.write(answer)


def header(head, name):
    """The value of a header, by its name in lower case; `None` when there is none."""
    start = head.lower().find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start:end if end >= 0 else None].strip()
