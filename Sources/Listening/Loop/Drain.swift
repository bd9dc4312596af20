// SPDX-License-Identifier: BSD-2-Clause
//
// The drain of a queue, by a listener that is alone or as one of many nodes: one batch at a time, and what stands in
// the way of it.

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
  /// The queues that somebody holds.
  private var holds: [QueueTable: QueueHold] = [:]
  /// How long that is nobody's concern.
  var holdPatience = QueueHold.patience

  /// - Parameters:
  ///   - node: what proves that this is a node; nil for a listener that is alone.
  ///   - mounts: what is remembered of mounts; nil for nothing.
  ///   - most: how many rows that wait are remembered one by one.
  package init(
    _ clearer: Clearer, _ rules: SiteRules, _ settle: Settle?, _ logger: Logger,
    node: NodeTokens? = nil, mounts: MountMemory? = nil,
    remembering most: Int = RetryLedger<RowName>.defaultMost
  ) {
    self.logger = logger
    pages = PageClearer(
      CacheWatch(clearer, mounts, logger), rules, settle, logger, remembering: most)
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
      if served != .contended, !hasDone { try requireRights(queue) }
      try note(hold: served == .contended, of: queue)
      // Rows that may be read are not yet rows that may be deleted.
      if served != .contended { troubles.end(queue.table) }
      return served
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try queue.rollback()
      // Somebody holds a row of the batch itself: the same as a writer that holds the queue.
      if reason.isLockTimeout {
        try note(hold: true, of: queue)
        return .contended
      }
      passes.forget(queue.table)
      troubles.note(queue.table, reason, remedy: node.map { _ in NodeState.remedy(for: reason) })
      // The poll backstop comes back to it.
      return .drained(retryAfter: nil)
    }
  }

  private func serve(_ queue: Queue) throws(DatabaseError) -> DrainOutcome {
    guard let node else { return try queues.serve(queue) }
    return try node.serve(queue)
  }

  /// Nothing has shown that the role may still do what rows will ask for. A dry run needs none of it.
  private func requireRights(_ queue: Queue) throws(DatabaseError) {
    guard !pages.cache.isDry else { return }
    if let node { try node.requireRights(queue) } else { try queue.requireRights() }
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

  /// Takes what the configuration says by now, between batches. A queue that nobody asks for any more will not say what
  /// became of its rows.
  func follow(_ clearer: Clearer, _ rules: SiteRules) {
    pages.follow(clearer, rules)
    passes.keep(rules.asksFor)
    holds = holds.filter { rules.asksFor($0.key) }
    troubles.keep(rules.asksFor)
  }

  /// Forgets how far passes have come: after a lost connection they begin anew.
  func reset() {
    passes.reset()
    holds = [:]
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

  /// The queues that somebody has held for long.
  var heldQueues: [HeldQueue] {
    guard !holds.isEmpty else { return [] }
    return holds.compactMap { $1.entry($0) }.sorted { $0.queue < $1.queue }
  }

  /// How many rows the server keeps.
  var rowsKept: Int { passes.rowsKept }

  /// How many rows wait for another try, as far as they are remembered one by one.
  var retriesWaiting: Int { pages.retries.count + rowsKept }
}
