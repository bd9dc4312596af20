# SPDX-License-Identifier: BSD-2-Clause
"""Makes etc/prometheus, etc/grafana and the table of alerts in docs/metrics.md of the tables beside this file.

    python3 scripts/monitoring            write the files
    python3 scripts/monitoring --check    say whether they are what the tables make
    python3 scripts/monitoring --test     play each incident with promtool: every alert must fire in its cases only
    python3 scripts/monitoring --queries  print the dashboard's queries, one a line
    python3 scripts/monitoring --picture URL START END MARKS FILE
                                          draw what the Prometheus at URL has recorded (scripts/picture)
"""

import difflib
import json
import pathlib
import subprocess
import sys
import tempfile

# The tables lie beside this file, where nothing else is to be written.
sys.dont_write_bytecode = True
import alerts  # noqa: E402
import cases  # noqa: E402
import dashboard  # noqa: E402
import files  # noqa: E402
import picture  # noqa: E402

RULES = "etc/prometheus/fpcache.rules.yml"
DOCUMENT = "docs/metrics.md"
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def outputs():
    return {
        RULES: files.rules(alerts.RULES, alerts.ALERTS),
        DOCUMENT: files.with_alerts((ROOT / DOCUMENT).read_text(), alerts.ALERTS),
        "etc/grafana/fpcache.json": json.dumps(dashboard.document(), indent=1) + "\n",
    }


def check(made):
    """Prints what differs from the files that are there; returns the exit status."""
    status = 0
    for name, text in made.items():
        path = ROOT / name
        old = path.read_text() if path.exists() else ""
        if old != text:
            status = 1
            sys.stderr.write(f"{name} is not what scripts/monitoring makes; run it\n")
            lines = difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, "made", n=1)
            sys.stderr.writelines(list(lines)[:40])
    return status


def test():
    """Plays the cases, one after the other; returns the exit status."""
    status = 0
    named = {alert for case in cases.CASES for alert in case.alerts}
    for alert in alerts.ALERTS:
        if alert.name not in named:
            print(f"{alert.name}: no case in which it fires")
            status = 1
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "case.yml")
        for case in cases.CASES:
            path.write_text(files.test_file(case, alerts.ALERTS, cases.well(), ROOT / RULES))
            done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)
            fires = ", ".join(sorted(case.alerts)) or "none fires"
            print(f"{case.title}: {fires}: {done.stdout.split()[-1] if done.returncode == 0 else 'FAILED'}")
            if done.returncode != 0:
                print(done.stdout + done.stderr)
                status = 1
    return status


def main(arguments):
    if arguments == ["--check"]:
        return check(outputs())
    if arguments == ["--queries"]:
        print("\n".join(dashboard.queries()))
        return 0
    if arguments == ["--test"]:
        return test()
    if len(arguments) == 6 and arguments[0] == "--picture":
        address, start, end, marks, path = arguments[1:]
        lines = [line.split(maxsplit=1) for line in pathlib.Path(marks).read_text().splitlines()]
        picture.draw(address, int(start), int(end), [(int(time), what) for time, what in lines], path)
        return 0
    if arguments:
        sys.stderr.write(__doc__)
        return 64
    for name, text in outputs().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text)
    return 0


sys.exit(main(sys.argv[1:]))
