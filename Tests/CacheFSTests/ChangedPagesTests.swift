// SPDX-License-Identifier: BSD-2-Clause
//
// The pages that a scrub accuses: the same as an audit, each with a key of its own, counted beyond what is kept, and
// looked at again.

import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct ChangedPagesTests {
  private static let second: Int64 = 1_000_000_000
  private static let clocks = ClockComparison(asked: 9000 * second)

  private func table(_ family: String, _ fields: [String], _ rows: [([String], Int64)]) throws
    -> ChangeTable
  {
    var table = try ChangeTable(family, fields, .freshPorts)
    for (values, changed) in rows { table.add(values.map(bytes), changed: changed * Self.second) }
    return table
  }

  @Test("a key for each page that names it and no page beside it, in each family")
  func keys() throws {
    let page = "Detail.Part1.head.PageSize1.PageNum1.html"
    let files = [
      "ports/net/a/\(page)", "ports/net/a/Detail.PageSize1.PageNum1.html",
      "ports/net/a/files/x.PageSize1.PageNum1.html", "ports/MOVED.PageSize1.PageNum1.html",
      "ports/Mk/x.mk.PageSize1.PageNum1.html", "categories/net/net.0.head.PageSize1.PageNum1.html",
      "categories/net/net.0.2020Q1.PageSize1.PageNum1.html", "commits/a-1/a-1.net.a.n.html",
      "commits/a-1/a-1...y.html", "packages/net/a.html", "packages/net/b.html",
      "daily/2020/01/21.daily.head", "daily/2020/01/21.daily.2020Q1", "news/news.atom.head.xml",
      "news/news.atom", "general/r.PageSize1.PageNum1.html",
    ]
    let tree = try TemporaryTree()
    try tree.plant(files)
    for file in files { try tree.setTime(file, 1000) }
    let root = try tree.open()
    var found: [String: [String]] = [:]
    for family in [
      "ports", "files", "categories", "commits", "packages", "daily", "news", "general",
    ] {
      let table = try table(family, [], [([], 2000)])
      let pages = ChangedPages(in: root, .freshPorts, table, Self.clocks, most: 100)
      #expect(pages.stale == pages.pages.count && pages.orphans == 0)
      for page in pages.pages {
        let report = Clearer(root, layout: .freshPorts, dryRun: .yes, paths: .kept).clear(page.key)
        found["\(page.path)", default: []] += report.removed.map(\.description)
      }
    }
    #expect(found == Dictionary(uniqueKeysWithValues: files.map { ($0, [$0]) }))
  }

  @Test("what is beyond the most is counted, and not kept")
  func most() throws {
    let files = (0..<10).map { "packages/net/p\($0).html" }
    let tree = try TemporaryTree()
    try tree.plant(files + ["ports/net/a/Detail.PageSize1.PageNum1.html"])
    for file in files { try tree.setTime(file, 1000) }
    let rows = [(["net", "p0"], Int64(2000)), (["net", "p1"], 500)]
    let table = try table("packages", ["category", "port"], rows)
    let pages = ChangedPages(in: try tree.open(), .freshPorts, table, Self.clocks, most: 3)
    #expect(pages.pages.count == 3)
    #expect((pages.stale, pages.orphans, pages.files) == (1, 8, 10))
    #expect(pages.count == 9)
  }

  @Test("a page that was written anew between the two looks is accused no more")
  func secondLook() throws {
    let (stale, orphan) = ("packages/net/a.html", "packages/net/gone.html")
    let others = ["packages/net/b.html", "packages/net/gone2.html"]
    let tree = try TemporaryTree()
    try tree.plant([stale, orphan] + others)
    for file in [stale, orphan] + others { try tree.setTime(file, 1000) }
    let rows = [(["net", "a"], Int64(2000)), (["net", "b"], 2000)]
    let root = try tree.open()
    let pages = ChangedPages(
      in: root, .freshPorts, try table("packages", ["category", "port"], rows), Self.clocks, most: 9
    )
    #expect(pages.pages.count == 4)
    try tree.setTime(stale, 3000)
    try tree.setTime(orphan, 3000)
    let clearer = Clearer(root, layout: .freshPorts)
    #expect(clearer.confirmed(pages.pages).map { "\($0.path)" }.sorted() == others)
    // The audit's own --fix goes by the same.
    #expect(clearer.fix(pages.pages.map(\.finding)).filter { $0.fix == .removed }.count == 2)
    #expect(tree.exists(stale) && tree.exists(orphan))
  }

  @Test("the walk asks whether to go on, and ends when it may not")
  func goesOn() throws {
    let files = (0..<40).map { "packages/c\($0)/p.html" }
    let tree = try TemporaryTree()
    try tree.plant(files)
    let table = try table("packages", [], [([], 2000)])
    let pages = ChangedPages(
      in: try tree.open(), .freshPorts, table, Self.clocks, most: 9, while: { false })
    #expect(pages.files == 0)
  }
}
