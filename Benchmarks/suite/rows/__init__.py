# SPDX-License-Identifier: BSD-2-Clause
"""What is measured: one file for each subject. A row's `measure` takes the ground and reports."""

from suite.rows import (
    audit, backlog, change, drain, huge, keys, memory, one_port, scan, startup, status, writers)

# In the order of a run: what needs the large tree comes last, since making it and taking it away
# keeps the disk busy.
ROWS = {
    "startup": startup.measure,
    "keys": keys.measure,
    "drain": drain.measure_on_disk,
    "drain-floor": drain.measure_beside_floor,
    "drain-tmpfs": drain.measure_in_memory,
    "backlog": backlog.measure,
    "change": change.measure,
    "writers": writers.measure,
    "status": status.measure,
    "memory": memory.measure,
    "huge": huge.measure,
    "scan": scan.measure,
    "audit": audit.measure,
    "one-port": one_port.measure,
}
