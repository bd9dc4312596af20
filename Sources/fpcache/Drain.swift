// Joins a queue to the Clearer: steps 1 to 4 of the drain protocol, one batch at a time.
//
//   1. select the batch; clear its pages at once
//   2. lock the queue: every writer that saw our rows has committed
//   3. clear the pages of the same rows again, while the server deletes them
//   4. commit, but for rows whose pages could not go
//
// A crash before the commit repeats the batch. See docs/drain-protocol.md for why.

import CacheFS
import Logging
import PGQueue
import SystemPackage

/// Drains queues, batch by batch, and keeps the tally of the drain under way.
final class Drain {
  /// A pass over rows that wait may take this part of the time, so that nothing spins.
  static let idlePerPass = 20

  private(set) var clearer: Clearer
  private(set) var rules: SiteRules
  let settle: Settle?
  let logger: Logger
  var tally = Tally()
  var batchSize = BatchSize()
  private var passes: [QueueTable: Pass] = [:]
  var retries: [RowName: Retry] = [:]
  private var troubles: [QueueTable: ServerError] = [:]
  /// The queues that a channel of listen_for announces.
  var announced: Set<QueueTable> = []
  /// What it has to know as one of many nodes; nil when it is alone (NodeDrain.swift).
  var node: NodeState?

  init(
    _ clearer: Clearer, _ rules: SiteRules, _ settle: Settle?, _ logger: Logger,
    node: NodeTokens? = nil
  ) {
    self.clearer = clearer
    self.rules = rules
    self.settle = settle
    self.logger = logger
    self.node = node.map(NodeState.init)
  }

  /// Serves one batch of a queue.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func step(
    _ queue: Queue, _ depth: ListenerMachine.Depth
  ) throws(DatabaseError) -> ListenerMachine.Served {
    do throws(DatabaseError) {
      guard depth == .whole else { return try prompt(queue) }
      let before = tally
      let served = try serve(queue, as: node)
      if served != .contended, tally.moved == before.moved, tally.rows == before.rows {
        try requireRights(queue)
      }
      // Rows that may be read are not yet rows that may be deleted.
      if served != .contended, troubles.removeValue(forKey: queue.table) != nil {
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
    troubles.filter { $0.key == .log || !$0.value.isMissingTable }.map(\.key.name).sorted()
  }

  /// The queues that it does not have and should.
  var missingQueues: [String] {
    troubles.filter { $0.value.isMissingTable && isNeeded($0.key) }.map(\.key.name).sorted()
  }

  /// The queues of which nothing is drained although the site needs it: as long as there is one, pages may
  /// be stale, and nothing else proves health.
  var undrainedQueues: [String] {
    troubles.keys.filter { $0 == .log || isNeeded($0) }.map(\.name).sorted()
  }

  /// Nothing has shown that the role may still do what rows will ask for. A dry run needs none of it.
  private func requireRights(_ queue: Queue) throws(DatabaseError) {
    guard clearer.dryRun == .no else { return }
    guard let node else { return try queue.requireRights() }
    if queue.table == .log {
      try NodeLog(node.node, on: queue, tables: rules.tables).requireRights()
    } else if node.mover == .this {
      try queue.requireRights()
    }
  }

  /// Another node has moved rows: what is refused to this one is done all the same.
  func leaveQueuesToOthers() {
    for table in troubles.keys where table != .log {
      troubles[table] = nil
      logger.notice("\(table.name): can be drained again")
    }
  }

  private func isNeeded(_ table: QueueTable) -> Bool {
    table != .log && table.isNeeded(announced: announced)
  }

  /// How many rows wait for another try.
  var retriesWaiting: Int { retries.count }

  /// Takes what the configuration says by now, between batches.
  func follow(_ clearer: Clearer, _ rules: SiteRules) {
    self.clearer = clearer
    self.rules = rules
    settle?.layout = clearer.layout
    // A queue that nobody asks for any more will not say what became of its rows.
    let isKnown = { (table: QueueTable) in table == .log || rules.queue(table) != nil }
    passes = passes.filter { isKnown($0.key) }
    retries = retries.filter { isKnown($0.key.table) }
    troubles = troubles.filter { isKnown($0.key) }
  }

  /// Forgets how far passes have come: after a lost connection they begin anew.
  func reset() {
    passes = [:]
    node?.reset()
  }

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
        logger.notice(
          """
          cache directory \(clearer.rootText) is another one or back again; clearing goes on there
          """)
      }
      hasRoot = true
    } catch {
      if hasRoot {
        let problem =
          error == .tooManySymbolicLinkLevels
          ? "a link has come to lead its path elsewhere; SIGHUP follows it" : "\(error)"
        logger.error(
          """
          cache directory \(clearer.rootText): \(problem); rows stay in their queues until it is back
          """)
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

  private func serve(
    _ queue: Queue, as node: NodeState?
  ) throws(DatabaseError) -> ListenerMachine.Served {
    guard let node else { return try retire(queue) }
    if queue.table == .log, !node.tokens.isFresh { try prove(node, queue) }
    let log = NodeLog(node.node, on: queue, tables: rules.tables)
    return queue.table == .log ? try serve(log) : try move(queue, into: log)
  }

  /// Steps 1 to 4, for a listener that is alone.
  private func retire(_ queue: Queue) throws(DatabaseError) -> ListenerMachine.Served {
    guard followRoot() else {
      // The next pass begins anew: what came behind this one's place meanwhile must not be passed over.
      passes[queue.table] = nil
      return .drained(retryAfter: .seconds(1))
    }
    let root = clearer
    var pass = passes.removeValue(forKey: queue.table) ?? Pass()
    defer { passes[queue.table] = pass.hasEnded ? nil : pass }
    if pass.position == nil { pass.began = .now }
    let began = ContinuousClock.now
    let limit = batchSize.rows
    let rows = try queue.batch(after: pass.position, limit: limit)
    if rows.isEmpty { return end(&pass, queue.table) }
    CrashPoint.selected.reach()
    let batch = plan(rows)
    pass.waiting.formUnion(batch.waiting)
    let first = clearPages(of: batch, except: &pass.recent)
    CrashPoint.cleared.reach()
    guard clearer.dryRun == .no else {
      countDry(batch, first)
      pass.waiting.formUnion(first.waiting)
      return advance(&pass, rows, limit, queue.table)
    }
    if first.retirable.isEmpty, batch.refused.isEmpty {
      // Nothing to retire: the writers need not wait for a lock that serves nobody.
      pass.waiting.formUnion(first.waiting)
      return advance(&pass, rows, limit, queue.table)
    }
    switch try queue.lock(rows) {
    case .granted: break
    case .contended:
      // The lock may be long in coming: the next try looks for all of them first.
      pass.recent = RecentKeys()
      try clearBeyond(rows, limit, queue, &pass)
      return .contended
    case .rewritten: return .more  // the same rows, in their new places
    }
    let locked = ContinuousClock.now
    CrashPoint.locked.reach()
    let again =
      first.waiting.isEmpty ? batch : batch.only { first.reports[$0].failures.isEmpty }
    let refused = batch.refused.map(\.row)
    var outcome = Outcome()
    var deleted = try queue.delete(first.retirable + refused) { outcome = clearPages(of: again) }
    CrashPoint.clearedAgain.reach()
    guard followRoot(), clearer.isSameTree(as: root) else {
      // What was cleared is not what visitors see: once more, in the tree that they do.
      try queue.rollback()
      return .more
    }
    if !outcome.waiting.isEmpty {
      // A page has come that cannot go: its rows stay after all.
      try queue.undelete()
      deleted = try queue.delete(outcome.retirable + refused)
      pass.recent = RecentKeys()
    }
    settle?.add(outcome.cleared)
    for row in batch.refused { tell(row.row, row.problem) }
    try queue.commit()
    tally.rows += deleted
    CrashPoint.retired.reach()
    tally.refused += batch.refused.count
    tally.keys += outcome.keys
    pass.promptedTo = nil
    pass.waiting.formUnion(first.waiting)
    pass.waiting.formUnion(outcome.waiting)
    batchSize.adapt(took: began.duration(to: .now), locked: locked.duration(to: .now))
    return advance(&pass, rows, limit, queue.table)
  }

  private func advance(
    _ pass: inout Pass, _ rows: [QueueRow], _ limit: Int, _ table: QueueTable
  ) -> ListenerMachine.Served {
    guard rows.count >= limit, let last = rows.last else { return end(&pass, table) }
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

  /// Clears the pages of new rows, which are retired later: step 1 of the protocol alone.
  private func prompt(_ queue: Queue) throws(DatabaseError) -> ListenerMachine.Served {
    guard clearer.dryRun == .no, followRoot() else { return .prompted }
    var pass = passes[queue.table] ?? Pass()
    // A commit's id says nothing of its time: there, all that waits is looked at.
    let start = queue.table.growsWithTime ? pass.promptedTo ?? pass.position : nil
    let rows = try queue.batch(after: start, limit: BatchSize.least)
    _ = clearPages(of: plan(rows))
    pass.promptedTo = rows.last?.position ?? pass.promptedTo
    passes[queue.table] = pass
    return .prompted
  }

  /// While a writer holds the lock, the pages of the rows behind the first batch go too.
  private func clearBeyond(
    _ rows: [QueueRow], _ limit: Int, _ queue: Queue, _ pass: inout Pass
  ) throws(DatabaseError) {
    guard rows.count >= limit else { return }
    let more = try queue.batch(after: pass.promptedTo ?? rows.last?.position, limit: limit)
    _ = clearPages(of: plan(more))
    pass.promptedTo = more.last?.position ?? pass.promptedTo
  }

  /// A queue that the server will not let us drain: said once, tried again later.
  private func cannotServe(
    _ table: QueueTable, _ reason: ServerError
  ) -> ListenerMachine.Served {
    passes[table] = nil
    if troubles.updateValue(reason, forKey: table)?.sqlState != reason.sqlState {
      if table == .log {
        logger.error("\(reason.explanation)\(NodeState.remedy(for: reason))")
      } else if reason.isMissingTable {
        if isNeeded(table) {
          logger.error(
            """
            \(table.name): no such table in this database; its events clear nothing. Create it, or take its event \
            out of listen_for
            """)
        } else {
          logger.notice(
            "\(table.name): no such table in this database, and nothing announces it: it is left out"
          )
        }
      } else {
        let needs = reason.isPermissionDenied ? "; it needs SELECT and DELETE" : ""
        let remedy = node == nil ? "\(needs); tried again later" : NodeState.remedy(for: reason)
        logger.error("\(table.name): \(reason.explanation)\(remedy)")
      }
    }
    // The poll backstop comes back to it.
    return .drained(retryAfter: nil)
  }
}
