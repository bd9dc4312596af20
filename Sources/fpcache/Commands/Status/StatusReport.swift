// SPDX-License-Identifier: BSD-2-Clause
//
// All that `status` knows at one moment, as one value: its judgment and its renderings are functions of it.

import Basics
import Listening
import PGQueue

/// What the database and the status file say, and what was asked of them.
struct StatusReport: Equatable {
  /// Nanoseconds since the epoch.
  let at: Int64
  let database: DatabaseSurvey
  let statusFile: StatusFile
  let rules: SiteRules
  /// How often the listener drains without being asked.
  let pollInterval: Duration
  var thresholds = QueueThresholds()

  /// Whole seconds since a time in nanoseconds since the epoch.
  func age(_ time: Int64?) -> Int64? {
    time.map { max(0, clampedDifference(at, $0) / 1_000_000_000) }
  }

  /// The time so many seconds ago, in nanoseconds since the epoch.
  func time(before seconds: Double) -> Int64 { clampedDifference(at, nanoseconds(seconds)) }

  /// The queues that were counted.
  var queues: [QueueBacklog] {
    (database.answers?.queues ?? []).compactMap { queue in
      queue.contents.map {
        QueueBacklog(table: queue.table, rows: $0.rows, oldestAge: $0.oldest?.age)
      }
    }
  }

  /// Those in which rows wait.
  var waiting: [QueueBacklog] { queues.filter { $0.rows > 0 } }

  /// Seconds that the oldest row of all has waited; nil where nothing waits, or no row says.
  var oldestAge: Double? { waiting.compactMap(\.oldestAge).max() }

  var rows: Int { waiting.reduce(0) { Int(clamping: clampedSum(Int64($0), Int64($1.rows))) } }

  /// Seconds from which a row is late: a listener polls even if nothing notifies it, and twice that is too long.
  var longestWait: Double { max(Verdict.longestWait, 2 * pollInterval.seconds) }

  /// Seconds after which a listener should have proved its health.
  var longestSilence: Double { max(Verdict.longestSilence, 2 * pollInterval.seconds) }

  /// The status file where it is the word of a listener that runs: its process is there, or it has proved its health
  /// a short time ago and runs where we do not see its process.
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
