# SPDX-License-Identifier: BSD-2-Clause
"""From COMMIT to the pages being gone, one change at a time, with every listener at rest."""

import os
import subprocess

from suite.contenders import floor_listener, fpcache_listener, old_listener
from suite.failure import Failure
from suite.ground import progress
from suite.report import duration, ratio
from suite.samples import Samples, percentile
from suite.trees import empty_tree, port, port_folder

PORTS = 1000
# Changes that are not counted: the first ones find nothing in any cache.
WARMING = 5
MEDIAN_AT_MOST, TAIL_AT_MOST = 2.0, 1.25
FLOOR, OLD, OURS = "C loop", "Python listener", "fpcache"


def measure(ground):
    listeners = {
        OURS: lambda *given: fpcache_listener(ground, *given),
        OLD: old_listener,
        FLOOR: lambda *given: floor_listener(ground, *given),
    }
    sites = []
    try:
        for name, listener in listeners.items():
            sites.append(Site(ground, name, listener))
        gone, committed = changes(sites, ground.sizes.changes)
    finally:
        for site in sites:
            site.stop()
    report(ground.report, gone, committed)


def changes(sites, count):
    gone, committed = Samples(), Samples()
    for number in range(-WARMING, count):
        first = number % len(sites)
        for site in sites[first:] + sites[:first]:
            times = site.change(number)
            if number >= 0:
                committed.add(site.name, times[0])
                gone.add(site.name, times[1])
    for site in sites:
        progress(f"{site.name}: {duration(gone.median(site.name))}, p99 "
                 f"{duration(percentile(gone[site.name], 0.99))}")
    return gone, committed


def report(report, gone, committed):
    work = f"COMMIT to pages gone, {len(gone[OURS])} changes one by one"
    report.ratio(f"{work}: p50", f"{FLOOR}'s p50", gone, OURS, FLOOR, MEDIAN_AT_MOST)
    tail, floor = (percentile(gone[name], 0.99) for name in (OURS, FLOOR))
    report.verdict(f"{work}: p99", duration(tail), f"{FLOOR}'s p99: {duration(floor)}",
                   ratio(tail / floor), f"≤ {TAIL_AT_MOST:g}", tail / floor <= TAIL_AT_MOST)
    for what, samples in (("COMMIT to pages gone", gone), ("of that, to its answer", committed)):
        report.samples(what, samples, notes={
            name: f"p99 {duration(percentile(values, 0.99))}"
            for name, values in samples.values.items()})


class Site:
    """A database, a tree, a listener, and somebody who changes ports and looks at the pages."""

    def __init__(self, ground, name, listener):
        self.name = name
        self.categories = ground.sizes.categories
        database = ground.server.database(f"change_{name.split()[0].lower()}")
        database.register_ports(PORTS, self.categories)
        tree = empty_tree(ground.path("changes"), self.categories)
        for index in range(PORTS):
            os.makedirs(f"{tree}/{port_folder(index, self.categories)}")
        self.listener = listener(tree, database)
        self.changer = None
        try:
            self.listener.await_line("drained: " if name == OURS else "listening", seconds=20)
            self.changer = subprocess.Popen(
                [f"{ground.floor}/change", tree, database.site], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True, bufsize=1)
        except BaseException:
            self.listener.stop()
            raise

    def change(self, number):
        """Seconds until COMMIT was answered, and until the last page was gone."""
        index = (number + WARMING) * 97 % PORTS
        self.changer.stdin.write("{} {} {}\n".format(index, *port(index, self.categories)))
        answer = self.changer.stdout.readline().split()
        if len(answer) != 2:
            raise Failure(f"{self.name}: a change came to no end", "look at its words above")
        return [int(nanoseconds) / 1e9 for nanoseconds in answer]

    def stop(self):
        self.changer.kill()
        self.changer.wait()
        self.changer.stdin.close()
        self.changer.stdout.close()
        self.listener.stop()
