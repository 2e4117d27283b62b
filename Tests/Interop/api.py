"""Holds the API against its OpenAPI document: schemathesis asks, and what it cannot ask is asked by hand.

Arguments: the folder of the programs, and a folder to work in. Ends with 0 when everything fits.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from api_curl import check_table
from api_document import Document
from api_hand import check_by_hand
from api_stage import KRIXIK, LONG, ODD, RECEIVERS, RUNS, SERVICES, Stage
from forwarder import Forwarder

CALLS = 2000  # At least so many are made; a document that shrinks must not shrink the test.
EXAMPLES = 120  # Of each operation in each phase: 2,900 calls in half a minute.
SEED = 4

# Every check of schemathesis is on, in every phase, with valid and invalid data. What is not as it comes:
# - No operation is left out.
# - What is invalid may be refused with 413, 414 and 431 as well: what has more elements than are taken may be
#   over 1 MiB, or too long for a request line.
# - A removed watch is still there to be read: its history stays.
# - The health check `too_slow` speaks of the machine that makes the data, not of the server.
# - OPTIONS is asked too, which is left out by default: the document says that it is answered 405.
# - The event stream is read up to its third message; the forwarder ends one that is silent.
SETTINGS = f"""
seed = {SEED}
suppress-health-check = ["too_slow"]
continue-on-failure = true
max-stream-events = 3
request-timeout = 20
[generation]
mode = "all"
max-examples = {EXAMPLES}
database = "none"
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 431, "5xx"]
[checks.use_after_free]
enabled = false
[phases.coverage]
generate-duplicate-query-parameters = true
unexpected-methods = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE"]
[output.truncation]
max-lines = 40
"""

# What is there, so that not every name that is made up is unknown: by the paths of operations and their
# parameters. All are valid, and three times of ten a made-up one is taken instead.
NAMES = {
    "/v1/watches|/v1/events.*": {"query.service": SERVICES, "query.group": ["nightly"]},
    "/v1/watches/.*": {"path.service": ["warehouse", *SERVICES],
                       "path.id": [*RUNS, *LONG, ODD, KRIXIK, "1"]},
    "/v1/deliveries.*": {"path.id": [], "query.receiver": ["log", "ops", "refused"]},
    "/v1/receivers/.*": {"path.name": RECEIVERS},
}

programs, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
faults = []


def check(condition, what):
    print(("ok      " if condition else "FAILED  ") + what, flush=True)
    if not condition:
        faults.append(what)
    return condition


def settings(document, deliveries):
    """The settings, with a dictionary for each parameter of an operation whose values are known."""
    text = SETTINGS
    for number, operation in enumerate(document.operations):
        known = {key: values or deliveries for path, parameters in NAMES.items()
                 if re.fullmatch(path, operation.path) for key, values in parameters.items()
                 if operation.has_parameter(*key.split("."))}
        if not known:
            continue
        text += f'[[operations]]\ninclude-name = "{operation.name}"\n[operations.parameters]\n'
        text += "".join(f'"{key}" = {{dictionary = "{number}-{key}", probability = 0.7}}\n'
                        for key in known)
        text += "".join(f'[dictionaries."{number}-{key}"]\nvalues = {json.dumps(values)}\n'
                        for key, values in known.items())
    return text


def generate(stage, document, forwarder):
    """Two thousand calls and more, made from the document."""
    deliveries = [row["id"] for state in ("failed", "pending", "delivered")
                  for row in stage.get(f"/v1/deliveries?state={state}&limit=5")[1]["deliveries"]]
    (folder / "schemathesis.toml").write_text(settings(document, deliveries))
    # As a file: of a document that it fetches itself, schemathesis leaves the route out.
    (folder / "openapi.json").write_text(json.dumps(document.configured(SERVICES, RECEIVERS)))
    before = forwarder.calls
    done = subprocess.run(
        [pathlib.Path(sys.executable).with_name("schemathesis"), "--config-file",
         folder / "schemathesis.toml", "run", "--no-color", "--url", forwarder.url,
         folder / "openapi.json"],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "COLUMNS": "120"})
    calls = forwarder.calls - before
    summary = re.search(r"Test cases:\n +(.*)", done.stdout)
    print(f"schemathesis: {summary[1] if summary else 'no summary'}; {calls} calls")
    if not check(done.returncode == 0, "schemathesis: no violation of the document"):
        print(done.stdout, done.stderr, sep="\n")
    check(calls >= CALLS, f"schemathesis: {calls} calls are at least {CALLS}")


def check_answers(document, forwarder):
    """Names that are there and names that are not came to each operation: it was no test of refusals."""
    seen = {}
    for (method, path, status), _ in forwarder.answers.items():
        operation = document.find(method, path)
        if operation:
            seen.setdefault(operation.name, set()).add(status)
    for operation in document.operations:
        wanted = {status for status in operation.statuses if 200 <= status < 300 or status == 404}
        missing = wanted - seen.get(operation.name, set())
        check(not missing, f"{operation.name}: answered "
              + ", ".join(str(status) for status in sorted(seen.get(operation.name, set())))
              + (f", never {sorted(missing)}" if missing else ""))


def main():
    stage = Stage(programs, folder)
    try:
        stage.start()
        stage.wait("failed, pending and delivered deliveries", lambda: all(
            stage.get(f"/v1/deliveries?state={state}&limit=1")[1]["deliveries"]
            for state in ("failed", "pending", "delivered")))
        forwarder = Forwarder(stage.socket)
        document = Document(stage.get("/v1/openapi.json")[1])
        document_faults = document.faults()
        check(not document_faults, "the document is OpenAPI 3.1, and names every status"
              + "".join(f"\n  {fault}" for fault in document_faults))
        check_table(stage, document, check)
        generate(stage, document, forwarder)
        check_by_hand(stage, document, forwarder, check)
        check_answers(document, forwarder)
        if faults:
            print("== the daemon's log ends so:", *(folder / "log").read_text().splitlines()[-20:],
                  sep="\n")
    finally:
        stage.stop()
    print(f"== {len(faults)} faults" if faults else "== everything fits")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
