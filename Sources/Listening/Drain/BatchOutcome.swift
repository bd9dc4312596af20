// SPDX-License-Identifier: BSD-2-Clause
//
// The result of clearing the pages of a batch.

import CacheFS
import PGQueue

/// The result of clearing a batch's pages.
struct BatchOutcome {
  /// Whether a stop ended the clear. The state of every row is unknown then.
  var isPartial = false
  /// Whether the time under the lock was too short for the pages of some rows.
  var isUnfinished = false
  var retirable: [QueueRow] = []
  var waiting: Set<RowName> = []
  /// The report for each key.
  var reports: [ClearReport] = []
  /// The keys whose pages are all gone, and the number of pages.
  var cleared: [CacheKey] = []
  var keys = 0
}
