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
  /// What each try to get the lock leaves for the pages of other rows; the tries are soon a second apart.
  private static let timeForOthers = Duration.milliseconds(50)

  private(set) var clearer: Clearer
  private(set) var rules: SiteRules
  let settle: Settle?
  let logger: Logger
  var tally = Tally()
  var batchSize = BatchSize()
  var passes: [QueueTable: Pass] = [:]
  /// The rows that cannot be cleared.
  var retries: RetryLedger<RowName>
  /// How much of the time tries may take.
  var pace = RetryPace()
  /// The queues with more of them than the ledger holds, and when these are tried again: they are still in their
  /// queue, and each pass meets them.
  private var overflows: [QueueTable: Retry] = [:]
  /// Those of them that the pass under way has found to be so.
  private var overflown: Set<QueueTable> = []
  /// The number of the pass under way, or of the last one.
  private(set) var pass = 0
  /// The rows that the server keeps.
  var kept: [QueueTable: KeptRows] = [:]
  /// The queues that somebody holds.
  private var holds: [QueueTable: QueueHold] = [:]
  /// How long that is nobody's concern.
  var holdPatience = QueueHold.patience
  /// How long the clear under a queue's lock may take: the server gives up a transaction that is idle for 10 s, and
  /// writers wait.
  var lockPatience = Duration.seconds(3)
  let failures: FailureLog
  private var troubles: [QueueTable: ServerError] = [:]
  /// The queues that a channel of listen_for announces.
  var announced: Set<QueueTable> = []
  /// What it has to know as one of many nodes; nil when it is alone (NodeDrain.swift).
  var node: NodeState?
  /// What it remembers of mounts.
  private let mounts: MountMemory?

  init(
    _ clearer: Clearer, _ rules: SiteRules, _ settle: Settle?, _ logger: Logger,
    node: NodeTokens? = nil, mounts: MountMemory? = nil,
    remembering most: Int = RetryLedger<RowName>.defaultMost
  ) {
    retries = RetryLedger(most: most)
    failures = FailureLog(logger)
    self.clearer = clearer
    self.rules = rules
    self.settle = settle
    self.logger = logger
    self.node = node.map(NodeState.init)
    self.mounts = mounts
    mounts?.takeUp(clearer)
  }

  /// Serves one batch of a queue.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func step(
    _ queue: Queue, _ depth: ListenerMachine.Depth
  ) throws(DatabaseError) -> ListenerMachine.Served {
    defer { failures.flush() }
    do throws(DatabaseError) {
      guard depth == .whole else { return try prompt(queue) }
      let before = tally
      let served = try serve(queue, as: node)
      if served != .contended, tally.moved == before.moved, tally.rows == before.rows {
        try requireRights(queue)
      }
      try note(hold: served == .contended, of: queue)
      // Rows that may be read are not yet rows that may be deleted.
      if served != .contended, troubles.removeValue(forKey: queue.table) != nil {
        logger.notice("\(queue.table.name): can be drained again")
      }
      return served
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try queue.rollback()
      // Somebody holds a row of the batch itself: the same as a writer that holds the queue.
      if reason.isLockTimeout {
        try note(hold: true, of: queue)
        return .contended
      }
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

  /// How many rows wait for another try, as far as they are remembered one by one.
  var retriesWaiting: Int { retries.count + rowsKept }

  /// The queues that somebody has held for long.
  var heldQueues: [HeldQueue] {
    guard !holds.isEmpty else { return [] }
    return holds.compactMap { $1.entry($0) }.sorted { $0.queue < $1.queue }
  }

  /// Takes note of whether somebody holds a queue, and says who it is if that lasts.
  private func note(hold isHeld: Bool, of queue: Queue) throws(DatabaseError) {
    guard isHeld else {
      if let hold = holds.removeValue(forKey: queue.table) { hold.tellEnd(queue.table, logger) }
      return
    }
    var hold = holds[queue.table] ?? QueueHold()
    try hold.look(at: queue, after: holdPatience, logger)
    holds[queue.table] = hold
  }

  /// Takes what the configuration says by now, between batches.
  func follow(_ clearer: Clearer, _ rules: SiteRules) {
    self.clearer = clearer
    self.rules = rules
    settle?.layout = clearer.layout
    mounts?.takeUp(clearer)
    // A queue that nobody asks for any more will not say what became of its rows.
    let isKnown = { (table: QueueTable) in table == .log || rules.queue(table) != nil }
    passes = passes.filter { isKnown($0.key) }
    retries.keep { name, _ in isKnown(name.table) }
    overflows = overflows.filter { isKnown($0.key) }
    kept = kept.filter { isKnown($0.key) }
    holds = holds.filter { isKnown($0.key) }
    troubles = troubles.filter { isKnown($0.key) }
  }

  /// Forgets how far passes have come: after a lost connection they begin anew.
  func reset() {
    passes = [:]
    holds = [:]
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
      resumeMounts()
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

  /// Whether the file system of some family is away. Its pages cannot be cleared, and their rows stay.
  var isMountAway: Bool { mounts?.away.isEmpty == false }

  /// How often one has come back.
  private(set) var mountReturns = 0

  private func resumeMounts() {
    guard let mounts, mounts.look(clearer) else { return }
    mountReturns += 1
    retries.hasten()
    for table in overflows.keys { overflows[table]?.hasten() }
    passes = [:]
  }

  /// Takes note of what a clear found away, and of what it saw mounted for the first time.
  func noteMounts(_ report: ClearReport) {
    guard !report.failures.isEmpty else { return }
    mounts?.note(report.failures.filter { $0.error == .mountAway }.map(\.path))
  }

  /// A mount that was never seen before must be known after a crash.
  func saveMounts() { mounts?.save(clearer) }

  /// While a mount is away, it is looked for each second.
  func untilRetry(at time: ContinuousClock.Instant) -> Duration {
    let left = pace.wait(until: time)
    return isMountAway ? min(left, .seconds(1)) : left
  }

  /// Clears what no row asks for: a whole family.
  ///
  /// A stop ends it, and leaves the rest to the next process by way of the settle list; where that would not
  /// survive, nothing but this clear remembers the key, and it goes to its end.
  func clear(_ key: CacheKey) -> ClearReport {
    let report = clearer.clear(key)
    count(report)
    guard report.isPartial, clearer.dryRun == .no else { return report }
    if let settle, settle.isDurable {
      settle.putBack([key])
      return report
    }
    let rest = clearer.unstoppable().clear(key)
    count(rest)
    return rest
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
    if pass.position == nil { begin(&pass, queue.table) }
    let began = ContinuousClock.now
    let limit = batchSize.rows
    let rows = try queue.batch(after: pass.position, limit: limit)
    if rows.isEmpty { return end(&pass, queue.table) }
    CrashPoint.selected.reach()
    let batch = plan(rows)
    let first = clearPages(of: batch, except: &pass.recent)
    CrashPoint.cleared.reach()
    // A stop came in the midst of it; the rows are where they were.
    if first.isPartial { return .more }
    guard clearer.dryRun == .no else {
      countDry(batch, first)
      return advance(&pass, rows, limit, queue.table)
    }
    let isAsked = self.isAsked(queue.table, in: pass)
    let refused = batch.refused.filter { isAsked($0.row) }
    let cleared = first.retirable.filter(isAsked)
    if cleared.isEmpty, refused.isEmpty {
      // Nothing to retire: the writers need not wait for a lock that serves nobody.
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
    var outcome = Outcome()
    var asked = cleared + refused.map(\.row)
    var deleted = try queue.delete(asked) { outcome = clearPagesInTime(of: again) }
    CrashPoint.clearedAgain.reach()
    guard !outcome.isPartial, followRoot(), clearer.isSameTree(as: root) else {
      // What was cleared is not what visitors see, or not all: once more, in the tree that they do.
      try queue.rollback()
      return .more
    }
    if !outcome.waiting.isEmpty || outcome.isUnfinished {
      // A page has come that cannot go, or not in time: its rows stay after all.
      try queue.undelete()
      asked = outcome.retirable.filter(isAsked) + refused.map(\.row)
      deleted = try queue.delete(asked)
      pass.recent = RecentKeys()
    }
    let remaining = deleted < asked.count ? try queue.remaining(of: asked) : []
    settle?.add(outcome.cleared)
    try queue.commit()
    tally.rows += deleted
    CrashPoint.retired.reach()
    tally.asked += asked.count
    tally.keys += outcome.keys
    note(retired: asked, but: remaining, refused, in: &pass)
    pass.promptedTo = nil
    pass.hasRetired = pass.hasRetired || deleted > 0
    batchSize.adapt(took: began.duration(to: .now), locked: locked.duration(to: .now))
    return outcome.isUnfinished ? .more : advance(&pass, rows, limit, queue.table)
  }

  /// Goes on behind a batch, or ends the pass.
  func advance(
    _ pass: inout Pass, _ rows: [QueueRow], _ limit: Int, _ table: QueueTable
  ) -> ListenerMachine.Served {
    guard rows.count >= limit, let last = rows.last else { return end(&pass, table) }
    pass.position = last.place
    return .more
  }

  func end(_ pass: inout Pass, _ table: QueueTable) -> ListenerMachine.Served {
    endKept(pass, table)
    pass.hasEnded = true
    var times = [kept[table]?.retry.notBefore]
    // One of many nodes tries again what it has read from the log, and not what is in a queue.
    if node == nil {
      // A row that was not met again is gone, by somebody else's hand.
      retries.keep { $0.table != table || $1 >= pass.number }
      endOverflow(of: table)
      times += [retries.next { $0.table == table }, overflows[table]?.notBefore]
    }
    let next = times.compactMap { $0 }.min()
    if next != nil, !pass.hasRetired { pace.note(pass.began.duration(to: .now)) }
    return .drained(retryAfter: next.map(untilRetry(at:)))
  }

  func begin(_ pass: inout Pass, _ table: QueueTable) {
    pass.number = beginPass()
    pass.began = .now
    pass.triesKept = kept[table].map { $0.retry.notBefore <= .now } ?? false
  }

  /// - Returns: the pass's number.
  func beginPass() -> Int {
    pass += 1
    return pass
  }

  /// Remembers when rows are tried again of which the ledger is full.
  func noteOverflow(_ table: QueueTable) {
    guard overflown.insert(table).inserted else { return }
    overflows[table, default: Retry()].postpone()
  }

  /// When the first of these rows is tried again; nil when there is none.
  var nextOverflow: ContinuousClock.Instant? { overflows.values.map(\.notBefore).min() }

  /// At the end of a pass: of a queue that had no such rows in it, all are gone.
  /// - Parameter table: nil stands for all.
  func endOverflow(of table: QueueTable? = nil) {
    overflows = overflows.filter { (table != nil && $0.key != table) || overflown.contains($0.key) }
    overflown = overflown.filter { table != nil && $0 != table }
  }

  /// Takes note of what has become of the rows that were to be deleted.
  private func note(
    retired asked: [QueueRow], but remaining: [QueueRow],
    _ refused: [(row: QueueRow, problem: RowProblem)], in pass: inout Pass
  ) {
    guard let table = asked.first?.table else { return }
    let places = Set(remaining.compactMap(\.place))
    let isGone = { (row: QueueRow) in places.isEmpty || row.place.map(places.contains) != true }
    for row in refused where isGone(row.row) {
      tally.refused += 1
      tell(row.row, row.problem)
    }
    noteRecovered(asked.filter(isGone))
    noteKept(remaining, of: table, in: &pass)
  }

  /// Clears the pages of new rows, which are retired later: step 1 of the protocol alone.
  private func prompt(_ queue: Queue) throws(DatabaseError) -> ListenerMachine.Served {
    guard clearer.dryRun == .no, followRoot() else { return .prompted }
    var pass = passes[queue.table] ?? Pass(number: self.pass)
    // A commit's id says nothing of its time: there, all that waits is looked at.
    let start = queue.table.growsWithTime ? pass.promptedTo ?? pass.position : nil
    let rows = try queue.batch(after: start, limit: BatchSize.least)
    _ = clearPages(of: plan(rows))
    pass.promptedTo = rows.last?.place ?? pass.promptedTo
    passes[queue.table] = pass
    return .prompted
  }

  /// While a writer holds the lock, the pages of the rows behind the first batch go too: first of those that have
  /// not had a turn, and then of all of them by turns, since visitors re-create them from what the writer has
  /// not committed.
  private func clearBeyond(
    _ rows: [QueueRow], _ limit: Int, _ queue: Queue, _ pass: inout Pass
  ) throws(DatabaseError) {
    guard rows.count >= limit, let first = rows.last?.place else { return }
    let until = ContinuousClock.now + Self.timeForOthers
    var isAtEnd = false
    repeat {
      let more = try queue.batch(after: pass.promptedTo ?? first, limit: limit)
      if clearPages(of: plan(more)).isPartial { return }
      pass.promptedTo = more.last?.place ?? pass.promptedTo
      isAtEnd = more.count < limit
    } while !isAtEnd && .now < until
    guard isAtEnd else { return }
    repeat {
      let more = try queue.batch(after: pass.rotatedTo ?? first, limit: limit)
      if clearPages(of: plan(more)).isPartial { return }
      pass.rotatedTo = more.count < limit ? nil : more.last?.place
    } while pass.rotatedTo != nil && .now < until
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
            \(table.name): no such table in this database; its events clear nothing, and it is looked for \
            again. Create it, or take its event out of listen_for
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
