// SPDX-License-Identifier: BSD-2-Clause
//
// Joins a queue to the Clearer: steps 1 to 4 of the drain protocol, one batch at a time.
//
//   1. select the batch; clear its pages at once
//   2. lock the queue: every writer that saw our rows has committed
//   3. clear the pages of the same rows again, and write their events, while the server deletes them
//   4. commit, but for rows whose pages could not go
//
// A crash before the commit repeats the batch. See docs/drain-protocol.md for why.

import CacheFS
import PGQueue

/// Drains queues, for a listener without other nodes.
final class QueueDrain {
  /// The time that each try for the lock leaves for the pages of other rows. The tries are soon a second apart.
  private static let timeForOthers = Duration.milliseconds(50)
  /// Rows that wait longer than this are told before they are retired.
  private static let untoldWait = Duration.seconds(1)
  /// Only so many of them: each takes a hundred bytes or two.
  private static let mostTold = 65_536

  private let pages: PageClearer
  private let passes: QueuePasses
  private var batchSize = BatchSize()

  init(_ pages: PageClearer, _ passes: QueuePasses) {
    self.pages = pages
    self.passes = passes
  }

  /// A batch in progress.
  private struct Step {
    let queue: Queue
    /// How many rows the batch may have.
    let limit: Int
    let rows: [QueueRow]
    let batch: DrainBatch
    /// The result of the clear before the lock.
    let first: BatchOutcome
    /// The rows that name nothing and must be deleted.
    let refused: [(row: QueueRow, problem: RowProblem)]
    /// The rows whose pages are gone and that must be deleted.
    let cleared: [QueueRow]
    /// Of both.
    let deletion: Queue.Deletion

    /// The reports of the second clear. Each includes what the first clear removed, where both had the same keys.
    func reports(with second: BatchOutcome) -> [ClearReport] {
      guard first.waiting.isEmpty else { return second.reports }
      return zip(first.reports, second.reports).map { first, second in
        var sum = first
        sum.add(second)
        return sum
      }
    }
  }

  /// Serves one batch: steps 1 to 4.
  /// - Throws: ``DatabaseError``.
  func serve(_ queue: Queue) throws(DatabaseError) -> DrainOutcome {
    guard pages.cache.followRoot() else {
      // The next pass starts from the beginning. Otherwise it would skip rows that were added behind this pass's place
      // meanwhile.
      passes.forget(queue.table)
      return .drained(retryAfter: .seconds(1))
    }
    var pass = passes.take(queue.table)
    defer { passes.putBack(pass, queue.table) }
    let began = ContinuousClock.now
    let root = pages.cache.clearer
    let (rows, limit) = try next(of: queue, &pass)
    guard let last = rows.last?.place else { return passes.end(&pass, queue.table) }
    CrashPoint.selected.reach()
    var step = Step?.none
    if rows.count < limit || pages.cache.isDry || pass.heldSince != nil {
      step = clear(rows, limit, of: queue, &pass)
    } else {
      // The server selects the next batch while the pages of this one are cleared.
      let room = batchSize.rows
      let ahead = try queue.batch(after: last, limit: room) { pause in
        step = clear(rows, limit, of: queue, &pass, pause: pause)
      }
      pass.keep(ahead: ahead, limit: room, behind: last)
    }
    CrashPoint.cleared.reach()
    // A stop interrupted the clear; the rows stay where they are.
    guard let step, !step.first.isPartial else { return .more }
    guard !pages.cache.isDry else {
      pages.countDry(step.batch, step.first)
      return passes.advance(&pass, behind: rows, limit: limit, queue.table)
    }
    if step.deletion.rows.isEmpty {
      // There is nothing to retire, so writers need not wait for a useless lock.
      return passes.advance(&pass, behind: rows, limit: limit, queue.table)
    }
    // While events cannot be written, the lock would be useless.
    if pages.isWithheld, !pages.tell(step.batch, step.first.reports) {
      return try hold(step, &pass)
    }
    switch try queue.lock(rows) {
    case .granted: return try retire(step, in: root, &pass, began)
    case .contended: return try hold(step, &pass)
    case .rewritten: return .more  // the same rows, in their new places
    }
  }

  /// The next rows of a pass, and how many there might be. The batch before has read them, unless it was the last, or
  /// had to stay.
  private func next(
    of queue: Queue, _ pass: inout DrainPass
  ) throws(DatabaseError) -> ([QueueRow], Int) {
    if let ahead = pass.takeAhead() { return ahead }
    let limit = batchSize.rows
    return (try queue.batch(after: pass.position, limit: limit), limit)
  }

  /// The second half of step 1, and what step 3 will delete.
  private func clear(
    _ rows: [QueueRow], _ limit: Int, of queue: Queue, _ pass: inout DrainPass,
    pause: () -> Void = {}
  ) -> Step {
    let batch = pages.plan(rows, pause: pause)
    let first = pages.clearPages(
      of: batch, except: &pass.recent, skipping: &pass.absent)
    let refused = batch.refused.filter {
      !passes.asked([$0.row], of: queue.table, in: pass).isEmpty
    }
    let cleared = passes.asked(first.retirable, of: queue.table, in: pass)
    let deletion = queue.deletion(of: cleared, and: refused.map(\.row))
    pause()
    return Step(
      queue: queue, limit: limit, rows: rows, batch: batch, first: first, refused: refused,
      cleared: cleared, deletion: deletion)
  }

  /// Steps 3 and 4, under the queue's lock.
  private func retire(
    _ step: Step, in root: Clearer, _ pass: inout DrainPass, _ began: ContinuousClock.Instant
  ) throws(DatabaseError) -> DrainOutcome {
    let locked = ContinuousClock.now
    CrashPoint.locked.reach()
    let (queue, first) = (step.queue, step.first)
    let again =
      first.waiting.isEmpty ? step.batch : step.batch.only { first.reports[$0].failures.isEmpty }
    var outcome = BatchOutcome()
    var (cleared, asked) = (step.cleared, step.deletion.rows)
    var isTold = false
    var deleted = try queue.delete(step.deletion) {
      outcome = pages.clearPagesInTime(of: again, skipping: &pass.absent)
      CrashPoint.clearedAgain.reach()
      isTold = outcome.isPartial || pages.tell(again, step.reports(with: outcome))
    }
    guard !outcome.isPartial, pages.cache.followRoot(), pages.cache.clearer.isSameTree(as: root)
    else {
      // The clear did not reach the tree that visitors see, or not all of it. Clear again, in the tree that they see.
      try queue.rollback()
      return .more
    }
    guard isTold else {
      try queue.rollback()
      return try hold(step, &pass)
    }
    if !outcome.waiting.isEmpty || outcome.isUnfinished {
      // A page has appeared that cannot be removed, or not in time: its rows stay after all.
      try queue.undelete()
      cleared = passes.asked(outcome.retirable, of: queue.table, in: pass)
      let deletion = queue.deletion(of: cleared, and: step.refused.map(\.row))
      asked = deletion.rows
      deleted = try queue.delete(deletion)
      pass.recent = RecentKeys()
    }
    let remaining = deleted < asked.count ? try queue.remaining(of: asked) : []
    pages.settle?.add(outcome.cleared)
    try queue.commit()
    pages.count(rows: deleted, keys: outcome.keys, asked: asked.count)
    pages.name(cleared: cleared)
    CrashPoint.retired.reach()
    note(retired: asked, but: remaining, step, in: &pass)
    pass.promptedTo = nil
    (pass.heldSince, pass.told) = (nil, [])
    pass.hasRetired = pass.hasRetired || deleted > 0
    batchSize.adapt(took: began.duration(to: .now), locked: locked.duration(to: .now))
    return outcome.isUnfinished
      ? .more : passes.advance(&pass, behind: step.rows, limit: step.limit, queue.table)
  }

  /// Notes what became of the rows that were to be deleted.
  private func note(
    retired asked: [QueueRow], but remaining: [QueueRow], _ step: Step, in pass: inout DrainPass
  ) {
    let places = Set(remaining.compactMap(\.place))
    let isGone = { (row: QueueRow) in places.isEmpty || row.place.map(places.contains) != true }
    pages.count(refused: step.refused.filter { isGone($0.row) })
    pages.noteRecovered(asked.filter(isGone))
    passes.noteKept(remaining, of: step.queue.table, in: &pass)
  }

  /// Rows must stay for now. The next try clears all of their pages before it asks for the lock, since that may take
  /// long.
  private func hold(_ step: Step, _ pass: inout DrainPass) throws(DatabaseError) -> DrainOutcome {
    pass.recent = RecentKeys()
    pass.heldSince = pass.heldSince ?? .now
    tellWaiting(step.batch, step.first, of: step.queue, &pass)
    try clearBeyond(step, &pass)
    return .contended
  }

  /// Tells other programs of the keys of rows that a writer holds up for long, once for each row. Their pages are cleared,
  /// and a CDN must not keep them until that writer ends. They are told again when the rows are retired.
  private func tellWaiting(
    _ batch: DrainBatch, _ outcome: BatchOutcome, of queue: Queue, _ pass: inout DrainPass
  ) {
    guard pages.events != nil, !pages.isWithheld, let since = pass.heldSince,
      since.duration(to: .now) >= Self.untoldWait
    else { return }
    var indices: Set<Int> = []
    for (row, keys) in zip(batch.rows, batch.indices) {
      guard let place = row.place, pass.told.count < Self.mostTold,
        pass.told.insert(place).inserted
      else { continue }
      indices.formUnion(keys)
    }
    let fresh = indices.sorted()
    _ = pages.tell(
      fresh.map { batch.keys[$0] }, fresh.map { outcome.reports[$0] }, .waiting(queue.table))
  }

  /// Clears the pages of new rows, which are retired later: only step 1 of the protocol.
  /// - Throws: ``DatabaseError``.
  func prompt(_ queue: Queue) throws(DatabaseError) -> DrainOutcome {
    guard !pages.cache.isDry, pages.cache.followRoot() else { return .prompted }
    var pass = passes.glance(queue.table)
    // A commit's id does not follow time: in such a queue every waiting row is looked at.
    let start = queue.table.growsWithTime ? pass.promptedTo ?? pass.position : nil
    let rows = try queue.batch(after: start, limit: BatchSize.least)
    _ = pages.clearPages(of: pages.plan(rows))
    pass.promptedTo = rows.last?.place ?? pass.promptedTo
    passes.putBack(pass, queue.table)
    return .prompted
  }

  /// While a writer holds the lock, the pages of the rows behind the first batch are cleared too. Rows that have not
  /// had a turn come first; then all rows take turns, since visitors re-create pages from data that does not include
  /// the writer's uncommitted changes.
  private func clearBeyond(_ step: Step, _ pass: inout DrainPass) throws(DatabaseError) {
    let (queue, limit) = (step.queue, step.limit)
    guard step.rows.count >= limit, let first = step.rows.last?.place else { return }
    let until = ContinuousClock.now + Self.timeForOthers
    var isAtEnd = false
    repeat {
      let more = try queue.batch(after: pass.promptedTo ?? first, limit: limit)
      guard clearWaiting(more, of: queue, &pass) else { return }
      pass.promptedTo = more.last?.place ?? pass.promptedTo
      isAtEnd = more.count < limit
    } while !isAtEnd && .now < until
    guard isAtEnd else { return }
    repeat {
      let more = try queue.batch(after: pass.rotatedTo ?? first, limit: limit)
      guard clearWaiting(more, of: queue, &pass) else { return }
      pass.rotatedTo = more.count < limit ? nil : more.last?.place
    } while pass.rotatedTo != nil && .now < until
  }

  /// - Returns: false when a stop has interrupted it.
  private func clearWaiting(
    _ rows: [QueueRow], of queue: Queue, _ pass: inout DrainPass
  ) -> Bool {
    let batch = pages.plan(rows)
    let outcome = pages.clearPages(of: batch)
    if !outcome.isPartial { tellWaiting(batch, outcome, of: queue, &pass) }
    return !outcome.isPartial
  }
}
