// The pages of a batch's rows: cleared each once, counted, and what cannot go remembered for another try.

import CacheFS
import Logging
import PGQueue

extension Drain {
  struct Outcome {
    /// Whether a stop has ended the clear; nothing is known of any row then.
    var isPartial = false
    /// Whether there are rows whose pages the time under the lock was too short for.
    var isUnfinished = false
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
    let batch = Batch(rows, rules) { self.retries.isWaiting($0) }
    for name in batch.waiting { retries.meet(name, pass: pass) }
    return batch
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

  /// The same under the queue's lock, in the time for which the server and the writers behind the lock are held up at
  /// most. A row whose folder others refill all the while has to wait, and those that it has kept from being looked at
  /// are the next batch's.
  func clearPagesInTime(of batch: Batch) -> Outcome {
    outcome(of: batch, clearer.bounded(until: .now + lockPatience).clear(batch.keys))
  }

  private func outcome(of batch: Batch, _ reports: [ClearReport]) -> Outcome {
    var outcome = Outcome(reports: reports, keys: batch.keys.count)
    for report in reports { count(report) }
    let isLate = reports.contains(where: \.isPartial)
    if isLate, clearer.isStopped { return Outcome(isPartial: true, reports: reports) }
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
      // Once a try, however many rows have the name.
      if outcome.waiting.insert(name).inserted { postpone(name, Array(failures)) }
    }
    outcome.isUnfinished = !unfinished.isEmpty
    guard outcome.isUnfinished, outcome.retirable.isEmpty, outcome.waiting.isEmpty else {
      return outcome
    }
    // One key alone takes longer: the rows wait, or the next batch would be the same for ever.
    for (row, key) in unfinished where outcome.waiting.insert(RowName(row)).inserted {
      let path = clearer.layout.text(of: key).replacing("\t", with: "/")
      postpone(RowName(row), [ClearFailure(path: CachePath(Array(path.utf8)), error: .isRefilled)])
    }
    outcome.isUnfinished = false
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
    noteMounts(report)
    for path in report.removed { logger.debug("\(verb) \(path)") }
  }

  // MARK: What cannot be done

  /// Tells of the first failure of a row; later ones only push its next try away.
  private func postpone(_ name: RowName, _ reasons: [ClearFailure]) {
    let noted = retries.postpone(name, pass: pass)
    if noted == .full { noteOverflow(name.table) }
    guard noted != .again, let first = reasons.first else { return }
    tally.failures += 1
    // Told once, whatever the number of rows.
    if first.error == .mountAway { return }
    failures.note(
      .init(subject: name.table.name, reason: first.reason),
      "\(name.table.name): \(name.text): \(first.explanation)\(Self.more(than: reasons))",
      name: name.text,
      end: ("; the row stays and is retried", "; the rows stay and are retried"))
  }

  private static func more(than reasons: [ClearFailure]) -> String {
    reasons.count > 1 ? " (and \(reasons.count - 1) more pages)" : ""
  }

  /// Rows are gone from their queue, with those among them that could not be cleared before.
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

  /// A row names nothing.
  func tell(_ row: QueueRow, _ problem: RowProblem) {
    let verb = clearer.dryRun == .no ? ("is", "are") : ("would be", "would be")
    failures.note(
      .init(subject: row.table.name, reason: problem.kind),
      "\(row.table.name.escaped): row \(escape(Array(row.position.utf8))) \(problem.explanation)",
      name: "row \(escape(Array(row.position.utf8)))",
      end: (
        "; nothing to clear, the row \(verb.0) deleted",
        "; nothing to clear, the rows \(verb.1) deleted"
      ))
  }

  /// The server keeps a row, and says nothing of it.
  func tellKept(_ row: QueueRow) {
    let (name, table) = (RowName(row).text, row.table.name)
    let end =
      "; a trigger, a rule or row-level security of the table keeps it. Let the listener's role delete rows; "
      + "their pages are cleared, and deleting is tried again"
    failures.note(
      .init(subject: table, reason: "kept"),
      "\(table): \(name): the server did not delete the row, and reported no error", name: name,
      end: (end, end))
  }
}

extension ClearReport {
  /// Those of a folder too that could not be cleared in time.
  fileprivate var allFailures: [ClearFailure] {
    failures + (cutShort.map { [ClearFailure(path: $0, error: .isRefilled)] } ?? [])
  }
}
