// SPDX-License-Identifier: BSD-2-Clause
//
// The drain of a queue, by a listener without nodes or by one of many nodes: one batch at a time, and what prevents it.

import Basics
import CacheFS
import Logging
import PGQueue

/// Drains queues, batch by batch.
package final class Drain {
  /// Clears the pages of rows.
  let pages: PageClearer
  let node: NodeDrain?
  private let passes: QueuePasses
  private let queues: QueueDrain
  private let logger: Logger
  private var troubles: QueueTroubles
  /// The queues that another transaction holds.
  private var holds: [QueueTable: QueueHold] = [:]
  private var rights = RightsLook()
  /// How long a hold may last before it is reported.
  var holdPatience = QueueHold.patience

  /// - Parameters:
  ///   - node: the proof that this is a node; nil for a listener without nodes.
  ///   - mounts: the remembered mounts; nil for none.
  ///   - most: how many waiting rows are remembered one by one.
  package init(
    _ clearer: Clearer, _ rules: SiteRules, _ memory: ClearMemory, _ logger: Logger,
    node: NodeTokens? = nil, mounts: MountMemory? = nil,
    remembering most: Int = RetryLedger<RowName>.defaultMost
  ) {
    self.logger = logger
    pages = PageClearer(
      CacheWatch(clearer, mounts, logger), rules, memory, logger, remembering: most)
    passes = QueuePasses(pages, retries: node == nil ? .ofRows : .ofNone, logger)
    queues = QueueDrain(pages, passes)
    self.node = node.map { [pages, passes] in NodeDrain(NodeState($0), pages, passes, logger) }
    troubles = QueueTroubles(logger)
    self.node?.whenOthersMove = { [weak self] in self?.troubles.leaveToOthers() }
  }

  /// Serves one batch of a queue.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func step(_ queue: Queue, _ depth: DrainDepth) throws(DatabaseError) -> DrainOutcome {
    defer { pages.failures.flush() }
    do throws(DatabaseError) {
      guard depth == .whole else { return try queues.prompt(queue) }
      let before = pages.tally
      let served = try serve(queue)
      let hasDone = pages.tally.moved != before.moved || pages.tally.rows != before.rows
      // Rows show what they needed. What a trouble was about, they may not have needed.
      if served != .contended, !hasDone || troubles.has(queue.table) { try requireRights(queue) }
      try note(hold: served == .contended && !pages.isWithheld, of: queue)
      // A role that may read rows may still not be allowed to delete them.
      if served != .contended { troubles.end(queue.table) }
      return served
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try queue.rollback()
      // Another transaction holds a row of the batch itself: the same as a writer that holds the queue.
      if reason.isLockTimeout {
        try note(hold: true, of: queue)
        return .contended
      }
      passes.forget(queue.table)
      troubles.note(queue.table, reason, remedy: node.map { _ in NodeState.remedy(for: reason) })
      // The next poll tries it again.
      return .drained(retryAfter: nil)
    }
  }

  private func serve(_ queue: Queue) throws(DatabaseError) -> DrainOutcome {
    guard let node else { return try queues.serve(queue) }
    return try node.serve(queue)
  }

  /// Checks that the role still has the permissions that rows will need. A dry run needs none of them.
  private func requireRights(_ queue: Queue) throws(DatabaseError) {
    guard !pages.cache.isDry else { return }
    if let node, queue.table == .log { return try node.requireLogRights(queue) }
    // A node that moves no rows needs no rights on the queues.
    guard node == nil || node?.node.mover == .this else { return }
    try rights.require(queue, beside: pages.rules.tables)
  }

  /// Notes whether a transaction holds a queue, and reports the holder if the hold lasts.
  private func note(hold isHeld: Bool, of queue: Queue) throws(DatabaseError) {
    guard isHeld else {
      if let hold = holds.removeValue(forKey: queue.table) { hold.tellEnd(queue.table, logger) }
      return
    }
    var hold = holds[queue.table] ?? QueueHold()
    try hold.look(at: queue, after: holdPatience, logger)
    holds[queue.table] = hold
  }

  /// Applies the current configuration, between batches. A queue that is no longer configured will not report what
  /// became of its rows.
  func follow(_ clearer: Clearer, _ rules: SiteRules) {
    pages.follow(clearer, rules)
    passes.keep(rules.asksFor)
    rights = RightsLook()
    holds = holds.filter { rules.asksFor($0.key) }
    troubles.keep(rules.asksFor)
  }

  /// Forgets the progress of passes: after a lost connection they start again from the beginning.
  func reset() {
    passes.reset()
    holds = [:]
    rights = RightsLook()
    node?.node.reset()
  }

  /// The queues that a channel of listen_for announces.
  var announced: Set<QueueTable> {
    get { troubles.announced }
    set { troubles.announced = newValue }
  }

  // MARK: How it stands

  var refusedQueues: [String] { troubles.refused }
  var missingQueues: [String] { troubles.missing }
  var undrainedQueues: [String] { troubles.undrained }

  /// Whether nothing is left of a queue's last turn: no pass in progress, and nothing that the server has refused or
  /// another transaction has held.
  func isDone(with queue: QueueTable) -> Bool {
    !troubles.has(queue) && holds[queue] == nil && !passes.remember(queue)
  }

  /// The queues that another transaction has held for long.
  var heldQueues: [HeldQueue] {
    guard !holds.isEmpty else { return [] }
    return holds.compactMap { $1.entry($0) }.sorted { $0.queue < $1.queue }
  }

  /// How many rows the server did not delete.
  var rowsKept: Int { passes.rowsKept }

  /// How many rows wait for another try, counting only those that are remembered one by one.
  var retriesWaiting: Int { pages.retries.count + rowsKept }
}
