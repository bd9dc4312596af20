// SPDX-License-Identifier: BSD-2-Clause
//
// The queues that the server does not let us drain. Each is logged once, and remembered for as long as the trouble
// lasts.

import Logging
import PGQueue

/// What the server refused, by queue.
struct QueueTroubles {
  private var reasons: [QueueTable: ServerError] = [:]
  /// The queues that a channel of listen_for announces.
  var announced: Set<QueueTable> = []
  private let logger: Logger

  init(_ logger: Logger) { self.logger = logger }

  /// The queues that the server refused to let us drain, without those that it does not have.
  var refused: [String] {
    reasons.filter { $0.key == .log || !$0.value.isMissingTable }.map(\.key.name).sorted()
  }

  func has(_ table: QueueTable) -> Bool { reasons[table] != nil }

  /// The queues that the server does not have and should have.
  var missing: [String] {
    reasons.filter { $0.value.isMissingTable && isNeeded($0.key) }.map(\.key.name).sorted()
  }

  /// The queues that cannot be drained although the site needs them. As long as there is one, pages may be stale, and
  /// no other success proves health.
  var undrained: [String] {
    reasons.keys.filter { $0 == .log || isNeeded($0) }.map(\.name).sorted()
  }

  private func isNeeded(_ table: QueueTable) -> Bool {
    table != .log && table.isNeeded(announced: announced)
  }

  /// Notes that a queue could be drained.
  mutating func end(_ table: QueueTable) {
    guard reasons.removeValue(forKey: table) != nil else { return }
    logger.notice("\(table.name): can be drained again")
  }

  /// Another node has moved rows, so the work that is refused to this node is done all the same.
  mutating func leaveToOthers() {
    for table in reasons.keys where table != .log { end(table) }
  }

  /// Forgets the queues that are no longer asked for.
  mutating func keep(_ isKnown: (QueueTable) -> Bool) {
    reasons = reasons.filter { isKnown($0.key) }
  }

  /// Notes what the server refused.
  /// - Parameter remedy: the advice for one of many nodes; nil for a listener without other nodes.
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
