// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener's machine is told, and what it answers.

import CacheFS
import PGQueue

extension ListenerMachine {
  /// What has happened.
  package enum Input: Equatable, Sendable {
    case started
    /// Both connections are up and LISTEN was sent for every channel.
    case connected
    /// No connection could be made, or one that was there is gone.
    case disconnected
    case notified([SiteEvent])
    /// Another node has moved rows into the log.
    case logged
    /// Whether it is this node by now that moves rows.
    case mover(Bool)
    case probeReturned
    /// Another node's proof has arrived here.
    case othersProbe
    /// A batch of the queue was served.
    case served(QueueTable, DrainOutcome)
    case timePassed
    /// Give up the connections, which are gone already, and make new ones at once.
    case reconnect
    case stop
  }

  /// What to do.
  package enum Output: Equatable, Sendable {
    case connect
    case disconnect(Reason)
    case probe
    /// Prove the working connection alone: the listening one has just been proved by another's probe.
    case ping
    /// Look at what waits in the queues.
    case measure
    case serve(QueueTable, DrainDepth)
    /// Every queue asked for has been served: do what the events ask for besides. A drain is
    /// not complete when a writer still holds a queue.
    case finish(Set<SiteEvent>, complete: Bool)
    case leave
  }

  /// Why a connection is given up that did not break.
  package enum Reason: Equatable, Sendable {
    case probeUnanswered
  }

  /// Whether notifications arrive.
  package enum Hearing: Equatable, Sendable {
    case unproved
    case proved
    /// Two connections in a row lost our own notification: something between us and the server
    /// does not carry LISTEN. Polling serves instead.
    case deaf
  }
}
