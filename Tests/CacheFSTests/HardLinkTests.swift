// SPDX-License-Identifier: BSD-2-Clause
//
// A file with several names: counted by name as find does, sized once as du does, and the same
// each time, whichever thread comes by first.

import Foundation
import TestSupport
import Testing

@testable import CacheFS

@Suite struct HardLinkTests {
  private func measure(
    _ tree: TemporaryTree, _ query: StatsQuery = StatsQuery(), threads: Int = 1
  ) throws -> StatsReport {
    CacheFS.measure(Scanner(try tree.open(), layout: .freshPorts, threads: threads), query)
  }

  private func link(_ tree: TemporaryTree, _ new: String, to old: String) throws {
    try tree.makeDirectory(new.split(separator: "/").dropLast().joined(separator: "/"))
    try #require(Foundation.link(tree.fullPath(old), tree.fullPath(new)) == 0)
  }

  @Test(arguments: [1, 2, 4, 8])
  func sizeCountsOnce(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.write("news/news.rss2.0.head.xml", bytes: 5000)
    try link(tree, "daily/2020/01/21.daily.head", to: "news/news.rss2.0.head.xml")
    try link(tree, "daily/2020/01/22.daily.2020Q1", to: "news/news.rss2.0.head.xml")
    try link(tree, "unknown/x", to: "news/news.rss2.0.head.xml")
    try tree.write("news/news.atom.head.xml", bytes: 70)
    // Many folders, so that the threads come by in any order.
    for number in 0..<50 { try tree.write("html/\(number)/page", bytes: 1) }
    let report = try measure(tree, StatsQuery(groupBy: "branch", top: 2), threads: threads)
    #expect(report.total.files == 55 && report.total.bytes == 5120)
    let names = Layout.freshPorts.families.map(\.name)
    func family(_ name: String) throws -> FileTally {
      report.families[try #require(names.firstIndex(of: name))]
    }
    // The first family has it, and the first value of the field.
    #expect(try family("daily").files == 2 && family("daily").bytes == 5000)
    #expect(try family("news").files == 2 && family("news").bytes == 70)
    #expect(report.unknown.files == 1 && report.unknown.bytes == 0)
    #expect(report.groups.map { text($0.value) } == ["2020Q1", "head"])
    #expect(report.groups.map(\.tally.bytes) == [5000, 70])
    #expect(report.groups.map(\.tally.files) == [1, 3])
    #expect(report.ungrouped.files == 51 && report.ungrouped.bytes == 50)
    #expect(
      report.largest.map(\.path) == ["daily/2020/01/21.daily.head", "news/news.atom.head.xml"])
    #expect(report.sizes.buckets.reduce(0) { $0 + $1.bytes } == 5120)
    #expect(report.ages.buckets.reduce(0) { $0 + $1.bytes } == 5120)
    #expect(report.sizes.buckets.reduce(0) { $0 + $1.files } == 55)
  }

  @Test func aNameOutsideTheTreeTakesNothingAway() throws {
    let (tree, outside) = (try TemporaryTree(), try TemporaryTree())
    try tree.write("html/a", bytes: 300)
    try #require(Foundation.link(tree.fullPath("html/a"), outside.fullPath("a")) == 0)
    let report = try measure(tree)
    #expect(report.total.files == 1 && report.total.bytes == 300)
  }

  @Test func whatIsNotOldEnoughCountsUnderNoName() throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 300)
    try link(tree, "html/b", to: "html/a")
    let report = try measure(tree, StatsQuery(modifiedBefore: 0))
    #expect(report.total == FileTally() && report.ages.buckets.allSatisfy { $0.files == 0 })
  }

  @Test func aHoleCountsNothingOnDisk() throws {
    let tree = try TemporaryTree()
    try tree.write("html/hole", bytes: 0)
    try #require(truncate(tree.fullPath("html/hole"), 64 << 20) == 0)
    let report = try measure(tree)
    #expect(report.total.bytes == 64 << 20)
    #expect(report.total.diskBytes < 1 << 20)
  }
}
