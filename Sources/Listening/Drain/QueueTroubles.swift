// SPDX-License-Identifier: BSD-2-Clause
//
// The queues that the server does not let us drain: said once of each, and known for as long as it lasts.

import Logging
import PGQueue

/// What the server has refused, by queue.
struct QueueTroubles {
  private var reasons: [QueueTable: ServerError] = [:]
  /// The queues that a channel of listen_for announces.
  var announced: Set<QueueTable> = []
  private let logger: Logger

  init(_ logger: Logger) { self.logger = logger }

  /// Those that the server would not let us drain, but for those that it does not have.
  var refused: [String] {
    reasons.filter { $0.key == .log || !$0.value.isMissingTable }.map(\.key.name).sorted()
  }

  /// Those that it does not have and should.
  var missing: [String] {
    reasons.filter { $0.value.isMissingTable && isNeeded($0.key) }.map(\.key.name).sorted()
  }

  /// Those of which nothing is drained although the site needs it: as long as there is one, pages may be stale, and
  /// nothing else proves health.
  var undrained: [String] {
    reasons.keys.filter { $0 == .log || isNeeded($0) }.map(\.name).sorted()
  }

  private func isNeeded(_ table: QueueTable) -> Bool {
    table != .log && table.isNeeded(announced: announced)
  }

  /// A queue could be drained.
  mutating func end(_ table: QueueTable) {
    guard reasons.removeValue(forKey: table) != nil else { return }
    logger.notice("\(table.name): can be drained again")
  }

  /// Another node has moved rows: what is refused to this one is done all the same.
  mutating func leaveToOthers() {
    for table in reasons.keys where table != .log { end(table) }
  }

  /// Forgets the queues that nobody asks for any more.
  mutating func keep(_ isKnown: (QueueTable) -> Bool) {
    reasons = reasons.filter { isKnown($0.key) }
  }

  /// Takes note of what the server refused.
  /// - Parameter remedy: what one of many nodes is advised to do; nil for a listener that is alone.
  mutating func note(
    _ table: QueueTable, _ reason: ServerError, remedy: String?
  ) {
    guard reasons.updateValue(reason, forKey: table)?.sqlState != reason.sqlState else { return }
    if table == .log {
      logger.error("\(reason.explanation)\(remedy ?? "")")
    } else if !reason.isMissingTable {
      let needs = reason.isPermissionDenied ? "; the listener needs SELECT and DELETE" : ""
      logger.error(
        "\(table.name): \(reason.explanation)\(remedy ?? "\(needs); will retry")")
    } else if isNeeded(table) {
      logger.error(
        """
        \(table.name): no such table in this database; its events clear nothing; will look for it \
        again. Create it, or remove its event from listen_for
        """)
    } else {
      logger.notice(
        "\(table.name): no such table in this database, and no event announces it; skipped")
    }
  }
}
