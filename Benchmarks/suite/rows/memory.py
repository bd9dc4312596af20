# SPDX-License-Identifier: BSD-2-Clause
"""The resident memory of a listener that has nothing to do, before the incident and after it."""

import json
import time

from suite.contenders import fpcache_listener
from suite.failure import Failure
from suite.ground import progress
from suite.programs import expect
from suite.report import megabytes
from suite.trees import count_files, days

AT_MOST = 20


def measure(ground):
    sizes, report = ground.sizes, ground.report
    tree = ground.incident()
    path = tree.make(ground.path("listened"))
    database = ground.server.database("memory")
    status = ground.path("status")
    with fpcache_listener(ground, path, database, options=("--status-file", status)) as listener:
        # The first drain has nothing to do, but for the news.
        listener.await_line("drained: ")
        await_rest(status)
        fresh = listener.memory("VmRSS")
        progress(f"idle: {megabytes(fresh)}")
        database.queue(sizes.ports, sizes.ports, sizes.categories, days(sizes.days))
        database.run("NOTIFY port_updated; NOTIFY date_updated")
        listener.await_line("drained: ", count=2)
        await_rest(status)
        expect("files left", count_files(path), 0)
        expect("rows left", database.waiting(), 0)
        after, peak = listener.memory("VmRSS"), listener.memory("VmHWM")
    progress(f"idle after the incident: {megabytes(after)}")
    report.verdict(
        "resident memory of `listen`, idle after the incident's drain", megabytes(after),
        f"before it: {megabytes(fresh)}, at most: {megabytes(peak)}", megabytes(after),
        f"≤ {AT_MOST} MB", after * 1024 <= AT_MOST * 1e6)


def await_rest(status):
    """Waits until the keys were cleared once more, and a moment longer."""
    deadline = time.monotonic() + 60
    time.sleep(6)
    while True:
        with open(status) as file:
            if json.load(file)["settle_waiting"] == 0:
                break
        if time.monotonic() > deadline:
            raise Failure("the second clear does not come to an end", "run it by hand")
        time.sleep(0.2)
    time.sleep(2)
