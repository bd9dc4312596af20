// SPDX-License-Identifier: BSD-2-Clause
//
// Names that mean something to a shell, a glob, a path or a terminal, as keys and as files: only
// what a key says byte by byte goes, and what is told of can be told back to bytes.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct NamesTests {
  private let layout = Layout.freshPorts

  /// Names that a folder can hold, hostile to whoever handles them as text.
  static let odd: [[UInt8]] =
    [
      "*", "?", "[a]", "{a,b}", "a*", "~", "-rf", "--", "...", "..a", ".hidden", " ", "a b", " a",
      "a\nb", "\r", "\t", "\u{1B}[2J", "\u{7F}", "$(reboot)", "`id`", "a'b", "a\"b", "a\\b",
      "\\x41",
      "%s%n", "a;b", "a|b", "é", "e\u{301}", "ａ", "а", "ⅰ", "a\u{200B}", "a\u{202E}b", "\u{FEFF}a",
      "a\u{3164}", "İ", "ß", "ﬀ", "😀", "\u{0}x".replacing("\0", with: "%00"), "a%2e%2e", "CON",
    ].map(bytes) + [
      [0xFF], [0xC3], [0x80, 0x81], [0x61, 0xC0, 0xAF], [0xC0, 0xAE, 0xC0, 0xAE],
      [0xED, 0xA0, 0x80],
      [UInt8](repeating: 0x61, count: 255), [UInt8](repeating: 0xFF, count: 255),
    ]

  /// What no folder can hold, or what leads elsewhere.
  static let impossible: [[UInt8]] = [
    [], bytes("."), bytes(".."), bytes("/"), bytes("../a"), bytes("a/.."), bytes("a/../b"),
    bytes("/etc/passwd"), bytes("a//b"), bytes("./a"), [0], bytes("a\0"), bytes("\0a"),
    bytes("a\0/../../etc/passwd"), [UInt8](repeating: 0x61, count: 256),
    [UInt8](repeating: 0x61, count: 4_096), bytes(String(repeating: "../", count: 1_365)),
  ]

  /// Writes a file under a name of any bytes.
  private func plant(_ tree: TemporaryTree, _ folder: String, _ name: [UInt8]) throws {
    try tree.makeDirectory(folder)
    let path = bytes(tree.fullPath(folder)) + [0x2F] + name + [0]
    let file = path.withUnsafeBytes {
      Glibc.open($0.assumingMemoryBound(to: CChar.self).baseAddress!, O_WRONLY | O_CREAT, 0o644)
    }
    try #require(file >= 0, "\(escape(name)): \(errno)")
    #expect(Glibc.write(file, "x", 1) == 1)
    close(file)
  }

  /// The paths of everything below the tree, by a walk of our own.
  private func paths(_ tree: TemporaryTree) throws -> Set<CachePath> {
    let counted = try Scanner(tree.open(), layout: layout, threads: 1).scan { PathList() }
    return Set(counted.flatMap(\.paths))
  }

  private struct PathList: ScanVisitor {
    var paths: [CachePath] = []
    mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
      paths.append(entry.path)
    }
    mutating func fail(_ failure: PathFailure) { Issue.record("\(failure)") }
  }

  @Test("a port of a strange name clears nothing; its neighbours clear themselves and no other")
  func ports() throws {
    let tree = try TemporaryTree()
    for name in Self.odd {
      try plant(tree, "ports/net/a", name)
      if name.count < 200 {
        try plant(tree, "ports/net", name + bytes(".PageSize1.PageNum1.html"))
      }
    }
    for name in ["a", "ab", "A", "a.b"] { try plant(tree, "ports/net/\(name)", bytes("page")) }
    let before = try paths(tree)
    var refused = 0
    for name in Self.odd + Self.impossible {
      guard let key = try? layout.port(category: bytes("net"), port: name) else {
        refused += 1
        continue
      }
      // FreeBSD's own rules let it pass: then it is a folder's plain name, and there is none.
      #expect(try tree.clearer().clear(key) == ClearReport(), "\(escape(name))")
      for kind in [layout.ports(of:), layout.category] { _ = try? tree.clearer().clear(kind(name)) }
    }
    #expect(refused > 50)
    #expect(try paths(tree) == before)
    let report = try tree.clearer().clear(layout.port("net", "a"))
    #expect(report.filesRemoved == Self.odd.count + 1 && report.failures.isEmpty)
    #expect(try paths(tree) == before.filter { !$0.bytes.starts(with: bytes("ports/net/a/")) })
  }

  @Test("a path of a strange name clears itself, byte by byte, and no other")
  func tails() throws {
    let tree = try TemporaryTree()
    let visible = Self.odd.filter { $0.first != UInt8(ascii: ".") }
    for name in visible { try plant(tree, "news", name) }
    for name in visible {
      let before = try paths(tree)
      let key = try layout.key("news", [("page", name)])
      let report = try tree.clearer().clear(key)
      #expect(report.removed == [CachePath(bytes("news/") + name)], "\(escape(name))")
      #expect(try paths(tree) == before.subtracting(report.removed))
      try plant(tree, "news", name)
    }
    for name in Self.impossible where (try? layout.key("news", [("page", name)])) != nil {
      #expect(name == bytes("a//b") || name.count == 256, "\(escape(name))")
    }
  }

  @Test("what is told of a name can be told back to its bytes")
  func told() throws {
    let tree = try TemporaryTree()
    for name in Self.odd where name.first != UInt8(ascii: ".") {
      try plant(tree, "news", name)
      try plant(tree, "strange", name)
    }
    let there = try paths(tree)
    let stats = measure(
      Scanner(try tree.open(), layout: layout, threads: 1), StatsQuery(groupBy: "page", top: 1_000))
    #expect(Set(stats.largest.map(\.path)) == there)
    let (findings, _) = Verifier(
      Scanner(try tree.open(), layout: layout, threads: 1), VerifyQuery()
    ).audit()
    #expect(Set(findings.compactMap(\.path)) == there)
    let cleared = try tree.clearer().clear(layout.all(of: "news"))
    #expect(cleared.removed.count == there.count / 2)
    for path in cleared.removed + findings.compactMap(\.path) + stats.largest.map(\.path) {
      let text = path.description
      #expect(unescape(text) == path.bytes)
      #expect(
        text.unicodeScalars.allSatisfy {
          $0 == " "
            || (!$0.properties.isWhitespace && !$0.properties.isDefaultIgnorableCodePoint
              && $0.properties.generalCategory != .control)
        }, "\(text)")
    }
    // Look-alikes stay apart.
    let texts = Set(there.map { Array($0.description.utf8) })
    #expect(texts.count == there.count)
  }

  @Test("the length of a match's work is the name's: a megabyte of near misses takes no time")
  func linear() throws {
    let patterns = [
      "f/{a:number}-{b:number}-{c:number}-{d:name}-{e:number}-{f:number}",
      "f/{x:name}.tmp{s:suffix}", "f/{a:word}.{b:word}.{c:word}.{d:word}.{e:name}x",
    ]
    for text in patterns {
      let component = try #require(try Pattern(text).components.last)
      for piece in ["1-", "a.", ".tmp", "-", "x", "1-1-", "a.a"] {
        let name = bytes(String(repeating: piece, count: (1 << 20) / piece.utf8.count))
        var captures: [Capture] = []
        name.withUnsafeBufferPointer { _ = component.match($0, in: 0..<$0.count, &captures) }
      }
    }
  }
}
