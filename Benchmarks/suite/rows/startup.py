# SPDX-License-Identifier: BSD-2-Clause
"""Start-up: the shortest run there is, once and in a shell's loop, beside a C program that only
loads libpq; and `listen --once` with nothing to do, beside C that asks the database the same."""

import json
import shlex

from suite.ground import progress
from suite.programs import expect, run, timed, told
from suite.report import duration
from suite.samples import Samples, race
from suite.trees import empty_tree

AT_MOST = 1.0
ONCE_AT_MOST = 1.25
LOADER = "C main that loads libpq"


def measure(ground):
    tree = empty_tree(ground.path("empty"), 0)
    clear = [ground.fpcache, "clear-port", "--cache-dir", tree, "x/y"]
    loader = [f"{ground.floor}/empty"]
    answer = told([*clear, "--format", "json"])[1]
    expect("keys cleared", (answer["keys"], answer["keys_without_match"]), (1, 1))
    samples = by_hyperfine(ground, {"fpcache clear-port x/y": clear, LOADER: loader})
    judge(ground, "start-up: `clear-port x/y`, empty tree", samples, AT_MOST)
    measure_loop(ground, clear, loader)
    measure_once(ground, tree)


def judge(ground, work, samples, at_most):
    ours, theirs = samples.values
    ground.report.ratio(work, theirs, samples, ours, theirs, at_most)
    ground.report.samples(work, samples)


def measure_loop(ground, clear, loader):
    """As a site's script calls it: one start after the other, each in a new process of a shell."""
    starts = ground.sizes.starts_in_loop

    def loop(command):
        script = (f"i=0; while [ $i -lt {starts} ]; do {shlex.join(command)} >/dev/null || exit; "
                  "i=$((i + 1)); done")
        return lambda: timed(["sh", "-c", script])[0]

    contenders = {f"{starts:,} times `clear-port x/y`": loop(clear),
                  f"{starts:,} times {LOADER}": loop(loader)}
    samples = race(contenders, ground.sizes.loop_rounds, progress, duration)
    judge(ground, f"{starts:,} starts in a shell's loop", samples, AT_MOST)


def measure_once(ground, tree):
    database = ground.server.database("once")
    commands = {
        # Without the second clear, before which it would sleep for three seconds.
        "fpcache listen --once": [ground.fpcache, "listen", "--once", "--settle", "0",
                                  "--cache-dir", tree, "--dsn", database.listener],
        "C that connects and asks the same": [f"{ground.floor}/once", database.listener],
    }
    ours, theirs = commands
    answer = told([*commands[ours], "--format", "json"])[1]
    expect("rows", answer["rows"], 0)
    expect("rows", run(commands[theirs]), "0 rows\n")
    samples = by_hyperfine(ground, commands)
    judge(ground, "`listen --once`, empty queues", samples, ONCE_AT_MOST)


def by_hyperfine(ground, commands, prepare=(), options=()):
    """Blocks of starts by turns. hyperfine runs a block of one command and then one of the
    other, without a shell; a start of each is compared with the other's of the same place."""
    samples = Samples()
    sizes = ground.sizes
    for block in range(sizes.start_blocks):
        names = list(commands)
        if block % 2:
            names.reverse()
        results = ground.path("hyperfine")
        words = [*options]
        if prepare:
            words += [word for name in names
                      for word in ("--prepare", shlex.join(prepare[name]))]
        run(["hyperfine", "-N", "--style", "none", "--warmup", 1, "--runs", sizes.starts,
             "--export-json", results, *words, *(shlex.join(commands[name]) for name in names)])
        with open(results) as file:
            for name, result in zip(names, json.load(file)["results"]):
                for seconds in result["times"]:
                    samples.add(name, seconds)
    for name in commands:
        progress(f"{name}: {duration(samples.median(name))}")
    return samples
