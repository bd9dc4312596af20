// SPDX-License-Identifier: BSD-2-Clause
//
// What the first look of a scrub has found, being looked at again and cleared.

import Basics
import CacheFS

/// The pages of a scrub, and how far they are.
struct ScrubWork {
  /// So many pages of a family are named in one line.
  private static let named = 5

  /// What came of one family.
  struct Family {
    let name: String
    /// Pages that both looks have found, or the first one where there was no second.
    var stale = 0
    var orphans = 0
    /// The first of them, fit to be shown.
    var examples: [String] = []

    var found: Int { stale + orphans }

    mutating func add(_ pages: [ChangedPages.Page]) {
      for page in pages {
        if page.isOrphan { orphans += 1 } else { stale += 1 }
        if examples.count < ScrubWork.named { examples.append("\(page.path)") }
      }
    }
  }

  let decision: ScrubSchedule.Decision
  /// How many pages were looked at, and how long that took.
  let files: Int
  let duration: Duration
  /// When the first look had ended: what was changed before that is seen by a recheck that begins later.
  let lookedAt: ContinuousClock.Instant
  private(set) var families: [Family]
  private var left: [(family: Int, pages: ArraySlice<ChangedPages.Page>)]
  /// How many files were removed.
  private(set) var removed = 0

  init(_ outcome: ScrubLook.Outcome, _ plan: ScrubPlan, lookedAt: ContinuousClock.Instant = .now) {
    decision = ScrubSchedule.decision(
      found: outcome.found, most: plan.limits.most, plan.limits.mode)
    files = outcome.files
    duration = outcome.duration
    self.lookedAt = lookedAt
    left = outcome.families.indices.map { ($0, outcome.families[$0].pages.pages[...]) }
    let decision = decision
    families = outcome.families.map { found in
      var family = Family(name: found.name)
      let pages = found.pages
      // Nothing is looked at again that nobody is going to clear, nor what is too much to be kept.
      if decision == .refuse { (family.stale, family.orphans) = (pages.stale, pages.orphans) }
      if decision == .report, pages.count > pages.pages.count {
        family.stale = pages.stale - pages.pages.count { !$0.isOrphan }
        family.orphans = pages.orphans - pages.pages.count(where: \.isOrphan)
      }
      return family
    }
    if decision == .refuse { left = [] }
  }

  var found: Int { families.reduce(0) { $0 + $1.found } }
  var isEmpty: Bool { left.allSatisfy(\.pages.isEmpty) }

  /// The next pages of one family; nil after the last.
  mutating func next(_ most: Int) -> (family: Int, pages: [ChangedPages.Page])? {
    guard let index = left.firstIndex(where: { !$0.pages.isEmpty }) else { return nil }
    let pages = Array(left[index].pages.prefix(most))
    left[index].pages = left[index].pages.dropFirst(most)
    return (left[index].family, pages)
  }

  /// Takes note of what the second look has confirmed.
  mutating func note(_ pages: [ChangedPages.Page], of family: Int) { families[family].add(pages) }

  mutating func note(_ reports: [ClearReport]) {
    removed += reports.reduce(0) { $0 + $1.filesRemoved }
  }
}
