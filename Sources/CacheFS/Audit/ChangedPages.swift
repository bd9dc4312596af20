// SPDX-License-Identifier: BSD-2-Clause
//
// The pages of one family that are older than what they show, or show what the database no longer has: the audit's
// own judgement (EntryJudge), for a listener that clears them. It takes its time, and its memory is bounded.

import Basics

/// What a walk over one family's pages has found.
package struct ChangedPages: Sendable {
  /// One page accused: a suspicion only, until ``Clearer/confirmed(_:)`` has looked again.
  package struct Page: Sendable {
    let finding: Finding
    /// Clears this page and no other.
    package let key: CacheKey

    package var path: CachePath { finding.subjectPath }
    /// Whether it shows what the database no longer has; else it is older than what it shows.
    package var isOrphan: Bool { finding.code == .orphan }
  }

  /// A walk asks whether to go on after so many files of one folder, too.
  private static let filesAtATime = 256

  package private(set) var pages: [Page] = []
  /// How many were found, those that are not among ``pages`` included.
  package private(set) var stale = 0
  package private(set) var orphans = 0
  /// How many files were looked at.
  package private(set) var files = 0

  package var count: Int { stale + orphans }

  /// Looks at the pages of the table's family, with one thread, and at no other folder than theirs.
  /// - Parameters:
  ///   - table: when what the pages show was last changed.
  ///   - most: so many pages are told apart; what is beyond is counted.
  ///   - goesOn: is asked between the folders and within large ones, and may wait; the walk ends when it says no.
  package init(
    in root: Directory, _ layout: Layout, _ table: ChangeTable, _ clocks: ClockComparison,
    most: Int, while goesOn: @escaping @Sendable () -> Bool = { true }
  ) {
    let query = VerifyQuery(
      codes: [.stale, .orphan], changes: [table], clocks: clocks,
      now: root.fileSystemTime() ?? currentTime())
    let recipe = KeyOfPage(table.family, layout)
    let namings = NameTeller(layout)
    let visitors = Scanner(root, layout: layout, threads: 1, family: table.family, while: goesOn)
      .scan {
        Visitor(
          judge: EntryJudge(query, layout, namings), recipe: recipe, most: most, goesOn: goesOn)
      }
    for visitor in visitors {
      pages += visitor.pages
      stale += visitor.stale
      orphans += visitor.orphans
      files += visitor.judge.files
    }
  }

  /// Whether pages of the family are re-created by visitors, and may be cleared.
  package static func mayClear(_ family: String, _ layout: Layout) -> Bool {
    layout.family(named: family).map { $0.isRecreated && $0.clearing != .never } ?? false
  }

  private struct Visitor: ScanVisitor {
    var judge: EntryJudge
    let recipe: KeyOfPage
    let most: Int
    let goesOn: @Sendable () -> Bool
    var pages: [Page] = []
    var stale = 0
    var orphans = 0

    mutating func enter(_ folder: ScannedFolder) { judge.enter(folder) }

    mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
      if judge.files % ChangedPages.filesAtATime == ChangedPages.filesAtATime - 1 { _ = goesOn() }
      judge.visit(entry, &matcher)
      guard let finding = judge.takeSuspect() else { return }
      if finding.code == .stale { stale += 1 } else { orphans += 1 }
      guard pages.count < most, let key = recipe.key(entry, &matcher) else { return }
      pages.append(Page(finding: finding, key: key))
    }

    mutating func leave(_ folder: ScannedFolder, entries: Int) {}
    /// What cannot be listed is nothing that a page could be cleared from either.
    mutating func fail(_ failure: PathFailure) {}
  }
}

/// The key of one page: all fields of its family's pattern, which is its whole path.
private struct KeyOfPage: Sendable {
  private let layout: Layout
  private let family: String
  private let fields: [String]

  init(_ index: Int, _ layout: Layout) {
    self.layout = layout
    family = layout.families[index].name
    fields = layout.families[index].pattern.components.flatMap(\.fields).map(\.name)
      .reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
  }

  func key(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) -> CacheKey? {
    let values = entry.fields(&matcher)
    var bound: [(field: String, value: [UInt8])] = []
    for field in fields {
      guard let value = values[field] else { return nil }
      bound.append((field, value))
    }
    return try? layout.key(family, bound)
  }
}

extension Clearer {
  /// The second look: the pages that are still what they were accused of. One that was written anew is not.
  package func confirmed(_ pages: [ChangedPages.Page]) -> [ChangedPages.Page] {
    var secondLook = SecondLook(root, VerifyQuery(codes: [.stale, .orphan]))
    return pages.filter { secondLook.confirms($0.finding) }
  }
}

extension Finding {
  fileprivate var subjectPath: CachePath { path ?? CachePath([]) }
}
