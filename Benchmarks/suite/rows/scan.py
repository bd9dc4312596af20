# SPDX-License-Identifier: BSD-2-Clause
"""A tree of 750,000 files, all of whose names the kernel remembers: stats, verify, their peers."""

import re

from suite.ground import progress
from suite.programs import expect, run, settle_disk, timed, told
from suite.report import duration, megabytes
from suite.samples import race

STATS_MEMORY = 40


def measure(ground):
    tree, path = ground.large_tree()
    fpcache = [ground.fpcache, "--FAMILY--", "--no-database", "--cache-dir", path]

    def command(name):
        return [fpcache[0], name, *fpcache[2:]]

    contenders = {
        "fpcache stats": command("stats"),
        "fpcache verify": command("verify"),
        "C scan, 1 thread": [f"{ground.floor}/scan", path, 1],
        "C scan, 2 threads": [f"{ground.floor}/scan", path, 2],
        "C scan, 4 threads": [f"{ground.floor}/scan", path, 4],
        "du -s": ["du", "-s", path],
        "find -type f -size 0": ["find", path, "-type", "f", "-size", "0"],
        "fd -t f": ["fdfind", "-u", "-t", "f", ".", path],
        "gdu -np": ["gdu", "-np", path],
    }
    settle_disk()
    check(tree, path, contenders)
    samples = race(
        {name: lambda arguments=arguments: timed(arguments, prints=False)[0]
         for name, arguments in contenders.items()},
        ground.sizes.scan_rounds, progress, duration)
    peak = peak_memory(ground, command("stats"))

    report = ground.report
    work = f"over {tree.files:,} files in {ground.sizes.folders:,} folders, warm"
    stats = "fpcache stats"
    report.ratio(f"`stats` {work}", "C scan, 2 threads", samples, stats, "C scan, 2 threads", 1.25)
    for peer in ("du -s", "find -type f -size 0", "gdu -np"):
        report.speedup(f"`stats` {work}", f"`{peer}`", samples, stats, peer, 2)
    report.ratio(f"`verify --no-database` {work}", "`stats`", samples,
                 "fpcache verify", stats, 1.25)
    report.verdict(f"memory of `stats` {work}", "", "", megabytes(peak), f"≤ {STATS_MEMORY} MB",
                   peak * 1024 <= STATS_MEMORY * 1e6)
    report.samples("scan", samples, notes={
        "C scan, 1 thread": "getdents64 and statx", "fd -t f": "names only, no sizes",
        "gdu -np": "as many threads as it likes"})


def check(tree, path, contenders):
    """Runs everybody once, to warm what there is to warm and to see that all count the same."""
    scanned = [run(contenders[f"C scan, {n}"]).split()
               for n in ("1 thread", "2 threads", "4 threads")]
    expect("C scans that agree", scanned, [scanned[0]] * 3)
    files, folders, size = map(int, scanned[0])
    expect("files that C scan found", files, tree.files)
    total = told([*contenders["fpcache stats"], "--format", "json"])[1]["total"]
    expect("files and bytes that stats found", (total["files"], total["bytes"]), (files, size))
    findings = run(contenders["fpcache verify"])
    expect("files that verify judged", re.sub(r"\D", "", findings.split(" in ")[-1]), str(files))
    found = run(["find", path, "-type", "f", "-size", "+0", "-printf", "x"])
    expect("files that find found", len(found), files)
    expect("files that fd found", run(contenders["fd -t f"]).count("\n"), files)
    for name in ("du -s", "gdu -np"):
        progress(f"{name}: {duration(timed(contenders[name])[0])} at first")


def peak_memory(ground, arguments):
    report = ground.path("peak")
    run([f"{ground.floor}/peak", report, *arguments])
    with open(report) as file:
        return int(file.read())
