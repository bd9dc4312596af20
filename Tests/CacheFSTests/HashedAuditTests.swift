// SPDX-License-Identifier: BSD-2-Clause
//
// An audit of a cache of nginx: what is cut off, misnamed, left over or newer than known is told, and what is in order is not.

import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct HashedAuditTests {
  private func audit(_ tree: TemporaryTree) throws -> [String] {
    let verifier = Verifier(
      Scanner(try tree.open(), layout: try Layout.nginx()), VerifyQuery(actor: .current))
    return verifier.audit().findings.map { "\($0.code.rawValue) \($0.subject)" }
  }

  @Test("what is in order is not accused") func clean() throws {
    let tree = try TemporaryTree()
    for version in [3, 4, 5] as [UInt64] {
      var file = NginxFile("https://h/\(version)" + String(repeating: "k", count: 1200))
      file.version = version
      try file.write(in: tree, "proxy")
      file.vary = "Accept"
      file.variant = Array(repeating: UInt8(version), count: 16)
      try file.write(in: tree, "proxy", hash: text(MD5.hexDigits(file.variant)))
    }
    // Being written.
    try tree.write(
      "proxy/" + NginxFile.path(String(repeating: "a", count: 32)) + ".0000000001", bytes: 9)
    try tree.makeDirectory("feeds")
    #expect(try audit(tree) == [])
  }

  @Test("each fault is told, once") func faults() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("feeds")
    func path(_ digit: String) -> String {
      "proxy/" + NginxFile.path(String(repeating: digit, count: 32))
    }
    let file = NginxFile("https://h/a")
    try tree.write(path("a"), content: Array(file.bytes[..<340]))
    try tree.write(path("b"), content: file.bytes)
    var newer = file
    newer.version = 6
    try tree.write(path("c"), content: newer.bytes)
    try tree.write(path("d") + ".0000000001", bytes: 9)
    try tree.write(path("e"), bytes: 0)
    var marked = file.bytes
    marked[337] = 0
    try tree.write(path("f"), content: marked)
    try tree.write("proxy/readme", bytes: 9)
    for path in [path("a"), path("d") + ".0000000001", path("f"), path("e")] {
      try tree.setAge(path, .seconds(7200))
    }
    #expect(
      try audit(tree) == [
        "stub \(path("a"))", "misplaced \(path("b"))", "unreadable \(path("c"))",
        "spool-leftover \(path("d")).0000000001", "empty \(path("e"))", "stub \(path("f"))",
        "unknown proxy/readme",
      ])
  }
}
