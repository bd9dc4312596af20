// SPDX-License-Identifier: BSD-2-Clause
//
// The metrics of a look at the tree, the database and the status file. docs/metrics.md has a row for each metric, and
// a test compares them.

import Basics

extension Metric {
  /// All metrics that `--format prometheus` may print. None of them is in the listener's metrics file, because two
  /// files that one collector reads must not contain the same name.
  static let ofSurvey = [surveyedAt] + ofTree + ofDatabase + ofNodes + ofStatusFile

  static let surveyedAt = gauge(
    "fpcache_survey_timestamp_seconds", "When the command that printed this looked.")

  // MARK: The tree

  static let ofTree = [
    treeFiles, treeBytes, treeDiskBytes, treeOldestFile, treeNewestFile, treeFolders,
    treeFolderBytes, treeFolderDiskBytes, treeAgeFiles, treeAgeBytes, treeSizeFiles, treeSizeBytes,
    treeFailures, treeScanSeconds,
  ]

  static let treeFiles = gauge(
    "fpcache_tree_files", "Files in the cache directory.", by: "family")
  static let treeBytes = gauge("fpcache_tree_bytes", "Apparent size of the files.", by: "family")
  static let treeDiskBytes = gauge(
    "fpcache_tree_disk_bytes", "Size of the files on disk.", by: "family")
  static let treeOldestFile = gauge(
    "fpcache_tree_oldest_file_timestamp_seconds", "When the oldest file was last modified.",
    by: "family")
  static let treeNewestFile = gauge(
    "fpcache_tree_newest_file_timestamp_seconds", "When the newest file was last modified.",
    by: "family")
  static let treeFolders = gauge(
    "fpcache_tree_folders", "Folders in the cache directory.", by: "family")
  static let treeFolderBytes = gauge(
    "fpcache_tree_folder_bytes", "Apparent size of the folders themselves.", by: "family")
  static let treeFolderDiskBytes = gauge(
    "fpcache_tree_folder_disk_bytes", "Size of the folders themselves on disk.", by: "family")
  static let treeAgeFiles = gauge(
    "fpcache_tree_age_files",
    "Files up to this age in seconds and above the limit before it.", by: "up_to")
  static let treeAgeBytes = gauge(
    "fpcache_tree_age_bytes",
    "Apparent size of the files up to this age in seconds and above the limit before it.",
    by: "up_to")
  static let treeSizeFiles = gauge(
    "fpcache_tree_size_files",
    "Files up to this size in bytes and above the limit before it.", by: "up_to")
  static let treeSizeBytes = gauge(
    "fpcache_tree_size_bytes",
    "Apparent size of the files up to this size in bytes and above the limit before it.",
    by: "up_to")
  static let treeFailures = gauge(
    "fpcache_tree_scan_failures", "Files and folders that could not be read.")
  static let treeScanSeconds = gauge(
    "fpcache_tree_scan_duration_seconds", "How long the walk of the tree took.")

  // MARK: The database

  static let ofDatabase = [
    databaseUp, unreadableTables, queueRows, queueKeys, queueOldestRow, queueNewestRow, channels,
    listeningSessions, hiddenSessions, notificationQueueUsage,
  ]

  static let databaseUp = gauge("fpcache_database_up", "1 where the database answered, else 0.")
  static let unreadableTables = gauge(
    "fpcache_database_unreadable_tables", "Tables that the role may not read.")
  static let queueRows = gauge("fpcache_queue_rows", "Rows in a queue table.", by: "queue")
  static let queueKeys = gauge(
    "fpcache_queue_keys", "Different keys in a queue table.", by: "queue")
  static let queueOldestRow = gauge(
    "fpcache_queue_oldest_row_timestamp_seconds", "When the oldest row was added.", by: "queue")
  static let queueNewestRow = gauge(
    "fpcache_queue_newest_row_timestamp_seconds", "When the newest row was added.", by: "queue")
  static let channels = gauge(
    "fpcache_channels", "Channels of listen_for, by whether their script_name is known.",
    by: "known")
  static let listeningSessions = gauge(
    "fpcache_listening_sessions",
    "Sessions of the database that listen, as far as the role may see.",
    by: "program")
  static let hiddenSessions = gauge(
    "fpcache_hidden_sessions", "Sessions whose statements the role may not see.")
  static let notificationQueueUsage = gauge(
    "fpcache_notification_queue_usage_ratio",
    "How full the server's queue of notifications is, from 0 to 1.")

  // MARK: Nodes

  static let ofNodes = [
    nodeLagRows, nodeOldestRow, nodeOwedRows, nodeSeen, nodeLostRows, nodeMustEmpty,
  ]

  static let nodeLagRows = gauge(
    "fpcache_node_lag_rows", "Rows of the log that a node has not cleared.", by: "node")
  static let nodeOldestRow = gauge(
    "fpcache_node_oldest_row_timestamp_seconds",
    "When the first of these rows was moved into the log.", by: "node")
  static let nodeOwedRows = gauge(
    "fpcache_node_owed_rows", "Rows that a node has passed and could not clear.", by: "node")
  static let nodeSeen = gauge(
    "fpcache_node_seen_timestamp_seconds", "When a node was last seen.", by: "node")
  static let nodeLostRows = gauge(
    "fpcache_node_lost_rows", "Rows that left the log before a node saw them.", by: "node")
  static let nodeMustEmpty = gauge(
    "fpcache_node_must_empty", "1 where a node must still empty its cache, else 0.", by: "node")

  // MARK: The status file

  static let ofStatusFile = [
    statusFileUp, statusFileProcessUp, statusFileHealthy, statusFileLastDrain, statusFileRetryRows,
    statusFileSettleKeys, statusFileQueuesRefused, statusFileRechecked, statusFileMissed,
    statusFileRecheckRefused, statusFileScrubbed, statusFileScrubMissed, statusFileScrubRefused,
  ]

  static let statusFileUp = gauge(
    "fpcache_status_file_up", "1 where the listener's status file was read, else 0.")
  static let statusFileProcessUp = gauge(
    "fpcache_status_file_process_up", "1 where the process of the status file runs, else 0.")
  static let statusFileHealthy = gauge(
    "fpcache_status_file_healthy_timestamp_seconds",
    "When a drain and a probe last succeeded; 0 before the first time.")
  static let statusFileLastDrain = gauge(
    "fpcache_status_file_last_drain_timestamp_seconds",
    "When the last drain ended; 0 before the first.")
  static let statusFileRetryRows = gauge(
    "fpcache_status_file_retry_rows",
    "Rows and keys that could not be cleared and are tried again.")
  static let statusFileSettleKeys = gauge(
    "fpcache_status_file_settle_keys", "Keys that wait to be cleared a second time.")
  static let statusFileQueuesRefused = gauge(
    "fpcache_status_file_queues_refused",
    "Queues that the server refuses to the listener or does not have.")
  static let statusFileRechecked = gauge(
    "fpcache_status_file_recheck_timestamp_seconds",
    "When the last recheck ended; 0 before the first.")
  static let statusFileMissed = gauge(
    "fpcache_status_file_missed_invalidations",
    "Keys that changed without a queue row, not acknowledged yet.", by: "family")
  static let statusFileRecheckRefused = gauge(
    "fpcache_status_file_recheck_refused_keys",
    "Keys that changed at once, more than RECHECK_MOST, and that were not cleared.", by: "family")
  static let statusFileScrubbed = gauge(
    "fpcache_status_file_scrub_timestamp_seconds", "When the last scrub ended; 0 before the first.")
  static let statusFileScrubMissed = gauge(
    "fpcache_status_file_scrub_missed_pages",
    "Pages that scrubs found out of date without a queue row, not acknowledged yet.", by: "family")
  static let statusFileScrubRefused = gauge(
    "fpcache_status_file_scrub_refused_pages",
    "Pages out of date that the last scrub did not clear: more than SCRUB_MOST in all families.",
    by: "family")
}
