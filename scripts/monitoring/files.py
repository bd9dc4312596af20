# SPDX-License-Identifier: BSD-2-Clause
"""The YAML that Prometheus reads, of the tables of alerts and cases.

Strings are written as JSON, which YAML contains: no value can be taken for something else.
"""

import json

HEAD = """\
# SPDX-License-Identifier: BSD-2-Clause
#
# Made by scripts/monitoring of the tables in that folder: change them, and run it.
"""


def quoted(text):
    return json.dumps(text)


def labels(values):
    return "{" + ", ".join(f"{name}: {quoted(value)}" for name, value in sorted(values.items())) + "}"


def rules(records, alerts):
    """The rule file."""
    lines = [HEAD.rstrip(), "# docs/metrics.md says what each alert means.", "groups:",
             "  - name: fpcache-records", "    rules:"]
    for rule in records:
        lines += [f"      - record: {rule.name}", f"        expr: {quoted(rule.expr)}"]
    lines += ["  - name: fpcache-alerts", "    rules:"]
    for alert in alerts:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {quoted(alert.expr)}",
            f"        for: {alert.wait}",
            f"        labels: {labels({'severity': alert.severity})}",
            "        annotations:",
            f"          summary: {quoted(alert.summary)}",
            f"          description: {quoted(alert.action)}",
        ]
    return "\n".join(lines) + "\n"


def expanded(template, values):
    """A template of Prometheus with its labels filled in."""
    for name, value in values.items():
        template = template.replace("{{ $labels." + name + " }}", value)
    return template


def expectation(alert, values):
    return [
        f"          - exp_labels: {labels({**values, 'severity': alert.severity})}",
        "            exp_annotations:",
        f"              summary: {quoted(expanded(alert.summary, values))}",
        f"              description: {quoted(expanded(alert.action, values))}",
    ]


def test(case, alerts, well):
    """One case: every alert is looked at, and those that it does not name must not fire."""
    series = {**well, **case.changes}
    lines = [f"  - name: {quoted(case.title)}", "    interval: 1m", "    input_series:"]
    for name, values in series.items():
        if values is not None:
            lines += [f"      - series: {quoted(name)}", f"        values: {quoted(values)}"]
    lines += ["    alert_rule_test:"]
    for alert in alerts:
        lines += [f"      - eval_time: {case.minutes}m", f"        alertname: {alert.name}"]
        if alert.name in case.alerts:
            lines += ["        exp_alerts:"] + expectation(alert, case.alerts[alert.name])
    return lines


def test_file(case, alerts, well, path):
    """A file for `promtool test rules`; `path` is that of the rules."""
    lines = [f"rule_files: [{quoted(str(path))}]", "evaluation_interval: 1m", "tests:"]
    return "\n".join(lines + test(case, alerts, well)) + "\n"


def with_alerts(document, alerts):
    """The document with its table of alerts made anew."""
    head = "| alert | severity | when | what to do |\n|---|---|---|---|\n"
    before, _, rest = document.partition(head)
    lines = rest.splitlines(True)
    while lines and lines[0].startswith("| "):
        lines.pop(0)
    rows = []
    for alert in alerts:
        when = alert.summary + (f", for {alert.wait}" if alert.wait != "0m" else "")
        for label in ["instance", "queue", "node", "family", "state"]:
            when = when.replace("{{ $labels." + label + " }}", label.upper())
        action = alert.action.replace("{{ $labels.family }}", "FAMILY")
        rows.append(f"| `{alert.name}` | {alert.severity} | {when} | {action} |\n")
    return before + head + "".join(rows) + "".join(lines)
