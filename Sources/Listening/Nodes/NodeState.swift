// SPDX-License-Identifier: BSD-2-Clause
//
// What a listener has to know as one of many nodes, and how it tells of it. See docs/nodes.md.

import Basics
import PGQueue

/// A node's standing, as far as it is known on this connection.
final class NodeState {
  /// How long two listeners of one name leave it to each other before either takes it back: each
  /// time costs a cache.
  static let takeBackAfter = Duration.seconds(30)
  /// What to do where the server refuses a node its queues or its log.
  static func remedy(for reason: ServerError) -> String {
    if reason.isPermissionDenied {
      return "; a node's role needs SELECT and DELETE on the queues, and what "
        + "fpcache listen --print-schema grants"
    }
    if reason.isReadOnly {
      return "; a node records its progress: connect to the primary server with a role "
        + "that may write"
    }
    // A number that the log has already: its head has begun anew.
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

  /// What proves that the cursor is this cache's.
  let tokens: NodeTokens
  var mover = Mover.unknown
  /// Where a dry run is in the log, since it moves no cursor.
  var position: Int64?
  /// Whether there may be rows that were passed and not cleared.
  var owes = true
  /// Whether the node is to be seen and the log to be trimmed.
  var isPolled = true
  /// Whether this process has been a registered node: if it is none any more, somebody did that.
  var wasRegistered = false
  /// When this process took its name from another one.
  var tookName: ContinuousClock.Instant?
  var hasToldOfRival = false
  /// The next try to empty the cache after one that failed.
  var emptying = Retry()
  /// How long the last move held a queue, at most.
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
