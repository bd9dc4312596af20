# SPDX-License-Identifier: BSD-2-Clause
"""Keys on standard input, nothing on disk: what a key costs, and whether memory grows with them."""

from suite.ground import progress
from suite.programs import expect, timed, told
from suite.report import duration, megabytes, number, spread
from suite.samples import quartiles, race
from suite.trees import empty_tree, port, port_folder

KEYS_A_SECOND = 100_000
GROWTH_AT_MOST = 1.1


def measure(ground):
    sizes, report = ground.sizes, ground.report
    tree = empty_tree(ground.path("keys"), sizes.categories)
    few, many, folders = (ground.path("list") for _ in range(3))
    for path, count in ((few, sizes.keys), (many, sizes.many_keys)):
        with open(path, "w") as file:
            file.writelines("{}/{}\n".format(*port(n, sizes.categories)) for n in range(count))
    with open(folders, "w") as file:
        file.writelines(f"{port_folder(n, sizes.categories)}\n" for n in range(sizes.keys))
    command = [ground.fpcache, "clear-port", "--cache-dir", tree, "--format", "json", "-"]

    def clear(keys, count, before=()):
        elapsed, answer = told([*before, *command], stdin=keys)
        expect("keys cleared", (answer["keys"], answer["keys_without_match"]), (count, count))
        return elapsed

    def floor(threads):
        elapsed, removed = timed([f"{ground.floor}/unlink", tree, threads], stdin=folders)
        expect("files removed", int(removed), 0)
        return elapsed

    def peak(keys, count):
        path = ground.path("peak")
        clear(keys, count, (f"{ground.floor}/peak", path))
        with open(path) as file:
            return int(file.read())

    samples = race({
        "fpcache clear-port -": lambda: clear(few, sizes.keys),
        "C open of each port's folder, 1 thread": lambda: floor(1),
        "C open of each port's folder, 2 threads": lambda: floor(2),
    }, sizes.keys_rounds, progress, duration)
    speed = [sizes.keys / seconds for seconds in samples["fpcache clear-port -"]]
    floor_name = samples.best(list(samples.values)[1:])
    report.verdict(
        f"`clear-port -`, {sizes.keys:,} keys, nothing on disk",
        duration(samples.median("fpcache clear-port -")),
        f"{floor_name}: {duration(samples.median(floor_name))}",
        f"{spread(speed, number)} keys a second", f"≥ {KEYS_A_SECOND:,} keys a second",
        quartiles(speed)[1] >= KEYS_A_SECOND)
    small, large = peak(few, sizes.keys), peak(many, sizes.many_keys)
    report.verdict(
        f"its memory with {sizes.many_keys:,} keys", megabytes(large),
        f"with {sizes.keys:,} keys: {megabytes(small)}", f"{large / small:.2f}",
        f"constant (≤ {GROWTH_AT_MOST})", large / small <= GROWTH_AT_MOST)
    report.samples("keys", samples)
