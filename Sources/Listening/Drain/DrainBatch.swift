// SPDX-License-Identifier: BSD-2-Clause
//
// A batch of a queue's rows and the keys that they name, each key once. The rows are read once; the keys are cleared
// twice.

import Basics
import CacheFS
import PGQueue

/// Identifies a row for as long as it waits.
package struct RowName: Hashable {
  let table: QueueTable
  private let key: [[UInt8]?]

  init(_ row: QueueRow) {
    table = row.table
    key = row.key
  }

  /// Whether this is the row's name. Compares without building a name.
  func isName(of row: QueueRow) -> Bool { table == row.table && key == row.key }

  /// The row's key for a log.
  var text: String {
    key.map { $0.map { escape($0) } ?? "NULL" }.joined(separator: "/")
  }
}

/// Rows that are served together.
struct DrainBatch {
  /// The rows that name pages. For each row, the indices of its keys in `keys`.
  private(set) var rows: [QueueRow] = []
  private(set) var indices: [[Int]] = []
  /// The distinct keys that the rows name: 20,508 rows of 55 categories are 55 category folders.
  private(set) var keys: [CacheKey] = []
  /// The rows that name nothing that can be cleared.
  private(set) var refused: [(row: QueueRow, problem: RowProblem)] = []
  /// The rows whose next try is not due yet.
  private(set) var waiting: Set<RowName> = []

  /// - Parameters:
  ///   - isWaiting: whether a row's next try is not due yet; nil when no row waits.
  ///   - pause: called after every few hundred rows.
  init(
    _ rows: [QueueRow], _ rules: SiteRules, isWaiting: ((RowName) -> Bool)?,
    pause: () -> Void = {}
  ) {
    self.rows.reserveCapacity(rows.count)
    indices.reserveCapacity(rows.count)
    var plan = KeySet()
    plan.reserve(rows.count)
    var reader = RowReader(rules)
    for (number, row) in rows.enumerated() {
      if number % 256 == 255 { pause() }
      if let isWaiting, isWaiting(RowName(row)) {
        waiting.insert(RowName(row))
        continue
      }
      do throws(RowProblem) {
        indices.append(plan.add(try reader.pages(row)))
        self.rows.append(row)
      } catch {
        refused.append((row, error))
      }
    }
    keys = plan.keys
  }

  /// For each key, the queue of the first row that names it.
  var tables: [QueueTable] {
    var tables = [QueueTable?](repeating: nil, count: keys.count)
    for (row, indices) in zip(rows, indices) {
      for index in indices where tables[index] == nil { tables[index] = row.table }
    }
    return tables.compactMap { $0 }
  }

  /// This batch, reduced to the rows whose keys all pass, and to those keys.
  func only(_ isWanted: (Int) -> Bool) -> DrainBatch {
    var rest = self
    rest.rows = []
    rest.indices = []
    var plan = KeySet()
    for (row, indices) in zip(rows, indices) where indices.allSatisfy(isWanted) {
      rest.rows.append(row)
      rest.indices.append(plan.add(indices.map { keys[$0] }))
    }
    rest.keys = plan.keys
    return rest
  }
}

/// How many rows a batch may have. It starts at a thousand. It grows where rows are quick to serve, for example where
/// no page is on disk, since each batch costs a commit and three round trips.
struct BatchSize {
  static let least = 1000
  static let most = 8000
  /// Writers wait for the lock, and other queues wait for the batch. Below these times the batch may grow.
  private static let quick = (batch: Duration.milliseconds(100), lock: Duration.milliseconds(20))
  /// Above these times the batch must shrink.
  private static let slow = (batch: Duration.milliseconds(300), lock: Duration.milliseconds(50))

  private(set) var rows = least

  /// Adapts to a batch: how long it took in all, and how long the lock was held.
  mutating func adapt(took batch: Duration, locked lock: Duration) {
    if batch > Self.slow.batch || lock > Self.slow.lock {
      rows = max(Self.least, rows / 2)
    } else if batch < Self.quick.batch, lock < Self.quick.lock {
      rows = min(Self.most, rows * 2)
    }
  }
}
