// The pages of a batch's rows: cleared each once, counted, and what cannot go remembered for another try.

import CacheFS
import Logging
import PGQueue

extension Drain {
  /// How many rows that cannot be cleared, or could at last, a drain tells of one by one: a whole
  /// tree mounted read-only is one piece of news, not 20,000.
  private static let toldSingly = 10

  struct Outcome {
    var retirable: [QueueRow] = []
    var waiting: Set<RowName> = []
    /// What came of each key.
    var reports: [ClearReport] = []
    /// The keys whose pages are all gone, and how many there were.
    var cleared: [CacheKey] = []
    var keys = 0
  }

  func plan(_ rows: [QueueRow]) -> Batch {
    guard !retries.isEmpty else { return Batch(rows, rules, isWaiting: nil) }
    return Batch(rows, rules) { name in
      self.retries[name].map { $0.notBefore > .now } ?? false
    }
  }

  /// Clears the pages of rows, each key once, and tells the rows apart by what came of them.
  func clearPages(of batch: Batch) -> Outcome {
    outcome(of: batch, clearer.clear(batch.keys))
  }

  /// The same, but for recent keys, unless it must be told what becomes of each: of those that failed
  /// before, and in a dry run.
  func clearPages(of batch: Batch, except recent: inout RecentKeys) -> Outcome {
    guard retries.isEmpty, clearer.dryRun == .no else { return clearPages(of: batch) }
    let outcome = outcome(of: batch, clearer.clear(batch.keys, except: &recent))
    // What fails is looked for each time.
    if !outcome.waiting.isEmpty { recent = RecentKeys() }
    return outcome
  }

  private func outcome(of batch: Batch, _ reports: [ClearReport]) -> Outcome {
    var outcome = Outcome(reports: reports, keys: batch.keys.count)
    for report in reports { count(report) }
    if retries.isEmpty, reports.allSatisfy({ $0.failures.isEmpty }) {
      outcome.cleared = batch.keys
      outcome.retirable = batch.rows
      return outcome
    }
    outcome.cleared = zip(batch.keys, reports).compactMap { $1.failures.isEmpty ? $0 : nil }
    for (row, indices) in zip(batch.rows, batch.indices) {
      let name = RowName(row)
      let failures = indices.flatMap { reports[$0].failures }
      if failures.isEmpty {
        recover(name)
        outcome.retirable.append(row)
      } else if outcome.waiting.insert(name).inserted {
        // Once a try, however many rows have the name.
        postpone(name, failures)
      }
    }
    return outcome
  }

  /// Counts and tells what a batch would have come to.
  func countDry(_ batch: Batch, _ outcome: Outcome) {
    for row in batch.refused { tell(row.row, row.problem) }
    tally.rows += outcome.retirable.count + batch.refused.count
    tally.refused += batch.refused.count
    tally.keys += outcome.keys
  }

  func count(_ report: ClearReport) {
    tally.files += report.filesRemoved
    tally.bytes = clampedSum(tally.bytes, report.bytesRemoved)
    let verb = clearer.dryRun == .no ? "removed" : "would remove"
    for path in report.removed { logger.debug("\(verb) \(path)") }
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

  func tell(_ row: QueueRow, _ problem: RowProblem) {
    logger.error(
      """
      \(row.table.name.escaped): row \(escape(Array(row.position.utf8))) \(problem.explanation); \
      nothing to clear, the row \(clearer.dryRun == .no ? "is" : "would be") deleted
      """)
  }
}
