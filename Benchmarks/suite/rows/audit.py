# SPDX-License-Identifier: BSD-2-Clause
"""verify with the site's query of every port, over the large tree, beside stats and the query alone."""

from suite.ground import progress
from suite.programs import expect, told, timed
from suite.report import duration, ratio, spread
from suite.samples import quartiles, race

AT_MOST = 1.15
QUERY = "SELECT category, port, changed_at FROM audited"


def measure(ground):
    sizes, report = ground.sizes, ground.report
    tree, path = ground.large_tree()
    database = ground.server.database("audit")
    # As trees.port names them. Each port changed before its pages were written.
    database.run(f"""
        CREATE TABLE audited AS
          SELECT 'category' || n % {sizes.categories} AS category, 'p5-Tool-Box' || n AS port,
                 now() - interval '10 days' AS changed_at
          FROM generate_series(0, {sizes.folders - 1}) n""",
                 "GRANT SELECT ON audited TO listening", "VACUUM ANALYZE audited")
    configuration = ground.path("audit.ini")
    with open(configuration, "w") as file:
        file.write(f"[verify]\nPORTS = {QUERY}\n")
    audit = [ground.fpcache, "verify", "--only", "stale,orphan", "--config", configuration,
             "--cache-dir", path, "--dsn", database.listener]
    answer = told([*audit, "--format", "json"])[1]
    expect("files that verify judged, and what it found",
           (answer["files"], answer["findings"]), (tree.files, []))

    def alone():
        scan = timed([ground.fpcache, "stats", "--no-database", "--cache-dir", path],
                     prints=False)[0]
        query = timed([f"{ground.server.bindir}/psql", "-XAtqc", QUERY, database.listener],
                      prints=False)[0]
        return scan + query

    ours, theirs = "fpcache verify, with a query", "fpcache stats, and psql with that query"
    samples = race({ours: lambda: timed(audit, prints=False)[0], theirs: alone},
                   sizes.scan_rounds, progress, duration)
    values = samples.ratios(ours, theirs)
    report.verdict(
        f"`verify` with a query of {sizes.folders:,} keys, over {tree.files:,} files",
        duration(samples.median(ours)), f"`stats`, then `psql`: {duration(samples.median(theirs))}",
        spread(values, ratio), f"≤ {AT_MOST}", quartiles(values)[1] <= AT_MOST)
    report.samples("audit", samples)
