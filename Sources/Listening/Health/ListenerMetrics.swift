// SPDX-License-Identifier: BSD-2-Clause
//
// The metrics in the listener's file. docs/metrics.md has a row for each; a test compares them.

import Basics

extension Metric {
  /// All metrics that the metrics file of `listen` may hold. No other command prints any of them: two files that one
  /// collector reads must not hold the same name.
  package static let ofListener: [Metric] = [
    buildInfo, started, written, state, stateSince, healthyAt, probedAt,
    notifications, reconnects, drains, lastDrainAt, lastDrainSeconds,
    rowsRetired, rowsMoved, rowsRefused, rowsRecovered, keysCleared, clearFailures, filesRemoved,
    bytesRemoved, retryRows, settleKeys, queuesRefused, queuesHeld, queueRowsPolled,
    queueOldestRowPolled, recheckedAt, recheckedKeys, missedInvalidations, recheckRefusedKeys,
    recheckBroken, scrubbedAt, scrubSeconds, scrubbedPages, scrubClearedPages, scrubRefusedPages,
    scrubBroken, prunedAt, pruneSeconds, prunedFiles, prunedBytes, pruneFailures, eventsWritten,
    eventFailures, eventsBlocked, notifyToCleared,
  ]

  // MARK: The process

  static let buildInfo = gauge(
    "fpcache_build_info", "Always 1; the label says which version runs.", by: "version")
  static let started = gauge(
    "fpcache_listener_start_timestamp_seconds",
    "When the listener started; the counters begin at 0 there.")
  static let written = gauge(
    "fpcache_listener_written_timestamp_seconds",
    "When this file was written: at least once a minute.")
  static let state = gauge(
    "fpcache_listener_state", "1 for the state that the listener is in, 0 for the others.",
    by: "state")
  static let stateSince = gauge(
    "fpcache_listener_state_timestamp_seconds", "When the listener entered this state.")
  static let healthyAt = gauge(
    "fpcache_listener_healthy_timestamp_seconds",
    "When a drain and a probe last succeeded; 0 before the first time.")
  static let probedAt = gauge(
    "fpcache_listener_probe_timestamp_seconds",
    "When the listener last received its own notification; 0 before the first time.")

  // MARK: Work

  static let notifications = counter(
    "fpcache_listener_notifications_total", "Notifications received.")
  static let reconnects = counter(
    "fpcache_listener_reconnects_total", "Times the database was lost and reached again.")
  static let drains = counter("fpcache_listener_drains_total", "Drains completed.")
  static let lastDrainAt = gauge(
    "fpcache_listener_last_drain_timestamp_seconds",
    "When the last drain ended; 0 before the first.")
  static let lastDrainSeconds = gauge(
    "fpcache_listener_last_drain_duration_seconds", "How long the last drain took.")
  static let rowsRetired = counter(
    "fpcache_listener_rows_retired_total", "Queue rows served and deleted.")
  static let rowsMoved = counter(
    "fpcache_listener_rows_moved_total", "Queue rows that this node moved into the log.")
  static let rowsRefused = counter(
    "fpcache_listener_rows_refused_total", "Queue rows deleted because they name nothing to clear.")
  static let rowsRecovered = counter(
    "fpcache_listener_rows_recovered_total", "Queue rows cleared after an earlier failure.")
  static let keysCleared = counter(
    "fpcache_listener_keys_cleared_total", "Keys cleared for queue rows.")
  static let clearFailures = counter(
    "fpcache_listener_clear_failures_total", "Queue rows that could not be cleared at once.")
  static let filesRemoved = counter("fpcache_listener_files_removed_total", "Files removed.")
  static let bytesRemoved = counter(
    "fpcache_listener_removed_bytes_total", "Apparent size of the files removed.")
  static let notifyToCleared = histogram(
    "fpcache_listener_notify_to_cleared_seconds",
    "From the arrival of a notification until its pages were removed.")

  // MARK: What waits

  static let retryRows = gauge(
    "fpcache_listener_retry_rows", "Rows and keys that could not be cleared and are tried again.")
  static let settleKeys = gauge(
    "fpcache_listener_settle_keys", "Keys that wait to be cleared a second time.")
  static let queuesRefused = gauge(
    "fpcache_listener_queues_refused",
    "Queues that the server refuses to the listener or does not have.")
  static let queuesHeld = gauge(
    "fpcache_listener_queues_held", "Queues that another transaction has locked for long.")
  static let queueRowsPolled = gauge(
    "fpcache_listener_queue_rows", "Rows in a queue table at the last poll.", by: "queue")
  static let queueOldestRowPolled = gauge(
    "fpcache_listener_queue_oldest_row_timestamp_seconds",
    "When the oldest row at the last poll was added.", by: "queue")

  // MARK: Rechecks

  static let recheckedAt = gauge(
    "fpcache_listener_recheck_timestamp_seconds",
    "When the last recheck ended; 0 before the first.")
  static let recheckedKeys = counter(
    "fpcache_listener_recheck_keys_total", "Keys cleared by rechecks.")
  static let missedInvalidations = counter(
    "fpcache_listener_missed_invalidations_total",
    "Keys that changed without a queue row.", by: "family")
  static let recheckRefusedKeys = gauge(
    "fpcache_listener_recheck_refused_keys",
    "Keys that changed at once, more than RECHECK_MOST, and that were not cleared.", by: "family")
  static let recheckBroken = gauge(
    "fpcache_listener_recheck_broken", "1 where the query of a family cannot be asked.",
    by: "family")

  // MARK: Prunes

  static let prunedAt = gauge(
    "fpcache_listener_prune_timestamp_seconds", "When the last prune ended; 0 before the first.")
  static let pruneSeconds = gauge(
    "fpcache_listener_prune_duration_seconds", "How long the last prune took.")
  static let prunedFiles = counter(
    "fpcache_listener_pruned_files_total", "Pages that prunes removed.")
  static let prunedBytes = counter(
    "fpcache_listener_pruned_bytes_total", "Apparent size of the pages that prunes removed.")
  static let pruneFailures = gauge(
    "fpcache_listener_prune_failures",
    "Pages and folders that the last prune could not remove or read.")

  // MARK: Events

  static let eventsWritten = counter(
    "fpcache_listener_events_written_total", "Lines written to the events file.")
  static let eventFailures = counter(
    "fpcache_listener_event_failures_total", "Failed tries to write the events file.")
  static let eventsBlocked = gauge(
    "fpcache_listener_events_blocked",
    "1 where the events file cannot be written, so that queue rows stay.")

  // MARK: Scrubs

  static let scrubbedAt = gauge(
    "fpcache_listener_scrub_timestamp_seconds", "When the last scrub ended; 0 before the first.")
  static let scrubSeconds = gauge(
    "fpcache_listener_scrub_duration_seconds", "How long the last scrub took.")
  static let scrubbedPages = gauge(
    "fpcache_listener_scrub_pages", "Pages that the last scrub looked at.")
  static let scrubClearedPages = counter(
    "fpcache_listener_scrub_cleared_pages_total", "Pages out of date that scrubs cleared.",
    by: "family")
  static let scrubRefusedPages = gauge(
    "fpcache_listener_scrub_refused_pages",
    "Pages out of date that the last scrub did not clear: more than SCRUB_MOST in all families.",
    by: "family")
  static let scrubBroken = gauge(
    "fpcache_listener_scrub_broken", "1 where the last scrub could not compare a family.",
    by: "family")
}
