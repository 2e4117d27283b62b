"""What schemathesis cannot ask: other methods, other users, heads that break rules, streams, filters, pages."""

import json
import os
import re
import socket
import urllib.parse

from api_stage import LONG, ODD


def ask(stage, request, rest=b"", sent=b""):
    """Sends a request as it stands; the status, the headers and the body of what comes back."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(stage.socket))
        connection.sendall(request.encode() + b"Host: x\r\nConnection: close\r\n" + rest
                           + b"\r\n" + sent)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass  # What was not read of a request that is too long; the answer came before.
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip()
               for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


def read(body):
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def filled(path):
    return (path.replace("{service}", "warehouse").replace("{name}", "ops")
            .replace("/watches/warehouse/{id}", f"/watches/warehouse/{LONG[0]}")
            .replace("{id}", "msg_01KAPR6YG3X4M8W0Q2V7ZB5T9E"))


def check_methods(stage, document, check):
    """HEAD is as GET, and whatever a path does not take is answered 405 with what it takes."""
    paths = {}
    for operation in document.operations:
        paths.setdefault(operation.path, {})[operation.method] = operation
    for path, operations in paths.items():
        faults = []
        for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get", "GET",
                       "POST", "DELETE"):
            if method in operations:
                continue
            status, headers, body = ask(stage, f"{method} {filled(path)} HTTP/1.1\r\n")
            allow = set(headers.get("allow", "").split(", ")) - {"HEAD"}
            first = next(iter(operations.values()))
            if status != 405 or allow != set(operations):
                faults.append(f"{method}: {status}, allow {sorted(allow)}")
            elif fault := first.fault(status, headers, read(body)):
                faults.append(f"{method}: {fault}")
        if "GET" in operations:
            status, headers, body = ask(stage, f"HEAD {filled(path)} HTTP/1.1\r\n")
            get = stage.get(filled(path), "--max-time", "1")[0]
            kind = headers.get("content-type", "").split(";")[0]
            response = document.follow(operations["GET"].value["responses"].get(str(status), {}))
            if body or status != get or kind not in response.get("content", {}):
                faults.append(f"HEAD: {status} {kind} where GET is {get}")
        check(not faults, f"methods of {path}{': ' if faults else ''}{'; '.join(faults)}")


def check_refusals(stage, document, check):
    status = document.operation("GET /v1/status")
    for what, request, rest, wanted in [
        ("a long head", "GET /v1/status HTTP/1.1\r\n", b"x: " + b"a" * 40_000 + b"\r\n", 431),
        ("a large body", "GET /v1/status HTTP/1.1\r\n", b"content-length: 99999999\r\n", 413),
        ("a parameter twice", "GET /v1/watches?limit=1&limit=1 HTTP/1.1\r\n", b"", 400),
        ("a broken escape", "GET /v1/watches?group=%zz HTTP/1.1\r\n", b"", 400),
        ("a NUL", "GET /v1/watches?group=%00 HTTP/1.1\r\n", b"", 400),
        ("a long query", f"GET /v1/watches?group={'x' * 40_000} HTTP/1.1\r\n", b"", 414),
        ("two hosts", "GET /v1/status HTTP/1.1\r\n", b"Host: y\r\n", 400),
        ("two lengths", "GET /v1/status HTTP/1.1\r\n", b"content-length: 0\r\ncontent-length: 1\r\n", 400),
        ("an unknown coding", "GET /v1/status HTTP/1.1\r\n", b"transfer-encoding: zip\r\n", 400),
    ]:
        answer = ask(stage, request, rest)
        fault = status.fault(answer[0], answer[1], read(answer[2]))
        check(answer[0] == wanted and not fault, f"{what}: {answer[0]}{f', {fault}' if fault else ''}")
    for operation in document.operations:
        answer = ask(stage, f"{operation.method} {filled(operation.path)}?surprise=1 HTTP/1.1\r\n")
        fault = operation.fault(answer[0], answer[1], read(answer[2]))
        check(answer[0] == 400 and not fault,
              f"an unknown parameter: {operation.name}: {answer[0]}{f', {fault}' if fault else ''}")
    for path in ("/v1//status", "/v1/status/", "/v1/deliveries//redeliver", "/v1/nothing", "/"):
        code, headers, body = ask(stage, f"GET {path} HTTP/1.1\r\n")
        kind = "urn:runwatch:problem:no-such-route"
        check(code == 404 and read(body)["type"] == kind, f"{path} is no route")


def check_life(stage, document, check):
    """A transient watch from its beginning to its end."""
    names = ["POST /v1/watches", "GET /v1/watches/{service}/{id}",
             "POST /v1/watches/{service}/{id}/poll", "DELETE /v1/watches/{service}/{id}",
             "DELETE /v1/watches/{service}/{id}"]
    known = {each.name for each in document.operations}
    if not known.issuperset(names):
        return
    part = urllib.parse.quote("a life / 1%", safe="")
    body = json.dumps({"service": "warehouse", "ids": ["a life / 1%"], "label": "a life"}).encode()
    for name, wanted in zip(names, (201, 200, 202, 200, 404)):
        operation = document.operation(name)
        method, path = name.split()
        path = path.replace("{service}", "warehouse").replace("{id}", part)
        sent = body if operation.value.get("requestBody") else b""
        rest = f"content-type: application/json\r\ncontent-length: {len(sent)}\r\n" if sent else ""
        code, headers, answer = ask(stage, f"{method} {path} HTTP/1.1\r\n", rest.encode(), sent)
        fault = operation.fault(code, headers, read(answer))
        check(code == wanted and not fault, f"a life: {name}: {code}{f', {fault}' if fault else ''}")


def added(stage, document, body, kind="application/json"):
    """Asks for watches; the status, the document, and what is wrong with the answer."""
    operation = document.operation("POST /v1/watches")
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    rest = f"content-type: {kind}\r\ncontent-length: {len(sent)}\r\n".encode()
    code, headers, answer = ask(stage, "POST /v1/watches HTTP/1.1\r\n", rest, sent)
    return code, read(answer), operation.fault(code, headers, read(answer))


def check_bodies(stage, document, check):
    """What a body may ask, and what not: faults, conflicts, and names that no schema knows."""
    many = [f"many-{number}" for number in range(10_000)]
    for what, body, wanted in [
        ("new ones", {"service": "warehouse", "ids": ["b1", "b2"], "group": "bodies"}, 201),
        ("the same again", {"service": "warehouse", "ids": ["b1", "b2"], "group": "bodies"}, 200),
        ("other settings", {"service": "warehouse", "id": "b1", "deadline": "3h"}, 409),
        ("one of a file, plainly", {"service": "warehouse", "id": "20"}, 200),
        ("one of a file, with settings", {"service": "warehouse", "id": "20", "label": "x"}, 409),
        ("a pipeline of Krixik", {"service": "krixik", "id": "b3", "pipeline": "nightly"}, 201),
        ("a pipeline of another kind", {"service": "warehouse", "id": "b4", "pipeline": "x"}, 400),
        ("an unknown service", {"service": "warehuose", "id": "b4"}, 400),
        ("an unknown receiver", {"service": "warehouse", "id": "b4", "notify": ["opps"]}, 400),
        ("a first wait above the longest",
         {"service": "warehouse", "id": "b4", "poll": {"initial": "2s", "max": "1s"}}, 400),
        ("several faults", {"service": "warehouse", "ids": ["b4", " "], "deadline": "soon"}, 400),
        ("no JSON", "{", 400),
        ("a key twice", '{"service": "warehouse", "id": "b4", "id": "b5"}', 400),
        ("as many as are taken", {"service": "away", "ids": many, "notify": []}, 201),
        ("one more", {"service": "away", "ids": [*many, "last"], "notify": []}, 400),
    ]:
        code, value, fault = added(stage, document, body)
        check(code == wanted and not fault, f"a body: {what}: {code}{f', {fault}' if fault else ''}")
        if what == "several faults":
            check(len(value.get("errors", [])) == 2, f"a body: its faults are all told: {value}")
    code, value, fault = added(stage, document, {"service": "warehouse", "id": "b4"}, "text/plain")
    check(code == 415 and not fault, f"a body that is called text: {code} {fault or ''}")
    operation = document.operation("DELETE /v1/watches/{service}/{id}")
    for run, wanted in (("b1", 200), ("b1", 404), ("20", 409), ("never", 404)):
        code, headers, body = ask(stage, f"DELETE /v1/watches/warehouse/{run} HTTP/1.1\r\n")
        fault = operation.fault(code, headers, read(body))
        check(code == wanted and not fault, f"DELETE warehouse/{run}: {code} {fault or ''}")


def check_filters(stage, document, check):
    """Conditions of lists and of the stream hold for each row, and counts are those of all pages."""
    def rows(path, key):
        status, page = stage.get(path)
        return page[key] if status == 200 else check(False, f"filters: {path}: {status}") or []

    nightly = rows("/v1/watches?group=nightly&limit=1000", "watches")
    check(len(nightly) >= 3 and all(each["group"] == "nightly" for each in nightly),
          f"filters: {len(nightly)} watches of a group")
    names = ["warehouse/20", "warehouse/21", "warehouse/nobody", f"warehouse/{ODD}"]
    query = "&".join(f"name={urllib.parse.quote(name, safe='')}" for name in names)
    met = {each["name"] for each in rows(f"/v1/watches?{query}", "watches")}
    check(met == set(names) - {"warehouse/nobody"}, f"filters: watches by name: {sorted(met)}")
    active = rows("/v1/watches?service=warehouse&active=true&limit=1000", "watches")
    check(active and not any(each["final"] for each in active), "filters: active watches")
    status, page = stage.get("/v1/watches?service=krixik&limit=1&counts=true")
    whole = rows("/v1/watches?service=krixik&limit=1000", "watches")
    fault = document.operation("GET /v1/watches").fault(
        status, {"content-type": "application/json", "cache-control": "no-store"}, page)
    check(not fault and sum(page["counts"].values()) == len(whole) > 1,
          f"filters: counts of {len(whole)} watches {fault or ''}")
    for query, fits in [
        ("type=run.error,run.killed", lambda each: each["type"] in ("run.error", "run.killed")),
        ("name=warehouse%2F12&name=warehouse%2F13",
         lambda each: (each["data"]["service"], each["data"].get("run")) in (
             ("warehouse", "12"), ("warehouse", "13"))),
        ("service=away", lambda each: each["data"].get("service") == "away"),
        ("group=nightly", lambda each: each["data"].get("group") == "nightly"),
        ("group=nightly&type=run.complete&service=warehouse",
         lambda each: each["type"] == "run.complete" and each["data"]["group"] == "nightly"),
    ]:
        listed, cursor = [], ""
        while True:
            page = stage.get(f"/v1/events?{query}&limit=50{cursor}")[1]
            listed += page["events"]
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        told = messages(stage.curl(
            "-N", "--max-time", "1", f"http://runwatch/v1/events/stream?after=0&{query}").stdout)
        numbers = [each["number"] for each in listed]
        check(listed and all(fits(each) for each in listed)
              and [int(each["id"]) for each in told][:len(numbers)] == numbers,
              f"filters: {query}: {len(listed)} events, listed and streamed")


class Slow:
    """A request whose body never comes whole; asked for at the beginning, looked at when its time is over."""

    def __init__(self, stage):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(60)
        self.connection.connect(str(stage.socket))
        self.connection.sendall(b"POST /v1/watches HTTP/1.1\r\nHost: x\r\n"
                                b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{")

    def check(self, document, check):
        answer = b""
        with self.connection:
            while part := self.connection.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head else 0
        fault = document.operation("POST /v1/watches").fault(
            status, {"content-type": "application/problem+json"}, read(body))
        check(status == 408 and not fault, f"a request that is not whole in time: {status} {fault or ''}")


def check_conflict(stage, document, check):
    stage.control("rewatch", "warehouse/12")
    stage.control("wait", "warehouse/12", "--timeout", "20s")
    code, headers, body = ask(stage, "POST /v1/watches/warehouse/12/poll HTTP/1.1\r\n")
    fault = document.operation("POST /v1/watches/{service}/{id}/poll").fault(
        code, headers, read(body))
    check(code == 409 and not fault, f"poll of an ended run: {code}{f', {fault}' if fault else ''}")


def check_reload(stage, document, check):
    operation = document.operation("POST /v1/reload")
    for broken, wanted in ((True, 422), (False, 200)):
        stage.configure(broken=broken)
        code, headers, body = ask(stage, "POST /v1/reload HTTP/1.1\r\n")
        fault = operation.fault(code, headers, read(body))
        check(code == wanted and not fault,
              f"reload, {'broken' if broken else 'repaired'}: {code}{f', {fault}' if fault else ''}")


def check_rights(stage, document, check):
    """Another user, let in by the socket's mode, may do nothing; one of the group that reads may read."""
    if os.geteuid() != 0:
        print("skipped another user's rights: only root can become another user")
        return
    stage.socket.chmod(0o666)
    kind = {"content-type": "application/problem+json", "cache-control": "no-store"}
    # Without `control.group` it is the daemon's own group that reads.
    for who, group in (("another user", 65534), ("a reader", os.getegid())):
        before = ["setpriv", "--reuid", "65534", "--regid", str(group), "--clear-groups"]
        for operation in document.operations:
            code, value = stage.get(filled(operation.path), "-X", operation.method, "--max-time", "1",
                                    before=before)
            if who == "a reader" and operation.method == "GET":
                check(code in (200, 404), f"{who}: {operation.name}: {code}")
                continue
            fault = operation.fault(code, kind, value)
            check(code == 403 and not fault, f"{who}: {operation.name}: {code} {fault or ''}")


def messages(text):
    """The messages of a stream that have data, each with its `id`."""
    found = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append(fields)
    return found


def check_stream(stage, document, check):
    operation = document.operation("GET /v1/events/stream")
    one = stage.curl("-N", "-i", "--max-time", "1", "http://runwatch/v1/events/stream?after=0")
    head, _, text = one.stdout.replace("\r\n", "\n").partition("\n\n")
    schema = document.follow(operation.value["responses"]["200"])["content"]["text/event-stream"]
    schema = document.follow(schema["schema"])
    found = messages(text)
    check("content-type: text/event-stream" in head.lower() and text.startswith("retry: 1000\nid: 0"),
          "stream: its content type and its opening")
    inner = schema["properties"]["data"]["contentSchema"]
    faults = [document.mismatch(schema, each) or document.mismatch(inner, json.loads(each["data"]))
              for each in found]
    check(len(found) > 20 and not any(faults),
          f"stream: {len(found)} events fit {next((each for each in faults if each), '')}")
    middle = int(found[len(found) // 2]["id"])
    again = messages(stage.curl("-N", "--max-time", "1", "-H", f"Last-Event-ID: {middle}",
                                "http://runwatch/v1/events/stream?after=0").stdout)
    numbers = [int(each["id"]) for each in again]
    check(numbers and numbers == list(range(middle + 1, middle + 1 + len(numbers))),
          f"stream: after Last-Event-ID {middle} come {len(numbers)} events without a gap")


def check_pages(stage, document, check):
    """All that is in a list all along is met once, though rows come and change; a cursor is its list's."""
    odd = urllib.parse.quote(ODD, safe="")
    lists = {"watches": "/v1/watches", "events": "/v1/events", "deliveries": "/v1/deliveries",
             "transitions": f"/v1/watches/warehouse/{odd}/transitions"}
    key = {"watches": "name", "events": "number", "deliveries": "id", "transitions": "sequence"}
    stage.control("rewatch", f"warehouse/{ODD}")
    stage.wait("a second transition", lambda: len(
        stage.get(lists["transitions"])[1]["transitions"]) > 1)
    cursors = {}
    for name, path in lists.items():
        before = {row[key[name]] for row in stage.get(f"{path}?limit=1000")[1][name]}
        met, cursor = [], ""
        limit = {"watches": 7, "transitions": 1}.get(name, 100)
        while True:
            page = stage.get(f"{path}?limit={limit}{cursor}")[1]
            met += [row[key[name]] for row in page[name]]
            if "next" not in page or len(met) > 100_000:
                break
            cursors[name] = page["next"]
            cursor = f"&cursor={page['next']}"
        check(len(met) == len(set(met)) and before <= set(met),
              f"pages of {name}: {len(met)} rows, each once")
    for name, path in lists.items():
        codes = {other: stage.get(f"{path}?cursor={cursor}")[0] for other, cursor in cursors.items()}
        wanted = {other: 200 if other == name else 400 for other in cursors}
        check(codes == wanted and len(codes) == 4, f"cursors of other lists at {name}: {codes}")


def check_by_hand(stage, document, forwarder, check):
    slow = Slow(stage)
    check_methods(stage, document, check)
    check_refusals(stage, document, check)
    check_life(stage, document, check)
    check_bodies(stage, document, check)
    check_filters(stage, document, check)
    check_conflict(stage, document, check)
    check_reload(stage, document, check)
    check_stream(stage, document, check)
    check_pages(stage, document, check)
    check_rights(stage, document, check)
    slow.check(document, check)
