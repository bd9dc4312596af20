# SPDX-License-Identifier: BSD-2-Clause
"""Start-up: the shortest run there is, beside a C program that only loads libpq."""

import json
import shlex

from suite.ground import progress
from suite.programs import expect, run, told
from suite.report import duration
from suite.samples import Samples
from suite.trees import empty_tree

AT_MOST = 2.0


def measure(ground):
    tree = empty_tree(ground.path("empty"), 0)
    commands = {
        "fpcache clear-port x/y": [ground.fpcache, "clear-port", "--cache-dir", tree, "x/y"],
        "C main that loads libpq": [f"{ground.floor}/empty"],
    }
    names = list(commands)
    answer = told([*commands[names[0]], "--format", "json"])[1]
    expect("keys cleared", (answer["keys"], answer["keys_without_match"]), (1, 1))
    samples = by_hyperfine(ground, commands)
    ground.report.ratio("start-up: `clear-port x/y`, empty tree", names[1], samples, *names,
                        AT_MOST)
    ground.report.samples("start-up", samples)


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
