// SPDX-License-Identifier: BSD-2-Clause
//
// What became of the pages of a batch.

import CacheFS
import PGQueue

/// What became of a batch's pages.
struct BatchOutcome {
  /// Whether a stop has ended the clear; nothing is known of any row then.
  var isPartial = false
  /// Whether there are rows whose pages the time under the lock was too short for.
  var isUnfinished = false
  var retirable: [QueueRow] = []
  var waiting: Set<RowName> = []
  /// What came of each key.
  var reports: [ClearReport] = []
  /// The keys whose pages are all gone, and how many there were.
  var cleared: [CacheKey] = []
  var keys = 0
}
