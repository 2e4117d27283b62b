"""What the rig and the machine cost by themselves: nothing measured here can be below that."""

import json
import multiprocessing
import os
import selectors
import socket
import time

BODY = json.dumps({"type": "run.complete", "data": {"text": "x" * 400}}).encode()


def sync_times(folder, count, size):
    """How long it takes to write `size` bytes to a file and have them on the disk, in ms.

    The file is kept allocated, as SQLite's log is.
    """
    path = folder / "sync"
    times = []
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, bytes(size * count), 0)
        os.fsync(descriptor)
        for index in range(count):
            start = time.perf_counter_ns()
            os.pwrite(descriptor, os.urandom(size), index * size)
            os.fdatasync(descriptor)
            times.append((time.perf_counter_ns() - start) / 1e6)
    finally:
        os.close(descriptor)
        path.unlink()
    return times


def request(identifier):
    return (b"POST /hook HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"webhook-id: %s\r\nwebhook-timestamp: 1234567890\r\ncontent-length: %d\r\n\r\n%s"
            % (identifier, len(BODY), BODY))


def send_times(receiver, count):
    """How long a request takes from a bare socket to its note at the receiver, in ms."""
    sent = {}
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(count):
            name = f"floor-{index}"
            text = request(name.encode())
            sent[name] = time.time_ns()
            connection.sendall(text)
            connection.recv(4096)
            time.sleep(0.005)
    return [(now - sent[name]) / 1e6 for now, name, _ in receiver.arrivals() if name in sent]


def requests_a_second(receiver, connections, count):
    """How many requests a second the receiver takes from bare sockets that wait for each answer."""
    process = multiprocessing.Process(
        target=_flood, args=(receiver.port, connections, count), daemon=True)
    start = time.monotonic()
    process.start()
    process.join()
    return count / (time.monotonic() - start)


def _flood(port, connections, count):
    selector = selectors.DefaultSelector()
    text = request(b"flood")
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.send(text)
        selector.register(connection, selectors.EVENT_READ)
    answered = 0
    while answered < count:
        for key, _ in selector.select():
            key.fileobj.recv(4096)
            key.fileobj.send(text)
            answered += 1
