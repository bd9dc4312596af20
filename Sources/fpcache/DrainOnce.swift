// `listen --once`: every queue drained through the same steps, without the daemon around them.

import CacheFS
import PGQueue

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct DrainOnce {
  /// How long to wait, in all, for writers that hold a queue: longer than a site's transactions.
  static let patience = Duration.seconds(30)

  /// What it came to.
  struct Result: Equatable {
    var tally = Drain.Tally()
    /// Queues whose rows stay, since a writer held them for longer than our patience.
    var contended: [String] = []
    /// Queues that the server would not let us drain.
    var refused: [String] = []
    /// Queues that the server does not have, and should.
    var missing: [String] = []
    /// Keys that no row remembers and that could not be cleared, such as the news.
    var owed: [String] = []

    var status: ExitStatus {
      tally.failures > 0 || !(contended + refused + missing + owed).isEmpty ? .incomplete : .done
    }

    func json(dryRun: Bool) -> JSON {
      .object([
        ("version", .integer(1)), ("dry_run", .boolean(dryRun)),
        ("rows", .integer(tally.rows)), ("keys", .integer(tally.keys)),
        ("files_removed", .integer(tally.files)), ("bytes_removed", .integer(tally.bytes)),
        ("rows_refused", .integer(tally.refused)), ("rows_failed", .integer(tally.failures)),
        ("queues_contended", .array(contended.map(JSON.string))),
        ("queues_refused", .array(refused.map(JSON.string))),
        ("queues_missing", .array(missing.map(JSON.string))),
        ("keys_failed", .array(owed.map(JSON.string))),
      ])
    }
  }

  private let drain: Drain
  private let service: ListenService
  private let signals: Signals

  init(_ drain: Drain, _ service: ListenService, _ signals: Signals) {
    self.drain = drain
    self.service = service
    self.signals = signals
  }

  /// Drains every queue.
  /// - Throws: ``UserError`` with status 69 when the database cannot be reached or is lost.
  func drainAll(_ parameters: ConnectionParameters) throws(UserError) -> Result {
    var result = Result()
    do throws(DatabaseError) {
      let connection = try Connection(parameters.unconverted, stop: signals.stop)
      drain.announced = try announced(connection)
      let deadline = ContinuousClock.now + Self.patience
      if drain.node == nil, let nodes = try NodeLog.names(on: connection) {
        service.note(.takesFromNodes(nodes))
      }
      // A node reads the log first, which tells it who moves rows, and last, for what was moved.
      let queues = drain.rules.tables
      let tables = drain.node == nil ? queues : [.log] + queues + [.log]
      for table in tables where !isStopped {
        if try !drainOne(Queue(table, on: connection), until: deadline) {
          result.contended.append(table.name)
        }
      }
    } catch {
      throw UserError(.noDatabase, "database: \(error.explanation); see --dsn")
    }
    guard drain.hasRoot else {
      throw UserError(
        .noCacheDirectory,
        "cache directory \(drain.clearer.rootText) went away; its rows stay in their queues. "
          + "Run it again when it is back")
    }
    // As if each channel had been notified, but for what no queue remembers.
    service.finish(
      Set(drain.rules.events.filter { !$0.isErrand }), complete: result.contended.isEmpty)
    // And those by the site's own queries, where there are any.
    if !isStopped { service.clearMissedNow() }
    result.tally = service.total
    result.refused = drain.refusedQueues
    result.missing = drain.missingQueues
    result.owed = service.owed
    return result
  }

  /// The queues that are announced. A role that may drain may not be one that may listen.
  private func announced(_ connection: Connection) throws(DatabaseError) -> Set<QueueTable> {
    do throws(DatabaseError) {
      return try Channel.all(of: drain.rules.events, on: connection).announced
    } catch {
      guard case .refused = error else { throw error }
      return []
    }
  }

  /// Whether the queue was drained before the deadline.
  private func drainOne(
    _ queue: Queue, until deadline: ContinuousClock.Instant
  ) throws(DatabaseError) -> Bool {
    var backoff = Backoff(first: .milliseconds(20), ceiling: .seconds(1))
    while !isStopped {
      switch try service.serve(queue, .whole) {
      case .more, .prompted: backoff.reset()
      case .drained: return true
      case .contended:
        guard .now < deadline else { return false }
        wait(backoff.next(jitter: .random(in: 0...1)))
      }
    }
    return false
  }

  /// Waits for the second clear of what was drained. A stop leaves the rest to the next run.
  func settle() {
    while service.settleWaiting > 0, !isStopped { wait(service.tick(isBusy: false) ?? .seconds(1)) }
  }

  private var isStopped: Bool { wait(.zero) }

  /// Sleeps, or less when a stop was asked for; whether one was.
  @discardableResult
  private func wait(_ duration: Duration) -> Bool {
    var descriptor = pollfd(
      fd: signals.stop.descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, duration.pollTimeout) > 0
  }
}
