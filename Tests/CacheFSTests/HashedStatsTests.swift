// SPDX-License-Identifier: BSD-2-Clause
//
// Counting a cache of nginx by what the heads of its files tell, and judging its pages by the keys in them.

import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct HashedStatsTests {
  static let hostRows: [(key: String, host: String?)] = [
    ("https://example.org/a/b", "example.org"), ("http://h:8080/", "h:8080"),
    ("http127.0.0.1:9000/a", "127.0.0.1:9000"), ("httpsGETexample.org/x?y", "example.org"),
    ("example.org/x", "example.org"), ("https://h?x", "h"), ("http://[::1]/", "[::1]"),
    ("/just/a/path", nil), ("", nil), ("https:///a", nil), ("https://a b/c", nil),
    ("https://" + String(repeating: "h", count: 300), nil),
  ]

  @Test("the host of a key", arguments: hostRows) func host(_ row: (key: String, host: String?)) {
    let found = bytes(row.key).withUnsafeBufferPointer { HeadField.host($0) }
    #expect(found.map(text) == row.host)
  }

  /// One record of FastCGI.
  private static func record(_ type: UInt8, _ text: String, padding: Int = 0) -> [UInt8] {
    let content = Array(text.utf8)
    return [
      1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 255), UInt8(padding), 0,
    ]
      + content + [UInt8](repeating: 0, count: padding)
  }

  static let statusRows: [(response: [UInt8], status: String?)] = [
    (bytes("HTTP/1.1 404 Not Found\r\nA: b\r\n"), "404"), (bytes("HTTP/1.1 200\r\n"), "200"),
    (bytes("Content-Type: text/html\r\nSTATUS: 503 x\r\n"), "503"),
    (bytes("Content-Type: text/html\r\n"), "200"), ([], nil),
    (bytes("Location: /b\r\nContent-Type: text/html\r\n"), "302"),
    (bytes("Status: 301 Moved\r\nLocation: /b\r\n"), "301"),
    (bytes("HTTP/1.1 2x0 OK\r\n"), nil), (bytes("HTTP/1.1"), nil),
    (record(6, "Status: 404 Not Found\r\nA: b\r\n\r\n<p>"), "404"),
    (record(6, "A: b\r\n\r\n"), "200"),
    // Standard error comes first, and ends in the middle of a line.
    (record(7, "PHP Warning: Status: 500", padding: 3) + record(6, "Status: 410 Gone\r\n"), "410"),
    (record(7, "PHP Warning") + record(6, "A: b\r\nSta") + record(6, "tus: 403\r\n\r\n"), "403"),
    // The header ends in the middle of a record.
    (
      Array(record(6, "Status: 404\r\n\r\n" + String(repeating: "x", count: 300)).prefix(23)), "404"
    ),
  ]

  @Test("the status of a response", arguments: statusRows)
  func status(_ row: (response: [UInt8], status: String?)) {
    #expect(HeadField.status(row.response, isWhole: true).map(text) == row.status)
  }

  @Test("a header that was not read to its end has the status that was read, and no other")
  func cutStatus() {
    #expect(HeadField.status(bytes("HTTP/1.1 404 N"), isWhole: false).map(text) == "404")
    #expect(HeadField.status(bytes("A: b\r\n"), isWhole: false) == nil)
    #expect(HeadField.status(Self.record(6, "Location: /b\r\n"), isWhole: false) == nil)
  }

  @Test("whatever the records are", arguments: 1...3 as ClosedRange<UInt64>)
  func hostileRecords(_ seed: UInt64) {
    var dice = Dice(seed)
    for _ in 0..<3_000 {
      var response = (0..<(1 + dice.below(3))).flatMap { _ in
        Self.record(
          dice.pick([6, 7]), dice.pick(["Status: 4", "04 x\r\n", "", "A: b\r\n"]),
          padding: dice.below(9))
      }
      for _ in 0..<dice.below(4) { response[dice.below(response.count)] = UInt8(dice.below(256)) }
      response = Array(response.prefix(dice.below(response.count + 1)))
      let status = HeadField.status(response, isWhole: dice.once(in: 2))
      #expect(status.map { $0.count == 3 && $0.allSatisfy { (0x30...0x39).contains($0) } } ?? true)
    }
  }

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for (key, status, expired) in [
      ("https://a/1", 200, false), ("https://a/2", 404, true), ("https://b/1", 200, true),
    ] {
      var file = NginxFile(key)
      file.response = "HTTP/1.1 \(status) X\r\n\r\n"
      if expired { file.validUntil = 1_000_000_000 }
      try file.write(in: tree, "proxy")
    }
    // No head: in the family, and in no group.
    try tree.write("proxy/" + NginxFile.path(String(repeating: "a", count: 32)), bytes: 5)
    try tree.write(
      "proxy/" + NginxFile.path(String(repeating: "b", count: 32)) + ".0000000007", bytes: 5)
    try tree.write("feeds/x", bytes: 5)
    return tree
  }

  static let groupRows: [(field: String, groups: [String: Int], ungrouped: Int)] = [
    ("host", ["a": 2, "b": 1], 3), ("status", ["200": 2, "404": 1], 3),
    ("state", ["fresh": 1, "expired": 2], 3), ("page", ["x": 1], 5),
    ("key", ["https://a/1": 1, "https://a/2": 1, "https://b/1": 1], 3),
  ]

  @Test("files are counted by it", arguments: groupRows)
  func groups(_ row: (field: String, groups: [String: Int], ungrouped: Int)) throws {
    let tree = try tree()
    let layout = try Layout.nginx()
    #expect(layout.groupNames == ["key", "page", "host", "status", "state"])
    let report = measure(
      Scanner(try tree.open(), layout: layout), StatsQuery(groupBy: row.field))
    #expect(report.families.map(\.files) == [5, 1] && report.unknown.files == 0)
    let found = Dictionary(
      uniqueKeysWithValues: report.groups.map { (text($0.value), $0.tally.files) })
    #expect(found == row.groups && report.ungrouped.files == row.ungrouped)
  }

  @Test("a page that is older than its row is named by its key") func stale() throws {
    let tree = try tree()
    let layout = try Layout.nginx()
    let path = try NginxFile("https://a/1").write(in: tree, "proxy")
    try tree.setAge(path, .seconds(3600))
    var table = try ChangeTable("pages", ["key"], layout)
    table.add([bytes("https://a/1")], changed: currentTime() - 60_000_000_000)
    table.add([bytes("https://b/1")], changed: currentTime() - 60_000_000_000)
    let stale = StaleKeys(in: try tree.open(), layout, table, lead: 0, margin: 0)
    let key = try layout.key("pages", ["key": "https://a/1"])
    #expect(stale.keys == [key] && stale.pages == 1)
    let found = ChangedPages(
      in: try tree.open(), layout, table, ClockComparison(asked: currentTime()), most: 9)
    #expect(found.stale == 1 && found.pages.map(\.key) == [key])
  }
}
