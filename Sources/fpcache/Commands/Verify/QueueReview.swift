// SPDX-License-Identifier: BSD-2-Clause
//
// The rows that wait in the queues, and for one of many nodes in the log, turned into the pages that they will clear.
// For a minute, a waiting row excuses an outdated page. After that, the row is itself a finding.

import Basics
import CacheFS
import Listening
import PGQueue

/// The pages on disk that have a waiting invalidation.
struct QueueReview {
  /// A working listener clears a page within milliseconds of its row's commit.
  static let patience = 60.0
  private static let batchSize = 1000

  /// A row, identified by its table and its place in the table's order.
  struct RowName: Hashable {
    let table: QueueTable
    let position: String
  }

  private struct Wait {
    let name: RowName
    /// Seconds since the epoch by the server's clock; nil when the row has no time.
    let added: Double?
    let isOld: Bool
  }

  private let root: Directory
  private let layout: Layout
  private let rules: SiteRules
  private var reader: RowReader
  /// The oldest row of each page.
  private var pages: [CachePath: Wait] = [:]
  private var oldest: Wait?

  init(_ root: Directory, _ layout: Layout, _ rules: SiteRules) {
    self.root = root
    self.layout = layout
    self.rules = rules
    reader = RowReader(rules)
  }

  /// Reads a queue or the log batch by batch, and finds the pages that exist and will be cleared.
  /// - Throws: ``DatabaseError``.
  mutating func read(_ source: some WaitingRows) throws(DatabaseError) {
    var position: String?
    while true {
      let rows = try source.waiting(after: position, limit: Self.batchSize)
      add(rows, source.table)
      guard rows.count == Self.batchSize, let last = rows.last else { return }
      position = last.row.position
    }
  }

  private mutating func add(_ rows: [WaitingRow], _ table: QueueTable) {
    var plan = KeySet()
    var waits: [Int: Wait] = [:]
    for row in rows {
      let wait = Wait(
        name: RowName(table: table, position: row.row.position), added: row.added,
        isOld: row.age.map { $0 > Self.patience } ?? false)
      oldest = Self.older(oldest, wait)
      // A row that names nothing clearable is refused by the listener, and excuses no page.
      guard let keys = try? reader.pages(row.row) else { continue }
      for index in plan.add(keys) { waits[index] = Self.older(waits[index], wait) }
    }
    for (index, pages) in find(plan.keys).enumerated() {
      guard let wait = waits[index] else { continue }
      for page in pages { self.pages[page] = Self.older(self.pages[page], wait) }
    }
  }

  /// Some families are emptied with every row.
  mutating func addEmptied() {
    guard let oldest else { return }
    let keys = rules.emptiedAfter.compactMap { try? layout.all(of: $0) }
    for page in find(keys).joined() { pages[page] = oldest }
  }

  /// The files that clearing each key would remove, found by the clearer itself.
  private func find(_ keys: [CacheKey]) -> [[CachePath]] {
    Clearer(root, layout: layout, dryRun: .yes, paths: .kept).clear(keys).map(\.removed)
  }

  private static func older(_ one: Wait?, _ other: Wait) -> Wait {
    guard let one else { return other }
    return (other.added ?? .infinity) < (one.added ?? .infinity) ? other : one
  }

  // MARK: Judging

  /// Removes the suspects that have a waiting invalidation, and adds the pages that have waited too long.
  func apply(to suspects: inout [Finding], tellsPending: Bool) {
    var isAccused: Set<CachePath> = []
    suspects.removeAll { suspect in
      guard let path = suspect.path, let wait = pages[path] else { return false }
      switch suspect.code {
      case .stale, .orphan: if !wait.isOld || tellsPending { return true }
      case .expired: if wait.isOld && tellsPending { return true }
      case .notClearable, .unreadable: return false
      default: break
      }
      isAccused.insert(path)
      return false
    }
    guard tellsPending else { return }
    for (page, wait) in pages where wait.isOld && !isAccused.contains(page) {
      let since = nanoseconds(wait.added ?? 0)
      suspects.append(Finding(.pending, page, .waiting(table: wait.name.table.name, since: since)))
    }
  }

  /// Whether the row that caused the finding of a page still waits.
  func isWaiting(_ page: CachePath?, _ rows: Set<RowName>) -> Bool {
    page.flatMap { pages[$0] }.map { rows.contains($0.name) } ?? false
  }

  /// The rows of a queue or the log that have waited too long.
  /// - Throws: ``DatabaseError``.
  static func oldRows(_ source: some WaitingRows) throws(DatabaseError) -> Set<RowName> {
    var names: Set<RowName> = []
    var position: String?
    while true {
      let rows = try source.waiting(after: position, limit: batchSize)
      for row in rows where row.age.map({ $0 > patience }) ?? false {
        names.insert(RowName(table: source.table, position: row.row.position))
      }
      guard rows.count == batchSize, let last = rows.last else { return names }
      position = last.row.position
    }
  }
}
