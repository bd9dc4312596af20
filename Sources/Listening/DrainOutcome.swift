// SPDX-License-Identifier: BSD-2-Clause
//
// What the loop asks of a drain, and what it hears of it.

import Basics

/// What is to be done with a queue's rows.
package enum DrainDepth: Equatable, Sendable {
  /// Clear their pages and retire them.
  case whole
  /// Clear the pages of those that are new, and leave the lock alone.
  case pagesOnly
}

/// How a batch ended.
package enum DrainOutcome: Equatable, Sendable {
  /// There are more rows.
  case more
  /// Nothing is left but what has to wait; when to look again for that.
  case drained(retryAfter: Duration?)
  /// A writer holds the lock: pages are gone, rows are not.
  case contended
  /// Pages are gone, as asked; rows were left where they are.
  case prompted
}
