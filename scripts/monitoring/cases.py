# SPDX-License-Identifier: BSD-2-Clause
"""The incidents that the alerts are tested by: a site that is well, and what differs in each case.

Time begins at 0 and a sample is taken each minute; `web1` has the listener, `db1` runs fpcache stats.
"""

from dataclasses import dataclass, field

STATES = ["starting", "draining", "listening", "polling", "disconnected", "refused",
          "no-cache-directory", "mount-away", "stopping"]


def listener(name, labels=""):
    return f'fpcache_listener_{name}{{instance="web1"{labels}}}'


def survey(name, labels=""):
    return f'fpcache_{name}{{instance="db1"{labels}}}'


def state(name):
    """The series of a listener that is in this state all the time."""
    return {listener("state", f',state="{each}"'): f"{int(each == name)}x3000" for each in STATES}


def well():
    """A site on which nothing is wrong. `0+60x3000` is the time at each minute."""
    now, none = "0+60x3000", "0x3000"
    series = state("listening")
    for name in ["written_timestamp_seconds", "healthy_timestamp_seconds"]:
        series[listener(name)] = now
    for name in ["start_timestamp_seconds", "queues_refused", "queues_held", "retry_rows",
                 "rows_refused_total", "reconnects_total"]:
        series[listener(name)] = none
    for name in ["missed_invalidations_total", "recheck_refused_keys", "recheck_broken"]:
        series[listener(name, ',family="ports"')] = none
    series[survey("survey_timestamp_seconds")] = now
    series[survey("database_up")] = "1x3000"
    series[survey("listening_sessions", ',program="fpcache"')] = "1x3000"
    series[survey("listening_sessions", ',program="other"')] = none
    series[survey("channels", ',known="no"')] = none
    for name in ["database_unreadable_tables", "hidden_sessions",
                 "notification_queue_usage_ratio", "tree_scan_failures"]:
        series[survey(name)] = none
    for name in ["node_lost_rows", "node_must_empty"]:
        series[survey(name, ',node="n1"')] = none
    series[survey("node_seen_timestamp_seconds", ',node="n1"')] = now
    return series


@dataclass(frozen=True)
class Case:
    title: str
    minutes: int  # when the alerts are looked at
    changes: dict  # series that are other than well; None takes one away
    alerts: dict = field(default_factory=dict)  # the alerts that fire, each with its labels


WEB = {"instance": "web1"}
DB = {"instance": "db1"}
FAMILY = {**WEB, "family": "ports"}
NODE = {**DB, "node": "n1"}
PORTS = {**DB, "queue": "cache_clearing_ports"}
OLDEST = survey("queue_oldest_row_timestamp_seconds", ',queue="cache_clearing_ports"')
NODE_OLDEST = survey("node_oldest_row_timestamp_seconds", ',node="n1"')
SEEN = survey("node_seen_timestamp_seconds", ',node="n1"')
NOBODY = {survey("listening_sessions", ',program="fpcache"'): "1x10 0x2990"}
# The time until minute 10, and then the same for ever.
STOPS = "0+60x10 600x2990"


def in_state(name, **more):
    """A listener in this state, which proves no health."""
    return {**state(name), listener("healthy_timestamp_seconds"): STOPS, **more}


CASES = [
    Case("nothing is wrong", 600, {}),
    Case("a row waits for four minutes", 14, {OLDEST: "_x10 600x2990"}),
    Case("the database is restarted: away for three minutes", 16,
         {**{listener("state", f',state="{name}"'): values for name, values in
             [("listening", "1x10 0 0 0 1x2987"), ("disconnected", "0x10 1 1 1 0x2987")]},
          listener("reconnects_total"): "0x13 1x2987"}),
    Case("the listener is deployed anew", 20, {listener("start_timestamp_seconds"): "0x10 600x2990"}),
    Case("the listener dies, and rows wait for two days", 2895,
         {listener("written_timestamp_seconds"): STOPS, listener("healthy_timestamp_seconds"): STOPS,
          **NOBODY, OLDEST: "_x10 900x2990"},
         {"FpcacheMetricsStandStill": WEB, "FpcacheNobodyListens": PORTS}),
    Case("the same, ten minutes later", 26,
         {listener("written_timestamp_seconds"): STOPS, listener("healthy_timestamp_seconds"): STOPS,
          **NOBODY, OLDEST: "_x10 900x2990"},
         {"FpcacheMetricsStandStill": WEB}),
    Case("nothing listens, seen from the database alone", 40, {**NOBODY, OLDEST: "_x10 900x2990"},
         {"FpcacheNobodyListens": PORTS}),
    Case("the metrics file cannot be written; the listener serves", 40,
         {listener("written_timestamp_seconds"): STOPS, listener("healthy_timestamp_seconds"): STOPS},
         {"FpcacheMetricsStandStill": WEB}),
    Case("no metrics file is read", 40,
         {listener("written_timestamp_seconds"): None, listener("healthy_timestamp_seconds"): None},
         {"FpcacheMetricsAbsent": {}}),
    Case("the listener hangs between a drain and a probe", 40,
         {listener("healthy_timestamp_seconds"): STOPS}, {"FpcacheNotHealthy": WEB}),
    Case("a deaf listener: it polls", 40, in_state("polling"),
         {"FpcacheDeaf": {**WEB, "state": "polling"}}),
    Case("the database is away", 40, in_state("disconnected"),
         {"FpcacheDisconnected": {**WEB, "state": "disconnected"}}),
    Case("a right on a queue is lost", 40,
         in_state("refused", **{listener("queues_refused"): "0x10 1x2990"}),
         {"FpcacheQueueRefused": WEB}),
    Case("the cache directory is away", 40, in_state("no-cache-directory"),
         {"FpcacheCacheAway": {**WEB, "state": "no-cache-directory"}}),
    Case("a disk of the cache is away", 40, in_state("mount-away"),
         {"FpcacheCacheAway": {**WEB, "state": "mount-away"}}),
    Case("a transaction holds a queue", 40, {listener("queues_held"): "0x10 1x2990"},
         {"FpcacheQueueHeld": WEB}),
    Case("pages cannot be deleted", 60, {listener("retry_rows"): "0x10 3x2990"},
         {"FpcacheRetries": WEB}),
    Case("the disk of the events file is full", 40, {listener("events_blocked"): "0x10 1x2990"},
         {"FpcacheEventsBlocked": WEB}),
    Case("a burst of rows that name nothing", 40, {listener("rows_refused_total"): "0x10 500x2990"},
         {"FpcacheRowsRefused": WEB}),
    Case("one row that names nothing", 40, {listener("rows_refused_total"): "0x10 1x2990"}),
    Case("the connection is lost every five minutes", 60,
         {listener("reconnects_total"): " ".join(f"{n}x4" for n in range(600))},
         {"FpcacheReconnects": WEB}),
    Case("the listener crashes every five minutes", 60,
         {listener("start_timestamp_seconds"): " ".join(f"{300 * n}x4" for n in range(600))},
         {"FpcacheRestarts": WEB}),
    Case("a trigger is missing", 40,
         {listener("missed_invalidations_total", ',family="ports"'): "0x10 1x2990"},
         {"FpcacheMissedInvalidations": FAMILY}),
    Case("a migration touched every row", 40,
         {listener("recheck_refused_keys", ',family="ports"'): "0x10 90000x2990"},
         {"FpcacheRecheckRefused": FAMILY}),
    Case("the query of a recheck fails", 60,
         {listener("recheck_broken", ',family="ports"'): "0x10 1x2990"},
         {"FpcacheRecheckBroken": FAMILY}),
    Case("cron has died, while a row waited and a node lagged", 120,
         {survey("survey_timestamp_seconds"): STOPS, OLDEST: "_x10 600x2990",
          NODE_OLDEST: "_x10 600x2990", SEEN: STOPS},
         {"FpcacheSurveyStandsStill": DB}),
    Case("the survey does not reach the database", 40, {survey("database_up"): "1x10 0x2990"},
         {"FpcacheDatabaseAway": DB}),
    Case("a table may not be read", 40, {survey("database_unreadable_tables"): "0x10 1x2990"},
         {"FpcacheCannotSee": DB}),
    Case("sessions are hidden, and none that listens is seen", 40,
         {**NOBODY, survey("hidden_sessions"): "0x10 2x2990", OLDEST: "_x10 900x2990"},
         {"FpcacheCannotSee": DB}),
    Case("rows wait although something listens", 40, {OLDEST: "_x10 900x2990"},
         {"FpcacheRowsWait": PORTS}),
    Case("an unknown script_name in listen_for", 60,
         {survey("channels", ',known="no"'): "0x10 1x2990"},
         {"FpcacheUnknownChannel": {**DB, "known": "no"}}),
    Case("a session sleeps in a transaction and keeps notifications", 40,
         {survey("notification_queue_usage_ratio"): "0x10 0.7x2990"},
         {"FpcacheNotificationQueueFills": DB}),
    Case("a node lags", 40, {NODE_OLDEST: "_x10 600x2990"}, {"FpcacheNodeLags": NODE}),
    Case("a node is dead, and rows wait for it", 40, {NODE_OLDEST: "_x10 600x2990", SEEN: STOPS},
         {"FpcacheNodeLags": NODE}),
    Case("a node is dead, and nothing has changed since", 40, {SEEN: STOPS},
         {"FpcacheNodeSilent": NODE}),
    Case("a node has missed rows", 40, {survey("node_lost_rows", ',node="n1"'): "0x10 5x2990"},
         {"FpcacheNodeLost": NODE}),
    Case("a folder of the cache cannot be read", 40, {survey("tree_scan_failures"): "0x10 1x2990"},
         {"FpcacheTreeUnreadable": DB}),
]
