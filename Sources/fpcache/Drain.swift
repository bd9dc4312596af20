// Joins a queue to the Clearer: steps 1 to 4 of the drain protocol, one batch at a time.
//
//   1. select the batch; clear its pages at once
//   2. lock the queue: every writer that saw our rows has committed
//   3. select the batch again; clear its pages again
//   4. delete the rows whose pages are all gone; commit
//
// A crash before the commit repeats the batch. See docs/drain-protocol.md for why.

import CacheFS
import Logging
import PGQueue
import SystemPackage

/// Drains queues, batch by batch, and keeps the tally of the drain under way.
final class Drain {
  /// Rows in a batch: few enough that a lock is held for milliseconds.
  static let batchSize = 1000

  /// How many rows that cannot be cleared, or could at last, a drain tells of one by one: a whole
  /// tree mounted read-only is one piece of news, not 20,000.
  private static let toldSingly = 10
  /// A pass over rows that wait may take this part of the time, so that nothing spins.
  private static let idlePerPass = 20

  /// What a drain has come to.
  struct Tally: Equatable {
    var rows = 0
    var keys = 0
    var files = 0
    var bytes: Int64 = 0
    var refused = 0
    var failures = 0
    var recovered = 0
  }

  /// How far a pass over a queue has come.
  private struct Pass {
    /// The position of the last row that was served; nil at the start.
    var position: String?
    /// The position up to which pages were cleared while the lock was not to be had.
    var promptedTo: String?
    /// The rows that have to wait and were met in this pass.
    var waiting: Set<RowName> = []
    let began = ContinuousClock.now
    /// Whether the next batch belongs to another pass.
    var hasEnded = false
  }

  /// What identifies a row for as long as it waits.
  fileprivate struct RowName: Hashable {
    let table: QueueTable
    let key: [[UInt8]?]
  }

  /// Replaced when the configuration is read again, between batches.
  var clearer: Clearer
  private let settle: Settle?
  private let logger: Logger
  private(set) var tally = Tally()
  private var passes: [QueueTable: Pass] = [:]
  private var retries: [RowName: Retry] = [:]
  private var troubles: [QueueTable: ServerError] = [:]

  init(_ clearer: Clearer, _ settle: Settle?, _ logger: Logger) {
    self.clearer = clearer
    self.settle = settle
    self.logger = logger
  }

  /// Serves one batch of a queue.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func step(_ queue: Queue) throws(DatabaseError) -> ListenerMachine.Served {
    do throws(DatabaseError) {
      let served = try serve(queue)
      if troubles.removeValue(forKey: queue.table) != nil {
        logger.notice("\(queue.table.name): can be drained again")
      }
      return served
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try queue.rollback()
      // Somebody holds a row of the batch itself: the same as a writer that holds the queue.
      if reason.isLockTimeout { return .contended }
      return cannotServe(queue.table, reason)
    }
  }

  /// The queues that the server would not let us drain, but for those that it does not have.
  var refusedQueues: [String] {
    troubles.filter { !$0.value.isMissingTable }.map(\.key.name).sorted()
  }

  /// How many rows wait for another try.
  var retriesWaiting: Int { retries.count }

  /// Forgets how far passes have come: after a lost connection they begin anew.
  func reset() { passes = [:] }

  /// The tally since the last call.
  func takeTally() -> Tally {
    defer { tally = Tally() }
    return tally
  }

  /// Whether the cache directory is there. Without it nothing is cleared and no row deleted.
  private(set) var hasRoot = true

  /// Looks where the cache directory is by now: it may have been moved away and made anew.
  /// - Returns: whether it is there.
  @discardableResult
  func followRoot() -> Bool {
    do throws(Errno) {
      if try clearer.followRoot() || !hasRoot {
        logger.notice("the cache directory is another one or back again; clearing goes on there")
      }
      hasRoot = true
    } catch {
      if hasRoot {
        let problem =
          error == .tooManySymbolicLinkLevels
          ? "a link has come to lead its path elsewhere; SIGHUP follows it" : "\(error)"
        logger.error("cache directory: \(problem); rows stay in their queues until it is back")
      }
      hasRoot = false
    }
    return hasRoot
  }

  /// Clears what no row asks for: a whole family.
  func clear(_ key: CacheKey) -> ClearReport {
    let report = clearer.clear(key)
    count(report)
    return report
  }

  // MARK: One batch

  private func serve(_ queue: Queue) throws(DatabaseError) -> ListenerMachine.Served {
    guard followRoot() else { return .drained(retryAfter: .seconds(1)) }
    let root = clearer
    var pass = passes[queue.table] ?? Pass()
    defer { passes[queue.table] = pass.hasEnded ? nil : pass }
    let visible = try queue.batch(after: pass.position, limit: Self.batchSize)
    if visible.isEmpty { return end(&pass, queue.table) }
    CrashPoint.selected.reach()
    let prompt = clearPages(of: visible, queue.table)
    CrashPoint.cleared.reach()
    guard clearer.dryRun == .no else {
      tally.rows += visible.count
      tally.keys += prompt.keys.count
      return advance(&pass, visible, queue.table)
    }
    if prompt.retirable.isEmpty, prompt.refused.isEmpty {
      // Nothing to retire: the writers need not wait for a lock that serves nobody.
      pass.waiting.formUnion(prompt.waiting)
      return advance(&pass, visible, queue.table)
    }
    guard try queue.lock() else {
      try clearBeyond(visible, queue, &pass)
      return .contended
    }
    CrashPoint.locked.reach()
    let rows = try queue.batch(after: pass.position, limit: Self.batchSize)
    let outcome = clearPages(of: rows, queue.table)
    CrashPoint.clearedAgain.reach()
    guard followRoot(), clearer.isSameTree(as: root) else {
      // What was cleared is not what visitors see: once more, in the tree that they do.
      try queue.rollback()
      return .more
    }
    settle?.add(outcome.cleared)
    for row in outcome.refused { tell(row.row, row.problem, queue.table) }
    tally.rows += try queue.retire(outcome.retirable + outcome.refused.map(\.row))
    CrashPoint.retired.reach()
    tally.refused += outcome.refused.count
    tally.keys += outcome.keys.count
    pass.promptedTo = nil
    pass.waiting.formUnion(outcome.waiting)
    return advance(&pass, rows, queue.table)
  }

  private func advance(
    _ pass: inout Pass, _ rows: [QueueRow], _ table: QueueTable
  ) -> ListenerMachine.Served {
    guard rows.count >= Self.batchSize, let last = rows.last else { return end(&pass, table) }
    pass.position = last.position
    return .more
  }

  private func end(_ pass: inout Pass, _ table: QueueTable) -> ListenerMachine.Served {
    // A row that was not met again is gone, by somebody else's hand.
    retries = retries.filter { $0.key.table != table || pass.waiting.contains($0.key) }
    let next = retries.filter { $0.key.table == table }.map(\.value.notBefore).min()
    let rest = pass.began.duration(to: .now) * Self.idlePerPass
    pass.hasEnded = true
    return .drained(retryAfter: next.map { max(rest, ContinuousClock.now.duration(to: $0)) })
  }

  /// While a writer holds the lock, the pages of the rows behind the first batch go too.
  private func clearBeyond(
    _ batch: [QueueRow], _ queue: Queue, _ pass: inout Pass
  ) throws(DatabaseError) {
    guard batch.count >= Self.batchSize else { return }
    let rows = try queue.batch(
      after: pass.promptedTo ?? batch.last?.position, limit: Self.batchSize)
    _ = clearPages(of: rows, queue.table)
    pass.promptedTo = rows.last?.position ?? pass.promptedTo
  }

  // MARK: Pages of rows

  private struct Outcome {
    var retirable: [QueueRow] = []
    var refused: [(row: QueueRow, problem: RowProblem)] = []
    var waiting: Set<RowName> = []
    /// The different keys that the rows named, and those of them whose pages are all gone.
    var keys: [CacheKey] = []
    var cleared: [CacheKey] = []
  }

  /// Clears the pages of rows, each key once, and tells the rows apart by what came of them.
  private func clearPages(of rows: [QueueRow], _ table: QueueTable) -> Outcome {
    var outcome = Outcome()
    var plan = ClearPlan()
    var planned: [(row: QueueRow, name: RowName, reports: [Int])] = []
    for row in rows {
      let name = RowName(table: table, key: row.key)
      if let retry = retries[name], retry.notBefore > .now {
        outcome.waiting.insert(name)
        continue
      }
      do throws(RowProblem) {
        planned.append((row, name, plan.add(try row.pages(table, clearer.layout))))
      } catch {
        outcome.refused.append((row, error))
      }
    }
    outcome.keys = plan.keys
    let reports = clearer.clear(plan.keys)
    for report in reports { count(report) }
    outcome.cleared = zip(plan.keys, reports).compactMap { $1.failures.isEmpty ? $0 : nil }
    for (row, name, indices) in planned {
      let failures = indices.flatMap { reports[$0].failures }
      if failures.isEmpty {
        recover(name)
        outcome.retirable.append(row)
      } else {
        postpone(name, failures)
        outcome.waiting.insert(name)
      }
    }
    return outcome
  }

  private func count(_ report: ClearReport) {
    tally.files += report.filesRemoved
    tally.bytes += report.bytesRemoved
    for path in report.removed { logger.debug("removed \(path)") }
  }

  // MARK: What cannot be done

  /// Tells of the first failure of a row; later ones only push its next try away.
  private func postpone(_ name: RowName, _ failures: [ClearFailure]) {
    var retry = retries[name] ?? Retry()
    if retry.isNew, let first = failures.first {
      tally.failures += 1
      let more = failures.count > 1 ? " (and \(failures.count - 1) more)" : ""
      tellSome(
        tally.failures, .error,
        "\(name.table.name): \(name.text): \(first.explanation)\(more); the row stays and is retried"
      )
    }
    retry.postpone()
    retries[name] = retry
  }

  private func recover(_ name: RowName) {
    guard retries.removeValue(forKey: name) != nil else { return }
    tally.recovered += 1
    tellSome(tally.recovered, .notice, "\(name.table.name): \(name.text): cleared at last")
  }

  /// The first few of a drain one by one; the drain's own line counts the others.
  private func tellSome(_ number: Int, _ level: Logger.Level, _ message: String) {
    if number <= Self.toldSingly { logger.log(level: level, "\(message)") }
    if number == Self.toldSingly + 1 {
      logger.log(level: level, "more of the same is counted only")
    }
  }

  private func tell(_ row: QueueRow, _ problem: RowProblem, _ table: QueueTable) {
    logger.error(
      """
      \(table.name): row \(escape(Array(row.position.utf8))) \(problem.explanation); \
      nothing to clear, the row is deleted
      """)
  }

  /// A queue that the server will not let us drain: said once, tried again later.
  private func cannotServe(
    _ table: QueueTable, _ reason: ServerError
  ) -> ListenerMachine.Served {
    passes[table] = nil
    if troubles.updateValue(reason, forKey: table)?.sqlState != reason.sqlState {
      if reason.isMissingTable {
        logger.warning("\(table.name): no such table in this database; its events clear nothing")
      } else {
        let remedy = reason.isPermissionDenied ? "; it needs SELECT and DELETE" : ""
        logger.error("\(table.name): \(reason.explanation)\(remedy); tried again later")
      }
    }
    // The poll backstop comes back to it.
    return .drained(retryAfter: nil)
  }
}

extension Drain.RowName {
  /// The row's key for a log.
  fileprivate var text: String {
    key.map { $0.map { escape($0) } ?? "NULL" }.joined(separator: "/")
  }
}
