# SPDX-License-Identifier: BSD-2-Clause
"""One port cleared: in the large tree, and in a tree that holds that port only."""

import os

from suite.programs import expect, run, told
from suite.report import ratio, spread
from suite.rows.startup import by_hyperfine
from suite.samples import quartiles
from suite.trees import count_files, empty_tree, pages_of_port, port, port_folder

AT_MOST = 1.1


def measure(ground):
    sizes = ground.sizes
    tree, large = ground.large_tree()
    index = sizes.folders // 2
    key = "/".join(port(index, sizes.categories))
    template, small, empty = (ground.path(name) for name in ("template", "small", "empty"))
    for path in (template, small):
        write_port(path, index, sizes.categories)
    empty_tree(empty, 0)

    def clear(path, which):
        return [ground.fpcache, "clear-port", "--cache-dir", path, which]

    def restore(path):
        return ["cp", "-a", f"{template}/.", f"{path}/"]

    names = [f"in {tree.files:,} files", "in a tree of that port only", "x/y in an empty tree"]
    commands = dict(zip(names, (clear(large, key), clear(small, key), clear(empty, "x/y"))))
    prepare = dict(zip(names, (restore(large), restore(small), ["true"])))
    count = count_files(template)
    for path in (large, small):
        run(restore(path))
        cleared = told([*clear(path, key), "--format", "json"])[1]
        expect("pages cleared", cleared["files_removed"], count)
    samples = by_hyperfine(ground, commands, prepare)
    expect("pages left of the port", count_files(small), 0)
    run(restore(large))

    report = ground.report
    work = "`clear-port` of one port"
    growth = samples.ratios(names[0], names[1])
    report.verdict(
        f"{work} {names[0]}", *(show(samples, name) for name in names[:2]),
        spread(growth, ratio), f"independent of the size (≤ {AT_MOST:g})",
        quartiles(growth)[1] <= AT_MOST)
    report.samples(work, samples, notes={names[0]: f"{count} pages", names[1]: f"{count} pages"})
    share = samples.median(names[2]) / samples.median(names[0])
    report.remark(f"Start-up, as `clear-port x/y` shows it, is {share * 100:.0f} % of {work}.")


def show(samples, name):
    return f"{name}: {samples.median(name) * 1000:.3g} ms"


def write_port(tree, index, categories):
    """A port's pages and its category's, in a tree of their own."""
    category = port(index, categories)[0]
    pages = [f"{port_folder(index, categories)}/{page}" for page in pages_of_port()]
    pages.append(f"categories/{category}/{category}.0.head.PageSize100.PageNum1.html")
    for page in pages:
        path = f"{tree}/{page}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x" * 1000)
