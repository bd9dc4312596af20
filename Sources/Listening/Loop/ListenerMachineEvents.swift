// SPDX-License-Identifier: BSD-2-Clause
//
// The inputs and outputs of the listener's machine.

import CacheFS
import PGQueue

extension ListenerMachine {
  /// What has happened.
  package enum Input: Equatable, Sendable {
    case started
    /// Both connections are up and LISTEN was sent for every channel.
    case connected
    /// No connection could be made, or an open one was lost.
    case disconnected
    case notified([SiteEvent])
    /// Another node has moved rows into the log.
    case logged
    /// Whether this node now moves rows.
    case mover(Bool)
    case probeReturned
    /// Another node's proof has arrived here.
    case othersProbe
    /// A batch of the queue was served.
    case served(QueueTable, DrainOutcome)
    /// The backlog of the queues was measured, and these have none.
    case measured(empty: Set<QueueTable>)
    case timePassed
    /// Close both connections, which are already lost, and make new ones at once.
    case reconnect
    case stop
  }

  /// What to do.
  package enum Output: Equatable, Sendable {
    case connect
    case disconnect(Reason)
    case probe
    /// Prove the working connection alone: another node's probe has just proved the listening one.
    case ping
    /// Measure the backlog of the queues.
    case measure
    case serve(QueueTable, DrainDepth)
    /// Every requested queue has been served: do what the events ask for besides queues. A drain is not complete when a
    /// writer still holds a queue.
    case finish(Set<SiteEvent>, complete: Bool)
    case leave
  }

  /// Why an unbroken connection is given up.
  package enum Reason: Equatable, Sendable {
    case probeUnanswered
  }

  /// Whether notifications arrive.
  package enum Hearing: Equatable, Sendable {
    case unproved
    case proved
    /// Two connections in a row lost our own notification: something between us and the server does not carry LISTEN.
    /// Polling replaces it.
    case deaf
  }
}
