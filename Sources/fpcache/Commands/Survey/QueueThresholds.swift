// SPDX-License-Identifier: BSD-2-Clause
//
// The number of rows, and the age of the oldest row, from which a queue is a warning, and from which it is critical.

import Basics

/// The ranges for a queue; nil means no range.
struct QueueThresholds: Equatable {
  /// A range for the warning and one for the critical state.
  struct Pair: Equatable {
    var warning: MonitorRange?
    var critical: MonitorRange?
  }

  /// The ranges of the oldest row's age, in seconds.
  var wait = Pair()
  /// The ranges of the number of rows.
  var rows = Pair()

  init() {}

  /// The ranges from `--max-wait` and `--max-backlog`.
  init(_ limits: QueueLimits) {
    wait.critical = limits.wait.map { MonitorRange(upTo: $0.seconds) }
    rows.critical = limits.rows.map { MonitorRange(upTo: Int64($0)) }
  }

  /// `--warning` and `--critical`: a range of the age, a comma, a range of the rows; either may be omitted.
  /// - Returns: nil for other text.
  static func parse(_ text: String) -> (wait: MonitorRange?, rows: MonitorRange?)? {
    let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    let ranges = parts.map { MonitorRange(String($0)) }
    guard !zip(parts, ranges).contains(where: { !$0.isEmpty && $1 == nil }),
      ranges.contains(where: { $0 != nil })
    else { return nil }
    return (ranges[0], ranges.count > 1 ? ranges[1] : nil)
  }
}
