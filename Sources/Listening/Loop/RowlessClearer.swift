// SPDX-License-Identifier: BSD-2-Clause
//
// Clears what no row asks for, and remembers what could not be cleared: nothing else would.

import CacheFS

/// Clears keys without rows.
final class RowlessClearer {
  let pages: PageClearer
  let debts: Debts

  init(_ pages: PageClearer, _ debts: Debts) {
    self.pages = pages
    self.debts = debts
  }

  private var cache: CacheWatch { pages.cache }

  /// Clears a key.
  func clear(_ key: CacheKey) { _ = note([key], [pages.clear(key)]) }

  /// Clears keys and puts them on the settle list.
  /// - Returns: a report for each; nil when a stop has come in between.
  func clear(_ keys: [CacheKey]) -> [ClearReport]? {
    let reports = cache.clearer.clear(keys)
    reports.forEach(cache.noteMounts)
    if reports.contains(where: \.isPartial) { return nil }
    CrashPoint.changesCleared.reach()
    pages.settle?.add(keys)
    _ = note(keys, reports)
    return reports
  }

  /// Takes note of what came of clearing keys that no row remembers. What there is no room for to remember goes
  /// back on the settle list.
  /// - Returns: whether something does.
  func note(_ keys: [CacheKey], _ reports: [ClearReport]) -> Bool {
    let layout = cache.clearer.layout
    let left = zip(keys, reports).filter { key, report in
      if report.isPartial { return false }
      return !debts.note(key, report, layout)
    }
    pages.settle?.putBack(left.map(\.0))
    return !left.isEmpty
  }
}
