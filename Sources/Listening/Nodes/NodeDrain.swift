// SPDX-License-Identifier: BSD-2-Clause
//
// The drain of one of many nodes: what a queue holds is moved into the log, and what the log holds
// is cleared here and passed. The same clearing, settling and retrying as for a listener alone.
//
//   1. select a batch of the queue; clear its pages at once
//   2. lock the queue, move what it holds into the log, commit      (whichever node does it)
//   3. read the log after our cursor; clear the pages
//   4. put the keys on the settle list; move the cursor
//
// A crash before the end of 4 repeats 3. See docs/nodes.md for why.

import Basics
import CacheFS
import Logging
import PGQueue

/// Drains for a node: moves rows into the log, and clears what the log names.
final class NodeDrain {
  let node: NodeState
  private let pages: PageClearer
  private let passes: QueuePasses
  private let logger: Logger
  private var batchSize = BatchSize()
  /// Whether this turn of the log has looked at the rights on it, and what is lacking.
  private var rights: (areKnown: Bool, lacking: ServerError?) = (false, nil)
  /// Called when another node has moved rows: the work that is refused to this node is done all the same.
  var whenOthersMove: () -> Void = {}

  init(_ node: NodeState, _ pages: PageClearer, _ passes: QueuePasses, _ logger: Logger) {
    self.node = node
    self.pages = pages
    self.logger = logger
    self.passes = passes
  }

  /// Serves one batch of a queue or of the log.
  /// - Throws: ``DatabaseError``.
  func serve(_ queue: Queue) throws(DatabaseError) -> DrainOutcome {
    guard queue.table == .log else { return try move(queue, into: log(on: queue)) }
    rights = (false, nil)
    if !node.tokens.isFresh { try prove(log(on: queue)) }
    // Built again, because the node may have another token now.
    let served = try serve(log(on: queue))
    guard case .drained = served, try noteWaiting(beside: queue) else { return served }
    // The rows that were moved meanwhile are in the log.
    return .more
  }

  /// How many rows of queues are read for the recheck. A longer queue has its turn first.
  private static let mostWaiting = 100_000

  /// Notes what waits in the queues, where the recheck needs it: this node sees a row only once a node has moved it.
  /// - Returns: whether it was noted.
  private func noteWaiting(beside log: Queue) throws(DatabaseError) -> Bool {
    guard let requested = pages.requested, requested.lacksWaiting else { return false }
    var left = Self.mostWaiting
    for table in pages.rules.tables {
      let queue = log.beside(table)
      var rows: [QueueRow] = []
      repeat {
        rows = try queue.batch(after: rows.last?.place, limit: BatchSize.least)
        left -= rows.count
        guard left > 0 else { return false }
        _ = pages.plan(rows)
      } while rows.count >= BatchSize.least
    }
    requested.lacksWaiting = false
    return true
  }

  private func log(on queue: Queue) -> NodeLog {
    NodeLog(node.node, on: queue, tables: pages.rules.tables)
  }

  /// Checks that the role still has the rights on the log that rows will need, where no row has shown it.
  /// - Throws: ``DatabaseError``, as if a row had been refused.
  func requireLogRights(_ queue: Queue) throws(DatabaseError) {
    let lacking = rights.areKnown ? rights.lacking : try log(on: queue).lackingRight()
    if let lacking { throw .refused(lacking) }
  }

  // MARK: Queues

  /// Moves a batch of a queue into the log, if this node is the mover, and clears its pages here.
  private func move(_ queue: Queue, into log: NodeLog) throws(DatabaseError) -> DrainOutcome {
    let limit = batchSize.rows
    var pass = passes.take(queue.table)
    let rows = try queue.batch(after: pass.position, limit: limit)
    if rows.isEmpty { return passes.end(&pass, queue.table) }
    CrashPoint.selected.reach()
    if pages.cache.followRoot() { pages.clearPromptly(rows) }
    CrashPoint.cleared.reach()
    guard !pages.cache.isDry else {
      pages.count(rows: rows.count, keys: 0)
      pages.count(refused: pages.plan(rows).refused)
      return .drained(retryAfter: nil)
    }
    if let wait = try claim(log, queue) { return wait }
    defer { passes.putBack(pass, queue.table) }
    let asked = passes.asked(rows, of: queue.table, in: pass)
    // There is nothing to move, so writers need not wait for a useless lock.
    if asked.isEmpty { return passes.advance(&pass, behind: rows, limit: limit, queue.table) }
    let began = ContinuousClock.now
    guard let moved = try log.move(asked, of: queue.table) else {
      if rows.count >= limit, pages.cache.hasRoot {
        pages.clearPromptly(try queue.batch(after: rows.last?.place, limit: limit))
      }
      return .contended
    }
    CrashPoint.moved.reach()
    node.lockTime = began.duration(to: .now)
    pages.count(moved: moved)
    pass.hasRetired = pass.hasRetired || moved > 0
    // Another node has moved the others, or the server keeps them.
    if moved < asked.count {
      passes.noteKept(try queue.remaining(of: asked), of: queue.table, in: &pass)
    }
    return passes.advance(&pass, behind: rows, limit: limit, queue.table)
  }

  /// Whether this node must move rows. It replaces another mover that does not move them.
  /// - Returns: the answer if this node must not; nil if it must.
  private func claim(_ log: NodeLog, _ queue: Queue) throws(DatabaseError) -> DrainOutcome? {
    switch node.mover {
    // Rows stay where they are when there is no log to move them into.
    case .unknown: return .drained(retryAfter: nil)
    case .this: return nil
    case .other(let other):
      // A node that cannot move rows must not replace one that can.
      try queue.requireRights()
      guard try log.claim(from: other) else { return .drained(retryAfter: .seconds(1)) }
      node.mover = .this
      logger.notice(
        "\(node.name): now moves the rows of the queues; \(other.escaped) did not")
      return nil
    }
  }

  // MARK: The log

  /// Serves a batch of the log.
  private func serve(_ log: NodeLog) throws(DatabaseError) -> DrainOutcome {
    let limit = batchSize.rows
    switch try read(log, limit) {
    case .unregistered:
      if node.wasRegistered {
        logger.error(
          "\(node.name): the node was retired; emptying its cache and registering again")
      } else {
        logger.notice("\(node.name): registered; emptying its cache once")
      }
      return try begin(log)
    case .taken: return try takeName(log)
    case .lost(let gone):
      let rows = Int(gone)
      logger.error(
        """
        \(node.name): \(counted(rows, "row")) of the log \(rows == 1 ? "is" : "are") gone before this \
        node read them; emptying its cache
        """)
      return try begin(log)
    case .another:
      logger.error(
        """
        \(node.name): the log ends before the rows already read, so it is another log; emptying the cache
        """)
      return try begin(log)
    case .otherColumns(let queue):
      logger.error(
        """
        \(node.name): the log holds rows of \(queue) with other columns than the configuration has; \
        emptying the cache
        """)
      return try begin(log)
    case .batch(let batch):
      node.wasRegistered = true
      node.hasToldOfRival = false
      node.mover = batch.mover.map { $0 == node.node.name ? .this : .other($0) } ?? .this
      if node.mover != .this, !batch.rows.isEmpty { whenOthersMove() }
      return try serve(batch, limit, log)
    }
  }

  private func read(_ log: NodeLog, _ limit: Int) throws(DatabaseError) -> LogReading {
    do throws(DatabaseError) {
      return try log.read(after: node.position, limit: limit)
    } catch {
      // Rows are not moved into a log that cannot be read.
      node.mover = .unknown
      throw error
    }
  }

  private func serve(
    _ logged: LogBatch, _ limit: Int, _ log: NodeLog
  ) throws(DatabaseError) -> DrainOutcome {
    guard pages.cache.followRoot() else { return .drained(retryAfter: .seconds(1)) }
    let root = pages.cache.clearer
    let began = ContinuousClock.now
    if logged.mustEmpty, node.emptying.notBefore <= .now { try empty(log) }
    if node.owes { try serveOwed(log) }
    if !logged.rows.isEmpty {
      CrashPoint.logRead.reach()
      let batch = pages.plan(logged.rows)
      let outcome = pages.clearPages(of: batch)
      CrashPoint.logCleared.reach()
      // The clear did not reach the tree that visitors see, or not all of it. Clear again, in the tree that they see.
      guard !outcome.isPartial, pages.cache.followRoot(), pages.cache.clearer.isSameTree(as: root)
      else { return .more }
      guard !pages.cache.isDry else {
        node.position = logged.last
        pages.countDry(batch, outcome)
        return logged.rows.count < limit ? .drained(retryAfter: nil) : .more
      }
      pages.settle?.add(outcome.cleared)
      // Without their events, rows are passed like those that could not be cleared.
      let cleared = pages.tell(batch, outcome.reports) ? outcome.retirable : []
      let done = Set((cleared + batch.refused.map(\.row)).map(\.position))
      let owing = logged.rows.filter { !done.contains($0.position) }
      guard try log.advance(behind: logged, owing: owing) else { return .more }
      CrashPoint.advanced.reach()
      pages.count(refused: batch.refused)
      pages.noteRecovered(cleared)
      node.owes = node.owes || !owing.isEmpty
      pages.count(rows: done.count, keys: outcome.keys)
      pages.name(cleared: cleared)
      batchSize.adapt(took: began.duration(to: .now), locked: node.lockTime)
      if logged.rows.count >= limit { return .more }
    }
    if try isTrimming(log) { return .more }
    return .drained(retryAfter: untilRetry(logged))
  }

  /// Shows once a poll that the node is running, and trims the log if that is this node's task.
  /// - Returns: whether there is more to trim.
  private func isTrimming(_ log: NodeLog) throws(DatabaseError) -> Bool {
    guard node.isPolled, !pages.cache.isDry else { return false }
    rights = (true, try log.noteSeen())
    node.tokens.saveIfDue()
    node.isPolled = node.mover == .this ? try log.trim() : false
    return node.isPolled
  }

  private func untilRetry(_ logged: LogBatch) -> Duration? {
    let emptying = logged.mustEmpty && !node.emptying.isNew ? node.emptying.notBefore : nil
    let withheld = node.owes && pages.isWithheld ? ContinuousClock.now + .seconds(1) : nil
    return [emptying, withheld, pages.retries.next()].compactMap { $0 }.min().map(
      pages.untilRetry(at:))
  }

  /// Tries again the rows that were passed and not cleared, when they are due.
  private func serveOwed(_ log: NodeLog) throws(DatabaseError) {
    guard !pages.cache.isDry else { return }
    let began = ContinuousClock.now
    let pass = pages.beginPass()
    var isAnyLeft = false
    var rows: [QueueRow] = []
    repeat {
      rows = try log.owed(after: rows.last?.position, limit: BatchSize.least)
      let batch = pages.plan(rows)
      let outcome = pages.clearPages(of: batch)
      if outcome.isPartial { return }
      pages.settle?.add(outcome.cleared)
      guard pages.tell(batch, outcome.reports) else { return }
      let done = outcome.retirable + batch.refused.map(\.row)
      try log.forgive(done)
      pages.noteRecovered(outcome.retirable)
      pages.count(rows: done.count, keys: 0)
      pages.name(cleared: outcome.retirable)
      isAnyLeft = isAnyLeft || !batch.waiting.isEmpty || !outcome.waiting.isEmpty
    } while rows.count >= BatchSize.least
    pages.endPass(pass)
    node.owes = isAnyLeft
    if isAnyLeft { pages.note(passTook: began.duration(to: .now)) }
  }

  // MARK: Coming and going

  /// Proves once that the cursor belongs to this cache, and gives it a token that no copy of the state directory has.
  /// If the cursor is not this cache's, reading the log reports it.
  private func prove(_ log: NodeLog) throws(DatabaseError) {
    guard let current = try log.token(), node.tokens.held.contains(current) else { return }
    guard !pages.cache.isDry else { return node.tokens.goBy(current) }
    node.tokens.draw(beside: current)
    CrashPoint.tokenDrawn.reach()
    guard try log.renew(current, as: node.node.token) else { return }
    CrashPoint.tokenRenewed.reach()
    node.tokens.keep()
    CrashPoint.tokenKept.reach()
  }

  private func begin(_ log: NodeLog) throws(DatabaseError) -> DrainOutcome {
    guard !pages.cache.isDry else { return .drained(retryAfter: nil) }
    node.tokens.draw(beside: nil)
    try log.register(as: node.node.token)
    CrashPoint.registered.reach()
    node.tokens.keep()
    node.emptying = Retry()
    node.owes = true
    return .more
  }

  /// Another cache has the name, or the name was ours and its token is lost.
  private func takeName(_ log: NodeLog) throws(DatabaseError) -> DrainOutcome {
    if let since = node.tookName?.duration(to: .now), since < NodeState.takeBackAfter {
      if !node.hasToldOfRival {
        node.hasToldOfRival = true
        logger.error(
          """
          \(node.name): another listener uses this name; two caches must not share one. Will \
          take it back and empty the cache in \((NodeState.takeBackAfter - since).text)
          """)
      }
      return .drained(retryAfter: NodeState.takeBackAfter - since)
    }
    logger.error(
      """
      \(node.name): the name belongs to another cache (a copy of this one, or this one \
      with another state directory); emptying the cache
      """)
    node.tookName = .now
    return try begin(log)
  }

  /// Empties everything that invalidations could clear, and settles it as they do.
  private func empty(_ log: NodeLog) throws(DatabaseError) {
    guard !pages.cache.isDry else { return }
    let keys = pages.rules.everything(pages.cache.clearer.layout)
    let began = ContinuousClock.now
    let reports = pages.cache.clearer.clear(keys)
    var sum = ClearReport()
    for report in reports {
      pages.count(report)
      sum.add(report)
    }
    // A stop: the next process empties the cache.
    if sum.isPartial { return }
    if let first = sum.failures.first {
      if node.emptying.isNew {
        logger.error(
          "\(node.name): cannot empty its cache: \(first.explanation); will retry until it is empty"
        )
      }
      node.emptying.postpone()
      return
    }
    CrashPoint.emptied.reach()
    pages.requested?.note(keys, pages.cache.clearer.layout)
    pages.settle?.add(keys)
    if !pages.tell(keys, reports, .empty) { pages.settle?.putBack(keys) }
    try log.noteEmptied()
    logger.notice(
      """
      \(node.name): emptied its cache: \(counted(sum.filesRemoved, "file")) in \
      \(began.duration(to: .now).text)
      """)
  }
}
