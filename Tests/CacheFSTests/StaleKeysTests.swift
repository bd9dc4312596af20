// SPDX-License-Identifier: BSD-2-Clause
//
// The keys whose pages may be older than what they show: which pages count, which keys name them, and
// when the family is named as a whole.

import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct StaleKeysTests {
  private static let second: Int64 = 1_000_000_000

  /// The packages of two ports and others' pages, all written at second 1000.
  private static let files = [
    "packages/net/a.html", "packages/net/b.html", "packages/www/c.html", "packages/net/odd.txt",
    "daily/2020/01/21.daily.head", "ports/net/a/Detail.PageSize1.PageNum1.html",
  ]

  /// The keys as text, sorted, and how many pages they were found by.
  private func stale(
    _ fields: [String], _ rows: [([String], Int64?)],
    lead: Int64 = 0, margin: Int64 = 0, most: Int = 10
  ) throws -> (keys: [String], pages: Int) {
    let tree = try TemporaryTree()
    try tree.plant(Self.files)
    for file in Self.files { try tree.setTime(file, 1000) }
    var table = try ChangeTable("packages", fields, .freshPorts)
    for (values, changed) in rows {
      table.add(values.map(bytes), changed: changed.map { $0 * Self.second })
    }
    let found = StaleKeys(
      in: try tree.open(), .freshPorts, table, lead: lead * Self.second,
      margin: margin * Self.second, most: most)
    return (found.keys.map(Layout.freshPorts.text).sorted(), found.pages)
  }

  private static let pair = ["category", "port"]

  @Test("a page that is older than its own change is named, and no other")
  func byKey() throws {
    let rows: [([String], Int64?)] = [
      (["net", "a"], 2000), (["net", "b"], 500), (["www", "c"], nil), (["www", "gone"], 2000),
    ]
    let found = try stale(Self.pair, rows)
    #expect(found.keys == ["packages\tcategory=net\tport=a"])
    #expect(found.pages == 1)
  }

  @Test(
    "a page that was written within the margin after its change counts; the clocks are allowed for")
  func margin() throws {
    let rows: [([String], Int64?)] = [(["net", "a"], 900)]
    #expect(try stale(Self.pair, rows).pages == 0)
    #expect(try stale(Self.pair, rows, margin: 100).pages == 0)
    #expect(try stale(Self.pair, rows, margin: 101).pages == 1)
    // By the file system's clock the change came an hour later, or earlier.
    #expect(try stale(Self.pair, rows, lead: -3600).pages == 1)
    #expect(try stale(Self.pair, rows, lead: 3600, margin: 101).pages == 0)
    #expect(
      try stale(Self.pair, [(["net", "a"], .max / Self.second)], margin: .max / Self.second).pages
        == 1)
  }

  @Test("one row for the whole family, and more keys than are told apart, name the family")
  func wholeFamily() throws {
    let one = try stale([], [([], 2000)])
    #expect(one.keys == ["packages"] && one.pages == 3)
    let rows: [([String], Int64?)] = [
      (["net", "a"], 2000), (["net", "b"], 2000), (["www", "c"], 2000),
    ]
    #expect(try stale(Self.pair, rows, most: 3).keys.count == 3)
    let many = try stale(Self.pair, rows, most: 2)
    #expect(many.keys == ["packages"] && many.pages == 3)
  }

  @Test("nothing is named where nothing was changed since")
  func nothing() throws {
    let found = try stale([], [([], 500)])
    #expect(found.keys.isEmpty && found.pages == 0)
  }

  @Test("no folder is entered that can hold no page of the family")
  func foldersOfTheFamily() throws {
    let tree = try TemporaryTree()
    try tree.plant(Self.files)
    struct Folders: ScanVisitor {
      var paths: [String] = []
      mutating func enter(_ folder: ScannedFolder) { paths.append("\(folder.path)") }
      mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {}
      mutating func fail(_ failure: PathFailure) {}
    }
    let packages = try #require(Layout.freshPorts.families.firstIndex { $0.name == "packages" })
    let scanner = Scanner(try tree.open(), layout: .freshPorts, family: packages)
    let entered = scanner.scan { Folders() }.flatMap(\.paths).sorted()
    #expect(entered == ["", "packages", "packages/net", "packages/www"])
  }
}
