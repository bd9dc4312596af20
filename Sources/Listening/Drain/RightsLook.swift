// SPDX-License-Identifier: BSD-2-Clause
//
// Whether the role may drain the queues. A poll of empty queues asks for all of them at once.

import PGQueue

/// The answers for queues that come next.
struct RightsLook {
  /// Rights change. The queues of one poll follow each other within milliseconds.
  private static let validity = Duration.seconds(1)

  private var taken = ContinuousClock.now
  /// Whether the role may drain a queue. Each answer is used once.
  private var answers: [QueueTable: Bool] = [:]

  /// Checks the rights on a queue.
  /// - Parameter tables: the queues that are drained. Their rights are looked at too.
  /// - Throws: ``DatabaseError``, as if a row had been refused.
  mutating func require(_ queue: Queue, beside tables: [QueueTable]) throws(DatabaseError) {
    if taken.duration(to: .now) > Self.validity { answers = [:] }
    if answers[queue.table] == nil {
      let asked = tables.contains(queue.table) ? tables : tables + [queue.table]
      let lacking = try queue.tablesWithoutRights(of: asked)
      taken = .now
      for table in asked { answers[table] = !lacking.contains(table) }
    }
    guard answers.removeValue(forKey: queue.table) == false else { return }
    throw .refused(.permissionDenied(for: queue.table.name))
  }
}
