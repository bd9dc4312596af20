# SPDX-License-Identifier: BSD-2-Clause
"""The recording rules and the alerts, one for each way to be ill.

A survey is what `fpcache stats --format prometheus` or `fpcache status --format prometheus` printed last. Alerts on what
it says are silent once it stands still: then FpcacheSurveyStandsStill speaks, and nothing else may be believed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A recording rule."""

    name: str
    expr: str


@dataclass(frozen=True)
class Alert:
    name: str
    severity: str
    expr: str
    wait: str  # `for` of Prometheus: how long the expression must hold
    summary: str
    action: str


RULES = [
    Rule("instance:fpcache_rows_retired:rate5m", "rate(fpcache_listener_rows_retired_total[5m])"),
    Rule("instance:fpcache_files_removed:rate5m", "rate(fpcache_listener_files_removed_total[5m])"),
    Rule("instance:fpcache_listener_written_age:seconds",
         "time() - fpcache_listener_written_timestamp_seconds"),
    Rule("instance:fpcache_listener_healthy_age:seconds",
         "time() - fpcache_listener_healthy_timestamp_seconds"),
    Rule("instance:fpcache_survey_age:seconds", "time() - fpcache_survey_timestamp_seconds"),
    Rule("instance_queue:fpcache_oldest_row_age:seconds",
         "time() - fpcache_queue_oldest_row_timestamp_seconds"),
    Rule("instance_node:fpcache_node_lag:seconds",
         "time() - fpcache_node_oldest_row_timestamp_seconds"),
    Rule("instance:fpcache_notify_to_cleared:p99_5m",
         "histogram_quantile(0.99, sum by (instance, le)"
         " (rate(fpcache_listener_notify_to_cleared_seconds_bucket[5m])))"),
]

# The last survey is young enough to be believed.
FRESH = "on (instance) instance:fpcache_survey_age:seconds < 3600"
# The metrics file is being written.
ALIVE = "on (instance) instance:fpcache_listener_written_age:seconds < 180"
# States that have an alert of their own.
TOLD = 'fpcache_listener_state{state=~"polling|disconnected|refused|no-cache-directory|mount-away"} == 1'

ALERTS = [
    # What the listener's metrics file says.
    Alert("FpcacheMetricsAbsent", "warning",
          "absent(fpcache_listener_written_timestamp_seconds)", "10m",
          "no metrics file of fpcache listen is read",
          "check METRICS_FILE and the node exporter's textfile collector; remove this alert"
          " where no listener writes one"),
    Alert("FpcacheMetricsStandStill", "critical",
          "instance:fpcache_listener_written_age:seconds >= 180", "2m",
          "fpcache listen on {{ $labels.instance }} is dead or cannot write its metrics file",
          "see that the service runs, and whether the file's folder is full"),
    Alert("FpcacheNotHealthy", "critical",
          f"instance:fpcache_listener_healthy_age:seconds > 300 unless on (instance) {TOLD}"
          f" and {ALIVE}", "5m",
          "fpcache listen on {{ $labels.instance }} cannot prove that it serves",
          "read its log"),
    Alert("FpcacheDisconnected", "critical",
          f'fpcache_listener_state{{state="disconnected"}} == 1 and {ALIVE}', "5m",
          "fpcache listen on {{ $labels.instance }} does not reach the database",
          "its log says why"),
    Alert("FpcacheDeaf", "warning",
          f'fpcache_listener_state{{state="polling"}} == 1 and {ALIVE}', "5m",
          "no notification reaches fpcache listen on {{ $labels.instance }}: pages go a poll late",
          "connect to the server itself, or set pool_mode = session in the pooler"),
    Alert("FpcacheQueueRefused", "critical",
          f"fpcache_listener_queues_refused > 0 and {ALIVE}", "5m",
          "the server refuses a queue to fpcache listen on {{ $labels.instance }}",
          "its log has the GRANT that is missing"),
    Alert("FpcacheCacheAway", "critical",
          f'fpcache_listener_state{{state=~"no-cache-directory|mount-away"}} == 1 and {ALIVE}', "5m",
          "the cache on {{ $labels.instance }} is not there, or a file system in it ({{ $labels.state }})",
          "mount it; nothing is lost, the rows wait"),
    Alert("FpcacheQueueHeld", "warning",
          f"fpcache_listener_queues_held > 0 and {ALIVE}", "10m",
          "a transaction holds a queue that fpcache on {{ $labels.instance }} drains",
          "its log and fpcache verify --only held-queue name the transaction"),
    Alert("FpcacheRetries", "warning",
          f"fpcache_listener_retry_rows > 0 and {ALIVE}", "30m",
          "pages on {{ $labels.instance }} cannot be deleted",
          "the log names them and why: permissions, a read-only file system, a full disk"),
    Alert("FpcacheEventsBlocked", "warning",
          f"fpcache_listener_events_blocked == 1 and {ALIVE}", "5m",
          "fpcache listen on {{ $labels.instance }} cannot write its events file: rows stay, and"
          " nothing is told of cleared pages",
          "free space, or correct the folder's permissions; its log says which file"),
    Alert("FpcacheRowsRefused", "warning",
          "increase(fpcache_listener_rows_refused_total[1h]) > 10", "0m",
          "many queue rows name nothing to clear ({{ $labels.instance }})",
          "the log has the rows; look for what writes them"),
    Alert("FpcacheReconnects", "warning",
          "increase(fpcache_listener_reconnects_total[1h]) > 5", "0m",
          "fpcache listen on {{ $labels.instance }} loses the database again and again",
          "look for the reason in its log: the network, a pooler, a timeout of the server"),
    Alert("FpcacheRestarts", "warning",
          "changes(fpcache_listener_start_timestamp_seconds[1h]) > 3", "0m",
          "fpcache listen on {{ $labels.instance }} is started again and again",
          "the service manager's log says how it ended"),
    Alert("FpcacheMissedInvalidations", "warning",
          "increase(fpcache_listener_missed_invalidations_total[1d]) > 0", "0m",
          "{{ $labels.family }} changed and nothing was queued ({{ $labels.instance }})",
          "look for the trigger that is missing; the log names the keys"),
    Alert("FpcacheRecheckRefused", "warning",
          "fpcache_listener_recheck_refused_keys > 0", "10m",
          "more keys of {{ $labels.family }} changed at once than RECHECK_MOST allows",
          "run fpcache clear {{ $labels.family }}, or raise RECHECK_MOST and send SIGHUP"),
    Alert("FpcacheRecheckBroken", "warning",
          "fpcache_listener_recheck_broken == 1", "30m",
          "the recheck of {{ $labels.family }} cannot ask the database ({{ $labels.instance }})",
          "run the query of [verify] by hand; the log says what is wrong"),
    # What a survey says.
    Alert("FpcacheSurveyStandsStill", "warning",
          "instance:fpcache_survey_age:seconds >= 3600", "5m",
          "fpcache stats on {{ $labels.instance }} has not run for an hour",
          "look at cron"),
    Alert("FpcacheDatabaseAway", "critical",
          f"fpcache_database_up == 0 and {FRESH}", "10m",
          "fpcache stats on {{ $labels.instance }} does not reach the database",
          "run it by hand"),
    Alert("FpcacheCannotSee", "warning",
          "(fpcache_database_unreadable_tables > 0 or fpcache_hidden_sessions > 0 and on (instance)"
          f" sum by (instance) (fpcache_listening_sessions) == 0) and {FRESH}", "10m",
          "the role of fpcache stats on {{ $labels.instance }} may not see enough to judge",
          "fpcache stats --queues has the GRANT that is missing"),
    Alert("FpcacheNobodyListens", "critical",
          "instance_queue:fpcache_oldest_row_age:seconds > 600 and on (instance)"
          " sum by (instance) (fpcache_listening_sessions) == 0 and on (instance)"
          f" fpcache_hidden_sessions == 0 and {FRESH}", "5m",
          "rows of {{ $labels.queue }} wait, and nothing listens",
          "start fpcache listen and read its log"),
    Alert("FpcacheRowsWait", "critical",
          "instance_queue:fpcache_oldest_row_age:seconds > 600 and on (instance)"
          f" sum by (instance) (fpcache_listening_sessions) > 0 and {FRESH}", "5m",
          "rows of {{ $labels.queue }} wait although something listens",
          "read the log of fpcache listen, and check whether it listens to this database's channels"),
    Alert("FpcacheUnknownChannel", "warning",
          'fpcache_channels{known="no"} > 0', "30m",
          "listen_for has a channel that fpcache does not know: what it announces clears nothing",
          "correct its script_name, or delete the row"),
    Alert("FpcacheNotificationQueueFills", "warning",
          "fpcache_notification_queue_usage_ratio > 0.5", "10m",
          "the server's queue of notifications is more than half full",
          "look for a session that listens and stays in a transaction (pg_stat_activity)"),
    Alert("FpcacheNodeLags", "critical",
          f"instance_node:fpcache_node_lag:seconds > 600 and {FRESH}", "5m",
          "node {{ $labels.node }} shows stale pages",
          "see that its listener runs, and whether its pages can be deleted"),
    Alert("FpcacheNodeSilent", "warning",
          "time() - fpcache_node_seen_timestamp_seconds > 900 unless on (instance, node)"
          f" instance_node:fpcache_node_lag:seconds > 600 and {FRESH}", "5m",
          "node {{ $labels.node }} has not been seen for a quarter of an hour",
          "start its listener, or retire the node"),
    Alert("FpcacheNodeLost", "critical",
          f"(fpcache_node_lost_rows > 0 or fpcache_node_must_empty == 1) and {FRESH}", "15m",
          "node {{ $labels.node }} has missed rows and has not emptied its cache",
          "see that its listener runs: it empties the cache by itself"),
    Alert("FpcacheTreeUnreadable", "warning",
          f"fpcache_tree_scan_failures > 0 and {FRESH}", "0m",
          "fpcache stats on {{ $labels.instance }} cannot read all of the cache directory",
          "run it as the cache's owner; fpcache stats names the folders"),
]
