// SPDX-License-Identifier: BSD-2-Clause
//
// What a listener must know as one of many nodes, and how it reports it. See docs/nodes.md.

import Basics
import PGQueue

/// A node's state, as far as it is known on this connection.
final class NodeState {
  /// How long two listeners of one name wait before either takes the name back: each time costs a cache.
  static let takeBackAfter = Duration.seconds(30)
  /// The advice when the server refuses a node its queues or its log.
  static func remedy(for reason: ServerError) -> String {
    if reason.isPermissionDenied {
      return "; a node's role needs SELECT and DELETE on the queues, and what "
        + "fpcache listen --print-schema grants"
    }
    if reason.isReadOnly {
      return "; a node records its progress: connect to the primary server with a role "
        + "that may write"
    }
    // A number that the log already has means that its head has started from the beginning.
    let isSchema = reason.isMissingTable || reason.isMissingColumn || reason.isDuplicate
    guard isSchema || reason == .noHead else { return "; will retry" }
    return "; have the tables' owner run: fpcache listen --print-schema | psql DATABASE"
  }

  /// Who moves rows from the queues into the log.
  enum Mover: Equatable {
    /// The log has not been read on this connection.
    case unknown
    case this
    case other(String)
  }

  /// The proof that the cursor belongs to this cache.
  let tokens: NodeTokens
  var mover = Mover.unknown
  /// A dry run's position in the log, since a dry run moves no cursor.
  var position: Int64?
  /// Whether there may be rows that were passed and not cleared.
  var owes = true
  /// Whether the node must show itself and the log must be trimmed.
  var isPolled = true
  /// Whether this process was a registered node. If it no longer is, an operator retired it.
  var wasRegistered = false
  /// When this process took its name from another process.
  var tookName: ContinuousClock.Instant?
  var hasToldOfRival = false
  /// The next try to empty the cache after a failed one.
  var emptying = Retry()
  /// The longest time that the last move held a queue.
  var lockTime = Duration.zero

  init(_ tokens: NodeTokens) { self.tokens = tokens }

  var node: Node { tokens.node }

  /// A new connection may lead to a server that knows less than the last one.
  func reset() {
    mover = .unknown
    position = nil
    owes = true
    isPolled = true
  }

  var name: String { "node \(node.name)" }
}
