# SPDX-License-Identifier: BSD-2-Clause
"""Where a run takes place: its folders, programs and server. What it makes is gone after it."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

from suite import interruption
from suite.database import ROOT, Server
from suite.failure import Failure
from suite.trees import Tree

MEMORY = "/dev/shm"


def file_system(folder):
    return subprocess.check_output(["df", "--output=fstype", folder], text=True).split()[-1]


def tell_of_remains(home):
    """A run that was killed could not clean up; its server may still be there."""
    for folder in glob.glob(f"{home}/bench-*-*") + glob.glob(f"{MEMORY}/bench-*-*"):
        owner = os.path.basename(folder).split("-")[1]
        if not os.path.exists(f"/proc/{owner}"):
            progress(f"{folder} is left of a run that was killed; to be rid of it: "
                     f"scripts/throwaway-postgres stop {folder}/pg; rm -rf {folder}")


class Ground:
    def __init__(self, fpcache, floor, sizes, report):
        self.fpcache = fpcache
        self.floor = floor
        self.sizes = sizes
        self.report = report
        self.home = os.path.abspath(os.environ.get("BENCH_DIR") or f"{ROOT}/.build")
        self.disk = self.memory = None
        self.running = None
        self.large = None
        self.names = 0
        self.load_at_start = os.getloadavg()[0]

    def __enter__(self):
        if not os.path.isdir(self.home):
            raise Failure(f"there is no folder {self.home}", "name another with BENCH_DIR")
        if file_system(self.home) == "tmpfs":
            raise Failure(f"{self.home} is in memory", "name a folder on a disk with BENCH_DIR")
        tell_of_remains(self.home)
        self.disk = tempfile.mkdtemp(prefix=f"bench-{os.getpid()}-", dir=self.home)
        # The server's account passes through; nobody else has to look.
        os.chmod(self.disk, 0o711)
        return self

    def __exit__(self, *_):
        interruption.ignore()
        self.stop_server()
        if self.large:
            progress("removing the large tree")
            self.remove_large_tree()
        for folder in (self.disk, self.memory):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def file_system(self):
        return file_system(self.disk)

    @property
    def server(self):
        if self.running is None:
            # Known before it starts, so that it is stopped whatever happens meanwhile.
            self.running = Server(f"{self.disk}/pg")
            try:
                self.running.start()
            except Failure:
                self.stop_server()
                raise
        return self.running

    def stop_server(self):
        if self.running:
            self.running.stop()
            shutil.rmtree(self.running.folder, ignore_errors=True)
        self.running = None

    @property
    def memory_folder(self):
        """A folder in memory; None where there is none."""
        if self.memory is None and os.path.isdir(MEMORY) and file_system(MEMORY) == "tmpfs":
            self.memory = tempfile.mkdtemp(prefix=f"bench-{os.getpid()}-", dir=MEMORY)
        return self.memory

    def path(self, name):
        """A path on the disk that nothing has yet."""
        self.names += 1
        return f"{self.disk}/{name}-{self.names}"

    def incident(self):
        """The tree of the incident."""
        sizes = self.sizes
        return Tree(self.floor, self.disk, sizes.ports, sizes.categories, sizes.days)

    def large_tree(self):
        """The tree that is scanned, made when it is first asked for.
        - Returns: what it holds, and its path."""
        if self.large is None:
            sizes = self.sizes
            progress(f"making {sizes.folders:,} folders")
            tree = Tree(self.floor, self.disk, sizes.folders, sizes.categories, is_large=True)
            self.large = tree, self.path("large")
            tree.make(self.large[1])
        return self.large

    def remove_large_tree(self):
        tree, path = self.large
        self.large = None
        tree.remove(path)


def progress(text):
    print(f"  {text}", file=sys.stderr, flush=True)
