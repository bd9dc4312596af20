// SPDX-License-Identifier: BSD-2-Clause
//
// What the site's database says of pages: keys that are told in any order, the last of several
// changes, what is no key; and pages of every family judged by it.

import TestSupport
import Testing

@testable import CacheFS

@Suite struct ChangeTableTests {
  private static let second: Int64 = 1_000_000_000

  private func table(
    _ family: String, _ fields: [String], _ rows: [([String?], Int64?)]
  ) throws -> ChangeTable {
    var table = try ChangeTable(family, fields, .freshPorts)
    for (values, changed) in rows {
      table.add(values.map { $0.map(bytes) }, changed: changed.map { $0 * Self.second })
    }
    return table
  }

  /// The findings of an audit of a tree whose pages were all written at second 1000, asked at 9000.
  private func found(
    _ files: [String], _ tables: [ChangeTable], lead: Int64 = 0, codes: Set<FindingCode>? = nil
  ) throws -> [String] {
    let tree = try TemporaryTree()
    try tree.plant(files)
    for file in files { try tree.setTime(file, 1000) }
    let clocks = ClockComparison(lead: lead * Self.second, asked: (9000 + lead) * Self.second)
    let query = VerifyQuery(codes: codes ?? [.stale, .orphan], changes: tables, clocks: clocks)
    let scanner = Scanner(try tree.open(), layout: .freshPorts, threads: 2)
    return Verifier(scanner, query).audit().findings.map { "\($0.code.rawValue) \($0.subject)" }
  }

  // MARK: Each family

  @Test func everyFamilysPages() throws {
    let page = "Detail.Part1.head.PageSize1.PageNum1.html"
    let files = [
      "ports/net/a/\(page)", "ports/net/b/\(page)", "ports/net/c/\(page)", "ports/net/gone/\(page)",
      "ports/net/a/Detail.PageSize1.PageNum1.html", "ports/net/a/files/x.PageSize1.PageNum1.html",
      "categories/net/net.0.head.PageSize1.PageNum1.html",
      "categories/old/old.0.head.PageSize1.PageNum1.html",
      "commits/a-1/a-1.net.a.n.html", "commits/b-2/b-2...y.html", "packages/net/a.html",
      "packages/net/gone.html", "daily/2020/01/21.daily.head", "daily/2020/01/22.daily.2020Q1",
      "daily/2020/01/23.daily.head", "ports/MOVED.PageSize1.PageNum1.html",
      "ports/Mk/x.mk.PageSize1.PageNum1.html", "news/news.atom.head.xml", "html/x",
      "general/r.PageSize1.PageNum1.html",
    ]
    let tables = [
      try table(
        "ports", ["port", "category"],
        [(["a", "net"], 2000), (["b", "net"], 500), (["c", "net"], nil), (["x", nil], 5000)]),
      try table("categories", ["category"], [(["net"], 2000)]),
      try table("commits", ["id"], [(["a-1"], 2000)]),
      try table("packages", ["category", "port"], [(["net", "a"], 500)]),
      try table(
        "daily", ["day", "month", "year"],
        [(["21", "01", "2020"], 2000), (["22", "01", "2020"], 100)]),
      try table("files", ["path"], [(["MOVED"], 2000), (["Mk/x.mk"], 100)]),
      try table("news", [], [([], 2000)]),
    ]
    #expect(
      try found(files, tables) == [
        "stale categories/net/net.0.head.PageSize1.PageNum1.html",
        "orphan categories/old/old.0.head.PageSize1.PageNum1.html",
        "stale commits/a-1/a-1.net.a.n.html", "orphan commits/b-2/b-2...y.html",
        // A day without commits has a page by right.
        "stale daily/2020/01/21.daily.head", "stale news/news.atom.head.xml",
        "orphan packages/net/gone.html", "stale ports/MOVED.PageSize1.PageNum1.html",
        "stale ports/net/a/Detail.PageSize1.PageNum1.html", "stale ports/net/a/\(page)",
        "stale ports/net/a/files/x.PageSize1.PageNum1.html", "orphan ports/net/gone/\(page)",
      ])
    #expect(try found(files, tables, codes: [.orphan]).allSatisfy { $0.hasPrefix("orphan ") })
    #expect(try found(files, tables, codes: [.stale]).allSatisfy { $0.hasPrefix("stale ") })
    #expect(try found(files, tables, codes: []) == [])
  }

  /// A field that some of the family's pages do not show: those are not judged by it.
  @Test func aFieldOfSomePages() throws {
    let files = [
      "ports/net/a/Detail.Part1.head.PageSize1.PageNum1.html",
      "ports/net/a/Detail.Part1.2020Q1.PageSize1.PageNum1.html",
      "ports/net/a/Detail.PageSize1.PageNum1.html",
    ]
    let table = try table(
      "ports", ["category", "port", "branch"],
      [(["net", "a", "head"], 2000), (["net", "a", "2020Q1"], 500)])
    #expect(try found(files, [table]) == ["stale " + files[0]])
  }

  // MARK: Clocks

  @Test(arguments: [
    // Written at 1000 by the file system's clock; the times are the database's.
    (1001, 0, false), (1002, 0, true), (999, 0, false), (1500, 1000, false), (2001, 1000, false),
    (2002, 1000, true), (1500, -1000, true), (1, -1000, false), (2, -1000, true),
  ])
  func theDifferenceOfTheClocksIsAllowedFor(_ changed: Int64, _ lead: Int64, _ isStale: Bool)
    throws
  {
    let file = "categories/net/net.0.head.PageSize1.PageNum1.html"
    let table = try table("categories", ["category"], [(["net"], changed)])
    #expect(try found([file], [table], lead: lead) == (isStale ? ["stale \(file)"] : []))
  }

  /// A page that is written after the database was asked may show what was added after that.
  @Test(arguments: [(-61, true), (-59, false), (0, false), (100, false)])
  func aPageYoungerThanTheAnswerIsNoOrphan(_ after: Int, _ isOrphan: Bool) throws {
    let tree = try TemporaryTree()
    let file = "categories/new/new.0.head.PageSize1.PageNum1.html"
    try tree.plant([file])
    let asked = 1_579_608_000
    try tree.setTime(file, asked + after - 1)
    let table = try table("categories", ["category"], [(["net"], 1)])
    let query = VerifyQuery(
      codes: [.orphan], changes: [table],
      clocks: ClockComparison(asked: Int64(asked) * Self.second))
    let scanner = Scanner(try tree.open(), layout: .freshPorts, threads: 1)
    #expect(Verifier(scanner, query).audit().findings.isEmpty == !isOrphan)
  }

  // MARK: Rows

  @Test func theLastChangeCounts() throws {
    let file = "categories/net/net.0.head.PageSize1.PageNum1.html"
    for times in [[2000, 500], [500, 2000], [nil, 2000], [2000, nil]] as [[Int64?]] {
      let table = try table("categories", ["category"], times.map { (["net"], $0) })
      #expect(table.count == 1)
      #expect(try found([file], [table]) == ["stale \(file)"])
    }
  }

  @Test func whatCanBeNoNameIsRefused() throws {
    let table = try table(
      "daily", ["month"], [(["01"], 1), (["1"], 1), (["x"], 1), ([nil], 1), ([], 1)])
    #expect(table.count == 1 && table.refused.rows == 2)
    #expect(table.refused.example?.field == "month")
    #expect(table.refused.example?.value == bytes("1"))
  }

  @Test func whatTheLayoutDoesNotHave() {
    #expect(throws: ChangeTable.Problem.unknownFamily("x")) {
      try ChangeTable("x", [], .freshPorts)
    }
    #expect(throws: ChangeTable.Problem.unknownField("colour", family: "ports")) {
      try ChangeTable("ports", ["port", "colour"], .freshPorts)
    }
  }

  @Test(arguments: [
    ("ports", ["category", "port"], true), ("categories", ["category"], true),
    ("commits", ["id"], true), ("packages", ["port"], true),
    ("daily", ["year", "month", "day"], false),
    ("files", ["path"], false), ("news", [], false), ("general", ["report"], false),
  ])
  func orphansAreOfPortsCategoriesAndCommits(
    _ family: String, _ fields: [String], _ judges: Bool
  ) throws {
    #expect(try ChangeTable(family, fields, .freshPorts).judgesOrphans == judges)
  }

  /// The same value in another column is another key.
  @Test func columnsAreNotMixedUp() throws {
    let files = ["packages/b/a.html", "packages/a/b.html"]
    let table = try table("packages", ["category", "port"], [(["a", "b"], 2000)])
    #expect(try found(files, [table]) == ["stale packages/a/b.html", "orphan packages/b/a.html"])
  }

  @Test func manyKeysAreKeptApart() throws {
    var table = try ChangeTable("commits", ["id"], .freshPorts)
    for number in 0..<100_000 { table.add([bytes("commit-\(number)")], changed: 1) }
    #expect(table.count == 100_000)
  }
}
