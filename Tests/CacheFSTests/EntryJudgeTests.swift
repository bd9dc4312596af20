// SPDX-License-Identifier: BSD-2-Clause
//
// What an entry is accused of, case by case: the places that a name has, dates, sizes and ages, and
// which of several faults is told.

import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct EntryJudgeTests {
  private func tree(_ files: [String] = []) throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in AuditedSite.folders { try tree.makeDirectory(folder, mode: 0o755) }
    try tree.plant(files)
    return tree
  }

  private func findings(
    _ tree: TemporaryTree, _ query: VerifyQuery = VerifyQuery(), layout: Layout = .freshPorts
  ) throws -> [Finding] {
    Verifier(Scanner(try tree.open(), layout: layout, threads: 1), query).audit().findings
  }

  private func found(_ tree: TemporaryTree, _ query: VerifyQuery = VerifyQuery()) throws
    -> [String]
  {
    try findings(tree, query).map { "\($0.code.rawValue) \($0.subject)" }
  }

  // MARK: Places

  @Test(arguments: [
    ("21.daily.head", "daily"), ("daily/2020/21.daily.2020Q1", "daily"),
    ("ports/21.daily.head", "daily"),
    ("news/21.daily.head", "daily"),
    ("Detail.Part1.head.PageSize1.PageNum1.html", "ports,files,general"),
    ("daily/2020/01/MOVED.PageSize1.PageNum1.html", "ports,files,general"),
    ("ports/news.rss2.0.head.xml", "news"), ("ports/net/a/news.rss2.0.head.xml", "news"),
    ("index-html-head-pagesize1-pagenum1-html", "news"),
    ("packages/net/index-html-head-5-pagesize1-pagenum1-html", "news"),
    ("commits/a/b.net.x.n.html", "commits"), ("a-1.net.x.n.html", "commits"),
    ("categories/net/www.0.head.PageSize1.PageNum1.html", "ports,files,categories,general"),
    ("ports/net/a.tmpA1b2C3", "spooling"), ("daily/searchlog.txt", "searchlog"),
    // In a folder of the ports tree that takes any name that looks like a page.
    ("ports/net/Detail.Part2.head.PageSize1.PageNum1.html", "ports"),
    ("ports/net/Detail.PageSize1.PageNum1.html", "ports"),
    ("ports/Mk/net.0.head.PageSize1.PageNum1.html", "categories"),
  ])
  func aPageInTheWrongFolderIsMisplaced(_ path: String, _ families: String) throws {
    let names = families.split(separator: ",").map(String.init)
    #expect(
      try findings(tree([path])) == [
        Finding(.misplaced, CachePath(bytes(path)), .families(names))
      ])
  }

  /// Where anything goes, or a name may be that of many things, nobody is accused.
  @Test(arguments: [
    "html/21.daily.head", "pages/news.rss2.0.head.xml", "ports/MOVED.PageSize1.PageNum1.html",
    "ports/Mk/bsd.port.mk.PageSize1.PageNum1.html", "ports/net/a.b.c.PageSize1.PageNum1.html",
    "ports/net/a/Detail.Part1.main.PageSize1.PageNum1.html",
    "general/MOVED.PageSize1.PageNum1.html", "packages/net/index.html",
  ])
  func whatMayLieThereIsNotMisplaced(_ path: String) throws {
    #expect(try found(tree([path])) == [])
  }

  @Test(arguments: [
    "x.html", "ports/net/a/index.html", "commits/x.html", "daily/2020/01/21.html", "news.xml",
    "ports/x.tmpA1b2C", "spooling/x", "spooling/a/b.tmpA1b2C3/c",
  ])
  func whatIsNobodysIsUnknown(_ path: String) throws {
    #expect(try found(tree([path])) == ["unknown \(path)"])
  }

  @Test func aFamilyThatHasMovedLeavesItsPagesMisplaced() throws {
    let layout = try Layout.freshPorts.replacing("news", with: "new/{page:visible...}")
    let tree = try tree(["news/news.rss2.0.head.xml", "news/x"])
    #expect(
      try findings(tree, layout: layout) == [
        Finding(.missingDirectory, "new", .nearby(bytes("news"))),
        Finding(.misplaced, "news/news.rss2.0.head.xml", .families(["news"])),
        Finding(.unknown, "news/x"),
      ])
  }

  // MARK: Dates

  @Test func daysToCome() throws {
    var query = VerifyQuery()
    query.now = 1_579_608_000_000_000_000  // 2020-01-21T12:00:00Z: the 22nd has begun in UTC+14.
    let paths = ["21", "22", "23", "31"].map { "daily/2020/01/\($0).daily.head" }
    let tree = try tree(paths)
    for path in paths { try tree.setTime(path, 1_579_600_000) }
    let day = try #require(CalendarDate(year: 2020, month: 1, day: 23))
    let findings = try findings(tree, query)
    #expect(
      findings.compactMap(\.path) == ["daily/2020/01/23.daily.head", "daily/2020/01/31.daily.head"])
    #expect(findings.map(\.code) == [.futureDate, .futureDate])
    #expect(findings.first?.evidence == .day(day))
  }

  /// A page from the future would never be found stale; a year that does not fit is no reason to trap.
  @Test(arguments: [7_258_118_400, 13_569_465_600, Int(Int32.max)])
  func timesToCome(_ seconds: Int) throws {
    let tree = try tree(["html/a", "html/b", "searchlog.txt"])
    try tree.setTime("html/a", seconds)
    try tree.setTime("searchlog.txt", seconds)
    try tree.setAge("html/b", .seconds(-3600))
    #expect(try found(tree) == ["future-date html/a"])
  }

  @Test func timesLongPast() throws {
    let tree = try tree(["html/a"])
    try tree.setTime("html/a", -2_000_000_000)
    #expect(try found(tree) == [])
    #expect(try found(tree, VerifyQuery(modifiedBefore: 0)) == ["expired html/a"])
  }

  // MARK: Sizes and ages

  @Test func stubs() throws {
    let tree = try tree()
    for (path, size) in [
      ("html/a", 99), ("html/b", 100), ("pages/a", 5), ("html/c", 0), ("searchlog.txt", 1),
      ("spooling/a.tmpA1b2C3", 1),
    ] {
      try tree.write(path, bytes: size)
    }
    #expect(try found(tree) == ["empty html/c"])
    let query = VerifyQuery(leastSizes: ["html": 100, "searchlog": 100])
    #expect(try found(tree, query) == ["stub html/a", "empty html/c"])
    #expect(try findings(tree, query).first?.evidence == .size(99, least: 100))
  }

  @Test func theSpool() throws {
    let tree = try tree()
    let hour = 3600
    let cut = "spooling/ports-graphics-py-pygeoapi-detail-part1-head-pagesize100-pagenuA1b2C3"
    for (path, size, age) in [
      // tempnam makes an empty file before anything is written to it.
      ("spooling/young.tmpA1b2C3", 0, 0), ("spooling/working.tmpA1b2C3", 9, hour - 60),
      ("spooling/left.tmpA1b2C3", 9, hour + 60), ("spooling/void.tmpA1b2C3", 0, hour + 60),
      (cut, 9, hour + 60),
    ] {
      try tree.write(path, bytes: size)
      try tree.setAge(path, .seconds(age))
    }
    #expect(
      try found(tree) == [
        "spool-leftover spooling/left.tmpA1b2C3", "spool-leftover \(cut)",
        "spool-leftover spooling/void.tmpA1b2C3",
      ])
  }

  @Test func emptyFolders() throws {
    let tree = try tree(["ports/net/full/Detail.PageSize1.PageNum1.html"])
    let folders = [
      "ports/net/void", "ports/www", "daily/2020/01", "news/sub", "commits/a", "html/a/b",
      "ports/Mk",
    ]
    let nobodys = ["lost", "daily/x"]
    for folder in folders + nobodys + ["ports/net/fresh", "new"] { try tree.makeDirectory(folder) }
    for folder in folders + nobodys { try tree.setAge(folder, .seconds(3_700)) }
    #expect(
      try found(tree)
        == (folders.map { "empty-dir \($0)" } + nobodys.map { "unknown \($0)" })
        .sorted { $0.split(separator: " ")[1] < $1.split(separator: " ")[1] })
  }

  // MARK: One fault of several

  /// A page of a shape that nobody knows is cleared with its folder all the same, so that it is empty
  /// before it is unknown; but it is not removed one by one.
  @Test func zeroBytesOfNoKnownShape() throws {
    let tree = try tree()
    for path in ["ports/net/a/new", "news/sub/x", "junk", "ports/junk", "spooling/junk"] {
      try tree.write(path, bytes: 0)
    }
    let findings = try findings(tree)
    #expect(
      findings.map { "\($0.code.rawValue) \($0.subject)" } == [
        "unknown junk", "empty news/sub/x", "unknown ports/junk", "empty ports/net/a/new",
        "unknown spooling/junk",
      ])
    let empty = findings.filter { $0.code == .empty }
    #expect(empty.allSatisfy { $0.evidence == .unshaped })
    #expect(empty.allSatisfy { $0.remedy == FindingCode.unknown.remedy })
    #expect(try tree.clearer().fix(findings) == findings)
    #expect(
      try found(tree, VerifyQuery(codes: [.unknown])).count == 5)
  }

  /// The worst that is asked for, not the worst there is.
  @Test func whatIsNotAskedForHidesNothing() throws {
    let tree = try tree()
    try tree.write("html/a", bytes: 0)
    try tree.setAge("html/a", .seconds(7200))
    var query = VerifyQuery(modifiedBefore: currentTime() - 1_000_000_000, leastSizes: ["html": 5])
    for code in [FindingCode.empty, .stub, .expired] {
      query.codes = [code]
      #expect(try found(tree, query) == ["\(code.rawValue) html/a"])
    }
    query.codes = [.stub, .expired, .symlink]
    #expect(try found(tree, query) == ["stub html/a"])
  }
}

extension TemporaryTree {
  /// Gives a file a time of last modification, in seconds since the epoch.
  func setTime(_ path: String, _ seconds: Int) throws {
    let time = timespec(tv_sec: seconds, tv_nsec: 0)
    guard utimensat(AT_FDCWD, fullPath(path), [time, time], 0) == 0 else {
      throw SupportError("utimensat \(path): \(errno)")
    }
  }
}
