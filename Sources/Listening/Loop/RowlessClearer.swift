// SPDX-License-Identifier: BSD-2-Clause
//
// Clears keys that are in no row, and remembers those that could not be cleared: nothing else remembers them.

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
  func clear(_ key: CacheKey, _ reason: ClearReason) {
    let report = pages.clear(key)
    _ = tell([key], [report], reason)
    _ = note([key], [report])
  }

  /// Clears keys and puts them on the settle list.
  /// - Returns: a report for each; nil when a stop was requested in between.
  func clear(_ keys: [CacheKey], _ reason: ClearReason) -> [ClearReport]? {
    let reports = cache.clearer.clear(keys)
    reports.forEach(cache.noteMounts)
    if reports.contains(where: \.isPartial) { return nil }
    CrashPoint.changesCleared.reach()
    pages.settle?.add(keys)
    _ = tell(keys, reports, reason)
    _ = note(keys, reports)
    return reports
  }

  /// Tells other programs of cleared keys. If that is not possible, the keys go on the settle list, which tells of them
  /// later.
  /// - Returns: how many keys go on it.
  func tell(_ keys: [CacheKey], _ reports: [ClearReport], _ reason: ClearReason) -> Int {
    guard !pages.tell(keys, reports, reason) else { return 0 }
    let untold = zip(keys, reports).filter { $1.failures.isEmpty && !$1.isPartial }.map(\.0)
    pages.settle?.putBack(untold)
    return untold.count
  }

  /// Notes the results of clearing keys that are in no row. Keys that do not fit in the memory go back on the settle
  /// list.
  /// - Returns: whether any key goes back.
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
