// SPDX-License-Identifier: BSD-2-Clause
//
// Rows that the server was asked to delete and did not, without an error: a trigger, a rule or row-level security
// keeps them. Their pages are cleared as those of any other row; deleting them is tried more and more rarely.

import Logging
import PGQueue

/// The rows of a queue that the server keeps.
struct KeptRows {
  /// Of more, the others are asked for again by each pass.
  private static let most = 16_384

  private(set) var places: Set<QueuePlace> = []
  /// The next try for all of them.
  private(set) var retry = Retry()

  mutating func add(_ more: Set<QueuePlace>) {
    if retry.isNew { retry.postpone() }
    for place in more where places.count < Self.most { places.insert(place) }
  }

  /// They were tried again, and these are still there.
  mutating func replace(_ rest: Set<QueuePlace>) {
    places = Set(rest.prefix(Self.most))
    retry.postpone()
  }
}
