// SPDX-License-Identifier: BSD-2-Clause
//
// From how many rows, and from which age of the oldest, a queue is late, and from which it is too late.

import Basics

/// The ranges for a queue; nil for none.
struct QueueThresholds: Equatable {
  /// A range for the warning and one for the alarm.
  struct Pair: Equatable {
    var warning: MonitorRange?
    var critical: MonitorRange?
  }

  /// Of the oldest row's age, in seconds.
  var wait = Pair()
  /// Of the number of rows.
  var rows = Pair()

  init() {}

  /// What `--max-wait` and `--max-backlog` say.
  init(_ limits: QueueLimits) {
    wait.critical = limits.wait.map { MonitorRange(upTo: $0.seconds) }
    rows.critical = limits.rows.map { MonitorRange(upTo: Int64($0)) }
  }

  /// `--warning` and `--critical`: a range of the age, a comma, a range of the rows; either may be left out.
  /// - Returns: nil for what is no such thing.
  static func parse(_ text: String) -> (wait: MonitorRange?, rows: MonitorRange?)? {
    let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    let ranges = parts.map { MonitorRange(String($0)) }
    guard !zip(parts, ranges).contains(where: { !$0.isEmpty && $1 == nil }),
      ranges.contains(where: { $0 != nil })
    else { return nil }
    return (ranges[0], ranges.count > 1 ? ranges[1] : nil)
  }
}
