# SPDX-License-Identifier: BSD-2-Clause
"""Measures fpcache beside the floor and its peers, and prints a table of medians and ratios.

Started by Benchmarks/run, which installs what is missing. A row that fails is told of, and the
others go on; the table is kept in Benchmarks/results when the run was whole.
"""

import argparse
import datetime
import os
import sys
import time
import traceback

from suite import build, interruption, machine
from suite.database import ROOT
from suite.failure import Failure
from suite.ground import Ground, progress
from suite.report import Report
from suite.rows import ROWS
from suite.sizes import FULL, QUICK


def options():
    parser = argparse.ArgumentParser(
        prog="make bench BENCH=", description="Measure fpcache beside the floor and its peers.",
        epilog="FPCACHE_BIN names another program to measure; BENCH_DIR a folder on the disk to "
               "measure on, by default .build.")
    parser.add_argument("--quick", action="store_true",
                        help="small sizes and few rounds: shows that the suite works, no more")
    parser.add_argument("--only", metavar="ROW,...", default=",".join(ROWS),
                        help=f"only these: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, help="so many rounds instead")
    parser.add_argument("--results", metavar="FOLDER",
                        help="keep the table in this folder (default: Benchmarks/results for a "
                             "whole run, nowhere for any other)")
    given = parser.parse_args()
    given.rows = given.only.split(",")
    unknown = [row for row in given.rows if row not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return given


def complain(failure, what="bench"):
    print(f"{what}: {failure.message}\nTry: {failure.advice}", file=sys.stderr, flush=True)


def measure(given, ground):
    """Whether every row could be measured."""
    is_whole = True
    for row in given.rows:
        print(f"{row}:", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            ROWS[row](ground)
        except Failure as failure:
            complain(failure, row)
            ground.report.failed(row, failure)
            is_whole = False
        except Exception as error:
            traceback.print_exc()
            ground.report.failed(row, Failure(f"{type(error).__name__}: {error}", ""))
            is_whole = False
        progress(f"took {time.monotonic() - began:.0f} s")
    return is_whole


def keep(text, folder):
    """Writes the table under the day's name, beside any that is there."""
    os.makedirs(folder, exist_ok=True)
    day = f"{datetime.date.today()}"
    names = [day] + [f"{day}-{n}" for n in range(2, 1000)]
    path = next(path for path in (f"{folder}/{name}.md" for name in names)
                if not os.path.exists(path))
    with open(path, "w") as file:
        file.write(text)
    progress(f"kept in {os.path.relpath(path)}")


def main():
    given = options()
    sizes = QUICK if given.quick else FULL
    if given.rounds:
        sizes = sizes.with_rounds(given.rounds)
    interruption.arrange()
    report = Report()
    try:
        with Ground(build.fpcache(), build.floor(), sizes, report) as ground:
            if ground.load_at_start > os.cpu_count() / 4:
                progress(f"the machine is busy, load {ground.load_at_start:.1f}: look at the "
                         "spread, and rather repeat this when it is quiet")
            is_whole = measure(given, ground)
            text = report.markdown(machine.describe(ground))
    except KeyboardInterrupt:
        print("bench: interrupted; everything it made is removed", file=sys.stderr)
        return 130
    except Failure as failure:
        complain(failure)
        return 1
    print(text)
    is_complete = is_whole and not given.quick and not given.rounds and given.rows == list(ROWS)
    folder = given.results or (f"{ROOT}/Benchmarks/results" if is_complete else None)
    if folder:
        keep(text, folder)
    return 0 if is_whole else 1


sys.exit(main())
