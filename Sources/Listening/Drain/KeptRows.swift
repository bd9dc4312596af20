// SPDX-License-Identifier: BSD-2-Clause
//
// Rows that the server was asked to delete and did not delete, without an error: a trigger, a rule or row-level
// security keeps them. Their pages are cleared like those of any other row. Deleting them is tried less and less often.

import Logging
import PGQueue

/// The rows of a queue that the server keeps.
struct KeptRows {
  /// Only this many are remembered; each pass asks for the others again.
  private static let most = 16_384

  private(set) var places: Set<QueuePlace> = []
  /// The next try for all of them.
  private(set) var retry = Retry()

  mutating func add(_ more: Set<QueuePlace>) {
    if retry.isNew { retry.postpone() }
    for place in more where places.count < Self.most { places.insert(place) }
  }

  /// The rows were tried again, and these are still in the queue.
  mutating func replace(_ rest: Set<QueuePlace>) {
    places = Set(rest.prefix(Self.most))
    retry.postpone()
  }
}
