// SPDX-License-Identifier: BSD-2-Clause
//
// When the oldest page of a family was written.

import Basics

/// Checks every page of one family, and enters only the family's folders.
package struct FamilyAge {
  /// In nanoseconds since the epoch; nil when there is no page.
  package let oldest: Int64?

  package init(of family: String, in root: Directory, _ layout: Layout) {
    guard let index = layout.families.firstIndex(where: { $0.name == family }) else {
      oldest = nil
      return
    }
    let visitors = Scanner(root, layout: layout, family: index).scan { FamilyAgeVisitor(index) }
    oldest = visitors.compactMap(\.oldest).min()
  }
}

private struct FamilyAgeVisitor: ScanVisitor {
  private let family: Int
  private(set) var oldest: Int64?

  init(_ family: Int) { self.family = family }

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    guard entry.classification.family == family, entry.status.type == .file else { return }
    oldest = min(oldest ?? .max, entry.status.modified)
  }

  mutating func fail(_ failure: PathFailure) {}
}
