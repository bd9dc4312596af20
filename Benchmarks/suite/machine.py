# SPDX-License-Identifier: BSD-2-Clause
"""What the figures were measured on and with."""

import datetime
import os
import platform
import subprocess

from suite.database import ROOT


def output(*arguments):
    """The first line that a program prints, or nothing when there is no such program."""
    try:
        result = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, text=True, cwd=ROOT)
    except OSError:
        return ""
    lines = result.stdout.strip().splitlines()
    return lines[0].strip() if lines and result.returncode == 0 else ""


def field(path, name):
    """A field of a file of `name: value` or `name=value` lines."""
    try:
        with open(path) as file:
            for line in file:
                if line.split(":")[0].split("=")[0].strip() == name:
                    return line.replace("=", ":", 1).split(":", 1)[1].strip().strip('"')
    except OSError:
        pass
    return "unknown"


def mount(folder):
    kind, device = output("findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", folder).split(" ", 1)
    return f"{kind} ({device.strip()})"


def origin(fpcache):
    """The version, and the commit if we have built it; what FPCACHE_BIN names may be of any."""
    version = output(fpcache, "--version").removeprefix("fpcache ")
    changed = " with changes" if output("git", "status", "--porcelain", "Sources") else ""
    commit = f"commit {output('git', 'rev-parse', '--short=12', 'HEAD')}{changed}"
    if os.environ.get("FPCACHE_BIN"):
        return f"{version}, a program that FPCACHE_BIN named; the suite is of {commit}"
    return f"{version}, release build of {commit}"


def describe(ground):
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
    tools = {
        "hyperfine": ("hyperfine", "--version"), "find": ("find", "--version"),
        "du": ("du", "--version"), "fd": ("fdfind", "--version"), "gdu": ("gdu", "--version"),
    }
    versions = ", ".join(
        f"{name} {output(*command).split()[-1]}" for name, command in tools.items()
        if output(*command))
    server = f"PostgreSQL {ground.running.version}, fsync on, on a Unix socket; " \
        if ground.running else ""
    return [
        f"{datetime.datetime.now():%Y-%m-%d %H:%M}, fpcache {origin(ground.fpcache)}",
        f"{os.cpu_count()} processors ({field('/proc/cpuinfo', 'model name')}), "
        f"{memory:.0f} GiB of memory, load {ground.load_at_start:.1f} at the start and "
        f"{os.getloadavg()[0]:.1f} at the end",
        f"Linux {platform.release()}, {field('/etc/os-release', 'PRETTY_NAME')}, "
        f"{mount(ground.home)}",
        f"{server}libpq {output('pkg-config', '--modversion', 'libpq')}",
        f"{output('swift', '--version')}; {output('cc', '--version')}, -O2; "
        f"Python {platform.python_version()}",
        versions,
    ]
