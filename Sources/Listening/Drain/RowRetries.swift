// SPDX-License-Identifier: BSD-2-Clause
//
// The rows that could not be cleared, and when each is tried again. They stay in their queues; where there are more of
// them than the ledger holds, of the queue is remembered that it has some.

import PGQueue

/// What waits of the rows of all queues.
struct RowRetries {
  private var ledger: RetryLedger<RowName>
  /// How much of the time tries may take.
  private var pace = RetryPace()
  /// The queues with more of them than the ledger holds, and when these are tried again: they are still in their
  /// queue, and each pass meets them.
  private var overflows: [QueueTable: Retry] = [:]
  /// Those of them that the pass under way has found to be so.
  private var overflown: Set<QueueTable> = []
  /// The number of the pass under way, or of the last one.
  private(set) var pass = 0

  /// - Parameter most: how many rows are remembered one by one.
  init(most: Int) { ledger = RetryLedger(most: most) }

  var isEmpty: Bool { ledger.isEmpty }
  var count: Int { ledger.count }

  /// Whether a row's next try is not due.
  func isWaiting(_ name: RowName) -> Bool { ledger.isWaiting(name) }

  /// Takes note that a row was met in the pass under way.
  mutating func meet(_ name: RowName) { ledger.meet(name, pass: pass) }

  /// Pushes a row's next try away.
  mutating func postpone(_ name: RowName) -> RetryLedger<RowName>.Noted {
    let noted = ledger.postpone(name, pass: pass)
    if noted == .full, overflown.insert(name.table).inserted {
      overflows[name.table, default: Retry()].postpone()
    }
    return noted
  }

  /// - Returns: whether it was there.
  mutating func remove(_ name: RowName) -> Bool { ledger.remove(name) }

  /// What stood in the way of all is gone.
  mutating func hasten() {
    ledger.hasten()
    for table in overflows.keys { overflows[table]?.hasten() }
  }

  /// Forgets the rows of queues that nobody asks for any more.
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

  /// At the end of a pass: a row that was not met again is gone, by somebody else's hand; and of a queue that had no
  /// more of them than the ledger holds, the others are.
  /// - Parameter table: nil stands for all.
  mutating func endPass(_ number: Int, of table: QueueTable? = nil) {
    ledger.keep { name, met in (table != nil && name.table != table) || met >= number }
    overflows = overflows.filter { (table != nil && $0.key != table) || overflown.contains($0.key) }
    overflown = overflown.filter { table != nil && $0 != table }
  }

  /// When the first row is tried again; nil when none waits.
  /// - Parameter table: nil stands for all.
  func next(of table: QueueTable? = nil) -> ContinuousClock.Instant? {
    let overflow = overflows.filter { table == nil || $0.key == table }.values.map(\.notBefore)
    let first = ledger.next { table == nil || $0.table == table }
    return (overflow + [first].compactMap { $0 }).min()
  }

  /// Takes note of how long a pass took that did nothing but try again.
  mutating func note(passTook time: Duration) { pace.note(time) }

  /// The time until a try, as far as the tries before it leave it.
  func wait(until time: ContinuousClock.Instant) -> Duration { pace.wait(until: time) }
}
