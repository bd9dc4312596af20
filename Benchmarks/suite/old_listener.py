# SPDX-License-Identifier: BSD-2-Clause
"""A listener of the old shape, written for this comparison: what a site runs before fpcache.

    old_listener.py TREE CONNINFO

For each notification it reads the queue, and for each row: globs the port's folder, unlinks, globs
the category's, unlinks, DELETEs the row, COMMITs, polls for notifications. Then the news folder
is emptied. It takes no lock, clears nothing twice, and does nothing at its start, as the old ones
did. To be generous it logs no line per file, and keeps its connections. Prints `listening` once it
does, and a line for each notification that it has served.
"""

import glob
import os
import select
import sys

import psycopg2


def remove(pattern):
    for path in glob.glob(pattern):
        if os.path.isfile(path):
            os.unlink(path)


def clear_ports(tree, work, listening):
    cursor = work.cursor()
    cursor.execute("SELECT id, category, port FROM cache_clearing_ports ORDER BY id")
    rows = cursor.fetchall()
    for number, category, port in rows:
        remove(f"{tree}/ports/{category}/{port}/*")
        remove(f"{tree}/categories/{category}/*")
        cursor.execute("DELETE FROM cache_clearing_ports WHERE id = %s", (number,))
        work.commit()
        listening.poll()
    work.commit()
    return len(rows)


def clear_dates(tree, work, listening):
    cursor = work.cursor()
    cursor.execute("SELECT id, date_to_clear FROM cache_clearing_dates ORDER BY id")
    rows = cursor.fetchall()
    for number, day in rows:
        remove(f"{tree}/daily/{day:%Y/%m/%d}.daily.*")
        cursor.execute("DELETE FROM cache_clearing_dates WHERE id = %s", (number,))
        work.commit()
        listening.poll()
    work.commit()
    return len(rows)


def main():
    tree, conninfo = sys.argv[1:]
    actions = {"port_updated": clear_ports, "date_updated": clear_dates}
    listening = psycopg2.connect(conninfo)
    listening.autocommit = True
    for channel in actions:
        listening.cursor().execute(f"LISTEN {channel}")
    work = psycopg2.connect(conninfo)
    print("listening", flush=True)
    while True:
        if not listening.notifies and select.select([listening], [], [], 5) == ([], [], []):
            continue
        listening.poll()
        while listening.notifies:
            channel = listening.notifies.pop(0).channel
            rows = actions[channel](tree, work, listening)
            remove(f"{tree}/news/*")
            print(f"served {channel}: {rows} rows", flush=True)


main()
