// SPDX-License-Identifier: BSD-2-Clause
//
// The rows that could not be cleared, and when each is tried again. They stay in their queues. Where the ledger cannot
// hold them all, it only remembers that the queue has more.

import PGQueue

/// The waiting rows of all queues.
struct RowRetries {
  private var ledger: RetryLedger<RowName>
  /// How much of the time tries may take.
  private var pace = RetryPace()
  /// The queues with more waiting rows than the ledger holds, and when these rows are tried again. They are still in
  /// their queue, and each pass meets them.
  private var overflows: [QueueTable: Retry] = [:]
  /// The queues that the current pass found to have more than the ledger holds.
  private var overflown: Set<QueueTable> = []
  /// The number of the current pass, or of the last one.
  private(set) var pass = 0

  /// - Parameter most: how many rows are remembered one by one.
  init(most: Int) { ledger = RetryLedger(most: most) }

  var isEmpty: Bool { ledger.isEmpty }
  var count: Int { ledger.count }

  /// Whether a row's next try is not due yet.
  func isWaiting(_ name: RowName) -> Bool { ledger.isWaiting(name) }

  /// Notes that the current pass has met a row.
  mutating func meet(_ name: RowName) { ledger.meet(name, pass: pass) }

  /// Postpones a row's next try.
  mutating func postpone(_ name: RowName) -> RetryLedger<RowName>.Noted {
    let noted = ledger.postpone(name, pass: pass)
    if noted == .full, overflown.insert(name.table).inserted {
      overflows[name.table, default: Retry()].postpone()
    }
    return noted
  }

  /// - Returns: whether the row was in the ledger.
  mutating func remove(_ name: RowName) -> Bool { ledger.remove(name) }

  /// The common cause of all failures is gone.
  mutating func hasten() {
    ledger.hasten()
    for table in overflows.keys { overflows[table]?.hasten() }
  }

  /// Forgets the rows of queues that are no longer asked for.
  mutating func keep(_ isKnown: (QueueTable) -> Bool) {
    ledger.keep { name, _ in isKnown(name.table) }
    overflows = overflows.filter { isKnown($0.key) }
  }

  // MARK: Passes

  /// - Returns: the pass's number.
  mutating func beginPass() -> Int {
    pass += 1
    return pass
  }

  /// Ends a pass. A row that was not met again is gone: another process deleted it. If a queue had no more rows than
  /// the ledger holds, its other rows are gone too.
  /// - Parameter table: nil means all tables.
  mutating func endPass(_ number: Int, of table: QueueTable? = nil) {
    ledger.keep { name, met in (table != nil && name.table != table) || met >= number }
    overflows = overflows.filter { (table != nil && $0.key != table) || overflown.contains($0.key) }
    overflown = overflown.filter { table != nil && $0 != table }
  }

  /// When the first row is tried again; nil when no row waits.
  /// - Parameter table: nil means all tables.
  func next(of table: QueueTable? = nil) -> ContinuousClock.Instant? {
    let overflow = overflows.filter { table == nil || $0.key == table }.values.map(\.notBefore)
    let first = ledger.next { table == nil || $0.table == table }
    return (overflow + [first].compactMap { $0 }).min()
  }

  /// Notes how long a pass took that only tried again.
  mutating func note(passTook time: Duration) { pace.note(time) }

  /// The time until a try, including the rest that earlier tries require.
  func wait(until time: ContinuousClock.Instant) -> Duration { pace.wait(until: time) }
}
