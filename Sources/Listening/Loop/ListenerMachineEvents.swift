// What the listener's machine is told, and what it answers.

extension ListenerMachine {
  /// What has happened.
  public enum Input: Equatable, Sendable {
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
    case served(QueueTable, Served)
    case timePassed
    /// Give up the connections, which are gone already, and make new ones at once.
    case reconnect
    case stop
  }

  /// How a batch ended.
  public enum Served: Equatable, Sendable {
    /// There are more rows.
    case more
    /// Nothing is left but what has to wait; when to look again for that.
    case drained(retryAfter: Duration?)
    /// A writer holds the lock: pages are gone, rows are not.
    case contended
    /// Pages are gone, as asked; rows were left where they are.
    case prompted
  }

  /// What is to be done with a queue's rows.
  public enum Depth: Equatable, Sendable {
    /// Clear their pages and retire them.
    case whole
    /// Clear the pages of those that are new, and leave the lock alone.
    case pagesOnly
  }

  /// What to do.
  public enum Output: Equatable, Sendable {
    case connect
    case disconnect(Reason)
    case probe
    /// Prove the working connection alone: the listening one has just been proved by another's probe.
    case ping
    /// Look at what waits in the queues.
    case measure
    case serve(QueueTable, Depth)
    /// Every queue asked for has been served: do what the events ask for besides. A drain is
    /// not complete when a writer still holds a queue.
    case finish(Set<SiteEvent>, complete: Bool)
    case leave
  }

  /// Why a connection is given up that did not break.
  public enum Reason: Equatable, Sendable {
    case probeUnanswered
  }

  /// Whether notifications arrive.
  public enum Hearing: Equatable, Sendable {
    case unproved
    case proved
    /// Two connections in a row lost our own notification: something between us and the server
    /// does not carry LISTEN. Polling serves instead.
    case deaf
  }
}
