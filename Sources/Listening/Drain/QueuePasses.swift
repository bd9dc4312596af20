// SPDX-License-Identifier: BSD-2-Clause
//
// The progress of the pass over each queue, and the rows that the server keeps. This is what a drain remembers about
// queues from batch to batch, whether it deletes their rows or moves them.

import Logging
import PGQueue

/// The passes in progress, one for each queue.
final class QueuePasses {
  /// What must be tried again at the end of a pass.
  enum Retries {
    /// The rows that could not be cleared: they are in the queue.
    case ofRows
    /// Nothing: one of many nodes tries again what it has read from the log.
    case ofNone
  }

  private let pages: PageClearer
  private let retries: Retries
  private let logger: Logger
  private var passes: [QueueTable: DrainPass] = [:]
  /// The rows that the server keeps.
  private var kept: [QueueTable: KeptRows] = [:]

  init(_ pages: PageClearer, retries: Retries, _ logger: Logger) {
    self.pages = pages
    self.retries = retries
    self.logger = logger
    // The rows that could not be cleared come first.
    pages.cache.whenMountReturns.append { [weak self] in self?.passes = [:] }
  }

  /// Forgets the progress of all passes.
  func reset() { passes = [:] }

  func forget(_ table: QueueTable) { passes[table] = nil }

  /// Whether a pass over the queue is in progress, or the server keeps rows of it.
  func remember(_ table: QueueTable) -> Bool { passes[table] != nil || kept[table] != nil }

  /// Forgets the queues that are no longer asked for, and what depends on the configuration.
  func keep(_ isKnown: (QueueTable) -> Bool) {
    passes = passes.filter { isKnown($0.key) }
    for table in passes.keys { passes[table]?.forgetConfiguration() }
    kept = kept.filter { isKnown($0.key) }
  }

  // MARK: A pass

  /// Takes the pass in progress over a queue, or a new pass. The caller owns it until the caller puts it back.
  func take(_ table: QueueTable) -> DrainPass {
    var pass = passes.removeValue(forKey: table) ?? DrainPass()
    if pass.position == nil {
      pass.number = pages.beginPass()
      pass.began = .now
      pass.triesKept = kept[table].map { $0.retry.notBefore <= .now } ?? false
    }
    return pass
  }

  func putBack(_ pass: DrainPass, _ table: QueueTable) {
    passes[table] = pass.hasEnded ? nil : pass
  }

  /// The pass in progress, or a pass that has looked at nothing. Does not begin it.
  func glance(_ table: QueueTable) -> DrainPass {
    passes[table] ?? DrainPass(number: pages.retries.pass)
  }

  /// Goes on behind a batch. Ends the pass if that batch was the last.
  func advance(_ pass: inout DrainPass, behind rows: [QueueRow], limit: Int, _ table: QueueTable)
    -> DrainOutcome
  {
    guard rows.count >= limit, let last = rows.last else { return end(&pass, table) }
    pass.position = last.place
    return .more
  }

  func end(_ pass: inout DrainPass, _ table: QueueTable) -> DrainOutcome {
    endKept(pass, table)
    pass.hasEnded = true
    var times = [kept[table]?.retry.notBefore]
    if retries == .ofRows {
      pages.endPass(pass.number, of: table)
      times.append(pages.retries.next(of: table))
    }
    let next = times.compactMap { $0 }.min()
    if next != nil, !pass.hasRetired { pages.note(passTook: pass.began.duration(to: .now)) }
    return .drained(retryAfter: next.map(pages.untilRetry(at:)))
  }

  // MARK: Rows that the server keeps

  /// The number of rows that the server keeps.
  var rowsKept: Int { kept.values.reduce(0) { $0 + $1.places.count } }

  /// The rows of a batch that the server is asked to delete: without those that the server has kept before, unless
  /// their next try is due.
  func asked(_ rows: [QueueRow], of table: QueueTable, in pass: DrainPass) -> [QueueRow] {
    let held = pass.triesKept ? [] : kept[table]?.places ?? []
    if held.isEmpty { return rows }
    return rows.filter { $0.place.map(held.contains) != true }
  }

  /// Notes rows that were to be deleted and are still in the queue.
  func noteKept(_ remaining: [QueueRow], of table: QueueTable, in pass: inout DrainPass) {
    let places = Set(remaining.compactMap(\.place))
    guard !places.isEmpty else { return }
    let known = kept[table]?.places ?? []
    for row in remaining where row.place.map(known.contains) != true { tellKept(row) }
    if pass.triesKept {
      pass.kept.formUnion(places)
    } else {
      kept[table, default: KeptRows()].add(places)
    }
  }

  /// Ends a pass that has tried the kept rows again.
  private func endKept(_ pass: DrainPass, _ table: QueueTable) {
    guard pass.triesKept, var rows = kept.removeValue(forKey: table) else { return }
    guard !pass.kept.isEmpty else {
      logger.notice("\(table.name): rows can be deleted again")
      return
    }
    rows.replace(pass.kept)
    kept[table] = rows
  }

  /// Logs that the server keeps a row without an error.
  private func tellKept(_ row: QueueRow) {
    let (name, table) = (RowName(row).text, row.table.name)
    let end =
      "; a trigger, a rule or row-level security of the table keeps it. Allow the listener's role to delete "
      + "rows. The pages are cleared; will retry to delete"
    pages.failures.note(
      .init(subject: table, reason: "kept"),
      "\(table): \(name): the server did not delete the row, and reported no error", name: name,
      end: (end, end))
  }
}
