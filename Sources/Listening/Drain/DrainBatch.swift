// SPDX-License-Identifier: BSD-2-Clause
//
// A batch of a queue's rows and the keys that they name, each once: read from the rows one time,
// cleared twice.

import Basics
import CacheFS
import PGQueue

/// What identifies a row for as long as it waits.
package struct RowName: Hashable {
  let table: QueueTable
  private let key: [[UInt8]?]

  init(_ row: QueueRow) {
    table = row.table
    key = row.key
  }

  /// Whether this is what the row is called; makes no name to find out.
  func isName(of row: QueueRow) -> Bool { table == row.table && key == row.key }

  /// The row's key for a log.
  var text: String {
    key.map { $0.map { escape($0) } ?? "NULL" }.joined(separator: "/")
  }
}

/// Rows to be served together.
struct DrainBatch {
  /// The rows that name pages, and for each the places of its keys among `keys`.
  private(set) var rows: [QueueRow] = []
  private(set) var indices: [[Int]] = []
  /// The different keys that the rows name: 20,508 rows of 55 categories are 55 category folders.
  private(set) var keys: [CacheKey] = []
  /// The rows that name nothing that could be cleared.
  private(set) var refused: [(row: QueueRow, problem: RowProblem)] = []
  /// The rows whose next try is not due.
  private(set) var waiting: Set<RowName> = []

  /// - Parameter isWaiting: whether a row's next try is not due; nil when none waits at all.
  init(_ rows: [QueueRow], _ rules: SiteRules, isWaiting: ((RowName) -> Bool)?) {
    self.rows.reserveCapacity(rows.count)
    indices.reserveCapacity(rows.count)
    var plan = KeySet()
    plan.reserve(rows.count)
    var reader = RowReader(rules)
    for row in rows {
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

  /// The batch with those of its rows only whose keys all pass, and with these keys.
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

/// How many rows a batch may have. A thousand to begin with; more where they are quickly done, as
/// where no page is on disk, since each batch costs a commit and three round trips.
struct BatchSize {
  static let least = 1000
  static let most = 8000
  /// Writers wait for the lock, and other queues for the batch: below these times it may grow.
  private static let quick = (batch: Duration.milliseconds(100), lock: Duration.milliseconds(20))
  /// Above these it has to shrink.
  private static let slow = (batch: Duration.milliseconds(300), lock: Duration.milliseconds(50))

  private(set) var rows = least

  /// Learns from a batch: how long it took in all, and how long the lock was held.
  mutating func adapt(took batch: Duration, locked lock: Duration) {
    if batch > Self.slow.batch || lock > Self.slow.lock {
      rows = max(Self.least, rows / 2)
    } else if batch < Self.quick.batch, lock < Self.quick.lock {
      rows = min(Self.most, rows * 2)
    }
  }
}
