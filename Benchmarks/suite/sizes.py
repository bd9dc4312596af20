# SPDX-License-Identifier: BSD-2-Clause
"""How much is measured: in a run that counts, and in one that shows that the suite works."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    # What stood in the queues after two days without a listener, three pages to a port.
    ports: int
    days: int
    categories: int
    drain_rounds: int
    # Beside C only; always as many, for the disk's sake.
    close_rounds: int
    # Rows of a queue, and different keys in them: the last is judged, the others show the growth.
    backlogs: tuple
    backlog_rounds: int
    # Changes one by one.
    changes: int
    # Seconds that the ingest writes in a turn.
    writing_seconds: int
    writing_rounds: int
    # Folders of the large tree, three pages in each.
    folders: int
    scan_rounds: int
    # Files of the trees in memory: of the larger, the time must grow with the files only.
    huge: tuple
    # Blocks of starts, and starts in a block.
    start_blocks: int
    starts: int
    # Starts in a loop of a shell.
    starts_in_loop: int
    loop_rounds: int
    # Keys on standard input: those that are judged, and those that must take no more memory.
    keys: int
    many_keys: int
    keys_rounds: int

    def with_rounds(self, rounds):
        """Starts take milliseconds each, and few of them tell nothing: there are as many as ever."""
        return replace(
            self, drain_rounds=rounds, backlog_rounds=rounds, writing_rounds=rounds,
            scan_rounds=rounds, keys_rounds=rounds)


FULL = Sizes(
    ports=20_508, days=290, categories=55, drain_rounds=5, close_rounds=7,
    backlogs=((250_000, 12_500), (500_000, 25_000), (1_000_000, 12_500), (1_000_000, 50_000)),
    backlog_rounds=3,
    changes=400,
    writing_seconds=8, writing_rounds=5,
    folders=250_000, scan_rounds=5, huge=(999_999, 9_999_999),
    start_blocks=40, starts=3, starts_in_loop=1_000, loop_rounds=5,
    keys=100_000, many_keys=1_000_000, keys_rounds=5)

QUICK = Sizes(
    ports=2_000, days=28, categories=55, drain_rounds=1, close_rounds=1,
    backlogs=((25_000, 1_250), (50_000, 2_500), (100_000, 1_250), (100_000, 5_000)),
    backlog_rounds=1,
    changes=20,
    writing_seconds=2, writing_rounds=1,
    folders=5_000, scan_rounds=2, huge=(3_000, 30_000),
    start_blocks=3, starts=3, starts_in_loop=20, loop_rounds=2,
    keys=10_000, many_keys=100_000, keys_rounds=2)
