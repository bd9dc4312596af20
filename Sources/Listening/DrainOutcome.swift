// SPDX-License-Identifier: BSD-2-Clause
//
// What the loop asks of a drain, and what the drain answers.

import Basics

/// What to do with a queue's rows.
package enum DrainDepth: Equatable, Sendable {
  /// Clear their pages and retire them.
  case whole
  /// Clear the pages of new rows, and do not take the lock.
  case pagesOnly
}

/// How a batch ended.
package enum DrainOutcome: Equatable, Sendable {
  /// There are more rows.
  case more
  /// Only rows that must wait are left; the parameter says when to look for them again.
  case drained(retryAfter: Duration?)
  /// The pages are cleared, the rows are still there: a writer holds the lock, or the events cannot be written.
  case contended
  /// The pages are cleared, as asked; the rows were not touched.
  case prompted
}
