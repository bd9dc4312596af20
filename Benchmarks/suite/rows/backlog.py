# SPDX-License-Identifier: BSD-2-Clause
"""A queue of a million rows whose pages are not there: what the rows alone cost."""

import time

from suite.contenders import fpcache_listener
from suite.ground import progress
from suite.programs import expect, settle_disk, timed
from suite.report import duration, number, spread
from suite.samples import quartiles, race
from suite.trees import empty_tree

ROWS_A_SECOND = 250_000
# Time to the rows, of the largest to the smallest: 1 is linear.
LINEAR_AT_MOST = 1.25


def measure(ground):
    sizes = ground.sizes
    tree = empty_tree(ground.path("backlog"), sizes.categories)
    # Shape 1 alone lets a port stand in the queue more than once.
    database = ground.server.database("backlog", shape=1)

    def prepare(rows, keys):
        database.queue(rows, keys, sizes.categories)
        settle_disk()

    def drain(rows, keys):
        prepare(rows, keys)
        began = time.perf_counter()
        with fpcache_listener(ground, tree, database) as listener:
            line = listener.await_line("drained: ")
            elapsed = time.perf_counter() - began
        expect("rows drained", line.split("drained: ")[1].split(" rows")[0], f"{rows:,}")
        expect("rows left", database.waiting(), 0)
        return elapsed

    def floor(rows, keys):
        prepare(rows, keys)
        elapsed, counts = timed([f"{ground.floor}/drain", tree, 2, database.listener])
        expect("rows and files", counts.split(), [str(rows), "0"])
        return elapsed

    def name(rows, keys):
        return f"fpcache, {rows:,} rows, {keys:,} keys"

    contenders = {name(*backlog): lambda backlog=backlog: drain(*backlog)
                  for backlog in sizes.backlogs}
    largest = sizes.backlogs[-1]
    contenders["C drain, 2 threads, all at once"] = lambda: floor(*largest)
    samples = race(contenders, sizes.backlog_rounds, progress, duration)
    report(ground.report, sizes, samples, name)


def report(report, sizes, samples, name):
    rows, keys = sizes.backlogs[-1]
    speed = [rows / seconds for seconds in samples[name(rows, keys)]]
    floor = "C drain, 2 threads, all at once"
    report.verdict(
        f"{rows:,} rows, {keys:,} different keys, nothing on disk",
        duration(samples.median(name(rows, keys))),
        f"{floor}: {duration(samples.median(floor))}",
        f"{spread(speed, number)} rows a second", f"≥ {ROWS_A_SECOND:,} rows a second",
        quartiles(speed)[1] >= ROWS_A_SECOND)
    # The same number of rows to a key, so that all grows alike.
    few, few_keys = min(
        (backlog for backlog in sizes.backlogs if backlog[0] * keys == backlog[1] * rows))
    growth = [long / short * few / rows for long, short in
              zip(samples[name(rows, keys)], samples[name(few, few_keys)])]
    report.verdict(
        f"time per row of {rows:,} rows", duration(samples.median(name(rows, keys)) / rows),
        f"of {few:,} rows: {duration(samples.median(name(few, few_keys)) / few)}",
        spread(growth, lambda value: f"{value:.2f}"), f"linear (≤ {LINEAR_AT_MOST})",
        quartiles(growth)[1] <= LINEAR_AT_MOST)
    report.samples("backlog", samples)
