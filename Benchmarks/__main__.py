"""Runs benchmark cases against the release programs, and prints one table. See README.md."""

import argparse
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys

from rig.bench import Bench
from rig.figures import Figure, table

CASES = sorted(path.stem for path in (pathlib.Path(__file__).parent / "cases").glob("*.py"))


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each case; 3")
    parser.add_argument(
        "--quick", action="store_true",
        help="one short round, to see that a case works; its figures say nothing")
    parser.add_argument("--list", action="store_true", help="say which cases there are")
    parser.add_argument("--programs", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.cases:
        if name not in CASES:
            parser.error(f"no case '{name}'; there are {', '.join(CASES)}")
    if not options.programs and not options.list:
        parser.error("--programs names the folder of the programs; scripts/bench gives it")
    if options.rounds < 1:
        parser.error("--rounds is 1 at least")
    return options


def stop(number, _):
    # As an exception, so that everything begun is ended and deleted on the way out.
    raise SystemExit(128 + number)


def machine():
    version = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True)
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    return {
        "commit": version.stdout.decode().strip(), "processor": model, "cores": os.cpu_count(),
        "kernel": os.uname().release}


def main():
    options = arguments()
    modules = {name: importlib.import_module(f"cases.{name}") for name in CASES}
    if options.list:
        for name, module in modules.items():
            print(f"{name:12} {module.__doc__.splitlines()[0]}")
        return 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    results = []
    for name in options.cases or CASES:
        with Bench(name, options.programs, options.quick, options.rounds) as bench:
            modules[name].run(bench)
            results.append(bench.result())
    about = machine()
    if options.json:
        print(json.dumps({"machine": about, "cases": results}, default=Figure.document, indent=1))
    else:
        print(", ".join(f"{key} {value}" for key, value in about.items()))
        print(table(results))
    return 1 if any(result["faults"] for result in results) else 0


sys.exit(main())
