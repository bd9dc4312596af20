# SPDX-License-Identifier: BSD-2-Clause
"""Trees of one and of ten million files in memory: whether the time of stats grows with them only, and its memory not."""

import os
import subprocess

from suite.failure import Failure
from suite.ground import progress
from suite.programs import expect, run, timed, told
from suite.report import duration, megabytes, ratio, spread
from suite.rows.scan import STATS_MEMORY, peak_memory
from suite.samples import race
from suite.trees import FAMILIES, PARTS, pages_of_port, port_folder

LINEAR_AT_MOST = 1.25
# The kernel's inode and name of a file or folder in tmpfs, with room to spare.
BYTES_A_NAME = 1_300


def measure(ground):
    mount = ground.path("huge")
    os.mkdir(mount)
    names = sum(ground.sizes.huge) * (PARTS + 1) // PARTS
    room_for(names * BYTES_A_NAME)
    # Its own file system, since the machine's may have a limit for inodes.
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"nr_inodes=0,size={names * BYTES_A_NAME}", "bench", mount],
        stderr=subprocess.PIPE)
    if mounted.returncode != 0:
        raise Failure("no file system in memory can be mounted", "run it as root")
    try:
        compare(ground, mount)
    finally:
        # Faster than to remove ten million files.
        run(["umount", "--lazy", mount])


def room_for(size):
    with open("/proc/meminfo") as file:
        free = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) * 1024
    if free < size:
        raise Failure(f"{free >> 20:,} MB of memory are available, {size >> 20:,} MB are needed",
                      "measure on a larger machine, or leave this row out")


def compare(ground, mount):
    sizes = ground.sizes
    commands = {}
    for files in sizes.huge:
        tree = f"{mount}/{files}"
        make(ground, tree, files)
        commands[files] = [ground.fpcache, "stats", "--no-database", "--cache-dir", tree]
        total = told([*commands[files], "--format", "json"])[1]["total"]
        expect("files that stats found", total["files"], files)
    few, many = sizes.huge
    samples = race(
        {f"fpcache stats, {files:,} files":
             lambda command=command: timed(command, prints=False)[0]
         for files, command in commands.items()},
        sizes.scan_rounds, progress, duration)
    smaller, larger = samples.values
    growth = [value * few / many for value in samples.ratios(larger, smaller)]
    report = ground.report
    report.verdict(
        f"time of `stats` for each of {many:,} files in memory", duration(samples.median(larger)),
        f"of {few:,} files: {duration(samples.median(smaller))}", spread(growth, ratio),
        f"linear: ≤ {LINEAR_AT_MOST}", sorted(growth)[len(growth) // 2] <= LINEAR_AT_MOST)
    peak = peak_memory(ground, commands[many])
    report.verdict(f"memory of `stats` over {many:,} files", "", "", megabytes(peak),
                   f"≤ {STATS_MEMORY} MB", peak * 1024 <= STATS_MEMORY * 1e6)
    report.samples("huge", samples)


def make(ground, tree, files):
    progress(f"making {files:,} files")
    listed = ground.path("huge-list")
    pages = "\t".join(pages_of_port())
    with open(listed, "w") as file:
        file.writelines(f"{family}\n" for family in FAMILIES)
        file.writelines(f"{port_folder(index, ground.sizes.categories)}\t{pages}\n"
                        for index in range(files // PARTS))
    os.mkdir(tree)
    made = run([f"{ground.floor}/maketree", tree, 1, "sparse"], stdin=listed)
    expect("files made", int(made.split()[0]), files)
    os.remove(listed)
