// SPDX-License-Identifier: BSD-2-Clause
//
// Everything that `status` knows at one moment, as one value. Its judgment and its output formats are functions of it.

import Basics
import Listening
import PGQueue

/// The contents of the database and of the status file, and what was asked of them.
struct StatusReport: Equatable {
  /// The time of the look, in nanoseconds since the epoch.
  let at: Int64
  let database: DatabaseSurvey
  let statusFile: StatusFile
  let rules: SiteRules
  /// How often the listener drains without a notification.
  let pollInterval: Duration
  var thresholds = QueueThresholds()

  /// Whole seconds since a time in nanoseconds since the epoch.
  func age(_ time: Int64?) -> Int64? {
    time.map { max(0, clampedDifference(at, $0) / 1_000_000_000) }
  }

  /// The time this many seconds ago, in nanoseconds since the epoch.
  func time(before seconds: Double) -> Int64 { clampedDifference(at, nanoseconds(seconds)) }

  /// The queues that were counted.
  var queues: [QueueBacklog] {
    (database.answers?.queues ?? []).compactMap { queue in
      queue.contents.map {
        QueueBacklog(table: queue.table, rows: $0.rows, oldestAge: $0.oldest?.age)
      }
    }
  }

  /// The queues in which rows wait.
  var waiting: [QueueBacklog] { queues.filter { $0.rows > 0 } }

  /// How many seconds the oldest row of all queues has waited; nil where nothing waits, or where no row has a time.
  var oldestAge: Double? { waiting.compactMap(\.oldestAge).max() }

  var rows: Int { waiting.reduce(0) { Int(clamping: clampedSum(Int64($0), Int64($1.rows))) } }

  /// The number of seconds after which a row is late. A listener polls even without notifications, and twice the poll
  /// interval is too long.
  var longestWait: Double { max(Verdict.longestWait, 2 * pollInterval.seconds) }

  /// The number of seconds within which a listener should prove its health.
  var longestSilence: Double { max(Verdict.longestSilence, 2 * pollInterval.seconds) }

  /// The status file, if the listener that wrote it still runs. Either its process exists, or it has proved its health
  /// a short time ago and runs where we cannot see its process.
  var listener: ListenerStatus? {
    guard let status = statusFile.status, status.isAlive || isFresh(status) else { return nil }
    return status
  }

  private func isFresh(_ status: ListenerStatus) -> Bool {
    age(status.healthyAt).map { Double($0) < longestSilence } ?? false
  }

  /// Whether the status file proves that a listener hears notifications.
  var isProvedListening: Bool {
    guard let listener else { return false }
    return isFresh(listener) && ["listening", "draining"].contains(listener.state)
  }
}
