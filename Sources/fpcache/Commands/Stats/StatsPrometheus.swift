// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` as Prometheus' text format: the same numbers as in the JSON document.

import Basics
import CacheFS
import Listening
import PGQueue

extension Overview {
  var prometheus: String {
    var text = PrometheusText()
    if scope == .all {
      addTree(to: &text)
      addGroups(to: &text)
    }
    if database != .notAsked {
      text.add(
        "fpcache_database_up", "gauge", "Whether the database answered.",
        database.answers == nil ? 0 : 1)
    }
    if let answers = database.answers { addDatabase(answers, to: &text) }
    if let status = statusFile.status { addStatus(status, to: &text) }
    return text.text
  }

  // MARK: The tree

  private func addTree(to text: inout PrometheusText) {
    let families = rows.map { (label("family", $0.name), $0) }
    add("fpcache_files", "Files in the cache tree by family.", families, to: &text) {
      $0.tally.files
    }
    add("fpcache_bytes", "Apparent size of the files by family.", families, to: &text) {
      $0.tally.bytes
    }
    add("fpcache_disk_bytes", "Size on disk of the files by family.", families, to: &text) {
      $0.tally.diskBytes
    }
    add("fpcache_oldest_age_seconds", "Age of the oldest file by family.", families, to: &text) {
      age($0.tally.oldest)
    }
    add("fpcache_newest_age_seconds", "Age of the newest file by family.", families, to: &text) {
      age($0.tally.newest)
    }
    if olderThan == nil { addFolders(to: &text) }
    text.addHistogram(
      "fpcache_file_age_seconds", "Ages of the files.", bounds: tree.ages.bounds,
      counts: tree.ages.buckets.map(\.files), sum: tree.ages.sum)
    text.addHistogram(
      "fpcache_file_size_bytes", "Apparent sizes of the files, each name of a file for itself.",
      bounds: tree.sizes.bounds, counts: tree.sizes.buckets.map(\.files), sum: tree.sizes.sum)
    addBuckets(to: &text)
    text.add(
      "fpcache_scan_failures", "gauge", "What could not be read in the tree.", tree.failureCount)
    text.add(
      "fpcache_scan_duration_seconds", "gauge", "How long it took to walk the tree.",
      [("", "\(scanSeconds)")])
  }

  private func addFolders(to text: inout PrometheusText) {
    let own = Row(name: "", tally: FileTally(), folders: tree.root)
    // The cache directory belongs to no family; with it, the sum is what du and find say.
    let folders =
      rows.map { (label("family", $0.name), $0) } + [(label("family", "cache_dir"), own)]
    add("fpcache_folders", "Folders by family.", folders, to: &text) { $0.folders.folders }
    add("fpcache_folder_bytes", "Apparent size of the folders themselves.", folders, to: &text) {
      $0.folders.bytes
    }
    add("fpcache_folder_disk_bytes", "Size on disk of the folders themselves.", folders, to: &text)
    { $0.folders.diskBytes }
  }

  /// The bytes of each bucket, which a histogram has no place for.
  private func addBuckets(to text: inout PrometheusText) {
    func samples(_ histogram: Histogram) -> [(labels: String, value: String)] {
      histogram.buckets.indices.map { index in
        let bound = index < histogram.bounds.count ? "\(histogram.bounds[index])" : "+Inf"
        return (label("up_to", bound), "\(histogram.buckets[index].bytes)")
      }
    }
    text.add(
      "fpcache_age_bucket_bytes", "gauge",
      "Apparent size of the files up to an age in seconds "
        + "and above the age before it.", samples(tree.ages))
    text.add(
      "fpcache_size_bucket_bytes", "gauge",
      "Apparent size of the files up to a size in bytes "
        + "and above the size before it.", samples(tree.sizes))
  }

  private func addGroups(to text: inout PrometheusText) {
    if let field = query.groupBy {
      let field = label("field", field)
      var groups = tree.groups.map { (field + "," + label("value", escape($0.value)), $0.tally) }
      groups.append((field + ",value=\"\",rest=\"without the field\"", tree.ungrouped))
      if tree.otherGroups.count > 0 {
        groups.append((field + ",value=\"\",rest=\"other groups\"", tree.otherGroups.tally))
      }
      add("fpcache_group_files", "Files by the value of a field.", groups, to: &text) { $0.files }
      add("fpcache_group_bytes", "Apparent size by the value of a field.", groups, to: &text) {
        $0.bytes
      }
      add("fpcache_group_disk_bytes", "Size on disk by the value of a field.", groups, to: &text) {
        $0.diskBytes
      }
      add("fpcache_group_oldest_age_seconds", "Age of the oldest file.", groups, to: &text) {
        age($0.oldest)
      }
      add("fpcache_group_newest_age_seconds", "Age of the newest file.", groups, to: &text) {
        age($0.newest)
      }
    }
    add(
      "fpcache_largest_file_bytes", "The largest files.",
      tree.largest.map { (label("path", "\($0.path)"), $0.bytes) }, to: &text
    ) { $0 }
  }

  // MARK: The database

  private func addDatabase(_ answers: DatabaseSurvey.Answers, to text: inout PrometheusText) {
    let queues = answers.queues.compactMap { queue in
      queue.contents.map { (label("queue", queue.table.name), $0) }
    }
    if !answers.refused.isEmpty {
      text.add(
        "fpcache_not_checked", "gauge",
        "Tables that could not be read, and what would let the role.",
        answers.refused.map {
          (label("table", $0.table) + "," + label("grant", $0.grant ?? ""), "1")
        })
    }
    add("fpcache_queue_rows", "Rows in a queue table.", queues, to: &text) { $0.rows }
    add("fpcache_queue_keys", "Distinct keys in a queue table.", queues, to: &text) { $0.keys }
    text.add(
      "fpcache_queue_oldest_row_age_seconds", "gauge", "Age of the oldest row.",
      queues.compactMap { queue in queue.1.oldest?.age.map { (queue.0, "\($0)") } })
    text.add(
      "fpcache_queue_newest_row_age_seconds", "gauge", "Age of the newest row.",
      queues.compactMap { queue in queue.1.newest?.age.map { (queue.0, "\($0)") } })
    if let channels = answers.channels {
      let known = channels.count { $0.event != nil }
      text.add(
        "fpcache_channels", "gauge", "Channels of listen_for, by whether fpcache knows what to do.",
        [("known=\"yes\"", "\(known)"), ("known=\"no\"", "\(channels.count - known)")])
    }
    if !answers.nodes.isEmpty { addNodes(answers.nodes, to: &text) }
    let listeners = answers.server.listening.count { $0.isListener }
    text.add(
      "fpcache_listening_sessions", "gauge", "Sessions that listen, as far as the role may see.",
      [
        ("program=\"fpcache\"", "\(listeners)"),
        ("program=\"other\"", "\(answers.server.listening.count - listeners)"),
      ])
    text.add(
      "fpcache_hidden_sessions", "gauge", "Sessions of which the role may not see what they do.",
      answers.server.hidden)
    text.add(
      "fpcache_notification_queue_usage_ratio", "gauge",
      "How full the server's queue of notifications is.",
      [("", "\(answers.server.notificationQueueUsage)")])
  }

  private func addNodes(_ nodes: [NodeBacklog], to text: inout PrometheusText) {
    let labelled = nodes.map { (label("node", $0.name.escaped), $0) }
    func add(_ name: String, _ help: String, _ seconds: (NodeBacklog) -> Double) {
      text.add(name, "gauge", help, labelled.map { ($0, "\(max(0, seconds($1)))") })
    }
    self.add(
      "fpcache_node_lag_rows", "Rows of the log that a node has not cleared.", labelled, to: &text
    ) { $0.rows }
    add("fpcache_node_lag_seconds", "Since the first of them came into the log.") { $0.age ?? 0 }
    self.add(
      "fpcache_node_owed_rows", "Rows that a node has passed and could not clear.", labelled,
      to: &text
    ) { $0.owed }
    add("fpcache_node_seen_age_seconds", "Since a node was last seen.") { $0.seen }
    self.add(
      "fpcache_node_lost_rows", "Rows that are gone from the log and that a node has not seen.",
      labelled, to: &text
    ) { $0.lost }
    self.add(
      "fpcache_node_must_empty", "Whether a node has to empty its cache and has not yet.", labelled,
      to: &text
    ) { $0.emptying == nil ? 0 : 1 }
  }

  private func addStatus(_ status: ListenerStatus, to text: inout PrometheusText) {
    text.add(
      "fpcache_listener_running", "gauge", "Whether the process of the status file is there.",
      status.isAlive ? 1 : 0)
    if let age = age(status.healthyAt) {
      text.add(
        "fpcache_listener_healthy_age_seconds", "gauge",
        "Since a drain and a probe had last succeeded, by the status file.", Int(clamping: age))
    }
    if let age = age(status.lastDrain) {
      text.add(
        "fpcache_listener_last_drain_age_seconds", "gauge",
        "Since the last drain, by the status file.", Int(clamping: age))
    }
    text.add(
      "fpcache_listener_rows", "gauge", "Rows that the listener has retired since its start.",
      Int(clamping: status.rows))
    text.add(
      "fpcache_listener_retries_waiting", "gauge", "Rows that wait for another try.",
      Int(clamping: status.retriesWaiting))
    text.add(
      "fpcache_listener_settle_waiting", "gauge", "Keys that wait to be cleared again.",
      Int(clamping: status.settleWaiting))
    if let recheck = status.recheck { addRecheck(recheck, to: &text) }
  }

  private func addRecheck(_ recheck: RecheckHealth, to text: inout PrometheusText) {
    if let age = age(recheck.at) {
      text.add(
        "fpcache_listener_recheck_age_seconds", "gauge",
        "Since the last recheck, by the status file.", Int(clamping: age))
    }
    let families = recheck.families.map { (label("family", $0.family), $0) }
    add(
      "fpcache_listener_missed_invalidations", "Keys that were changed and that no queue told of.",
      families, to: &text
    ) { $0.missed }
    add(
      "fpcache_listener_recheck_refused_keys",
      "Keys that were changed at once, more than RECHECK_MOST.", families, to: &text
    ) { $0.refused }
  }

  // MARK: Samples

  /// A gauge with a sample for each thing that has the number.
  private func add<Thing, Number: BinaryInteger>(
    _ name: String, _ help: String, _ things: [(labels: String, thing: Thing)],
    to text: inout PrometheusText, _ number: (Thing) -> Number?
  ) {
    text.add(
      name, "gauge", help,
      things.compactMap { labels, thing in number(thing).map { (labels, "\($0)") } })
  }

  private func label(_ name: String, _ value: String) -> String {
    "\(name)=\"\(PrometheusText.escaped(value))\""
  }
}
