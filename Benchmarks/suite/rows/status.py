# SPDX-License-Identifier: BSD-2-Clause
"""fpcache status on what waited after two days without a listener, beside psql with one query."""

import json
import subprocess

from suite.programs import expect
from suite.report import duration, ratio, spread
from suite.rows.startup import by_hyperfine

AT_MOST_SECONDS = 0.050
QUERY = "SELECT count(*), min(date_added) FROM cache_clearing_ports"


def measure(ground):
    sizes = ground.sizes
    database = ground.server.database("status")
    database.queue(sizes.ports, sizes.ports, sizes.categories,
                   [f"2019-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(sizes.days)])
    commands = {
        "fpcache status": [ground.fpcache, "status", "--dsn", database.listener],
        "psql, one query": [f"{ground.server.bindir}/psql", "-XAtqc", QUERY, database.listener],
    }
    ours, theirs = commands
    # Nobody listens, so its status is 2.
    answer = subprocess.run([*commands[ours], "--format", "json"], stdout=subprocess.PIPE)
    expect("status", answer.returncode, 2)
    expect("rows", [queue["rows"] for queue in json.loads(answer.stdout)["backlog"]],
           [sizes.ports, sizes.days, 0, 0])
    samples = by_hyperfine(ground, commands, options=("--ignore-failure",))
    report = ground.report
    report.verdict(
        f"`status`, {sizes.ports:,} + {sizes.days} rows waiting", duration(samples.median(ours)),
        f"{theirs}: {duration(samples.median(theirs))}",
        spread(samples.ratios(ours, theirs), ratio), f"{AT_MOST_SECONDS * 1000:g} ms or less",
        samples.median(ours) <= AT_MOST_SECONDS)
    report.samples("status", samples)
