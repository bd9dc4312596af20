// SPDX-License-Identifier: BSD-2-Clause
//
// Between the two looks the tree goes on living: what has gone, or has been written anew, is no
// finding; what is still so, is.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct SecondLookTests {
  private func tree(_ files: [String] = []) throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in ["html", "news", "ports", "spooling"] { try tree.makeDirectory(folder) }
    try tree.plant(files)
    return tree
  }

  /// Audits a tree, and changes it between the two looks.
  private func found(
    _ tree: TemporaryTree, _ query: VerifyQuery = VerifyQuery(),
    meanwhile: () throws -> Void
  ) throws -> (before: [String], after: [String]) {
    var before: [String] = []
    var failure: (any Error)?
    let scanner = Scanner(try tree.open(), layout: .freshPorts, threads: 2)
    let after = Verifier(scanner, query).audit { suspects in
      before = suspects.map(text).sorted()
      do { try meanwhile() } catch { failure = error }
    }.findings.map(text)
    if let failure { throw failure }
    return (before, after)
  }

  private func text(_ finding: Finding) -> String { "\(finding.code.rawValue) \(finding.subject)" }

  @Test func whatHasGoneIsNoFinding() throws {
    let tree = try tree(["junk", "news/.x", "ports/21.daily.head", "html/old", "html/closed/x"])
    try tree.write("html/empty", bytes: 0)
    try tree.link("html/link", to: "x")
    #expect(mkfifo(tree.fullPath("html/fifo"), 0o600) == 0)
    try tree.makeDirectory("ports/net/void")
    for path in ["html/old", "ports/net/void"] { try tree.setAge(path, .seconds(7200)) }
    try tree.write("spooling/a.tmpA1b2C3", bytes: 1)
    try tree.setAge("spooling/a.tmpA1b2C3", .seconds(7200))
    let query = VerifyQuery(modifiedBefore: currentTime() - 3_600_000_000_000)
    let (before, after) = try found(tree, query) {
      for path in [
        "junk", "news/.x", "ports/21.daily.head", "html/old", "html/empty", "html/link",
        "html/fifo", "ports/net/void", "spooling/a.tmpA1b2C3",
      ] {
        tree.remove(path)
      }
    }
    #expect(
      before == [
        "empty html/empty", "empty-dir ports/net/void", "expired html/old",
        "misplaced ports/21.daily.head", "special html/fifo",
        "spool-leftover spooling/a.tmpA1b2C3", "symlink html/link", "unknown junk",
        "unknown news/.x",
      ])
    #expect(after == [])
  }

  @Test func whatWasWrittenAnewIsNoFinding() throws {
    let tree = try tree(["html/old"])
    try tree.write("html/empty", bytes: 0)
    try tree.write("html/stub", bytes: 3)
    try tree.setAge("html/old", .seconds(7200))
    try tree.makeDirectory("ports/net/void")
    try tree.setAge("ports/net/void", .seconds(7200))
    let query = VerifyQuery(
      modifiedBefore: currentTime() - 3_600_000_000_000, leastSizes: ["html": 5])
    let (before, after) = try found(tree, query) {
      for path in ["html/old", "html/empty", "html/stub"] { try tree.write(path, bytes: 50) }
      try tree.plant(["ports/net/void/Detail.PageSize1.PageNum1.html"])
    }
    #expect(
      before == [
        "empty html/empty", "empty-dir ports/net/void", "expired html/old", "stub html/stub",
      ])
    #expect(after == [])
  }

  @Test func aPageThatIsBeingWrittenIsGivenTime() throws {
    let tree = try tree()
    try tree.write("html/slow", bytes: 0)
    try tree.write("html/empty", bytes: 0)
    let path = tree.fullPath("html/slow")
    let (_, after) = try found(tree) {
      Thread.detachNewThread {
        Thread.sleep(forTimeInterval: 0.05)
        try? "content".write(toFile: path, atomically: false, encoding: .utf8)
      }
    }
    #expect(after == ["empty html/empty"])
  }

  @Test func whatIsStillSoIsAFinding() throws {
    let tree = try tree(["junk", "html/old"])
    try tree.setAge("html/old", .seconds(7200))
    let query = VerifyQuery(modifiedBefore: currentTime() - 3_600_000_000_000)
    // Another hand beside it is no excuse; what matches no pattern may grow as it likes.
    let (before, after) = try found(tree, query) {
      try tree.write("html/other", bytes: 3)
      try tree.write("junk", bytes: 5_000)
    }
    #expect(before == after && after == ["expired html/old", "unknown junk"])
  }

  @Test func aPageInPlaceOfALinkIsNoLink() throws {
    let tree = try tree()
    try tree.link("html/a", to: "x")
    let (before, after) = try found(tree) {
      tree.remove("html/a")
      try tree.write("html/a", bytes: 3)
    }
    #expect(before == ["symlink html/a"] && after == [])
  }

  @Test func aFolderMadeWritableIsClearable() throws {
    let tree = try tree(["html/a/x", "html/b/x"])
    let actor = Actor(name: "nobody", user: 65_533, groups: [])
    for (folder, mode) in [
      ("", 0o777), ("html", 0o777), ("html/a", 0o755), ("html/b", 0o755), ("news", 0o777),
      ("ports", 0o777), ("spooling", 0o777),
    ] as [(String, mode_t)] {
      try tree.setMode(folder, mode)
    }
    let (before, after) = try found(tree, VerifyQuery(codes: [.notClearable], actor: actor)) {
      try tree.setMode("html/a", 0o777)
    }
    #expect(before == ["not-clearable html/a", "not-clearable html/b"])
    #expect(after == ["not-clearable html/b"])
  }

  @Test func lookingChangesNothing() throws {
    let tree = try tree(["junk", "html/a"])
    try tree.write("html/empty", bytes: 0)
    let before = try tree.snapshot()
    _ = try found(tree) {}
    _ = try tree.open().fileSystemTime()
    #expect(try tree.snapshot().differences(from: before).isEmpty)
  }

  /// Where the file system tells, it is this machine's clock.
  @Test func theFileSystemsClock() throws {
    guard let time = try tree().open().fileSystemTime() else { return }
    #expect(abs(time - currentTime()) < 1_000_000_000)
  }

  /// A page that is copied into place is empty at first, and grows.
  @Test func aPageBeingWrittenIsNotAccused() throws {
    let tree = try tree()
    try tree.write("news/news.rss2.0.head.xml", bytes: 0)
    try tree.setAge("news/news.rss2.0.head.xml", .seconds(60))
    let query = VerifyQuery(leastSizes: ["news": 100])
    let (before, after) = try found(tree, query) {
      // The writer has just opened it, and its first bytes are on the way.
      try tree.write("news/news.rss2.0.head.xml", bytes: 0)
      try tree.setAge("news/news.rss2.0.head.xml", .seconds(-3))
    }
    #expect(before == ["empty news/news.rss2.0.head.xml"] && after == [])
  }

  @Test func whatIsBeingWrittenIsNotFixed() throws {
    let tree = try tree(["news/news.rss2.0.head.xml"])
    let page: CachePath = "news/news.rss2.0.head.xml"
    try tree.write("\(page)", bytes: 0)
    let clearer = try tree.clearer()
    let empty = Finding(.empty, page)
    let stub = Finding(.stub, page, .size(0, least: 100))
    let old = Finding(.expired, page, .written(0))
    #expect(clearer.fix([empty, stub, old]).map(\.fix) == [.passed, .passed, .passed])
    #expect(tree.exists("\(page)"))
    try tree.setAge("\(page)", .seconds(60))
    #expect(clearer.fix([empty]).map(\.fix) == [.removed])
  }
}
