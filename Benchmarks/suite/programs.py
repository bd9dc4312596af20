# SPDX-License-Identifier: BSD-2-Clause
"""Programs under measurement: run to their end, or left running."""

import json
import os
import signal
import subprocess
import threading
import time

from suite.failure import Failure


def settle_disk():
    """Lets the disk finish what was written before, so that nobody pays for somebody else."""
    os.sync()


def run(arguments, stdin=None):
    """Runs a program to its end.
    - Returns: what it printed."""
    return timed(arguments, stdin)[1]


def timed(arguments, stdin=None, prints=True, statuses=(0,)):
    """Runs a program to its end.
    - Parameter stdin: a file to read.
    - Returns: seconds from before its start to after its end, and what it printed."""
    with open(stdin or os.devnull, "rb") as source:
        began = time.perf_counter()
        result = subprocess.run(
            [str(argument) for argument in arguments], stdin=source,
            stdout=subprocess.PIPE if prints else subprocess.DEVNULL, stderr=subprocess.PIPE)
        elapsed = time.perf_counter() - began
    if result.returncode not in statuses:
        raise Failure(
            f"{os.path.basename(str(arguments[0]))} ended with {result.returncode}: "
            f"{result.stderr.decode(errors='replace').strip()}",
            "run it by hand: " + " ".join(map(str, arguments)))
    return elapsed, (result.stdout or b"").decode(errors="replace")


def told(arguments, stdin=None):
    """Runs a program to its end.
    - Returns: seconds, and the JSON that it printed."""
    elapsed, printed = timed(arguments, stdin)
    try:
        return elapsed, json.loads(printed)
    except ValueError:
        raise Failure(
            f"{os.path.basename(str(arguments[0]))} printed no JSON but '{printed[:100]}'",
            "run it by hand: " + " ".join(map(str, arguments))) from None


def expect(what, found, expected):
    """Each contender must have done the same work, or its time means nothing."""
    if found != expected:
        raise Failure(
            f"{what}: {found} where {expected} was expected",
            "this is a fault of the contender or of the suite, not of the machine")


class Daemon:
    """A program that runs until it is told to stop. Its two streams are read as lines, or go into
    a file when they are many."""

    def __init__(self, arguments, log=None):
        self.name = os.path.basename(str(arguments[0]))
        self.log = open(log, "w+b") if log else None
        self.lines = []
        self.changed = threading.Condition()
        self.has_ended = False
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments], stdin=subprocess.DEVNULL,
            stdout=self.log or subprocess.PIPE, stderr=subprocess.STDOUT)
        if not self.log:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip())
                self.changed.notify()
        with self.changed:
            self.has_ended = True
            self.changed.notify()

    def await_line(self, text, count=1, seconds=600):
        """Waits until that many lines hold a text.
        - Returns: the last of them."""
        def found():
            return [line for line in self.lines if text in line]

        with self.changed:
            self.changed.wait_for(
                lambda: self.has_ended or len(found()) >= count, timeout=seconds)
            if len(found()) < count:
                how = "ended and did not say" if self.has_ended else f"said in {seconds} s no"
                raise Failure(
                    f"{self.name} {how} '{text}'; its last lines: {self.lines[-3:]}",
                    "look whether it works at all: make demo")
            return found()[count - 1]

    def memory(self, field):
        """Kilobytes, of /proc/PID/status: VmRSS or VmHWM."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(f"{field}:"):
                    return int(line.split()[1])
        raise Failure(f"/proc tells no {field} of {self.name}", "run this on Linux")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        if self.log:
            self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
