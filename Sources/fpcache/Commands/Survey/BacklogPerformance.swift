// SPDX-License-Identifier: BSD-2-Clause
//
// The queues in a plugin's performance data.

import Basics
import PGQueue

extension [QueueBacklog] {
  /// The rows of each queue, then the age of each queue's oldest row where that is known.
  func performanceData(_ thresholds: QueueThresholds) -> [PerformanceDatum] {
    map { queue in
      PerformanceDatum(
        label: queue.table.name, value: Int64(queue.rows), warning: thresholds.rows.warning,
        critical: thresholds.rows.critical)
    }
      + compactMap { queue in
        guard let age = queue.rows == 0 ? 0 : queue.oldestAge else { return nil }
        return PerformanceDatum(
          label: queue.table.name + "_oldest", value: Swift.max(0, whole(age)), unit: .seconds,
          warning: thresholds.wait.warning, critical: thresholds.wait.critical)
      }
  }
}
