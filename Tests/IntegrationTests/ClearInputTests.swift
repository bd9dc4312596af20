// SPDX-License-Identifier: BSD-2-Clause
//
// What the clear commands make of many keys: standard input of any size, keys that overlap, days
// by name, branches and the news; and that a dry run says what the real one then does.

import Foundation
import Testing

@testable import TestSupport

@Suite struct ClearInputTests {
  private static let part = "Detail.Part1.head.PageSize100.PageNum1.html"
  private static let old = "Detail.PageSize100.PageNum1.html"

  private func clear(
    _ arguments: [String], _ tree: TemporaryTree, input: String = "",
    environment: [String: String] = [:]
  ) throws -> CommandResult {
    try Command.fpcache(
      arguments + ["--format", "json", "--cache-dir", tree.path], in: tree,
      environment: environment, input: input)
  }

  private static func json(
    keys: Int, files: Int, bytes: Int, withoutMatch: Int = 0, dryRun: Bool = false
  ) -> String {
    #"{"version":1,"dry_run":\#(dryRun),"keys":\#(keys),"files_removed":\#(files),"#
      + #""bytes_removed":\#(bytes),"keys_without_match":\#(withoutMatch),"failures":[]}"# + "\n"
  }

  @Test(
    "a port without a page leaves its category's pages; names with + and . are keys like others")
  func names() throws {
    let tree = try TemporaryTree()
    let pages = [
      "categories/graphics/graphics.0.head.PageSize100.PageNum1.html",
      "ports/devel/libsigc++20/\(Self.part)", "ports/print/R-cran-knitr/\(Self.old)",
      "ports/x11-wm/i3.4_2/\(Self.part)",
    ]
    for page in pages { try tree.write(page, bytes: 10) }
    let none = try clear(["clear-port", "graphics/py-pygeoapi"], tree)
    #expect(none.stdout == Self.json(keys: 1, files: 0, bytes: 0, withoutMatch: 1), "\(none)")
    #expect(none.status == 0 && none.stderr.isEmpty, "\(none)")
    let all = try clear(
      ["clear-port", "devel/libsigc++20", "print/R-cran-knitr", "x11-wm/i3.4_2"], tree)
    #expect(all.stdout == Self.json(keys: 3, files: 3, bytes: 30), "\(all)")
    #expect(try tree.files() == [pages[0]])
    // Beside one that has pages, it takes no more with it than that one does.
    try tree.write(pages[1], bytes: 10)
    try tree.write("categories/devel/devel.0.head.PageSize100.PageNum1.html", bytes: 10)
    let both = try clear(["clear-port", "graphics/py-pygeoapi", "devel/libsigc++20"], tree)
    #expect(both.stdout == Self.json(keys: 2, files: 2, bytes: 20, withoutMatch: 1), "\(both)")
    #expect(try tree.files() == [pages[0]])
  }

  @Test("neither a prefix nor a pattern: no port's neighbour goes with it")
  func neighbours() throws {
    let tree = try TemporaryTree()
    for port in ["py", "py-", "py-x", "py.x", "py+", "PY"] {
      try tree.write("ports/lang/\(port)/\(Self.part)", bytes: 1)
    }
    let result = try clear(["clear-port", "lang/py", "lang/py.x"], tree)
    #expect(result.stdout == Self.json(keys: 2, files: 2, bytes: 2), "\(result)")
    #expect(try tree.files().count == 4)
    #expect(!tree.exists("ports/lang/py/\(Self.part)"))
    #expect(!tree.exists("ports/lang/py.x/\(Self.part)"))
  }

  @Test("50,000 keys on standard input, each cleared, in whatever pieces they come")
  func manyKeys() throws {
    let tree = try TemporaryTree()
    for number in stride(from: 0, to: 50_000, by: 500) {
      try tree.write("ports/devel/p\(number)/\(Self.part)", bytes: 1)
    }
    let keys = (0..<50_000).map { "devel/p\($0)" }
    let result = try clear(["clear-port", "-"], tree, input: keys.joined(separator: "\n"))
    #expect(result.stdout == Self.json(keys: 50_000, files: 100, bytes: 100, withoutMatch: 49_900))
    #expect(try tree.files() == [])
  }

  @Test("a bad key at the end of 50,000 good ones touches nothing")
  func badKeyAtTheEnd() throws {
    let tree = try TemporaryTree()
    try tree.write("ports/devel/p0/\(Self.part)", bytes: 1)
    let before = try tree.snapshot()
    let keys = (0..<50_000).map { "devel/p\($0)\n" }.joined() + "devel\n"
    let result = try clear(["clear-port", "-"], tree, input: keys)
    #expect(result.status == 64, "\(result)")
    #expect(
      result.stderr == "fpcache: standard input, key 50001: devel: expected CATEGORY/PORT, "
        + "such as graphics/py-pygeoapi\n")
    #expect(try tree.snapshot().differences(from: before) == [])
  }

  @Test("no key at all is no error", arguments: ["", "\n\n"])
  func noKeys(_ input: String) throws {
    let tree = try TemporaryTree()
    let result = try clear(["clear-port", "-", "--require-match"], tree, input: input)
    #expect(result.status == 0)
    #expect(result.stdout == Self.json(keys: 0, files: 0, bytes: 0), "\(result)")
  }

  @Test("--require-match: one key without match is enough, a category's page is no match")
  func requireMatch() throws {
    let tree = try TemporaryTree()
    try tree.write("ports/devel/a/\(Self.part)", bytes: 1)
    try tree.write("categories/devel/devel.0.head.PageSize100.PageNum1.html", bytes: 1)
    let dry = try clear(["clear-port", "-n", "--require-match", "devel/a", "devel/b"], tree)
    #expect(dry.status == 3, "\(dry)")
    let real = try clear(["clear-port", "--require-match", "devel/a", "devel/b"], tree)
    #expect(real.status == 3, "\(real)")
    #expect(real.stdout == Self.json(keys: 2, files: 2, bytes: 2, withoutMatch: 1), "\(real)")
    #expect(real.stderr.isEmpty)
  }

  // MARK: Days

  @Test("a range clears its days and no other, across months and years")
  func range() throws {
    let tree = try TemporaryTree()
    let days = [
      "2019/12/30", "2019/12/31", "2020/01/01", "2020/06/15", "2020/12/31", "2021/01/01",
      "2021/02/28", "2021/03/01", "2021/03/02",
    ]
    for day in days { try tree.write("daily/\(day).daily.head", bytes: 1) }
    let result = try clear(["clear-date", "2019-12-31..2021-03-01"], tree)
    #expect(result.stdout == Self.json(keys: 1, files: 7, bytes: 7), "\(result)")
    #expect(try tree.files() == ["daily/2019/12/30.daily.head", "daily/2021/03/02.daily.head"])
  }

  @Test("today and yesterday are those of the process's time zone", arguments: ["AAA-14", "BBB12"])
  func today(_ zone: String) throws {
    let tree = try TemporaryTree()
    let offset = zone == "AAA-14" ? 14 : -12
    // Three days: midnight may pass between here and there.
    let now = Date().addingTimeInterval(Double(offset) * 3600)
    for day in -2...1 {
      try tree.write("daily/\(Self.day(now, day)).daily.head", bytes: 1)
    }
    let result = try clear(["clear-date", "today", "yesterday"], tree, environment: ["TZ": zone])
    let later = Date().addingTimeInterval(Double(offset) * 3600)
    #expect(result.stdout == Self.json(keys: 2, files: 2, bytes: 2), "\(result)")
    let left = [now, later].map { date in
      let gone = [Self.day(date, 0), Self.day(date, -1)]
      return (-2...1).map { Self.day(now, $0) }.filter { !gone.contains($0) }
        .map { "daily/\($0).daily.head" }.sorted()
    }
    #expect(left.contains(try tree.files()), "\(result)")
  }

  private static func day(_ date: Date, _ offset: Int) -> String {
    var seconds = time_t(date.timeIntervalSince1970) + offset * 86_400
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let year = String(parts.tm_year + 1900)
    let rest = [parts.tm_mon + 1, parts.tm_mday].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return ([year] + rest).joined(separator: "/")
  }

  // MARK: Branches and news

  @Test("--branch may be given again; pages that name no branch stay, the news goes whole")
  func branches() throws {
    let tree = try TemporaryTree()
    let gone = [
      "categories/devel/devel.0.2020Q1.PageSize100.PageNum1.html", "news/index.xml",
      "news/news.rss2.0.2019Q4.xml", "news/news.rss2.0.head.xml",
      "ports/devel/a/Detail.Part1.2020Q1.PageSize100.PageNum1.html", "ports/devel/a/\(Self.part)",
    ]
    let stay = [
      "news/.htaccess", "ports/devel/a/Detail.Part1.2020Q2.PageSize100.PageNum1.html",
      "ports/devel/a/\(Self.old)", "ports/devel/a/Makefile.PageSize100.PageNum1.html",
    ]
    for path in gone + stay { try tree.write(path, bytes: 1) }
    let result = try clear(
      ["clear-port", "--branch", "head", "--branch", "2020Q1", "devel/a", "--news"], tree)
    #expect(result.stdout == Self.json(keys: 1, files: 6, bytes: 6), "\(result)")
    #expect(try tree.files() == stay.sorted())
  }

  // MARK: A dry run and the real one

  /// Whatever is asked for, `-n` changes nothing and says what the real run then says.
  @Test("-n foretells the real run", arguments: 0..<24)
  func foretells(_ seed: UInt64) throws {
    var random = LinearCongruence(state: seed)
    let tree = try Self.randomTree(&random)
    let isDate = Bool.random(using: &random)
    let pool =
      isDate
      ? ["2020-01-01", "2020-01", "2020", "2020-01-01..2020-02-02", "2020-02-01", "2021"]
      : ["a/p", "a/q.r", "b/p", "a/*", "b/*", "c/p", "d/p", "b/t"]
    let keys = (0..<Int.random(in: 1...5, using: &random)).compactMap { _ in
      pool.randomElement(using: &random)
    }
    let flags =
      ["--news", "--branch=head", "--branch=2020Q1", "--require-match"]
      + (isDate ? [] : ["--no-category"])
    let arguments =
      [isDate ? "clear-date" : "clear-port", "-v"] + keys
      + flags.filter { _ in Bool.random(using: &random) }
    let before = try tree.snapshot()
    let dry = try clear(arguments + ["-n"], tree)
    #expect(try tree.snapshot().differences(from: before) == [], "\(dry)")
    let real = try clear(arguments, tree)
    #expect(
      dry.stdout.replacing(#""dry_run":true"#, with: #""dry_run":false"#) == real.stdout,
      "\(dry)\n\(real)")
    #expect(dry.status == real.status && dry.stderr == real.stderr, "\(dry)\n\(real)")
  }

  private static func randomTree(_ random: inout LinearCongruence) throws -> TemporaryTree {
    let tree = try TemporaryTree()
    var paths = ["news/.x/y", "news/a/b/c", "news/news.rss2.0.head.xml", "news/.z"]
    for day in ["2020/01/01", "2020/01/31", "2020/02/01", "2020/02/03", "2021/05/05"] {
      paths += ["head", "2020Q1", "2020Q3"].map { "daily/\(day).daily.\($0)" }
    }
    for port in ["a/p", "a/q.r", "b/p", "b/s"] {
      paths += [part, old, "sub/f", "sub/deep/g", "Detail.Part1.2020Q1.PageSize1.PageNum1.html"]
        .map { "ports/\(port)/\($0)" }
    }
    paths += ["a", "b"].map { "categories/\($0)/\($0).0.head.PageSize1.PageNum1.html" }
    for path in paths where Int.random(in: 0..<3, using: &random) > 0 {
      try tree.write(path, bytes: Int.random(in: 0...99, using: &random))
    }
    for folder in ["news/empty/inner", "ports/a/p/empty", "ports/c/p/empty", "daily/2020/03"]
    where Bool.random(using: &random) {
      try tree.makeDirectory(folder)
    }
    if Bool.random(using: &random) { try tree.link("ports/b/t", to: "../a/p") }
    if Bool.random(using: &random) { try tree.link("ports/d", to: "a") }
    if Bool.random(using: &random) { try tree.link("news/link", to: "../ports") }
    return tree
  }

  /// Knuth's MMIX generator, so that a failure comes again.
  private struct LinearCongruence: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 33)
    }
  }
}
