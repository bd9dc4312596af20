# SPDX-License-Identifier: BSD-2-Clause
"""The incident's drain: a listener comes up, and rows and pages of two days without one wait."""

import time

from suite.contenders import fpcache_listener, old_listener
from suite.ground import progress
from suite.programs import expect, settle_disk, timed
from suite.report import duration
from suite.samples import race
from suite.trees import count_files, days

THREADS = (1, 2, 4, 8)


def measure_on_disk(ground):
    Drains(ground, ground.disk, ground.file_system).measure(floor_at_most=1.0, like_work_at_most=1.25, with_peers=True)


def measure_in_memory(ground):
    if ground.memory_folder is None:
        progress("no tmpfs in /dev/shm: left out")
        return
    Drains(ground, ground.memory_folder, "tmpfs").measure(floor_at_most=1.5, like_work_at_most=1.4, with_peers=False)


def measure_beside_floor(ground):
    """On the disk too, whose speed changes from minute to minute: few contenders, and more rounds."""
    Drains(ground, ground.disk, ground.file_system).measure_closely(at_most=1.0)


def plural(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


class Drains:
    """One contender after the other drains the same queues over a tree of its own."""

    def __init__(self, ground, folder, place):
        self.ground = ground
        self.place = place
        self.tree = ground.incident()
        self.path = f"{folder}/incident"
        self.database = ground.server.database("incident")

    def measure(self, floor_at_most, like_work_at_most, with_peers):
        sizes, report = self.ground.sizes, self.ground.report
        contenders = {"fpcache": self.fpcache}
        if with_peers:
            contenders["Python listener"] = self.python
        floors = {f"C unlink, {plural(n)}": self.unlink(n) for n in THREADS}
        # On a disk each tree takes seconds to make, and the greatest number has always been best.
        drains = {f"C drain, {plural(n)}": self.drain(n)
                  for n in (THREADS[-1:] if with_peers else THREADS)}
        contenders.update(floors | drains)
        if with_peers:
            contenders["rm -rf"] = self.peer("rm", "-rf", self.path)
            contenders["find -delete"] = self.peer("find", self.path, "-type", "f", "-delete")
        samples = race(contenders, sizes.drain_rounds, progress, duration)

        rows = f"{sizes.ports:,} + {sizes.days} rows, {self.tree.files:,} files, {self.place}"
        if with_peers:
            report.speedup(f"drain of {rows}", "Python listener", samples,
                           "fpcache", "Python listener", at_least=8)
        floor = samples.best(floors)
        report.ratio(f"drain of {rows}", f"{floor}, no database", samples,
                     "fpcache", floor, floor_at_most)
        drain = samples.best(drains)
        report.ratio(f"the same beside like work, {self.place}",
                     f"{drain}: rows read, deleted and committed too", samples,
                     "fpcache", drain, like_work_at_most)
        report.samples(f"drain, {self.place}", samples, notes={
            "fpcache": "start to `drained`: both clears under the protocol, rows gone, committed",
            "Python listener": "start to last row gone",
            **{name: "start to end; unlinks only" for name in floors},
            **{name: "start to end; reads all rows, unlinks, deletes all rows" for name in drains},
            "rm -rf": "folders too", "find -delete": "files only"})

    def measure_closely(self, at_most):
        sizes, report = self.ground.sizes, self.ground.report
        threads = THREADS[-1]
        floor, drain = f"C unlink, {plural(threads)}", f"C drain, {plural(threads)}"
        samples = race(
            {"fpcache": self.fpcache, floor: self.unlink(threads), drain: self.drain(threads)},
            sizes.close_rounds, progress, duration)
        rows = f"{self.rows:,} rows, {self.tree.files:,} files, {self.place}, closely"
        report.ratio(f"drain of {rows}", f"{floor}, no database", samples, "fpcache", floor, at_most)
        report.ratio(f"the same beside like work, {self.place}",
                     f"{drain}: rows read, deleted and committed too", samples,
                     "fpcache", drain, at_most)
        report.samples(f"drain, {self.place}, closely", samples)

    def prepared(self, contender, files_left=0, rows_left=0):
        """Runs a contender on a fresh tree and full queues, and checks what it has left."""
        self.tree.make(self.path)
        self.database.queue(
            self.ground.sizes.ports, self.ground.sizes.ports, self.ground.sizes.categories,
            days(self.ground.sizes.days))
        settle_disk()
        try:
            elapsed = contender()
            expect("files left", count_files(self.path), files_left)
            expect("rows left", self.database.waiting(), rows_left)
            return elapsed
        finally:
            self.tree.remove(self.path)

    @property
    def rows(self):
        return self.ground.sizes.ports + self.ground.sizes.days

    def fpcache(self):
        def drain():
            began = time.perf_counter()
            with fpcache_listener(self.ground, self.path, self.database) as listener:
                line = listener.await_line("drained: ")
                elapsed = time.perf_counter() - began
            expect("rows drained", line.split("drained: ")[1].split(" rows")[0],
                   f"{self.rows:,}")
            return elapsed

        return self.prepared(drain)

    def python(self):
        def drain():
            began = time.perf_counter()
            with old_listener(self.path, self.database) as listener:
                listener.await_line("listening")
                self.database.run("NOTIFY port_updated; NOTIFY date_updated")
                listener.await_line("served date_updated")
                return time.perf_counter() - began

        return self.prepared(drain)

    def unlink(self, threads):
        def work():
            elapsed, removed = timed([f"{self.ground.floor}/unlink", self.path, threads],
                                     stdin=self.tree.folder_list)
            expect("files removed", int(removed), self.tree.files)
            return elapsed

        return lambda: self.prepared(work, rows_left=self.rows)

    def drain(self, threads):
        def work():
            elapsed, counts = timed(
                [f"{self.ground.floor}/drain", self.path, threads, self.database.listener])
            expect("rows and files", counts.split(), [str(self.rows), str(self.tree.files)])
            return elapsed

        return lambda: self.prepared(work)

    def peer(self, *arguments):
        return lambda: self.prepared(lambda: timed(arguments)[0], rows_left=self.rows)
