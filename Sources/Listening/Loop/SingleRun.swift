// SPDX-License-Identifier: BSD-2-Clause
//
// `listen --once`: drains every queue through the same steps, without the daemon around them.

import Basics
import CacheFS
import PGQueue

package struct SingleRun {
  /// How long to wait in total for writers that hold a queue: longer than a site's transactions.
  static let patience = Duration.seconds(30)

  /// The result of the run.
  package struct Result: Equatable {
    package var tally = DrainTally()
    /// Queues whose rows stay, because a writer held them for longer than our patience.
    package var contended: [String] = []
    /// Queues whose rows stay, because their events could not be written.
    package var withheld: [String] = []
    /// Queues that were not finished because a stop was requested.
    package var unfinished: [String] = []
    /// Rows that the server did not delete and reported no error for.
    package var kept = 0
    /// Rows left in queues that had more rows at each look.
    package var left = 0
    /// Queues that the server did not let us drain.
    package var refused: [String] = []
    /// Queues that the server should have and does not.
    package var missing: [String] = []
    /// Keys that are in no row and could not be cleared, such as the news.
    package var owed: [String] = []
    /// Changed keys that the site's queries reported.
    package var rechecked = 0
  }

  private let drain: Drain
  private let service: CacheService
  private let signals: Signals

  package init(_ drain: Drain, _ service: CacheService, _ signals: Signals) {
    self.drain = drain
    self.service = service
    self.signals = signals
  }

  /// Drains every queue.
  /// - Throws: ``ListeningError`` when the database is unreachable or the connection is lost.
  package func drainAll(_ parameters: ConnectionParameters) throws(ListeningError) -> Result {
    var result = Result()
    do throws(DatabaseError) {
      let connection = try Connection(parameters, stop: signals.stop)
      drain.announced = try announced(connection)
      let deadline = ContinuousClock.now + Self.patience
      if drain.node == nil, let nodes = try NodeLog.names(on: connection) {
        service.note(.takesFromNodes(nodes))
      }
      // A node reads the log first, to learn who moves rows, and last, to read what was moved.
      let queues = drain.pages.rules.tables
      if drain.node == nil {
        try drainQueues(queues, on: connection, until: deadline, &result)
      } else {
        try look(at: [.log] + queues + [.log], on: connection, until: deadline, &result)
      }
    } catch {
      throw ListeningError(.noDatabase, "database: \(error.explanation(adding: "see --dsn"))")
    }
    guard drain.pages.cache.hasRoot else {
      throw ListeningError(
        .noCacheDirectory,
        "cache directory \(drain.pages.cache.clearer.rootText) disappeared; the rows stay in their queues. Run "
          + "the command again when it is back")
    }
    // As if each channel had been notified, except for events that are in no queue.
    service.finish(
      Set(drain.pages.rules.events.filter { !$0.isErrand }),
      complete: (result.contended + result.withheld).isEmpty)
    // Also the changes that the site's own queries report, where there are queries.
    if !isStopped { service.looks.lookNow() }
    result.rechecked = service.rechecked
    result.kept = drain.rowsKept
    result.tally = service.total
    result.refused = drain.refusedQueues
    result.missing = drain.missingQueues
    result.owed = service.owed
    return result
  }

  /// The queues that are announced. A role that may drain may still not be allowed to listen.
  private func announced(_ connection: Connection) throws(DatabaseError) -> Set<QueueTable> {
    if drain.pages.rules.isSilent { return [] }
    do throws(DatabaseError) {
      return try Channel.all(of: drain.pages.rules.events, on: connection).announced
    } catch {
      guard case .refused = error else { throw error }
      return []
    }
  }

  /// How often to look at a queue again that had rows at the last look: new rows may have come since, some of them
  /// only because the rows that were there are gone.
  private static let looks = 3

  /// Drains the queues until only rows that must wait are left.
  private func drainQueues(
    _ queues: [QueueTable], on connection: Connection, until deadline: ContinuousClock.Instant,
    _ result: inout Result
  ) throws(DatabaseError) {
    var rest = queues
    for _ in 0..<Self.looks {
      rest = try look(at: rest, on: connection, until: deadline, &result)
      if rest.isEmpty || isStopped || drain.pages.cache.clearer.dryRun == .yes { return }
    }
    for table in rest { result.left += try Queue(table, on: connection).count() ?? 0 }
  }

  /// Drains queues, one after the other.
  /// - Returns: the queues of which rows were to be deleted.
  @discardableResult
  private func look(
    at queues: [QueueTable], on connection: Connection, until deadline: ContinuousClock.Instant,
    _ result: inout Result
  ) throws(DatabaseError) -> [QueueTable] {
    var served: [QueueTable] = []
    for table in queues {
      let before = service.total.asked
      switch try drainOne(Queue(table, on: connection), until: deadline) {
      case .drained: if service.total.asked != before { served.append(table) }
      case .contended:
        if !result.contended.contains(table.name) { result.contended.append(table.name) }
      case .withheld:
        if !result.withheld.contains(table.name) { result.withheld.append(table.name) }
      case .stopped:
        if !result.unfinished.contains(table.name) { result.unfinished.append(table.name) }
      }
    }
    return served
  }

  private enum End {
    case drained
    case contended
    case withheld
    case stopped
  }

  /// Drains a queue; waits until the deadline where a writer holds it.
  private func drainOne(
    _ queue: Queue, until deadline: ContinuousClock.Instant
  ) throws(DatabaseError) -> End {
    var backoff = Backoff(first: .milliseconds(20), ceiling: .seconds(1))
    while !isStopped {
      switch try service.serve(queue, .whole) {
      case .more, .prompted: backoff.reset()
      case .drained: return .drained
      case .contended where drain.pages.isWithheld: return .withheld
      case .contended:
        guard .now < deadline else { return .contended }
        wait(backoff.next(jitter: .random(in: 0...1)))
      }
    }
    return .stopped
  }

  /// Waits for the second clear of what was drained. A stop leaves the rest to the next run; so does a file system that
  /// is away.
  package func settle() {
    while service.settleWaiting > service.settleAway, !isStopped {
      wait(service.tick(isBusy: false) ?? .seconds(1))
    }
    service.leaveOwed()
  }

  private var isStopped: Bool { wait(.zero) }

  /// Sleeps, or wakes early when a stop is requested. Returns whether a stop was requested.
  @discardableResult
  private func wait(_ duration: Duration) -> Bool {
    var descriptor = pollfd(
      fd: signals.stop.descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, duration.pollTimeout) > 0
  }
}
