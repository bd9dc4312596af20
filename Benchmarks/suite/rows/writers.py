# SPDX-License-Identifier: BSD-2-Clause
"""What the ingest loses to a listener that drains behind it.

Four writers change ports one after the other. A change's transaction stays open for up to 15 ms
after its row was written to the queue, as an ingest's does that has other things to write; then the
writer pauses, so that the four make some 200 changes a second when nobody is in their way. They
wait for each answer, so what a listener makes them wait for shows as changes not made.
"""

import os
import re
import time

from suite.contenders import floor_listener, fpcache_listener
from suite.failure import Failure
from suite.ground import progress
from suite.programs import run
from suite.report import duration, spread
from suite.samples import Samples, quartiles, race
from suite.trees import port_folder

PORTS = 1000
WRITERS = 4
LOSS_AT_MOST = 0.05
STEADY = r"""
\set port random(0, 999)
\set open random(0, 15)
BEGIN;
UPDATE ports SET version = 'of the benchmark' WHERE id = :port;
\sleep :open ms
COMMIT;
\sleep 9 ms
"""
# As fast as they can, each transaction as short as can be: for the record.
FLAT_OUT = r"""
\set port random(0, 999)
UPDATE ports SET version = 'of the benchmark' WHERE id = :port;
"""


def measure(ground):
    rounds = ground.sizes.writing_rounds
    for title, script, turns in (
            ("steady", STEADY, rounds), ("flat out", FLAT_OUT, (rounds + 1) // 2)):
        samples, latencies = compare(ground, title, script, turns)
        work = f"{WRITERS} writers, {title}, keys over {PORTS:,} ports"
        if title == "steady":
            for peer in ("nobody listens", "C loop listens"):
                verdict(ground.report, work, samples, peer)
        ground.report.samples(f"{work}: changes a second", samples, lambda value: f"{value:.1f}")
        ground.report.samples(f"{work}: mean time of a change", latencies, duration)


def verdict(report, work, samples, peer):
    ours = "fpcache listens"
    losses = [1 - value for value in samples.ratios(ours, peer)]
    report.verdict(
        work, f"{samples.median(ours):.1f} changes a second",
        f"{peer}: {samples.median(peer):.1f} a second",
        f"{spread(losses, lambda value: f'{value * 100:.1f} %')} lost",
        f"≤ {LOSS_AT_MOST * 100:.0f} % lost", quartiles(losses)[1] <= LOSS_AT_MOST)


def compare(ground, title, script, rounds):
    categories = ground.sizes.categories
    database = ground.server.database("writers")
    database.register_ports(PORTS, categories)
    tree = ground.path("writers")
    for index in range(PORTS):
        os.makedirs(f"{tree}/{port_folder(index, categories)}")
    path = ground.path("script")
    with open(path, "w") as file:
        file.write(script)
    latencies = Samples()

    def write(name, listener=None):
        database.run("TRUNCATE cache_clearing_ports", "VACUUM ports", "CHECKPOINT")
        daemon = listener(tree, database, f"{path}-log") if listener else None
        try:
            time.sleep(0.3)
            printed = run([
                f"{ground.server.bindir}/pgbench", "-n", "-M", "prepared", "-c", WRITERS, "-j", 2,
                "-T", ground.sizes.writing_seconds, "-f", path, database.site])
            if daemon:
                await_drained(database)
        finally:
            if daemon:
                daemon.stop()
        latencies.add(name, float(figure(r"latency average = ([\d.]+) ms", printed)) / 1000)
        return float(figure(r"tps = ([\d.]+)", printed))

    return race({
        "fpcache listens": lambda: write(
            "fpcache listens", lambda *given: fpcache_listener(ground, *given)),
        "nobody listens": lambda: write("nobody listens"),
        "C loop listens": lambda: write(
            "C loop listens", lambda *given: floor_listener(ground, *given)),
    }, rounds, lambda text: progress(f"{title}: {text}"),
        lambda value: f"{value:.1f} changes a second"), latencies


def figure(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise Failure(f"pgbench did not tell {pattern}: {text}", "run it by hand")
    return found.group(1)


def await_drained(database):
    """A listener that did not keep up would have the writers to itself."""
    deadline = time.monotonic() + 30
    while database.waiting():
        if time.monotonic() > deadline:
            raise Failure("the listener left rows in the queue", "see what it says by hand")
        time.sleep(0.05)
