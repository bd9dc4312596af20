// SPDX-License-Identifier: BSD-2-Clause
//
// The findings of a scrub's first look while they are looked at again and cleared.

import Basics
import CacheFS

/// The pages of a scrub, and how many are done.
struct ScrubWork {
  /// How many pages of a family one log line names.
  private static let named = 5

  /// The result for one family.
  struct Family {
    let name: String
    /// Pages that both looks have found; those of the first look where there was no second.
    var stale = 0
    var orphans = 0
    /// The first of these pages, safe to display.
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
  /// How many pages were compared, and how long that took.
  let files: Int
  let duration: Duration
  /// When the first look ended: a recheck that begins later sees all changes before that time.
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
      // Pages that will not be cleared are not looked at again; neither are those that are too many to keep.
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

  /// Records what the second look has confirmed.
  mutating func note(_ pages: [ChangedPages.Page], of family: Int) { families[family].add(pages) }

  mutating func note(_ reports: [ClearReport]) {
    removed += reports.reduce(0) { $0 + $1.filesRemoved }
  }
}
