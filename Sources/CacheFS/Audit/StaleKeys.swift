// SPDX-License-Identifier: BSD-2-Clause
//
// Which keys of one family have pages that may be older than their content, for a listener that may have missed
// a notification and clears them. An audit allows for differences between clocks before it reports. This code
// errs the other way, and also names pages written shortly after the change.

import Basics

/// The keys of a family whose pages may be stale.
package struct StaleKeys: Equatable, Sendable {
  /// At most this many keys are named one by one. When there are more, the whole family is named.
  package static let most = 10_000

  package let keys: [CacheKey]
  /// The number of pages that are too old.
  package let pages: Int

  /// Checks every page of the table's family, and enters only their folders.
  /// - Parameters:
  ///   - table: when the content of the pages was last changed.
  ///   - lead: how far the database's clock is ahead of the file system's, in nanoseconds.
  ///   - margin: a page written at most this many nanoseconds after the change counts as old.
  package init(
    in root: Directory, _ layout: Layout, _ table: ChangeTable, lead: Int64, margin: Int64,
    most: Int = Self.most
  ) {
    let slack = clampedDifference(margin, lead)
    let visitors = Scanner(root, layout: layout, family: table.family).scan {
      StaleKeyVisitor(table, layout, slack: slack, most: most)
    }
    pages = visitors.reduce(0) { $0 + $1.pages }
    let found = visitors.reduce(into: Set<CacheKey>()) { $0.formUnion($1.keys) }
    let isWhole = visitors.contains { $0.namesWholeFamily } || found.count > most
    keys =
      isWhole ? (try? [layout.all(of: layout.families[table.family].name)]) ?? [] : Array(found)
  }
}

/// Collects the keys of one thread's pages.
private struct StaleKeyVisitor: ScanVisitor {
  private let table: ChangeTable
  private let layout: Layout
  private let family: String
  private let slack: Int64
  private let most: Int
  private(set) var keys: Set<CacheKey> = []
  private(set) var pages = 0
  private(set) var namesWholeFamily = false

  init(_ table: ChangeTable, _ layout: Layout, slack: Int64, most: Int) {
    self.table = table
    self.layout = layout
    family = layout.families[table.family].name
    self.slack = slack
    self.most = most
  }

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    guard entry.classification.family == table.family, entry.status.type == .file,
      case .changed(let changed?) = table.verdict(of: entry, &matcher),
      entry.status.modified < clampedSum(changed, slack)
    else { return }
    pages += 1
    guard !namesWholeFamily else { return }
    if let key = key(of: entry, &matcher) { keys.insert(key) } else { namesWholeFamily = true }
    if keys.count > most { namesWholeFamily = true }
    if namesWholeFamily { keys = [] }
  }

  /// The key under which the table knows the page.
  private func key(of entry: borrowing ScannedEntry, _ matcher: inout Matcher) -> CacheKey? {
    let values = entry.fields(&matcher)
    var bound: [(field: String, value: [UInt8])] = []
    for field in table.fields {
      guard let value = values[field.name] else { return nil }
      bound.append((field.name, value))
    }
    return try? layout.key(family, bound)
  }

  /// No page could be cleared from a folder that cannot be listed.
  mutating func fail(_ failure: PathFailure) {}
}
