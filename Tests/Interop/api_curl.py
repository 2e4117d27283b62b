"""Carries out the table in Control.md that says how curl does what runwatchctl does."""

import json
import pathlib
import re
import shlex
import subprocess

PAGE = pathlib.Path(__file__).parents[2] / "Sources/RunwatchDaemon/Runwatch.docc/Control.md"
EXAMPLE_ID = "msg_01KAPR6YG3X4M8W0Q2V7ZB5T9E"


def rows():
    """The table's pairs of commands, and the line that makes `api`."""
    text = PAGE.read_text()
    section = text[text.index("### With curl"):]
    section = section[:section.index("\n### ", 1)]
    define = re.search(r"^\$ (api\(\) .*)$", section, re.M)[1]
    return define, re.findall(r"^\| `runwatchctl ([^`]+)` \| `([^`]+)` \|", section, re.M)


def bash(line, seconds=20):
    try:
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as ended:
        # One that follows goes on for ever; what it wrote until then counts.
        return subprocess.CompletedProcess(line, 0, (ended.stdout or b"").decode(), "")


def keys(text):
    """The keys of a document, or of the first of several."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.strip())
    except ValueError:
        return None
    # Of a list runwatchctl prints all pages as one.
    return set(value) - {"next"} if isinstance(value, dict) else None


def check_table(stage, document, check):
    """Each row, and that its two commands print the same: what comes and goes with time may differ."""
    define, commands = rows()
    define = define.replace("/run/runwatch/control.sock", str(stage.socket))
    failed = stage.get("/v1/deliveries?state=failed&limit=1")[1]["deliveries"][0]["id"]
    check(len(commands) >= 14, f"curl: the table has {len(commands)} rows")
    for verb, line in commands:
        follows = "--follow" in verb
        mine = [part.replace(EXAMPLE_ID, failed) for part in shlex.split(verb)]
        curl = bash(f"{define}\n{line.replace(EXAMPLE_ID, failed)}", 2 if follows else 20)
        if follows:
            fits = curl.stdout.startswith("retry: ") and "\nid: " in curl.stdout
            check(fits, f"curl: {verb}")
            continue
        control = stage.control(*mine, "--json")
        # What is deleted is not there to be deleted again.
        once = mine[0] == "wait" or "-X DELETE" in line
        fits = curl.returncode == 0 and (once or keys(curl.stdout) is not None)
        same = once or set(keys(curl.stdout) or []) ^ set(keys(control.stdout) or []) <= document.optional
        if not check(fits and same, f"curl: {verb}"):
            print(line, curl.returncode, curl.stdout[:300], curl.stderr, control.stdout[:300],
                  control.stderr, sep="\n  ")
    verbs = {each.split()[0] for each, _ in commands} | {"check"}
    help_text = stage.control("--help").stdout
    listed = re.findall(r"^  ([a-z][a-z-]+) {2,}\S", help_text[help_text.index("SUBCOMMANDS"):], re.M)
    missing = {verb for verb in listed if verb not in verbs and verb != "help"}
    check(not missing, f"curl: every verb has a row{'' if not missing else f', but {missing}'}")
