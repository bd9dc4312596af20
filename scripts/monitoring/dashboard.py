# SPDX-License-Identifier: BSD-2-Clause
"""The dashboard: one row of the table for each panel."""

from dataclasses import dataclass

LISTENER = "fpcache_listener_"
# The panels' queries are for the chosen machines.
CHOSEN = '{instance=~"$instance"}'


@dataclass(frozen=True)
class Panel:
    title: str
    kind: str  # stat, timeseries or state-timeline of Grafana
    unit: str
    queries: list  # (expression, legend)
    width: int = 12
    help: str = ""


def rate(name):
    return f"rate({LISTENER}{name}{CHOSEN}[$__rate_interval])"


def quantile(share):
    buckets = f"{LISTENER}notify_to_cleared_seconds_bucket{CHOSEN}"
    return f"histogram_quantile({share}, sum by (le) (rate({buckets}[$__rate_interval])))"


ROWS = [
    ("At a glance", [
        Panel("State", "state-timeline", "none",
              [(f"{LISTENER}state{CHOSEN} == 1", "{{instance}} {{state}}")],
              help="The state that the listener was in."),
        Panel("Since health was proved", "stat", "s",
              [(f"time() - {LISTENER}healthy_timestamp_seconds{CHOSEN}", "{{instance}}")], 4,
              "A drain and a probe succeeded so long ago."),
        Panel("Oldest row", "stat", "s",
              [(f"max(time() - fpcache_queue_oldest_row_timestamp_seconds{CHOSEN}) or vector(0)",
                "age")], 4, "Of all queues, as the last survey saw it."),
        Panel("Sessions that listen", "stat", "none",
              [(f"sum(fpcache_listening_sessions{CHOSEN})", "sessions")], 4),
    ]),
    ("What is done", [
        Panel("Rows", "timeseries", "short",
              [(rate("rows_retired_total"), "retired"), (rate("rows_refused_total"), "refused"),
               (rate("clear_failures_total"), "not cleared at once")],
              help="A second."),
        Panel("Files removed", "timeseries", "short", [(rate("files_removed_total"), "files")],
              help="A second."),
        Panel("Bytes removed", "timeseries", "Bps", [(rate("removed_bytes_total"), "bytes")]),
        Panel("From notification to cleared", "timeseries", "s",
              [(quantile(0.5), "half within"), (quantile(0.99), "99 % within")]),
        Panel("Notifications and drains", "timeseries", "short",
              [(rate("notifications_total"), "notifications"), (rate("drains_total"), "drains")],
              help="A second."),
        Panel("Last drain", "timeseries", "s",
              [(f"{LISTENER}last_drain_duration_seconds{CHOSEN}", "{{instance}}")]),
    ]),
    ("What waits", [
        Panel("Rows in the queues", "timeseries", "short",
              [(f"fpcache_queue_rows{CHOSEN}", "{{queue}}")], help="As the last survey saw them."),
        Panel("Rows at the listener's last poll", "timeseries", "short",
              [(f"{LISTENER}queue_rows{CHOSEN}", "{{queue}}")]),
        Panel("Tried again, cleared again", "timeseries", "short",
              [(f"{LISTENER}retry_rows{CHOSEN}", "to retry"),
               (f"{LISTENER}settle_keys{CHOSEN}", "to clear a second time")]),
        Panel("Refused and held queues", "timeseries", "short",
              [(f"{LISTENER}queues_refused{CHOSEN}", "refused"),
               (f"{LISTENER}queues_held{CHOSEN}", "held")]),
        Panel("Missed invalidations", "timeseries", "short",
              [(f"increase({LISTENER}missed_invalidations_total{CHOSEN}[1h])", "{{family}}")],
              help="In an hour: keys that changed without a queue row."),
        Panel("How far nodes are behind", "timeseries", "short",
              [(f"fpcache_node_lag_rows{CHOSEN}", "{{node}}")]),
    ]),
    ("The cache", [
        Panel("Files", "timeseries", "short", [(f"fpcache_tree_files{CHOSEN}", "{{family}}")]),
        Panel("Size", "timeseries", "decbytes", [(f"fpcache_tree_bytes{CHOSEN}", "{{family}}")]),
        Panel("Files by age", "timeseries", "short",
              [(f"sum by (up_to) (fpcache_tree_age_files{CHOSEN})", "up to {{up_to}} s")]),
        Panel("Notification queue of the server", "timeseries", "percentunit",
              [(f"fpcache_notification_queue_usage_ratio{CHOSEN}", "in use")]),
    ]),
    ("The program", [
        Panel("Version", "stat", "none", [("fpcache_build_info" + CHOSEN, "{{version}}")], 4),
        Panel("Running since", "stat", "dateTimeAsIso",
              [(f"{LISTENER}start_timestamp_seconds{CHOSEN} * 1000", "{{instance}}")], 4),
        Panel("Since the metrics file was written", "stat", "s",
              [(f"time() - {LISTENER}written_timestamp_seconds{CHOSEN}", "{{instance}}")], 4),
        Panel("Connections lost and made again", "timeseries", "short",
              [(f"increase({LISTENER}reconnects_total{CHOSEN}[1h])", "{{instance}}")],
              help="In an hour."),
    ]),
]


def queries():
    """Every query, as it is in the document."""
    return [query for _, panels in ROWS for panel in panels for query, _ in panel.queries]


def document():
    """Grafana's JSON model of a dashboard."""
    panels, number, top = [], 0, 0
    for title, row in ROWS:
        number += 1
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}})
        top, left = top + 1, 0
        for panel in row:
            if left + panel.width > 24:
                top, left = top + 8, 0
            number += 1
            panels.append(panel_document(panel, number, left, top))
            left += panel.width
        top += 8
    return {
        "title": "fpcache", "uid": "fpcache", "schemaVersion": 38, "version": 1, "editable": True,
        "tags": ["fpcache"], "time": {"from": "now-6h", "to": "now"}, "refresh": "1m",
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource",
             "query": "prometheus"},
            {"name": "instance", "label": "Machine", "type": "query", "includeAll": True,
             "multi": True, "allValue": ".*", "refresh": 2,
             "current": {"text": "All", "value": "$__all"},
             "datasource": {"type": "prometheus", "uid": "${datasource}"},
             "query": 'label_values({__name__=~"fpcache_build_info|fpcache_survey_timestamp_seconds"}, instance)'},
        ]},
        "panels": panels,
    }


def panel_document(panel, number, left, top):
    source = {"type": "prometheus", "uid": "${datasource}"}
    targets = [
        {"refId": chr(ord("A") + index), "datasource": source, "expr": query, "legendFormat": legend}
        for index, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.help,
        "datasource": source, "targets": targets,
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": 8},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
    }
