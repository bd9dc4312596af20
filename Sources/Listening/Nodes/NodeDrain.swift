// The drain of one of many nodes: what a queue holds is moved into the log, and what the log holds
// is cleared here and passed. The same clearing, settling and retrying as for a listener alone.
//
//   1. select a batch of the queue; clear its pages at once
//   2. lock the queue, move what it holds into the log, commit      (whichever node does it)
//   3. read the log after our cursor; clear the pages
//   4. put the keys on the settle list; move the cursor
//
// A crash before the end of 4 repeats 3. See docs/nodes.md for why.

import CacheFS
import Logging
import PGQueue
import SystemPackage

extension Drain {
  // MARK: Queues

  /// Moves a batch of a queue into the log, if it is for us to do, and clears its pages here.
  func move(
    _ queue: Queue, into log: NodeLog
  ) throws(DatabaseError) -> ListenerMachine.Served {
    guard let node else { return .drained(retryAfter: nil) }
    let limit = batchSize.rows
    var pass = passes.removeValue(forKey: queue.table) ?? Pass()
    if pass.position == nil { begin(&pass, queue.table) }
    let rows = try queue.batch(after: pass.position, limit: limit)
    if rows.isEmpty { return end(&pass, queue.table) }
    CrashPoint.selected.reach()
    if followRoot() { promptly(rows) }
    CrashPoint.cleared.reach()
    guard clearer.dryRun == .no else {
      let refused = plan(rows).refused
      for row in refused { tell(row.row, row.problem) }
      tally.rows += rows.count
      tally.refused += refused.count
      return .drained(retryAfter: nil)
    }
    switch node.mover {
    // Without a log to move them into, rows stay where they are.
    case .unknown: return .drained(retryAfter: nil)
    case .this: break
    case .other(let other):
      // Whoever cannot move rows must not take their place who can.
      try queue.requireRights()
      guard try log.claim(from: other) else { return .drained(retryAfter: .seconds(1)) }
      node.mover = .this
      logger.notice(
        "\(node.name): moves the queues' rows from now on; \(other.escaped) did not")
    }
    defer { passes[queue.table] = pass.hasEnded ? nil : pass }
    let asked = rows.filter(isAsked(queue.table, in: pass))
    // Nothing to move: the writers need not wait for a lock that serves nobody.
    if asked.isEmpty { return advance(&pass, rows, limit, queue.table) }
    let began = ContinuousClock.now
    guard let moved = try log.move(asked, of: queue.table) else {
      if rows.count >= limit, hasRoot {
        promptly(try queue.batch(after: rows.last?.place, limit: limit))
      }
      return .contended
    }
    CrashPoint.moved.reach()
    node.lockTime = began.duration(to: .now)
    tally.moved += moved
    pass.hasRetired = pass.hasRetired || moved > 0
    // Another node has moved the others, or the server keeps them.
    if moved < asked.count { noteKept(try queue.remaining(of: asked), of: queue.table, in: &pass) }
    return advance(&pass, rows, limit, queue.table)
  }

  /// Clears the pages of rows that will come by again in the log: failures are taken up there.
  private func promptly(_ rows: [QueueRow]) {
    for report in clearer.clear(plan(rows).keys) { count(report) }
  }

  // MARK: The log

  /// Serves a batch of the log.
  func serve(_ log: NodeLog) throws(DatabaseError) -> ListenerMachine.Served {
    guard let node else { return .drained(retryAfter: nil) }
    let limit = batchSize.rows
    switch try read(log, node, limit) {
    case .unregistered:
      if node.wasRegistered {
        logger.error(
          "\(node.name): somebody has retired it; its cache is emptied and it begins anew")
      } else {
        logger.notice("\(node.name): registers; its cache is emptied once")
      }
      return try begin(log, node)
    case .taken: return try takeName(log, node)
    case .lost(let gone):
      let rows = Int(gone)
      logger.error(
        """
        \(node.name): \(counted(rows, "row")) of the log \(rows == 1 ? "is" : "are") gone that it \
        has not seen; its cache is emptied
        """)
      return try begin(log, node)
    case .another:
      logger.error(
        """
        \(node.name): the log ends before what it has read, and is another one; its cache is emptied
        """)
      return try begin(log, node)
    case .otherColumns(let queue):
      logger.error(
        """
        \(node.name): the log holds rows of \(queue) with other columns than the configuration has; \
        its cache is emptied
        """)
      return try begin(log, node)
    case .batch(let batch):
      node.wasRegistered = true
      node.hasToldOfRival = false
      node.mover = batch.mover.map { $0 == node.node.name ? .this : .other($0) } ?? .this
      if node.mover != .this, !batch.rows.isEmpty { leaveQueuesToOthers() }
      return try serve(batch, limit, log, node)
    }
  }

  private func read(
    _ log: NodeLog, _ node: NodeState, _ limit: Int
  ) throws(DatabaseError) -> LogReading {
    do throws(DatabaseError) {
      return try log.read(after: node.position, limit: limit)
    } catch {
      // Into a log that cannot be read nothing is moved.
      node.mover = .unknown
      throw error
    }
  }

  private func serve(
    _ logged: LogBatch, _ limit: Int, _ log: NodeLog, _ node: NodeState
  ) throws(DatabaseError) -> ListenerMachine.Served {
    guard followRoot() else { return .drained(retryAfter: .seconds(1)) }
    let root = clearer
    let began = ContinuousClock.now
    if logged.mustEmpty, node.emptying.notBefore <= .now { try empty(log, node) }
    if node.owes { try serveOwed(log, node) }
    if !logged.rows.isEmpty {
      CrashPoint.logRead.reach()
      let batch = plan(logged.rows)
      let outcome = clearPages(of: batch)
      CrashPoint.logCleared.reach()
      // What was cleared is not what visitors see, or not all: once more, in the tree that they do.
      guard !outcome.isPartial, followRoot(), clearer.isSameTree(as: root) else { return .more }
      guard clearer.dryRun == .no else {
        node.position = logged.last
        countDry(batch, outcome)
        return logged.rows.count < limit ? .drained(retryAfter: nil) : .more
      }
      settle?.add(outcome.cleared)
      let done = Set((outcome.retirable + batch.refused.map(\.row)).map(\.position))
      let owing = logged.rows.filter { !done.contains($0.position) }
      guard try log.advance(behind: logged, owing: owing) else { return .more }
      CrashPoint.advanced.reach()
      for row in batch.refused { tell(row.row, row.problem) }
      noteRecovered(outcome.retirable)
      node.owes = node.owes || !owing.isEmpty
      tally.rows += done.count
      tally.refused += batch.refused.count
      tally.keys += outcome.keys
      batchSize.adapt(took: began.duration(to: .now), locked: node.lockTime)
      if logged.rows.count >= limit { return .more }
    }
    if node.isPolled, clearer.dryRun == .no {
      try log.noteSeen()
      node.tokens.saveIfDue()
      node.isPolled = node.mover == .this ? try log.trim() : false
      if node.isPolled { return .more }
    }
    return .drained(retryAfter: untilRetry(logged, node))
  }

  private func untilRetry(_ logged: LogBatch, _ node: NodeState) -> Duration? {
    let emptying = logged.mustEmpty && !node.emptying.isNew ? node.emptying.notBefore : nil
    return [emptying, retries.next(), nextOverflow].compactMap { $0 }.min().map(untilRetry(at:))
  }

  /// Tries again what was passed and not cleared, where its time has come.
  private func serveOwed(_ log: NodeLog, _ node: NodeState) throws(DatabaseError) {
    guard clearer.dryRun == .no else { return }
    let began = ContinuousClock.now
    let pass = beginPass()
    var isAnyLeft = false
    var rows: [QueueRow] = []
    repeat {
      rows = try log.owed(after: rows.last?.position, limit: BatchSize.least)
      let batch = plan(rows)
      let outcome = clearPages(of: batch)
      if outcome.isPartial { return }
      settle?.add(outcome.cleared)
      let done = outcome.retirable + batch.refused.map(\.row)
      try log.forgive(done)
      noteRecovered(outcome.retirable)
      tally.rows += done.count
      isAnyLeft = isAnyLeft || !batch.waiting.isEmpty || !outcome.waiting.isEmpty
    } while rows.count >= BatchSize.least
    retries.keep { $1 >= pass }
    endOverflow()
    node.owes = isAnyLeft
    if isAnyLeft { pace.note(began.duration(to: .now)) }
  }

  // MARK: Coming and going

  /// Shows once that the cursor belongs to this cache, and gives it a token that no copy of the state
  /// directory has. Where it does not, reading the log tells so.
  func prove(_ node: NodeState, _ queue: Queue) throws(DatabaseError) {
    let log = NodeLog(node.node, on: queue, tables: rules.tables)
    guard let current = try log.token(), node.tokens.held.contains(current) else { return }
    guard clearer.dryRun == .no else { return node.tokens.goBy(current) }
    node.tokens.draw(beside: current)
    CrashPoint.tokenDrawn.reach()
    guard try log.renew(current, as: node.node.token) else { return }
    CrashPoint.tokenRenewed.reach()
    node.tokens.keep()
    CrashPoint.tokenKept.reach()
  }

  private func begin(
    _ log: NodeLog, _ node: NodeState
  ) throws(DatabaseError) -> ListenerMachine.Served {
    guard clearer.dryRun == .no else { return .drained(retryAfter: nil) }
    node.tokens.draw(beside: nil)
    try log.register(as: node.node.token)
    CrashPoint.registered.reach()
    node.tokens.keep()
    node.emptying = Retry()
    node.owes = true
    return .more
  }

  /// Another cache has the name, or it was ours and we do not know it any more.
  private func takeName(
    _ log: NodeLog, _ node: NodeState
  ) throws(DatabaseError) -> ListenerMachine.Served {
    if let since = node.tookName?.duration(to: .now), since < NodeState.takeBackAfter {
      if !node.hasToldOfRival {
        node.hasToldOfRival = true
        logger.error(
          """
          \(node.name): another listener has taken the name; two caches must not share one. It is \
          taken back, and the cache emptied, in \((NodeState.takeBackAfter - since).text)
          """)
      }
      return .drained(retryAfter: NodeState.takeBackAfter - since)
    }
    logger.error(
      """
      \(node.name): the name belongs to another cache, which may be a copy of this one, or this one's \
      state directory is not the one it had; the cache is emptied
      """)
    node.tookName = .now
    return try begin(log, node)
  }

  /// Empties what invalidations could have cleared, and has it settled as they do.
  private func empty(_ log: NodeLog, _ node: NodeState) throws(DatabaseError) {
    guard clearer.dryRun == .no else { return }
    let keys = rules.everything(clearer.layout)
    let began = ContinuousClock.now
    let reports = clearer.clear(keys)
    var sum = ClearReport()
    for report in reports {
      count(report)
      sum.add(report)
    }
    // A stop: the next process empties it.
    if sum.isPartial { return }
    if let first = sum.failures.first {
      if node.emptying.isNew {
        logger.error(
          "\(node.name): its cache cannot be emptied: \(first.explanation); tried again until it is"
        )
      }
      node.emptying.postpone()
      return
    }
    CrashPoint.emptied.reach()
    settle?.add(keys)
    try log.noteEmptied()
    logger.notice(
      """
      \(node.name): its cache is emptied: \(counted(sum.filesRemoved, "file")) in \
      \(began.duration(to: .now).text)
      """)
  }
}
