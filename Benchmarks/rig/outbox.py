"""A record with many pending deliveries, written as the daemon would have written it."""

import contextlib
import json
import random
import shutil
import sqlite3
import time

from rig.daemon import Daemon

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIRST_CONFIGURATION = "services: {}\nreceivers: {}\n"


def make(bench, count, receiver):
    """A folder with a record in which `receiver` is owed the ends of `count` runs.

    The tables are the daemon's own: it made them, and the rows are what it writes when runs end and
    leave the watch list.
    """
    folder = bench.place("record")
    Daemon(bench, folder, FIRST_CONFIGURATION).end()
    with contextlib.closing(sqlite3.connect(folder / "runwatch.db")) as database:
        fill(database, count, receiver)
        # As a clean stop leaves it: everything in the one file.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def copy(bench, source, name, is_owed):
    """Another folder with that record; with `is_owed` false all of it has been delivered."""
    folder = bench.place(name)
    shutil.copyfile(source / "runwatch.db", folder / "runwatch.db")
    if not is_owed:
        with contextlib.closing(sqlite3.connect(folder / "runwatch.db")) as database, database:
            database.execute(
                "UPDATE delivery SET state = 'delivered', attempts = 1, due_at_ms = NULL,"
                " finished_at_ms = created_at_ms")
            database.execute(
                "INSERT INTO attempt SELECT id, 1, created_at_ms, 'delivered', 204, 3, ''"
                " FROM delivery")
        with contextlib.closing(sqlite3.connect(folder / "runwatch.db")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def identifiers(folder):
    """The webhook-ids of all deliveries."""
    path = f"file:{folder / 'runwatch.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(path, uri=True)) as database:
        return {row[0] for row in database.execute("SELECT id FROM delivery")}


def fill(database, count, receiver):
    # A run ended every 100 ms, the last one a minute ago.
    first = int(time.time() * 1000) - 60_000 - count * 100
    with database:
        for number in range(1, count + 1):
            end = first + number * 100
            run = str(number)
            database.execute(
                "INSERT INTO watch (id, service, run, kind, source, origin, is_listed,"
                " unlisted_at_ms, state, previous_state, sequence, polls, watched_since_ms,"
                " first_poll_at_ms, first_answer_at_ms, last_poll_at_ms, last_seen_at_ms,"
                " observed_at_ms, not_before_ms, changed_at_ms, detail, finished_at_ms)"
                " VALUES (?, 'warehouse', ?, 'kinetica', 'file', 'watches.yaml:1', 0, ?,"
                " 'complete', 'unknown', 1, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, run, end, end - 5000, end - 5, end, end, end, end, end - 5000, end,
                 DETAIL, end))
            database.execute(
                "INSERT INTO transition (watch_id, sequence, state, previous_state,"
                " observed_at_ms, not_before_ms, message, detail, polls)"
                " VALUES (?, 1, 'complete', 'unknown', ?, NULL, '', ?, 1)", (number, end, DETAIL))
            body = event(run, end)
            database.execute(
                "INSERT INTO event (number, type, timestamp_ms, subject, json, checksum)"
                " VALUES (?, 'run.complete', ?, ?, ?, ?)",
                (number, end, f"warehouse/{run}", body, checksum(body.encode())))
            database.execute(
                "INSERT INTO delivery (id, event_number, receiver, subject, state, due_at_ms,"
                " created_at_ms) VALUES (?, ?, ?, ?, 'pending', ?, ?)",
                (identifier(end), number, receiver, f"warehouse/{run}", end, end))


DETAIL = json.dumps({"proc": "score", "segments": {"0": "complete"}, "total_ms": 4711},
                    separators=(",", ":"))


def event(run, milliseconds):
    """The body of a `run.complete`, its members in the daemon's order."""
    moment = timestamp(milliseconds)
    return json.dumps({
        "type": "run.complete", "timestamp": moment, "data": {
            "service": "warehouse", "kind": "kinetica", "run": run, "state": "complete",
            "previous_state": "unknown", "sequence": 1, "observed_at": moment,
            "watched_since": timestamp(milliseconds - 5000), "polls": 1,
            "progress": {"done": 1, "total": 1}, "message": "", "detail": json.loads(DETAIL)},
    }, separators=(",", ":"))


def timestamp(milliseconds):
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03}Z"


def identifier(milliseconds):
    """As the daemon makes them: 48 bits of time and 80 random ones, in Crockford's base 32."""
    value = milliseconds << 80 | random.getrandbits(80)
    return "msg_" + "".join(DIGITS[value >> 5 * place & 31] for place in reversed(range(26)))


def checksum(body):
    """FNV-1a with 64 bits, as SQL's signed number."""
    value = 0xCBF29CE484222325
    for byte in body:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value
