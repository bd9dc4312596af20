// SPDX-License-Identifier: BSD-2-Clause
//
// A dry run changes nothing and says just what the real run then does, over many random trees
// and sets of keys, overlapping ones included.

import TestSupport
import Testing

@testable import CacheFS

@Suite struct ClearerDryRunTests {
  private let layout = Layout.freshPorts

  /// A tree of few names, so that keys meet pages and each other.
  private func tree(_ dice: inout Dice) throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for _ in 0..<(20 + dice.below(80)) {
      let category = dice.pick(["net", "www"])
      let port = dice.pick(["a", "b", "c++"])
      let branch = dice.pick(["head", "2020Q1"])
      let day = dice.pick(["01", "02", "31"])
      let end = "PageSize100.PageNum\(dice.below(3)).html"
      let path = dice.pick([
        "ports/\(category)/\(port)/Detail.Part1.\(branch).\(end)",
        "ports/\(category)/\(port)/Detail.\(end)", "ports/\(category)/\(port)/Makefile.\(end)",
        "ports/\(category)/\(port)/files/x.\(end)", "ports/\(category)/\(port)/sub/deep/\(day)",
        "ports/\(category)/Makefile.\(end)", "ports/Mk/x.mk.\(end)", "ports/\(category)/junk",
        "categories/\(category)/\(category).0.\(branch).\(end)", "categories/\(category)/.x",
        "daily/2020/\(day)/\(day).daily.\(branch)", "daily/2021/01/\(day).daily.\(branch)",
        "news/news.rss2.0.\(branch).xml", "news/sub/\(day)", "news/.x",
        "packages/\(category)/a.html",
        "commits/i-\(day)/x", "general/sanity_test_failures.\(day).\(end)", "searchlog.txt",
      ])
      switch dice.below(12) {
      case 0: try? tree.link(path, to: "/nowhere")
      case 1: try? tree.makeDirectory(path)
      default: try? tree.write(path, bytes: dice.below(300))
      }
    }
    return tree
  }

  private func keys(_ dice: inout Dice) throws -> [CacheKey] {
    try (0..<(1 + dice.below(12))).map { _ in
      let category = dice.pick(["net", "www", "none"])
      let day = dice.pick([1, 2, 31])
      switch dice.below(11) {
      case 0: return try layout.ports(of: bytes(category))
      case 1, 2: return try layout.port(category, dice.pick(["a", "b", "c++"]))
      case 3: return try layout.category(bytes(category))
      case 4: return try layout.key("daily", ["year": "2020", "day": dice.pick(["01", "31"])])
      case 5: return try layout.month(year: 2020 + dice.below(2), month: min(day, 12))
      case 6:
        return try layout.file(path: bytes("\(category)/a/\(dice.pick(["Makefile", "files/x"]))"))
      case 7: return try layout.file(path: bytes(dice.pick(["Mk/x.mk", "net/Makefile"])))
      case 8: return try layout.commit(messageID: bytes("i@31"))
      case 9: return try layout.sanityTestFailures()
      default: return try layout.all(of: dice.pick(["news", "packages", "ports", "daily"]))
      }
    }
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func saysWhatTheRealRunDoes(_ seed: UInt64) throws {
    var dice = Dice(seed)
    let tree = try tree(&dice)
    let keys = try keys(&dice)
    let branches = dice.once(in: 4) ? ["head"] : nil
    let before = try tree.snapshot()
    let dry = try tree.clearer(dryRun: .yes, branches: branches).clear(keys)
    #expect(try tree.snapshot().differences(from: before).isEmpty)
    let files = try tree.fileSet()
    let real = try tree.clearer(branches: branches).clear(keys)
    for (index, pair) in zip(dry, real).enumerated() {
      #expect(pair.0.filesRemoved == pair.1.filesRemoved, "\(keys[index])")
      #expect(pair.0.bytesRemoved == pair.1.bytesRemoved, "\(keys[index])")
      #expect(pair.0.matched == pair.1.matched, "\(keys[index])")
      #expect(pair.0.removedPaths == pair.1.removedPaths, "\(keys[index])")
      #expect(Set(pair.0.failures) == Set(pair.1.failures), "\(keys[index])")
    }
    let gone = ClearReport.sum(real).removedPaths
    #expect(Set(gone).count == gone.count)
    #expect(try files.subtracting(tree.fileSet()) == Set(gone))
  }

  /// Which of two keys that overlap counts a page is chance with threads; the sum is not.
  @Test(arguments: 61...80 as ClosedRange<UInt64>)
  func theSumIsTheSameOnEightThreads(_ seed: UInt64) throws {
    var dice = Dice(seed)
    let tree = try tree(&dice)
    let keys = try (0..<4).flatMap { _ in try self.keys(&dice) }
    let dry = ClearReport.sum(try tree.clearer(dryRun: .yes, threads: 8).clear(keys))
    let real = ClearReport.sum(try tree.clearer(threads: 8).clear(keys))
    #expect(dry.filesRemoved == real.filesRemoved)
    #expect(dry.bytesRemoved == real.bytesRemoved)
    #expect(dry.matched == real.matched)
    #expect(dry.removedPaths == real.removedPaths)
  }

  @Test func aSecondClearMeetsNothing() throws {
    var dice = Dice(81)
    let tree = try tree(&dice)
    let keys = try layout.families.filter { $0.clearing != .never }.map {
      try layout.all(of: $0.name)
    }
    for mode in [DryRun.yes, .no] {
      let clearer = try tree.clearer(dryRun: mode)
      #expect(ClearReport.sum(clearer.clear(keys)).filesRemoved > 0)
      let second = ClearReport.sum(clearer.clear(keys))
      #expect(second.filesRemoved == 0 && !second.matched)
    }
  }

  /// An empty folder is no page: it goes with its port and is counted by neither run.
  @Test func anEmptyFolderIsNoMatch() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("ports/net/a/empty/nest")
    let key = try layout.port("net", "a")
    #expect(try tree.clearer(dryRun: .yes).clear(key) == ClearReport())
    #expect(tree.exists("ports/net/a/empty/nest"))
    #expect(try tree.clearer().clear(key) == ClearReport())
    #expect(!tree.exists("ports/net/a/empty"))
  }
}
