// SPDX-License-Identifier: BSD-2-Clause
//
// How many rows may wait in a queue, and for how long, before an audit reports it.

import Basics
import PGQueue

/// The limits of a queue; nil means no limit.
struct QueueLimits: Equatable {
  var rows: Int?
  /// How long the oldest row may have waited.
  var wait: Age?

  var isUnlimited: Bool { rows == nil && wait == nil }

  /// Whether the rows have waited too long, as far as they have a time.
  private func isLate(_ queue: QueueBacklog) -> Bool {
    guard let wait, let age = queue.oldestAge else { return false }
    return age > Double(wait.seconds)
  }

  private func isLong(_ queue: QueueBacklog) -> Bool { rows.map { queue.rows > $0 } ?? false }

  func isPassed(by queue: QueueBacklog) -> Bool { isLate(queue) || isLong(queue) }

  /// Whether the limit asks how long the rows have waited, but the rows have no time.
  func isUntold(by queue: QueueBacklog) -> Bool {
    wait != nil && queue.rows > 0 && queue.oldestAge == nil
  }

  /// The problem of a queue that has passed a limit, as a predicate of its name.
  func words(_ queue: QueueBacklog) -> String {
    var parts: [String] = []
    if let rows, isLong(queue) {
      parts.append("has \(counted(queue.rows, "row")) waiting; \(grouped(rows)) are allowed")
    }
    if let wait, isLate(queue) {
      parts.append(
        "has had a row waiting for \(durationText(queue.oldestAge ?? 0)); "
          + "\(durationText(Double(wait.seconds))) are allowed")
    }
    return parts.joined(separator: ", and ")
  }
}
