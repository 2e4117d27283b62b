"""What a case runs in: a folder, the processes begun, the figures so far."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from rig.figures import Figure

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Also when the bench is killed without a word, nothing goes on."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child, and what the kernel says of it."""

    def __init__(self, bench, name, arguments, **options):
        self.name = name
        self.log = bench.folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                arguments, stderr=log, preexec_fn=die_with_parent, cwd=bench.folder, **options)
        bench.children.append(self)
        self.pid = self.child.pid

    def cpu(self):
        """Processor time so far, in seconds."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident (VmRSS), its peak (VmHWM) and proportional (PSS) memory, in MiB."""
        found = {}
        for line in (self._proc("status") + self._proc("smaps_rollup")).splitlines():
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM", "Pss"):
                found[name] = int(value.split()[0]) / 1024
        return found["VmRSS"], found["VmHWM"], found["Pss"]

    def written(self):
        """Bytes given to the disk so far: proc(5), io."""
        for line in self._proc("io").splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
        return 0

    def forget_peak(self):
        """Has the peak count from now on: proc(5), clear_refs."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def end(self, number=signal.SIGTERM, patience=20):
        """Sends a signal and waits; kills what does not end. Gives the time it took, in seconds."""
        start = time.monotonic()
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for stream in (self.child.stdin, self.child.stdout):
            if stream:
                stream.close()
        return time.monotonic() - start

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:]

    def _proc(self, file):
        return pathlib.Path(f"/proc/{self.pid}/{file}").read_text()


class Bench:
    """One case: `with` ends every process begun and deletes every file made, whatever happens."""

    def __init__(self, case, programs, is_quick, rounds):
        self.case = case
        self.programs = programs.resolve()
        self.is_quick = is_quick
        self.rounds = 1 if is_quick else rounds
        self.children = []
        self.figures = []
        self.notes = []
        self.faults = []
        self._start = time.monotonic()
        self._loads = []
        self._places = 0

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="runwatch-bench-"))
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            with contextlib.suppress(ProcessLookupError):
                child.end(patience=3)
        shutil.rmtree(self.folder, ignore_errors=True)

    # What a case says.

    def say(self, text):
        elapsed = time.monotonic() - self._start
        print(f"{self.case} {elapsed:5.0f} s: {text}", file=sys.stderr, flush=True)

    def figure(self, name, unit, value, **bar):
        """Adds a round's value to the figure of that name."""
        for figure in self.figures:
            if figure.name == name:
                figure.values.append(value)
                return
        self.figures.append(Figure(name, unit, [value], **bar))

    def note(self, text):
        """Something to read below the table; each text once."""
        if text not in self.notes:
            self.notes.append(text)

    def fault(self, text):
        """A result that is wrong, whatever time it took."""
        self.faults.append(text)
        self.say(f"FAULT: {text}")

    # What a case is made of.

    def place(self, name):
        """A new folder."""
        self._places += 1
        path = self.folder / f"{self._places}-{name}"
        path.mkdir()
        return path

    @contextlib.contextmanager
    def measuring(self):
        """Notes how busy others kept the machine meanwhile."""
        busy, own, start = _busy(), self._own(), time.monotonic()
        yield
        seconds = time.monotonic() - start
        self._loads.append(
            max(0, (_busy() - busy) - (self._own() - own)) / seconds if seconds else 0)

    def result(self):
        for load in self._loads:
            self.figure("processors kept busy by others", "cores", load)
        return {
            "case": self.case, "seconds": round(time.monotonic() - self._start),
            "figures": self.figures, "notes": self.notes, "faults": self.faults}

    def _own(self):
        times = os.times()
        total = times.user + times.system + times.children_user + times.children_system
        for child in self.children:
            if child.child.poll() is None:
                total += child.cpu()
        return total


def _busy():
    """Processor time of the whole machine, in seconds: proc(5), stat."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in fields[:8])
    ticks = user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def drop_from_memory(path):
    """Has a file be read from the disk again."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
