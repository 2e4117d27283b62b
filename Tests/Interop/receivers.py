"""Runs the daemon against simulated runs, and holds what it delivers to others' implementations.

Arguments: the folder of the programs, and a folder to work in. Ends with 0 when everything fits.
"""

import email
import email.policy
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cloudevents.http import from_http
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

NEW = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwKxJwBbTJ9rE="
OTHER = "whsec_" + "QUJD" * 8
RUNS = {"12": "complete", "13": "error", "14": "killed"}
PASSWORD = "interop-password"

programs, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
requests = {}  # by path: lists of (headers, body)
mails = {}  # by server: lists of (envelope, was encrypted)
faults = []


def check(condition, what):
    print(("ok      " if condition else "FAILED  ") + what, flush=True)
    if not condition:
        faults.append(what)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        requests.setdefault(self.path, []).append((dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mailbox:
    def __init__(self, name):
        self.name = name

    async def handle_DATA(self, server, session, envelope):
        encrypted = session.ssl or server.transport.get_extra_info("ssl_object")
        mails.setdefault(self.name, []).append((envelope, bool(encrypted)))
        return "250 2.0.0 Ok: queued"


class AnyPort(Controller):
    """A server on a port that the system chooses."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"watcher" and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=good)


def certificate():
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def start_services():
    script = {"runs": [
        {"service": "kinetica", "id": run, "proc": "score",
         "life": [[0, "running"], [2 + index, state, 'with "quotes" & <tags> ü']]}
        for index, (run, state) in enumerate(RUNS.items())]}
    (folder / "simulation.json").write_text(json.dumps(script))
    output = open(folder / "sim.out", "w+")
    simulator = subprocess.Popen(
        [programs / "runwatch-sim", "--script", folder / "simulation.json"], stdout=output)
    for _ in range(200):
        text = (folder / "sim.out").read_text()
        if text.startswith("listening on "):
            return simulator, text.split()[2]
        time.sleep(0.05)
    simulator.kill()
    raise SystemExit("the simulated services did not start")


def configure(url, hooks, plain, implicit, cert):
    (folder / "exec.sh").write_text(
        '#!/bin/sh\nprintf "%s " "$RUNWATCH_ID" "$RUNWATCH_STATE" >>"$1"\ncat >>"$1"\n')
    (folder / "exec.sh").chmod(0o755)
    (folder / "watches.yaml").write_text(json.dumps(
        [{"service": "warehouse", "ids": list(RUNS), "group": "nightly"}]))
    mail = {"from": "Runwatch <runwatch@example.com>", "to": ["Ops <ops@example.com>"],
            "username": "watcher", "password": PASSWORD, "tls": {"ca_file": str(cert)}}
    finals = list(RUNS.values())
    (folder / "runwatch.yaml").write_text(json.dumps({
        "services": {"warehouse": {"kind": "kinetica", "url": f"{url}/kinetica"}},
        "defaults": {"poll": {"initial": "300ms", "max": "500ms"}},
        "receivers": {
            "signed": {"webhook": {"url": f"{hooks}/signed", "secret": [NEW, OLD]},
                       "on": finals + ["group.finished"]},
            "digest": {"webhook": {"url": f"{hooks}/digest", "secret": [NEW]},
                       "digest": {"window": "6s", "max": 3}, "on": finals},
            "events": {"webhook": {"url": f"{hooks}/events", "format": "cloudevents"},
                       "on": ["all"]},
            "batch": {"webhook": {"url": f"{hooks}/batch", "format": "cloudevents"},
                      "digest": {"window": "6s", "max": 3}, "on": finals},
            "body": {"webhook": {
                "url": f"{hooks}/body", "headers": {"x-run": "{{data.run}}"},
                "body": '{"what": "{{title}}: {{data.message}}", "whole": {{{event}}}}'},
                "on": finals},
            "starttls": {"email": {"url": f"smtp://127.0.0.1:{plain}", **mail}, "on": finals},
            "smtps": {"email": {"url": f"smtps://127.0.0.1:{implicit}", **mail}, "on": finals},
            "program": {"exec": {"command": [str(folder / "exec.sh"), str(folder / "exec.out")]},
                        "on": finals},
        },
    }))


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)


def verified(secret, headers, body):
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, lower)
        return True
    except WebhookVerificationError:
        return False


def check_webhooks():
    signed = requests.get("/signed", [])
    check(len(signed) == 4, "signed: three runs and their group arrived")
    for name, secret in (("new", NEW), ("old", OLD)):
        check(all(verified(secret, *request) for request in signed),
              f"signed: standardwebhooks accepts each one with the {name} secret")
    check(not verified(OTHER, *signed[0]), "signed: another secret is refused")
    digest = requests.get("/digest", [])
    check(len(digest) == 1 and verified(NEW, *digest[0]), "digest: one message, verified")
    runs = [event["data"]["run"] for event in json.loads(digest[0][1])["data"]["events"]]
    check(runs == list(RUNS), "digest: all events in order")


def check_cloudevents():
    events = [from_http(headers, body) for headers, body in requests.get("/events", [])]
    finals = [event for event in events if event["type"] in {f"run.{s}" for s in RUNS.values()}]
    check(len(finals) == 3, "cloudevents: the SDK reads each one")
    check(all(request[0]["webhook-id"] == event["id"]
              for request, event in zip(requests["/events"], events)), "cloudevents: id is webhook-id")
    for run in RUNS:
        places = [event["sequence"] for event in events if event["subject"] == f"warehouse/{run}"]
        check(places == sorted(places) and len(set(places)) == len(places) > 0,
              f"cloudevents: the sequence of warehouse/{run} grows as text")
    headers, body = requests.get("/batch", [({}, b"[]")])[0]
    batch = json.loads(body)
    kind = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
    single = {**headers, "content-type": "application/cloudevents+json"}
    read = [from_http({"content-type": single["content-type"]}, json.dumps(one)) for one in batch]
    check(kind.startswith("application/cloudevents-batch+json") and len(read) == 3,
          "cloudevents: a digest is a batch")


def check_bodies():
    bodies = requests.get("/body", [])
    check(len(bodies) == 3 and all(json.loads(body)["whole"]["data"] for _, body in bodies),
          "body: the template's answer is JSON, whatever the message")
    check({headers.get("x-run") for headers, _ in bodies} == set(RUNS), "body: headers are templates too")
    lines = (folder / "exec.out").read_text().splitlines()
    check(len(lines) == 3 and all(json.loads(line.split(" ", 2)[2])["type"] for line in lines),
          "exec: each event came on standard input and in the environment")


def check_mail(name):
    got = mails.get(name, [])
    check(len(got) == 3, f"{name}: three mails arrived")
    check(all(encrypted for _, encrypted in got), f"{name}: encrypted")
    ids = set()
    for envelope, _ in got:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        ids.add(message["message-id"])
        kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
        check(kinds == ["text/plain", "text/html"] and not message.defects
              and "warehouse/" in message["subject"]
              and "warehouse/" in message.get_body(("plain",)).get_content()
              and envelope.rcpt_tos == ["ops@example.com"],
              f"{name}: '{message['subject']}' has a text and an HTML part and no defects")
    check(len(ids) == 3, f"{name}: each has a Message-ID of its own")


def main():
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    cert, context = certificate()
    common = {"hostname": "127.0.0.1", "port": 0, "authenticator": authenticate}
    plain = AnyPort(Mailbox("starttls"), tls_context=context, require_starttls=True,
                    auth_required=True, **common)
    implicit = AnyPort(Mailbox("smtps"), ssl_context=context, auth_require_tls=False,
                       auth_required=True, **common)
    simulator, url = start_services()
    daemon = None
    try:
        plain.start()
        implicit.start()
        configure(url, f"http://127.0.0.1:{receiver.server_port}", plain.port, implicit.port, cert)
        daemon = subprocess.Popen(
            [programs / "runwatchd", "--config", folder / "runwatch.yaml", "--state-dir",
             folder / "state", "--socket", folder / "control.sock"],
            stderr=open(folder / "log", "w"), stdout=subprocess.DEVNULL)
        wait_for(lambda: len(requests.get("/signed", [])) >= 4
                 and requests.get("/digest") and requests.get("/batch")
                 and all(len(mails.get(name, [])) >= 3 for name in ("starttls", "smtps")))
        time.sleep(0.5)
        check_webhooks()
        check_cloudevents()
        check_bodies()
        check_mail("starttls")
        check_mail("smtps")
        log = (folder / "log").read_text()
        check(PASSWORD not in log and NEW not in log, "no secret in the log")
        if faults:
            print(log)
    finally:
        for process in (daemon, simulator):
            if process:
                process.terminate()
                process.wait()
        plain.stop(no_assert=True)
        implicit.stop(no_assert=True)
        receiver.shutdown()
    print(f"== {len(faults)} faults" if faults else "== everything fits")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
