// SPDX-License-Identifier: BSD-2-Clause
//
// The pages of one family that are older than their content, or whose content the database no longer has. It
// uses the audit's own judgement (EntryJudge), for a listener that clears these pages. It may take long, and
// its memory is bounded.

import Basics

/// The result of a walk over one family's pages.
package struct ChangedPages: Sendable {
  /// One suspected page. It is only a suspicion until ``Clearer/confirmed(_:)`` has checked it again.
  package struct Page: Sendable {
    let finding: Finding
    /// Clears only this page.
    package let key: CacheKey

    package var path: CachePath { finding.subjectPath }
    /// Whether the database no longer has its content. Otherwise the page is older than its content.
    package var isOrphan: Bool { finding.code == .orphan }
  }

  /// In a large folder, a walk also asks whether to continue after this many files.
  private static let filesAtATime = 256

  package private(set) var pages: [Page] = []
  /// How many were found, including those that are not in ``pages``.
  package private(set) var stale = 0
  package private(set) var orphans = 0
  /// How many files were checked.
  package private(set) var files = 0

  package var count: Int { stale + orphans }

  /// Checks the pages of the table's family with one thread, and enters only their folders.
  /// - Parameters:
  ///   - table: when the content of the pages was last changed.
  ///   - most: at most this many pages are kept; the others are only counted.
  ///   - goesOn: called between folders and within large ones, and may wait. The walk ends when it returns
  ///     false.
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

  /// Whether visitors re-create pages of the family, and they may be cleared.
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
    /// No page could be cleared from a folder that cannot be listed.
    mutating func fail(_ failure: PathFailure) {}
  }
}

/// The key of one page. It binds all fields of its family's pattern, which is the whole path; of a hashed family, it is
/// the key in the file's head.
private struct KeyOfPage: Sendable {
  private let layout: Layout
  private let family: String
  private let fields: [String]

  init(_ index: Int, _ layout: Layout) {
    self.layout = layout
    let row = layout.families[index]
    family = row.name
    let shown = row.hashed.map { [$0.keyField] } ?? row.pattern.components.flatMap(\.fields)
    fields = shown.map(\.name)
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
  /// The second look: the pages for which the suspicion is still true. A rewritten page is not among them.
  package func confirmed(_ pages: [ChangedPages.Page]) -> [ChangedPages.Page] {
    var secondLook = SecondLook(root, VerifyQuery(codes: [.stale, .orphan]))
    return pages.filter { secondLook.confirms($0.finding) }
  }
}

extension Finding {
  fileprivate var subjectPath: CachePath { path ?? CachePath([]) }
}
