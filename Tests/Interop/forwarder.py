"""A loopback listener in front of the daemon's Unix socket, for tools that speak TCP alone.

It exists for the test: the daemon itself never takes a change over TCP. Each request goes to the socket
on a connection of its own, byte for byte but for `Connection: close`. An event stream, which would not
end by itself, is ended once it has been silent for a moment, as a chunked body ends properly.
"""

import collections
import re
import select
import socket
import socketserver
import threading

SILENCE = 0.1
"""Seconds after which a stream counts as told: recorded events come at once, later ones with their commit."""


class Forwarder(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path):
        super().__init__(("127.0.0.1", 0), Forwarding)
        self.path = str(path)
        self.lock = threading.Lock()
        self.answers = collections.Counter()  # by (method, path without query, status)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def calls(self):
        with self.lock:
            return sum(self.answers.values())

    def count(self, head, answer):
        method, _, rest = head.partition(b" ")
        path = re.split(rb"[? ]", rest, maxsplit=1)[0]
        status = re.match(rb"HTTP/1\.1 (\d{3})", answer)
        with self.lock:
            self.answers[method.decode("latin-1"), path.decode("latin-1"),
                         int(status[1]) if status else 0] += 1


class Forwarding(socketserver.BaseRequestHandler):
    def handle(self):
        request = b""
        while b"\r\n\r\n" not in request:
            part = self.request.recv(65536)
            if not part:
                return
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length:[ \t]*(\d+)", head)
        lines = [line for line in head.split(b"\r\n")
                 if not line.lower().startswith(b"connection:")]
        with socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(self.server.path)
            try:
                upstream.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
            except OSError:
                pass  # A head that is too long: the answer came before its end.
            rest = int(length[1]) - len(body) if length else 0
            if length is None and re.search(rb"(?im)^transfer-encoding:", head):
                rest = None
            threading.Thread(target=self.send, args=(upstream, rest), daemon=True).start()
            self.server.count(head, self.receive(upstream))

    def send(self, upstream, rest):
        """The rest of the body; of a chunked one all that comes."""
        try:
            while rest is None or rest > 0:
                part = self.request.recv(65536)
                if not part:
                    return
                upstream.sendall(part)
                rest = None if rest is None else rest - len(part)
        except OSError:
            pass  # The answer came before the end of the request.

    def receive(self, upstream):
        """Hands the answer on; returns how it began."""
        answer = b""
        is_stream = False
        try:
            while True:
                if is_stream and not select.select([upstream], [], [], SILENCE)[0]:
                    self.request.sendall(b"0\r\n\r\n")
                    break
                part = upstream.recv(65536)
                if not part:
                    break
                answer = answer if len(answer) > 65536 else answer + part
                is_stream = is_stream or re.search(
                    rb"(?i)\r\ncontent-type: text/event-stream", answer) is not None
                self.request.sendall(part)
        except OSError:
            pass  # Either side has gone; what was sent stands.
        return answer
