"""Loads the completion scripts into real shells, and completes hostile IDs of a real daemon with them.

Arguments: the folder of the programs, and a folder to work in. Ends with 0 when everything fits.
"""

import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import sys
import time

programs, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
scripts = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "completions"
control = folder / "control.sock"
faults = []

# Each begins with a number, so that a few letters name it; what follows is for the shell to quote.
TAILS = [
    "", " two words", "it's", ' say "hi"', "$(touch PWNED)", "`touch PWNED`", "; touch PWNED",
    "|touch PWNED", "&& touch PWNED", "> PWNED", "100%", "a=b", "run:1:2", "a/b/c", "%2F", "ünï/ß",
    "日本 語", "back\\slash\\", "!bang! !!", "#hash # two", "~tilde", "*star?[x]", "{a,b}", "<in>out",
    "(paren)", "^caret^", "@at@", "-dash", "$HOME", "\"'", "'\\''", "é e\u0301", "ü" * 200,
]
IDS = [f"{number:02}{tail}" for number, tail in enumerate(TAILS, 10)]
REVERSED = "99\u202etxt"


def check(condition, what):
    print(("ok      " if condition else "FAILED  ") + what, flush=True)
    if not condition:
        faults.append(what)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def environment():
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder / "home"), "TERM": "xterm",
            "RUNWATCH_SOCKET": str(control), "LANG": "C.UTF-8", **kept}


class Shell:
    """An interactive shell at a terminal of its own."""

    started = 0

    def __init__(self, name, *arguments, start=""):
        Shell.started += 1
        self.name, self.output, self.commands = f"{name}-{Shell.started}", b"", 0
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder / "home")
            os.execvpe(name, [name, *arguments], environment())
        # Else a shell that is started later holds it open, and this one does not end with it.
        os.set_inheritable(self.terminal, False)
        self.run(start)

    def send(self, text):
        for part in text.encode(), b"\r":
            os.write(self.terminal, part)

    def run(self, text):
        """Types a line, and waits until it has been carried out."""
        self.commands += 1
        done = folder / f"{self.name}-{self.commands}.done"
        self.send(f"{text} ; echo >{done}" if text else f"echo >{done}")
        return wait_for(lambda: self.drain() or done.exists())

    def drain(self):
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                self.output += os.read(self.terminal, 65536)
            except OSError:
                return

    def show(self, typed):
        """Types `show`, a beginning and the tab key; the name that the daemon was asked for."""
        result = folder / f"{self.name}-{self.commands}.json"
        self.run(f"runwatchctl show {typed}\t --json >{result}")
        try:
            return json.loads(result.read_text())["name"]
        except (OSError, ValueError, KeyError):
            return None

    def end(self):
        """Closes the terminal, which ends the shell; one that stays is a fault."""
        self.drain()
        os.close(self.terminal)
        gone = wait_for(lambda: os.waitpid(self.process, os.WNOHANG)[0] == self.process, 10)
        check(gone, f"{self.name}: ends with its terminal")
        if not gone:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


def bash():
    return Shell("bash", "--norc", "--noprofile", start=f"source {scripts}/bash/runwatchctl")


def bash_with_library():
    shell = Shell("bash", "--norc", "--noprofile",
                  start="source /usr/share/bash-completion/bash_completion")
    shell.run(f"source {scripts}/bash/runwatchctl")
    return shell


def zsh():
    return Shell("zsh", "-f", start=f"fpath=({scripts}/zsh $fpath); autoload -U compinit; compinit -D")


def fish():
    return Shell("fish", "--no-config", start=f"source {scripts}/fish/runwatchctl.fish")


SHELLS = {"bash": bash, "bash with bash-completion": bash_with_library, "zsh": zsh, "fish": fish}

# Beginnings with quotes open, closed and escaped: what is typed, and the ID that it becomes.
TYPED = [
    ("warehouse/11\\ tw", 1), ("'warehouse/11 tw", 1), ('"warehouse/11 tw', 1),
    ("warehouse/'11 tw", 1), ('"warehouse"/11', 1), ("ware\"house/12it'", 2),
    ("warehouse/22run:1", 12), ("warehouse/22run:1:", 12), ("warehouse/21a=", 11),
    ("'warehouse/14$(to", 4), ("warehouse/14\\$\\(touch", 4), ("'warehouse/13 say \"", 3),
    ("--socket CONTROL warehouse/11", 1), ("--socket=CONTROL warehouse/11", 1),
]


def interactive(name, make):
    shell = make()
    got = [shell.show(f"warehouse/{id[:2]}") for id in IDS]
    for id, answer in zip(IDS, got):
        check(answer == f"warehouse/{id}", f"{name}: {id[:40]!r} reaches show")
    for typed, index in TYPED:
        line = typed.replace("CONTROL", str(control))
        answer = shell.show(line)
        check(answer == f"warehouse/{IDS[index]}", f"{name}: {typed} becomes {IDS[index]!r}")
    # All of them at once, listed.
    shell.run("runwatchctl show warehouse/\t\t\x03")
    shell.run("")
    shell.run("runwatchctl show warehouse/99\t--json \x03")
    shell.run("")
    shell.end()
    check("\u202e".encode() not in shell.output, f"{name}: no mark of direction on the terminal")
    check(not list(folder.rglob("PWNED")), f"{name}: nothing was run")


def words(*given, env=None, limit=3):
    start = time.monotonic()
    result = subprocess.run([programs / "runwatchctl", "__complete", "words", "--", *given],
                            capture_output=True, text=True, env={**environment(), **(env or {})})
    lines = result.stdout.splitlines()
    values = [line.split("\t")[0] for line in lines[1:]]
    seconds = time.monotonic() - start
    check(not result.stderr and result.returncode == 0 and seconds < limit,
          f"__complete {' '.join(given)[:40]}: quiet, {seconds * 1000:.0f} ms")
    return lines[0] if lines else "", values


def fish_candidates(line):
    script = f"source {scripts}/fish/runwatchctl.fish; complete -C \"$argv[1]\""
    result = subprocess.run(["fish", "--no-config", "-c", script, line], capture_output=True,
                            text=True, env=environment(), cwd=folder / "home")
    return [entry.split("\t")[0] for entry in result.stdout.splitlines()]


def bash_candidates(line):
    script = ('source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _runwatchctl runwatchctl 2>&1; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "-c", script, "bash", scripts / "bash" / "runwatchctl", line],
                            capture_output=True, text=True, env=environment())
    return result.stdout.splitlines()


def candidates():
    kind, values = words("show", "w")
    check(kind == "words" and sorted(values) == sorted(f"warehouse/{id}" for id in IDS),
          "one service: its watches at once, but the one that turns the direction of writing")
    check(words("list", "--state", "complete,e") == ("words", ["complete,error"]), "states")
    check(words("list", "--group", "") == ("words", ["nightly $(touch PWNED)"]), "groups")
    check(words("list", "--service=") == ("words", ["--service=warehouse"]), "services")
    check(words("test-receiver", "") == ("words", ["log", "ops"]), "receivers")
    check(words("deliveries", "--receiver", "o") == ("words", ["ops"]), "receivers of deliveries")
    check(words("check", "") == ("files", []) == words("status", "--socket="), "files")
    check(words("show", "warehouse/1", "")[1] == [], "show takes one watch")
    check(words("poll", "--", "warehouse/10", "warehouse/1")[1].count("warehouse/10") == 0,
          "what stands there is not offered again")
    check("list" in words("")[1] and words("sho")[1] == ["show"], "verbs")
    check(words("list", "--ac")[1] == ["--active"], "options")
    check(words("no-such-verb", "")[1] == [], "an unknown verb")
    for line, expected in {
            "runwatchctl sh": ["show"], "runwatchctl show warehouse/11": ["warehouse/11 two words"],
            "runwatchctl list --state running,com": ["running,complete"],
            "runwatchctl list --service=w": ["--service=warehouse"]}.items():
        check(fish_candidates(line) == expected, f"fish: complete -C '{line}'")
    for line, expected in {
            "runwatchctl sh": ["show"],
            "runwatchctl show warehouse/14": ["warehouse/14\\$\\(touch\\ PWNED\\)"],
            "runwatchctl show warehouse/22run:": ["1:2"],
            "runwatchctl list --service=w": ["warehouse"],
            "runwatchctl show $(touch PWNED)": [], "runwatchctl show `touch PWNED`w": [],
            "runwatchctl list; show w": []}.items():
        check([one for one in bash_candidates(line) if one] == expected, f"bash: {line}")
    check(not list(folder.rglob("PWNED")), "nothing was run")


def silence():
    check(words("show", "w", env={"RUNWATCH_SOCKET": "/no/such/socket"}, limit=1)[1] == [],
          "no daemon: nothing")
    deaf = socket.socket(socket.AF_UNIX)
    deaf.bind(str(folder / "deaf.sock"))
    deaf.listen()
    check(words("show", "w", env={"RUNWATCH_SOCKET": str(folder / "deaf.sock")})[1] == [],
          "a daemon that does not answer: nothing, soon")
    deaf.close()


def other_scripts():
    for name in ("runwatchctl", "runwatchd"):
        subprocess.run(["bash", "-n", scripts / "bash" / name], check=True)
        subprocess.run(["zsh", "-n", scripts / "zsh" / f"_{name}"], check=True)
        subprocess.run(["fish", "--no-execute", scripts / "fish" / f"{name}.fish"], check=True)
    line = f"source {scripts}/fish/runwatchd.fish; complete -C 'runwatchd --'"
    result = subprocess.run(["fish", "--no-config", "-c", line], capture_output=True, text=True,
                            env=environment())
    names = sorted(entry.split("\t")[0] for entry in result.stdout.splitlines())
    check(names == ["--config", "--help", "--socket", "--state-dir", "--version"],
          "fish: the options of runwatchd")
    (folder / "home" / "here.yaml").write_text("{}\n")
    for name, shell in (
            ("bash", Shell("bash", "--norc", "--noprofile",
                           start=f"source {scripts}/bash/runwatchd; source {scripts}/bash/runwatchctl")),
            ("zsh", zsh()), ("fish", fish())):
        result = folder / f"{shell.name}-check"
        shell.run(f"runwatchctl check her\t>{result}")
        check("ok" in (result.read_text() if result.exists() else ""), f"{name}: check completes files")
        if name != "fish":
            shell.run(f"runwatchd --conf\t here.yaml --vers\t >{result}")
            check((result.read_text() if result.exists() else "").startswith("0."),
                  f"{name}: runwatchd's options")
        shell.end()


def start():
    (folder / "home").mkdir()
    lines = [{"service": "warehouse", "ids": IDS + [REVERSED], "group": "nightly $(touch PWNED)"}]
    (folder / "watches.yaml").write_text(json.dumps(lines))
    (folder / "runwatch.yaml").write_text(json.dumps({
        # Nobody is there: the watches stay as they are.
        "services": {"warehouse": {"kind": "kinetica", "url": "http://127.0.0.1:9"}},
        "receivers": {"log": {"stdout": {"format": "json"}},
                      "ops": {"exec": {"command": ["/bin/true"]}}}}))
    daemon = subprocess.Popen(
        [programs / "runwatchd", "--config", folder / "runwatch.yaml", "--state-dir",
         folder / "state", "--socket", control],
        stderr=open(folder / "log", "w"), stdout=subprocess.DEVNULL)
    if not wait_for(control.exists):
        daemon.kill()
        raise SystemExit((folder / "log").read_text())
    return daemon


def main():
    daemon = start()
    try:
        candidates()
        for name, make in SHELLS.items():
            interactive(name, make)
        silence()
        other_scripts()
    finally:
        daemon.terminate()
        daemon.wait()
    print(f"== {len(faults)} faults" if faults else "== everything fits")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
