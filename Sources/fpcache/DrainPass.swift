// How far a pass over a queue has come, and what has been read ahead for it.

import PGQueue

/// One way through a queue, batch by batch.
struct DrainPass {
  /// The position of the last row that was served; nil at the start.
  private(set) var position: String?
  /// The position up to which pages were cleared while the lock was not to be had.
  var promptedTo: String?
  /// The rows that have to wait and were met in this pass.
  var waiting: Set<RowName> = []
  var began = ContinuousClock.now
  /// Whether the next batch belongs to another pass.
  var hasEnded = false
  private var ahead: Selection?

  /// The rows that come next: those that were read ahead, or else what `select` finds behind the
  /// position.
  mutating func next(
    _ select: (String?) throws(DatabaseError) -> Selection
  ) throws(DatabaseError) -> Selection {
    guard let selection = ahead else { return try select(position) }
    ahead = nil
    return selection
  }

  /// Goes on behind the rows that were served, which were not the last.
  mutating func advance(behind served: Selection, to ahead: Selection?) {
    position = served.position
    // What has come since may be looked for once more before the pass ends.
    self.ahead = ahead.flatMap { $0.rows.isEmpty ? nil : $0 }
  }

  /// Forgets what was read by rules that hold no more.
  mutating func forgetAhead() { ahead = nil }
}

/// Rows of a queue as they were selected.
struct Selection {
  let rows: [QueueRow]
  private let limit: Int
  /// What they ask for, once that has been worked out.
  var batch: Batch?

  init(_ rows: [QueueRow], limit: Int) {
    self.rows = rows
    self.limit = limit
  }

  /// Whether there may be more behind them.
  var isFull: Bool { rows.count >= limit }

  /// That of the last row.
  var position: String? { rows.last?.position }
}
