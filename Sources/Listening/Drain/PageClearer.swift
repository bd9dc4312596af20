// SPDX-License-Identifier: BSD-2-Clause
//
// Clears the pages of rows and keys, counts them, and remembers for another try what could not be cleared.

import Basics
import CacheFS
import Logging
import PGQueue

/// Clears the pages of rows, and knows which rows wait for another try.
package final class PageClearer {
  let cache: CacheWatch
  private(set) var rules: SiteRules
  let settle: Settle?
  /// Tells other programs of cleared keys; nil for none.
  let events: ClearEvents?
  let failures: FailureLog
  private(set) var tally = DrainTally()
  /// The rows that cannot be cleared.
  private(set) var retries: RowRetries
  /// How long the clear under a queue's lock may take. The server ends a transaction that is idle for 10 s, and writers
  /// wait.
  var lockPatience = Duration.seconds(3)
  /// When rows asked for which keys; nil when nothing needs to know.
  var requested: RequestedKeys?
  private let logger: Logger

  /// - Parameter most: how many waiting rows are remembered one by one.
  init(
    _ cache: CacheWatch, _ rules: SiteRules, _ memory: ClearMemory, _ logger: Logger,
    remembering most: Int
  ) {
    self.cache = cache
    self.rules = rules
    (settle, events) = (memory.settle, memory.events)
    self.logger = logger
    retries = RowRetries(most: most)
    failures = FailureLog(logger)
    cache.whenMountReturns.append { [weak self] in self?.retries.hasten() }
  }

  /// Takes over the current configuration.
  func follow(_ clearer: Clearer, _ rules: SiteRules) {
    cache.follow(clearer)
    self.rules = rules
    settle?.layout = clearer.layout
    retries.keep(rules.asksFor)
  }

  // MARK: Passes

  /// - Returns: the pass's number.
  func beginPass() -> Int { retries.beginPass() }

  /// - Parameter table: nil means all tables.
  func endPass(_ number: Int, of table: QueueTable? = nil) { retries.endPass(number, of: table) }

  /// Notes how long a pass took that only tried again.
  func note(passTook time: Duration) { retries.note(passTook: time) }

  /// While a mount is away, the listener looks for it each second.
  func untilRetry(at time: ContinuousClock.Instant) -> Duration {
    let left = retries.wait(until: time)
    return cache.isMountAway ? min(left, .seconds(1)) : left
  }

  // MARK: Rows

  /// - Parameter pause: called after every few hundred rows.
  func plan(_ rows: [QueueRow], pause: () -> Void = {}) -> DrainBatch {
    let batch = batch(of: rows, pause)
    requested?.note(batch.keys, cache.clearer.layout)
    return batch
  }

  private func batch(of rows: [QueueRow], _ pause: () -> Void) -> DrainBatch {
    guard !retries.isEmpty else { return DrainBatch(rows, rules, isWaiting: nil, pause: pause) }
    let batch = DrainBatch(
      rows, rules, isWaiting: { self.retries.isWaiting($0) }, pause: pause)
    for name in batch.waiting { retries.meet(name) }
    return batch
  }

  /// Clears the pages of rows, each key once, and sorts the rows by the result.
  func clearPages(of batch: DrainBatch) -> BatchOutcome {
    outcome(of: batch, cache.clearer.clear(batch.keys))
  }

  /// The same, without recent keys. Recent keys are included where the result of each key is needed: for keys that
  /// failed before, and in a dry run.
  func clearPages(
    of batch: DrainBatch, except recent: inout RecentKeys, skipping absent: inout AbsentKeys
  ) -> BatchOutcome {
    guard retries.isEmpty, !cache.isDry else { return clearPages(of: batch) }
    let outcome = outcome(
      of: batch, cache.clearer.clear(batch.keys, except: &recent, skipping: &absent))
    // A key that failed is tried each time.
    if !outcome.waiting.isEmpty { recent = RecentKeys() }
    return outcome
  }

  /// The same under the queue's lock, within ``lockPatience``: the longest time that the server and the waiting writers
  /// are held up. A row whose folder other processes keep refilling must wait. The rows that were not reached because
  /// of it belong to the next batch.
  func clearPagesInTime(of batch: DrainBatch, skipping absent: inout AbsentKeys) -> BatchOutcome {
    let clearer = cache.clearer.bounded(until: .now + lockPatience)
    return outcome(of: batch, clearer.clear(batch.keys, skipping: &absent))
  }

  private func outcome(of batch: DrainBatch, _ reports: [ClearReport]) -> BatchOutcome {
    var outcome = BatchOutcome(reports: reports, keys: batch.keys.count)
    for report in reports { count(report) }
    let isLate = reports.contains(where: \.isPartial)
    if isLate, cache.clearer.isStopped { return BatchOutcome(isPartial: true, reports: reports) }
    if !isLate, retries.isEmpty, reports.allSatisfy({ $0.failures.isEmpty }) {
      outcome.cleared = batch.keys
      outcome.retirable = batch.rows
      return outcome
    }
    outcome.cleared = zip(batch.keys, reports).compactMap {
      $1.failures.isEmpty && !$1.isPartial ? $0 : nil
    }
    var unfinished: [(row: QueueRow, key: CacheKey)] = []
    for (row, indices) in zip(batch.rows, batch.indices) {
      let failures = indices.flatMap { reports[$0].allFailures }
      if failures.isEmpty {
        if isLate, let late = indices.first(where: { reports[$0].isPartial }) {
          unfinished.append((row, batch.keys[late]))
        } else {
          outcome.retirable.append(row)
        }
        continue
      }
      let name = RowName(row)
      // Once for each try, however many rows have the name.
      if outcome.waiting.insert(name).inserted { postpone(name, Array(failures)) }
    }
    outcome.isUnfinished = !unfinished.isEmpty
    guard outcome.isUnfinished, outcome.retirable.isEmpty, outcome.waiting.isEmpty else {
      return outcome
    }
    // If one key alone takes longer than that, its rows wait. Otherwise the next batch would be the same for ever.
    for (row, key) in unfinished where outcome.waiting.insert(RowName(row)).inserted {
      let path = cache.clearer.layout.text(of: key).replacing("\t", with: "/")
      postpone(RowName(row), [PathFailure(path: CachePath(Array(path.utf8)), error: .isRefilled)])
    }
    outcome.isUnfinished = false
    return outcome
  }

  // MARK: Without rows

  /// Clears what no row asks for: a whole family.
  ///
  /// A stop ends the clear, and leaves the rest to the next process through the settle list. Where the settle list
  /// would not survive, only this clear remembers the key, so the clear runs to its end.
  func clear(_ key: CacheKey) -> ClearReport {
    let report = cache.clearer.clear(key)
    count(report)
    guard report.isPartial, !cache.isDry else { return report }
    if let settle, settle.isDurable {
      settle.putBack([key])
      return report
    }
    let rest = cache.clearer.unstoppable().clear(key)
    count(rest)
    return rest
  }

  /// Clears keys and counts the removed pages, and no more than that: a key that fails is met again later.
  func clearPromptly(_ rows: [QueueRow]) {
    for report in cache.clearer.clear(plan(rows).keys) { count(report) }
  }

  /// Counts and logs what a batch would have done.
  func countDry(_ batch: DrainBatch, _ outcome: BatchOutcome) {
    count(rows: outcome.retirable.count + batch.refused.count, keys: outcome.keys)
    name(cleared: outcome.retirable)
    count(refused: batch.refused)
  }

  // MARK: Events

  /// Whether rows stay because their events cannot be written.
  var isWithheld: Bool { events?.isBlocked ?? false }

  /// Tells other programs of the keys that were cleared, and waits until that is on the disk.
  /// - Returns: false when it is not. What names the keys must then stay.
  func tell(_ keys: [CacheKey], _ reports: [ClearReport], _ reason: ClearReason) -> Bool {
    tell(keys, reports) { _ in reason }
  }

  /// The same for the keys of a batch.
  /// - Parameter reports: evaluated only where events are written.
  func tell(_ batch: DrainBatch, _ reports: @autoclosure () -> [ClearReport]) -> Bool {
    guard events != nil else { return true }
    let tables = batch.tables
    return tell(batch.keys, reports()) { .queue(tables[$0]) }
  }

  private func tell(
    _ keys: [CacheKey], _ reports: [ClearReport], reason: (Int) -> ClearReason
  ) -> Bool {
    guard let events else { return true }
    let cleared = keys.indices.filter { reports[$0].failures.isEmpty && !reports[$0].isPartial }
    return events.write(
      cleared.map { (keys[$0], reports[$0].filesRemoved) }, cache.clearer.layout
    ) { reason(cleared[$0]) }
  }

  // MARK: Counting

  /// The tally since the last call.
  func takeTally() -> DrainTally {
    defer { tally = DrainTally() }
    return tally
  }

  func count(_ report: ClearReport) {
    tally.files += report.filesRemoved
    tally.bytes = clampedSum(tally.bytes, report.bytesRemoved)
    let verb = cache.isDry ? "would remove" : "removed"
    cache.noteMounts(report)
    for path in report.removed { logger.debug("\(verb) \(path)") }
  }

  /// Counts rows that are done.
  /// - Parameter asked: how many rows the server was asked to delete.
  func count(rows: Int, keys: Int, asked: Int = 0) {
    tally.rows += rows
    tally.keys += keys
    tally.asked += asked
  }

  /// Names rows whose pages are gone: a few for the drain's line, and each row for the debug log.
  func name(cleared rows: [QueueRow]) {
    tally.named.add(rows)
    guard logger.logLevel <= .debug else { return }
    let verb = cache.isDry ? "would clear" : "cleared"
    for row in rows { logger.debug("\(row.table.name.escaped): \(verb) \(RowName(row).text)") }
  }

  /// Counts rows that named nothing and are gone from their queue.
  func count(refused: [(row: QueueRow, problem: RowProblem)]) {
    tally.refused += refused.count
    for row in refused { tell(row.row, row.problem) }
  }

  func count(moved: Int) { tally.moved += moved }

  // MARK: What cannot be done

  /// Logs the first failure of a row. Later failures only postpone its next try.
  private func postpone(_ name: RowName, _ reasons: [PathFailure]) {
    let noted = retries.postpone(name)
    guard noted != .again, let first = reasons.first else { return }
    tally.failures += 1
    // Logged once, whatever the number of rows.
    if first.error == .mountAway { return }
    failures.note(
      .init(subject: name.table.name, reason: first.reason),
      "\(name.table.name): \(name.text): \(first.explanation)\(Self.more(than: reasons))",
      name: name.text,
      end: ("; the row stays; will retry", "; the rows stay; will retry"))
  }

  private static func more(than reasons: [PathFailure]) -> String {
    reasons.count > 1 ? " (and \(reasons.count - 1) more pages)" : ""
  }

  /// Rows are gone from their queue. Logs those of them that could not be cleared before.
  func noteRecovered(_ rows: [QueueRow]) {
    guard !retries.isEmpty else { return }
    for name in rows.lazy.map(RowName.init) where retries.remove(name) {
      tally.recovered += 1
      failures.note(
        .init(subject: name.table.name, reason: "recovered", level: .notice),
        "\(name.table.name): \(name.text)", name: name.text,
        end: (": cleared at last", ": cleared at last"))
    }
  }

  /// Logs that a row names nothing.
  private func tell(_ row: QueueRow, _ problem: RowProblem) {
    let verb = cache.isDry ? ("would be", "would be") : ("is", "are")
    failures.note(
      .init(subject: row.table.name, reason: problem.kind),
      "\(row.table.name.escaped): row \(escape(Array(row.position.utf8))) \(problem.explanation)",
      name: "row \(escape(Array(row.position.utf8)))",
      end: (
        "; nothing to clear, the row \(verb.0) deleted",
        "; nothing to clear, the rows \(verb.1) deleted"
      ))
  }
}

extension ClearReport {
  /// All failures, including that of a folder that could not be cleared in time.
  fileprivate var allFailures: [PathFailure] {
    failures + (cutShort.map { [PathFailure(path: $0, error: .isRefilled)] } ?? [])
  }
}
